// A small Socket.IO client over WebSocket, without binary: the part of the official one's interface
// that pages such as this one use. The official one can take its place: name its
// socket.io.esm.min.js socket.js.
//
//   const socket = io();                                // "/" of the server the page came from
//   const other = io("https://example.com/chat", {auth: {token: "123"}});
//   socket.on("connect", () => console.log(socket.id));
//   socket.on("disconnect", (reason) => ...);           // comes back by itself
//   socket.on("connect_error", (error) => ...);         // refused by the server if error.data says so
//   socket.emit("add", 1, 2, (sum) => ...);

const firstDelay = 1000;  // ms before the first attempt to reconnect, doubled with each one
const lastDelay = 5000;
const openWithin = 20000;

export function io(url, options) {
  if (typeof url === "object") return io(undefined, url);
  return new Socket(url === undefined ? new URL("/", location.href) : new URL(url, location.href), options ?? {});
}

class Socket {
  connected = false;
  id = undefined;
  #address;
  #namespace;
  #auth;
  #handlers = new Map();  // by event
  #acks = new Map();      // by number
  #nextAck = 0;
  #early = [];            // what was emitted before the connection was there
  #wire = null;           // the WebSocket of now; events of older ones don't count
  #attempt = 0;
  #retry;
  #patience = openWithin;  // ms without a ping that are the end
  #watch;

  constructor(url, {auth = {}, path = "/socket.io/"}) {
    const scheme = url.protocol === "https:" || url.protocol === "wss:" ? "wss" : "ws";
    this.#address = `${scheme}://${url.host}${path}?EIO=4&transport=websocket`;
    this.#namespace = url.pathname === "/" ? "" : `${url.pathname},`;
    this.#auth = auth;
    this.connect();
  }

  on(event, handler) {
    if (!this.#handlers.has(event)) this.#handlers.set(event, []);
    this.#handlers.get(event).push(handler);
    return this;
  }

  // A function behind the arguments is called with what the server acknowledges. If the connection
  // is lost before, it never is.
  emit(event, ...args) {
    let number = "";
    if (typeof args.at(-1) === "function") this.#acks.set(number = this.#nextAck++, args.pop());
    const packet = `2${this.#namespace}${number}${JSON.stringify([event, ...args])}`;
    this.connected ? this.#send(packet) : this.#early.push(packet);
    return this;
  }

  // After a disconnect() or a refusal; everything else is tried again without being asked.
  connect() {
    if (this.#wire === null) this.#open();
    return this;
  }

  disconnect() {
    if (this.connected) this.#send("1" + this.#namespace);
    this.#over("io client disconnect");
    return this;
  }

  // -- the connection ------------------------------------------------------------------------------

  #open() {
    clearTimeout(this.#retry);
    const wire = this.#wire = new WebSocket(this.#address);
    wire.onmessage = ({data}) => wire === this.#wire && this.#message(data);
    wire.onclose = () => wire === this.#wire && this.#lost("transport close");
    this.#expect(openWithin);
  }

  #send(packet) {
    this.#wire.send(`4${packet}`);
  }

  // The server has this long to open the session, and later for each ping.
  #expect(ms) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lost("ping timeout"), ms);
  }

  // Ends the connection that there is and tells it. Nothing follows by itself.
  #over(reason) {
    clearTimeout(this.#watch);
    clearTimeout(this.#retry);
    const wire = this.#wire;
    this.#wire = null;
    wire?.close();
    if (!this.connected) return;
    this.connected = false;
    this.id = undefined;
    this.#acks.clear();  // those of early packets come later
    this.#tell("disconnect", reason);
  }

  // Tries again after 1 s, 2 s, 4 s, 5 s, each half as much more or less at random, so that not
  // everybody comes back at once after a restart.
  #lost(reason) {
    const wait = Math.min(lastDelay, firstDelay * 2 ** this.#attempt++) * (0.5 + Math.random());
    const was = this.connected;
    this.#over(reason);
    if (this.#wire !== null) return;  // the handler has connected
    this.#retry = setTimeout(() => this.#open(), wait);
    if (!was) this.#tell("connect_error", new Error("websocket error"));
  }

  // -- packets of Engine.IO, and of Socket.IO in them ----------------------------------------------

  #message(data) {
    if (typeof data !== "string") return this.#lost("parse error");
    const content = data.slice(1);
    if (data[0] === "0") {
      const {pingInterval, pingTimeout} = JSON.parse(content);
      this.#expect(this.#patience = pingInterval + pingTimeout);
      const ask = (auth) => this.#wire && this.#send(`0${this.#namespace}${JSON.stringify(auth)}`);
      typeof this.#auth === "function" ? this.#auth(ask) : ask(this.#auth);
    } else if (data[0] === "1") {
      this.#lost("transport close");
    } else if (data[0] === "2") {
      this.#wire.send("3");
      this.#expect(this.#patience);
    } else if (data[0] === "4") {
      const [, type, namespace, number, payload] = /^(\d)(\/[^,]*,)?(\d*)(.*)$/s.exec(content) ?? [];
      if ((namespace ?? "") === this.#namespace) this.#packet(type, number, payload && JSON.parse(payload));
    }
  }

  #packet(type, number, payload) {
    if (type === "0") {
      this.id = payload.sid;
      this.connected = true;
      this.#attempt = 0;
      for (const packet of this.#early.splice(0)) this.#send(packet);
      this.#tell("connect");
    } else if (type === "1") {
      this.#over("io server disconnect");  // meant so: stays away
    } else if (type === "2") {
      if (number !== "") payload.push((...results) => {
        if (this.connected) this.#send(`3${this.#namespace}${number}${JSON.stringify(results)}`);
      });
      this.#tell(...payload);
    } else if (type === "3") {
      const done = this.#acks.get(Number(number));
      this.#acks.delete(Number(number));
      done?.(...payload);
    } else if (type === "4") {
      this.#over();
      this.#tell("connect_error", Object.assign(new Error(payload.message), {data: payload.data}));
    }
  }

  #tell(event, ...args) {
    for (const handler of [...this.#handlers.get(event) ?? []]) handler(...args);
  }
}

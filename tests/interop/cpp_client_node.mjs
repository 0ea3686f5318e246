// The official Node server for the tests of our client, in their own process. `socketio_server.cpp`
// does the same. Of what `socketio_reference.mjs` does it has what these tests need; and beyond it:
//   ask-me (question, time)  within that time
//   header (name)            acknowledged with a header of the handshake, or ""
//   lossy (what, ..., id)    acknowledged with true, but of every five one is lost as it comes and of
//                            another one the answer; one whose id was there before isn't handled
//   handled                  acknowledged with the list of `what` that were handled, in their order
// /guarded lets in who has `open sesame` as auth's token: else "not authorized", {given: token}.
import {once} from "node:events";
import http from "node:http";
import {Server} from "socket.io";
import msgpack from "socket.io-msgpack-parser";

function behave(socket, lossy, reasons) {
  socket.emit("auth", socket.handshake.auth ?? {});
  socket.on("disconnect", (reason) => reasons[reason] = (reasons[reason] ?? 0) + 1);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("join", async (room, ack) => {
    await socket.join(room);
    ack(true);
  });
  socket.on("to-room", (room, what) => socket.to(room).emit("from-room", what));
  socket.on("burst", (count) => {
    for (let i = 0; i < count; ++i) socket.emit("item", i);
  });
  socket.on("ask-me", (question, time) => socket.timeout(time).emit("question", question, (error, answer) => {
    error ? socket.emit("unanswered", false) : socket.emit("answered", true, answer);
  }));
  socket.on("who-am-i", (ack) => ack({
    id: socket.id, transport: socket.conn.transport.name, recovered: socket.recovered, query: socket.handshake.query,
  }));
  socket.on("header", (name, ack) => ack(socket.handshake.headers[name] ?? ""));
  socket.on("lossy", (what, ...rest) => {
    const ack = rest.pop();
    const id = rest.pop();
    const turn = ++lossy.count % 5;
    if (turn === 0) return;
    if (!lossy.ids.has(id)) lossy.handled.push(what);
    lossy.ids.add(id);
    if (turn !== 2) ack(true);
  });
  socket.on("handled", (...args) => args.pop()(lossy.handled));
  socket.on("kick-me", () => socket.disconnect());
  socket.on("kick-all", () => socket.disconnect(true));
  socket.on("drop-me", () => socket.conn.close());
}

/// Starts it. `recovery` and ping times are in ms; `refusals` is how many are refused by
/// `allowRequest`; with `busy` everybody gets 503, until `relent`.
export async function startNode(options) {
  const reasons = {};
  let refusals = options.refusals ?? 0;
  let busy = options.busy ?? false;
  let running;

  async function run(port) {
    const web = http.createServer();
    const ends = new Set();
    web.on("connection", (end) => {
      ends.add(end);
      end.on("close", () => ends.delete(end));
    });
    const io = new Server(web, {
      serveClient: false,
      pingInterval: options.pingInterval ?? 25_000,
      pingTimeout: options.pingTimeout ?? 20_000,
      maxHttpBufferSize: 10_000_000,
      allowRequest: (request, done) => done(null, --refusals < 0),
      ...options.cookie && {cookie: {name: options.cookie}},
      ...options.recovery && {connectionStateRecovery: {maxDisconnectionDuration: options.recovery}},
      ...options.parser === "msgpack" && {parser: msgpack},
    });
    io.engine.on("connection", ({transport}) => transport.closeTimeout = 500);  // it keeps the process
    for (const [event, refuse] of [
      ["request", (request, response) => response.writeHead(503, {"Retry-After": "1"}).end()],
      ["upgrade", (request, end) => end.end("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\n\r\n")],
    ]) {
      const others = web.listeners(event);
      web.removeAllListeners(event);
      web.on(event, (...args) => busy ? refuse(...args) : others.forEach((one) => one.apply(web, args)));
    }
    for (const name of ["/", "/custom", "/guarded", /^\/dynamic-\d+$/]) {
      const lossy = {count: 0, ids: new Set(), handled: []};
      io.of(name).on("connection", (socket) => behave(socket, lossy, reasons));
    }
    io.of("/guarded").use((socket, next) => {
      const {token} = socket.handshake.auth;
      if (token === "open sesame") return next();
      next(Object.assign(new Error("not authorized"), {data: {given: token}}));
    });
    web.listen(port, "127.0.0.1");
    await once(web, "listening");
    return {port: web.address().port, async stop() {
      const closed = once(web, "close");
      io.close();
      for (const end of ends) end.destroy();
      await closed;
    }};
  }

  running = await run(0);
  const {port} = running;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    reasons: async () => reasons,
    relent: () => busy = false,
    stop: () => running.stop(),
    again: async () => running = await run(port),
  };
}

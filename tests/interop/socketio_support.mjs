// What the Socket.IO tests share: the server under test, official clients, and what they hear.
import assert from "node:assert/strict";
import net from "node:net";
import {setTimeout as pause} from "node:timers/promises";
import {fileURLToPath} from "node:url";
import {io} from "socket.io-client";
import {seconds, start, within} from "./support.mjs";

/// Whether hawser is tested; else it is the reference, and the tests themselves are.
export const hawser = Boolean(process.env.HAWSER_SOCKETIO_SERVER);

/// How the server is started.
export const command = process.env.HAWSER_SOCKETIO_SERVER || process.execPath;
export const script = hawser ? [] : [fileURLToPath(new URL("socketio_reference.mjs", import.meta.url))];

/// For cases in which the reference is known to do something else.
export const hawserOnly = hawser ? {} : {skip: "the reference differs"};

export const kinds = {
  polling: {transports: ["polling"]},
  websocket: {transports: ["websocket"]},
  upgrade: {transports: ["polling", "websocket"]},
};

/// What an emitter's event brings, in its order: `next()` gives the arguments of one.
export function inbox(emitter, event) {
  const arrived = [];
  const waiting = [];
  emitter.on(event, (...args) => waiting.length ? waiting.shift()(args) : arrived.push(args));
  const next = () => within(seconds(20), `"${event}"`, new Promise((resolve) => {
    arrived.length ? resolve(arrived.shift()) : waiting.push(resolve);
  }));
  return {
    arrived,
    next,
    async take(count) {
      const taken = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
  };
}

/// The arguments of the next one of an event.
export const heard = (emitter, event) => within(seconds(20), `"${event}"`, new Promise((resolve) => {
  emitter.once(event, (...args) => resolve(args));
}));

/// Asks until the answer pleases; gives it.
export async function until(what, ask, pleases) {
  const end = Date.now() + seconds(20);
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    assert.ok(Date.now() < end, `${what}: still ${JSON.stringify(answer)}`);
    await pause(10);
  }
}

/// Starts a server for `body` and expects it to end properly afterwards. `common` goes to all clients.
export async function withServer(args, body, common = {}) {
  const server = await start(command, [...script, "--port", "0", ...args]);
  const sockets = [];
  server.again = () => start(command, [...script, "--port", String(server.port), ...args]);
  /// A client that doesn't connect again by itself, and shares its connection with nobody.
  server.client = (options = {}, namespace = "/", url = server.url) => {
    const socket = io(url + namespace, {forceNew: true, reconnection: false, ...common, ...options});
    sockets.push(socket);
    return socket;
  };
  /// The same, connected.
  server.connected = async (options = {}, namespace = "/", url = server.url) => {
    const socket = server.client(options, namespace, url);
    await connected(socket);
    return socket;
  };
  server.reasons = async () => (await fetch(`${server.url}/reasons`)).json();
  /// Waits for `count` sockets to have left; gives the reasons.
  server.left = (count) => until(`${count} to leave`, server.reasons, (reasons) => {
    return Object.values(reasons).reduce((sum, one) => sum + one, 0) >= count;
  });
  try {
    await body(server);
  } catch (error) {
    server.child.kill("SIGKILL");
    throw error;
  } finally {
    for (const socket of sockets) {
      socket.io.reconnection(false);
      socket.disconnect();
      socket.io._close();
    }
  }
  await server.stop();
}

/// Waits for a socket to be connected.
export async function connected(socket) {
  if (socket.connected) return;
  await within(seconds(20), "connecting", new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  }));
}

/// Waits for a client's connection to have become a WebSocket.
export const upgraded = (socket) => {
  return until("upgrade", () => socket.io.engine.transport.name, (name) => name === "websocket");
};

/// The numbers from 0 to count - 1.
export const numbers = (count) => Array.from({length: count}, (_, i) => i);

/// Emits and gives the one argument of the acknowledgement.
export const ask = (socket, ...args) => socket.timeout(seconds(20)).emitWithAck(...args);

/// All arguments that `message-with-ack` brings back.
export const echoed = (socket, ...args) => within(seconds(20), "acknowledgement", new Promise((resolve) => {
  socket.emit("message-with-ack", ...args, (...back) => resolve(back));
}));

/// Forwards connections to a port, each piece a bit later, and WebSockets only once `gate` is there.
export async function slowProxy(port, gate) {
  const ends = new Set();
  const proxy = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1");
    let delay = () => pause(2);
    near.once("data", (data) => {
      if (/upgrade: websocket/i.test(data.toString("latin1"))) delay = () => gate.then(() => pause(20));
    });
    for (const [from, to] of [[near, far], [far, near]]) {
      let last = Promise.resolve();
      const later = (what) => last = last.then(delay).then(what);
      from.setNoDelay(true);
      from.on("data", (data) => later(() => to.write(data)));
      from.on("end", () => later(() => to.end()));
      from.on("error", () => to.destroy());
      ends.add(from);
    }
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    close() {
      for (const one of ends) one.destroy();
      proxy.close();
    },
  };
}

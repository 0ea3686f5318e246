// The official Node server with the behaviour that socketio_server.cpp has: what the Socket.IO tests
// expect of it is proved here, on the reference.
//
//   node socketio_reference.mjs [--port N] [--ping-interval MS] [--ping-timeout MS]
//       [--max-payload BYTES] [--transports polling,websocket] [--recovery] [--cors ORIGIN]
//       [--parser json|msgpack] [--connect-timeout MS]
//
// Prints "listening on http://127.0.0.1:PORT"; ends on SIGTERM, when its standard input is closed,
// and after 170 s at the latest. GET /reasons tells how often a socket left for which reason, as JSON.
//
// In / and /custom, in /slow (whose middleware takes 150 ms) and in /dynamic-N for every number N:
//   at connection            `auth` (handshake's auth, {} without one)
//   message (...args)        `message-back` (...args)
//   message-with-ack (...args)         acknowledged with (...args)
//   join (room), leave (room)          acknowledged with true
//   to-room (room, text)     `from-room` (text) to everybody in the room but the sender
//   to-all (room, text)      `from-room` (text) to everybody in the room
//   volatile (text)          `volatile-back` (text), volatile
//   ask-me (question)        `question` (question) with an ack, 300 ms; then `answered` (true, answer)
//                            or `unanswered` (false)
//   ask-room (room)          `question` ("?") with acks, 300 ms, to everybody in the room; then
//                            `room-answers` (list of answers, complete)
//   burst (n)                `item` (i) for i = 0 ... n - 1
//   typed (number, string, bool, [number...], {x, y})   acknowledged with the sum of all numbers
//   who-am-i                 acknowledged with {id, transport, recovered, rooms (sorted), address
//                            (whether there is one), query (object)}
//   kick-me                  disconnects this namespace
//   kick-all                 disconnects the client from everything
//   drop-me                  closes the connection without a word of Socket.IO
// In /denied a middleware refuses everybody: "not authorized", {content: "Please retry later"}.
import http from "node:http";
import {parseArgs} from "node:util";
import {Server} from "socket.io";
import msgpack from "socket.io-msgpack-parser";

const text = (fallback) => ({type: "string", default: fallback});
let options;
try {
  options = parseArgs({
    options: {
      "port": text("0"), "ping-interval": text("25000"), "ping-timeout": text("20000"),
      "max-payload": text("1000000"), "transports": text("polling,websocket"),
      "recovery": {type: "boolean", default: false}, "cors": text(""), "parser": text("json"),
      "connect-timeout": text("45000"),
    },
  }).values;
} catch (error) {
  console.error(error.message);
  process.exit(2);
}

const reasons = {};
const web = http.createServer((request, response) => {
  const found = request.method === "GET" && request.url === "/reasons";
  response.writeHead(found ? 200 : 404, {"Content-Type": "application/json"});
  response.end(JSON.stringify(found ? reasons : null));
});
const io = new Server(web, {
  pingInterval: Number(options["ping-interval"]),
  pingTimeout: Number(options["ping-timeout"]),
  maxHttpBufferSize: Number(options["max-payload"]),
  connectTimeout: Number(options["connect-timeout"]),
  transports: options.transports.split(","),
  serveClient: false,
  ...options.recovery && {connectionStateRecovery: {}},
  ...options.cors && {cors: {origin: options.cors}},
  ...options.parser === "msgpack" && {parser: msgpack},
});

function serve(socket) {
  const patience = 300;
  socket.emit("auth", socket.handshake.auth ?? {});
  socket.on("disconnect", (reason) => reasons[reason] = (reasons[reason] ?? 0) + 1);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  socket.on("join", async (room, ack) => {
    await socket.join(room);
    ack(true);
  });
  socket.on("leave", async (room, ack) => {
    await socket.leave(room);
    ack(true);
  });
  socket.on("to-room", (room, what) => socket.to(room).emit("from-room", what));
  socket.on("to-all", (room, what) => socket.nsp.in(room).emit("from-room", what));
  socket.on("volatile", (what) => socket.volatile.emit("volatile-back", what));
  socket.on("ask-me", (question) => socket.timeout(patience).emit("question", question, (error, answer) => {
    error ? socket.emit("unanswered", false) : socket.emit("answered", true, answer);
  }));
  socket.on("ask-room", (room) => socket.nsp.in(room).timeout(patience).emit("question", "?", (error, answers) => {
    socket.emit("room-answers", answers, !error);
  }));
  socket.on("burst", (count) => {
    for (let i = 0; i < count; ++i) socket.emit("item", i);
  });
  socket.on("typed", (number, string, flag, list, point, ack) => {
    ack(list.reduce((sum, one) => sum + one, number + point.x + point.y));
  });
  socket.on("who-am-i", (ack) => ack({
    id: socket.id,
    transport: socket.conn.transport.name,
    recovered: socket.recovered,
    rooms: [...socket.rooms].sort(),
    address: Boolean(socket.handshake.address),
    query: socket.handshake.query,
  }));
  socket.on("kick-me", () => socket.disconnect());
  socket.on("kick-all", () => socket.disconnect(true));
  socket.on("drop-me", () => socket.conn.close());
}

for (const name of ["/", "/custom", "/slow", /^\/dynamic-\d+$/]) io.of(name).on("connection", serve);
io.of("/slow").use((socket, next) => setTimeout(next, 150));
io.of("/denied").use((socket, next) => {
  next(Object.assign(new Error("not authorized"), {data: {content: "Please retry later"}}));
});

const end = () => process.exit(0);
process.on("SIGTERM", end);
process.stdin.on("end", end).on("error", end).resume();
setTimeout(end, 170_000);
web.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
web.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${web.address().port}`);
});

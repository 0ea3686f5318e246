// A Socket.IO server on Node's socket.io, set up for speed: WebSocket only, no compression, no
// client to serve, and no request kept per connection, as its performance guide teaches.
// `m` goes back to its sender, `all` goes to everybody.
import {createServer} from "node:http";
import process from "node:process";
import {Server} from "socket.io";

function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const http = createServer();
const io = new Server(http, {
  transports: process.argv.includes("--polling") ? ["polling"] : ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});
io.engine.on("connection", (raw) => { raw.request = null; });
io.on("connection", (socket) => {
  socket.on("m", (a, b) => socket.emit("m", a, b));
  socket.on("all", (a, b) => io.emit("all", a, b));
});

http.listen({host: "127.0.0.1", port: option("--port", 0), backlog: 4096}, () => {
  console.log(`listening on 127.0.0.1:${http.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
setTimeout(() => process.exit(0), option("--seconds", 600) * 1000);

// Node's socket.io-client, as socketio_client.cpp: same options, same line of JSON.
import process from "node:process";
import {io} from "socket.io-client";

function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
}

const url = option("--url", "http://127.0.0.1:3000");
const idle = process.argv.includes("--idle");
const count = Number(option("--connections", 1));
const depth = idle ? 0 : Number(option("--in-flight", 1));
const seconds = Number(option("--seconds", 2));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const memory = () => {
  if (global.gc) global.gc();
  return process.memoryUsage.rss();
};

let messages = 0;
let failures = 0;
const before = memory();
const sockets = [];
for (let first = 0; first < count; first += 200) {
  const batch = [];
  for (let i = first; i < Math.min(count, first + 200); ++i) {
    const socket = io(url, {transports: ["websocket"], forceNew: true, reconnection: false});
    socket.on("m", (a, b) => {
      ++messages;
      socket.emit("m", a, b);
    });
    socket.on("disconnect", () => ++failures);
    batch.push(new Promise((done) => {
      socket.on("connect_error", () => { ++failures; done(); });
      socket.on("connect", () => {
        for (let k = 0; k < depth; ++k) socket.emit("m", 1.5, 2.5);
        done();
      });
    }));
    sockets.push(socket);
  }
  await Promise.all(batch);
}
if (idle) {
  await pause(1000);
  console.log(JSON.stringify({bytes_per_client: (memory() - before) / count, failures}));
  process.exit(failures > 0 ? 1 : 0);
}
await pause(300);
const started = messages;
const cpu = process.cpuUsage();
await pause(seconds * 1000);
const used = process.cpuUsage(cpu);
console.log(JSON.stringify({messages: messages - started,
  cpu_seconds: (used.user + used.system) / 1e6, failures}));
process.exit(failures > 0 ? 1 : 0);

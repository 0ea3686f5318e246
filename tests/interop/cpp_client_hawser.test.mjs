// Our Socket.IO client against our server.
import {connect, program, start} from "./support.mjs";
import {testClient} from "./cpp_client.mjs";

async function startHawser(options) {
  const given = {
    "parser": options.parser, "ping-interval": options.pingInterval, "ping-timeout": options.pingTimeout,
    "max-payload": 10_000_000, "cookie": options.cookie, "recovery-window": options.recovery,
    "refusals": options.refusals, "max-connections": options.busy && 4, "connect-timeout": 45_000,
  };
  const args = Object.entries(given).flatMap(([name, value]) => value ? [`--${name}`, String(value)] : []);
  if (options.recovery) args.push("--recovery");
  const run = (port) => start(program("HAWSER_SOCKETIO_SERVER"), ["--port", String(port), ...args]);
  let running = await run(0);
  const {url, port} = running;
  // It is busy when others have all of its connections.
  const others = [];
  while (options.busy && others.length < 4) {
    others.push(await connect(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`));
  }
  return {
    url,
    port,
    reasons: async () => (await fetch(`${url}/reasons`)).json(),
    relent: () => others.forEach((one) => one.terminate()),
    stop: () => running.stop(),
    again: async () => running = await run(port),
  };
}

testClient(startHawser);

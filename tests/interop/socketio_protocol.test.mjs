// What the public protocol suites of Engine.IO v4 (25 cases) and Socket.IO v5 (32 cases) check, in our
// own words: plain HTTP and WebSocket, no client library. A server of Socket.IO has no bare Engine.IO
// messages, so the cases about messages talk to the namespace /. The second suite repeats 16 cases of
// the first one; those run here on sessions that are in no namespace and on some that are in /.
import assert from "node:assert/strict";
import http from "node:http";
import test from "node:test";
import {connect, seconds, within} from "./support.mjs";
import {hawser, hawserOnly, numbers, until, withServer} from "./socketio_support.mjs";

const limit = {timeout: seconds(60)};
// A pong may take its time on a busy machine: who is lively is never taken for dead.
const heartbeat = ["--ping-interval", "300", "--ping-timeout", "1500", "--max-payload", "1000000"];
const standard = [...heartbeat, "--connect-timeout", "1000"];  // as the suites want it
const calm = ["--connect-timeout", "2000"];  // with the default heartbeat: nothing else ends a session
const separator = "\x1e";

const check = (name, body, args = standard) => test(name, limit, () => withServer(args, body));
const checkHawser = (name, body, args = standard) => {
  test(name, {...limit, ...hawserOnly}, () => withServer(args, body));
};

const target = (query) => `/socket.io/?${new URLSearchParams(query)}`;
const polling = {EIO: "4", transport: "polling"};
const websocket = {EIO: "4", transport: "websocket"};
const socketUrl = (server, query) => server.url.replace("http", "ws") + target(query);

/// One HTTP request. `sent` is settled when all of it has been given to the system.
function request(server, query, {method = "GET", body, headers, agent} = {}) {
  const result = {};
  result.answer = within(seconds(20), method, new Promise((resolve, reject) => {
    const asked = http.request(server.url + target(query), {method, headers, agent: agent ?? false});
    result.abort = () => asked.destroy();
    result.sent = new Promise((done) => asked.once("finish", done));
    asked.on("error", reject);
    asked.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data) => text += data);
      response.on("end", () => resolve({status: response.statusCode, headers: response.headers, text}));
    });
    asked.end(body);
  }));
  result.answer.catch(() => {});
  return result;
}

/// A session that begins with polling; its GETs share one connection, its POSTs have their own.
async function session(server, joined = true) {
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  const opened = await request(server, polling, {agent}).answer;
  assert.equal(opened.status, 200);
  assert.equal(opened.text[0], "0");
  const {sid} = JSON.parse(opened.text.slice(1));
  const query = {...polling, sid};
  const arrived = [];
  const self = {
    sid,
    query,
    poll: () => request(server, query, {agent}),
    get: async () => self.poll().answer,
    post: (body, headers = {}) => request(server, query, {method: "POST", body, headers}).answer,
    /// Polls until there is a packet, answers pings, and gives anything else.
    async next() {
      for (;;) {
        if (arrived.length === 0) {
          const {status, text} = await self.get();
          assert.equal(status, 200);
          arrived.push(...text.split(separator));
        }
        const packet = arrived.shift();
        if (packet !== "2") return packet;
        assert.equal((await self.post("3")).text, "ok");
      }
    },
    async says(body, ...answers) {
      const {status, text} = await self.post(body);
      assert.deepEqual([status, text], [200, "ok"]);
      for (const answer of answers) assert.equal(await self.next(), answer);
    },
    close: () => agent.destroy(),
  };
  if (joined) {
    await self.says("40");
    assert.match(await self.next(), /^40\{"sid":"/);
    assert.equal(await self.next(), "42[\"auth\",{}]");
  }
  return self;
}

/// A WebSocket session; if it is `lively` it answers pings, and `next` gives everything else.
async function wire(server, {namespace = "/", query = websocket, lively = true} = {}) {
  const socket = await connect(socketUrl(server, query));
  const {next} = socket;
  if (lively) {
    socket.on("message", (data, binary) => {
      if (!binary && String(data) === "2") socket.send("3");
    });
    socket.next = async () => {
      for (;;) {
        const packet = await next();
        if (packet !== "2") return packet;
      }
    };
  }
  socket.gone = () => within(seconds(10), "the connection to end", socket.closed);
  if (query.sid) return socket;
  socket.opened = JSON.parse((await socket.next()).slice(1));
  if (namespace === null) return socket;
  const prefix = namespace === "/" ? "" : `${namespace},`;
  socket.send(`40${prefix}`);
  const answer = await socket.next();
  assert.ok(answer.startsWith(`40${prefix}{"sid":"`), answer);
  assert.equal(await socket.next(), `42${prefix}["auth",{}]`);
  return socket;
}

/// Asks for a WebSocket that should be refused, or at least ended before anything is said.
async function assertNoWebSocket(server, query) {
  const socket = await connect(socketUrl(server, query)).catch(() => null);
  if (!socket) return;
  const said = [];
  socket.on("message", (data) => said.push(String(data)));
  await within(seconds(10), "the connection to end", socket.closed);
  assert.deepEqual(said, []);
}

async function assertRefused(server, query, code, message, options = {}) {
  const {status, text, headers} = await request(server, query, options).answer;
  assert.deepEqual([status, JSON.parse(text)], [400, {code, message}], JSON.stringify({query, options}));
  assert.match(headers["content-type"], /^application\/json/);
}

/// Asks for a session that should be gone.
const assertGone = (server, query) => assertRefused(server, query, 1, "Session ID unknown");

function assertOpen({sid, ...rest}, upgrades) {
  assert.equal(typeof sid, "string");
  const wanted = {upgrades, pingInterval: 300, pingTimeout: 1500, maxPayload: 1000000};
  assert.deepEqual(Object.entries(rest), Object.entries(wanted));  // the order, too
}

// Engine.IO: the handshake.

check("engine 1: polling opens a session", async (server) => {
  const {status, text, headers} = await request(server, polling).answer;
  assert.equal(status, 200);
  assert.match(headers["content-type"], /^text\/plain; charset=utf-8$/i);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(text[0], "0");
  assertOpen(JSON.parse(text.slice(1)), ["websocket"]);
});

check("engine 2: polling with no or another EIO is refused", async (server) => {
  for (const query of [{transport: "polling"}, ...["abc", "", "5", "3", "44"].map((EIO) => ({...polling, EIO}))]) {
    await assertRefused(server, query, 5, "Unsupported protocol version");
  }
});

check("engine 3: polling with no or another transport is refused", async (server) => {
  const others = ["abc", "", "constructor", "POLLING"].map((transport) => ({...polling, transport}));
  for (const query of [{EIO: "4"}, ...others]) {
    await assertRefused(server, query, 0, "Transport unknown");
  }
});

check("engine 4: only GET opens a session", async (server) => {
  for (const method of ["POST", "PUT"]) {
    await assertRefused(server, polling, 2, "Bad handshake method", {method});
  }
});

check("engine 5: a WebSocket opens a session", async (server) => {
  const socket = await wire(server, {namespace: null});
  assertOpen(socket.opened, []);
  socket.close();
});

check("engine 6: a WebSocket with no or another EIO is refused", async (server) => {
  for (const query of [{transport: "websocket"}, ...["abc", "", "3"].map((EIO) => ({...websocket, EIO}))]) {
    await assertNoWebSocket(server, query);
  }
});

check("engine 7: a WebSocket with no or another transport is refused", async (server) => {
  for (const query of [{EIO: "4"}, {...websocket, transport: "abc"}]) await assertNoWebSocket(server, query);
});

// Engine.IO: messages.

check("engine 8: polling: one text packet each way", async (server) => {
  const one = await session(server);
  await one.says("42[\"message\",\"hello\"]", "42[\"message-back\",\"hello\"]");
  one.close();
});

check("engine 9: polling: several text packets each way", async (server) => {
  const one = await session(server);
  assert.equal((await one.post(numbers(3).map((i) => `42["message",${i}]`).join(separator))).text, "ok");
  assert.equal((await one.get()).text, numbers(3).map((i) => `42["message-back",${i}]`).join(separator));
  one.close();
}, calm);

check("engine 10: polling: text and binary packets each way", async (server) => {
  const one = await session(server);
  const placeholder = "{\"_placeholder\":true,\"num\":0}";
  assert.equal((await one.post(`451-["message",${placeholder}]${separator}bAQIDBA==`)).text, "ok");
  assert.equal((await one.get()).text, `451-["message-back",${placeholder}]${separator}bAQIDBA==`);
  one.close();
}, calm);

for (const bad of ["abc", "", "7", `${separator}4`, `42["message"]${separator}`]) {
  check(`engine 11: polling: ${JSON.stringify(bad)} ends the session`, async (server) => {
    const one = await session(server);
    const answer = await one.post(bad).catch(() => ({status: 400}));  // or no answer
    assert.ok(answer.status === 400 || answer.text === "ok", `status ${answer.status}`);
    await server.left(1);
    await assertGone(server, one.query);
  }, calm);
}

check("engine 12: polling: a second GET ends the session", async (server) => {
  const one = await session(server);
  const first = one.poll();
  await first.sent;
  assert.equal((await request(server, one.query).answer).status, 400);
  const {status, text} = await first.answer;
  assert.deepEqual([status, text], [200, "1"]);
  await assertGone(server, one.query);
}, calm);

check("engine 13: polling: a GET that is given up ends the session", async (server) => {
  const one = await session(server);
  const poll = one.poll();
  await poll.sent;
  poll.abort();
  const reasons = await server.left(1);
  assert.match(Object.keys(reasons).join(), /^transport (error|close)$/);
  await assertGone(server, one.query);
}, calm);

check("engine 14: WebSocket: a text packet each way", async (server) => {
  const socket = await wire(server);
  socket.send("42[\"message\",\"hello\"]");
  assert.equal(await socket.next(), "42[\"message-back\",\"hello\"]");
  socket.close();
});

check("engine 15: WebSocket: a binary packet each way", async (server) => {
  const socket = await wire(server);
  socket.send("451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
  socket.send(Buffer.from([1, 2, 3, 4]));
  assert.equal(await socket.next(), "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]");
  assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3, 4]));
  socket.close();
});

for (const bad of ["abc", "", "7"]) {
  check(`engine 16: WebSocket: ${JSON.stringify(bad)} ends the session`, async (server) => {
    const socket = await wire(server);
    socket.send(bad);
    await socket.gone();
    await server.left(1);
  }, calm);
}

// Engine.IO: heartbeat, close and upgrade, which both suites have.

for (const joined of [false, true]) {
  const where = joined ? "in /" : "in no namespace";

  check(`engine 17, ${where}: polling: ping and pong`, async (server) => {
    const one = await session(server, joined);
    for (let i = 0; i < 3; ++i) {
      assert.equal((await one.get()).text, "2");
      assert.equal((await one.post("3")).text, "ok");
    }
    one.close();
  }, heartbeat);

  check(`engine 18, ${where}: polling: who doesn't pong is dropped`, async (server) => {
    const began = Date.now();
    const one = await session(server, joined);
    if (joined) {
      assert.deepEqual(await server.left(1), {"ping timeout": 1});
    } else {
      await until("the session to end", () => one.get(), ({status}) => status === 400);
    }
    assert.ok(Date.now() - began >= 1790, "not before 300 + 1500 ms");
    await assertGone(server, one.query);
  }, heartbeat);

  check(`engine 19, ${where}: WebSocket: ping and pong`, async (server) => {
    const socket = await wire(server, {namespace: joined ? "/" : null, lively: false});
    for (let i = 0; i < 3; ++i) {
      assert.equal(await socket.next(), "2");
      socket.send("3");
    }
    socket.close();
  }, heartbeat);

  check(`engine 20, ${where}: WebSocket: who doesn't pong is dropped`, async (server) => {
    const began = Date.now();
    const socket = await wire(server, {namespace: joined ? "/" : null, lively: false});
    assert.equal(await socket.next(), "2");
    await socket.gone();
    assert.ok(Date.now() - began >= 1790, "not before 300 + 1500 ms");
    if (joined) assert.deepEqual(await server.left(1), {"ping timeout": 1});
  }, heartbeat);

  check(`engine 21, ${where}: polling: a close packet ends the session`, async (server) => {
    const one = await session(server, joined);
    const poll = one.poll();
    await poll.sent;
    assert.equal((await one.post("1")).text, "ok");
    const {status, text} = await poll.answer;
    assert.deepEqual([status, text], [200, "6"]);
    await assertGone(server, one.query);
    if (joined) assert.deepEqual(await server.left(1), {"transport close": 1});
  }, calm);

  // The reference ends it only because a pong is missing.
  check(`engine 22, ${where}: WebSocket: a close packet ends the session`, async (server) => {
    const socket = await wire(server, {namespace: joined ? "/" : null, lively: false});
    socket.send("1");
    await socket.gone();
  }, heartbeat);

  check(`engine 23, ${where}: polling becomes a WebSocket`, async (server) => {
    const one = await session(server, joined);
    const socket = await upgrading(server, one);
    const poll = await one.get();
    assert.deepEqual([poll.status, poll.text], [200, "6"]);
    socket.send("5");
    await talks(socket, joined);
    socket.close();
  }, calm);

  check(`engine 24, ${where}: after the upgrade, HTTP with the same sid is refused`, async (server) => {
    const {one, socket} = await upgradedSession(server, joined);
    for (const answer of [await one.get(), await one.post("42[\"message\",\"by the back door\"]")]) {
      assert.deepEqual([answer.status, JSON.parse(answer.text).code], [400, 3]);
    }
    await talks(socket, true);
    socket.close();
  }, calm);

  check(`engine 25, ${where}: after the upgrade, another WebSocket with the same sid is refused`, async (server) => {
    const {one, socket} = await upgradedSession(server, joined);
    await assertNoWebSocket(server, {...websocket, sid: one.sid});
    await talks(socket, true);
    socket.close();
  }, calm);
}

async function upgrading(server, one) {
  const socket = await wire(server, {query: {...websocket, sid: one.sid}});
  socket.send("2probe");
  assert.equal(await socket.next(), "3probe");
  return socket;
}

async function upgradedSession(server, joined) {
  const one = await session(server, joined);
  const socket = await upgrading(server, one);
  socket.send("5");
  await talks(socket, joined);
  return {one, socket};
}

/// Joins / if need be, and says something there.
async function talks(socket, joined) {
  if (!joined) {
    socket.send("40");
    assert.match(await socket.until(/^40/), /^40\{"sid":"/);
    assert.equal(await socket.next(), "42[\"auth\",{}]");
  }
  socket.send("42[\"message\",\"hello\"]");
  assert.equal(await socket.until(/^42/), "42[\"message-back\",\"hello\"]");
}

// Socket.IO: connecting. The cases 1 to 16 are those of Engine.IO above.

for (const [number, namespace, auth] of [[17, "/", ""], [18, "/", "{\"token\":\"123\"}"], [19, "/custom", ""],
                                         [20, "/custom", "{\"token\":\"abc\"}"]]) {
  check(`socket ${number}: joins ${namespace} ${auth ? "with" : "without"} a payload`, async (server) => {
    const socket = await wire(server, {namespace: null});
    const prefix = namespace === "/" ? "" : `${namespace},`;
    socket.send(`40${prefix}${auth}`);
    const answer = await socket.next();
    assert.ok(answer.startsWith(`40${prefix}{`), answer);
    const {sid, ...others} = JSON.parse(answer.slice(2 + prefix.length));
    assert.equal(typeof sid, "string");
    assert.notEqual(sid, socket.opened.sid);
    assert.deepEqual(others, {});
    assert.equal(await socket.next(), `42${prefix}["auth",${auth || "{}"}]`);
    socket.close();
  });
}

check("socket 21: an unknown namespace is refused, and the connection stays", async (server) => {
  const socket = await wire(server, {namespace: null});
  for (const name of ["/random", "/random,", "/dynamic-x"]) {
    socket.send(`40${name}`);
    assert.equal(await socket.next(), `44${name.replace(",", "")},{"message":"Invalid namespace"}`);
  }
  socket.send("40");
  assert.match(await socket.next(), /^40\{"sid"/);
  socket.close();
});

for (const bad of ["4abc", "40[]", "40\"text\"", "40{", "4", "44{}", "42[\"message\"]"]) {
  check(`socket 22: ${bad} is no beginning`, async (server) => {
    const socket = await wire(server, {namespace: null});
    socket.send(bad);
    await socket.gone();
  }, bad === "4" ? standard : calm);  // the reference takes nothing for a connect packet
}

check("socket 23: who joins nothing is dropped", async (server) => {
  const began = Date.now();
  const socket = await wire(server, {namespace: null});
  socket.on("message", (data) => {
    if (String(data) === "2") socket.send("3");
  });
  await socket.gone();
  assert.ok(Date.now() - began >= 990, "not before 1000 ms");
  const one = await session(server, false);  // by polling, too
  await until("the session to end", async () => {
    const answer = await one.get();
    if (answer.text === "2") await one.post("3");
    return answer;
  }, ({status}) => status === 400);
});

// Socket.IO: disconnecting.

check("socket 24: who leaves / is gone", async (server) => {
  const socket = await wire(server, {lively: false});
  socket.send("41");
  await socket.gone();
  assert.deepEqual(await server.left(1), {"client namespace disconnect": 1});
});

check("socket 25: who leaves /custom is still in /", async (server) => {
  const socket = await wire(server);
  socket.send("40/custom");
  assert.match(await socket.next(), /^40\/custom,\{"sid":"/);
  assert.equal(await socket.next(), "42/custom,[\"auth\",{}]");
  socket.send("41/custom");
  socket.send("42[\"message\",\"message to /\"]");
  assert.equal(await socket.next(), "42[\"message-back\",\"message to /\"]");
  assert.deepEqual(await server.left(1), {"client namespace disconnect": 1});
  socket.close();
});

// Socket.IO: messages.

const two = "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";

async function exchange(socket, sent, received) {
  for (const one of sent) socket.send(one);
  for (const one of received) assert.deepEqual(await socket.next(), one);
}

check("socket 26: an event of text", async (server) => {
  const socket = await wire(server);
  await exchange(socket, ["42[\"message\",1,\"2\",{\"3\":[true]}]"], ["42[\"message-back\",1,\"2\",{\"3\":[true]}]"]);
  socket.close();
});

check("socket 27: an event with two attachments", async (server) => {
  const socket = await wire(server);
  const bytes = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
  await exchange(socket, [`452-["message",${two}]`, ...bytes], [`452-["message-back",${two}]`, ...bytes]);
  socket.close();
});

check("socket 28: an event of text with an acknowledgement", async (server) => {
  const socket = await wire(server);
  for (const id of ["456", "0", "9007199254740991"]) {
    await exchange(socket, [`42${id}["message-with-ack",1,"2",{"3":[false]}]`], [`43${id}[1,"2",{"3":[false]}]`]);
  }
  socket.close();
});

check("socket 29: an event with two attachments and an acknowledgement", async (server) => {
  const socket = await wire(server);
  const bytes = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
  await exchange(socket, [`452-789["message-with-ack",${two}]`, ...bytes], [`462-789[${two}]`, ...bytes]);
  socket.close();
});

/// Each of `list` ends a connection of its own, which is in / until then.
const ends = (name, list, checking = check) => list.forEach((packets, i) => {
  const shown = packets.map((one) => typeof one === "string" ? one.slice(0, 60) : `${one.length} bytes`);
  checking(`${name}${list.length > 1 ? ` (${i + 1})` : ""}: ${shown.join(" ")}`, async (server) => {
    const other = await wire(server);
    const socket = await wire(server);
    for (const packet of packets) socket.send(packet);
    await socket.gone();
    await server.left(1);
    await exchange(other, ["42[\"message\",\"fine\"]"], ["42[\"message-back\",\"fine\"]"]);
    other.close();
  }, calm);
});

ends("socket 30: an unknown type ends the connection", [["4abc"], ["47"], ["49[\"message\"]"]]);
ends("socket 31: a payload that is none ends the connection", [
  ["42{}"], ["42\"message\""], ["42[]"], ["42[\"message\""], ["42[{}]"], ["42[null]"], ["42[[\"message\"]]"],
  ["430{}"], ["41{}"],
]);
ends("socket 32: an id that is none ends the connection", [
  ["42abc[\"message-with-ack\",1]"], ["42-1[\"message-with-ack\"]"],
]);

// Beyond the suites.

ends("a reserved name is no event", [
  "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
].map((name) => [`42["${name}"]`]));
ends("who is in a namespace can't join it, talk elsewhere, or refuse the server", [
  ["40"], ["42/custom,[\"message\",1]"], ["42/random,[\"message\",1]"], ["44{\"message\":\"no\"}"],
]);
ends("attachments that don't fit", [
  ["451-[\"message\",{\"_placeholder\":true,\"num\":0}]", "42[\"message\",1]"],
  [Buffer.from([1])],
  ["4511-[\"message\"]"],
  ["45[\"message\"]"],
  ["451-[\"message\",{\"_placeholder\":true,\"num\":1}]", Buffer.from([1])],
  ["451-[\"message\",{\"_placeholder\":true,\"num\":-1}]", Buffer.from([1])],
  ["451-[\"message\",{\"_placeholder\":true,\"num\":\"splice\"}]", Buffer.from([1])],
]);
ends("a client doesn't ping", [["2"]]);
ends("a message over the limit", [[`42["message","${"x".repeat(1000000)}"]`]]);
ends("what the reference lets pass", [
  ["451-[\"message\",{\"_placeholder\":true,\"num\":0.5}]", Buffer.from([1])],
  [`452-["message",${two.replace("1", "0")}]`, Buffer.from([1]), Buffer.from([2])],
  ["451e0-[\"message\",{\"_placeholder\":true,\"num\":0}]", Buffer.from([1])],
  ["42[\"error\"]"], ["42"], ["4"], ["42[\"message\",\"\\ud800\"]"],
  [`42["message",${"[".repeat(1000)}${"]".repeat(1000)}]`],
], checkHawser);

checkHawser("a close packet ends a WebSocket at once", async (server) => {
  const socket = await wire(server);
  socket.send("1");
  await socket.gone();
  assert.deepEqual(await server.left(1), {"transport close": 1});
}, calm);

check("placeholders are ordinary data where nothing is attached", async (server) => {
  const socket = await wire(server);
  const data = "{\"_placeholder\":true,\"num\":0}";
  await exchange(socket, [`42["message",${data}]`], [`42["message-back",${data}]`]);
  socket.close();
}, calm);

check("a number is a name like any other, and unknown events and answers are nobody's business", async (server) => {
  const socket = await wire(server);
  for (const odd of ["42[1,2]", "42[\"nobody-listens\",1]", "43999[1]", "4312[]"]) socket.send(odd);
  await exchange(socket, ["42[\"message\",\"fine\"]"], ["42[\"message-back\",\"fine\"]"]);
  socket.close();
}, calm);

check("a volatile event is dropped when no GET waits for it", async (server) => {
  const one = await session(server);
  await one.says(`42["volatile","lost"]${separator}42["message","kept"]`, "42[\"message-back\",\"kept\"]");
  const poll = one.poll();
  await poll.sent;
  await one.says("42[\"volatile\",\"heard\"]");
  assert.equal((await poll.answer).text, "42[\"volatile-back\",\"heard\"]");
  one.close();
}, calm);

check("requests that don't fit a session are refused", async (server) => {
  const socket = await wire(server);
  const one = await session(server);
  for (const sid of ["unknown", "__proto__", "x".repeat(24)]) await assertGone(server, {...polling, sid});
  for (const query of [{...polling, sid: socket.opened.sid}, websocket, {...websocket, sid: one.sid}]) {
    await assertRefused(server, query, 3, "Bad request");
  }
  for (const sid of ["unknown", "__proto__"]) await assertNoWebSocket(server, {...websocket, sid});
  await one.says("42[\"message\",\"fine\"]", "42[\"message-back\",\"fine\"]");
  await exchange(socket, ["42[\"message\",\"fine\"]"], ["42[\"message-back\",\"fine\"]"]);
  one.close();
  socket.close();
}, calm);

check("a body over the limit is answered with 413, announced or not", async (server) => {
  const body = `42["message","${"x".repeat(1000000)}"]`;
  for (const headers of [{"Content-Length": body.length}, {"Transfer-Encoding": "chunked"}]) {
    const one = await session(server);
    const answer = await one.post(body, headers).catch((error) => assert.match(error.code, /EPIPE|ECONNRESET/));
    if (answer) assert.equal(answer.status, 413);
  }
  if (hawser) await server.left(2);  // the reference keeps the sessions
}, calm);

check("a body just within the limit is taken", async (server) => {
  const one = await session(server);
  const text = "x".repeat(1000000 - "42[\"message\",\"\"]".length);
  for (const headers of [{}, {"Transfer-Encoding": "chunked"}]) {
    assert.equal((await one.post(`42["message","${text}"]`, headers)).text, "ok");
    assert.equal(await one.next(), `42["message-back","${text}"]`);
  }
  one.close();
}, calm);

check("a body of bytes is refused", async (server) => {
  const one = await session(server);
  const answer = await one.post("42[\"message\",1]", {"Content-Type": "application/octet-stream"});
  assert.equal(answer.status, 400);
  await server.left(1);
}, calm);

check("probing: no packet but the probe's, and polling goes on without it", async (server) => {
  const one = await session(server);
  for (const bad of ["42[\"message\",1]", "2", "3probe"]) {
    const socket = await wire(server, {query: {...websocket, sid: one.sid}});
    socket.send(bad);
    await socket.gone();
    await one.says("42[\"message\",\"fine\"]", "42[\"message-back\",\"fine\"]");
  }
  const given = await upgrading(server, one);  // and given up
  given.terminate();
  await one.says("42[\"message\",\"on\"]");
  await until("polling to go on", () => one.next(), (packet) => packet === "42[\"message-back\",\"on\"]");
  const socket = await upgrading(server, one);
  const second = await wire(server, {query: {...websocket, sid: one.sid}}).catch(() => null);
  if (second) await second.gone();
  socket.send("5");
  await talks(socket, true);
  socket.close();
}, calm);

check("a request may carry other parameters, and text is UTF-8", async (server) => {
  assert.equal((await request(server, {foo: "%41", t: "abc", ...polling, b64: "1"}).answer).status, 200);
  const one = await session(server);
  const text = "ä😀".repeat(1000);
  await one.says(`42["message","${text}"]`, `42["message-back","${text}"]`);
  one.close();
}, calm);

// The smaller examples do what their first lines say.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import http from "node:http";
import test from "node:test";
import {setTimeout as pause} from "node:timers/promises";
import {io} from "socket.io-client";
import WebSocket from "ws";
import {connect, program, run, seconds, start, within} from "./support.mjs";
import {ask, connected, heard, inbox, numbers, until} from "./socketio_support.mjs";

const limit = {timeout: seconds(60)};

/// Starts an example for `body`, which gets what makes official clients of it.
function example(name, args, body) {
  test(name, limit, async () => {
    const server = await start(program(`HAWSER_${name.split(":")[0].toUpperCase()}`), ["--port", "0", ...args]);
    const clients = [];
    server.client = (namespace = "/", options = {}) => {
      clients.push(io(server.url + namespace, {forceNew: true, reconnection: false, ...options}));
      return clients.at(-1);
    };
    server.connected = async (...what) => {
      const client = server.client(...what);
      await connected(client);
      return client;
    };
    try {
      await body(server);
      for (const one of clients) one.disconnect();
      await server.stop();
    } finally {
      for (const one of clients) one.disconnect();
      server.child.kill("SIGKILL");
    }
  });
}

test("custom_policy: every axis by one's own policy", limit, async () => {
  const {code, output} = await run(program("HAWSER_CUSTOM_POLICY"), []);
  assert.equal(code, 0);
  assert.match(output, /^heard: Lines are messages,\nheard: one each.\nheard: Over.\n\d+ bytes/);
});

test("coroutine_client: a conversation with the echo server", limit, async () => {
  const server = await start(program("HAWSER_ECHO"), ["--port", "0"]);
  try {
    const {code, output} = await run(program("HAWSER_COROUTINE_CLIENT"), [server.url]);
    assert.equal(code, 0);
    assert.match(output, /connected.*Goodbye, then\.\n +Goodbye, then\.\nclosed properly\n$/s);
  } finally {
    await server.stop();
  }
  assert.equal((await run(program("HAWSER_COROUTINE_CLIENT"), ["nonsense"])).code, 1);
});

test("game_loop: positions sixty times a second", limit, async () => {
  const server = await start(program("HAWSER_GAME_LOOP"), ["--port", "0", "--seconds", "4"]);
  const player = io(server.url, {transports: ["websocket"], reconnection: false});
  const positions = inbox(player, "pos");
  const [me] = await heard(player, "you");
  const ended = heard(player, "disconnect");
  player.emit("steer", {x: 3, y: 0});
  const mine = [];
  const others = new Set();
  const began = Date.now();
  while (mine.length < 60) {
    const [who, at] = await positions.next();
    who === me ? mine.push(at) : others.add(who);
  }
  const took = Date.now() - began;
  assert.ok(took > 500 && took < 3000, `60 ticks in ${took} ms`);
  assert.ok(mine.at(-1).x > mine[0].x + 1, `from ${mine[0].x} to ${mine.at(-1).x}`);
  assert.ok(others.has(0), "the bot");
  const second = io(server.url, {forceNew: true});
  const [other] = await heard(second, "you");
  const gone = heard(player, "gone");
  second.disconnect();
  assert.deepEqual(await gone, [other]);
  assert.match((await ended)[0], /^transport/);  // the game is over
});

example("namespaces_and_auth: who may do what", [], async (server) => {
  for (const [auth, given] of [[{}, false], [{token: "wrong"}, true], [{token: 5}, false]]) {
    const [refused] = await heard(server.client("/crew", {auth}), "connect_error");
    assert.deepEqual([refused.message, refused.data], ["Who are you?", {wanted: "token", given}]);
  }
  const ada = server.client("/crew", {auth: {token: "a-captain"}});
  const linus = server.client("/crew", {extraHeaders: {authorization: "Bearer a-sailor"}});
  assert.deepEqual(await Promise.all([heard(ada, "welcome"), heard(linus, "welcome")]), [["Ada"], ["Linus"]]);
  assert.deepEqual([await ask(ada, "enter", "bridge"), await ask(linus, "enter", "bridge")], [true, false]);
  assert.equal(await ask(linus, "enter", "galley"), true);
  const order = heard(linus, "ordered");
  assert.equal(await ask(ada, "order", "Full ahead!"), 2);
  assert.deepEqual(await order, ["Ada", "Full ahead!"]);
  assert.deepEqual(await ask(linus, "order", "Rum!"), {error: "not allowed"});

  const first = server.client("/boat-7");
  assert.deepEqual(await heard(first, "aboard"), ["/boat-7", 1]);
  const company = heard(first, "company");
  const second = server.client("/boat-7");
  assert.deepEqual(await heard(second, "aboard"), ["/boat-7", 2]);
  await company;
  const third = server.client("/boat-7");
  assert.equal((await heard(third, "connect_error"))[0].message, "The boat is full");
  assert.deepEqual(await heard(server.client("/boat-8"), "aboard"), ["/boat-8", 1]);
  assert.equal((await heard(server.client("/boat-x"), "connect_error"))[0].message, "Invalid namespace");
});

example("acks: in both directions", [], async (server) => {
  const socket = await server.connected();
  assert.equal(await ask(socket, "add", 1, 2.5), 3.5);
  const asked = Date.now();
  assert.equal(await ask(socket, "later", 300), "It is time.");
  assert.ok(Date.now() - asked >= 290);

  const tell = (event, told) => {
    const answer = heard(socket, told);
    socket.emit(event);
    return answer;
  };
  assert.match((await tell("ask me", "answer"))[0], /acknowledg|time/i);  // nobody answers yet
  assert.match((await tell("count", "gave up"))[0], /acknowledg|time/i);
  socket.on("question", (what, answer) => answer(`${what} Yes.`));
  socket.on("number", (n, answer) => answer(n * 2));
  assert.deepEqual(await tell("ask me", "answer"), ["Are you there? Yes."]);
  assert.deepEqual(await tell("count", "counted"), [12]);

  const other = await server.connected();
  assert.deepEqual(await tell("ask all", "answers"), [["Everybody well? Yes."], false]);
  other.on("question", (what, answer) => answer("Quite."));
  const [answers, complete] = await tell("ask all", "answers");
  assert.deepEqual([answers.sort(), complete], [["Everybody well? Yes.", "Quite."], true]);
});

example("typed_events: a kitchen with a schema", [], async (server) => {
  const socket = await server.connected();
  const cook = await server.connected();
  const seen = inbox(cook, "order");
  const soup = {dishes: [{name: "soup", count: 2}, {name: "bread", count: 1}], table: 7};
  assert.deepEqual(await ask(socket, "order", soup), {number: 1, portions: 3, note: null});
  assert.deepEqual(await seen.next(), [{...soup, note: null}]);
  const window = {dishes: [], table: "by the window", note: "no salt"};
  assert.deepEqual(await ask(socket, "order", window), {number: 2, portions: 0, note: "no salt"});
  assert.deepEqual(await seen.next(), [window]);

  const bad = inbox(socket, "misunderstood");
  for (const wrong of [{dishes: "soup", table: 1}, {dishes: []}, {dishes: [{name: "soup"}], table: 1}, null, undefined]) {
    socket.emit("order", wrong);
    assert.equal((await bad.next())[0], "order");
  }

  const heat = inbox(socket, "heat");
  socket.emit("stir", 50000);
  await until("the last one", () => heat.arrived.at(-1)?.[1], (last) => last === 50000);
  assert.ok(heat.arrived.length < 50000, `${heat.arrived.length} of them`);
  const sorted = heat.arrived.map(([, i]) => i);
  assert.deepEqual(sorted, [...sorted].sort((a, b) => a - b));

  socket.emit("close");
  assert.equal(await ask(socket, "order", soup), "Closed. Come back tomorrow!");
  await assert.rejects(socket.timeout(100).emitWithAck("stir", 1));  // nobody handles it now
  socket.emit("open");
  assert.equal((await ask(socket, "order", soup)).number, 3);
});

example("binary: bytes in and out", [], async (server) => {
  const one = await server.connected();
  const others = [await server.connected(), await server.connected("/", {transports: ["polling"]})];
  assert.deepEqual(await ask(one, "reverse", Buffer.from([1, 2, 3])), Buffer.from([3, 2, 1]));
  const pixels = Buffer.alloc(3_000_000, 7);
  assert.deepEqual(await ask(one, "reverse", pixels), pixels);
  const shared = {name: "dot.png", size: [1000, 1000], pixels};
  const pictures = others.map((other) => heard(other, "picture"));
  one.emit("share", shared);
  for (const [got] of await Promise.all(pictures)) assert.deepEqual(got, shared);
  assert.equal(await ask(one, "anything", {deep: [Buffer.from("xyz"), {down: Buffer.from("12")}], plain: "text"}), 5);
  one.emit("anything", numbers(5).map(() => Buffer.from("too many")));
  await heard(one, "disconnect");
});

example("socketio_playground: everything comes back", ["--recovery", "--ping-interval", "300", "--ping-timeout", "1500"], async (server) => {
  for (const namespace of ["/", "/custom"]) {
    const socket = server.client(namespace, {auth: {token: "123"}, reconnection: true, reconnectionDelay: 10});
    const [auth, offset] = await heard(socket, "auth");  // clients with recovery see the offset, too
    assert.deepEqual([auth, typeof offset], [{token: "123"}, "string"]);
    const back = heard(socket, "message-back");
    socket.emit("message", 1, "2", {3: [true, Buffer.from([4])]});
    assert.deepEqual((await back).slice(0, 3), [1, "2", {3: [true, Buffer.from([4])]}]);
    assert.equal(await ask(socket, "message-with-ack", "ä"), "ä");
    await pause(1200);
    assert.equal(socket.connected, true);
    const id = socket.id;
    socket.io.engine.close();
    await heard(socket, "connect");
    assert.deepEqual([socket.recovered, socket.id], [true, id]);
  }
});

test("socketio_playground: its options", limit, async () => {
  const playground = program("HAWSER_SOCKETIO_PLAYGROUND");
  const server = await start(playground, ["--port", "0", "--transports", "websocket", "--max-payload", "1000",
                                          "--cors", "https://elsewhere.example"]);
  try {
    const refused = io(server.url, {transports: ["polling"], reconnection: false});
    await heard(refused, "connect_error");
    const socket = io(server.url, {transports: ["websocket"], reconnection: false, forceNew: true,
                                   extraHeaders: {origin: "https://elsewhere.example"}});
    assert.deepEqual(await heard(socket, "auth"), [{}]);
    socket.emit("message", "x".repeat(1000));
    await heard(socket, "disconnect");
  } finally {
    await server.stop();
  }
  for (const bad of [["--recovery", "yes"], ["--port"], ["--nonsense"], ["--ping-interval", "soon"]]) {
    assert.equal((await run(playground, bad)).code, 2, bad.join(" "));
  }
});

/// The chat page's small client, as it is in the page: with a browser's WebSocket and location.
async function smallClient(page) {
  globalThis.WebSocket = class extends WebSocket {
    constructor(url) {
      super(url);
      this.on("error", () => {});  // nobody has to listen to a browser's
    }
  };
  globalThis.location = {href: page};
  const source = readFileSync(new URL("../../examples/chat/socket.js", import.meta.url));
  return (await import(`data:text/javascript;base64,${source.toString("base64")}`)).io;
}

/// What happens to a socket, in its order.
function diary(socket) {
  const happened = [];
  socket.on("connect", () => happened.push("connect"));
  socket.on("disconnect", (reason) => happened.push(`disconnect ${reason}`));
  socket.on("connect_error", (error) => happened.push(`error ${error.message}`));
  return happened;
}

example("socketio_playground: the chat's small client", ["--ping-interval", "300", "--ping-timeout", "1500"], async (server) => {
  const small = await smallClient(`${server.url}/some/page`);
  const socket = small({auth: {token: "123"}});
  const happened = diary(socket);
  const auth = inbox(socket, "auth");
  const echo = inbox(socket, "message-back");
  const acknowledged = within(seconds(20), "acknowledgement", new Promise((resolve) => {
    socket.emit("message-with-ack", "ä", [1, {2: null}], (...all) => resolve(all));  // before it is connected
  }));
  assert.deepEqual(await acknowledged, ["ä", [1, {2: null}]]);
  assert.deepEqual(await auth.next(), [{token: "123"}]);
  assert.equal(socket.id.length, 20);
  assert.equal(socket.connected, true);
  await pause(1200);  // several pings
  socket.emit("message", 1, 2);
  assert.deepEqual(await echo.next(), [1, 2]);
  assert.deepEqual(happened, ["connect"]);

  // A server that falls silent, and comes back.
  process.kill(server.pid, "SIGSTOP");
  await until("silence to be noticed", () => happened.length, (length) => length > 1);
  assert.deepEqual(happened, ["connect", "disconnect ping timeout"]);
  assert.deepEqual([socket.connected, socket.id], [false, undefined]);
  process.kill(server.pid, "SIGCONT");
  await until("it to be back", () => socket.connected, (yes) => yes);
  assert.deepEqual(await auth.next(), [{token: "123"}]);
  socket.disconnect();
  assert.deepEqual(happened.slice(2), ["connect", "disconnect io client disconnect"]);
  socket.connect();
  assert.deepEqual(await auth.next(), [{token: "123"}]);
  socket.disconnect();

  // Namespaces, and a payload that a function gives.
  const custom = small(`${server.url}/custom`, {auth: (give) => setTimeout(give, 10, {late: true})});
  assert.deepEqual(await inbox(custom, "auth").next(), [{late: true}]);
  custom.disconnect();
  const unknown = small("/unknown");
  const refused = diary(unknown);
  await until("refusal", () => refused.length, (length) => length > 0);
  await pause(100);
  assert.deepEqual([refused, unknown.connected], [["error Invalid namespace"], false]);
});

example("acks: the chat's small client answers", [], async (server) => {
  const small = await smallClient(server.url);
  const socket = small();
  const answer = inbox(socket, "answer");
  socket.on("question", (what, give) => give(`${what} Yes.`));
  socket.emit("ask me");
  assert.deepEqual(await answer.next(), ["Are you there? Yes."]);
  socket.disconnect();

  const closed = await start(program("HAWSER_ACKS"), ["--port", "0"]);
  await closed.stop();
  const nobody = small(closed.url);
  const tried = diary(nobody);
  try {
    await until("two attempts", () => tried.length, (length) => length >= 2);
    assert.deepEqual(tried.slice(0, 2), ["error websocket error", "error websocket error"]);
    const sum = new Promise((resolve) => nobody.emit("add", 1, 2, resolve));
    await until("a third", () => tried.length, (length) => length >= 3);
    const again = await start(program("HAWSER_ACKS"), ["--port", String(closed.port)]);
    try {
      assert.equal(await within(seconds(20), "what was asked before", sum), 3);
    } finally {
      await again.stop();
    }
  } finally {
    nobody.disconnect();
  }
});

test("retrofit: the old program's page and hawser's WebSocket on one port", limit, async () => {
  const server = await start(program("HAWSER_RETROFIT"), ["--port", "0"]);
  try {
    const page = await new Promise((resolve, reject) => {
      http.get(server.url, {agent: false}, (response) => response.setEncoding("utf8").on("data", resolve)).on("error", reject);
    });
    assert.match(page, /old program/);
    const client = await connect(`${server.url.replace("http", "ws")}/live`);
    client.send("hello");
    assert.equal(await client.next(), "hello");
    client.close(1000);
    assert.equal((await client.closed).code, 1000);
  } finally {
    await server.stop();
  }
});

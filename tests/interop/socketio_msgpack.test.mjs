// The official JavaScript client with its MessagePack parser against our Socket.IO server.
import assert from "node:assert/strict";
import {randomBytes} from "node:crypto";
import test from "node:test";
import msgpack from "socket.io-msgpack-parser";
import {seconds} from "./support.mjs";
import {ask, connected, echoed, heard, inbox, kinds, numbers, upgraded, withServer} from "./socketio_support.mjs";

const limit = {timeout: seconds(60)};
const withMsgpack = (args, body) => withServer(["--parser", "msgpack", ...args], body, {parser: msgpack});

// Around every length at which MessagePack changes its form.
const integers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const values = [
  [], [null], [true, false], integers, integers.slice(1).map((i) => -i), [-32, -33, -129, -32769, -(2 ** 31) - 1],
  [1.5, -0.1, 5e-324, 1e-300],  // the client mangles 2 ** 64 and beyond
  [0, 1, 31, 32, 255, 256, 65535, 65536].map((size) => "x".repeat(size)), ["ä😀\u0000\n\"", "ключ"],
  [{}, [], [[]], [{}]], [{a: {b: [1, {c: null}]}, "": 0, "ключ": ["δ"]}],
  [15, 16, 300].map(numbers), [15, 16, 300].map((size) => Object.fromEntries(numbers(size).map((i) => [`k${i}`, i]))),
];
const binaries = [
  ...[0, 1, 255, 256, 65535, 65536, 100_000].map((size) => [randomBytes(size)]),
  [Buffer.from("a"), Buffer.alloc(0), Buffer.from("c")],
  [{deep: [{down: Buffer.from([0, 255])}, "text", [Buffer.from([30])]]}, 7],
  numbers(20).map((i) => Buffer.from([i])),  // here binary is no attachment
];

for (const [kind, options] of Object.entries(kinds)) {
  test(`${kind}: values and binary come back as they were`, limit, () => withMsgpack([], async (server) => {
    const client = server.client({...options, auth: {token: "123", list: [1, null]}});
    const auth = inbox(client, "auth");
    const back = inbox(client, "message-back");
    await connected(client);
    assert.deepEqual(await auth.next(), [{token: "123", list: [1, null]}]);
    for (const args of [...values, ...binaries]) {
      client.emit("message", ...args);
      assert.deepEqual(await back.next(), args);
      assert.deepEqual(await echoed(client, ...args), args);
    }
    for (const args of binaries) client.emit("message", ...args);  // several in flight
    assert.deepEqual(await back.take(binaries.length), binaries);
    if (kind === "upgrade") await upgraded(client);
    const me = await ask(client, "who-am-i");
    assert.deepEqual([me.id, me.rooms, me.address], [client.id, [client.id], true]);
    assert.equal(me.transport, kind === "polling" ? "polling" : "websocket");
  }));

  test(`${kind}: acknowledgements in both directions, with time-outs`, limit, () => withMsgpack([], async (server) => {
    const client = await server.connected(options);
    await assert.rejects(client.timeout(150).emitWithAck("nobody-listens", 1), /operation has timed out/);
    const many = await Promise.all(numbers(300).map((i) => echoed(client, i)));  // ids of more than a byte
    assert.deepEqual(many.flat(), numbers(300));
    client.emit("ask-me", "anybody?");
    assert.deepEqual(await heard(client, "unanswered"), [false]);
    client.on("question", (question, answer) => answer({question, bytes: Buffer.from([1])}));
    client.emit("ask-me", ["how", {are: "you"}]);
    assert.deepEqual(await heard(client, "answered"), [true, {question: ["how", {are: "you"}], bytes: Buffer.from([1])}]);
    assert.equal(await ask(client, "typed", 1.5, "text", true, [1, 2, 3], {x: 10, y: 20}), 37.5);
  }));

  test(`${kind}: order, rooms, broadcasts with acknowledgements`, limit, () => withMsgpack([], async (server) => {
    const [ada, grace] = await Promise.all([1, 2].map(() => server.connected(options)));
    const items = inbox(ada, "item");
    ada.emit("burst", 2000);
    assert.deepEqual((await items.take(2000)).flat(), numbers(2000));
    const [atAda, atGrace] = [ada, grace].map((one) => inbox(one, "from-room"));
    for (const one of [ada, grace]) assert.equal(await ask(one, "join", "deck ⚓"), true);
    ada.emit("to-room", "deck ⚓", "all but Ada");
    ada.emit("to-all", "deck ⚓", "all");
    assert.deepEqual(await atGrace.take(2), [["all but Ada"], ["all"]]);
    assert.deepEqual(await atAda.next(), ["all"]);

    ada.on("question", (what, answer) => answer(`${what}ada`));
    ada.emit("ask-room", "deck ⚓");
    assert.deepEqual(await heard(ada, "room-answers"), [["?ada"], false]);
    grace.on("question", (what, answer) => answer(`${what}grace`));
    ada.emit("ask-room", "deck ⚓");
    const [answers, complete] = await heard(ada, "room-answers");
    assert.deepEqual([answers.sort(), complete], [["?ada", "?grace"], true]);
    assert.deepEqual([atAda.arrived, atGrace.arrived], [[], []]);
  }));
}

test("namespaces, refusals, and being kicked", limit, () => withMsgpack([], async (server) => {
  const main = await server.connected(kinds.websocket);
  for (const name of ["/custom", "/dynamic-7"]) {
    const other = main.io.socket(name, {auth: {name}});
    assert.deepEqual(await heard(other, "auth"), [{name}]);
    assert.deepEqual(await echoed(other, Buffer.from(name)), [Buffer.from(name)]);
  }
  const unknown = main.io.socket("/unknown");
  assert.equal((await heard(unknown, "connect_error"))[0].message, "Invalid namespace");
  const denied = main.io.socket("/denied");
  const [error] = await heard(denied, "connect_error");
  assert.deepEqual([error.message, error.data], ["not authorized", {content: "Please retry later"}]);
  assert.deepEqual(await echoed(main, "fine"), ["fine"]);
  main.emit("kick-all");
  assert.equal((await heard(main, "disconnect"))[0], "io server disconnect");
  assert.deepEqual(await server.left(3), {"server namespace disconnect": 3});
}));

test("recovery", limit, () => withMsgpack(["--recovery"], async (server) => {
  const other = await server.connected(kinds.websocket);
  const client = server.client(kinds.websocket);
  const auth = inbox(client, "auth");
  const missed = inbox(client, "from-room");
  await connected(client);
  await auth.next();
  await ask(client, "join", "harbour");
  const {id} = client;
  client.io.engine.close();
  await server.left(1);
  for (const i of numbers(20)) other.emit("to-room", "harbour", `${i}`);
  await echoed(other, "all said");
  client.connect();
  await connected(client);
  assert.deepEqual((await missed.take(20)).map(([what]) => what), numbers(20).map(String));
  assert.deepEqual([client.recovered, client.id], [true, id]);
}));

test("what is no MessagePack ends the connection", limit, () => withMsgpack([], async (server) => {
  const other = await server.connected(kinds.websocket);
  const bytes = ["nonsense", "", "\x81", "\xdd\xff\xff\xff\xff"].map((text) => Buffer.from(text, "latin1"));
  for (const bad of [...bytes, "2[\"message\"]"]) {
    for (const kind of [kinds.polling, kinds.websocket]) {
      const client = await server.connected(kind);
      const gone = heard(client, "disconnect");
      client.io.engine.write(bad);
      assert.match((await gone)[0], /^transport /);
    }
  }
  assert.deepEqual(await echoed(other, "fine"), ["fine"]);
}));

test("the standard parser isn't understood", limit, () => withMsgpack([], async (server) => {
  const {default: standard} = await import("socket.io-parser");
  const client = server.client({...kinds.websocket, parser: standard});
  let came = false;
  client.once("connect", () => came = true);
  await heard(client.io, "open");
  await heard(client.io, "close");
  assert.equal(came, false);
}));

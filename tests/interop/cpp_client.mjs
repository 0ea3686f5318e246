// What our Socket.IO client has to do with any server: the list of scenarios, each of them over
// polling, WebSocket and the upgrade between them, and most with both parsers.
import assert from "node:assert/strict";
import {randomBytes} from "node:crypto";
import {describe, test} from "node:test";
import {setTimeout as pause} from "node:timers/promises";
import {io} from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";
import {seconds, within} from "./support.mjs";
import {connected, numbers, slowProxy} from "./socketio_support.mjs";
import {Client, Relay, patience, until} from "./cpp_client_support.mjs";

const kinds = {polling: "polling", websocket: "websocket", upgrade: "polling,websocket"};

/// A server with clients of ours, and what else a scenario needs.
class Stage {
  constructor(server, kind, parser, differences) {
    Object.assign(this, {server, kind, parser, differences, clients: [], peers: [], lines: []});
    this.carrier = kind === "polling" ? "polling" : "websocket";
  }

  client(options = {}, url = this.server.url) {
    const client = new Client(url, {parser: this.parser, transports: kinds[this.kind], ...options});
    this.clients.push(client);
    client.tellTo("socket", {nsp: "/"});
    return client;
  }

  /// The same, connected, by the transport that it stays with.
  async connected(options, url) {
    const client = this.client(options, url);
    assert.equal(await client.connect(), "");
    await client.heard("connect", {nsp: "/"});
    await this.upgraded(client);
    return client;
  }

  async upgraded(client) {
    if (this.kind === "upgrade") await client.heard("upgrade");
  }

  /// The official client, for company.
  async peer() {
    const peer = io(this.server.url, {
      forceNew: true, reconnection: false, transports: ["websocket"], ...this.parser === "msgpack" && {parser: msgpack},
    });
    this.peers.push(peer);
    await connected(peer);
    peer.settle = () => within(patience, "the peer", peer.emitWithAck("message-with-ack", "settled"));
    return peer;
  }

  async relay() {
    const relay = await Relay.to(this.server.port);
    this.lines.push(relay);
    return relay;
  }

  /// Cuts a client's connection so that the server knows, too.
  async cut(relay, client, refuse = false) {
    const before = await this.left();
    await client.settle();
    if (this.kind === "polling") await relay.polled();  // it knows by a poll that it still has to answer
    relay.cut(refuse);
    const {reason, active} = await client.heard("disconnect");
    assert.match(reason, /^transport (close|error)$/);
    assert.equal(active, true);
    await until("the server to notice", () => this.left(), (left) => left > before);
  }

  /// How many sockets have left the server.
  async left() {
    return Object.values(await this.server.reasons()).reduce((sum, one) => sum + one, 0);
  }

  async end() {
    for (const client of this.clients) await client.end();
  }
  async clear() {
    for (const client of this.clients) client.child.kill("SIGKILL");
    for (const peer of this.peers) peer.io._close();
    for (const line of this.lines) line.close();
    await this.server.stop();
  }
}

const binaries = [
  [Buffer.from([1, 2, 3])], [Buffer.alloc(0)], [randomBytes(1_000_000)],
  [Buffer.from("a"), "text", Buffer.alloc(0)], [{deep: [{down: Buffer.from([0, 255])}, [Buffer.from([30])]]}, 7],
];

const scenarios = [];
const scenario = (name, options, body) => scenarios.push({name, options, body});
const both = ["json", "msgpack"];

scenario("connects, says what it has to say, and is known", {parsers: both}, async (stage) => {
  const client = stage.client({query: "token=a b&c=ü%", header: "X-Ship=Argo"});
  assert.equal(await client.connect(), "");
  const {id, recovered} = await client.heard("connect", {nsp: "/"});
  await stage.upgraded(client);
  assert.deepEqual([id.length > 0, recovered], [true, false]);
  assert.deepEqual(await client.event("auth"), [{}]);
  const me = await client.answerTo("who-am-i");
  assert.deepEqual([me.id, me.transport, me.recovered], [id, stage.carrier, false]);
  assert.deepEqual([me.query.EIO, me.query.token], ["4", "a b&c=ü%"]);
  assert.equal(await client.answerTo("header", "x-ship"), "Argo");
  const status = await client.status();
  assert.deepEqual([status.state, status.transport, status.id], ["connected", stage.carrier, id]);
  assert.deepEqual(client.told("state").map((line) => line.state), ["connecting", "connected"]);
  assert.equal(client.told("upgrade").length, stage.kind === "upgrade" ? 1 : 0);
});

scenario("events in both directions keep their order, and none is lost or doubled", {parsers: both}, async (stage) => {
  // The WebSocket has to wait, so that the upgrade falls into the traffic.
  let open;
  const gate = new Promise((resolve) => open = resolve);
  if (stage.kind !== "upgrade") open();
  const proxy = await slowProxy(stage.server.port, gate);
  stage.lines.push(proxy);
  const client = stage.client({}, proxy.url);
  assert.equal(await client.connect(), "");
  const goesOn = () => stage.kind === "upgrade" && client.told("upgrade").length === 0;
  const content = (i) => i % 10 === 3 ? [i, Buffer.from([i % 256])] : [i];
  let rounds = 0;
  for (let after = 0; rounds < 20 || after < 2; ++rounds) {
    for (const i of numbers(50)) client.emit("message", ...content(rounds * 50 + i));
    client.emit("burst", 50);
    await until("the echo", () => client.events("message-back").length, (back) => back > rounds * 50 - 100);
    if (rounds === 5) {
      if (stage.kind === "upgrade") assert.equal((await client.status()).transport, "polling");
      open();
    }
    if (!goesOn()) ++after;
  }
  await client.settle();
  await until("all items", () => client.events("item").length, (items) => items >= rounds * 50);
  assert.deepEqual(client.events("message-back"), numbers(rounds * 50).map(content));
  assert.deepEqual(client.events("item").flat(), numbers(rounds).flatMap(() => numbers(50)));
  assert.equal((await client.status()).transport, stage.carrier);
});

scenario("where no WebSocket gets through, polling goes on", {parsers: both, kinds: ["upgrade"]}, async (stage) => {
  const relay = await stage.relay();
  relay.fits = (data) => !/upgrade: websocket/i.test(data);
  const client = stage.client({}, relay.url);
  assert.equal(await client.connect(), "");
  for (const i of numbers(100)) client.emit("message", i, Buffer.from([i]));
  await until("the attempt", () => relay.unfit, (count) => count === 1);
  for (const i of numbers(100)) client.emit("message", 100 + i);
  await client.settle();
  const back = numbers(200).map((i) => i < 100 ? [i, Buffer.from([i])] : [i]);
  assert.deepEqual(client.events("message-back"), back);
  const {state, transport} = await client.status();
  assert.deepEqual([state, transport, client.told("upgrade").length], ["connected", "polling", 0]);
});

scenario("binary comes back as it was", {parsers: both}, async (stage) => {
  const client = await stage.connected();
  for (const args of binaries) {
    client.emit("message", ...args);
    assert.deepEqual(await client.event("message-back"), args);
    assert.deepEqual((await client.ask("message-with-ack", args)).args, args);
  }
  for (const args of binaries) client.emit("message", ...args);  // several in flight
  for (const args of binaries) assert.deepEqual(await client.event("message-back"), args);
});

scenario("acknowledgements in both directions, with time-outs", {parsers: both}, async (stage) => {
  const client = await stage.connected();
  const many = numbers(100).map((i) => client.ask("message-with-ack", [i, {i}]));
  assert.deepEqual((await Promise.all(many)).map(({args}) => args), numbers(100).map((i) => [i, {i}]));
  const late = await client.ask("nobody-listens", [], {timeout: 150});
  assert.deepEqual([late.error, late.args], ["operation has timed out", []]);

  client.emit("ask-me", "anybody?", 100);
  assert.deepEqual(await client.event("unanswered"), [false]);
  client.tellTo("respond", {name: "question", how: "echo"});
  client.emit("ask-me", {bytes: Buffer.from([1]), list: [1, null]}, patience);
  assert.deepEqual(await client.event("answered"), [true, {bytes: Buffer.from([1]), list: [1, null]}]);
});

scenario("an acknowledgement that comes too late is none", {}, async (stage) => {
  const client = await stage.connected();
  client.tellTo("respond", {name: "question", how: "keep"});
  client.emit("ask-me", "one", 100);
  assert.deepEqual(await client.event("unanswered"), [false]);
  client.tellTo("answer", {with: "late"});
  await client.settle();
  client.emit("ask-me", "two", patience);
  await client.heard("event", {name: "question"});
  await client.heard("event", {name: "question"});
  client.tellTo("answer", {with: "in time"});
  assert.deepEqual(await client.event("answered"), [true, "in time"]);
  await client.settle();
  assert.equal(client.events("answered").length, 1);
});

scenario("acknowledgements do not outlive their connection", {}, async (stage) => {
  const relay = await stage.relay();
  const client = await stage.connected({}, relay.url);
  client.tellTo("respond", {name: "question", how: "keep"});
  client.emit("ask-me", "one", 1000);
  await client.heard("event", {name: "question"});
  const lost = client.ask("nobody-listens");
  await client.sync();
  client.emit("ask-me", "two", 1000);
  await client.heard("event", {name: "question"});
  await stage.cut(relay, client, true);
  assert.deepEqual((await lost).error, "socket has been disconnected");
  client.tellTo("answer", {with: "to the first one"});
  assert.equal((await client.heard("refused")).error, "connection is not open");
  relay.accept();
  await client.heard("connect");
  client.emit("ask-me", "three", patience);
  await client.heard("event", {name: "question"});
  client.tellTo("answer", {with: "to the second one"});
  assert.equal((await client.heard("refused")).do, "answer");
  client.tellTo("answer", {with: "to the third one"});
  assert.deepEqual(await client.event("answered"), [true, "to the third one"]);
  await client.settle();
  assert.equal(client.events("answered").length, 1);
});

scenario("an answer to a server that is gone is none to the next one", {}, async (stage) => {
  const client = await stage.connected();
  client.tellTo("respond", {name: "question", how: "keep"});
  client.emit("ask-me", "one", 1000);
  await client.heard("event", {name: "question"});
  await stage.server.stop();
  await client.heard("disconnect");
  await stage.server.again();
  await client.heard("connect");
  client.emit("ask-me", "two", patience);  // whose number is that of the first one
  await client.heard("event", {name: "question"});
  client.tellTo("answer", {with: "to the first one"});
  client.tellTo("answer", {with: "to the second one"});
  assert.deepEqual(await client.event("answered"), [true, "to the second one"]);
  assert.equal((await client.heard("refused")).do, "answer");
});

scenario("several namespaces on one connection", {parsers: both}, async (stage) => {
  const client = stage.client();
  client.tellTo("auth", {nsp: "/custom", payload: {in: "custom"}});
  assert.equal(await client.connect(), "");
  const ids = [];
  for (const nsp of ["/", "/custom"]) ids.push((await client.heard("connect", {nsp})).id);
  assert.notEqual(...ids);
  assert.deepEqual([await client.event("auth"), await client.event("auth", "/custom")], [[{}], [{in: "custom"}]]);
  await stage.upgraded(client);

  client.emitIn("/dynamic-7", "message", "early");  // named now, it connects now
  await client.heard("connect", {nsp: "/dynamic-7"});
  assert.deepEqual(await client.event("message-back", "/dynamic-7"), ["early"]);
  for (const nsp of ["/", "/custom", "/dynamic-7"]) client.emitIn(nsp, "message", nsp, Buffer.from(nsp));
  for (const nsp of ["/", "/custom", "/dynamic-7"]) {
    assert.deepEqual(await client.event("message-back", nsp), [nsp, Buffer.from(nsp)]);
  }

  client.tellTo("leave", {nsp: "/custom"});
  assert.equal((await client.heard("disconnect")).reason, "io client disconnect");
  assert.equal((await client.status({nsp: "/custom"})).active, false);
  await until("it to leave", () => stage.left(), (left) => left === 1);
  assert.deepEqual(await stage.server.reasons(), {"client namespace disconnect": 1});
  for (const nsp of ["/", "/dynamic-7"]) await client.settle(nsp);
  client.tellTo("join", {nsp: "/custom"});
  await client.heard("connect", {nsp: "/custom"});
  await client.settle("/custom");

  for (const nsp of ["/unknown", "/dynamic-", "/custom/more"]) {
    client.tellTo("socket", {nsp});
    const {error, message, active} = await client.heard("connect_error", {nsp});
    assert.deepEqual([error, message, active], ["server refused the namespace", "Invalid namespace", false]);
  }
  await client.settle();
  assert.equal(client.told("open").length, 1);
});

scenario("who is refused says something else, and is let in", {parsers: both}, async (stage) => {
  const client = stage.client();
  client.tellTo("auth", {nsp: "/guarded", payload: {token: "open barley"}});
  assert.equal(await client.connect(), "server refused the namespace");
  const why = await client.heard("connect_error", {nsp: "/guarded"});
  assert.deepEqual([why.message, why.data, why.active], ["not authorized", {given: "open barley"}, false]);
  await client.settle();
  client.tellTo("auth", {nsp: "/guarded", payload: {token: "open sesame", more: [1, null]}});
  client.tellTo("join", {nsp: "/guarded"});
  await client.heard("connect", {nsp: "/guarded"});
  assert.deepEqual(await client.event("auth", "/guarded"), [{token: "open sesame", more: [1, null]}]);
  await client.settle("/guarded");
});

scenario("a refusal of the only namespace ends the connection, and it may come back at once", {}, async (stage) => {
  const client = stage.client();
  client.tellTo("auth", {payload: {token: "none"}});
  assert.equal(await client.connect(), "");
  client.tellTo("auth", {nsp: "/guarded", payload: {token: "open barley"}});
  client.tellTo("leave");
  await client.heard("connect_error", {nsp: "/guarded"});
  client.tellTo("auth", {nsp: "/guarded", payload: {token: "open sesame"}});
  client.tellTo("join", {nsp: "/guarded"});
  await client.heard("connect", {nsp: "/guarded"});
  await client.settle("/guarded");
  assert.equal(client.told("connect", {nsp: "/"}).length, 1);
});

scenario("auth by callback is asked for at each connection", {}, async (stage) => {
  const relay = await stage.relay();
  const client = stage.client({}, relay.url);
  client.tellTo("auth");
  client.tellTo("connect");
  await client.heard("asked");
  client.emit("message", "waits for it");
  await client.sync();
  assert.equal(client.told("connect").length, 0);
  client.tellTo("authenticate", {payload: {round: 1}});
  await client.heard("connect");
  assert.deepEqual(await client.event("auth"), [{round: 1}]);
  assert.deepEqual(await client.event("message-back"), ["waits for it"]);
  await stage.upgraded(client);
  await stage.cut(relay, client);
  await client.heard("asked");
  client.tellTo("authenticate", {payload: {round: 2}});
  await client.heard("connect");
  assert.deepEqual(await client.event("auth"), [{round: 2}]);
  await client.settle();
});

scenario("a lost connection is recovered with all that was missed", {
  parsers: both, recovery: 120_000,
}, async (stage) => {
  const relay = await stage.relay();
  const peer = await stage.peer();
  const client = await stage.connected({}, relay.url);
  const {id} = await client.status();
  await client.answerTo("join", "harbour");
  const wanted = ["zero"];
  peer.emit("to-room", "harbour", "zero");
  assert.equal((await client.event("from-room"))[0], "zero");
  for (const round of [1, 2]) {
    await stage.cut(relay, client, true);
    const missed = numbers(20).map((i) => `${round}: ${i}`);
    for (const one of missed) peer.emit("to-room", "harbour", one);
    peer.emit("to-room", "elsewhere", "not for us");
    client.emit("message", round, Buffer.from([round]));
    await peer.settle();
    relay.accept();
    const back = await client.heard("connect");
    assert.deepEqual([back.recovered, back.id], [true, id]);
    await stage.upgraded(client);
    assert.deepEqual((await client.event("message-back")).slice(0, 2), [round, Buffer.from([round])]);
    peer.emit("to-room", "harbour", `${round}: live again`);
    wanted.push(...missed, `${round}: live again`);
    await until("what came", () => client.events("from-room").length, (count) => count >= wanted.length);
    const me = await client.answerTo("who-am-i");
    assert.deepEqual([me.recovered, me.id], [true, id]);
    assert.deepEqual(client.events("from-room").map(([what]) => what), wanted);
  }
});

scenario("who comes back too late starts anew", {recovery: 300}, async (stage) => {
  const relay = await stage.relay();
  const peer = await stage.peer();
  const client = await stage.connected({}, relay.url);
  const {id} = await client.status();
  await client.answerTo("join", "harbour");
  peer.emit("to-room", "harbour", "heard");
  await client.event("from-room");
  await stage.cut(relay, client, true);
  peer.emit("to-room", "harbour", "missed for good");
  await peer.settle();
  await pause(600);  // any longer would do as well
  relay.accept();
  const back = await client.heard("connect");
  assert.deepEqual([back.recovered, back.id !== id], [false, true]);
  await client.settle();
  assert.equal(client.events("from-room").length, 1);
});

scenario("what is emitted while the server restarts arrives once and in order", {parsers: both}, async (stage) => {
  const client = await stage.connected();
  const {id} = await client.status();
  await client.settle();
  await stage.server.stop();
  await client.heard("disconnect");
  for (const i of numbers(40)) client.emit("message", i, Buffer.from([i]));
  const asked = numbers(5).map((i) => client.ask("message-with-ack", [i]));
  await client.sync();
  const {state, waiting} = await client.status();
  assert.deepEqual([state, waiting], ["reconnecting", 45]);
  await stage.server.again();
  const back = await client.heard("connect");
  assert.deepEqual([back.recovered, back.id !== id], [false, true]);
  assert.deepEqual((await Promise.all(asked)).map(({error, args}) => [error, ...args]), numbers(5).map((i) => ["", i]));
  await client.settle();
  assert.deepEqual(client.events("message-back"), numbers(40).map((i) => [i, Buffer.from([i])]));
  assert.equal((await client.status()).waiting, 0);
  assert.ok((await client.heard("reconnect")).number >= 1);
});

scenario("the server's disconnect is final, until it is connected by hand", {parsers: both}, async (stage) => {
  const client = await stage.connected();
  client.tellTo("socket", {nsp: "/custom"});
  await client.heard("connect", {nsp: "/custom"});
  client.emitIn("/custom", "kick-me");
  assert.equal((await client.heard("disconnect", {nsp: "/custom"})).reason, "io server disconnect");
  assert.equal((await client.status({nsp: "/custom"})).active, false);
  await client.settle();
  client.emit("kick-me");
  assert.equal((await client.heard("disconnect", {nsp: "/"})).reason, "io server disconnect");
  await client.heard("state", {state: "disconnected"});
  client.emit("message", "waits");
  await client.sync();
  assert.deepEqual(client.told("reconnect_attempt"), []);

  client.tellTo("join");
  await client.heard("connect", {nsp: "/"});
  assert.deepEqual(await client.event("message-back"), ["waits"]);
  assert.equal((await client.status({nsp: "/custom"})).connected, false);
  client.tellTo("join", {nsp: "/custom"});
  await client.heard("connect", {nsp: "/custom"});
  client.emit("kick-all");
  for (const nsp of ["/", "/custom"]) {
    assert.equal((await client.heard("disconnect", {nsp})).reason, "io server disconnect");
  }
  await until("it to end", () => client.status(), ({state}) => state === "disconnected");
  assert.deepEqual(client.told("reconnect_attempt"), []);
});

scenario("a server that hangs up is not final", {}, async (stage) => {
  const client = await stage.connected();
  const {id} = await client.status();
  client.emit("drop-me");
  assert.match((await client.heard("disconnect")).reason, /^transport (close|error)$/);
  const back = await client.heard("connect");
  assert.notEqual(back.id, id);
  await client.settle();
});

scenario("who leaves while there is no connection stays away", {}, async (stage) => {
  const relay = await stage.relay();
  const client = await stage.connected({}, relay.url);
  await client.settle();
  relay.cut(true);
  await client.heard("reconnect_error");
  client.tellTo("leave");
  await client.heard("state", {state: "disconnected"});
  client.tellTo("join");
  await client.heard("connect_error");
  relay.accept();
  await client.heard("connect");
  await stage.upgraded(client);

  const other = await stage.connected({"gives-up": true}, relay.url);  // in the handler of its disconnect
  relay.cut();
  await other.heard("disconnect");
  await other.heard("state", {state: "disconnected"});
  await client.heard("connect");
  await client.settle();
  assert.deepEqual(other.told("reconnect_attempt"), []);
});

scenario("who closes takes leave, behind what was said", {}, async (stage) => {
  const peer = await stage.peer();
  const heard = [];
  peer.on("from-room", (what) => heard.push(what));
  await peer.emitWithAck("join", "log");
  const client = await stage.connected();
  for (const i of numbers(20)) client.emit("to-room", "log", i);
  if (stage.differences.losesWhatComesWithLeave) await client.settle();
  client.tellTo("close");
  const {reason, active} = await client.heard("disconnect");
  assert.deepEqual([reason, active], ["io client disconnect", false]);
  assert.equal((await client.heard("closed")).error, "");
  assert.equal((await client.status()).state, "disconnected");
  await until("it to leave", () => stage.left(), (left) => left === 1);
  assert.deepEqual(await stage.server.reasons(), {"client namespace disconnect": 1});
  await peer.settle();
  assert.deepEqual(heard, numbers(20));

  client.emit("message", "for the next time");
  await client.sync();
  assert.deepEqual(client.told("reconnect_attempt"), []);
  assert.equal(await client.connect(), "");
  assert.deepEqual(await client.event("message-back"), ["for the next time"]);
});

const stubborn = {"retries": 1000, "ack-timeout": 100, "delivery-ids": true};
scenario("what a lossy line loses is sent again, and handled once by who reads the id", {}, async (stage) => {
  const relay = await stage.relay();
  const client = await stage.connected(stubborn, relay.url);
  for (const i of numbers(20)) client.emit("lossy", i);
  const asked = client.ask("lossy", [20], {timeout: 100});  // of each try
  await until("half of it", () => client.status(), ({waiting}) => waiting <= 10);
  relay.cut();
  await client.heard("disconnect");
  for (const i of numbers(5)) client.emit("lossy", 21 + i);
  assert.deepEqual((await asked).args, [true]);
  await until("the rest", () => client.status(), ({waiting}) => waiting === 0);
  assert.deepEqual(await client.answerTo("handled"), numbers(26));
  assert.deepEqual(client.told("dropped"), []);
});

scenario("what is unreliable does not wait", {}, async (stage) => {
  const relay = await stage.relay();
  const client = await stage.connected({}, relay.url);
  await client.settle();
  await stage.cut(relay, client, true);
  client.tellTo("emit", {name: "message", args: ["not worth waiting"], volatile: true});
  assert.equal((await client.heard("refused")).error, "message dropped by the backpressure policy");
  client.emit("message", "worth it");
  relay.accept();
  assert.deepEqual(await client.event("message-back"), ["worth it"]);
  await client.settle();
  await until("it to leave", async () => {
    client.tellTo("emit", {name: "message", args: ["now it can"], volatile: true});
    await client.settle();
    return client.events("message-back").length;
  }, (count) => count > 1);
  assert.equal(client.events("message-back").filter(([what]) => what === "not worth waiting").length, 0);
});

scenario("cookies go back where they came from, if they are kept", {cookie: "ship"}, async (stage) => {
  const relay = await stage.relay();
  for (const keep of [true, undefined]) {
    const client = await stage.connected({"keep-cookies": keep}, relay.url);
    assert.equal(await client.answerTo("header", "cookie"), "");
    await stage.cut(relay, client);
    await client.heard("connect");
    const none = !keep || (stage.kind === "websocket" && stage.differences.noCookieOfWebSocket);
    assert.match(await client.answerTo("header", "cookie"), none ? /^$/ : /^ship=[\w-]+$/);
    await client.end();
    stage.clients.pop();
  }
});

scenario("a server that says no is not asked again", {refusals: 1}, async (stage) => {
  const client = stage.client();
  const error = await client.connect();
  if (stage.kind === "websocket") {  // these servers tell it no more than that it asked the wrong way
    assert.equal(error, "");
    assert.deepEqual(client.told("error").map((line) => line.status), [400]);
    assert.equal(client.told("reconnect_attempt").length, 1);
  } else {
    assert.equal(error, "server did not switch protocols");
    assert.deepEqual(client.told("error").map((line) => line.status), [403]);
    assert.equal((await client.status()).state, "disconnected");
    assert.deepEqual(client.told("reconnect_attempt"), []);
    assert.equal(await client.connect(), "");
  }
  await client.settle();
});

scenario("a server that is busy is asked when it said", {busy: true}, async (stage) => {
  const client = stage.client({"first-delay": 1});
  client.tellTo("connect");
  const why = await client.heard("error");
  assert.deepEqual([why.status, why.retryAfter >= 1000], [503, true]);
  stage.server.relent();
  const again = await client.heard("reconnect_attempt");
  assert.ok(again.at - why.at >= why.retryAfter - 5, `${again.at - why.at} of ${why.retryAfter} ms`);
  await client.heard("connect");
  await client.settle();
});

scenario("a line that went dead is noticed, and left", {pingInterval: 300, pingTimeout: 1500}, async (stage) => {
  const relay = await stage.relay();
  const client = await stage.connected({}, relay.url);
  for (const _ of numbers(3)) await client.heard("ping");
  assert.equal(client.told("disconnect").length, 0);
  relay.silence();
  assert.equal((await client.heard("disconnect")).reason, "ping timeout");
  client.emit("message", "meanwhile");
  relay.heal();
  await client.heard("connect");
  assert.deepEqual(await client.event("message-back"), ["meanwhile"]);
});

/// Declares the tests. `startServer(options)` gives {url, port, reasons(), relent(), stop(), again()}.
export function testClient(startServer, differences = {}) {
  describe("our client", {concurrency: 4}, () => {
    for (const {name, options: {parsers = ["json"], kinds: some = Object.keys(kinds), ...options}, body} of scenarios) {
      for (const parser of parsers) {
        for (const kind of some) {
          test(`${kind}, ${parser}: ${name}`, {timeout: seconds(90)}, async () => {
            const stage = new Stage(await startServer({parser, ...options}), kind, parser, differences);
            try {
              await body(stage);
              await stage.end();
            } finally {
              await stage.clear();
            }
          });
        }
      }
    }
  });
}

// Our raw WebSocket client, which reconnects and has a queue, against Node's `ws`.
import assert from "node:assert/strict";
import {randomBytes} from "node:crypto";
import {once} from "node:events";
import http from "node:http";
import {describe, test} from "node:test";
import {WebSocketServer} from "ws";
import {seconds, within} from "./support.mjs";
import {numbers} from "./socketio_support.mjs";
import {RawClient, Relay, patience, until} from "./cpp_client_support.mjs";

/// An echo server with clients of ours. `refuse(request)` may answer a status and headers.
class Stage {
  clients = [];
  lines = [];
  seen = [];  // of each connection: its headers, its messages, and how it was closed
  refuse = () => null;

  async start(port = 0) {
    this.web = http.createServer();
    this.ends = new Set();
    this.web.on("connection", (end) => {
      this.ends.add(end);
      end.on("close", () => this.ends.delete(end));
    });
    const server = new WebSocketServer({noServer: true, maxPayload: 1 << 26});
    this.web.on("upgrade", (request, end, head) => {
      const no = this.refuse(request);
      if (no) return end.end(`HTTP/1.1 ${no}\r\nConnection: close\r\n\r\n`);
      server.handleUpgrade(request, end, head, (socket) => this.serve(socket, request));
    });
    server.on("headers", (headers) => headers.push(`Set-Cookie: ship=${this.seen.length}; Path=/`));
    this.web.listen(port, "127.0.0.1");
    await once(this.web, "listening");
    this.port = this.web.address().port;
    this.url = `ws://127.0.0.1:${this.port}/echo?who=hawser`;
  }

  serve(socket, request) {
    const closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({code, reason: String(reason)}));
    });
    const one = {socket, request, closed, messages: []};
    this.seen.push(one);
    socket.on("error", () => {});
    socket.on("message", (data, binary) => {
      one.messages.push(binary ? data : String(data));
      socket.send(data, {binary});
    });
  }

  async stop() {
    const closed = once(this.web, "close");
    this.web.close();
    for (const end of this.ends) end.destroy();
    await closed;
  }

  client(options = {}, url = this.url) {
    const client = new RawClient(url, options);
    this.clients.push(client);
    return client;
  }
  async connected(options, url) {
    const client = this.client(options, url);
    assert.equal(await client.connect(), "");
    await client.heard("open");
    return client;
  }
  async relay() {
    const relay = await Relay.to(this.port);
    this.lines.push(relay);
    return relay;
  }
}

const scenario = (name, body) => test(name, {timeout: seconds(90)}, async () => {
  const stage = new Stage();
  await stage.start();
  try {
    await body(stage);
    for (const client of stage.clients) await client.end();
  } finally {
    for (const client of stage.clients) client.child.kill("SIGKILL");
    for (const line of stage.lines) line.close();
    await stage.stop();
  }
});

/// Everything that was sent has come back, and nothing more.
async function settle(client) {
  client.send("settled");
  await client.heard("message", {data: "settled"});
}
const messages = (client) => client.told("message").map(({data}) => data).filter((data) => data !== "settled");

describe("our raw client", {concurrency: 4}, () => {
  scenario("text and binary come back as they were", async (stage) => {
    const client = await stage.connected({header: "X-Ship=Argo"});
    const texts = ["", "ä😀\u0000", "x".repeat(70_000)];
    for (const data of [...texts, Buffer.alloc(0), Buffer.from([0, 255]), randomBytes(1_000_000)]) {
      client.send(data);
      assert.deepEqual(await client.message(), data);
    }
    for (const i of numbers(1000)) client.send(`${i}`);
    await settle(client);
    assert.deepEqual(messages(client).slice(6), numbers(1000).map(String));
    const [{request}] = stage.seen;
    assert.deepEqual([request.url, request.headers["x-ship"]], ["/echo?who=hawser", "Argo"]);
    client.tellTo("close", {code: 4321, reason: "schön war's"});
    assert.equal((await client.heard("closed")).error, "");
    assert.deepEqual(await stage.seen[0].closed, {code: 4321, reason: "schön war's"});
    await client.sync();
    assert.deepEqual(client.told("reconnect_attempt"), []);
    assert.equal((await client.status()).state, "disconnected");
  });

  scenario("what is sent while the server restarts arrives once and in order", async (stage) => {
    const client = await stage.connected();
    await settle(client);
    await stage.stop();
    assert.equal((await client.heard("close")).code, 1006);
    const all = numbers(40).map((i) => i % 2 ? `${i}` : Buffer.from([i]));
    for (const one of all) client.send(one);
    await client.sync();
    const {state, waiting} = await client.status();
    assert.deepEqual([state, waiting], ["reconnecting", 40]);
    await stage.start(stage.port);
    await client.heard("reconnect");
    await settle(client);
    assert.deepEqual(messages(client), all);
    assert.deepEqual(stage.seen[1].messages, [...all, "settled"]);
    assert.equal((await client.status()).waiting, 0);
  });

  scenario("a full queue refuses, and a client that was never connected waits", async (stage) => {
    const client = stage.client({"queue-messages": 5});
    for (const i of numbers(7)) client.send(`${i}`);
    for (const _ of [5, 6]) assert.equal((await client.heard("refused")).error, "offline queue full");
    assert.equal(await client.connect(), "");
    await settle(client);
    assert.deepEqual(messages(client), numbers(5).map(String));
  });

  for (const code of [1012, 1013]) {
    scenario(`close code ${code}: back within the window, whatever the delay`, async (stage) => {
      const client = await stage.connected({"first-delay": 3_600_000, "max-delay": 3_600_000, "restart-window": 50});
      stage.seen[0].socket.close(code, "back soon");
      const {reason, code: got} = await client.heard("close");
      assert.deepEqual([got, reason], [code, "back soon"]);
      assert.equal((await client.heard("reconnect")).number, 1);
      await settle(client);
    });
  }

  for (const code of [1000, 1001, 1011, 4000]) {
    scenario(`close code ${code}: back after the delay, or when it is told`, async (stage) => {
      const client = await stage.connected({"first-delay": 3_600_000, "max-delay": 3_600_000, "restart-window": 50});
      stage.seen[0].socket.close(code);
      assert.equal((await client.heard("close")).code, code);
      await until("it to wait", () => client.status(), ({state}) => state === "reconnecting");
      assert.deepEqual(client.told("reconnect_attempt"), []);
      client.send("waits");
      assert.equal(await client.connect(), "");
      assert.equal((await client.heard("reconnect")).number, 1);
      assert.equal(await client.message(), "waits");
    });
  }

  for (const code of [1002, 1003, 1007, 1008, 1009, 1010]) {
    scenario(`close code ${code}: it stays away`, async (stage) => {
      const client = await stage.connected();
      stage.seen[0].socket.close(code);
      assert.equal((await client.heard("close")).code, code);
      await client.heard("state", {state: "disconnected"});
      await client.sync();
      assert.deepEqual(client.told("reconnect_attempt"), []);
      assert.equal(await client.connect(), "");
      await settle(client);
    });
  }

  for (const status of ["401 Unauthorized", "403 Forbidden"]) {
    scenario(`${status}: it stays away`, async (stage) => {
      stage.refuse = () => status;
      const client = stage.client();
      assert.equal(await client.connect(), "server did not switch protocols");
      assert.deepEqual(client.told("error").map((line) => line.status), [Number(status.slice(0, 3))]);
      assert.equal((await client.status()).state, "disconnected");
      stage.refuse = () => null;
      assert.equal(await client.connect(), "");
      await settle(client);
      assert.deepEqual(client.told("reconnect_attempt"), []);
    });
  }

  scenario("503 with Retry-After: it comes when it was told", async (stage) => {
    stage.refuse = () => "503 Busy\r\nRetry-After: 1";
    const client = stage.client({"first-delay": 1});
    client.tellTo("connect");
    const why = await client.heard("error");
    assert.deepEqual([why.status, why.retryAfter], [503, 1000]);
    stage.refuse = () => null;
    const again = await client.heard("reconnect_attempt");
    assert.ok(again.at - why.at >= 995, `${again.at - why.at} ms`);
    assert.equal((await client.heard("connected")).error, "");
    await settle(client);
  });

  scenario("attempts have an end", async (stage) => {
    stage.refuse = () => "500 Oops";
    const client = stage.client({attempts: 3});
    assert.equal(await client.connect(), "server did not switch protocols");
    await client.heard("reconnect_failed");
    assert.deepEqual(client.told("reconnect_attempt").map(({number}) => number), [1, 2, 3]);
    assert.equal(client.told("error").length, 4);
    assert.equal((await client.status()).state, "disconnected");
  });

  scenario("cookies go back where they came from, if they are kept", async (stage) => {
    for (const keep of [true, undefined]) {
      const before = stage.seen.length;
      const client = await stage.connected({"keep-cookies": keep});
      stage.seen[before].socket.terminate();
      await client.heard("reconnect");
      await settle(client);
      const cookies = stage.seen.slice(before).map(({request}) => request.headers.cookie);
      assert.deepEqual(cookies, [undefined, keep && `ship=${before}`]);
    }
  });

  scenario("a line that went dead is noticed, and left", async (stage) => {
    const relay = await stage.relay();
    const options = {"ping-after": 200, "ping-timeout": 1500};
    const client = await stage.connected(options, `${relay.url.replace("http", "ws")}/`);
    const [{socket}] = stage.seen;
    for (const _ of numbers(2)) await within(patience, "a ping", once(socket, "ping"));
    assert.equal(client.told("close").length, 0);
    relay.silence();
    assert.equal((await client.heard("close")).error, "heartbeat timed out");
    client.send("meanwhile");
    relay.heal();
    await client.heard("reconnect");
    assert.equal(await client.message(), "meanwhile");
  });

  scenario("a line that is cut, again and again", async (stage) => {
    const relay = await stage.relay();
    const client = await stage.connected({}, `${relay.url.replace("http", "ws")}/`);
    for (const round of numbers(5)) {
      await settle(client);
      relay.cut(true);
      await client.heard("close");
      for (const i of numbers(5)) client.send(`${round * 5 + i}`);
      await client.sync();
      relay.accept();
      await client.heard("reconnect");
    }
    await settle(client);
    assert.deepEqual(messages(client), numbers(25).map(String));
  });
});

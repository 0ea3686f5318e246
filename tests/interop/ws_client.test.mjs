// Node's `ws` as a client of the echo example.
import assert from "node:assert/strict";
import {createHash, randomBytes} from "node:crypto";
import http from "node:http";
import path from "node:path";
import test from "node:test";
import WebSocket from "ws";
import {connect, program, raw, run, seconds, start, temporary, within} from "./support.mjs";

const echo = (...args) => start(program("HAWSER_ECHO"), ["--port", "0", "--host", "127.0.0.1", ...args]);
const limit = {timeout: seconds(60)};
const bulky = "the quick brown fox jumps over the lazy dog. ".repeat(2000);

async function withEcho(args, body) {
  const server = await echo(...args);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

// What a request gets whose headers are as asked for, except for what `change` says.
function upgrade(port, change = {}) {
  const headers = {
    "Host": `127.0.0.1:${port}`, "Upgrade": "websocket", "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13", ...change.headers,
  };
  const lines = Object.entries(headers).filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${change.line ?? "GET / HTTP/1.1"}\r\n${lines}\r\n`;
}

test("text and binary come back as they were, from nothing to 16 MiB", limit, () => withEcho(
    ["--max-message", String(16 << 20)], async (server) => {
      const client = await connect(server.url);
      for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20]) {
        const bytes = randomBytes(size);
        client.send(bytes);
        assert.ok(bytes.equals(await client.next()), `${size} bytes`);
        const text = "x".repeat(size);
        client.send(text);
        assert.ok(text === await client.next(), `${size} characters`);
      }
      client.send("ä😀\u0000\uffff");
      assert.equal(await client.next(), "ä😀\u0000\uffff");
      client.terminate();
    }));

test("a message over the limit is answered with 1009", limit, () => withEcho(
    ["--max-message", "1000"], async (server) => {
      for (const size of [1001, 5000]) {
        const client = await connect(server.url);
        client.send(randomBytes(1000));
        client.send(randomBytes(size));
        assert.equal((await client.next()).length, 1000);
        assert.equal((await within(seconds(10), "close", client.closed)).code, 1009);
      }
    }));

test("many messages keep their order", limit, () => withEcho([], async (server) => {
  const client = await connect(server.url);
  for (let i = 0; i < 20000; ++i) client.send(`message ${i}`);
  for (let i = 0; i < 20000; ++i) assert.equal(await client.next(), `message ${i}`);
  client.terminate();
}));

test("fragments become one message, with pings between them", limit, () => withEcho([], async (server) => {
  const client = await connect(server.url);
  const pong = within(seconds(10), "a pong", new Promise((resolve) => client.once("pong", resolve)));
  client.send("Gr\u00fc", {fin: false});
  client.ping("between");
  client.send(Buffer.from([0xc3]), {fin: false});  // a character in two fragments
  client.send(Buffer.from([0x9f]), {fin: false});
  client.send("e", {fin: true});
  assert.equal(String(await pong), "between");
  assert.equal(await client.next(), "Grü\u00dfe");
  client.terminate();
}));

test("close codes and reasons are answered in kind", limit, () => withEcho([], async (server) => {
  for (const [code, reason] of [[1000, ""], [1000, "goodbye"], [1001, ""], [3000, "r".repeat(123)], [4999, "ü"]]) {
    const client = await connect(server.url);
    client.close(code, reason);
    assert.equal((await within(seconds(10), "close", client.closed)).code, code);
  }
  const client = await connect(server.url);
  client.close();
  assert.equal((await within(seconds(10), "close", client.closed)).code, 1005);
}));

test("violations get their close code", limit, () => withEcho([], async (server) => {
  const frames = {
    1002: ["81026869", "c1850000000068656c6c6f", "83800000000000", "898000000000", "09800000000000",
           "80800000000000", "88810000000000", "888200000000" + "03ec"],
    1007: ["818100000000ff", "8184000000" + "00" + "f4908080", "888300000000" + "03e8ff"],
  };
  for (const [code, list] of Object.entries(frames)) {
    for (const hex of list) {
      if (hex.startsWith("8980")) continue;  // an empty ping is no violation
      const wanted = Buffer.from([Number(code) >> 8, Number(code) & 255]).toString("latin1");
      const request = Buffer.concat([Buffer.from(upgrade(server.port)), Buffer.from(hex, "hex")]);
      const answer = await raw(server.port, request);
      const frame = answer.slice(answer.indexOf("\r\n\r\n") + 4);
      assert.equal(frame.charCodeAt(0), 0x88, `${hex}: a close frame`);
      assert.equal(frame.slice(2, 4), wanted, `${hex}: ${code}`);
    }
  }
}));

for (const kind of ["shared", "dedicated"]) {
  test(`deflate, ${kind} compressors, whatever a client offers`, limit, () => withEcho(
      ["--deflate", kind], async (server) => {
        const offers = [
          true,
          {serverNoContextTakeover: true},
          {clientNoContextTakeover: true},
          {serverNoContextTakeover: true, clientNoContextTakeover: true},
          {serverMaxWindowBits: 9},
          {serverMaxWindowBits: 15, clientMaxWindowBits: 9},
          {clientMaxWindowBits: 15},
        ];
        for (const offer of offers) {
          const client = await connect(server.url, [], {perMessageDeflate: offer === true ? true : {threshold: 0, ...offer}});
          assert.match(client.extensions, /permessage-deflate/, JSON.stringify(offer));
          for (const text of [bulky, "", "short", bulky, bulky.slice(3)]) {
            client.send(text);
            assert.ok(await client.next() === text, JSON.stringify(offer));
          }
          const noise = randomBytes(100000);
          client.send(noise);
          assert.ok(noise.equals(await client.next()));
          client.send(bulky, {compress: false});
          assert.ok(await client.next() === bulky);
          client.terminate();
        }
        const plain = await connect(server.url, [], {perMessageDeflate: false});
        assert.equal(plain.extensions, "");
        plain.send(bulky);
        assert.ok(await plain.next() === bulky);
        plain.terminate();
      }));

  test(`a compression bomb is refused, ${kind}`, limit, () => withEcho(
      ["--deflate", kind, "--max-message", "100000"], async (server) => {
        const client = await connect(server.url, [], {perMessageDeflate: {threshold: 0}});
        client.send("0".repeat(1 << 24));
        assert.equal((await within(seconds(10), "close", client.closed)).code, 1009);
      }));
}

test("compression saves bytes, and is off where it is not configured", limit, async () => {
  for (const [kind, saves] of [["off", false], ["shared", true], ["dedicated", true]]) {
    await withEcho(["--deflate", kind], async (server) => {
      const client = await connect(server.url);
      client.send(bulky);
      await client.next();
      assert.equal(client._socket.bytesRead < bulky.length / 10, saves, kind);
      client.terminate();
    });
  }
});

test("a subprotocol that the server doesn't speak is not confirmed", limit, () => withEcho([], async (server) => {
  await assert.rejects(connect(server.url, ["chat"]), /subprotocol/);
  assert.equal((await connect(server.url)).protocol, "");
}));

test("what is no proper upgrade gets the proper status", limit, () => withEcho([], async (server) => {
  const cases = [
    [101, {}],
    [101, {headers: {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}}],
    [426, {headers: {"Upgrade": null, "Connection": null}}],
    [426, {headers: {"Sec-WebSocket-Version": "8"}}],
    [400, {headers: {"Sec-WebSocket-Key": null}}],
    [400, {headers: {"Sec-WebSocket-Key": "short"}}],
    [400, {headers: {"Host": null}}],
    [400, {headers: {"Transfer-Encoding": "chunked, chunked"}}],
    [400, {line: "GET / HTTP/1.1\r\nfolded: a\r\n b"}],
    [400, {line: "nonsense"}],
    [505, {line: "GET / HTTP/2.0"}],
    [414, {line: `GET /${"x".repeat(9000)} HTTP/1.1`}],
    [431, {headers: {"Big": "x".repeat(9000)}}],
    [403, {headers: {"Origin": "https://elsewhere.example"}}],
    [101, {headers: {"Origin": `http://127.0.0.1:${server.port}`}}],
  ];
  for (const [status, change] of cases) {
    const answer = await raw(server.port, upgrade(server.port, change), "\r\n\r\n");
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), JSON.stringify(change).slice(0, 100));
    if (status === 426) assert.match(answer, /\r\nSec-WebSocket-Version: 13\r\n|\r\nUpgrade: websocket\r\n/i);
    if (status !== 101) continue;
    const accept = createHash("sha1").update("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    assert.ok(answer.includes(`Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n`));
  }
}));

test("200 clients at once, one of them silent, some of them rude", limit, () => withEcho([], async (server) => {
  const clients = await Promise.all(Array.from({length: 200}, () => connect(server.url)));
  await Promise.all(clients.map(async (client, i) => {
    if (i === 0) return;
    for (let n = 0; n < 20; ++n) {
      client.send(`${i}: ${n}`);
      assert.equal(await client.next(), `${i}: ${n}`);
      if (i % 7 === 0 && n === 10) return client.terminate();
    }
    client.close(1000);
    assert.equal((await client.closed).code, 1000);
  }));
  assert.equal(clients[0].readyState, WebSocket.OPEN);
  clients[0].terminate();
}));

test("a unix socket works like a port", limit, async (t) => {
  const socketPath = path.join(temporary(t), "echo.sock");
  const server = await start(program("HAWSER_ECHO"), ["--unix", socketPath]);
  try {
    const client = await connect(`ws+unix:${socketPath}:/`);
    client.send("hello");
    assert.equal(await client.next(), "hello");
    client.terminate();
  } finally {
    await server.stop();
  }
});

test("when the server ends, its clients hear 1012", limit, async () => {
  const server = await echo();
  const clients = await Promise.all([connect(server.url), connect(server.url)]);
  await server.stop();
  for (const client of clients) assert.equal((await client.closed).code, 1012);
});

test("a bad option and a taken port end the program with a message", limit, async () => {
  assert.equal((await run(program("HAWSER_ECHO"), ["--nonsense", "1"])).code, 2);
  await withEcho([], async (server) => {
    const second = await run(program("HAWSER_ECHO"), ["--host", "127.0.0.1", "--port", String(server.port)]);
    assert.equal(second.code, 1);
  });
});

test("the chat serves its page, /healthz, and nothing else", limit, async () => {
  const server = await start(program("HAWSER_CHAT"), ["--port", "0", "--host", "127.0.0.1"]);
  try {
    const get = (target, method = "GET") => new Promise((resolve, reject) => {
      http.request({port: server.port, host: "127.0.0.1", path: target, method, agent: false}, (response) => {
        let body = "";
        response.on("data", (data) => body += data);
        response.on("end", () => resolve({status: response.statusCode, type: response.headers["content-type"], body}));
      }).on("error", reject).end();
    });
    assert.deepEqual(await get("/healthz"), {status: 200, type: "text/plain; charset=utf-8", body: "ok\n"});
    assert.match((await get("/")).body, /<!doctype html>/);
    assert.equal((await get("/", "HEAD")).body, "");
    assert.match((await get("/chat.js")).type, /text\/javascript/);
    assert.match((await get("/chat.css")).type, /text\/css/);
    for (const target of ["/none", "/../echo.cpp", "/%2e%2e/echo.cpp", "/..%2fecho.cpp", "/.git"]) {
      assert.equal((await get(target)).status, 404, target);
    }
    assert.equal((await get("/", "DELETE")).status, 405);
  } finally {
    await server.stop();
  }
});

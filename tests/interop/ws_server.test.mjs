// Our client against Node's `ws` and Python's `websockets` as echo servers.
import assert from "node:assert/strict";
import {once} from "node:events";
import http from "node:http";
import net from "node:net";
import test from "node:test";
import {WebSocketServer} from "ws";
import {program, run, seconds, start} from "./support.mjs";

const limit = {timeout: seconds(60)};

/// Runs our client, and gives the JSON that it prints.
async function client(url, options = {}) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const {code, output} = await run(program("HAWSER_CLIENT"), [url, ...args]);
  const result = JSON.parse(output);
  assert.equal(code, result.ok ? 0 : 1);
  return result;
}

async function withServer(options, body) {
  const server = new WebSocketServer({host: "127.0.0.1", port: 0, maxPayload: 1 << 28, ...options});
  const seen = [];
  server.on("connection", (socket, request) => {
    const closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({code, reason: String(reason)}));
    });
    seen.push({request, extensions: socket.extensions, closed});
    socket.on("error", () => {});
    socket.on("message", (data, binary) => socket.send(data, {binary}));
  });
  await once(server, "listening");
  try {
    await body(`ws://127.0.0.1:${server.address().port}/echo?who=hawser`, seen, server);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, "close");
  }
}

test("ws: text and binary of every size, closed properly", limit, () => withServer({}, async (url, seen) => {
  for (const kind of ["text", "binary"]) {
    for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20]) {
      const result = await client(url, {kind, size, count: size > 1 << 19 ? 2 : 50});
      assert.ok(result.ok, JSON.stringify({kind, size, result}));
      assert.deepEqual([result.status, result.code], [101, 1000]);
    }
  }
  for (const one of seen) assert.equal((await one.closed).code, 1000);
  assert.equal(seen[0].request.url, "/echo?who=hawser");
  assert.equal(seen[0].request.headers.origin, undefined);
}));

test("ws: many messages in flight", limit, () => withServer({}, async (url) => {
  const result = await client(url, {count: 20000, size: 64, window: 64});
  assert.ok(result.ok, JSON.stringify(result));
}));

test("ws: our close code and reason arrive", limit, () => withServer({}, async (url, seen) => {
  const result = await client(url, {code: 4321, reason: "schön war's"});
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(await seen[0].closed, {code: 4321, reason: "schön war's"});
}));

for (const deflate of ["shared", "dedicated"]) {
  test(`ws: deflate, ${deflate} compressor, whatever the server answers`, limit, async () => {
    const answers = [
      {threshold: 0}, {threshold: 0, serverNoContextTakeover: true},
      {threshold: 0, clientNoContextTakeover: true}, {threshold: 0, serverMaxWindowBits: 10},
    ];
    for (const perMessageDeflate of answers) {
      await withServer({perMessageDeflate}, async (url, seen) => {
        const result = await client(url, {deflate, count: 20, size: 50000});
        const told = JSON.stringify({perMessageDeflate, result});
        assert.ok(result.ok, told);
        assert.match(seen[0].extensions, /permessage-deflate/, told);
        assert.ok(result.bytesIn < 20 * 50000 / 2 && result.bytesOut < 20 * 50000 / 2, told);
      });
    }
    await withServer({perMessageDeflate: false}, async (url, seen) => {
      assert.ok((await client(url, {deflate, size: 50000})).ok);
      assert.equal(seen[0].extensions, "");
    });
  });
}

test("ws: subprotocols", limit, () => withServer(
    {handleProtocols: (offered) => offered.has("chat") ? "chat" : false}, async (url) => {
      assert.equal((await client(url, {subprotocol: "chat"})).subprotocol, "chat");
      assert.equal((await client(url, {subprotocol: "other"})).subprotocol, "");
    }));

test("ws: a server that refuses, hangs up, or talks something else", limit, async () => {
  await withServer({verifyClient: (info, done) => done(false, 401)}, async (url) => {
    const result = await client(url);
    assert.deepEqual([result.ok, result.status], [false, 401]);
  });
  await withServer({}, async (url, seen, server) => {
    server.on("connection", (socket) => socket.close(1012, "restart"));
    const result = await client(url, {count: 5});
    assert.deepEqual([result.ok, result.code], [false, 1012]);
  });
  await withServer({}, async (url, seen, server) => {
    server.on("connection", (socket) => socket.terminate());
    const result = await client(url, {count: 5});
    assert.deepEqual([result.ok, result.code], [false, 1006]);
  });
  const plain = http.createServer((request, response) => response.end("a page")).listen(0, "127.0.0.1");
  await once(plain, "listening");
  try {
    const result = await client(`ws://127.0.0.1:${plain.address().port}/`);
    assert.equal(result.ok, false);
    assert.equal(result.code, 0);
  } finally {
    plain.close();
  }
  const reserved = net.createServer().listen(0, "127.0.0.1");
  await once(reserved, "listening");
  const {port} = reserved.address();
  reserved.close();
  await once(reserved, "close");
  assert.match((await client(`ws://127.0.0.1:${port}/`)).connect, /refused/i);
});

test("python websockets: text and binary, with and without deflate", limit, async () => {
  const python = process.env.HAWSER_PYTHON ?? "/usr/bin/python3";
  const server = await start(python, [new URL("echo_server.py", import.meta.url).pathname]);
  try {
    for (const deflate of ["off", "shared", "dedicated"]) {
      for (const kind of ["text", "binary"]) {
        for (const size of [0, 125, 126, 65536, 4 << 20]) {
          const result = await client(server.url, {deflate, kind, size, count: 5});
          assert.ok(result.ok, JSON.stringify({deflate, kind, size, result}));
        }
      }
    }
    const result = await client(server.url, {count: 5000, size: 64, window: 32});
    assert.ok(result.ok, JSON.stringify(result));
  } finally {
    await server.stop();
  }
});

// Our client through an HTTP proxy of Node's, to a `ws` server behind it.
import assert from "node:assert/strict";
import {createHash, X509Certificate} from "node:crypto";
import {once} from "node:events";
import {readFileSync} from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import test from "node:test";
import {WebSocketServer} from "ws";
import {certificates} from "./certificates.mjs";
import {program, run, seconds, temporary} from "./support.mjs";

const limit = {timeout: seconds(60)};

/// Nobody resolves it but the proxy, to whom every host is this machine.
const host = "game.example.test";

async function listening(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return server.address().port;
}

async function proxy(t, {user, password} = {}) {
  const wanted = user && `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const targets = [];
  const sockets = new Set();
  const server = http.createServer((request, response) => response.writeHead(405).end());
  server.on("connect", (request, client, head) => {
    sockets.add(client);
    client.on("error", () => {});
    client.on("close", () => sockets.delete(client));
    if (wanted && request.headers["proxy-authorization"] !== wanted) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\n" +
                 "Proxy-Authenticate: Basic realm=\"interop\"\r\nContent-Length: 3\r\n\r\nno\n");
      return;
    }
    targets.push(request.url);
    const upstream = net.connect(Number(request.url.split(":").at(-1)), "127.0.0.1");
    upstream.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    upstream.on("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\nVia: 1.1 interop\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
  });
  const port = await listening(t, server);
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return {port, targets};
}

async function echo(t, certificate) {
  const server = certificate ? https.createServer({
    cert: readFileSync(certificate.cert),
    key: readFileSync(certificate.key),
  }) : http.createServer();
  const names = [];
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => names.push(socket.servername));
  const hosts = [];
  new WebSocketServer({server}).on("connection", (socket, request) => {
    hosts.push(request.headers.host);
    socket.on("message", (data, binary) => socket.send(data, {binary}));
  });
  return {port: await listening(t, server), names, hosts};
}

async function client(url, through, ...args) {
  const {output} = await run(program("HAWSER_PROXY_CLIENT"), [url, "--proxy-port", String(through.port), ...args]);
  return JSON.parse(output);
}

const pin = ({cert}) => createHash("sha256")
    .update(new X509Certificate(readFileSync(cert)).publicKey.export({type: "spki", format: "der"}))
    .digest("base64");

test("ws through a proxy", limit, async (t) => {
  const through = await proxy(t);
  const server = await echo(t);
  const outcome = await client(`ws://${host}:${server.port}/`, through);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  assert.deepEqual(through.targets, [`${host}:${server.port}`]);
  assert.deepEqual(server.hosts, [`${host}:${server.port}`]);
});

test("wss through a proxy: TLS is with the host behind it", limit, async (t) => {
  const through = await proxy(t);
  const mine = certificates(temporary(t), `DNS:${host}`);
  const server = await echo(t, mine);
  const outcome = await client(`wss://${host}:${server.port}/`, through, "--ca", mine.ca);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  assert.deepEqual(server.names, [host]);

  // The certificate is not for this one, though the proxy leads to the same server.
  const misnamed = await client(`wss://other.example.test:${server.port}/`, through, "--ca", mine.ca);
  assert.equal(misnamed.ok, false);
  assert.match(misnamed.connect, /certificate not accepted: .*host/i);
});

test("pinned keys: one of them must be the server's", limit, async (t) => {
  const through = await proxy(t);
  const mine = certificates(temporary(t), `DNS:${host}`);
  const other = certificates(temporary(t), `DNS:${host}`);
  const server = await echo(t, mine);
  const url = `wss://${host}:${server.port}/`;
  const either = await client(url, through, "--ca", mine.ca, "--pins", `${pin(other)},${pin(mine)}`);
  assert.ok(either.ok, JSON.stringify(either));
  const neither = await client(url, through, "--ca", mine.ca, "--pins", pin(other));
  assert.deepEqual([neither.ok, neither.connect], [false, "server key is not a pinned one"]);
});

test("the proxy's password, right and wrong", limit, async (t) => {
  const through = await proxy(t, {user: "Aladdin", password: "öpen: sesame"});
  const mine = certificates(temporary(t), `DNS:${host}`);
  const plain = `ws://${host}:${(await echo(t)).port}/`;
  const secure = `wss://${host}:${(await echo(t, mine)).port}/`;
  for (const url of [plain, secure]) {
    const right = await client(url, through, "--ca", mine.ca, "--user", "Aladdin", "--password", "öpen: sesame");
    assert.ok(right.ok, JSON.stringify(right));
    for (const given of [["--user", "Aladdin", "--password", "sesame"], []]) {
      const wrong = await client(url, through, "--ca", mine.ca, ...given);
      assert.deepEqual([wrong.ok, wrong.connect], [false, "proxy wants other credentials"]);
    }
  }
  assert.equal(through.targets.length, 2);
});

test("a proxy that can't reach the server, and a server that is no proxy", limit, async (t) => {
  const through = await proxy(t);
  const gone = net.createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const {port} = gone.address();
  gone.close();
  await once(gone, "close");
  const unreachable = await client(`ws://${host}:${port}/`, through);
  assert.deepEqual([unreachable.ok, unreachable.connect], [false, "proxy refused the connection"]);

  const server = await echo(t);  // Node ends a connection that asks it for a tunnel
  const none = await client(`ws://${host}:${server.port}/`, server);
  assert.deepEqual([none.ok, none.connect], [false, "proxy refused the connection"]);

  const dead = await client(`ws://${host}:${server.port}/`, {port});
  assert.equal(dead.ok, false);
  assert.match(dead.connect, /refused/i);
});

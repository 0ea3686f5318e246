// TLS with certificates of an authority that was made for the occasion.
import assert from "node:assert/strict";
import {once} from "node:events";
import {readFileSync} from "node:fs";
import https from "node:https";
import test from "node:test";
import tls from "node:tls";
import {WebSocketServer} from "ws";
import {certificates} from "./certificates.mjs";
import {connect, program, run, seconds, start, temporary} from "./support.mjs";

const limit = {timeout: seconds(60)};

const echo = ({cert, key}) => start(program("HAWSER_ECHO"),
                                    ["--port", "0", "--host", "127.0.0.1", "--cert", cert, "--key", key]);

test("ws over TLS 1.2 and 1.3; another authority is not trusted", limit, async (t) => {
  const mine = certificates(temporary(t));
  const other = certificates(temporary(t));
  const server = await echo(mine);
  try {
    assert.match(server.url, /^wss:/);
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const client = await connect(`wss://localhost:${server.port}/`, [],
                                   {ca: readFileSync(mine.ca), minVersion: version, maxVersion: version, family: 4});
      assert.equal(client._socket.getProtocol(), version);
      for (const size of [0, 1, 16383, 16384, 16385, 1 << 20]) {
        const bytes = Buffer.alloc(size, "tls");
        client.send(bytes);
        assert.ok(bytes.equals(await client.next()), `${version}, ${size} bytes`);
      }
      for (let i = 0; i < 2000; ++i) client.send(`message ${i}`);
      for (let i = 0; i < 2000; ++i) assert.equal(await client.next(), `message ${i}`);
      client.close(1000);
      assert.equal((await client.closed).code, 1000);
    }
    await assert.rejects(connect(server.url, [], {ca: readFileSync(other.ca)}), /certificate/);
    await assert.rejects(connect(server.url.replace("wss:", "ws:")));
    const old = tls.connect({port: server.port, host: "127.0.0.1", maxVersion: "TLSv1.1", minVersion: "TLSv1",
                             ciphers: "DEFAULT@SECLEVEL=0", rejectUnauthorized: false});
    const [error] = await once(old, "error");
    assert.ok(error, "TLS 1.1 is refused");
  } finally {
    await server.stop();
  }
});

test("our client trusts who it is told to trust, for the name that it dialled", limit, async (t) => {
  const mine = certificates(temporary(t));
  const other = certificates(temporary(t));
  const strange = certificates(temporary(t), "DNS:elsewhere.example");
  const serve = async ({cert, key}) => {
    const at = https.createServer({cert: readFileSync(cert), key: readFileSync(key)});
    at.on("tlsClientError", () => {});
    const names = [];
    at.on("secureConnection", (socket) => names.push(socket.servername));
    new WebSocketServer({server: at}).on("connection", (socket) => {
      socket.on("message", (data, binary) => socket.send(data, {binary}));
    });
    at.listen(0, "127.0.0.1");
    await once(at, "listening");
    t.after(() => {
      at.close();
      at.closeAllConnections();
    });
    return {port: at.address().port, names};
  };
  const client = async (url, ca) => {
    const {output} = await run(program("HAWSER_CLIENT"), [url, "--ca", ca, "--count", "20", "--size", "70000"]);
    return JSON.parse(output);
  };
  const {port, names} = await serve(mine);
  const byName = await client(`wss://localhost:${port}/`, mine.ca);
  assert.ok(byName.ok, JSON.stringify(byName));
  assert.deepEqual(names, ["localhost"], "the name is sent (SNI)");
  const byNumber = await client(`wss://127.0.0.1:${port}/`, mine.ca);
  assert.ok(byNumber.ok, JSON.stringify(byNumber));

  const untrusted = await client(`wss://localhost:${port}/`, other.ca);
  assert.equal(untrusted.ok, false);
  assert.match(untrusted.connect, /certificate|issuer|verif/i);
  const misnamed = await client(`wss://localhost:${(await serve(strange)).port}/`, strange.ca);
  assert.equal(misnamed.ok, false);
  assert.match(misnamed.connect, /host/i);
});

test("our client and our server over TLS", limit, async (t) => {
  const mine = certificates(temporary(t));
  const server = await echo(mine);
  try {
    const {code, output} = await run(program("HAWSER_CLIENT"),
        [`wss://localhost:${server.port}/`, "--ca", mine.ca, "--count", "200", "--size", "100000", "--window", "8"]);
    assert.equal(code, 0, output);
  } finally {
    await server.stop();
  }
});

test("a certificate that can't be used ends the server with a message", limit, async (t) => {
  const mine = certificates(temporary(t));
  const {code} = await run(program("HAWSER_ECHO"),
                           ["--port", "0", "--cert", mine.cert, "--key", mine.ca, "--seconds", "5"]);
  assert.equal(code, 1);
});

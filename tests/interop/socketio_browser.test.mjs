// The official client's bundle in a real browser, whose page comes from another origin than the server.
import assert from "node:assert/strict";
import {once} from "node:events";
import {readFileSync} from "node:fs";
import http from "node:http";
import test from "node:test";
import {browser} from "./browser.mjs";
import {seconds} from "./support.mjs";
import {hawser, withServer} from "./socketio_support.mjs";

const limit = {timeout: seconds(120)};

const files = {
  "/": ["text/html", "<!doctype html><title>hawser</title><script src=\"/socket.io.js\"></script>"],
  "/socket.io.js": ["text/javascript", readFileSync(new URL("node_modules/socket.io-client/dist/socket.io.js", import.meta.url))],
  "/favicon.ico": ["image/x-icon", ""],
};

/// Serves the page as long as the test runs; gives its origin.
async function page(t) {
  const server = http.createServer((request, response) => {
    const [type, body] = files[request.url] ?? [];
    response.writeHead(type ? 200 : 404, {"Content-Type": type ?? "text/plain"}).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/// What happens to a socket in the page stands in its `log`, and in `values` what comes back.
const begin = (url, options) => `
  window.log = [];
  window.values = [];
  window.socket = io(${JSON.stringify(url)}, ${JSON.stringify({reconnection: false, ...options})});
  window.hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  socket.on("connect", () => log.push("connect"));
  socket.on("connect_error", (error) => log.push("connect_error"));
  socket.on("disconnect", (reason) => log.push("disconnect " + reason));
  socket.onAny((event, ...args) => values.push([event, ...args]));
  socket.io.on("open", () => {
    log.push("open " + socket.io.engine.transport.name);
    socket.io.engine.on("upgrade", (transport) => log.push("upgrade " + transport.name));
  });
  undefined;`;

const echo = `new Promise((resolve) => {
  socket.emit("message-with-ack", "ä😀", new Uint8Array([0, 1, 255]), {deep: [new Uint8Array(70000).fill(7).buffer]},
              (text, bytes, {deep: [many]}) => {
    resolve([text, hex(bytes), many.byteLength, new Uint8Array(many).every((byte) => byte === 7)].join());
  });
})`;
const echoed = "ä😀,0001ff,70000,true";

/// A tab with the page in it.
async function visit(t, origin) {
  const tab = await (await browser(t)).tab();
  await tab.open(origin);
  await tab.until(`typeof io`, "function");
  return tab;
}

test("a page of another origin that is allowed: polling, upgrade, echo with binary", limit, async (t) => {
  const origin = await page(t);
  const tab = await visit(t, origin);
  await withServer(["--cors", origin], async (server) => {
    await tab.value(begin(server.url, {auth: {token: "123"}}));
    await tab.until(`[...log].sort().join()`, "connect,open polling,upgrade websocket");
    await tab.until(`JSON.stringify(values)`, `[["auth",{"token":"123"}]]`);
    assert.equal(await tab.value(echo), echoed);
    await tab.value(`void socket.emit("burst", 1000)`);
    await tab.until(`values.filter(([event, i], at) => event === "item" && i === at - 1).length`, 1000);

    for (const transport of ["polling", "websocket"]) {
      await tab.value(`void socket.disconnect()`);
      await tab.value(begin(server.url, {transports: [transport], forceNew: true}));
      await tab.until(`log.join()`, `open ${transport},connect`);
      assert.equal(await tab.value(echo), echoed);
      assert.equal(await tab.value(`socket.io.engine.transport.name`), transport);
    }
    await tab.value(`void socket.disconnect()`);
    assert.deepEqual(await server.left(3), {"client namespace disconnect": 3});
    assert.deepEqual(tab.complaints, []);
  });
});

test("a page of another origin that isn't allowed: refused, whatever it tries", limit, async (t) => {
  const origin = await page(t);
  const tab = await visit(t, origin);
  for (const args of [[], ["--cors", "https://elsewhere.example"]]) {
    await withServer(args, async (server) => {
      // The reference leaves WebSockets alone, which know no cross-origin rules of the browser's.
      for (const transports of hawser ? [["polling", "websocket"], ["websocket"]] : [["polling", "websocket"]]) {
        await tab.value(begin(server.url, {transports, forceNew: true}));
        await tab.until(`log.join()`, "connect_error");
        assert.equal(await tab.value(`values.length`), 0);
        assert.equal(await tab.value(`socket.connected`), false);
      }
      assert.deepEqual(await server.reasons(), {});
    });
  }
});

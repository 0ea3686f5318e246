// The smaller examples do what their first lines say.
import assert from "node:assert/strict";
import http from "node:http";
import test from "node:test";
import {connect, program, run, seconds, start} from "./support.mjs";

const limit = {timeout: seconds(60)};

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
  const player = await connect(server.url);
  const [, id] = /^you (\d+)$/.exec(await player.until(/^you/));
  player.send("right");
  const xs = [];
  const began = Date.now();
  while (xs.length < 60) xs.push(Number((await player.until(new RegExp(`^${id} `))).split(" ")[1]));
  const took = Date.now() - began;
  assert.ok(took > 500 && took < 3000, `60 ticks in ${took} ms`);
  assert.ok(xs.at(-1) > xs[0] + 0.5, `from ${xs[0]} to ${xs.at(-1)}`);
  assert.equal((await player.closed).code, 1006);  // the game is over
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

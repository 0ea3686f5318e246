// The official JavaScript client against our Socket.IO server.
import assert from "node:assert/strict";
import {randomBytes} from "node:crypto";
import {once} from "node:events";
import test from "node:test";
import {run, seconds, start, within} from "./support.mjs";
import {
  ask, command, connected, echoed, hawserOnly, heard, inbox, kinds, numbers, script, slowProxy, until, upgraded,
  withServer,
} from "./socketio_support.mjs";

const limit = {timeout: seconds(60)};

const values = [
  [], [null], [true, false], [0, 1, -1, 2 ** 53, -(2 ** 53), 1.5, 1e21, 5e-324, 1.7976931348623157e308],
  ["", "plain", "ä😀\u0000\u001e\"\\\n", "x".repeat(50000)], [{}, [], [[]], [{}]],
  [{a: {b: [1, {c: null}]}, "": 0, "ключ": ["δ"]}], [1, "2", {3: [true]}], [[1, [2, [3, [4]]]]],
];

const binaries = [
  [Buffer.from([1, 2, 3])], [Buffer.alloc(0)], [randomBytes(100_000)],
  [Buffer.from("a"), Buffer.alloc(0), Buffer.from("c")],
  [{deep: [{down: Buffer.from([0, 255])}, "text", [Buffer.from([30])]]}, 7],
  numbers(10).map((i) => Buffer.from([i])),
];

for (const [kind, options] of Object.entries(kinds)) {
  test(`${kind}: connects, says hello, and leaves`, limit, () => withServer([], async (server) => {
    const client = server.client({...options, query: {token: "a b&c=ü%"}});
    const auth = inbox(client, "auth");
    await connected(client);
    assert.deepEqual(await auth.next(), [{}]);
    if (kind === "upgrade") await upgraded(client);
    const me = await ask(client, "who-am-i");
    assert.equal(me.transport, kind === "polling" ? "polling" : "websocket");
    assert.equal(me.id, client.id);
    assert.notEqual(me.id, client.io.engine.id);
    assert.deepEqual([me.recovered, me.rooms, me.address], [false, [client.id], true]);
    assert.deepEqual([me.query.EIO, me.query.token], ["4", "a b&c=ü%"]);
    client.disconnect();
    assert.deepEqual(await server.left(1), {"client namespace disconnect": 1});
  }));

  test(`${kind}: JSON comes back as it was`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    const back = inbox(client, "message-back");
    for (const args of values) {
      client.emit("message", ...args);
      assert.deepEqual(await back.next(), args);
      assert.deepEqual(await echoed(client, ...args), args);
    }
    for (let i = 0; i < 500; ++i) client.emit("message", i);
    assert.deepEqual((await back.take(500)).flat(), numbers(500));
  }));

  test(`${kind}: binary comes back as it was`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    const back = inbox(client, "message-back");
    for (const args of binaries) {
      client.emit("message", ...args);
      assert.deepEqual(await back.next(), args);
      assert.deepEqual(await echoed(client, ...args), args);
    }
    for (const args of binaries) client.emit("message", ...args);  // several in flight
    assert.deepEqual(await back.take(binaries.length), binaries);
  }));

  test(`${kind}: many events from the server keep their order`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    const items = inbox(client, "item");
    client.emit("burst", 5000);
    assert.deepEqual((await items.take(5000)).flat(), numbers(5000));
  }));

  test(`${kind}: acknowledgements in both directions, with time-outs`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    await assert.rejects(client.timeout(150).emitWithAck("nobody-listens", 1), /operation has timed out/);
    const many = await Promise.all(numbers(100).map((i) => echoed(client, i)));
    assert.deepEqual(many.flat(), numbers(100));

    const answered = inbox(client, "answered");
    const unanswered = inbox(client, "unanswered");
    client.emit("ask-me", "anybody?");
    assert.deepEqual(await unanswered.next(), [false]);
    client.on("question", (question, answer) => answer({question, bytes: Buffer.from([1])}));
    client.emit("ask-me", ["how", {are: "you"}]);
    assert.deepEqual(await answered.next(), [true, {question: ["how", {are: "you"}], bytes: Buffer.from([1])}]);
    assert.equal(unanswered.arrived.length + answered.arrived.length, 0);
  }));

  test(`${kind}: an answer that comes too late is no answer`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    const answered = inbox(client, "answered");
    const unanswered = inbox(client, "unanswered");
    const questions = inbox(client, "question");
    client.emit("ask-me", 1);
    const [, answer] = await questions.next();
    assert.deepEqual(await unanswered.next(), [false]);
    answer("late");
    assert.deepEqual(await echoed(client, "still here"), ["still here"]);
    assert.equal(unanswered.arrived.length + answered.arrived.length, 0);
  }));

  test(`${kind}: typed arguments`, limit, () => withServer([], async (server) => {
    const client = await server.connected(options);
    assert.equal(await ask(client, "typed", 1.5, "text", true, [1, 2, 3], {x: 10, y: 20}), 37.5);
    assert.equal(await ask(client, "typed", -1, "", false, [], {x: 0, y: 0.25}), -0.75);
  }));

  test(`${kind}: rooms`, limit, () => withServer([], async (server) => {
    const [ada, grace, linus] = await Promise.all([1, 2, 3].map(() => server.connected(options)));
    const heardBy = new Map([ada, grace, linus].map((one) => [one, inbox(one, "from-room")]));
    for (const one of [ada, grace]) assert.equal(await ask(one, "join", "deck ⚓"), true);
    assert.equal(await ask(ada, "join", "deck ⚓"), true);  // is there already
    assert.deepEqual((await ask(ada, "who-am-i")).rooms, [ada.id, "deck ⚓"].sort());

    ada.emit("to-room", "deck ⚓", "all but Ada");
    ada.emit("to-all", "deck ⚓", "all");
    assert.deepEqual(await heardBy.get(grace).take(2), [["all but Ada"], ["all"]]);
    assert.deepEqual(await heardBy.get(ada).next(), ["all"]);
    linus.emit("to-room", "deck ⚓", "from outside");
    for (const one of [ada, grace]) assert.deepEqual(await heardBy.get(one).next(), ["from outside"]);
    linus.emit("to-all", ada.id, "to one");  // everybody is in the room of its own id
    assert.deepEqual(await heardBy.get(ada).next(), ["to one"]);
    linus.emit("to-all", "nobody", "lost");

    assert.equal(await ask(grace, "leave", "deck ⚓"), true);
    assert.equal(await ask(grace, "leave", "never been there"), true);
    linus.emit("to-all", "deck ⚓", "to Ada");
    assert.deepEqual(await heardBy.get(ada).next(), ["to Ada"]);
    for (const one of [ada, grace, linus]) {
      assert.deepEqual(await echoed(one, "that was all"), ["that was all"]);
      assert.deepEqual(heardBy.get(one).arrived, []);
    }
    ada.disconnect();
    await server.left(1);
    linus.emit("to-all", "deck ⚓", "empty now");
    assert.deepEqual(await echoed(linus, "fine"), ["fine"]);
  }));

  test(`${kind}: broadcasts with acknowledgements`, limit, () => withServer([], async (server) => {
    const clients = await Promise.all([0, 1, 2].map(() => server.connected(options)));
    const [first, second, third] = clients;
    const answers = inbox(first, "room-answers");
    first.emit("ask-room", "nobody");
    assert.deepEqual(await answers.next(), [[], true]);
    for (const one of clients) await ask(one, "join", "all");
    for (const [i, one] of clients.entries()) one.on("question", (what, answer) => answer(`${what}${i}`));
    first.emit("ask-room", "all");
    const [all, complete] = await answers.next();
    assert.deepEqual([all.sort(), complete], [["?0", "?1", "?2"], true]);

    third.off("question");
    first.emit("ask-room", "all");
    const [some, incomplete] = await answers.next();
    assert.deepEqual([some.sort(), incomplete], [["?0", "?1"], false]);
    await ask(third, "leave", "all");
    second.emit("ask-room", "all");
    const [two, done] = await heard(second, "room-answers");
    assert.deepEqual([two.sort(), done], [["?0", "?1"], true]);
  }));

  test(`${kind}: the heartbeat keeps a client, and drops one that stopped`, limit, () => withServer(
      ["--ping-interval", "150", "--ping-timeout", "1500"], async (server) => {
        const client = await server.connected(options);
        const gone = inbox(client, "disconnect");
        const pings = inbox(client.io, "ping");
        await pings.take(5);
        assert.deepEqual(await echoed(client, "still here"), ["still here"]);
        assert.equal(gone.arrived.length, 0);

        const {engine} = client.io;
        const send = engine._sendPacket;
        engine._sendPacket = function(type, ...rest) {
          if (type !== "pong") send.call(this, type, ...rest);
        };
        await gone.next();
        assert.deepEqual(await server.left(1), {"ping timeout": 1});
      }));

  test(`${kind}: who loses the connection comes back`, limit, () => withServer([], async (server) => {
    const client = await server.connected({...options, reconnection: true, reconnectionDelay: 20});
    if (kind === "upgrade") await upgraded(client);
    const before = client.id;
    const gone = inbox(client, "disconnect");
    const tries = inbox(client.io, "reconnect");
    const back = inbox(client, "message-back");
    client.io.engine.close();
    client.emit("message", "written meanwhile");
    client.volatile.emit("message", "not worth waiting");
    assert.deepEqual(await back.next(), ["written meanwhile"]);
    assert.deepEqual([gone.arrived.length, (await tries.next())[0] >= 1], [1, true]);
    assert.notEqual(client.id, before);
    assert.ok(!client.recovered);
    assert.deepEqual(await server.left(1), {"transport close": 1});

    client.emit("drop-me");  // now the server hangs up
    await heard(client, "connect");
    assert.deepEqual(await echoed(client, "again"), ["again"]);
    assert.equal(gone.arrived.length, 2);
    assert.deepEqual(await server.left(2), {"transport close": 1, "forced close": 1});
  }));

  test(`${kind}: who is kicked stays away`, limit, () => withServer([], async (server) => {
    const main = await server.connected({...options, reconnection: true, reconnectionDelay: 1});
    const custom = main.io.socket("/custom");
    await connected(custom);
    custom.emit("kick-me");
    assert.equal((await heard(custom, "disconnect"))[0], "io server disconnect");
    assert.deepEqual([custom.active, main.connected], [false, true]);
    assert.deepEqual(await echoed(main, "not me"), ["not me"]);
    custom.connect();
    await connected(custom);
    const both = Promise.all([heard(main, "disconnect"), heard(custom, "disconnect")]);
    main.emit("kick-all");
    for (const [reason] of await both) assert.equal(reason, "io server disconnect");
    assert.deepEqual(await server.left(3), {"server namespace disconnect": 3});
  }));

  test(`${kind}: too much at once ends the connection, and only that one`, limit, () => withServer(
      ["--max-payload", "10000"], async (server) => {
        const other = await server.connected(options);
        const client = await server.connected(options);
        if (kind === "upgrade") await Promise.all([client, other].map(upgraded));
        const back = inbox(client, "message-back");
        client.emit("message", "x".repeat(9900));
        assert.equal((await back.next())[0].length, 9900);
        const gone = heard(client, "disconnect");
        client.emit("message", "x".repeat(20000));
        assert.match((await gone)[0], /^transport (error|close)$/);
        assert.equal(back.arrived.length, 0);
        assert.equal(Object.keys(await server.left(1)).length, 1);
        assert.deepEqual(await echoed(other, "fine"), ["fine"]);

        const again = server.client(options);  // many small ones are more than one payload together
        const all = inbox(again, "message-back");
        for (let i = 0; i < 100; ++i) again.emit("message", i, "x".repeat(500));
        assert.deepEqual((await all.take(100)).map(([i]) => i), numbers(100));
      }));

  test(`${kind}: a lost connection is recovered with all that was missed`, limit, () => withServer(
      ["--recovery"], async (server) => {
        const other = await server.connected(options);
        const client = server.client(options);
        const auth = inbox(client, "auth");
        const missed = inbox(client, "from-room");
        await connected(client);
        await auth.next();
        if (kind === "upgrade") await upgraded(client);
        await ask(client, "join", "harbour");
        other.emit("to-room", "harbour", "zero");
        assert.equal((await missed.next())[0], "zero");
        const {id} = client;
        assert.equal(client.recovered, false);

        for (const round of [1, 2]) {
          client.io.engine.close();
          await server.left(round);
          for (let i = 0; i < 20; ++i) other.emit("to-room", "harbour", `${round}: ${i}`);
          other.emit("to-all", id, `${round}: to one`);
          other.emit("to-room", "elsewhere", "not for us");
          await echoed(other, "all said");
          const order = [];
          client.once("connect", () => order.push(`connected after ${missed.arrived.length}`));
          client.connect();
          await connected(client);
          assert.deepEqual(order, ["connected after 21"]);
          const wanted = [...numbers(20).map((i) => `${round}: ${i}`), `${round}: to one`];
          assert.deepEqual((await missed.take(21)).map(([what]) => what), wanted);
          assert.deepEqual([client.recovered, client.id], [true, id]);
          const me = await ask(client, "who-am-i");
          assert.deepEqual([me.recovered, me.id, me.rooms], [true, id, [id, "harbour"].sort()]);
          other.emit("to-room", "harbour", "live again");
          assert.equal((await missed.next())[0], "live again");
        }
      }));
}

test("upgrade with traffic in both directions: nothing is lost, doubled or reordered", limit, () => withServer(
    [], async (server) => {
      // The WebSocket has to wait, so that the upgrade falls into the traffic.
      let open;
      let waiting = 10;
      const proxy = await slowProxy(server.port, new Promise((resolve) => open = resolve));
      try {
        await Promise.all(Array.from({length: 10}, async (_, number) => {
          const client = server.client(kinds.upgrade, "/", proxy.url);
          const back = [];
          const items = [];
          client.on("message-back", (i, bytes) => back.push(bytes ? [i, bytes[0]] : [i]));
          client.on("item", (i) => items.push(i));
          await connected(client);
          assert.equal(client.io.engine.transport.name, "polling");
          let sent = 0;
          let after = 0;
          let busy = false;
          const {engine} = client.io;
          while (after < 50) {
            if (engine.transport.name === "websocket") ++after;
            if (!busy && back.length > 20 && --waiting === 0) open();
            busy = back.length > 20;
            if (sent % 10 === number) client.emit("burst", 30);
            if (sent % 7 === 0) client.emit("message", sent, Buffer.from([sent % 256]));
            else client.emit("message", sent);
            ++sent;
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
          await echoed(client, "the end");
          assert.deepEqual(back, numbers(sent).map((i) => i % 7 === 0 ? [i, i % 256] : [i]));
          const bursts = Math.ceil((sent - number) / 10);
          assert.deepEqual(items, numbers(bursts).flatMap(() => numbers(30)));
          assert.equal((await ask(client, "who-am-i")).transport, "websocket");
        }));
      } finally {
        proxy.close();
      }
    }));

test("upgrade without delay, again and again", limit, () => withServer([], async (server) => {
  for (let round = 0; round < 10; ++round) {
    await Promise.all(numbers(5).map(async () => {
      const client = server.client(kinds.upgrade);
      const back = inbox(client, "message-back");
      const items = inbox(client, "item");
      client.emit("burst", 50);
      for (let i = 0; i < 50; ++i) {
        client.emit("message", i);
        assert.deepEqual(await back.next(), [i]);
      }
      assert.deepEqual((await items.take(50)).flat(), numbers(50));
      await upgraded(client);
      assert.deepEqual(await echoed(client, "end"), ["end"]);
      client.disconnect();
    }));
  }
}));

test("a server that speaks only one transport", limit, async () => {
  await withServer(["--transports", "polling"], async (server) => {
    const client = await server.connected(kinds.upgrade);
    for (let i = 0; i < 20; ++i) await echoed(client, i);
    assert.equal((await ask(client, "who-am-i")).transport, "polling");
    await assert.rejects(server.connected(kinds.websocket), /websocket error/);
  });
  await withServer(["--transports", "websocket"], async (server) => {
    assert.equal((await ask(await server.connected(kinds.websocket), "who-am-i")).transport, "websocket");
    await assert.rejects(server.connected(kinds.polling), /xhr poll error/);
  });
});

test("a server that went away and came back finds its clients again", limit, () => withServer([], async (server) => {
  const patient = {reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100};
  const clients = await Promise.all(Object.values(kinds).map((kind) => server.connected({...kind, ...patient})));
  const gone = clients.map((one) => heard(one, "disconnect"));
  await server.stop();
  for (const one of gone) assert.match((await one)[0], /^transport |^io server disconnect$/);
  const back = clients.map((one) => one.active ? heard(one, "connect") : one.connect());
  const again = await server.again();
  try {
    await Promise.all(back);
    for (const one of clients) assert.deepEqual(await echoed(one, "back"), ["back"]);
  } finally {
    for (const one of clients) one.io.reconnection(false), one.disconnect();
    await again.stop();
    server.stop = async () => {};
  }
}));

test("namespaces share a connection and nothing else", limit, () => withServer([], async (server) => {
  const main = await server.connected(kinds.websocket);
  const names = ["/custom", "/dynamic-1", "/dynamic-23"];
  const others = names.map((name) => main.io.socket(name, {auth: {name}}));
  const hellos = others.map((one) => inbox(one, "auth"));
  await Promise.all(others.map(connected));
  for (const [i, hello] of hellos.entries()) assert.deepEqual(await hello.next(), [{name: names[i]}]);
  const all = [main, ...others];
  assert.equal(new Set(all.map((one) => one.id)).size, 4);
  assert.equal(new Set(all.map((one) => one.io)).size, 1);

  const back = all.map((one) => inbox(one, "from-room"));
  for (const [i, one] of all.entries()) {
    await ask(one, "join", "same name");
    one.emit("to-all", "same name", `in ${i}`);
    assert.deepEqual(await back[i].next(), [`in ${i}`]);
    assert.deepEqual(await echoed(one, i, Buffer.from([i])), [i, Buffer.from([i])]);
  }
  for (const one of back) assert.equal(one.arrived.length, 0);

  others[1].disconnect();
  assert.deepEqual(await server.left(1), {"client namespace disconnect": 1});
  for (const one of [main, others[0], others[2]]) assert.deepEqual(await echoed(one, 1), [1]);
  others[1].connect();
  await connected(others[1]);
  assert.deepEqual(await echoed(others[1], "again"), ["again"]);
}));

test("namespaces that aren't there", limit, () => withServer([], async (server) => {
  const main = await server.connected(kinds.websocket);
  for (const name of ["/unknown", "/dynamic-", "/dynamic-1x", "/custom/more", "/Custom"]) {
    const socket = main.io.socket(name);
    const [error] = await heard(socket, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    assert.deepEqual([socket.active, socket.connected], [false, false]);
  }
  assert.deepEqual(await echoed(main, "fine"), ["fine"]);
}));

test("middleware refuses with data, and lets in later", limit, () => withServer([], async (server) => {
  const denied = server.client(kinds.websocket, "/denied");
  const [error] = await heard(denied, "connect_error");
  assert.equal(error.message, "not authorized");
  assert.deepEqual(error.data, {content: "Please retry later"});
  assert.deepEqual([denied.active, denied.connected], [false, false]);

  const order = [];
  const slow = denied.io.socket("/slow");
  const main = denied.io.socket("/");
  for (const [name, one] of [["slow", slow], ["main", main]]) one.once("connect", () => order.push(name));
  await Promise.all([slow, main].map(connected));
  assert.deepEqual(order, ["main", "slow"]);
  assert.deepEqual(await echoed(slow, "hello"), ["hello"]);
  assert.deepEqual(await echoed(main, "hello"), ["hello"]);

  // Who leaves while the middleware still thinks never was there.
  const hasty = numbers(5).map(() => server.client(kinds.websocket, "/slow"));
  await Promise.all(hasty.map((one) => heard(one.io, "open")));
  for (const one of hasty) one.io.engine.close();
  const patient = await server.connected(kinds.websocket, "/slow");
  assert.deepEqual(await echoed(patient, "in"), ["in"]);
  assert.deepEqual(await server.reasons(), {});
}));

test("the handshake's auth payload", limit, () => withServer([], async (server) => {
  for (const auth of [{}, {token: "123"}, {deep: {list: [1, null, "ü"]}, "": false}, (give) => give({called: true})]) {
    for (const kind of [kinds.polling, kinds.websocket]) {
      const client = server.client({...kind, auth});
      assert.deepEqual(await heard(client, "auth"), [typeof auth === "function" ? {called: true} : auth]);
    }
  }
}));

test("volatile events arrive where nothing is in the way", limit, () => withServer([], async (server) => {
  const client = await server.connected(kinds.websocket);
  const back = inbox(client, "volatile-back");
  for (let i = 0; i < 20; ++i) {
    client.emit("volatile", `number ${i}`);
    assert.deepEqual(await back.next(), [`number ${i}`]);
  }
}));

test("a client that takes no binary frames", limit, () => withServer([], async (server) => {
  const client = await server.connected({...kinds.websocket, forceBase64: true});
  const other = await server.connected(kinds.websocket);
  for (const one of [client, other]) await ask(one, "join", "harbour");
  const back = inbox(client, "message-back");
  client.emit("message", Buffer.from([1, 2, 3]), "text");
  assert.deepEqual(await back.next(), [Buffer.from([1, 2, 3]), "text"]);
  assert.deepEqual(await echoed(client, Buffer.alloc(0)), [Buffer.alloc(0)]);
  const heardBoth = Promise.all([heard(client, "from-room"), heard(other, "from-room")]);
  other.emit("to-all", "harbour", {bytes: Buffer.from([9])});
  for (const [what] of await heardBoth) assert.deepEqual(what, {bytes: Buffer.from([9])});
}));

const withRecovery = (body) => withServer(["--recovery"], body);

test("who leaves on purpose, or is sent away, has nothing to recover", limit, () => withRecovery(async (server) => {
  const other = await server.connected(kinds.websocket);
  for (const leave of [(client) => client.disconnect(), (client) => client.emit("kick-me")]) {
    const client = server.client(kinds.websocket);
    const missed = inbox(client, "from-room");
    await heard(client, "auth");
    await ask(client, "join", "harbour");
    const {id} = client;
    const gone = heard(client, "disconnect");
    leave(client);
    await gone;
    await until("the room to be empty", async () => {
      other.emit("ask-room", "harbour");
      return (await heard(other, "room-answers"))[1];
    }, (complete) => complete);
    other.emit("to-room", "harbour", "missed for good");
    await echoed(other, "said");
    client.connect();
    await connected(client);
    assert.equal(client.recovered, false);
    assert.notEqual(client.id, id);
    assert.deepEqual((await ask(client, "who-am-i")).rooms, [client.id]);
    assert.equal(missed.arrived.length, 0);
  }
}));

// The reference gives a session to everybody who asks, for two minutes.
test("a session is recovered only once", {...limit, ...hawserOnly}, () => withRecovery(async (server) => {
  const client = await server.connected(kinds.websocket);
  await ask(client, "join", "harbour");
  const [pid, offset] = [client._pid, client._lastOffset];
  assert.ok(pid && offset);
  client.io.engine.close();
  await server.left(1);
  client.connect();
  await connected(client);
  assert.equal(client.recovered, true);
  const thief = await server.connected({...kinds.websocket, auth: {pid, offset}});
  assert.equal(thief.recovered, false);
  assert.notEqual(thief.id, client.id);
}));

test("who claims a session that never was starts anew", limit, () => withRecovery(async (server) => {
  const claims = [{pid: "x".repeat(24), offset: "y"}, {pid: 1, offset: []}, {pid: "__proto__", offset: "constructor"}];
  for (const auth of claims) {
    const client = await server.connected({...kinds.websocket, auth});
    assert.equal(client.recovered, false);
    assert.deepEqual(await echoed(client, 1), [1]);
  }
}));

test("200 clients at once on all transports", {timeout: seconds(120)}, () => withServer([], async (server) => {
  const mix = Object.values(kinds);
  await Promise.all(numbers(200).map(async (number) => {
    const client = await server.connected({...mix[number % 3], timeout: seconds(60)});
    for (let i = 0; i < 20; ++i) {
      const what = i % 5 === 4 ? Buffer.from(`${number}: ${i}`) : `${number}: ${i}`;
      assert.deepEqual(await echoed(client, what), [what]);
    }
    if (number % 7 === 0) client.io.engine.close();  // some are rude
    else client.disconnect();
  }));
  await until("everybody to leave", server.reasons, (reasons) => {
    return reasons["client namespace disconnect"] + reasons["transport close"] === 200;
  });
}));

test("the server's own manners: a bad option, a taken port, nobody who wants it", limit, () => withServer([], async (server) => {
  assert.equal((await run(command, [...script, "--nonsense", "1"])).code, 2);
  const other = await start(command, [...script, "--port", "0"]);
  assert.equal((await run(command, [...script, "--port", String(server.port)])).code, 1);
  const ended = once(other.child, "exit");
  other.child.stdin.end();
  assert.deepEqual(await within(seconds(15), "the server to end", ended), [0, null]);
}));

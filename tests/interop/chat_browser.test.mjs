// The chat in a real browser: two people in two tabs, a third on a phone, and guests on Node's
// official client and Python's. All of it with the page's own small client, and again with the
// official one in its place.
import assert from "node:assert/strict";
import {cpSync} from "node:fs";
import test from "node:test";
import {setTimeout as pause} from "node:timers/promises";
import {fileURLToPath} from "node:url";
import {io} from "socket.io-client";
import {browser} from "./browser.mjs";
import {program, seconds, start, temporary} from "./support.mjs";
import {ask, connected, heard, inbox, until} from "./socketio_support.mjs";

const chat = (...args) => start(program("HAWSER_CHAT"), ["--host", "127.0.0.1", ...args]);
const limit = {timeout: seconds(80)};
const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/// The page with the official client's bundle instead of its own.
function officialPages(t) {
  const folder = temporary(t);
  cpSync(file("../../examples/chat"), folder, {recursive: true});
  cpSync(file("node_modules/socket.io-client/dist/socket.io.esm.min.js"), `${folder}/socket.js`);
  return folder;
}

/// A guest on the official client, from Node.
async function guest(url, options = {}) {
  const socket = io(url, {forceNew: true, reconnection: false, ...options});
  await connected(socket);
  return socket;
}

/// A guest on python3-socketio.
async function pythonGuest(t, url) {
  const peer = await start(process.env.HAWSER_PYTHON ?? "/usr/bin/python3", [file("chat_peer.py"), url]);
  t.after(() => peer.child.kill("SIGKILL"));
  return {
    emit: (...what) => peer.child.stdin.write(`${JSON.stringify(what)}\n`),
    hears: (...what) => until(what.join(), () => peer.output().split("\n"), (lines) => {
      return lines.some((line) => line.startsWith("[") && JSON.stringify(JSON.parse(line)) === JSON.stringify(what));
    }),
    leave: () => peer.child.stdin.end(),
  };
}

const people = `[...document.querySelectorAll("#people li")].map((e) => e.dataset.name).join()`;
const state = `document.querySelector("#state").dataset.state`;
const typing = `document.querySelector("#typing").textContent`;
const said = (name, text) => `[...document.querySelectorAll(".said")].some((line) =>
    line.dataset.name === ${JSON.stringify(name)} &&
    line.querySelector(".text").textContent === ${JSON.stringify(text)})`;

async function arrive(tab, url, name) {
  await tab.open(url);
  await tab.until(`document.querySelector("#hello")?.open`);
  await tab.type(name);
  await tab.enter();
  await tab.until(state, "online");
  await tab.until(`document.activeElement.id`, "text");
}

async function say(tab, text) {
  await tab.type(text);
  await tab.enter();
}

async function conversation(t, args, picture) {
  const server = await chat("--port", "0", ...args);
  t.after(() => server.child.kill("SIGKILL"));
  const page = server.url;
  const chromium = await browser(t);
  const ada = await chromium.tab();
  const grace = await chromium.tab({dark: true});

  await ada.open(page);
  await ada.until(`document.querySelector("#hello")?.open`);
  await picture(ada, "1-nickname.png");
  await arrive(ada, page, "Ada");
  await arrive(grace, page, "Grace");
  await ada.until(people, "Ada,Grace");
  await grace.until(people, "Grace,Ada");

  // They talk both ways, and see the other one type.
  await say(ada, "Good morning, Grace!");
  await grace.until(said("Ada", "Good morning, Grace!"));
  await grace.type("Morning! Is the harbour");
  await ada.until(typing, "Grace is typing…");
  await picture(ada, "2-typing.png");
  await say(grace, " quiet today?");
  await ada.until(said("Grace", "Morning! Is the harbour quiet today?"));
  await ada.until(typing, "");
  await say(ada, "Not a ripple. The Node people come at ten, and somebody said that Python might join us, too.");

  // Guests who wrote no page.
  const node = await guest(page);
  const nodeHears = inbox(node, "said");
  assert.deepEqual(await ask(node, "enter", "Node", "lobby"), {room: "lobby", name: "Node", people: ["Ada", "Grace"]});
  const python = await pythonGuest(t, page);
  python.emit("enter", "Python", "lobby");
  await python.hears("enter", {room: "lobby", name: "Python", people: ["Ada", "Grace", "Node"]});
  await ada.until(people, "Ada,Grace,Node,Python");
  node.emit("say", "Hello from Node 🚢");
  python.emit("say", "and from Python");
  for (const tab of [ada, grace]) {
    await tab.until(said("Node", "Hello from Node 🚢"));
    await tab.until(said("Python", "and from Python"));
  }
  await say(grace, "Welcome aboard!");
  await python.hears("said", "Grace", "Welcome aboard!");
  const all = await nodeHears.take(3);
  assert.deepEqual(all.map(([name]) => name).sort(), ["Grace", "Node", "Python"]);
  assert.deepEqual(all.at(-1), ["Grace", "Welcome aboard!"]);

  // A name that is taken gets a number; what people write is text and nothing else.
  const second = await guest(page);
  const greeted = await ask(second, "enter", "Ada", "lobby");
  assert.deepEqual([greeted.name, greeted.people.includes("Ada")], ["Ada 2", true]);
  const evil = `<img src=x onerror="document.title='oops'"><b>bold</b> & \t tab`;
  second.emit("say", evil);
  await ada.until(said("Ada 2", evil));
  assert.equal(await ada.value(`document.querySelectorAll("#log img, #log .text b").length`), 0);
  second.disconnect();
  await ada.until(people, "Ada,Grace,Node,Python");
  const type = () => [node, python].forEach((one) => one.emit("typing"));  // as pages do, again and again
  type();
  const keyboards = setInterval(type, 1000);
  await grace.until(`${typing}.split(" ").sort().join(" ")`, "Node Python and are typing…").finally(() => clearInterval(keyboards));
  await picture(grace, "3-dark.png");

  // A phone, where the lists are behind a button; rooms are apart from each other.
  const phone = await chromium.tab({width: 390, height: 760, mobile: true});
  await arrive(phone, page, "Linus");
  await ada.until(people, "Ada,Grace,Linus,Node,Python");
  await say(ada, "Linus, are you on deck already?");
  await say(ada, "We kept you a place.");
  await phone.until(said("Ada", "We kept you a place."));
  await say(phone, "Nearly. Writing from the train.");
  await grace.until(said("Linus", "Nearly. Writing from the train."));
  await picture(phone, "4-phone.png");
  await phone.click("#menu");
  await phone.until(`getComputedStyle(document.querySelector("#side")).visibility`, "visible");
  await pause(400);  // the list slides in
  await picture(phone, "5-phone-list.png");
  await phone.click("#rooms li:nth-child(2) button");
  await phone.until(people, "Linus");
  assert.equal(await phone.value("location.hash"), "#games");
  await ada.until(people, "Ada,Grace,Node,Python");
  await say(ada, "only in the lobby");
  await grace.until(said("Ada", "only in the lobby"));
  assert.equal(await phone.value(said("Ada", "only in the lobby")), false);

  // Leaving is seen, whichever way it happens.
  node.io.engine.close();
  python.leave();
  await ada.until(people, "Ada,Grace");
  assert.deepEqual([...ada.complaints, ...grace.complaints, ...phone.complaints], []);

  // The server goes and comes back: so do the people, by themselves.
  await server.stop();
  await ada.until(`${state} !== "online"`);
  await ada.until(people, "");
  await ada.type("written while nobody listened");
  await ada.enter();
  await ada.until(`document.querySelector("#state button")?.textContent`, "Try now");
  await picture(ada, "6-offline.png");
  await phone.until(`document.querySelector("#state button")?.textContent`, "Try now");
  assert.equal(await phone.value(`document.querySelector("#send").getBoundingClientRect().right < innerWidth`), true);
  await picture(phone, "8-phone-offline.png");
  const again = await chat("--port", String(server.port), ...args);
  t.after(() => again.child.kill("SIGKILL"));
  await ada.click("#state button");
  for (const tab of [ada, grace]) await tab.until(state, "online", seconds(30));
  await ada.until(people, "Ada,Grace");
  await ada.enter();
  await grace.until(said("Ada", "written while nobody listened"));
  await picture(ada, "7-back.png");
  await again.stop();
}

test("people in browsers, on Node and on Python talk to each other", limit, async (t) => {
  await conversation(t, [], (tab, name) => tab.screenshot(name));
});

test("the same with the official client in the page", limit, async (t) => {
  await conversation(t, ["--pages", officialPages(t)], async (tab, name) => {
    if (!name.startsWith("1")) return;
    assert.equal(await tab.value(`fetch("socket.js").then((r) => r.text()).then((js) => js.includes("Socket.IO v4"))`), true);
  });
});

test("the chat minds its limits", limit, async () => {
  const server = await chat("--port", "0");
  const transports = ["websocket"];
  try {
    const first = await guest(server.url, {transports});
    first.emit("say", "nobody knows me");
    for (const bad of [["", "lobby"], ["name", ""], ["a\u0007b", "lobby"], ["x".repeat(81), "lobby"], ["   ", "lobby"]]) {
      assert.match((await ask(first, "enter", ...bad)).sorry, /not a usable name/i, bad.join());
    }
    for (const bad of [[], ["name"], [1, "lobby"], ["name", {}], [Buffer.from("name"), "lobby"]]) {
      await assert.rejects(first.timeout(200).emitWithAck("enter", ...bad), /timed out/);  // no handler for that
    }
    assert.deepEqual(await ask(first, "enter", "ä", "ü"), {room: "ü", name: "ä", people: []});
    first.emit("say", "x".repeat(8000));
    assert.deepEqual(await heard(first, "said"), ["ä", "x".repeat(8000)]);
    first.emit("say", "x".repeat(9000));
    assert.match((await heard(first, "disconnect"))[0], /^transport/);
    for (const one of [["polling"], transports]) {
      const extraHeaders = {origin: "https://elsewhere.example"};
      await assert.rejects(guest(server.url, {transports: one, extraHeaders}), one.join());
    }
  } finally {
    await server.stop();
  }
});

// The chat in a real browser: two people in two tabs, a third on a phone, and guests on Node's `ws`
// and Python's `websockets`.
import assert from "node:assert/strict";
import {once} from "node:events";
import test from "node:test";
import {browser} from "./browser.mjs";
import {connect, program, seconds, start, within} from "./support.mjs";

const chat = (port = 0) => start(program("HAWSER_CHAT"), ["--port", String(port), "--host", "127.0.0.1"]);
const limit = {timeout: seconds(120)};

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

test("people in browsers, on ws and on websockets talk to each other", limit, async (t) => {
  const server = await chat();
  t.after(() => server.child.kill("SIGKILL"));
  const page = server.url;
  const chromium = await browser(t);
  const ada = await chromium.tab();
  const grace = await chromium.tab({dark: true});

  await ada.open(page);
  await ada.until(`document.querySelector("#hello")?.open`);
  await ada.screenshot("1-nickname.png");
  await arrive(ada, page, "Ada");
  await arrive(grace, page, "Grace");
  await ada.until(people, "Ada,Grace");
  await grace.until(people, "Grace,Ada");

  // They talk both ways, and see the other one type.
  await say(ada, "Good morning, Grace!");
  await grace.until(said("Ada", "Good morning, Grace!"));
  await grace.type("Morning! Is the harbour");
  await ada.until(typing, "Grace is typing…");
  await ada.screenshot("2-typing.png");
  await say(grace, " quiet today?");
  await ada.until(said("Grace", "Morning! Is the harbour quiet today?"));
  await ada.until(typing, "");
  await say(ada, "Not a ripple. The Node people come at ten, and somebody said that Python might join us, too.");

  // Guests who wrote no page.
  const node = await connect(page.replace("http", "ws"));
  node.send("enter\tNode\tlobby");
  assert.equal(await node.next(), "welcome\tlobby\tNode\tAda\tGrace");
  const python = await start(process.env.HAWSER_PYTHON ?? "/usr/bin/python3",
                             [new URL("chat_peer.py", import.meta.url).pathname, page.replace("http", "ws")]);
  t.after(() => python.child.kill("SIGKILL"));
  python.child.stdin.write("enter\tPython\tlobby\n");
  await ada.until(people, "Ada,Grace,Node,Python");
  node.send("say\tHello from ws 🚢");
  python.child.stdin.write("say\tand from websockets\n");
  for (const tab of [ada, grace]) {
    await tab.until(said("Node", "Hello from ws 🚢"));
    await tab.until(said("Python", "and from websockets"));
  }
  await node.until("said\tPython\tand from websockets");
  await say(grace, "Welcome aboard!");
  await node.until("said\tGrace\tWelcome aboard!");
  await within(seconds(10), "Python hears Grace", (async () => {
    while (!python.output().includes("said\tGrace\tWelcome aboard!\n")) await new Promise((r) => setTimeout(r, 50));
  })());

  // A name that is taken gets a number; what people write is text and nothing else.
  const second = await connect(page.replace("http", "ws"));
  second.send("enter\tAda\tlobby");
  assert.match(await second.next(), /^welcome\tlobby\tAda 2\tAda\t/);
  const evil = `<img src=x onerror="document.title='oops'"><b>bold</b> & \t tab`;
  second.send(`say\t${evil}`);
  await ada.until(said("Ada 2", evil));
  assert.equal(await ada.value(`document.querySelectorAll("#log img, #log .text b").length`), 0);
  second.close();
  await ada.until(people, "Ada,Grace,Node,Python");
  node.send("typing");
  python.child.stdin.write("typing\n");
  await grace.until(typing, "Node and Python are typing…");
  await grace.screenshot("3-dark.png");

  // A phone, where the lists are behind a button; rooms are apart from each other.
  const phone = await chromium.tab({width: 390, height: 760, mobile: true});
  await arrive(phone, page, "Linus");
  await ada.until(people, "Ada,Grace,Linus,Node,Python");
  await say(ada, "Linus, are you on deck already?");
  await say(ada, "We kept you a place.");
  await phone.until(said("Ada", "We kept you a place."));
  await say(phone, "Nearly. Writing from the train.");
  await grace.until(said("Linus", "Nearly. Writing from the train."));
  await phone.screenshot("4-phone.png");
  await phone.click("#menu");
  await phone.until(`getComputedStyle(document.querySelector("#side")).visibility`, "visible");
  await new Promise((resolve) => setTimeout(resolve, 400));  // the list slides in
  await phone.screenshot("5-phone-list.png");
  await phone.click("#rooms li:nth-child(2) button");
  await phone.until(people, "Linus");
  assert.equal(await phone.value("location.hash"), "#games");
  await ada.until(people, "Ada,Grace,Node,Python");
  await say(ada, "only in the lobby");
  await grace.until(said("Ada", "only in the lobby"));
  assert.equal(await phone.value(said("Ada", "only in the lobby")), false);

  // Leaving is seen, whichever way it happens.
  node.terminate();
  python.child.stdin.end();
  await ada.until(people, "Ada,Grace");
  assert.deepEqual([...ada.complaints, ...grace.complaints, ...phone.complaints], []);

  // The server goes and comes back: so do the people, by themselves.
  await server.stop();
  await ada.until(`${state} !== "online"`);
  await ada.until(people, "");
  await ada.type("written while nobody listened");
  await ada.enter();
  await ada.screenshot("6-offline.png");
  const again = await chat(server.port);
  t.after(() => again.child.kill("SIGKILL"));
  for (const tab of [ada, grace]) await tab.until(state, "online", seconds(30));
  await ada.until(people, "Ada,Grace");
  await ada.enter();
  await grace.until(said("Ada", "written while nobody listened"));
  await ada.screenshot("7-back.png");
  await again.stop();
});

test("the chat minds its limits", limit, async () => {
  const server = await chat();
  try {
    const url = server.url.replace("http", "ws");
    const first = await connect(url);
    first.send("say\tnobody knows me");
    for (const bad of ["enter\t\tlobby", "enter\tname\t", "enter\ta\u0007b\tlobby", `enter\t${"x".repeat(81)}\tlobby`,
                       "enter", "enter\t   \tlobby"]) {
      first.send(bad);
      assert.match(await first.next(), /^sorry\t/, bad);
    }
    first.send("enter\tä\tü");
    assert.equal(await first.next(), "welcome\tü\tä");
    first.send("say\t" + "x".repeat(8000));
    assert.equal((await first.next()).length, "said\tä\t".length + 8000);
    first.send("x".repeat(9000));
    assert.equal((await first.closed).code, 1009);
    const binary = await connect(url);
    binary.send(Buffer.from("enter"));
    assert.equal((await binary.closed).code, 1003);
    await assert.rejects(connect(url, [], {origin: "https://elsewhere.example"}), /403/);
  } finally {
    await server.stop();
  }
});

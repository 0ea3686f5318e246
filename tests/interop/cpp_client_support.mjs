// What the tests of our clients share: the programs that are driven, and lines that can be cut.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import net from "node:net";
import {program, seconds, within} from "./support.mjs";

/// How long anything may take.
export const patience = seconds(30);

const to = (what) => Buffer.isBuffer(what) ? {base64: what.toString("base64")} :
  Array.isArray(what) ? what.map(to) :
  what && typeof what === "object" ? Object.fromEntries(Object.entries(what).map(([key, one]) => [key, to(one)])) :
  what;
const from = (what) => Array.isArray(what) ? what.map(from) :
  !what || typeof what !== "object" ? what :
  typeof what.base64 === "string" && Object.keys(what).length === 1 ? Buffer.from(what.base64, "base64") :
  Object.fromEntries(Object.entries(what).map(([key, one]) => [key, from(one)]));

const fits = (line, wanted) => Object.entries(wanted).every(([key, value]) => line[key] === value);

/// A program with one of our clients in it: takes commands, and tells what happens.
class Driven {
  constructor(variable, options) {
    const given = Object.entries(options).flatMap(([name, value]) => {
      return value === true ? [`--${name}`] : value === undefined ? [] : [`--${name}`, String(value)];
    });
    this.child = spawn(program(variable), given, {stdio: ["pipe", "pipe", "inherit"]});
    this.exited = once(this.child, "exit");
    this.exited.catch(() => {});
    this.child.stdin.on("error", () => {});  // its end tells
    this.lines = [];    // all that it told
    this.unread = [];   // what `heard` hasn't taken
    this.waiting = [];
    this.asked = 0;
    let text = "";
    this.child.stdout.setEncoding("utf8").on("data", (data) => {
      const parts = (text + data).split("\n");
      text = parts.pop();
      for (const part of parts) this.tell(from(JSON.parse(part)));
    });
  }

  tell(line) {
    this.lines.push(line);
    const found = this.waiting.findIndex((one) => fits(line, one.wanted));
    found < 0 ? this.unread.push(line) : this.waiting.splice(found, 1)[0].resolve(line);
  }

  /// Gives a command.
  tellTo(what, more = {}) {
    this.child.stdin.write(`${JSON.stringify({do: what, ...to(more)})}\n`);
  }

  /// The next line of such content that wasn't taken yet.
  heard(is, wanted = {}) {
    const all = {is, ...wanted};
    const found = this.unread.findIndex((line) => fits(line, all));
    if (found >= 0) return Promise.resolve(this.unread.splice(found, 1)[0]);
    const ended = this.exited.then(([code, signal]) => assert.fail(`the client ended with ${signal ?? code}`));
    const comes = new Promise((resolve) => this.waiting.push({wanted: all, resolve}));
    return within(patience, JSON.stringify(all), Promise.race([comes, ended])).catch((error) => {
      error.message += `; it told ${JSON.stringify(this.lines.slice(-12)).slice(0, 2000)}`;
      throw error;
    });
  }

  /// All lines of such content up to now, taken or not.
  told(is, wanted = {}) {
    return this.lines.filter((line) => fits(line, {is, ...wanted}));
  }

  /// Waits until every command was carried out.
  async sync() {
    const id = ++this.asked;
    this.tellTo("sync", {id});
    await this.heard("synced", {id});
  }

  async status(more = {}) {
    this.tellTo("status", more);
    return this.heard("status");
  }

  /// Connects, and gives the error, empty if there is none.
  async connect() {
    this.tellTo("connect");
    return (await this.heard("connected")).error;
  }

  /// Destroys the client wherever it is, and expects the program to end properly.
  async end() {
    this.child.stdin.end();
    const [code, signal] = await within(patience, "the client to end", this.exited);
    assert.equal(signal ?? code, 0, "the client's end");
  }
}

/// A Socket.IO client of ours.
export class Client extends Driven {
  constructor(url, options = {}) {
    super("HAWSER_CLIENT_PROGRAM", {url, ...options});
  }

  emit(name, ...args) {
    this.tellTo("emit", {name, args});
  }
  emitIn(nsp, name, ...args) {
    this.tellTo("emit", {nsp, name, args});
  }

  /// Emits, and gives what is acknowledged: {error, args}.
  async ask(name, args = [], more = {}) {
    const id = ++this.asked;
    this.tellTo("ask", {id, name, args, timeout: patience, ...more});
    return this.heard("answer", {id});
  }

  /// The one argument of the acknowledgement.
  async answerTo(name, ...args) {
    const {error, args: got} = await this.ask(name, args);
    assert.equal(error, "", name);
    return got[0];
  }

  /// Asks in vain for what must not have come: what was sent before has arrived by then.
  async settle(nsp = "/") {
    const {error, args} = await this.ask("message-with-ack", ["settled"], {nsp});
    assert.deepEqual([error, args], ["", ["settled"]]);
  }

  /// The arguments of all events of a name up to now.
  events(name, nsp = "/") {
    return this.told("event", {name, nsp}).map((line) => line.args);
  }

  async event(name, nsp = "/") {
    return (await this.heard("event", {name, nsp})).args;
  }
}

/// A raw WebSocket client of ours.
export class RawClient extends Driven {
  constructor(url, options = {}) {
    super("HAWSER_RAW_CLIENT_PROGRAM", {url, ...options});
  }

  send(data) {
    this.tellTo("send", {data});
  }
  async message() {
    return (await this.heard("message")).data;
  }
}

/// Runs `body` with a client that is gone afterwards.
export async function withClient(client, body) {
  try {
    await body(client);
    await client.end();
  } finally {
    client.child.kill("SIGKILL");
  }
}

/// Forwards connections to a port, until it is told otherwise.
export class Relay {
  static async to(port) {
    const relay = new Relay(port);
    relay.server.listen(0, "127.0.0.1");
    await once(relay.server, "listening");
    relay.url = `http://127.0.0.1:${relay.server.address().port}`;
    return relay;
  }

  constructor(port) {
    this.lines = new Set();
    this.refuses = false;
    this.deaf = false;
    this.fits = () => true;  // what doesn't ends its connection
    this.unfit = 0;
    this.server = net.createServer((near) => {
      if (this.refuses) return near.destroy();
      const line = {near, far: this.deaf ? null : net.connect(port, "127.0.0.1"), silent: this.deaf, polls: false};
      this.lines.add(line);
      this.forward(line, near, () => line.far);
      if (line.far) this.forward(line, line.far, () => near);
    });
  }

  forward(line, source, sink) {
    source.setNoDelay(true);
    source.on("data", (data) => {
      if (line.silent) return;
      const text = data.toString("latin1");
      if (!this.fits(text)) {
        ++this.unfit;
        line.near.destroy();
        return line.far.destroy();
      }
      line.polls = source === line.near && /^GET .*transport=polling.*sid=/.test(text);
      sink().write(data);
    });
    source.on("end", () => line.silent || sink().end());
    source.on("error", () => line.silent || sink().destroy());
    source.on("close", () => line.near.destroyed && (!line.far || line.far.destroyed) && this.lines.delete(line));
  }

  /// Waits until a poll is under way: then a server knows at once when it is cut.
  polled() {
    return until("a poll", () => [...this.lines].some((line) => line.polls && !line.near.destroyed), Boolean);
  }

  /// Ends all connections; with `refuse` there are none until `accept`.
  cut(refuse = false) {
    this.refuses = refuse;
    for (const {near, far} of this.lines) {
      near.destroy();
      far?.destroy();
    }
  }
  accept() {
    this.refuses = false;
  }

  /// Lets nothing pass any more, not even the end of a connection, until `heal`, which is for new
  /// ones only.
  silence() {
    this.deaf = true;
    for (const line of this.lines) line.silent = true;
  }
  heal() {
    this.deaf = false;
    for (const line of this.lines) if (!line.far) line.near.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

/// Asks until the answer pleases; gives it.
export async function until(what, ask, pleases) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    assert.ok(Date.now() < end, `${what}: still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// Starts the programs under test and stops them again; everything has a time limit.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {mkdtempSync, rmSync} from "node:fs";
import net from "node:net";
import {tmpdir} from "node:os";
import path from "node:path";
import WebSocket from "ws";

export const seconds = (n) => n * 1000;

/// Rejects if `promise` isn't settled in time.
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// The program that an environment variable names; without it the test fails.
export function program(variable) {
  const found = process.env[variable];
  assert.ok(found, `${variable} must name the program`);
  return found;
}

/// Starts a server that prints "listening on URL" as its first line.
export async function start(command, args, options = {}) {
  const child = spawn(command, args, {stdio: ["pipe", "pipe", "inherit"], ...options});
  const exited = once(child, "exit");
  let output = "";
  const url = await within(seconds(20), command, new Promise((resolve, reject) => {
    child.once("error", reject);
    exited.then(([code]) => reject(new Error(`${command} ended with ${code}: ${output}`)));
    child.stdout.setEncoding("utf8").on("data", (data) => {
      output += data;
      const found = /listening on (\S+)/.exec(output);
      if (found) resolve(found[1]);
    });
  })).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  exited.catch(() => {});
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid,
    child,
    output: () => output,
    /// Asks it to end, and expects it to do so properly.
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await within(seconds(15), `${command} to end`, exited).catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
      assert.equal(signal ?? code, 0, `${command} ended with ${signal ?? code}`);
    },
  };
}

/// Runs a program to its end: its exit code and what it printed.
export async function run(command, args) {
  const child = spawn(command, args, {stdio: ["ignore", "pipe", "inherit"]});
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (data) => output += data);
  try {
    const [code] = await within(seconds(90), command, once(child, "close"));
    return {code, output};
  } finally {
    child.kill("SIGKILL");
  }
}

/// A connected `ws` client: `next()` gives what arrives in its order, `closed` how it ended.
export async function connect(url, protocols = [], options = {}) {
  const socket = new WebSocket(url, protocols, {maxPayload: 1 << 28, ...options});
  const arrived = [];
  const waiting = [];
  socket.on("message", (data, isBinary) => {
    const what = isBinary ? data : data.toString();
    waiting.length ? waiting.shift()(what) : arrived.push(what);
  });
  socket.closed = new Promise((resolve) => socket.once("close", (code, reason) => {
    resolve({code, reason: reason.toString()});
  }));
  socket.next = () => within(seconds(20), `a message from ${url}`, new Promise((resolve) => {
    arrived.length ? resolve(arrived.shift()) : waiting.push(resolve);
  }));
  socket.until = async (wanted) => {
    for (;;) {
      const got = await socket.next();
      if (wanted instanceof RegExp ? wanted.test(got) : got === wanted) return got;
    }
  };
  await within(seconds(20), `connecting to ${url}`, new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (request, response) => {
      reject(Object.assign(new Error(`status ${response.statusCode}`), {status: response.statusCode}));
    });
  }));
  socket.on("error", () => {});  // the close event tells
  return socket;
}

/// Sends bytes to a port and gives what comes back until the other side ends the connection, or
/// until `enough` is found in it.
export async function raw(port, bytes, enough) {
  const socket = net.connect(port, "127.0.0.1");
  let answer = "";
  try {
    await within(seconds(15), "an answer", new Promise((resolve, reject) => {
      socket.setEncoding("latin1");
      socket.on("connect", () => socket.write(bytes));
      socket.on("data", (data) => {
        answer += data;
        if (enough && answer.includes(enough)) resolve();
      });
      socket.on("end", resolve);
      socket.on("close", resolve);
      socket.on("error", (error) => answer ? resolve() : reject(error));
    }));
  } finally {
    socket.destroy();
  }
  return answer;
}

/// A folder that is gone when the test is over.
export function temporary(t) {
  const folder = mkdtempSync(path.join(tmpdir(), "hawser-"));
  t.after(() => rmSync(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200}));
  return folder;
}

// Headless Chromium over its debugging protocol, as little of it as the tests need.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import path from "node:path";
import WebSocket from "ws";
import {seconds, within} from "./support.mjs";

/// Starts a browser that ends with the test.
export async function browser(t) {
  const profile = mkdtempSync(path.join(tmpdir(), "hawser-"));
  const child = spawn(process.env.HAWSER_CHROMIUM ?? "chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US",
    "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank",
  ], {stdio: ["ignore", "ignore", "pipe"], detached: true});  // a group of its own, with all its helpers
  const exited = once(child, "exit").catch(() => {});
  t.after(async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {}  // has ended already
    await exited;
    try {  // its helpers may still be writing
      rmSync(profile, {recursive: true, force: true, maxRetries: 20, retryDelay: 200});
    } catch (error) {
      console.error(`left behind: ${error.message}`);
    }
  });
  let said = "";
  const url = await within(seconds(60), "chromium", new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`chromium ended with ${code}: ${said}`)));
    child.stderr.setEncoding("utf8").on("data", (data) => {
      said += data;
      const found = /DevTools listening on (\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
  }));
  const wire = new WebSocket(url, {maxPayload: 1 << 28});
  await within(seconds(20), url, once(wire, "open"));
  let next = 1;
  const calls = new Map();
  const sessions = new Map();
  wire.on("message", (data) => {
    const {id, result, error, method, params, sessionId} = JSON.parse(data);
    if (id === undefined) return sessions.get(sessionId)?.(method, params);
    const {resolve, reject} = calls.get(id);
    calls.delete(id);
    error ? reject(new Error(error.message)) : resolve(result);
  });
  const call = (method, params = {}, sessionId = undefined) => within(seconds(30), method, new Promise((resolve, reject) => {
    calls.set(next, {resolve, reject});
    wire.send(JSON.stringify({id: next++, method, params, sessionId}));
  }));

  return {
    /// A tab with cookies and storage of its own. `complaints` collects what the page got wrong.
    async tab({width = 1100, height = 720, mobile = false, dark = false} = {}) {
      const {browserContextId} = await call("Target.createBrowserContext");
      const {targetId} = await call("Target.createTarget", {url: "about:blank", browserContextId, width, height});
      const {sessionId} = await call("Target.attachToTarget", {targetId, flatten: true});
      const send = (method, params) => call(method, params, sessionId);
      const complaints = [];
      sessions.set(sessionId, (method, params) => {
        if (method === "Runtime.exceptionThrown") {
          complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
        } else if (method === "Log.entryAdded" && params.entry.level === "error") {
          complaints.push(params.entry.text);
        }
      });
      await send("Page.enable");
      await send("Runtime.enable");
      await send("Log.enable");
      await send("Emulation.setDeviceMetricsOverride", {width, height, mobile, deviceScaleFactor: mobile ? 2 : 1});
      await send("Emulation.setFocusEmulationEnabled", {enabled: true});
      await send("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme", value: dark ? "dark" : "light"}]});

      const tab = {
        complaints,
        open: (where) => send("Page.navigate", {url: where}),
        /// The value of an expression in the page.
        async value(expression) {
          const {result, exceptionDetails} = await send("Runtime.evaluate", {expression, returnByValue: true, awaitPromise: true});
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
          return result.value;
        },
        /// Asks until the answer is as wanted.
        async until(expression, wanted = true, ms = seconds(15)) {
          const end = Date.now() + ms;
          for (;;) {
            const value = await tab.value(expression).catch((error) => error.message);
            if (value === wanted) return;
            if (Date.now() > end) {
              await tab.screenshot("failed.png");
              assert.equal(value, wanted, expression);
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        },
        /// Types into what has the focus.
        type: (text) => send("Input.insertText", {text}),
        async press(key, windowsVirtualKeyCode, text) {
          const event = {key, code: key, windowsVirtualKeyCode, text};
          await send("Input.dispatchKeyEvent", {type: "keyDown", ...event});
          await send("Input.dispatchKeyEvent", {type: "keyUp", ...event});
        },
        enter: () => tab.press("Enter", 13, "\r"),
        async click(selector) {
          const {x, y} = await tab.value(`(() => {
            const box = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
            return {x: box.x + box.width / 2, y: box.y + box.height / 2};
          })()`);
          for (const type of ["mousePressed", "mouseReleased"]) {
            await send("Input.dispatchMouseEvent", {type, x, y, button: "left", clickCount: 1});
          }
        },
        /// A PNG in the folder that HAWSER_OUT names.
        async screenshot(name) {
          const folder = path.join(process.env.HAWSER_OUT ?? profile, "screenshots");
          mkdirSync(folder, {recursive: true});
          const {data} = await send("Page.captureScreenshot", {format: "png"});
          const bytes = Buffer.from(data, "base64");
          writeFileSync(path.join(folder, name), bytes);
          return bytes;
        },
      };
      return tab;
    },
  };
}

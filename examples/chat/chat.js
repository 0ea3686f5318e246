// The page's side of the chat. The events are described at the top of chat.cpp. Whatever people
// wrote reaches the page as text nodes only.

import {io} from "./socket.js";

const at = Object.fromEntries([...document.querySelectorAll("[id]")].map((e) => [e.id, e]));
const maxLines = 500;
const typingLasts = 4000;  // ms; whoever types says so every 2 s

// -- small helpers ---------------------------------------------------------------------------

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function hue(name) {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) >>> 0;
  return (hash * 137) % 360;
}

function face(name) {
  const made = element("span", "face", [...name][0].toUpperCase());
  made.style.setProperty("--hue", hue(name));
  made.ariaHidden = "true";
  return made;
}

// Private windows may have no storage.
function stored(storage, key, value) {
  try {
    if (value !== undefined) storage().setItem(key, value);
    return storage().getItem(key) ?? "";
  } catch {
    return value ?? "";
  }
}
const session = (key, value) => stored(() => sessionStorage, `chat.${key}`, value);
const forever = (key, value) => stored(() => localStorage, `chat.${key}`, value);

// -- what is known ---------------------------------------------------------------------------

const rooms = new Set(["lobby", "games", "music"]);
let room = roomInAddress();
let wish = session("name");  // the nickname asked for; the server may add a number
let me = "";
let people = new Set();
const typists = new Map();  // name: when it no longer counts
let unread = 0;

function roomInAddress() {
  try {
    return [...decodeURIComponent(location.hash.slice(1)).trim()].slice(0, 20).join("") || "lobby";
  } catch {
    return "lobby";
  }
}

// -- the connection --------------------------------------------------------------------------

const socket = io();  // comes back by itself, after a while of 1 s and later of 5 s
let failures = 0;

function lost() {
  me = "";
  setPeople([]);
  refreshSend();
  const now = element("button", "", "Try now");
  now.onclick = () => {
    again();
    at.text.focus();
  };
  show("waiting", ...(failures++ < 2 ? ["Reconnecting…"] : ["Offline", now]));
}

function again() {
  if (socket.connected) return;
  show("connecting", "Connecting…");
  socket.disconnect().connect();  // now, not when the next attempt is due
}

function show(state, ...content) {
  at.state.dataset.state = state;
  at.state.replaceChildren(...content);
}

function enter() {
  if (!socket.connected) return;
  if (!wish) return show("ready", "Connected");
  socket.emit("enter", wish, room, (answer) => answer.sorry ? note(answer.sorry) : welcome(answer));
}

function welcome(answer) {
  failures = 0;
  room = answer.room;
  me = answer.name;
  show("online", "Online");
  typists.clear();
  setPeople([me, ...answer.people]);
  showRooms();
  refreshSend();
}

socket.on("connect", enter);
socket.on("disconnect", lost);
socket.on("connect_error", lost);
addEventListener("online", again);

socket.on("joined", (name) => {
  setPeople([...people, name]);
  note(`${name} joined`);
});
socket.on("left", (name) => {
  typists.delete(name);
  setPeople([...people].filter((one) => one !== name));
  note(`${name} left`);
});
socket.on("said", (name, text) => {
  typists.delete(name);
  said(name, text);
  showTyping();
});
socket.on("typing", (name) => {
  typists.set(name, Date.now() + typingLasts);
  showTyping();
});

// -- the conversation ------------------------------------------------------------------------

function append(line) {
  const log = at.log;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(line);
  while (log.childElementCount > maxLines) log.children[1].remove();  // the first is #empty
  if (atEnd || line.classList.contains("mine")) {
    log.scrollTop = log.scrollHeight;
  } else {
    at.newer.hidden = false;
  }
}

function note(text) {
  append(element("p", "note", text));
}

function said(name, text) {
  const last = at.log.lastElementChild;
  const now = new Date();
  const follows = last.dataset.name === name && now - last.dataset.at < 120000;
  const time = element("time", "", now.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"}));
  time.dateTime = now.toISOString();
  const line = element("article", `said${name === me ? " mine" : ""}${follows ? " more" : ""}`, face(name),
                       element("header", "", element("span", "name", name), time),
                       element("div", "text", text));
  line.style.setProperty("--hue", hue(name));
  line.dataset.name = name;
  line.dataset.at = follows ? last.dataset.at : +now;
  append(line);
  if (document.hidden) document.title = `(${++unread}) Hawser chat`;
}

at.log.addEventListener("scroll", () => {
  if (at.log.scrollHeight - at.log.scrollTop - at.log.clientHeight < 80) at.newer.hidden = true;
});
at.newer.onclick = () => at.log.scrollTo({top: at.log.scrollHeight, behavior: "smooth"});
new ResizeObserver(() => at.newer.hidden && (at.log.scrollTop = at.log.scrollHeight)).observe(at.log);
addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = "Hawser chat";
});

// -- who is here, who is typing --------------------------------------------------------------

function setPeople(names) {
  people = new Set(names);
  const others = [...people].filter((name) => name !== me).sort((a, b) => a.localeCompare(b));
  at.people.replaceChildren(...[...(me ? [me] : []), ...others].map((name) => {
    const line = element("li", name === me ? "self" : "", face(name), element("span", "", name));
    line.dataset.name = name;
    return line;
  }));
  at.count.textContent = people.size;
  at.crowd.textContent = people.size === 0 ? "" : people.size === 1 ? "just you" : `${people.size} people`;
  at.me.replaceChildren(...(wish ? [face(me || wish), element("span", "", me || wish)] : []));
  showTyping();
}

function showTyping() {
  const now = Date.now();
  for (const [name, until] of typists) if (until < now) typists.delete(name);
  for (const line of at.people.children) line.classList.toggle("typing", typists.has(line.dataset.name));
  const names = [...typists.keys()];
  const text = names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} is typing…`
    : names.length <= 3 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing…`
    : "Several people are typing…";
  if (at.typing.dataset.text === text) return;
  at.typing.dataset.text = text;
  const dots = element("span", "dots", element("i"), element("i"), element("i"));
  at.typing.replaceChildren(...(text ? [dots, text] : []));
}
setInterval(showTyping, 500);

// -- rooms -----------------------------------------------------------------------------------

function showRooms() {
  rooms.add(room);
  at.room.textContent = room;
  at.text.placeholder = `Message #${room}`;
  at.rooms.replaceChildren(...[...rooms].map((name) => {
    const button = element("button", "", name);
    if (name === room) button.ariaCurrent = "true";
    button.onclick = () => go(name);
    return element("li", "", button);
  }));
}

function go(name) {
  openSide(false);
  if (name !== room) location.hash = encodeURIComponent(name);
  at.text.focus();
}

addEventListener("hashchange", () => {
  const next = roomInAddress();
  if (next === room) return;
  room = next;
  at.log.replaceChildren(at.empty);
  at.newer.hidden = true;
  showRooms();
  enter();
});

at["new-room"].onsubmit = (event) => {
  event.preventDefault();
  const name = event.target.room.value.trim();
  event.target.reset();
  if (name) go(name);
};

function openSide(open) {
  document.body.classList.toggle("side-open", open);
  at.menu.ariaExpanded = String(open);
}
at.menu.onclick = () => openSide(true);
at.shade.onclick = () => openSide(false);
addEventListener("keydown", (event) => event.key === "Escape" && openSide(false));

// -- saying something ------------------------------------------------------------------------

let saidTyping = 0;

function refreshSend() {
  at.send.disabled = !me || at.text.value.trim() === "";
}

at.text.oninput = () => {
  at.text.style.height = "auto";
  at.text.style.height = `${at.text.scrollHeight + 2}px`;
  refreshSend();
  if (!at.text.value || !me || Date.now() - saidTyping < 2000) return;
  saidTyping = Date.now();
  socket.emit("typing");
};

at.text.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at.composer.requestSubmit();
};

// What can't be sent stays in the box.
at.composer.onsubmit = (event) => {
  event.preventDefault();
  const text = at.text.value.trim();
  if (!me || !text) return;
  socket.emit("say", text);
  at.text.value = "";
  at.text.style.height = "";
  saidTyping = 0;
  refreshSend();
  at.text.focus();
};

// -- the nickname ----------------------------------------------------------------------------

function askName() {
  openSide(false);
  at.nick.value = wish || forever("name");
  at.hello.showModal();
  at.nick.select();
}
at.me.onclick = askName;
at.hello.oncancel = (event) => wish || event.preventDefault();  // Escape keeps the old one
at.hello.querySelector("form").onsubmit = (event) => {
  const name = at.nick.value.replace(/\s+/g, " ").trim();
  if (!name) return event.preventDefault();
  if (name !== wish || !me) {
    wish = session("name", forever("name", name));
    enter();
  }
};
at.hello.onclose = () => at.text.focus();

showRooms();
setPeople([]);
if (!wish) askName();

// The host of the page's widgets. It joins them to their kernel, and again whenever the line or the
// kernel is lost: the widgets stay on the page with all that was typed in them.
// Models hear "pcn:disconnected" and "pcn:reconnected". What they send in between is dropped: only
// the kernel's answer is proof.

const root = document.documentElement;
const { pcnBase: base, pcnRoot: home } = root.dataset;
const hex = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const session = hex();
const find = (selector) => document.querySelector(selector);
const models = new Map(); // by the id that the page came with
const modules = new Map(); // by source text
const styles = new Set();
let views = []; // the places of the widgets, in the page's order
let place = null; // {kernel, ids}: where the models live now; null when that kernel is gone
let link = null; // the open line to that kernel; null while there is none
/** @type {(value?: unknown) => void} */
let wake = () => {}; // ends the pause before the next attempt
const FORGOTTEN = 4408; // the server's last word to pages that nobody used
let over = false;
let closed = false; // the server has ended, because nobody used it: it is opened again when asked
let wanted = false; // somebody has asked
let opening = 0; // since when we try to open the server again; 0 when we do not
const HURRY = 5000;
const MUTE = 4000; // ms in which a websocket has brought something
let polling = null; // what replaces websockets where they are blocked, once it was needed
let poll = false; // the next line is made of plain requests
let cuts = 0; // websockets in a row that were cut within a minute
let isNew = true; // nothing ever came from the kernel
let longest = HURRY; // the longest pause between two attempts; more when the hub has much to do

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Model {
  comm;
  changed = {};
  listeners = {};
  constructor(state) {
    this.state = state;
  }
  get(key) {
    return this.state[key];
  }
  set(key, value) {
    this.changed[key] = value;
    this.update({ [key]: value });
  }
  save_changes() {
    this.post({ method: "update", state: this.changed, buffer_paths: [] });
    this.changed = {};
  }
  send(content) {
    this.post({ method: "custom", content });
  }
  post(data) {
    link?.ask("comm_msg", { comm_id: this.comm, data });
  }
  on(names, listener) {
    for (const name of names.split(" ")) (this.listeners[name] ??= new Set()).add(listener);
  }
  off(names, listener) {
    for (const name of names?.split(" ") ?? Object.keys(this.listeners)) {
      if (listener) this.listeners[name]?.delete(listener);
      else delete this.listeners[name];
    }
  }
  trigger(name, ...values) {
    for (const listener of [...(this.listeners[name] ?? [])]) {
      try {
        listener(...values);
      } catch (error) {
        console.error(error);
      }
    }
  }
  update(state) {
    const news = Object.keys(state).filter((key) => state[key] !== this.state[key]);
    Object.assign(this.state, state);
    for (const key of news) this.trigger(`change:${key}`, this, state[key]);
    if (news.length) this.trigger("change", this);
  }
  read({ method, state, content }) {
    if (method === "update") this.update(state);
    if (method === "custom") this.trigger("msg:custom", content, []);
  }
}

// One websocket to one kernel, or what replaces it, with a comm that asks for all widgets' states.
class Link {
  mute = true; // nothing came on it
  poll = poll;
  began = Date.now();
  heard = this.began;
  asked = 0; // when we began to wait for a sign of life; 0 when we do not wait
  unsent = 0;
  watching = false;
  control = hex();
  constructor(kernel) {
    const url = new URL(`${base}api/kernels/${kernel}/channels?session_id=${session}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.kernel = kernel;
    this.socket = new (poll ? polling.PollingSocket : WebSocket)(url);
    if (!poll) setTimeout(() => this.listen(), MUTE);
    this.opened = new Promise((resolve) => {
      this.isOpen = resolve;
    });
    this.states = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      setTimeout(reject, 20000, "no answer");
    });
    this.socket.onopen = () => {
      const to = { comm_id: this.control };
      // Without this version the kernel refuses silently.
      this.ask("comm_open", { ...to, target_name: "jupyter.widget.control", data: {} }, { version: "1.0.0" });
      this.ask("comm_msg", { ...to, data: { method: "request_states" } });
      this.isOpen(true);
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.read(JSON.parse(data));
    };
    this.socket.onclose = ({ code }) => {
      closed ||= code === FORGOTTEN;
      this.end(false);
    };
  }
  ask(msg_type, content, metadata = {}) {
    if (this.socket.readyState !== 1) return;
    this.asked ||= Date.now();
    const header = { msg_id: hex(), msg_type, username: "", session, date: new Date().toISOString(), version: "5.3" };
    this.socket.send(JSON.stringify({ channel: "shell", header, parent_header: {}, metadata, content, buffers: [] }));
  }
  // Filters swallow what a socket sends, and say nothing.
  async listen() {
    if (!this.mute || this.socket.readyState > 1) return;
    const state = await life(this.kernel, 3000);
    if (!this.mute || /busy|starting/.test(state)) return;
    if (state === "unreachable") await away(0);
    this.end(state === "gone");
  }
  read({ header, content }) {
    this.mute = isNew = false;
    this.heard = Date.now();
    this.asked = 0;
    if (header.msg_type === "pcn_quiet") this === link && warn(content.seconds);
    if (header.msg_type === "status" && /restarting|dead/.test(content.execution_state)) this.end(true);
    if (header.msg_type !== "comm_msg") return;
    if (content.comm_id === this.control) this.resolve(content.data.states);
    else if (this === link) models.forEach((model) => model.comm === content.comm_id && model.read(content.data));
  }
  end(gone) {
    this.socket.onclose = null;
    this.socket.close();
    this.isOpen(false);
    this.reject("closed");
    if (this !== link) return;
    link = null;
    cuts = !this.poll && !this.mute && Date.now() - this.began < 60000 ? cuts + 1 : 0;
    poll = !this.poll && (this.mute || cuts > 2);
    if (gone) place = null; // a kernel that died comes back empty, so its id is never used again
    models.forEach((model) => model.trigger("pcn:disconnected"));
    join().then(() => models.forEach((model) => model.trigger("pcn:reconnected")));
  }
  // A line that is cut neither fails nor closes, so silence is looked into.
  async watch() {
    if (this.socket.readyState > 1) return this.end(false);
    const now = Date.now();
    const { bufferedAmount } = this.socket;
    if (this.asked && bufferedAmount !== this.unsent) this.asked = now; // a long text is going out
    this.unsent = bufferedAmount;
    if (!this.asked && now - this.heard > 15000) this.ask("kernel_info_request", {});
    if (!this.asked || now - this.asked < 5000 || this.watching) return;
    this.watching = true;
    const state = await life(this.kernel);
    this.watching = false;
    if (!this.asked || this !== link) return;
    const patience = state === "unreachable" ? 0 : state === "busy" ? 120000 : 20000;
    if (state === "gone" || Date.now() - this.asked > patience) this.end(state === "gone");
  }
}

// Asks the server: a kernel at work answers nobody.
async function life(kernel, limit = 4000) {
  try {
    const answer = await get(`${base}api/kernels/${kernel}`, limit, "application/json");
    // A filter answers with a page of its own. Who is signed out is sent a page, too.
    if (answer.status === 403 && !/json/.test(answer.headers.get("Content-Type"))) return "unreachable";
    return answer.ok && !answer.redirected ? (await answer.json()).execution_state : "gone";
  } catch {
    return "unreachable";
  }
}

// In this mode a hub sends us its own pages, too, and passes us on as it does a visitor.
function get(url, limit, Accept = "text/html") {
  return fetch(url, { mode: "no-cors", headers: { Accept }, cache: "no-store", signal: AbortSignal.timeout(limit) });
}

// The kernel and the models that a page names; nothing when the page is not whole.
function read(page) {
  const kernel = page.getElementById("pcn-end")?.dataset.kernel;
  return kernel && { kernel, ids: [...page.querySelectorAll(".pcn-widget")].map((view) => view.dataset.model) };
}

async function fetchPolling() {
  return (polling ??= await Promise.race([
    import(`./polling.js?${Date.now()}`),
    new Promise((_, reject) => {
      setTimeout(reject, 2000, "late");
    }),
  ]));
}

async function askForPlace(tries) {
  const answer = await get(location.href.split("#")[0], 100000);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = read(page);
  if (found?.ids.length === views.length) return found;
  if (found) {
    over = true;
    tell("This page has changed. Load it again: your text is kept on this device.");
  } else await explain(answer, page, tries);
  throw new Error("No page to join.");
}

// Says what came in place of the page. A server that is gone is opened again through the hub: by
// itself, as soon as somebody looks at this page.
async function explain({ status, redirected, url }, page, tries) {
  const start = page.getElementById("start")?.href; // on the hub's page for a server that isn't there
  const pending = redirected && url.includes("/spawn-pending/");
  if (status === 429) longest = 15000;
  if (status === 429) return tell(`Many are opening the course just now. This page goes on trying by itself. ${KEPT}`);
  if (start && document.hidden && !wanted) {
    return tell(`Your course has closed. It is opened again when you come back to this page. ${KEPT}`, AGAIN, reopen);
  }
  if (start || pending) {
    opening ||= Date.now();
    const long = Date.now() - opening > 20000 || status >= 500;
    if (long)
      tell(`Your course had closed, and opening it again takes long. This page goes on trying. ${KEPT}`, AGAIN, reopen);
    else tell(`Your course had closed. It is being opened again. ${KEPT}`);
    if (!start) return;
    const began = await get(start, 30000);
    if (began.status >= 400) longest = began.status === 429 ? 15000 : 60000;
  } else if (status < 400 && redirected) {
    tell(`You are signed out. Sign in again, then come back to this page. ${KEPT}`, "Sign in again", base);
  } else if (status >= 400) {
    unreached(tries);
  }
}

function reopen() {
  wanted = true;
  opening = 0;
  wake();
}

// Join the models to a kernel: the one they had if it lives, else that of a fresh copy of this page.
// It goes on until it succeeds.
async function join() {
  let tries = 0;
  for (let pause = 250; !over; pause = Math.min(2 * pause, longest)) {
    let next;
    tries += 1;
    longest = HURRY;
    while (closed && !wanted) {
      place = null;
      tell(
        `Your course was closed, because nobody had used it for a long time. What was saved is there. ${KEPT}`,
        AGAIN,
        reopen,
      );
      await new Promise((resume) => {
        wake = resume;
      });
    }
    try {
      place ??= await askForPlace(tries);
      if (poll) await fetchPolling();
      next = new Link(place.kernel);
      const states = await next.states;
      if (!place.ids.every((id) => states[id])) throw new Error("No such widgets.");
      views.forEach((view, index) => {
        const id = place.ids[index];
        if (!models.has(view.dataset.model)) models.set(view.dataset.model, new Model(states[id].state));
        models.get(view.dataset.model).comm = id;
      });
      link = next;
      root.dataset.pcnKernel = place.kernel;
      closed = wanted = false;
      opening = 0;
      warn(0);
      return;
    } catch (error) {
      next?.end(false);
      console.info("Again:", error);
      const failed = /TypeError|TimeoutError/.test(error instanceof Error ? error.name : ""); // the request itself, not its answer
      const state = place ? await life(place.kernel) : failed && "unreachable";
      const lost = state === "unreachable";
      const mute = place && !lost && state !== "gone" && (!next || next.mute); // it lives, and we hear nothing
      if (lost || (mute && poll && !next?.socket.passed)) await away(tries, mute);
      poll = mute && !poll;
      if (!lost && (!mute || tries % 8 === 0)) place = null;
    }
    await new Promise((resume) => {
      wake = resume;
      // Not all at once: when a class lost its servers, all of its pages are here.
      setTimeout(resume, pause * (0.5 + Math.random()));
    });
  }
  return new Promise(() => {});
}

// A page that names its widget's code need not wait for what the kernel says of it: the code comes
// while the line opens, and the widget's first question follows at once. False when that can't be.
async function hasten() {
  const { href } = find("link[rel=modulepreload]") ?? {};
  if (!href || views.length !== 1) return false;
  const next = new Link(place.kernel);
  const said = next.states.catch(() => ({}));
  const [code, open] = await Promise.all([import(href).catch(console.info), next.opened]);
  if (!code || !open) {
    next.end(false);
    poll = !open;
    return false;
  }
  const [id] = place.ids;
  const model = new Model({});
  model.comm = id;
  models.set(id, model);
  link = next;
  root.dataset.pcnKernel = place.kernel;
  said.then((states) => {
    if (link !== next || states[id]) return;
    place = null;
    next.end(false);
  });
  await code.render({ model, el: views[0], signal: new AbortController().signal, experimental: {} });
  return true;
}

async function show(view) {
  const model = models.get(view.dataset.model);
  const css = model.get("_css");
  if (css && !styles.has(css)) {
    styles.add(css);
    document.head.append(make("style", {}, css));
  }
  const esm = model.get("_esm");
  if (!modules.has(esm)) {
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    modules.set(
      esm,
      import(url).finally(() => URL.revokeObjectURL(url)),
    );
  }
  const made = (await modules.get(esm)).default;
  const context = { model, signal: new AbortController().signal, experimental: {} };
  model.widget ??= (async () => {
    const widget = typeof made === "function" ? await made() : made;
    await widget.initialize?.(context);
    return widget;
  })();
  await (await model.widget).render?.({ ...context, el: view });
}

const KEPT = "Your text is kept here.";
const AWAY = `Your course can't be reached just now. This page goes on trying by itself. ${KEPT}`;
const AGAIN = "Open the course again";
// A page with a status line says it there: a note would move the field in which somebody types.
const unreached = (tries) => (isNew || (tries > 4 && !find(".pcn-status"))) && tell(AWAY);
async function away(tries, sure) {
  const words = await fetchPolling().then(
    (file) => file.blocked(sure),
    () => "",
  );
  if (words) tell(words + (models.size ? KEPT : "Nothing was changed."));
  else unreached(tries);
}
// It stays in sight, wherever on the page somebody is.
const note = make("p", { class: "pcn-note pcn-open", role: "alert", style: "position:sticky;top:.5rem;z-index:9" });
// Words, and one thing to do: a button, or a link that opens a tab of its own.
function tell(words, label = "", act) {
  const said = words + label;
  if (note.dataset.said === said) return;
  note.dataset.said = said;
  const held = note.contains(document.activeElement);
  note.replaceChildren(words);
  root.style.scrollPaddingTop = words && "9rem"; // what has the focus is not covered by it
  if (label) {
    const what = { class: "pcn-button", style: "margin-inline-start:.75rem" };
    const button =
      typeof act === "string"
        ? make("a", { ...what, href: act, target: "_blank" }, label)
        : make("button", { ...what, type: "button" }, label);
    if (typeof act !== "string") button.onclick = act;
    note.append(button);
  }
  const main = find("main");
  if (words) main.prepend(note);
  else note.remove();
  // The keyboard goes on from here, and not from the top of the page.
  if (held) (note.querySelector(".pcn-button") ?? main).focus({ preventScroll: true });
}

// The server says that it will close, because nobody uses it; 0: somebody does again.
let until = "";
function warn(seconds) {
  if (!seconds) return ((until = ""), tell(""));
  until ||= new Date(Date.now() + 1000 * seconds).toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  tell(
    `Nobody has used this page for a long time. Your course closes at ${until}; what was saved stays.`,
    "I am still here",
    () => link?.ask("pcn_here", {}),
  );
}

function fail() {
  if (over) return;
  over = true;
  if (document.readyState === "loading") window.stop();
  root.dataset.pcn = "failed";
  const words = find("#pcn-failed");
  if (words) find(".pcn-loading").replaceWith(words.content);
  else wait("This page did not arrive whole. Load it again.");
}

function wait(words) {
  const line = find(".pcn-loading");
  if (line) line.textContent = words;
}

// This may run when the page has only begun to arrive.
async function start() {
  root.dataset.pcn = "loading";
  const timers = [
    [8, "Still getting ready. The first page after a start takes a little longer."],
    [30, "This takes longer than usual. You can wait: nothing is lost."],
    [90, ""],
  ].map(([seconds, words]) =>
    setTimeout(() => note.isConnected || (words ? wait(words) : fail()), 1000 * Number(seconds)),
  );
  if (document.readyState === "loading") {
    await new Promise((resume) => document.addEventListener("DOMContentLoaded", resume));
  }
  try {
    place = read(document);
    if (!place) throw new Error("The page did not arrive whole.");
    views = [...document.querySelectorAll(".pcn-widget")];
    if (views.length && !(await hasten())) {
      await join();
      await Promise.all(views.map(show));
    }
    find(".pcn-loading").remove();
    root.dataset.pcn = "ready";
  } catch (error) {
    console.error(error);
    fail();
  }
  timers.forEach(clearTimeout);
}

// The header's steps and the line above the title, from what the form says.
function drawSteps({ steps, step, due, overdue }) {
  if (!steps?.length) return;
  const here = steps.find(({ path }) => decodeURI(location.pathname).endsWith(`/${path}`));
  const nav = find(".pcn-steps");
  const at = nav.contains(document.activeElement) && document.activeElement.getAttribute("href");
  nav.hidden = false;
  nav.replaceChildren(
    make(
      "ol",
      {},
      ...steps.map((one) => {
        const done = /submitted|feedback/.test(one.state);
        return make(
          "li",
          {},
          make(
            "a",
            {
              href: home + one.path,
              title: one.short,
              "aria-label": `Step ${one.number}, ${one.short}: ${one.state.replace("-", " ")}`,
              "aria-current": one === here && "page",
              class: done && "pcn-done",
            },
            done ? "✓" : one.number,
          ),
        );
      }),
    ),
  );
  if (at) nav.querySelector(`[href="${CSS.escape(at)}"]`)?.focus();
  const line = find(".pcn-main > .pcn-eyebrow");
  if (!line || !here) return;
  const day = new Date(due);
  /** @type {Intl.DateTimeFormatOptions} */
  const format = { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" };
  line.textContent = [
    `Step ${here.number} of ${steps.length}`,
    step?.minutes && `about ${step.minutes} minutes`,
    due && `${overdue ? "was due" : "due"} ${day.toLocaleString(undefined, format)}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function returned() {
  wake();
  link?.ask("kernel_info_request", {});
}
addEventListener("online", returned);
addEventListener("pageshow", returned);
document.addEventListener("visibilitychange", () => document.hidden || returned());
document.addEventListener("pcn:state", (event) => event instanceof CustomEvent && drawSteps(event.detail));
setInterval(() => link?.watch(), 2500);
start();

export {}; // a module, whose names are its own

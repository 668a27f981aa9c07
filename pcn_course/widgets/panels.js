// What the page makes of answers and shows between the questions: the map, and what the kernel
// says about them. A panel that fails is empty: it never stands in the way of writing and saving.
import { button, h } from "./controls.js";
import { makeMap } from "./map.js";

const PAUSE = 150; // ms, in which several changes are asked about once
const ACTIONS = "[data-pcn-choose], [data-pcn-copy], [data-pcn-file]";
const FILTERS = [
  ["Works by phone alone", (tool) => says(tool.phone)],
  ["Low bandwidth", (tool) => /^(none|low)$/.test(tool.bandwidth)],
  ["Not public", (tool) => tool.public === "no"],
  ["Free", (tool) => says(tool.free)],
  ["I know it", (tool) => says(tool.known)],
  ["My people use it", (tool) => says(tool.used)],
];
const REST = "[data-pcn-rest]"; // stands for the rest of a long list
const says = (value) => value === "yes";

export function guarded(act) {
  try {
    return act();
  } catch (error) {
    console.error(error);
  }
}

// `request(type, more)` asks the kernel, `requestNow` fails where that can't be; `value(key)` and `change(key, value)` are the answers;
// `prompts` by key; `open()` opens what takes people over from a list.
export function makePanels({ client, site, prompts, request, requestNow, value, change, open }) {
  const panels = [];
  let [timer, frame] = [0, 0];
  let whole = false; // long lists are there in full, since someone has opened one

  // The panels after the prompt `key`, as elements. `level`: of their headings.
  function after(all, key, level) {
    return (all ?? [])
      .filter((one) => one.after === key)
      .map((one) => {
        const panel = { ...one, html: "", body: h("div", { class: "pcn-made" }) };
        const id = `${client}-${one.kind}-${one.after}`;
        panel.head = h("h" + level, { id, tabindex: "-1" }, one.title);
        panel.said = h("p", { class: "pcn-said", role: "status" });
        panel.top = h("div");
        panel.el = h(
          "section",
          { class: `pcn-card pcn-panel pcn-panel-${one.kind}`, "aria-labelledby": id },
          panel.head,
          panel.top,
          panel.body,
          panel.said,
        );
        panel.el.addEventListener("click", (event) => {
          const on = event.target.closest(ACTIONS);
          if (on) guarded(() => act(panel, on, on.dataset));
        });
        panel.body.addEventListener(
          "toggle",
          ({ target }) => target.open && target.querySelector(REST) && fetch(),
          true,
        );
        guarded(() => begin(panel, id));
        panels.push(panel);
        if (panel.map) edited(panel.keys[0]);
        return panel.el;
      });
  }

  function begin(panel, id) {
    const { kind, people = "people", ties = "ties" } = panel;
    if (kind === "import") {
      panel.top.append(button("Take people over from a list (CSV)", open));
    }
    if (kind === "network" && prompts.get(people)) {
      panel.keys = [people, ties];
      panel.map = makeMap({ id: id + "-map", people: prompts.get(people), ties: prompts.get(ties), site });
      panel.top.append(panel.map.el);
    }
  }

  // An answer is another one: it is on the map in this very frame.
  function edited(key) {
    const hit = panels.filter((one) => one.map && one.keys.includes(key));
    if (!hit.length || frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      for (const { map, keys } of hit) guarded(() => map.set(...keys.map((one) => value(one) ?? [])));
    });
  }

  function look() {
    if (!panels.some(({ kind }) => kind !== "import")) return;
    clearTimeout(timer);
    timer = setTimeout(() => guarded(() => request("look", { whole })), PAUSE);
  }

  function fetch() {
    if (!whole) (whole = true), look();
  }

  function show(html) {
    for (const panel of panels) {
      const text = html[panel.kind];
      if (typeof text === "string" && text !== panel.html) guarded(() => fill(panel, text));
    }
  }

  // The kernel escapes every word of an answer.
  function fill(panel, html) {
    const { body } = panel;
    const opened = new Map(folds(body).map((one, n) => [one.id || n, one.open]));
    const { activeElement } = document;
    const focused = body.contains(activeElement) && trace(body, activeElement);
    const template = document.createElement("template");
    template.innerHTML = html;
    folds(template.content).forEach((one, n) => {
      if (opened.has(one.id || n)) one.open = opened.get(one.id || n);
    });
    body.replaceChildren(template.content);
    panel.html = html;
    filter(panel);
    if (focused) (focused() ?? panel.head).focus({ preventScroll: true });
  }

  const folds = (el) => [...el.querySelectorAll("details")];

  // How to find an element again in what takes its place.
  function trace(body, el) {
    if (el.id) return () => body.querySelector("#" + CSS.escape(el.id));
    const fold = el.localName === "summary" ? folds(body).indexOf(el.parentElement) : -1;
    if (fold >= 0) return () => folds(body)[fold]?.querySelector("summary");
    const data = JSON.stringify(el.dataset);
    return () =>
      data !== "{}" && [...body.querySelectorAll(ACTIONS)].find((one) => JSON.stringify(one.dataset) === data);
  }

  // ---- Buttons in what the kernel says -----------------------------------------------------------

  function act(panel, on, { pcnChoose: key, pcnValue: one, pcnCopy: id, pcnFile: what }) {
    if (key) {
      const chosen = value(key) ?? [];
      const has = chosen.includes(one);
      change(key, has ? chosen.filter((other) => other !== one) : [...chosen, one]);
      on.setAttribute("aria-pressed", String(!has));
    } else if (id) {
      const from = document.getElementById(id);
      // biome-ignore lint/performance/useDomNodeTextContent: with the line breaks that are in sight
      const words = "value" in from ? String(from.value) : from.innerText;
      copy(words, panel.said, "Copied. Paste it where you want to send it.");
    } else {
      panel.said.textContent = "One moment…";
      waiting = panel;
      try {
        requestNow("file", { what });
      } catch {
        waiting = null;
        panel.said.textContent = "The connection is interrupted. Try again in a moment.";
      }
    }
  }

  let waiting;
  function file({ filename, mime, data }) {
    download(filename, mime, data);
    done(`The file “${filename}” is in your downloads.`);
  }

  // Nobody waits for a file any more.
  function done(text = "") {
    if (waiting) waiting.said.textContent = text;
    waiting = null;
  }

  // ---- Filters over a list of tools --------------------------------------------------------------

  function filter(panel) {
    const tools = [...panel.body.querySelectorAll("li.pcn-tool")];
    if (tools.length && !panel.filters) {
      panel.filters = FILTERS.map(([label, fits], n) => {
        const id = `${panel.head.id}-${n}`;
        const input = h("input", { type: "checkbox", id, onchange: () => filter(panel) });
        return { fits, input, el: h("div", { class: "pcn-option" }, input, h("label", { for: id }, label)) };
      });
      panel.count = h("p", { class: "pcn-help", role: "status" });
      panel.top.append(
        h(
          "fieldset",
          { class: "pcn-filters" },
          h("legend", { class: "pcn-label" }, "Show only what…"),
          panel.filters.map(({ el }) => el),
        ),
        panel.count,
      );
    }
    if (!panel.filters) return;
    panel.top.hidden = !tools.length;
    const on = panel.filters.filter(({ input }) => input.checked);
    for (const tool of tools) {
      tool.hidden = !on.every(({ fits }) => fits(tool.dataset));
      const fold = tool.closest("details");
      if (fold && on.length && !tool.hidden) fold.open = true; // what fits is in sight
    }
    const rest = Number(panel.body.querySelector(REST)?.dataset.pcnRest ?? 0);
    if (rest && on.length) fetch(); // what is still to come is filtered when it is here
    const text =
      rest && on.length
        ? "Loading the other tools…"
        : `${tools.filter((tool) => !tool.hidden).length + rest} of ${tools.length + rest} tools`;
    if (panel.count.textContent !== text) panel.count.textContent = text;
  }

  return { after, edited, look, show, file, done, close: () => (clearTimeout(timer), cancelAnimationFrame(frame)) };
}

// Copy `text`, and write into `said` how it went.
export async function copy(text, said, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is only the old way.
    const back = document.activeElement;
    const area = h("textarea", { class: "pcn-sr" }, text);
    (back ?? document.body).after(area);
    area.select();
    if (!document.execCommand("copy")) done = "It could not be copied: select the words and copy them yourself.";
    area.remove();
    if (back instanceof HTMLElement) back.focus();
  }
  said.textContent = done;
}

// Give the reader a file whose content came as base64.
export function download(filename, mime, data) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const href = URL.createObjectURL(new Blob([bytes], { type: mime }));
  h("a", { href, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

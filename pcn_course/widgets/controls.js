// Prompts as native controls. A control is {el, get, set, first, refresh}: its element, the value
// that it shows, showing another value, the element to focus, and, if its options can change while
// it stands there, drawing them anew. Groups bring their own legend. Tables are in lists.js.
import { move, same, wellFormed } from "./merge.js";

const MANY = 7; // options, above which a choice is a select
const LONG = 12; // options, above which several to tick are folded away
const NOTHING = "Nothing to choose from yet";
// By the first letter, as dir="auto" would do, which takes minutes for a text without line breaks.
const RIGHT_TO_LEFT = /^\P{L}*[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}]/u;

export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children.flat().filter((child) => child != null && child !== false));
  return el;
}

// ---- What fields hold ---------------------------------------------------------------------------

// Dictation, text expanders and autofill set a field and fire `change` alone, or no event at all. So
// what each field is known to hold is remembered here, and compared.
const known = new WeakMap();
const FIELDS = "textarea, select, input:not([type=file])";
const isBox = ({ type }) => type === "checkbox" || type === "radio";
const isText = (el) => !isBox(el) && el.localName !== "select";
const held = (el) => (isBox(el) ? el.checked : el.value);
const fieldsOf = (el) => [...(el.matches(FIELDS) ? [el] : []), ...el.querySelectorAll(FIELDS)];

// Remember what the fields in `el` hold: the page has set them, or has heard of it.
export const remember = (el) => fieldsOf(el).forEach((one) => known.set(one, held(one)));

// Set a field's value, as the page does.
export const put = (el, value) => ((el.value = value), remember(el));

// What a field held when it was made: what nobody has set yet is compared with that.
const made = (el) =>
  isBox(el)
    ? el.defaultChecked
    : isText(el)
      ? el.defaultValue
      : (([...el.options].find((one) => one.defaultSelected) ?? el.options[0])?.value ?? "");

// Fire the events that were left out, for each field in `el` that holds something else than is known.
export function sweep(el, except) {
  for (const one of fieldsOf(el)) {
    if (one.disabled || one === except) continue;
    const [before, now] = [known.get(one) ?? made(one), held(one)];
    known.set(one, now);
    // Of several radio buttons, the one that was chosen tells it.
    if (before === now || (one.type === "radio" && !now)) continue;
    for (const type of isText(one) ? ["input"] : ["input", "change"])
      one.dispatchEvent(new Event(type, { bubbles: true }));
  }
}

const LOOK = 2000; // ms after which a page that is in sight is swept

// Sweep `root` whenever words could be missed: when a field is left, before a click does anything,
// before the page goes away, and now and then. `signal` ends it.
export function heed(root, signal) {
  const on = (target, names, act) =>
    names.split(" ").forEach((name) => target.addEventListener(name, act, { capture: true, signal }));
  on(root, "input", ({ target }) => isText(target) && remember(target));
  on(root, "change", ({ target }) => (isText(target) ? sweep(target) : remember(target)));
  // A box that was clicked is changed already, and its own event follows.
  on(root, "focusout click", ({ target }) => sweep(root, isBox(target) && target));
  on(window, "pagehide beforeunload beforeprint", () => sweep(root));
  on(document, "visibilitychange", () => sweep(root));
  const timer = setInterval(() => document.hidden || sweep(root), LOOK);
  signal.addEventListener("abort", () => clearInterval(timer));
}

export const hidden = (text) => h("span", { class: "pcn-sr" }, text);

export const button = (text, onclick, kind = "pcn-button") =>
  h("button", { type: "button", class: kind, onclick }, text);

export const quiet = (text, onclick, kind = "") => button(text, onclick, "pcn-quiet " + kind);

export const isGroup = ({ kind, options }, inRow) =>
  ["choices", "scale", "table"].includes(kind) || (kind === "choice" && !inRow && options?.length <= MANY);

// `id` and `describedby` name the control; `changed()` is called at each input. `offers(from)` is
// what a prompt can be answered with whose options are the entries of a table: [{value, label}].
export function makeControl({ prompt, id, describedby, changed, offers, inRow = false }) {
  const make = { scale: points, choices, choice: isGroup(prompt, inRow) ? points : select };
  const long = !inRow && prompt.kind === "choices" && prompt.options?.length > LONG;
  return (long ? folded : (make[prompt.kind] ?? field))({ prompt, id, describedby, changed, offers });
}

// Where a row keeps the labels of what it points to, for whoever has only this step's answers.
export const shown = (column) => column.key + "-shown";

// Whether a prompt's options are the entries of a table, which come and go.
export const refers = (prompt) => Boolean(prompt.options_from && !prompt.options);

// What a prompt can be answered with: its own options, or the entries of a table. An entry that was
// chosen and is gone stays, and says so; `learn` takes its label from when it was last seen.
function optionsOf(prompt, offers) {
  if (!refers(prompt)) return { list: () => prompt.options, learn() {} };
  const names = new Map();
  const label = (one) => names.get(one) ?? "An entry";
  return {
    list(chosen) {
      const all = offers(prompt.options_from);
      all.forEach((one) => names.set(one.value, one.label));
      const gone = chosen.filter((value) => !all.some((one) => one.value === value));
      return [
        ...all.filter((one) => !one.late || chosen.includes(one.value)),
        ...gone.map((value) => ({ value, label: `${label(value)} (no longer in the list)` })),
      ];
    },
    learn(chosen, seen = "") {
      const labels = seen.split("; ");
      if (seen && labels.length === chosen.length) chosen.forEach((one, n) => names.set(one, labels[n]));
    },
    shown: (chosen) => chosen.map(label).join("; "),
  };
}

function field({ prompt, id, describedby, changed }) {
  const text = prompt.kind === "text";
  const timed = ["date", "time"].includes(prompt.kind);
  // A year of two digits is saved as it is: the hint asks whether it is meant.
  const hint = prompt.kind === "date" && h("p", { class: "pcn-help pcn-hint", id: id + "-year", role: "status" });
  const doubt = () => {
    const year = Number(el.value.split("-")[0]);
    const text =
      !el.value || (year >= 1900 && year < 2200)
        ? ""
        : `The year is ${year}. ` + (year < 100 ? `Did you mean ${2000 + year}?` : "Check the year.");
    if (hint.textContent !== text) hint.textContent = text;
  };
  const el = h(text ? "textarea" : "input", {
    id,
    "aria-describedby": hint ? `${hint.id} ${describedby ?? ""}` : describedby,
    "aria-required": prompt.required && "true",
    type: text ? null : timed ? prompt.kind : "text",
    autocomplete: "off",
    rows: text && "3",
    oninput: () => (grow(), changed(), hint?.textContent && doubt()),
    onblur: hint && doubt,
  });
  const grow = () => {
    if (!timed) el.dir = RIGHT_TO_LEFT.test(el.value) ? "rtl" : "ltr";
    if (!text || CSS.supports("field-sizing", "content")) return;
    el.style.height = "auto";
    el.style.height = el.scrollHeight + 2 + "px";
  };
  const set = (value) => {
    const caret = el === document.activeElement && !timed && el.selectionStart;
    const before = el.value;
    put(el, value ?? "");
    if (caret !== false) {
      const at = move(before, el.value, caret);
      el.setSelectionRange(at, at);
    }
    requestAnimationFrame(grow);
    if (hint) doubt();
  };
  return { el: hint ? h("div", null, el, hint) : el, set, get: () => wellFormed(el.value), first: el };
}

function select({ prompt, id, describedby, changed, offers }) {
  const el = h("select", { id, "aria-describedby": describedby, onchange: changed });
  const options = optionsOf(prompt, offers);
  let drawn = "";
  const draw = (value) => {
    const list = options.list(value ? [value] : []);
    const now = JSON.stringify(list);
    if (now !== drawn) {
      const none = { value: "", label: list.length ? "Choose…" : NOTHING };
      el.replaceChildren(...[none, ...list].map((one) => h("option", { value: one.value }, one.label)));
    }
    drawn = now;
    put(el, value ?? "");
  };
  draw();
  return {
    el,
    set: (value, seen) => (options.learn([value], seen), draw(value)),
    get: () => el.value,
    first: el,
    refresh: () => draw(el.value),
    shown: () => (el.value ? options.shown([el.value]) : ""),
  };
}

function box(type, id, n, value, label, help, changed) {
  const input = h("input", {
    type,
    id: `${id}-${n}`,
    name: id,
    value,
    onchange: changed,
    "aria-describedby": help && `${id}-${n}-help`,
  });
  const text = h("span", null, h("label", { for: input.id }, label));
  if (help) text.append(h("span", { class: "pcn-help", id: `${id}-${n}-help` }, help));
  return [input, h("div", { class: "pcn-option" }, input, text)];
}

function choices({ prompt, id, changed, offers }) {
  const el = h("div", { class: "pcn-options" });
  const options = optionsOf(prompt, offers);
  let [inputs, drawn] = [[], ""];
  const get = () => inputs.filter((input) => input.checked).map((input) => input.value);
  const draw = (value) => {
    const list = options.list(value ?? []);
    const now = JSON.stringify(list);
    if (now !== drawn) {
      const focused = inputs.find((input) => input === document.activeElement)?.value;
      const made = list.map(({ value, label, help }, n) => box("checkbox", id, n, value, label, help, changed));
      inputs = made.map(([input]) => input);
      el.replaceChildren(...made.map(([, one]) => one));
      if (!made.length) el.append(h("p", { class: "pcn-help" }, NOTHING));
      inputs.find((input) => input.value === focused)?.focus();
    }
    drawn = now;
    inputs.forEach((input) => (input.checked = (value ?? []).includes(input.value)));
    remember(el);
  };
  draw();
  return {
    el,
    set: (value, seen) => (options.learn(value ?? [], seen), draw(value)),
    get,
    get first() {
      return inputs[0];
    },
    refresh: () => draw(get()),
    shown: () => options.shown(get()),
  };
}

// A long list is folded away behind what is chosen of it, so that a page stays short.
function folded({ prompt, id, changed, offers }) {
  const { length } = prompt.options;
  const chosen = h("span", { class: "pcn-chosen" });
  const head = h("summary", null, h("strong", null, `Choose from ${length}`), " ", chosen);
  const told = () => {
    const value = list.get();
    chosen.textContent = value.length ? words(prompt, value) : "Nothing chosen yet";
  };
  const list = choices({ prompt, id, offers, changed: () => (told(), changed()) });
  const el = h("details", { class: "pcn-many" }, head, list.el);
  let open;
  told();
  return {
    el,
    set: (value) => (list.set(value), told()),
    get: list.get,
    first: head,
    print: () => ([open, el.open] = [el.open, true]),
    printed: () => (el.open = open),
  };
}

// One of several: a choice, or a point on a scale. It can be taken back.
function points({ prompt, id, changed }) {
  const scale = prompt.kind === "scale";
  const label = (n) => {
    const end = n === 1 ? prompt.low : n === prompt.points ? prompt.high : "";
    return [String(n), end && hidden(": " + end)];
  };
  const options = scale
    ? Array.from({ length: prompt.points }, (_, n) => ({ value: n + 1, label: label(n + 1) }))
    : prompt.options;
  const update = () => (clear.hidden = !inputs.some((input) => input.checked));
  const picked = () => (update(), changed());
  const made = options.map(({ value, label, help }, n) => box("radio", id, n, value, label, help, picked));
  const inputs = made.map(([input]) => input);
  const set = (value) => {
    inputs.forEach((input) => ((input.checked = input.value === String(value ?? "")), remember(input)));
    update();
  };
  const clear = quiet("Clear this answer", () => (set(null), changed(), inputs[0].focus()));
  clear.hidden = true;
  const ends =
    scale &&
    (prompt.low || prompt.high) &&
    h("div", { class: "pcn-ends", "aria-hidden": "true" }, h("span", null, prompt.low), h("span", null, prompt.high));
  return {
    el: h(
      "div",
      { class: scale ? "pcn-scale" : "pcn-options" },
      h(
        "div",
        null,
        made.map(([, el]) => el),
      ),
      ends,
      clear,
    ),
    set,
    get: () => {
      const value = inputs.find((input) => input.checked)?.value ?? null;
      return scale && value ? Number(value) : value;
    },
    first: inputs[0],
  };
}

const format = /* @__NO_SIDE_EFFECTS__ */ (options) => (iso) => {
  // A date without a time is a day anywhere, so it is taken as local.
  const when = new Date(iso.length === 10 ? iso + "T00:00" : iso);
  return new Intl.DateTimeFormat(undefined, options).format(when);
};
export const day = format({ day: "numeric", month: "long", year: "numeric" });
export const moment = format({ dateStyle: "long", timeStyle: "short" });
export const hour = format({ hour: "numeric", minute: "2-digit" });
export const deadline = format({ weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });

// Whether `value` is no answer to `prompt`: blank text, or a table of nothing but blank rows.
// What no reader sees, as in characters.py: it is no answer.
const UNSEEN = /[\s\p{Cc}\p{Cf}\p{Cs}\p{Mn}\p{Me}\u115f\u1160\u2800\u3164\uffa0\ufffc]/gu;

export function isEmpty(prompt, value) {
  if (prompt.kind !== "table") return same(typeof value === "string" ? value.replace(UNSEEN, "") : value, null);
  return (value ?? []).every((row) => prompt.columns.every((one) => isEmpty(one, row[one.key])));
}

// A time of day, by the reader's own clock.
export const clockTime = (time) => hour(`2000-01-01T${time}`);

// A value in words. `seen`: the labels of the entries that it points to.
export function words(prompt, value, seen) {
  if (isEmpty(prompt, value)) return "No answer";
  if (refers(prompt)) return seen || "An entry";
  const label = (one) => prompt.options.find((option) => option.value === one)?.label ?? one;
  switch (prompt.kind) {
    case "choice":
      return label(value);
    case "choices":
      return value.map(label).join("; ");
    case "scale":
      return `${value} of ${prompt.points}`;
    case "date":
      return day(value);
    case "time":
      return clockTime(value);
    case "table":
      return value
        .map((row) =>
          prompt.columns
            .filter((column) => !isEmpty(column, row[column.key]))
            .map((column) => `${column.label} ${words(column, row[column.key], row[shown(column)])}`)
            .join(" · "),
        )
        .join("\n");
  }
  return value;
}

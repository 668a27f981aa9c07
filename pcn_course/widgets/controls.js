// Prompts as native controls. A control is {el, get, set, first}: its element, the value that it
// shows, showing another value, and the element to focus. Groups bring their own legend.
import { move, same, wellFormed } from "./merge.js";

const MANY = 7; // options, above which a choice is a select
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

const hidden = (text) => h("span", { class: "pcn-sr" }, text);

export const button = (text, onclick, kind = "pcn-button") =>
  h("button", { type: "button", class: kind, onclick }, text);

export const quiet = (text, onclick, kind = "") => button(text, onclick, "pcn-quiet " + kind);

export const isGroup = ({ kind, options }, inRow) =>
  ["choices", "scale", "table"].includes(kind) ||
  (kind === "choice" && !inRow && options.length <= MANY);

// `id` and `describedby` name the control; `changed()` is called at each input.
export function makeControl(prompt, id, describedby, changed, inRow = false) {
  const make = { table, scale: points, choices, choice: isGroup(prompt, inRow) ? points : select };
  return (make[prompt.kind] ?? field)({ prompt, id, describedby, changed });
}

function field({ prompt, id, describedby, changed }) {
  const text = prompt.kind === "text";
  const el = h(text ? "textarea" : "input", {
    id,
    "aria-describedby": describedby,
    "aria-required": prompt.required && "true",
    type: text ? null : prompt.kind === "date" ? "date" : "text",
    autocomplete: "off",
    rows: text && "3",
    oninput: () => (grow(), changed()),
  });
  const grow = () => {
    if (prompt.kind !== "date") el.dir = RIGHT_TO_LEFT.test(el.value) ? "rtl" : "ltr";
    if (!text || CSS.supports("field-sizing", "content")) return;
    el.style.height = "auto";
    el.style.height = el.scrollHeight + 2 + "px";
  };
  const set = (value) => {
    const caret = el === document.activeElement && prompt.kind !== "date" && el.selectionStart;
    const before = el.value;
    el.value = value ?? "";
    if (caret !== false) {
      const at = move(before, el.value, caret);
      el.setSelectionRange(at, at);
    }
    requestAnimationFrame(grow);
  };
  return { el, set, get: () => wellFormed(el.value), first: el };
}

function select({ prompt, id, describedby, changed }) {
  const options = [{ value: "", label: "Choose…" }, ...prompt.options];
  const el = h(
    "select",
    { id, "aria-describedby": describedby, onchange: changed },
    options.map(({ value, label }) => h("option", { value }, label)),
  );
  return { el, set: (value) => (el.value = value ?? ""), get: () => el.value, first: el };
}

function box(type, id, n, value, label, help, changed) {
  const input = h("input", { type, id: `${id}-${n}`, name: id, value, onchange: changed,
    "aria-describedby": help && `${id}-${n}-help` });
  const text = h("span", null, h("label", { for: input.id }, label));
  if (help) text.append(h("span", { class: "pcn-help", id: `${id}-${n}-help` }, help));
  return [input, h("div", { class: "pcn-option" }, input, text)];
}

function choices({ prompt, id, changed }) {
  const made = prompt.options.map(({ value, label, help }, n) =>
    box("checkbox", id, n, value, label, help, changed));
  const inputs = made.map(([input]) => input);
  return {
    el: h("div", { class: "pcn-options" }, made.map(([, el]) => el)),
    set: (value) => inputs.forEach((input) => (input.checked = (value ?? []).includes(input.value))),
    get: () => inputs.filter((input) => input.checked).map((input) => input.value),
    first: inputs[0],
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
  const made = options.map(({ value, label, help }, n) =>
    box("radio", id, n, value, label, help, picked));
  const inputs = made.map(([input]) => input);
  const set = (value) => {
    inputs.forEach((input) => (input.checked = input.value === String(value ?? "")));
    update();
  };
  const clear = quiet("Clear this answer", () => (set(null), changed(), inputs[0].focus()));
  clear.hidden = true;
  const ends = scale && (prompt.low || prompt.high) &&
    h("div", { class: "pcn-ends", "aria-hidden": "true" }, h("span", null, prompt.low),
      h("span", null, prompt.high));
  return {
    el: h("div", { class: scale ? "pcn-scale" : "pcn-options" },
      h("div", null, made.map(([, el]) => el)), ends, clear),
    set,
    get: () => {
      const value = inputs.find((input) => input.checked)?.value ?? null;
      return scale && value ? Number(value) : value;
    },
    first: inputs[0],
  };
}

function table({ prompt, id, changed }) {
  const rows = []; // {id, data, el, name, cells}: `data` also keeps what has no column any more
  const name = prompt.row;
  const list = h("div", { class: "pcn-rows" });
  const said = h("p", { class: "pcn-said", role: "status" });
  const add = button(`Add ${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`, () => {
    said.replaceChildren();
    const row = insert({ id: newId() }, rows.length);
    update();
    changed();
    row.cells[0].control.first.focus();
  }, "pcn-button pcn-add");
  const full = h("p", { class: "pcn-help", hidden: true }, `${prompt.max_rows} is the most.`);

  function insert(data, at) {
    const row = { id: data.id, data, name: h("legend") };
    row.cells = prompt.columns.map((column) => {
      const cell = `${id}-${row.id}-${column.key}`;
      const help = column.help && h("span", { class: "pcn-help", id: cell + "-help" }, column.help);
      const edited = () => {
        row.data = { ...row.data, [column.key]: control.get() };
        changed();
      };
      const control = makeControl(column, cell, help ? cell + "-help" : null, edited, true);
      control.set(data[column.key]);
      const group = isGroup(column, true);
      const label = h(group ? "legend" : "label", { for: group ? null : cell }, column.label);
      const el = h(group ? "fieldset" : "div", { class: "pcn-cell",
        "aria-describedby": group && help ? cell + "-help" : null }, label, help, control.el);
      return { key: column.key, control, el };
    });
    row.tools = [["Move up", -1], ["Move down", 1], ["Remove", 0]].map(([word, by]) => {
      const tool = quiet([word, hidden("")], () => (by ? shift(row, by, tool) : remove(row)));
      return tool;
    });
    row.el = h("fieldset", { class: "pcn-row" }, row.name, row.cells.map((cell) => cell.el),
      h("div", { class: "pcn-tools" }, row.tools));
    rows.splice(at, 0, row);
    list.insertBefore(row.el, list.children[at] ?? null);
    return row;
  }

  function shift(row, by, tool) {
    const to = rows.indexOf(row) + by;
    rows.splice(to - by, 1);
    rows.splice(to, 0, row);
    list.insertBefore(row.el, rows[to + 1]?.el ?? null);
    update();
    changed();
    (tool.disabled ? row.tools[by < 0 ? 1 : 0] : tool).focus();
    said.textContent = `This ${name} is now number ${to + 1} of ${rows.length}.`;
  }

  function remove(row) {
    const at = rows.indexOf(row);
    rows.splice(at, 1);
    row.el.remove();
    update();
    changed();
    const undo = quiet("Undo", () => {
      const back = insert(row.data, Math.min(at, rows.length));
      said.replaceChildren();
      update();
      changed();
      back.cells[0].control.first.focus();
    });
    said.replaceChildren(`${row.name.textContent} was removed. `, undo);
    undo.focus();
  }

  function update() {
    rows.forEach((row, at) => {
      row.name.textContent = `${name[0].toUpperCase()}${name.slice(1)} ${at + 1}`;
      row.tools.forEach((tool) => (tool.lastChild.textContent = ` ${name} ${at + 1}`));
      row.tools[0].disabled = at === 0;
      row.tools[1].disabled = at === rows.length - 1;
    });
    add.disabled = rows.length >= prompt.max_rows;
    full.hidden = !add.disabled;
  }

  function set(value) {
    const wanted = value ?? [];
    for (const row of [...rows]) {
      if (wanted.some((data) => data.id === row.id)) continue;
      rows.splice(rows.indexOf(row), 1);
      row.el.remove();
    }
    wanted.forEach((data, at) => {
      const row = rows.find((one) => one.id === data.id);
      if (!row) return insert(data, at);
      for (const { key, control } of row.cells) {
        if (!same(control.get(), data[key])) control.set(data[key]);
      }
      row.data = data;
      const from = rows.indexOf(row);
      if (from === at) return;
      const focused = row.el.contains(document.activeElement) && document.activeElement;
      rows.splice(at, 0, ...rows.splice(from, 1));
      list.insertBefore(row.el, list.children[at]);
      if (focused) focused.focus();
    });
    update();
  }

  const filled = ({ data }) =>
    Object.fromEntries(Object.entries(data).filter(([, value]) => !same(value, null)));
  update();
  return {
    el: h("div", null, list, said, add, full),
    set,
    get: () => rows.map(filled),
    first: add,
  };
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return "r" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const format = (options) => (iso) => {
  // A date without a time is a day anywhere, so it is taken as local.
  const when = new Date(iso.length === 10 ? iso + "T00:00" : iso);
  return new Intl.DateTimeFormat(undefined, options).format(when);
};
export const day = format({ day: "numeric", month: "long", year: "numeric" });
export const moment = format({ dateStyle: "long", timeStyle: "short" });
export const hour = format({ hour: "numeric", minute: "2-digit" });
export const deadline = format({ weekday: "long", day: "numeric", month: "long",
  hour: "numeric", minute: "2-digit" });

// Whether `value` is no answer to `prompt`: blank text, or a table of nothing but blank rows.
export function isEmpty(prompt, value) {
  if (prompt.kind !== "table") return same(typeof value === "string" ? value.trim() : value, null);
  return (value ?? []).every((row) => prompt.columns.every((one) => isEmpty(one, row[one.key])));
}

// A value in words.
export function words(prompt, value) {
  if (isEmpty(prompt, value)) return "No answer";
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
    case "table":
      return value
        .map((row) => prompt.columns
          .filter((column) => !isEmpty(column, row[column.key]))
          .map((column) => `${column.label} ${words(column, row[column.key])}`)
          .join(" · "))
        .join("\n");
  }
  return value;
}

// Tables as lists of rows with native controls: added, moved, removed and brought back by keyboard.
// The rows of a folded one are cards whose fields are only made when they are opened.
import { button, h, hidden, isEmpty, isGroup, makeControl, quiet, refers, shown, words } from "./controls.js";
import { same } from "./merge.js";

const LONG = 8; // options of a cell, above which they are folded away

// A table as a control, see controls.js; besides: print() and printed(), around a printing.
// `advise(name, kind)` makes what warns of words that are better not written, see advice.js.
export function makeTable({ prompt, id, changed, offers, advise }) {
  // {id, data, el, cells}: `data` is the row's value, also what has no column any more; `cells`
  // are there when they were made.
  const rows = [];
  const name = prompt.row;
  const folded = prompt.folded;
  const [first, ...rest] = prompt.columns;
  const list = h("div", { class: "pcn-rows" });
  const said = h("p", { class: "pcn-said", role: "status" });
  const add = button(
    `Add ${/^[aeiou]/i.test(name) ? "an" : "a"} ${name}`,
    () => {
      said.replaceChildren();
      start(insert({ id: newId() }, rows.length));
    },
    "pcn-button pcn-add",
  );
  const full = h("p", { class: "pcn-help", hidden: true }, `${prompt.max_rows} is the most.`);
  const limit = h("p", { class: "pcn-help", hidden: true });

  const cell = (column, row) => words(column, row.data[column.key], row.data[shown(column)]);
  const called = (row) => `${name[0].toUpperCase()}${name.slice(1)} ${rows.indexOf(row) + 1}`;
  const title = (row) => (isEmpty(first, row.data[first.key]) ? `New ${name}` : cell(first, row));

  // ---- One row ---------------------------------------------------------------------------------

  function insert(data, at) {
    // At the click already: a quick Tab after it comes before the toggle does.
    const head = folded ? h("summary", { onclick: () => build(row) }) : h("legend");
    const row = { id: data.id, data, head };
    if (folded) {
      row.el = h("details", { class: "pcn-row pcn-fold", ontoggle: () => row.el.open && build(row) }, row.head);
    } else {
      row.el = h("fieldset", { class: "pcn-row" }, row.head);
      build(row);
    }
    list.insertBefore(row.el, rows[at]?.el ?? null);
    rows.splice(at, 0, row);
    return row;
  }

  function build(row) {
    if (row.cells) return;
    row.cells = prompt.columns.map((column) => makeCell(row, column));
    row.tools = [
      ["Move up", -1],
      ["Move down", 1],
      ["Remove", 0],
    ].map(([word, by]) => {
      const tool = quiet([word, hidden("")], () => (by ? shift(row, by, tool) : remove(row)));
      tool.id = `${id}-${row.id}-tool${by}`;
      return tool;
    });
    const body = [
      row.cells.filter(({ more }) => !more).map(({ el }) => el),
      makeMore(row),
      h("div", { class: "pcn-tools" }, row.tools),
    ]
      .flat()
      .filter(Boolean);
    row.legend = folded ? h("legend", { class: "pcn-sr" }) : row.head;
    row.el.append(...(folded ? [h("fieldset", null, row.legend, body)] : body));
    write(row);
  }

  // The questions that few need at first, behind one line that says how many of them are answered.
  function makeMore(row) {
    const behind = row.cells.filter(({ more }) => more);
    if (!behind.length) return;
    const told = h("span", { class: "pcn-chosen" });
    row.tellMore = () => {
      const done = behind.filter(({ column }) => !isEmpty(column, row.data[column.key])).length;
      told.textContent = `${behind.length} more questions, ` + (done ? `${done} answered` : "if they help you");
    };
    return (row.more = h(
      "details",
      { class: "pcn-more", open: row.wide },
      h("summary", { id: `${id}-${row.id}-more` }, h("strong", null, `More about this ${name}`), " ", told),
      behind.map(({ el }) => el),
    ));
  }

  function makeCell(row, column) {
    const { key } = column;
    const name = `${id}-${row.id}-${key}`;
    const help = column.help && h("span", { class: "pcn-help", id: name + "-help" }, column.help);
    const advice = column.warn && advise?.(`${prompt.key}.${key}`, name, column.warn);
    const described =
      [help, advice?.el]
        .filter(Boolean)
        .map((el) => el.id)
        .join(" ") || null;
    const look = () => advice?.look(control.get());
    const edited = () => {
      row.data = { ...row.data, [key]: control.get() };
      for (const other of row.cells) if (other.refers) row.data[other.shown] = other.control.shown();
      look();
      write(row);
      changed();
    };
    const control = makeControl({
      prompt: column,
      id: name,
      describedby: described,
      changed: edited,
      offers,
      inRow: true,
    });
    control.set(row.data[key], row.data[shown(column)]);
    look();
    const made = {
      key,
      look,
      column,
      more: column.more,
      shown: shown(column),
      refers: refers(column),
      from: column.options_from,
      control,
    };
    const many = column.kind === "choices" && (column.options ?? offers(column.options_from)).length > LONG;
    const group = isGroup(column, true);
    const label = h(group ? "legend" : "label", { for: group ? null : name, class: many && "pcn-sr" }, column.label);
    const field = h(
      group ? "fieldset" : "div",
      { class: many ? null : "pcn-cell", "aria-describedby": group ? described : null },
      label,
      help,
      control.el,
      advice?.el,
    );
    if (many) made.chosen = h("span", { class: "pcn-chosen" });
    made.el = many
      ? h(
          "details",
          { class: "pcn-cell pcn-many" },
          h("summary", null, h("strong", null, column.label), " ", made.chosen),
          field,
        )
      : field;
    made.write = () => {
      if (!many) return;
      const value = control.get();
      const seen = made.refers ? control.shown() : "";
      made.chosen.textContent = value.length ? words(column, value, seen) : "Nothing chosen";
    };
    return made;
  }

  // What is said of a row in words.
  function write(row) {
    const number = rows.indexOf(row) + 1;
    if (folded) {
      // Initials alone tell nobody apart: the first thing that is said of them stands beside.
      const next = rest.find((one) => !isEmpty(one, row.data[one.key]));
      row.head.replaceChildren(
        hidden(name + " "),
        h("span", { class: "pcn-soft" }, String(number)),
        " ",
        h("strong", { dir: "auto" }, title(row)),
        " ",
        h("span", { class: "pcn-soft" }, next ? cell(next, row) : ""),
      );
    }
    if (!row.cells) return;
    row.legend.textContent = called(row);
    row.cells.forEach((one) => one.write());
    row.tellMore?.();
    row.tools.forEach((tool) => (tool.lastChild.textContent = ` ${name} ${number}`));
    row.tools[0].disabled = number === 1;
    row.tools[1].disabled = number === rows.length;
  }

  // ---- Adding, moving, removing ----------------------------------------------------------------

  // To the first field of a row that has just come.
  function start(row) {
    build(row);
    if (folded) row.el.open = true;
    update();
    changed();
    row.cells[0].control.first.focus();
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
    const what = called(row);
    rows.splice(at, 1);
    row.el.remove();
    update();
    changed();
    const undo = quiet("Undo", () => {
      said.replaceChildren();
      // It may be back already, by another window or an earlier version.
      start(rows.find((one) => one.id === row.id) ?? insert(row.data, Math.min(at, rows.length)));
    });
    said.replaceChildren(`${what} was removed. `, undo);
    undo.focus();
  }

  function update() {
    rows.forEach(write);
    add.disabled = rows.length >= prompt.max_rows;
    full.hidden = !add.disabled;
    tellLimit();
  }

  // ---- The whole -------------------------------------------------------------------------------

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
      for (const { key, shown, control, look } of row.cells ?? []) {
        if (!same(control.get(), data[key])) control.set(data[key], data[shown]), look();
      }
      row.data = data;
      const from = rows.indexOf(row);
      if (from === at) return;
      const focused = row.el.contains(document.activeElement) && document.activeElement;
      rows.splice(at, 0, ...rows.splice(from, 1));
      list.insertBefore(row.el, rows[at + 1]?.el ?? null);
      if (focused instanceof HTMLElement) focused.focus();
    });
    update();
  }

  // The entries of the table `from` are others now.
  function refresh(from) {
    for (const row of rows) {
      for (const one of row.cells ?? []) if (one.from === from) one.control.refresh?.(), one.write();
    }
    tellLimit();
  }

  function tellLimit() {
    const columns = prompt.columns.filter(refers);
    const late = columns.some((one) => offers(one.options_from).some((entry) => entry.late));
    limit.hidden = !late;
    if (late) limit.textContent = `Here you can choose among the first ${offers.most} of your list.`;
  }

  // On paper each row of a folded table stands as text, also those that nobody opened.
  let reopened = [];
  let focus;
  function print() {
    if (!folded) return;
    focus = list.contains(document.activeElement) && document.activeElement.id;
    reopened = rows.filter((row) => row.el.open);
    for (const row of rows) {
      row.el.open = false;
      row.wide = row.more?.open;
      if (row.cells) row.el.lastChild.remove();
      row.cells = null;
      const filled = prompt.columns.filter((one) => !isEmpty(one, row.data[one.key]));
      row.el.after(
        h(
          "div",
          { class: "pcn-print pcn-row", dir: "auto" },
          h("strong", null, called(row)),
          filled.map((one) => h("div", null, `${one.label} ${cell(one, row)}`)),
        ),
      );
    }
  }

  function printed() {
    for (const row of reopened) if (rows.includes(row)) build(row), (row.el.open = true);
    if (focus) document.getElementById(focus)?.focus();
    [reopened, focus] = [[], ""];
  }

  const filled = ({ data }) => Object.fromEntries(Object.entries(data).filter(([, value]) => !same(value, null)));
  update();
  return {
    el: h("div", null, limit, list, said, add, full),
    set,
    get: () => rows.map(filled),
    first: add,
    say: (text) => (said.textContent = text),
    refresh,
    print,
    printed,
  };
}

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return "r" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

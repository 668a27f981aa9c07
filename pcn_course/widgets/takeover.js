// Taking people over from a list that someone has already. Nothing of it is an answer before the
// last button: the kernel reads the file, drops what may not be stored, and keeps nothing.
import { button, h, isEmpty, put, quiet, remember, words } from "./controls.js";
import { newId } from "./lists.js";
import { same } from "./merge.js";

const MOST_BYTES = 4e6;
const MOST_SHOWN = 100; // rows at once

// `dialog(...content)` shows it; `ask(more)` asks the kernel, which answers to hear();
// `prompt` is the table, `value()` its rows, `add(rows)` gives it others and goes there.
export function makeTakeover({ id, dialog, ask, prompt, value, add }) {
  let [name, data] = ["", ""];
  /** @type {any} what the kernel has found */
  let list = null;
  /** @type {Record<string, string> | null} */
  let mapping = null;
  /** @type {any[]} */
  let picks = [];
  /** @type {string | boolean} */
  let again = false;
  const said = h("p", { class: "pcn-said", role: "status" });
  const problem = h("p", { class: "pcn-note pcn-open", role: "alert", hidden: true });
  const found = h("div");
  const file = h("input", {
    type: "file",
    id,
    accept: ".csv,.txt,text/csv",
    onchange: read,
    "aria-describedby": id + "-help",
  });
  const [first] = prompt.columns;
  const title = (row) => (isEmpty(first, row[first.key]) ? `New ${prompt.row}` : words(first, row[first.key]));
  const rest = (row) =>
    prompt.columns
      .slice(1)
      .filter((one) => !isEmpty(one, row[one.key]))
      .map((one) => words(one, row[one.key], row[one.key + "-shown"]))
      .join(" · ");
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const many = (n) => `${n} ${n === 1 ? "person" : "people"}`;

  function open() {
    file.value = "";
    [list, mapping, again] = [null, null, false];
    found.replaceChildren();
    complain("");
    said.textContent = "";
    dialog(
      h("label", { class: "pcn-label", for: id }, "Which file?"),
      h(
        "p",
        { class: "pcn-help", id: id + "-help" },
        "A CSV file with a line for each person: your own list, or the “Connections.csv” that LinkedIn gives you. You choose whom to take; nothing is changed before that.",
      ),
      file,
      said,
      problem,
      found,
    ).classList.add("pcn-takeover");
  }

  function complain(text) {
    problem.textContent = text;
    problem.hidden = !text;
  }

  function read() {
    const [chosen] = file.files;
    if (!chosen) return;
    complain("");
    found.replaceChildren();
    if (chosen.size > MOST_BYTES) {
      complain(
        "This file is larger than 4 MB, which is more than a list of people needs. Save only the rows that you want as a CSV file. Nothing was changed.",
      );
      return;
    }
    const reader = new FileReader();
    reader.onerror = () => complain("Your browser could not read this file. Nothing was changed.");
    reader.onload = () => {
      [name, data, mapping, again] = [
        chosen.name.slice(-200),
        String(reader.result).replace(/^[^,]*,?/, ""),
        null,
        false,
      ];
      request();
    };
    reader.readAsDataURL(chosen);
  }

  function request() {
    said.textContent = "Reading your list…";
    try {
      ask({ name, data, mapping });
    } catch {
      fail("The connection is interrupted. Try again in a moment.");
    }
  }

  function fail(text) {
    said.textContent = "";
    found.replaceChildren();
    complain(text);
  }

  // ---- What was found --------------------------------------------------------------------------

  function hear(reply) {
    list = reply;
    ({ mapping } = list);
    const there = new Map(value().map((row) => [row.id, row]));
    picks = list.rows.map((row, n) => {
      const twin = there.get(list.doubles[n]);
      const alike = twin && Object.entries(row).every(([key, one]) => same(one, null) || same(one, twin[key]));
      const short = title(row);
      const called = list.names?.[n] ?? ""; // for choosing alone: what is added has the initials
      const more = [called && `Added as “${short}”`, rest(row)].filter(Boolean).join(" · ");
      return {
        row,
        twin,
        how: !twin || alike ? "" : "fill",
        title: called || short,
        more,
        text: plain(`${called} ${short} ${rest(row)}`),
      };
    });
    complain("");
    const where = list.kind === "linkedin" ? "your LinkedIn connections" : `“${name}”`;
    said.textContent = `${many(list.total)} found in ${where}.`;
    const search = h("input", { type: "search", id: id + "-search", oninput: () => draw(search.value) });
    found.replaceChildren(
      ...list.notes.map((note) => h("p", { class: "pcn-help" }, note)),
      columns(),
      h("label", { class: "pcn-label", for: search.id }, "Search in it"),
      search,
      shown,
      h("fieldset", { class: "pcn-picks" }, h("legend", { class: "pcn-label" }, "Whom do you take?"), rows),
      h(
        "div",
        { class: "pcn-actions" },
        room,
        go,
        quiet("Take nobody", () => found.closest("dialog").close()),
      ),
    );
    draw("");
    count();
    if (again) document.getElementById(String(again))?.focus();
    again = false;
  }

  // Which column of the list is which: changing one reads it again.
  function columns() {
    if (!list.columns.length) return "";
    const fields = prompt.columns.filter((one) => !one.options_from && ["line", "text", "choice"].includes(one.kind));
    const one = ({ key, label }, n) => {
      const select = h(
        "select",
        {
          id: `${id}-field-${n}`,
          onchange: () => {
            mapping = { ...mapping, [key]: select.value };
            if (!select.value) delete mapping[key];
            again = select.id;
            request();
          },
        },
        ["", ...list.columns].map((value) => h("option", { value }, value || "Not in the list")),
      );
      put(select, mapping?.[key] ?? "");
      return h("div", { class: "pcn-cell" }, h("label", { for: select.id }, label), select);
    };
    return h(
      "details",
      { class: "pcn-fields", open: Boolean(again) || !mapping?.[first.key] },
      h("summary", null, "Which column is which?"),
      h("div", { class: "pcn-grid" }, fields.map(one)),
    );
  }

  const shown = h("p", { class: "pcn-help", role: "status" });
  const rows = h("ul", { class: "pcn-plain" });
  const room = h("p", { class: "pcn-help", role: "status" });
  const go = button("", take, "pcn-button pcn-primary pcn-take");

  function draw(wanted) {
    const words = plain(wanted).split(/\s+/).filter(Boolean);
    const hits = picks.filter(({ text }) => words.every((word) => text.includes(word)));
    const some = hits.slice(0, MOST_SHOWN);
    shown.textContent =
      hits.length > some.length
        ? `The first ${some.length} of ${hits.length} are shown: search for the others.`
        : `${hits.length} of ${picks.length} shown.`;
    rows.replaceChildren(...some.map((pick) => h("li", null, line(pick, picks.indexOf(pick)))));
  }

  function line(pick, n) {
    const { twin, title: called, more } = pick;
    const name = `${id}-pick-${n}`;
    const help = h("span", { class: "pcn-help", id: name + "-help" }, more);
    if (twin) {
      const select = h(
        "select",
        { id: name, "aria-describedby": help.id, onchange: () => ((pick.how = select.value), count()) },
        [
          ["", "Leave out"],
          ["fill", `Fill the gaps of ${title(twin)}`],
          ["new", "Add as new"],
        ].map(([value, text]) => h("option", { value }, text)),
      );
      put(select, pick.how);
      return h(
        "div",
        { class: "pcn-cell" },
        h("label", { for: name }, `${called}: in your list already?`),
        help,
        select,
      );
    }
    const input = h("input", {
      type: "checkbox",
      id: name,
      "aria-describedby": help.id,
      onchange: () => ((pick.how = input.checked ? "new" : ""), count()),
    });
    input.checked = pick.how === "new";
    remember(input);
    return h("div", { class: "pcn-option" }, input, h("span", null, h("label", { for: name }, called), help));
  }

  // ---- Taking them -----------------------------------------------------------------------------

  const chosen = (how) => picks.filter((pick) => pick.how === how);

  function count() {
    const free = prompt.max_rows - value().length;
    const [added, filled] = [chosen("new").length, chosen("fill").length];
    const over = added - free;
    room.textContent =
      over > 0
        ? `${many(over)} too many: your list takes ${free} more.`
        : `There is room for ${many(free - added)} more.`;
    go.textContent = [
      added || !filled ? `Add ${many(added)}` : "",
      filled && `${added ? "fill" : "Fill"} the gaps of ${filled}`,
    ]
      .filter(Boolean)
      .join(", ");
    go.disabled = over > 0 || !(added + filled);
  }

  function take() {
    const all = value().map((row) => {
      const gaps = picks.find((pick) => pick.how === "fill" && pick.twin.id === row.id);
      const full = Object.entries(gaps?.row ?? {}).filter(([key, one]) => same(row[key], null) && !same(one, null));
      return { ...row, ...Object.fromEntries(full) };
    });
    const [added, filled] = [chosen("new"), chosen("fill")];
    const news = added.map(({ row }) => ({ ...row, id: newId() }));
    const done = [
      news.length && `${many(news.length)} added.`,
      filled.length && `The gaps of ${many(filled.length)} filled.`,
    ];
    add([...all, ...news], done.filter(Boolean).join(" "));
  }

  return { open, hear, fail };
}

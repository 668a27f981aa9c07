// A student's answer as the kernel rendered it, and the passages marked in it. An answer's text is
// one text node below its heading; a mark counts code points of it.
import { messageOf } from "./connection.js";
import { button, h, hidden, put } from "./controls.js";
import { actions, labelled } from "./marking-dialog.js";

const AROUND = 30; // letters shown beside a passage that was found
const points = (text) => [...text].length;
// Letter case is overlooked where that moves no letter.
const plain = (text) => (text.toLowerCase().length === text.length ? text.toLowerCase() : text);

// `criteria`: id and title of each; `send(type, more)` returns a promise of what stands now;
// `dialogs`: the page's one dialog.
export function makeAnswer({ client, criteria, send, dialogs }) {
  const body = h("div", { class: "pcn-answer" });
  const here = button("Highlight this passage", () => ask(), "pcn-button pcn-here");
  const list = h("div", { class: "pcn-passages" });
  const el = h("div", null, body, list, here);
  let [places, marks, drawn, chosen] = [[], [], null, null];
  here.hidden = true;
  const title = (id) => criteria.find((one) => one.id === id)?.title;

  function show({ html, blocks, highlights }, name) {
    if (drawn !== name + html) {
      body.innerHTML = html; // the kernel escapes every word of an answer
      places = find(blocks);
      drawn = name + html;
      marks = [];
      leave();
    }
    if (JSON.stringify(highlights) !== JSON.stringify(marks)) {
      marks = highlights;
      places.forEach(draw);
    }
    drawList();
  }

  // Where a passage can be marked: {prompt, row, column, label, el, text}.
  function find(blocks) {
    const heads = [...body.querySelectorAll(".pcn-answers > h3")];
    if (heads.length !== blocks.length) return [];
    return heads.flatMap((head, at) => {
      const block = blocks[at];
      const next = head.nextElementSibling;
      if (!block || !next) return [];
      if (!block.rows) return [place(next, block.key, null, null, block.label)];
      return [...next.querySelectorAll("tbody tr")]
        .flatMap((line, n) =>
          [...line.cells].map((cell, m) => {
            const column = block.columns[m];
            return (
              column?.text &&
              cell.textContent &&
              place(cell, block.key, block.rows[n], column.key, `${block.label}, row ${n + 1}, ${column.label}`)
            );
          }),
        )
        .filter(Boolean);
    });
  }

  const place = (el, prompt, row, column, label) => ({ el, prompt, row, column, label, text: el.textContent });
  const within = (one, { prompt, row, column }) => one.prompt === prompt && one.row === row && one.column === column;

  // The text again, with its marked passages, each followed by its number in the list.
  function draw(one) {
    const letters = [...one.text];
    const own = marks.filter((mark) => within(mark, one));
    const cuts = [...new Set([0, letters.length, ...own.flatMap(({ start, end }) => [start, end])])].sort(
      (a, b) => a - b,
    );
    one.el.replaceChildren(
      ...cuts.slice(0, -1).flatMap((from, n) => {
        const to = cuts[n + 1];
        const text = letters.slice(from, to).join("");
        const over = own.filter(({ start, end }) => start <= from && to <= end);
        const ended = own.filter(({ end }) => end === to);
        return [
          over.length ? h("mark", null, text) : text,
          ...ended.map((mark) =>
            h(
              "sup",
              { class: "pcn-ref" },
              h(
                "a",
                {
                  href: `#${client}-hl-${mark.id}`,
                  onclick: (event) => {
                    event.preventDefault(); // the page's address stays what it is
                    document.getElementById(`${client}-hl-${mark.id}`)?.focus();
                  },
                },
                hidden("Highlight "),
                number(mark),
              ),
            ),
          ),
        ];
      }),
    );
  }

  const number = (mark) => String(marks.indexOf(mark) + 1);

  function drawList() {
    const focused = document.activeElement;
    const had = list.contains(focused);
    list.replaceChildren(
      ...(marks.length
        ? [
            h("h3", { id: client + "-passages", tabindex: "-1" }, "Highlighted passages"),
            h(
              "ol",
              null,
              marks.map((mark) =>
                h(
                  "li",
                  { id: `${client}-hl-${mark.id}`, tabindex: "-1" },
                  h("q", null, mark.passage),
                  mark.comment && h("p", null, mark.comment),
                  h(
                    "p",
                    { class: "pcn-help" },
                    [title(mark.criterion), mark.by].filter(Boolean).join(" · "),
                    " ",
                    button(["Remove", hidden(` highlight ${number(mark)}`)], () => remove(mark), "pcn-quiet"),
                  ),
                ),
              ),
            ),
          ]
        : []),
    );
    if (had) (list.querySelector("h3") ?? body.querySelector("h3") ?? document.body).focus?.();
  }

  const remove = (mark) => send("unhighlight", { id: mark.id });

  // ---- Choosing a passage ------------------------------------------------------------------------

  // What is selected within one answer: the first one, where it reaches over several.
  function selected() {
    const selection = document.getSelection();
    if (!selection?.rangeCount || selection.isCollapsed) return null;
    const whole = selection.getRangeAt(0);
    for (const one of places) {
      if (!whole.intersectsNode(one.el)) continue;
      const range = whole.cloneRange();
      if (!one.el.contains(range.startContainer)) range.setStart(one.el, 0);
      if (!one.el.contains(range.endContainer)) range.setEnd(one.el, one.el.childNodes.length);
      const before = document.createRange();
      before.setStart(one.el, 0);
      before.setEnd(range.startContainer, range.startOffset);
      const text = words(range);
      const from = words(before).length + text.length - text.trimStart().length;
      if (text.trim()) return { one, from, text: text.trim(), range };
    }
    return null;
  }

  // A range's text without the numbers of other marks.
  function words(range) {
    const copy = range.cloneContents();
    copy.querySelectorAll(".pcn-ref").forEach((ref) => ref.remove());
    return copy.textContent;
  }

  function leave() {
    here.hidden = true;
    chosen = null;
  }

  let off = false; // a second marker marks no passages

  function look() {
    if (off) return;
    const found = selected();
    if (!found) return leave();
    chosen = found;
    const at = found.range.getBoundingClientRect();
    const box = el.getBoundingClientRect();
    here.hidden = false;
    here.style.top = `${at.bottom - box.top + 6}px`;
    here.style.left = `${Math.max(0, Math.min(at.left - box.left, box.width - here.offsetWidth))}px`;
  }

  const onUp = (event) => here.contains(event.target) || setTimeout(look);
  document.addEventListener("mouseup", onUp);
  document.addEventListener("touchend", onUp);
  here.addEventListener("mousedown", (event) => event.preventDefault()); // the selection stays

  // ---- The dialog ----------------------------------------------------------------------------------

  function ask(criterion = "") {
    const had = chosen ?? selected();
    leave();
    const id = client + "-passage";
    const passage = h("textarea", { rows: "3", autofocus: true, oninput: () => seek() });
    const where = h("select", null);
    const said = h("p", { class: "pcn-help", role: "status" });
    const comment = h("textarea", { rows: "3", maxlength: "20000" });
    const about = h(
      "select",
      null,
      h("option", { value: "" }, "No criterion in particular"),
      criteria.map((one) => h("option", { value: one.id }, one.title)),
    );
    put(about, criterion);
    let found = [];

    function seek() {
      const text = passage.value.trim();
      found = text ? places.flatMap((one) => all(one, text)) : [];
      where.replaceChildren(
        ...found.map(({ one, from, end }, n) =>
          h("option", { value: n }, `${one.label}: ${around(one.text, from, end)}`),
        ),
      );
      where.parentElement.hidden = found.length < 2;
      said.textContent = !text
        ? ""
        : found.length === 1
          ? `Found in “${found[0].one.label}”.`
          : found.length
            ? `Found ${found.length} times: choose where.`
            : "Not found in this submission. A passage lies within one answer, word for word.";
    }

    const submit = async (event) => {
      event.preventDefault();
      const hit = found[Number(where.value || 0)];
      if (!hit) return (passage.focus(), seek());
      const { one, from, end } = hit;
      try {
        await send("highlight", {
          prompt: one.prompt,
          row: one.row,
          column: one.column,
          start: points(one.text.slice(0, from)),
          passage: one.text.slice(from, end),
          comment: comment.value.trim(),
          criterion: about.value || null,
        });
        dialogs.close();
      } catch (error) {
        said.textContent = messageOf(error);
      }
    };
    const form = h(
      "form",
      { onsubmit: submit },
      labelled(
        id,
        "Passage, word for word",
        passage,
        "A few words are enough: the answers are searched while you type.",
      ),
      labelled(id + "-where", "Where", where),
      said,
      labelled(id + "-comment", "Your comment on it", comment),
      labelled(id + "-about", "It is about", about),
      actions(h("button", { class: "pcn-button pcn-primary" }, "Highlight"), button("Cancel", dialogs.close)),
    );
    dialogs.show("Highlight a passage", form);
    if (had) {
      put(passage, had.text);
      seek();
      const n = found.findIndex(({ one, from }) => one === had.one && from === had.from);
      if (n >= 0) put(where, String(n));
      comment.focus();
    } else {
      seek();
    }
  }

  function all(one, text) {
    const [hay, needle] = [plain(one.text), plain(text)];
    const found = [];
    for (let from = hay.indexOf(needle); from >= 0 && found.length < 20; from = hay.indexOf(needle, from + 1)) {
      found.push({ one, from, end: from + needle.length });
    }
    return found;
  }

  const around = (text, from, end) =>
    `…${text.slice(Math.max(0, from - AROUND), from)}[${text.slice(from, end).slice(0, 40)}]${text.slice(end, end + AROUND)}…`;

  return {
    el,
    show,
    ask,
    blind: (yes) => (off = yes),
    close() {
      document.removeEventListener("mouseup", onUp);
      document.removeEventListener("touchend", onUp);
    },
  };
}

// One criterion of the rubric: its levels, its comment, and what came between two markers.
import { button, h, hidden, moment, put, quiet } from "./controls.js";
import { isText, same } from "./marking-outbox.js";

export const number = (points) => new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 }).format(points);

// `give(points)`, `say(comment)`, `settle(entry, value)`, `drop(entry)`, `open()`: what the marker does; `phrases()`
// opens the bank of comments. `alone`: it is the only one on the page.
export function makeCriterion({ client, criterion, give, say, settle, drop, open, phrases }) {
  const id = `${client}-${criterion.id}`;
  const score = h("span", { class: "pcn-score" });
  const head = h(
    "button",
    { type: "button", class: "pcn-fold-head", "aria-expanded": "false", "aria-controls": id + "-body", onclick: open },
    h("span", { class: "pcn-fold-name" }, criterion.title),
    score,
  );
  const buttons = criterion.levels.map((level) => {
    const one = h(
      "button",
      {
        type: "button",
        class: "pcn-level",
        "aria-pressed": "false",
        "aria-keyshortcuts": level.key || null,
        onclick: () => give(level.points),
      },
      h("span", { class: "pcn-key" }, level.key),
      h(
        "span",
        null,
        h("strong", null, level.name),
        String(level.points) !== level.key && ` (${number(level.points)})`,
        hidden(": "),
        h("span", { class: "pcn-level-text" }, level.text),
      ),
    );
    return { level, el: one };
  });
  const between = h("p", { class: "pcn-help" });
  const clash = h("div");
  const by = h("p", { class: "pcn-help pcn-by" });
  const clear = quiet("Take the mark away", () => give(null));
  const comment = h("textarea", {
    id: id + "-comment",
    rows: "3",
    maxlength: "20000",
    oninput: () => say(comment.value),
  });
  const said = h("p", { class: "pcn-help pcn-brief" });
  const name = h("span", null, "Comment");
  const tools = h(
    "p",
    { class: "pcn-tools" },
    button(["Phrases", h("kbd", { "aria-hidden": "true" }, "p")], phrases, "pcn-quiet"),
  );
  const body = h(
    "div",
    { id: id + "-body" },
    h("p", { class: "pcn-soft pcn-question" }, criterion.question),
    h(
      "div",
      { class: "pcn-levels", role: "group", "aria-labelledby": id + "-head" },
      buttons.map(({ el }) => el),
    ),
    between,
    h("div", { class: "pcn-beside" }, by, clear),
    h("label", { class: "pcn-comment-label", for: comment.id }, name, hidden(` on ${criterion.title}`)),
    comment,
    tools,
  );
  const el = h(
    "section",
    { class: "pcn-criterion", "aria-labelledby": id + "-head" },
    h("h3", { id: id + "-head" }, head),
    clash,
    body,
    said,
  );

  // `mark` stands in the gradebook; `sending` and `saying` are on their way there, if anything is.
  // `second`: a second marker's own.
  function show(mark, wanted, saying, unfolded, alone, second) {
    let sending = wanted;
    name.textContent = second ? "Note for whoever settles it (students don't see it)" : "Comment";
    tools.hidden = second;
    if (sending?.changed) sending = null; // of an old scale: what is in the gradebook is shown
    const points = sending ? sending.value : mark.points;
    head.setAttribute("aria-expanded", String(unfolded));
    head.disabled = alone;
    body.hidden = !unfolded;
    el.classList.toggle("pcn-unfolded", unfolded);
    score.textContent = points == null ? "not marked" : `${number(points)} of ${number(criterion.points)}`;
    score.classList.toggle("pcn-waiting", points == null || (mark.open && !sending));
    if (points != null && mark.open && !sending) score.textContent += ", look again";
    for (const { level, el: one } of buttons) one.setAttribute("aria-pressed", String(level.points === points));
    const off = points != null && !criterion.levels.some((level) => level.points === points);
    between.textContent = off ? `${number(points)} points: between two levels, as set in the gradebook.` : "";
    clear.hidden = points == null;
    by.textContent = sending || mark.points == null ? "" : mark.by ? `by ${mark.by}, ${moment(mark.at)}` : "";
    const text = saying ? saying.value : mark.comment;
    if (!same(comment.value, text)) put(comment, text);
    said.textContent = unfolded ? "" : text;
    said.hidden = unfolded || !text;
    drawClash([wanted, saying].filter((one) => one && (one.clash || one.refused)));
  }

  let shown = "";
  function drawClash(entries) {
    const now = JSON.stringify(entries.map(({ id, clash, value, refused }) => [id, clash, value, refused]));
    if (now === shown) return;
    shown = now;
    clash.replaceChildren(
      ...entries.map((entry) =>
        h(
          "div",
          { class: "pcn-note pcn-open pcn-clash", role: "alert" },
          entry.clash ? clashed(entry) : refused(entry),
        ),
      ),
    );
    if (entries.length) clash.scrollIntoView({ block: "nearest" });
  }

  function clashed(entry) {
    const { value, clash: theirs, kind } = entry;
    const who = theirs.by ?? "Somebody else";
    if (!isText(kind)) {
      const words = (points) => (points == null ? "no mark" : `${number(points)} of ${number(criterion.points)}`);
      if (theirs.anew)
        return [
          h("p", null, h("strong", null, "New answers. "), `${theirs.anew} You chose ${words(value)}.`),
          h(
            "p",
            { class: "pcn-actions" },
            button("Leave it for now", () => settle(entry, undefined)),
            button(`I have read them: ${words(value)}`, () => settle(entry, value)),
          ),
        ];
      return [
        h(
          "p",
          null,
          h("strong", null, "Two marks at once. "),
          `${who} was faster: ${words(theirs.points)} stands in the gradebook. You chose ${words(value)}.`,
        ),
        h(
          "p",
          { class: "pcn-actions" },
          button(`Keep ${words(theirs.points)}`, () => settle(entry, theirs.points)),
          button(`Put mine: ${words(value)}`, () => settle(entry, value)),
        ),
      ];
    }
    return [
      h("p", null, h("strong", null, "Two comments at once. "), `This one was saved while you wrote:`),
      h("blockquote", null, theirs.comment || "(empty)"),
      h(
        "p",
        { class: "pcn-actions" },
        button("Keep that one", () => settle(entry, theirs.comment)),
        button("Put mine", () => settle(entry, entry.value)),
        button("Keep both", () => settle(entry, `${theirs.comment}\n\n${entry.value}`)),
      ),
    ];
  }

  const refused = (entry) => [
    h("p", null, h("strong", null, "Not saved. "), entry.refused),
    h(
      "p",
      { class: "pcn-actions" },
      entry.changed
        ? button(`Discard this score: ${number(entry.value ?? 0)}`, () => drop(entry))
        : button("Try again", () => (isText(entry.kind) ? say(entry.value) : give(entry.value))),
    ),
  ];

  return {
    el,
    show,
    criterion,
    level: (key) => criterion.levels.find((level) => level.key === key),
    comment,
    head,
    focus: () => buttons[0].el.focus({ preventScroll: true }),
    // Another submission: nothing of the one before stays.
    empty: () => (put(comment, ""), (shown = ""), clash.replaceChildren()),
    insert(text) {
      put(comment, comment.value.trim() ? `${comment.value.trimEnd()}\n${text}` : text);
      say(comment.value);
    },
  };
}

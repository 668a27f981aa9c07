// Marking by rubric: the answer on one side, the rubric on the other, a level with one key. What is
// shown as saved has been acknowledged by the kernel, which means: it is in the gradebook.
import { messageOf, Questions, Refusal } from "./connection.js";
import { button, h, heed, hidden, hour, moment, put, remember, sweep } from "./controls.js";
import { makeAnswer } from "./marking-answer.js";
import { actions, labelled, makeDialogs } from "./marking-dialog.js";
import { Outbox } from "./marking-outbox.js";
import { showPhrases } from "./marking-phrases.js";
import { makeCriterion, number } from "./marking-rubric.js";

const LOOK = 20000; // ms after which is looked whether others have marked
const KEPT = 8; // submissions whose answers are kept at hand
const PREFS = "pcn:marking:prefs";
const SAMPLES = [100, 50, 30, 20, 10]; // per cent of the submissions that are marked a second time
const KEYS = [
  ["0 – 4", "give the level with this number"],
  ["n", "next unmarked submission"],
  ["j, k", "next, previous submission"],
  ["c, C", "next, previous criterion"],
  ["m", "write the comment; Escape leads out of it"],
  ["p", "phrases: comments to use again"],
  ["h", "highlight a passage of the answer"],
  ["u", "undo your last change in this step"],
  ["?", "this help"],
];

function guarded(act) {
  try {
    return act();
  } catch (error) {
    console.error(error);
  }
}

export default {
  render({ model, el }) {
    const { pcnRoot: site } = document.documentElement.dataset;
    const hosted = site != null; // not in JupyterLab
    const life = new AbortController();
    const on = (target, type, act) => target.addEventListener(type, act, { signal: life.signal });
    const root = h("div", {
      class: "pcn pcn-marking-page" + (hosted ? " pcn-hosted" : " pcn-loose"),
      "data-lm-suppress-shortcuts": "true",
    });
    const wait = h("p", { class: "pcn-soft", role: "status" }, "Opening the gradebook…");
    root.append(wait);
    el.append(root);
    heed(root, life.signal);
    const prefs = {
      step: "",
      way: "",
      second: false,
      sample: 100,
      auto: false,
      keys: true,
      marker: "",
      ...read(PREFS),
    };
    const chosen = prefs.second;
    const connection = new Questions(model, { late, cut: () => draw(), back: () => open() });
    const { client } = connection;
    const dialogs = makeDialogs(root, client);
    const outbox = new Outbox({
      client,
      ask: (type, more) => connection.ask(type, more),
      changed: () => draw(),
      arrived: (answer) => guarded(() => stands(answer)),
      fits,
      version: () => room.version,
      outdated: () => older(),
      anew: ({ step, student }) => step === prefs.step && cache.has(student) && look_at(student),
    });
    const linked = hosted
      ? (location.hash.match(/^#(?<step>[\w-]+)\/(?<student>\w+)(\/(?<criterion>[\w-]+))?$/)?.groups ?? {})
      : {};
    let [room, page, cards, answer] = [null, null, [], null];
    let lines = new Map(); // the step's list, by submission
    let cache = new Map(); // submissions that were read, the newest last
    let names = null; // who wrote which, while they are shown
    let at = ""; // the submission on the page
    let active = ""; // the criterion whose levels the keys give
    let [lateness, savedAt] = ["", null];

    function read(name) {
      try {
        return JSON.parse(localStorage.getItem(name)) ?? {};
      } catch {
        return {};
      }
    }

    function prefer(more) {
      Object.assign(prefs, more);
      const kept = room?.calibration ? { ...prefs, second: chosen } : prefs;
      guarded(() => localStorage.setItem(PREFS, JSON.stringify(kept)));
    }

    // ---- What is there ------------------------------------------------------------------------

    async function open() {
      try {
        const found = await connection.ask("open", { marker: prefs.marker });
        const first = !room;
        if (!first && found.version !== room.version) older();
        // The page goes on with the rubric that it shows.
        room = first ? found : { ...found, criteria: room.criteria, version: room.version };
        if (room.calibration) prefs.second = true; // its first marks are the agreed ones
        if (first) build();
        page.marker.textContent = room.marker;
        await outbox.adopt(`pcn:marking:${room.course_id}:${room.marker}:`);
        showOrphans();
        if (first) await load(linked.step ?? prefs.step, linked.student);
        if (first && room.criteria.some(({ id }) => id === linked.criterion)) {
          if (prefs.way) setWay(linked.criterion);
          else unfold(linked.criterion);
        } else await refresh();
      } catch (error) {
        if (room) return tell(messageOf(error));
        root.replaceChildren(h("p", { class: "pcn-note pcn-open", role: "alert" }, messageOf(error)));
      }
    }

    // The rubric was changed while this page is open: no score is written before it is loaded again.
    function older() {
      if (!page || page.older.childElementCount) return;
      page.older.replaceChildren(
        h(
          "p",
          { class: "pcn-note pcn-open", role: "alert" },
          "The rubric has changed since you opened this page. Load the page again before you score. Your comments are saved. ",
          button("Load the page again", () => (sweep(root), outbox.flush(), location.reload())),
        ),
      );
    }

    function fits({ step, criterion }) {
      return room.steps.some(({ id }) => id === step) && room.criteria.some(({ id }) => id === criterion);
    }

    async function load(wanted, student) {
      sweep(root); // what was written belongs to the submission that is still on the page
      const steps = room.steps;
      const step =
        steps.find(({ id }) => id === wanted) ??
        steps.find(({ of, given }) => of > given) ??
        steps.find(({ of }) => of) ??
        steps[0];
      prefer({ step: step.id });
      put(page.step, step.id);
      [lines, cache, names, at] = [new Map(), new Map(), null, ""];
      page.names.checked = page.listed = false;
      remember(page.names);
      answer.el.hidden = true;
      draw();
      await refresh();
      const order = [...lines.keys()];
      if (order.length) show(lines.has(student) ? student : (order.find((one) => isOpen(one)) ?? order[0]), false);
    }

    async function refresh() {
      const { step, second } = prefs;
      const found = await connection.ask("list", { step, second });
      if (step !== prefs.step || second !== prefs.second) return;
      // They stand in an order drawn by lot, the same for all: so the first ones are a sample.
      const share = second && !room.calibration ? prefs.sample / 100 : 1;
      lines = new Map(
        found.submissions.slice(0, Math.ceil(share * found.submissions.length)).map((one) => [one.student, one]),
      );
      page.listed = true;
      if (names && [...lines.keys()].some((one) => !names[one])) await showNames();
      if (at && lines.has(at)) look_at(at);
      draw();
    }

    async function look_at(student) {
      const { step, second } = prefs;
      const found = await connection
        .ask("read", { step, student, second })
        .catch((error) => (tell(messageOf(error)), null));
      if (!found || step !== prefs.step || second !== prefs.second) return;
      const had = cache.get(student);
      if (had && had.sha256 !== found.sha256 && student === at)
        tell("The student has handed in anew: these are the new answers.");
      cache.delete(student);
      cache.set(student, found);
      for (const old of [...cache.keys()].slice(0, -KEPT)) if (old !== at) cache.delete(old);
      stands(found);
    }

    // What stands in the gradebook now.
    function stands(found) {
      if (found.step !== prefs.step || found.second !== prefs.second) return;
      const one = lines.get(found.student);
      const marks = Object.fromEntries(Object.entries(found.marks).map(([id, mark]) => [id, [mark.points, mark.open]]));
      if (one) Object.assign(one, { marks, total: found.total, out_of: found.out_of });
      const seen = cache.get(found.student);
      if (seen && seen !== found) Object.assign(seen, { ...found, type: seen.type });
      if (found.type === "standing") savedAt = new Date();
      draw();
    }

    async function show(student, lead = true) {
      if (!lines.has(student)) return;
      sweep(root); // the same
      outbox.flush();
      const other = student !== at;
      at = student;
      if (other) {
        for (const card of cards) card.empty();
        if (!prefs.way) active = firstOpen(student) ?? active;
        tell("");
      }
      draw();
      if (lead) {
        if (root.getBoundingClientRect().top < 0) page.top.scrollIntoView({ block: "start" });
        page.rubric.scrollTop = 0;
        page.title.focus({ preventScroll: true });
      }
      await look_at(student);
      const ahead = [neighbour(1), nextOpen()].find((one) => one && !cache.has(one));
      if (ahead) look_at(ahead);
    }

    // ---- Which is next --------------------------------------------------------------------------

    const kindOf = (kind) => (prefs.second ? { points: "second", comment: "note" }[kind] : kind);
    const entry = (student, criterion, kind) => outbox.get(prefs.step, student, criterion, kindOf(kind));

    // Whether a criterion asks for a mark; one on its way counts as given.
    function asks(student, criterion) {
      const sending = entry(student, criterion, "points");
      if (sending && !sending.changed) return sending.value == null;
      return lines.get(student)?.marks[criterion]?.[1] ?? false;
    }

    const wanted = () => (prefs.way ? [prefs.way] : room.criteria.map(({ id }) => id));
    const isOpen = (student) => wanted().some((criterion) => asks(student, criterion));
    const firstOpen = (student) => room.criteria.map(({ id }) => id).find((id) => asks(student, id));

    function neighbour(by) {
      const order = [...lines.keys()];
      return order[order.indexOf(at) + by];
    }

    function nextOpen() {
      const order = [...lines.keys()];
      const from = order.indexOf(at) + 1;
      return [...order.slice(from), ...order.slice(0, from)].find((one) => one !== at && isOpen(one));
    }

    function go(student, words) {
      if (student) show(student);
      else tell(words);
    }

    const goBy = (by) => go(neighbour(by), by > 0 ? "This is the last submission." : "This is the first submission.");
    const goOpen = () =>
      go(nextOpen(), isOpen(at) ? "Only this submission is still unmarked." : "All submissions are marked here.");

    function turn(by) {
      const ids = room.criteria.map(({ id }) => id);
      const next = ids[(ids.indexOf(active) + by + ids.length) % ids.length];
      if (prefs.way) setWay(next);
      else unfold(next);
      cards.find(({ criterion }) => criterion.id === next).el.scrollIntoView({ block: "nearest" });
    }

    function unfold(id) {
      active = id;
      draw();
    }

    // ---- What the marker does ---------------------------------------------------------------------

    const seen = (id) => cache.get(at)?.marks[id];

    function give(id, points) {
      const mark = seen(id);
      if (!mark) return;
      active = id;
      tell("");
      const on_ = entry(at, id, "points");
      if (on_?.clash) return tell("Choose first between the two marks.");
      // A mark that asks for a new look is given again as it was, too.
      if (!on_ && mark.points === points && !mark.open) return tell("This level is given already.");
      if (!on_ && mark.points === points) confirmMark(id, points);
      else outbox.want(prefs.step, at, id, kindOf("points"), points, mark.points, cache.get(at).sha256);
      if (prefs.auto && points != null) onward();
    }

    async function confirmMark(criterion, points) {
      const [student, { step, second }, { sha256 }] = [at, prefs, cache.get(at)];
      try {
        const found = await connection.ask("give", {
          step,
          student,
          criterion,
          points,
          seen: points,
          second,
          sha256,
          version: room.version,
        });
        if (found.type !== "conflict") return stands(found);
        await look_at(student);
        tell(`Not confirmed. ${found.message}`);
      } catch (error) {
        if (error instanceof Refusal && error.changed) older();
        tell(messageOf(error));
      }
    }

    function onward() {
      const next = !prefs.way && firstOpen(at);
      if (next) return unfold(next);
      const student = nextOpen();
      if (student) show(student);
      else tell("All submissions are marked here.");
    }

    function say(id, text) {
      const mark = seen(id);
      if (mark) outbox.want(prefs.step, at, id, kindOf("comment"), text, mark.comment);
    }

    function settle(one, value) {
      outbox.settle(one, value, cache.get(one.student)?.sha256);
      look_at(one.student);
    }

    let undoing = false;
    async function undo() {
      if (undoing) return;
      if (prefs.second) return tell("As a second marker you give another level, or take the mark away.");
      if (outbox.open.some(({ clash, refused }) => !clash && !refused)) {
        outbox.flush();
        tell("One moment: your last change is still being saved.");
        return;
      }
      undoing = true;
      try {
        const undone = await connection.ask("undo", { step: prefs.step, version: room.version }, true);
        if (undone.type === "conflict") tell(`Not undone. ${undone.message}`);
        else if (undone.nothing) tell("There is nothing of yours to undo in this step.");
        else {
          if (undone.student !== at) await show(undone.student);
          else await look_at(undone.student);
          if (undone.criterion && prefs.way) setWay(undone.criterion);
          else if (undone.criterion) unfold(undone.criterion);
          tell(undid(undone), redo(undone));
        }
      } catch (error) {
        tell(messageOf(error));
      }
      undoing = false;
    }

    /** @param {any} undone */
    function undid({ student, criterion, what, before, after }) {
      const where = `Undone: ${[nameOf(student), criterion && titleOf(criterion)].filter(Boolean).join(", ")}:`;
      if (what === "highlight")
        return `${where} a passage is ${after ? "not highlighted any more" : "highlighted again"}.`;
      if (what === "comment") return `${where} the comment is ${before ? "as it was before" : "empty again"}.`;
      if (before == null) return `${where} not marked any more.`;
      return `${where} ${number(before)} again${after == null ? "" : ", not " + number(after)}.`;
    }

    // What brings back a mark or a comment that was taken back: it is given anew.
    /** @param {any} undone */
    const redo = ({ student, criterion, what, after }) =>
      what !== "highlight" &&
      (async () => {
        if (student !== at) await show(student);
        if (prefs.way) setWay(criterion);
        else unfold(criterion);
        tell("");
        if (what === "mark") give(criterion, after);
        else say(criterion, after ?? "");
        outbox.flush();
      });

    const titleOf = (id) => room.criteria.find((one) => one.id === id)?.title ?? id;
    const nameOf = (student) => names?.[student]?.[0] ?? `Submission ${lines.get(student)?.pseudonym ?? ""}`;

    async function showNames() {
      if (!page.names.checked) {
        names = null;
        return draw();
      }
      try {
        const found = await connection.ask("names", { step: prefs.step });
        if (found.step === prefs.step && page.names.checked) names = found.names;
      } catch (error) {
        page.names.checked = false;
        remember(page.names);
        tell(messageOf(error));
      }
      draw();
    }

    // First or second marker: what one sees, the other doesn't.
    function become(second) {
      sweep(root);
      outbox.flush();
      prefer({ second });
      load(prefs.step).catch((error) => tell(messageOf(error)));
    }

    function setWay(way) {
      prefer({ way });
      put(page.way, way);
      active = way || firstOpen(at) || active;
      draw();
    }

    // ---- The page ---------------------------------------------------------------------------------

    function build() {
      const id = (name) => `${client}-${name}`;
      active = room.criteria.some((one) => one.id === prefs.way) ? prefs.way : room.criteria[0].id;
      if (prefs.way !== active) prefs.way = "";
      const box = (name, text, act) => {
        const input = h("input", { type: "checkbox", id: id(name), autocomplete: "off", onchange: act });
        return [input, h("div", { class: "pcn-option" }, input, h("label", { for: input.id }, text))];
      };
      const [namesBox, namesEl] = box("names", "Show names", () => showNames());
      const [autoBox, autoEl] = box("auto", "Go on by itself", () => prefer({ auto: autoBox.checked }));
      autoBox.checked = prefs.auto;
      remember(autoBox);
      page = {
        step: h("select", { onchange: () => load(page.step.value) }),
        way: h(
          "select",
          { onchange: () => setWay(page.way.value) },
          h("option", { value: "" }, "One submission whole"),
          room.criteria.map((one) => h("option", { value: one.id }, `Across all: ${one.title}`)),
        ),
        as: h(
          "select",
          { onchange: () => become(page.as.value === "second") },
          !room.calibration && h("option", { value: "" }, "First marker"),
          h("option", { value: "second" }, "Second marker, blind"),
        ),
        sample: h(
          "select",
          {
            onchange: () => {
              prefer({ sample: Number(page.sample.value) });
              load(prefs.step).catch((error) => tell(messageOf(error)));
            },
          },
          SAMPLES.map((share) =>
            h("option", { value: share }, share < 100 ? `${share}%, drawn by lot` : "All submissions"),
          ),
        ),
        names: namesBox,
        marker: h("strong"),
        counts: h("p", { class: "pcn-counts", role: "status" }),
        top: h("div", { class: "pcn-top" }),
        title: h("h2", { id: id("title"), tabindex: "-1" }),
        facts: h("p", { class: "pcn-soft pcn-facts" }),
        notes: h("div"),
        rubric: h("div", { class: "pcn-rubric" }),
        total: h("p", { class: "pcn-total" }),
        choices: h("div"),
        older: h("div"),
        orphans: h("div"),
        said: h("p", { class: "pcn-status", role: "status" }),
        words: h("p", { class: "pcn-words", role: "status" }),
        none: h(
          "p",
          { class: "pcn-note" },
          "Nobody's work is here yet. Collect and autograde this step; then come back.",
        ),
        all: h("ol", { class: "pcn-all" }),
      };
      put(page.way, prefs.way);
      put(page.as, prefs.second ? "second" : "");
      put(page.sample, (prefs.sample = SAMPLES.includes(prefs.sample) ? prefs.sample : 100));
      answer = makeAnswer({ client, criteria: room.criteria, dialogs, send: mark });
      cards = room.criteria.map((criterion) =>
        makeCriterion({
          client,
          criterion,
          settle,
          drop: (one) => outbox.drop(one),
          give: (points) => give(criterion.id, points),
          say: (text) => say(criterion.id, text),
          open: () => unfold(criterion.id),
          phrases: () => phrases(),
        }),
      );
      for (const card of cards)
        on(
          card.el,
          "focusin",
          () =>
            active !== card.criterion.id &&
            !prefs.way &&
            card.head !== document.activeElement &&
            unfold(card.criterion.id),
        );
      page.desk = h(
        "div",
        { class: "pcn-desk" },
        h(
          "section",
          { class: "pcn-left", "aria-labelledby": id("title") },
          page.title,
          page.facts,
          h(
            "p",
            { class: "pcn-to-rubric" },
            button(
              "To the rubric",
              () => {
                page.rubric.scrollIntoView({ block: "start" });
                cards.find(({ criterion }) => criterion.id === active).focus();
              },
              "pcn-quiet",
            ),
          ),
          page.notes,
          answer.el,
          (page.mark = h(
            "p",
            { class: "pcn-tools" },
            button(["Highlight a passage", key("h")], () => highlight(), "pcn-quiet"),
          )),
        ),
        h("section", { class: "pcn-right", "aria-label": "Rubric" }, page.rubric),
      );
      page.rubric.append(...cards.map((card) => card.el), page.total);
      page.bar = h(
        "div",
        { class: "pcn-bar", role: "region", "aria-label": "Go on" },
        page.words,
        h(
          "div",
          { class: "pcn-line" },
          button(
            [
              sign("‹"),
              hidden("Previous submission"),
              h("span", { class: "pcn-long", "aria-hidden": "true" }, "Previous"),
              key("k"),
            ],
            () => goBy(-1),
          ),
          button(
            [
              h("span", { class: "pcn-long", "aria-hidden": "true" }, "Next"),
              hidden("Next submission"),
              sign("›"),
              key("j"),
            ],
            () => goBy(1),
          ),
          button(
            [
              h("span", { class: "pcn-long" }, "Next unmarked"),
              h("span", { class: "pcn-short" }, "Unmarked"),
              key("n"),
            ],
            goOpen,
            "pcn-button pcn-primary",
          ),
          (page.undo = button(["Undo", key("u")], undo)),
          page.said,
        ),
      );
      page.top.append(
        h(
          "div",
          { class: "pcn-choose" },
          labelled(id("step"), "Step", page.step),
          labelled(id("way"), "Mark", page.way),
          labelled(id("as"), "As", page.as),
          (page.share = labelled(id("sample"), "Of", page.sample)),
          h("div", { class: "pcn-boxes" }, namesEl, autoEl),
        ),
        h(
          "div",
          { class: "pcn-row-of" },
          page.counts,
          h(
            "p",
            { class: "pcn-who" },
            "Marking as ",
            page.marker,
            " ",
            !room.signed_in && button(["Change", hidden(" who is marking")], () => whoMarks(), "pcn-quiet"),
            " ",
            button(["Keys", key("?")], help, "pcn-quiet"),
            site != null &&
              [
                ["cohort", "The class"],
                ["agreement", "Second marking"],
              ].flatMap(([name, text]) => [" ", h("a", { class: "pcn-quiet", href: `${site}${name}.ipynb` }, text)]),
          ),
        ),
      );
      root.replaceChildren(
        page.top,
        page.older,
        page.none,
        page.choices,
        page.orphans,
        page.desk,
        h("details", { class: "pcn-list" }, h("summary", null, "All submissions of this step"), page.all),
        page.bar,
      );
    }

    const key = (text) => h("kbd", { "aria-hidden": "true" }, text);
    const sign = (text) => h("span", { "aria-hidden": "true" }, text);

    async function mark(type, more) {
      tell("");
      stands(
        await connection.ask(type, { step: prefs.step, student: at, ...more }).catch((error) => {
          tell(messageOf(error));
          throw error;
        }),
      );
    }

    function draw() {
      if (!page) return;
      sweep(root); // a comment that nobody announced is not drawn over
      guarded(redraw);
    }

    function redraw() {
      page.share.hidden = !prefs.second || room.calibration;
      drawCounts();
      drawStatus();
      drawChoices();
      drawList();
      const seen_ = cache.get(at);
      page.none.hidden = !page.listed || lines.size > 0;
      page.desk.hidden = page.bar.hidden = !at;
      if (!at) return;
      const order = [...lines.keys()];
      page.mark.hidden = page.undo.hidden = prefs.second;
      answer.blind(prefs.second);
      page.title.textContent = nameOf(at);
      answer.el.hidden = !seen_;
      page.facts.textContent = [
        `${order.indexOf(at) + 1} of ${order.length}`,
        names?.[at] && `Submission ${lines.get(at).pseudonym}`,
        seen_?.handed_in && `handed in ${moment(seen_.handed_in)}`,
      ]
        .filter(Boolean)
        .join(" · ");
      drawNotes(seen_);
      if (seen_) answer.show(seen_, at);
      for (const card of cards) {
        const { id } = card.criterion;
        card.el.hidden = Boolean(prefs.way) && id !== prefs.way;
        const given = seen_?.marks[id] ?? {
          points: lines.get(at).marks[id]?.[0] ?? null,
          comment: "",
          open: asks(at, id),
        };
        card.show(
          given,
          entry(at, id, "points"),
          entry(at, id, "comment"),
          id === active || id === prefs.way,
          Boolean(prefs.way),
          prefs.second,
        );
        card.comment.disabled = !seen_;
      }
      drawTotal(seen_);
    }

    function drawCounts() {
      const marks = [...lines.values()].flatMap((one) => Object.values(one.marks));
      if (marks.length && !prefs.second) {
        const here = room.steps.find(({ id }) => id === prefs.step);
        Object.assign(here, { of: marks.length, given: marks.filter(([, open]) => !open).length });
      }
      const how = ({ of, given }) => (of ? `${given} of ${of} marks` : "nothing yet");
      const options = room.steps.map((one) => [one.id, `Step ${one.number} · ${one.short} (${how(one)})`]);
      if (page.step.options.length !== options.length) {
        page.step.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
        put(page.step, prefs.step);
      }
      options.forEach(([, text], n) => page.step.options[n].text === text || (page.step.options[n].text = text));
      const all = [...lines.keys()];
      const done = all.filter((one) => !isOpen(one)).length;
      const words = !all.length
        ? ""
        : prefs.way
          ? `${done} of ${all.length} marked for “${titleOf(prefs.way)}”`
          : `${done} of ${all.length} submissions marked`;
      if (page.counts.textContent !== words) page.counts.textContent = words;
    }

    let shownNotes = "";
    function drawNotes(seen_) {
      const now = JSON.stringify([at, seen_?.seconds_late, seen_?.penalty, seen_?.notes, seen_?.requests]);
      if (now === shownNotes) return;
      shownNotes = now;
      if (!seen_) return page.notes.replaceChildren();
      const { seconds_late: seconds, penalty, notes, requests } = seen_;
      page.notes.replaceChildren(
        ...[
          seconds > 0 &&
            h(
              "p",
              { class: "pcn-note pcn-open" },
              h("strong", null, "Late"),
              ` by ${span(seconds)}.`,
              penalty ? ` ${number(penalty)} points are taken off the total.` : " No points are taken off.",
            ),
          ...notes.map((note) => h("p", { class: "pcn-note" }, note)),
          ...requests.map((one) =>
            h(
              "div",
              { class: "pcn-note" + (one.answer == null ? " pcn-open" : "") },
              h(
                "p",
                null,
                h("strong", null, one.answer == null ? "Asked to look again" : "Asked to look again, and answered"),
                one.criterion && ` at “${titleOf(one.criterion)}”`,
                `, ${moment(one.at)}:`,
              ),
              h("blockquote", null, one.text),
              one.answer != null && h("p", null, "Answer: ", one.answer),
            ),
          ),
        ].filter(Boolean),
      );
    }

    function span(seconds) {
      const [days, hours] = [Math.floor(seconds / 86400), Math.floor((seconds % 86400) / 3600)];
      const words = (n, one) => n && `${n} ${one}${n === 1 ? "" : "s"}`;
      return [words(days, "day"), words(hours, "hour")].filter(Boolean).join(" ") || "less than an hour";
    }

    function drawTotal(seen_) {
      page.total.hidden = !seen_ || prefs.second;
      if (page.total.hidden) return;
      const { structure, structure_open, raw, total, out_of, penalty } = seen_;
      const pieces = [
        [
          "Structure, checked by the machine",
          `${number(structure)} of ${number(room.structure)}${structure_open ? ", look again" : ""}`,
        ],
        penalty && ["Sum", `${number(raw)}`],
        penalty && ["Taken off for being late", `−${number(Math.min(penalty, raw))}`],
        ["Total in the gradebook", `${number(total)} of ${number(out_of)}`],
      ].filter(Boolean);
      const now = JSON.stringify(pieces);
      if (page.total.dataset.now === now) return;
      page.total.dataset.now = now;
      page.total.replaceChildren(
        ...pieces.map(([what, value]) => h("span", null, h("span", null, what, " "), h("strong", null, value))),
      );
    }

    function tell(text, again) {
      page?.words.replaceChildren(text, again ? " " : "", again ? button("Redo", again, "pcn-quiet") : "");
      draw();
    }

    function drawStatus() {
      const waiting = outbox.open.filter(({ clash, refused }) => !clash && !refused);
      const kept = outbox.unkept ? "Leave this page open." : "It is kept on this device.";
      const trouble = lateness || (connection.cut ? "The connection is interrupted." : "");
      const status = trouble
        ? [trouble, outbox.open.length && `Not saved yet: ${kept}`].filter(Boolean).join(" ")
        : waiting.length
          ? "Saving…"
          : outbox.open.length
            ? `Not saved: ${outbox.open.length === 1 ? "a choice is" : "choices are"} waiting for you.`
            : savedAt
              ? `Saved ${hour(savedAt.toISOString())}`
              : "";
      if (page.said.textContent !== status) page.said.textContent = status;
      page.said.classList.toggle("pcn-ok", status.startsWith("Saved"));
      page.said.classList.toggle("pcn-bad", /^Not saved|Not saved yet/.test(status) || Boolean(trouble));
    }

    // What waits for a choice on submissions that are not on the page.
    const sameSide = (kind) => ["second", "note"].includes(kind) === prefs.second;

    let shownChoices = "";
    function drawChoices() {
      const open_ = outbox.open.filter(
        ({ clash, refused, student, step, criterion, kind }) =>
          (clash || refused) &&
          (!sameSide(kind) || student !== at || step !== prefs.step || (prefs.way && criterion !== prefs.way)),
      );
      const now = JSON.stringify(open_.map(({ id }) => id));
      if (now === shownChoices) return;
      shownChoices = now;
      page.choices.replaceChildren(
        ...(open_.length
          ? [
              h(
                "div",
                { class: "pcn-note pcn-open", role: "alert" },
                h(
                  "p",
                  null,
                  h("strong", null, "Not saved: "),
                  "another marker was faster, the student has handed in anew, or the gradebook refused. Look at each, and choose.",
                ),
                h(
                  "ul",
                  null,
                  open_.map((one) =>
                    h(
                      "li",
                      null,
                      button(
                        `${one.step === prefs.step ? nameOf(one.student) : room.steps.find(({ id }) => id === one.step).short}, ${titleOf(one.criterion)}`,
                        async () => {
                          if (!sameSide(one.kind)) {
                            prefer({ second: !prefs.second });
                            put(page.as, prefs.second ? "second" : "");
                            await load(one.step);
                          }
                          if (one.step !== prefs.step) await load(one.step);
                          if (prefs.way) setWay(one.criterion);
                          await show(one.student);
                          unfold(one.criterion);
                        },
                        "pcn-quiet",
                      ),
                    ),
                  ),
                ),
              ),
            ]
          : []),
      );
    }

    // Comments that were not saved, on criteria that are no longer in the rubric.
    function showOrphans() {
      page.orphans.replaceChildren(
        ...outbox.orphans.map((one) =>
          h(
            "div",
            { class: "pcn-note pcn-open" },
            h(
              "p",
              null,
              h("strong", null, "No longer asked: "),
              `your comment on “${one.criterion}” was not saved before that criterion was dropped. Copy what you need.`,
            ),
            h("blockquote", { dir: "auto" }, one.text),
            button(["Remove", hidden(` this comment on ${one.criterion}`)], () => {
              outbox.orphans = outbox.orphans.filter((other) => other !== one);
              guarded(() => localStorage.removeItem(one.name));
              showOrphans();
            }),
          ),
        ),
      );
    }

    function howFar(student) {
      const all = wanted();
      const done = all.filter((criterion) => !asks(student, criterion)).length;
      return done ? `${done} of ${all.length} criteria marked` : "unmarked";
    }

    let shownList = "";
    function drawList() {
      if (!page.all.parentElement.open) return;
      const now = JSON.stringify([
        at,
        names,
        prefs.way,
        [...lines.values()],
        outbox.open.map(({ id, value }) => [id, value]),
      ]);
      if (now === shownList) return;
      shownList = now;
      page.all.replaceChildren(
        ...[...lines.values()].map((one) =>
          h(
            "li",
            null,
            button(
              [nameOf(one.student)],
              () => show(one.student),
              "pcn-quiet" + (one.student === at ? " pcn-here-now" : ""),
            ),
            h(
              "span",
              { class: "pcn-help" },
              [
                isOpen(one.student) ? `○ ${howFar(one.student)}` : "✓ marked",
                !prefs.second && `${number(one.total)} of ${number(one.out_of)}`,
                one.late && "late",
                one.requests && "asked to look again",
                one.notes &&
                  !names &&
                  (one.notes === 1 ? "1 note, shown with names" : `${one.notes} notes, shown with names`),
              ]
                .filter(Boolean)
                .join(" · "),
            ),
            // Notes say who uploaded what.
            (names?.[one.student] ?? []).slice(2).map((note) => h("p", { class: "pcn-note" }, note)),
          ),
        ),
      );
    }

    // ---- Dialogs ------------------------------------------------------------------------------------

    const card = () => cards.find(({ criterion }) => criterion.id === active);
    const phrases = () =>
      !prefs.second &&
      showPhrases({
        client,
        dialogs,
        card: card(),
        step: prefs.step,
        ask: (type, more, once) => connection.ask(type, more, once),
      });
    const highlight = () => !prefs.second && answer.ask(active);

    function help() {
      const box = h("input", { type: "checkbox", id: client + "-keys", onchange: () => prefer({ keys: box.checked }) });
      box.checked = prefs.keys;
      remember(box);
      const levels = room.criteria
        .flatMap((one) => one.levels.map((level) => level.key))
        .filter(Boolean)
        .sort();
      dialogs.show(
        "Keys",
        h(
          "table",
          { class: "pcn-keys" },
          h(
            "tbody",
            null,
            KEYS.map(([name, what], n) =>
              h(
                "tr",
                null,
                h(
                  "th",
                  { scope: "row" },
                  (n ? name : `${levels[0]} – ${levels.at(-1)}`)
                    .split(", ")
                    .flatMap((one) => [" ", h("kbd", null, one)]),
                ),
                h("td", null, what),
              ),
            ),
          ),
        ),
        h("p", null, "They do nothing while you write in a field."),
        h("div", { class: "pcn-option" }, box, h("label", { for: box.id }, "Use these keys")),
        actions(button("Back to marking", dialogs.close, "pcn-button pcn-primary")),
      );
    }

    function whoMarks() {
      const name = h("input", { type: "text", maxlength: "60", autocomplete: "off", autofocus: true });
      put(name, room.marker);
      dialogs.show(
        "Who is marking?",
        h(
          "form",
          {
            onsubmit: (event) => {
              event.preventDefault();
              prefer({ marker: name.value.trim() });
              dialogs.close();
              open();
            },
          },
          labelled(
            client + "-marker",
            "Your name or initials",
            name,
            "It is kept with each mark that you give. Students see it nowhere.",
          ),
          actions(h("button", { class: "pcn-button pcn-primary" }, "Go on"), button("Cancel", dialogs.close)),
        ),
      );
    }

    // ---- Keys and the line ----------------------------------------------------------------------------

    const acts = {
      n: goOpen,
      j: () => goBy(1),
      k: () => goBy(-1),
      u: undo,
      h: highlight,
      p: phrases,
      c: () => turn(1),
      C: () => turn(-1),
      m: () => card().comment.focus(),
      "?": help,
    };

    function onKey(event) {
      if (!page || !at || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || dialogs.open) return;
      const field = event.target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox])");
      if (event.key === "Escape" && root.contains(event.target)) {
        event.preventDefault(); // out of a field, to where the keys work
        outbox.flush();
        page.title.focus({ preventScroll: true });
      }
      if (field || !prefs.keys) return;
      const level = !event.shiftKey && card().level(event.key);
      const act = level ? () => give(active, level.points) : Object.hasOwn(acts, event.key) && acts[event.key];
      if (!act) return;
      event.preventDefault();
      if (!event.repeat || "jk".includes(event.key)) guarded(act);
    }

    function late(yes, why = "") {
      lateness = yes ? why || "The gradebook doesn't answer; trying again." : "";
      if (!page) wait.textContent = yes ? "Still opening. This takes longer than usual." : wait.textContent;
      draw();
    }

    const look = () => {
      if (!document.hidden && room && !connection.cut && !connection.waiting.size) refresh().catch(console.info);
    };
    on(document, "visibilitychange", () => (document.hidden ? outbox.flush() : look()));
    on(window, "pagehide", () => outbox.flush());
    on(window, "beforeunload", (event) => outbox.unkept && outbox.open.length && event.preventDefault());
    on(hosted ? document : root, "keydown", onKey);
    if (!hosted) on(root, "keydown", (event) => event.stopPropagation());
    root.addEventListener("toggle", () => ((shownList = ""), draw()), { capture: true, signal: life.signal });
    const timer = setInterval(look, LOOK);
    open();

    return () => {
      life.abort();
      clearInterval(timer);
      outbox.flush();
      connection.close();
      answer?.close();
      root.remove();
    };
  },
};

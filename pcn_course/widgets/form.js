// One step as a form. It knows a store of answers (types.d.ts) and a place for drafts, and nothing else.
import { makeAdvice } from "./advice.js";
import {
  button,
  deadline,
  h,
  heed,
  hour,
  isEmpty,
  isGroup,
  makeControl,
  moment,
  put,
  quiet,
  sweep,
  words,
} from "./controls.js";
import { KernelStore } from "./kernel-store.js";
import { makeTable } from "./lists.js";
import { copy, download, guarded, makePanels } from "./panels.js";
import { Saving } from "./saving.js";
import { makeTakeover } from "./takeover.js";

/** @import { Store, StoreListener } from "./types.d.ts" */

const PRIVATE = "Only you see this. It is never submitted.";
const ASKED = 15; // of a list's first entries can be chosen in the same step: pairs grow fast
const TAKEOVER = "Take people over from a list";
const CUT = "The connection is interrupted. Try again in a moment.";
const CUT_WISH =
  "The connection is interrupted. When it is back, look whether your words were sent. If not, send them again: they are kept.";
const RELOAD = "Load the page again";
const CHANGED = "This answer was also changed in another window.";

export default {
  render({ model, el }) {
    const root = h("div", { class: "pcn pcn-form", "data-lm-suppress-shortcuts": "true" });
    el.append(root);
    return openForm((listener) => new KernelStore(model, listener), root);
  },
};

/** @param {(listener: StoreListener) => Store} makeStore @param {HTMLElement} root */
function openForm(makeStore, root) {
  const site = document.documentElement.dataset.pcnRoot; // none in JupyterLab
  const controls = new Map();
  const notes = new Map();
  const pasts = new Map(); // the buttons to earlier versions
  const drafts = new Map(); // the advice on texts that are shared
  const busy = new Set();
  const notices = new Set();
  const life = new AbortController();
  const known = new Map(); // entries of tables that can be chosen, by where they are from
  let saving, state, submission, waiting, back, panels, takeover;
  let outdated = false; // the course asks something else than this page, since an update
  let dropped = ""; // what is shown of questions that are no longer asked
  let refused = ""; // why the kernel could not say what it has
  let receipt = null;
  let wish = { criterion: null, text: "" }; // for another look; kept until it is sent

  root.classList.toggle("pcn-hosted", site != null);
  const listen = (target, name, act) => target.addEventListener(name, act, { signal: life.signal });

  // ---- What the kernel says ------------------------------------------------------------------

  const replies = {
    state(message) {
      refused = "";
      // The page goes on with the questions that it shows.
      outdated = Boolean(state) && state.version !== message.version;
      state = outdated ? { ...message, step: state.step, version: state.version } : message;
      receipt = state.submitted ?? receipt;
      if (!saving) build();
      else Object.keys(state.refs ?? {}).forEach(renew);
      saving.state(state);
      panels.look();
      showNews();
      const { steps, home, course, step, due, overdue } = state;
      const detail = { steps, home, title: course.title, step, due, overdue };
      root.dispatchEvent(new CustomEvent("pcn:state", { bubbles: true, composed: true, detail }));
    },
    ack(message) {
      saving?.acknowledge(message);
      panels?.look();
      const isPublic = (key) => state.step.prompts.some((one) => one.key === key && !one.private);
      if (Object.keys(message.versions).some(isPublic) && receipt && !state.changed_since) {
        state.changed_since = true;
        showNews();
      }
    },
    refused: (message) => saving?.refused(message),
    history: ({ key, entries }) => showHistory(key, entries),
    preview: ({ html }) => showPage("What your instructor will see", html),
    feedback: ({ html }) => showPage("Feedback from your instructor", html),
    changed: () => (showChanged(), store.open()),
    receipt(message) {
      receipt = message;
      state.changed_since = false;
      showNews();
      showReceipt(message);
    },
    asked({ asked, how, text }) {
      state.asked = asked;
      keepWish({ criterion: null, text: "" });
      showNews();
      if (how === "exchange")
        dialog("Your instructor gets it", h("p", null, "The answer will stand in your feedback."));
      else
        dialog(
          "Send it yourself",
          h("p", null, "There is no way from here to your instructor. Copy these words, and send them:"),
          h("p", { class: "pcn-example", dir: "auto" }, text),
        );
    },
    question: ({ kind, text }) => askBack(kind, text),
    panels: ({ panels: html }) => panels?.show(html),
    advice: (message) => advice.hear(message),
    list: (message) => takeover?.hear(message),
    file: (message) => panels?.file(message),
    page({ title, html }) {
      panels?.done();
      showPage(title, html);
    },
    problem({ message, about = "" }) {
      panels?.done();
      if (about === "open" && state) (refused = message), showStatus();
      else if (about === "open" && root.textContent === message) return;
      else if (takeover && root.querySelector(".pcn-takeover")) takeover.fail(message);
      else if (state) dialog("That did not work", h("p", null, message));
      else root.replaceChildren(h("p", { class: "pcn-note pcn-open", role: "alert" }, message));
    },
  };
  // What fields hold is heard before anything is drawn.
  const hear = (act) => (message) => (sweep(root), act?.(message));
  const onCut = () => {
    if (saving) (saving.cut = true), showStatus();
    if (waiting?.at.isConnected) write(waiting.at, waiting.cut);
  };
  const store = makeStore({
    state: hear(replies.state),
    acknowledge: hear(replies.ack),
    refused: hear(replies.refused),
    history: hear(replies.history),
    answer: (message) => hear(replies[message.type])(message),
    cut: onCut,
    back: () => (saving?.settle(), store.open()),
  });
  const { client } = store;
  // For what somebody waits for: over a line that is cut, nothing goes.
  const connected = (act) => {
    if (saving.cut) throw new Error("The line is cut.");
    act();
  };
  const requestNow = (type, more) => connected(() => store.request(type, more));

  // ---- The page ------------------------------------------------------------------------------

  const news = h("div", { class: "pcn-news" });
  const status = h("span", { class: "pcn-status", role: "status" });
  const progress = h("span", { class: "pcn-progress" });
  const alert = h("div", { class: "pcn-alert", role: "alert", hidden: true });
  const submit = button("Submit", confirmSubmit, "pcn-button pcn-primary pcn-submit");
  const preview = button(
    [
      h("span", { class: "pcn-long" }, "See what your instructor will see"),
      h("span", { class: "pcn-short" }, "Preview"),
    ],
    () => load(() => store.request("preview"), "What your instructor will see"),
    "pcn-button pcn-preview",
  );
  const renewal = h("div", { class: "pcn-changed", role: "alert", hidden: true });
  const bar = h(
    "div",
    { class: "pcn-bar" },
    alert,
    renewal,
    h("div", { class: "pcn-line" }, status, progress, preview, submit),
  );
  root.append(h("p", { class: "pcn-soft", role: "status" }, "Fetching your answers…"));

  const advice = makeAdvice((key, text, number) => store.request("advise", { key, text, number }));

  function build() {
    const { course, user, step } = state;
    const place = ["pcn", course.id, user, step.id, ""].map(encodeURIComponent).join(":");
    saving = new Saving({
      store,
      place,
      prompts: step.prompts,
      show: (key, value) => (controls.get(key)?.set(value), renew(key)),
      tell: showNote,
      changed: showStatus,
      busy: (key) => busy.has(key),
      look: (key) => controls.has(key) && sweep(controls.get(key).el),
    });
    const prompts = new Map(step.prompts.map((prompt) => [prompt.key, prompt]));
    const value = (key) => saving.fields.get(key)?.value;
    panels = makePanels({
      client,
      site: document.documentElement.dataset.pcnBase,
      prompts,
      request: (type, more) => store.request(type, more),
      requestNow,
      value,
      change,
      open: openTakeover,
    });
    const parts = [];
    let section = "";
    for (const prompt of step.prompts) {
      if (prompt.section && prompt.section !== section) parts.push(h("h2", null, prompt.section));
      section = prompt.section || section;
      parts.push(makeField(prompt), ...panels.after(step.panels, prompt.key, section ? 3 : 2));
    }
    root.replaceChildren(site == null ? heading() : "", news, ...parts, unasked, ways(), bar);
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--pcn-bar", bar.offsetHeight + "px");
    }).observe(bar);
  }

  function heading() {
    const { step, due, overdue } = state; // by the server's clock: a device's may be wrong
    const parts = [`Step ${step.number} of ${step.of}`, `about ${step.minutes} minutes`];
    if (due) parts.push(`${overdue ? "was due" : "due"} ${deadline(due)}`);
    return h("p", { class: "pcn-eyebrow" }, parts.join(" · "));
  }

  // Another answer from the page itself.
  function change(key, value) {
    controls.get(key).set(value);
    edited(key);
  }

  function edited(key) {
    saving.edit(key, controls.get(key).get());
    renew(key);
  }

  // What the table or step `from` has is different now: whatever is made of it is, too.
  function renew(from) {
    guarded(() => {
      known.delete(from);
      controls.forEach((control) => control.refresh?.(from));
      panels.edited(from);
      drafts.get(from)?.look(controls.get(from).get());
    });
  }

  // What can be chosen from a table: [{value, label, late}]. `late`: behind the first few.
  function offers(from) {
    if (!known.has(from)) {
      const prompt = state.step.prompts.find((one) => one.key === from);
      known.set(from, prompt ? entries(prompt) : (state.refs?.[from] ?? []));
    }
    return known.get(from);
  }
  offers.most = ASKED;

  function entries({ row, columns: [first], key }) {
    return (saving.fields.get(key).value ?? []).map((one, n) => ({
      value: one.id,
      label: isEmpty(first, one[first.key])
        ? `${row[0].toUpperCase()}${row.slice(1)} ${n + 1}`
        : words(first, one[first.key]),
      late: n >= ASKED || undefined,
    }));
  }

  function openTakeover() {
    const { people = "people" } = state.step.panels.find(({ kind }) => kind === "import");
    const table = controls.get(people);
    takeover ??= makeTakeover({
      id: client + "-list",
      dialog: (...content) => dialog(TAKEOVER, ...content),
      ask: (more) => requestNow("list", more),
      prompt: saving.fields.get(people).prompt,
      value: () => table.get(),
      add(rows, text) {
        change(people, rows);
        leave(table);
        table.say(text);
      },
    });
    takeover.open();
  }

  function makeField(prompt) {
    const id = `${client}-${prompt.key}`;
    const described = []; // ids of what describes the control
    const describe = (name, text) => {
      if (!text) return null;
      described.push(`${id}-${name}`);
      return h("p", { class: "pcn-help", id: described.at(-1) }, text);
    };
    const hints = [describe("help", prompt.help), describe("private", prompt.private && PRIVATE)];
    const note = h("div", { id: id + "-note", role: "status" });
    described.push(note.id);
    const group = isGroup(prompt);
    const advised = prompt.warn && prompt.kind !== "table" && advice.advise(prompt.key, id, prompt.warn);
    if (advised) described.push(advised.el.id), drafts.set(prompt.key, advised);
    const changed = () => edited(prompt.key);
    const make = prompt.kind === "table" ? makeTable : makeControl;
    const control = make({ prompt, id, describedby: described.join(" "), changed, offers, advise: advice.advise });
    const label = h(
      group ? "legend" : "label",
      { class: "pcn-label", for: group ? null : id },
      prompt.label,
      prompt.required && h("span", { class: "pcn-needed" }, " Required"),
    );
    const inner = [label, quote(prompt), ...hints, control.el, advised?.el, note];
    const past = quiet(
      ["Earlier versions", about(prompt)],
      () => load(() => store.history(prompt.key), "Earlier versions"),
      "pcn-history",
    );
    const el = h(
      "div",
      { class: "pcn-card pcn-field", "data-key": prompt.key },
      group ? h("fieldset", { "aria-describedby": described.join(" ") }, inner) : inner,
      h(
        "div",
        { class: "pcn-foot" },
        prompt.example &&
          h(
            "details",
            null,
            h("summary", null, "See an example", about(prompt)),
            h("p", { class: "pcn-example" }, prompt.example),
          ),
        past,
      ),
    );
    const composed = () => busy.delete(prompt.key) && saving.resume(prompt.key);
    listen(el, "compositionstart", () => busy.add(prompt.key));
    // Some keyboards never end one: it is over when the field is left, or takes a plain letter.
    for (const name of ["compositionend", "focusout"]) listen(el, name, composed);
    listen(el, "input", ({ isComposing }) => isComposing === false && composed());
    controls.set(prompt.key, control);
    notes.set(prompt.key, note);
    pasts.set(prompt.key, past);
    return el;
  }

  // By ear, ten buttons of one name are told apart.
  const about = (prompt) => h("span", { class: "pcn-sr" }, ` for “${prompt.label}”`);

  function quote(prompt) {
    const earlier = state.quotes[prompt.quote];
    if (!earlier) return null;
    const { label, step, value } = earlier;
    return h(
      "div",
      { class: "pcn-note pcn-quote" },
      h(
        "p",
        { class: "pcn-help" },
        value ? `You wrote in step ${step}: ${label}` : `Not answered yet, in step ${step}: ${label}`,
      ),
      value && h("p", { dir: "auto" }, value),
    );
  }

  // Answers to questions that the course no longer asks.
  const unasked = h("div");
  function showUnasked() {
    const all = [...saving.fields.values()].filter(({ prompt, value }) => prompt.dropped && !isEmpty(prompt, value));
    const now = JSON.stringify(all.map(({ prompt, value }) => [prompt.key, value]));
    if (now === dropped) return;
    dropped = now;
    const text = (value) =>
      Array.isArray(value)
        ? value.map(text).join("\n")
        : value && typeof value === "object"
          ? Object.entries(value)
              .filter(([key]) => key !== "id")
              .map(([, one]) => text(one))
              .join(" · ")
          : String(value);
    const said = h("p", { class: "pcn-said", role: "status" });
    unasked.replaceChildren(
      ...(all.length
        ? [
            h("h2", null, "No longer asked"),
            h(
              "div",
              { class: "pcn-card pcn-field" },
              h(
                "p",
                { class: "pcn-help" },
                "The course no longer asks these questions. What you wrote is kept and, unless it was private, still submitted. Copy what you need.",
              ),
              all.map(({ prompt: { key }, value }) => {
                const name = key[0].toUpperCase() + key.slice(1).replaceAll("-", " ");
                return h(
                  "div",
                  null,
                  h("h3", null, name),
                  h("p", { class: "pcn-example", dir: "auto" }, text(value)),
                  quiet(["Copy the text", h("span", { class: "pcn-sr" }, ` of “${name}”`)], () =>
                    copy(text(value), said, "Copied."),
                  ),
                );
              }),
              said,
            ),
          ]
        : []),
    );
  }

  function ways() {
    if (site == null) return "";
    const next = state.steps.find((step) => step.number === state.step.number + 1);
    return h(
      "nav",
      { class: "pcn-ways", "aria-label": "Where to go next" },
      h("a", { href: site + state.home }, "All steps"),
      next && h("a", { href: site + next.path }, `Next: ${next.number} · ${next.short}`),
    );
  }

  function showNews() {
    state.notices.forEach((text) => notices.add(text)); // each is told once by the kernel
    const parts = Array.from(notices, (text) => h("p", { class: "pcn-note pcn-open" }, text));
    for (const { id, when } of state.feedback) {
      parts.push(
        h(
          "p",
          { class: "pcn-note" },
          `Feedback is here, on what you submitted ${moment(when)}. `,
          quiet("Read it", () => load(() => store.request("feedback", { id }), "Feedback from your instructor")),
          " ",
          id === state.feedback[0].id && quiet("Ask for another look", askAgain),
        ),
      );
    }
    const last = state.asked?.at(-1);
    if (last) {
      const about = last.about ? `“${last.about}”` : "the whole step";
      parts.push(
        h(
          "p",
          { class: "pcn-note" },
          `You asked for another look at ${about} ${moment(last.when)}. `,
          last.how === "exchange"
            ? "The answer will stand in your feedback."
            : "Send the words to your instructor, if you have not yet.",
        ),
      );
    }
    if (receipt) {
      parts.push(
        h(
          "p",
          { class: "pcn-note" + (state.changed_since ? " pcn-open" : "") },
          receipt.how === "zip"
            ? `Your file was made ${moment(receipt.when)}: upload it, if you have not yet. `
            : `Submitted ${moment(receipt.when)}. `,
          state.changed_since && "You have changed answers since: submit again to hand them in. ",
          quiet("Show the receipt", () => showReceipt(receipt)),
        ),
      );
    }
    news.replaceChildren(...parts);
  }

  function showNote(key, other) {
    const { prompt } = saving.fields.get(key);
    if (prompt.dropped) return;
    const text =
      other === undefined
        ? `${CHANGED} Both versions are here: read it through.`
        : `${CHANGED} There it is “${words(prompt, other)}”. Yours stands here: check it.`;
    const note = notes.get(key);
    const close = quiet(["Got it", about(prompt)], () => (note.replaceChildren(), controls.get(key).first.focus()));
    note.replaceChildren(h("p", { class: "pcn-note pcn-open" }, text + " ", close));
  }

  // ---- What is saved and what is open ----------------------------------------------------------

  function showStatus() {
    sweep(root); // "Saved" is said of what the fields hold
    const { open, ready, kept, cut, savedAt } = saving;
    // A word that is typed before the draft of an earlier visit is here would be split by it.
    root.inert = !ready;
    const lost = open.length > 0 && (saving.trouble || cut);
    const wrong = open.filter((field) => field.invalid);
    showUnasked();
    for (const [key, note] of notes) {
      const { saved, invalid } = saving.fields.get(key);
      pasts.get(key).hidden = !saved.version && !state.past.includes(key);
      const shown = note.querySelector(".pcn-wrong");
      if (shown?.textContent === invalid || (!shown && !invalid)) continue;
      note.replaceChildren(invalid ? h("p", { class: "pcn-note pcn-open pcn-wrong" }, invalid) : "");
    }
    let text = savedAt ? `Saved ${clock(savedAt)}` : "Nothing to save yet";
    if (wrong.length) text = "Not saved: see the marked answer";
    else if (lost)
      text = `Not saved, still trying: ${kept ? "your text is kept on this device" : "keep this page open"}`;
    else if (open.length || !ready) text = kept ? "Saving…" : "Saving… keep this page open";
    // On small screens the alert above says the rest.
    const [first, rest = ""] = text.split(/(?=: your)/);
    if (status.textContent !== text) status.replaceChildren(first, h("span", { class: "pcn-long" }, rest));
    status.classList.toggle("pcn-ok", ready && !open.length && savedAt != null);
    status.classList.toggle("pcn-bad", wrong.length > 0);
    status.setAttribute("aria-busy", String(open.length > 0 && !lost && !wrong.length));
    write(alert, lost || cut ? trouble(kept) : refused);
    alert.hidden = !alert.textContent;
    renewal.hidden = !outdated;
    if (outdated && !renewal.textContent) renewal.append(changes(), site == null ? "" : button(RELOAD, reload));
    write(progress, standing());
    if (submission && wrong.length) {
      submission = null;
      replies.problem({ message: "One answer could not be saved. It is marked: change it first." });
    } else if (submission && ready && !open.length) {
      const wanted = { ...submission, version: state.version };
      submission = null;
      if (outdated) showChanged();
      else store.request("submit", wanted);
    }
    if (waiting?.last && waiting.at.isConnected && (lost || cut)) write(waiting.at, waiting.cut);
  }

  function trouble(kept) {
    if (saving.trouble === "refused") return `${saving.reason} The page keeps trying.`;
    const where = kept
      ? "Go on writing: your text is kept on this device, and saved when the connection is back."
      : "You can go on writing, but keep this page open: your text is only here until the connection is back.";
    return "The connection is interrupted. " + where + (site == null ? " If this lasts, run the cells again." : "");
  }

  const clock = (iso) => (new Date(iso).toDateString() === new Date().toDateString() ? hour(iso) : moment(iso));

  const isOpen = (prompt) => isEmpty(prompt, saving.fields.get(prompt.key).value);

  // How far the step is, in words.
  function standing() {
    const { prompts, covered } = state.step;
    if (covered.length && !prompts.some((one) => covered.includes(one.key) && isOpen(one))) {
      return "Covered by other work";
    }
    const counted = prompts.filter((prompt) => prompt.required);
    const done = counted.filter((prompt) => !isOpen(prompt)).length;
    return `${done} of ${counted.length} answered`;
  }

  const write = (el, text) => {
    if (el.textContent !== text) el.textContent = text;
  };

  // ---- Dialogs ---------------------------------------------------------------------------------

  // One dialog, whose content changes; focus goes back to where it came from.
  function dialog(title, ...content) {
    let box = root.querySelector("dialog");
    if (!box) {
      back = document.activeElement;
      box = h("dialog", {
        class: "pcn-dialog",
        "aria-labelledby": client + "-title",
        onclose: () => (box.remove(), (submission = null), back?.isConnected && back.focus()),
      });
      root.append(box);
    }
    const head = h("h2", { id: client + "-title", tabindex: "-1" }, title);
    const close = quiet("Close", () => box.close(), "pcn-close");
    box.replaceChildren(h("div", { class: "pcn-head" }, head, close), ...content.filter(Boolean));
    if (!box.open) box.showModal();
    head.focus();
    return box;
  }

  const closing = (text) => button(text, () => leave());
  // Close the dialog, and go to `control` instead of back.
  function leave(control) {
    back = control?.first ?? back;
    root.querySelector("dialog").close();
  }

  const actions = (...buttons) => h("div", { class: "pcn-actions" }, buttons);

  function load(act, title, cut = CUT) {
    saving.flush(true); // what was typed is handled first
    waiting = {
      at: h("p", { class: "pcn-soft", role: "status" }, "One moment…"),
      cut,
    };
    dialog(title, waiting.at);
    try {
      connected(act);
    } catch {
      replies.problem({ message: CUT });
    }
  }

  function showPage(title, html) {
    // Without any right to run scripts or to fetch anything.
    dialog(title, h("iframe", { sandbox: "", srcdoc: html, title })).classList.add("pcn-page");
  }

  function showHistory(key, entries) {
    const { prompt } = saving.fields.get(key);
    const control = controls.get(key);
    const item = ({ value, saved_at }) =>
      h(
        "li",
        null,
        h("p", { class: "pcn-help" }, moment(saved_at)),
        // A long one scrolls in itself, so a keyboard must get there.
        h(
          "div",
          { class: "pcn-example", dir: "auto", tabindex: "0", role: "group", "aria-label": moment(saved_at) },
          words(prompt, value),
        ),
        button(["Put this version back", h("span", { class: "pcn-sr" }, `, ${moment(saved_at)}`)], () => {
          saving.flush(true); // so that the present version is in the history, too
          change(key, value);
          leave(control);
        }),
      );
    dialog(
      `Earlier versions of “${prompt.label}”`,
      entries.length
        ? h("ol", { class: "pcn-versions" }, entries.map(item))
        : h("p", null, "There is no earlier version yet."),
    );
  }

  // On this device until it is sent, as all that is typed.
  function keepWish(next) {
    wish = next;
    const place = "again:" + saving.place;
    try {
      if (wish.text) localStorage.setItem(place, JSON.stringify(wish));
      else localStorage.removeItem(place);
    } catch {
      /* the page keeps it alone */
    }
  }

  function askAgain() {
    try {
      wish = JSON.parse(localStorage.getItem("again:" + saving.place)) ?? wish;
    } catch {
      /* the same */
    }
    const id = client + "-again";
    const options = [{ id: "", title: "The whole step" }, ...state.criteria];
    const about = h(
      "select",
      { id: id + "-about" },
      options.map((one) => h("option", { value: one.id }, one.title)),
    );
    const area = h("textarea", { id, dir: "auto", maxlength: 4000 });
    put(about, wish.criterion ?? "");
    put(area, wish.text);
    const keep = () => keepWish({ criterion: about.value || null, text: area.value });
    for (const el of [about, area]) el.addEventListener("input", keep);
    dialog(
      "Ask for another look",
      h("p", null, "Your instructor answers on record. Nothing is handed in anew, and no date changes."),
      h(
        "div",
        { class: "pcn-field" },
        h("label", { class: "pcn-label", for: about.id }, "At what?"),
        about,
        h("label", { class: "pcn-label", for: id }, "What was overlooked, and where does it stand?"),
        area,
      ),
      actions(
        button(
          "Send",
          () => (wish.text.trim() ? load(() => store.request("again", wish), "Sending…", CUT_WISH) : area.focus()),
          "pcn-button pcn-primary",
        ),
        closing("Not yet"),
      ),
    );
  }

  // ---- A course that was updated while the page is open ----------------------------------------

  const changes = () =>
    `The questions in this step have changed. ${site == null ? "Run the cells again" : RELOAD} to see them. `;
  const reload = () => (saving.flush(true), location.reload());

  function showChanged() {
    dialog(
      "This step has changed",
      h(
        "p",
        null,
        changes(),
        "Then look over your answers, and submit. ",
        saving.open.length ? saving.kept && "Your text is stored on this device." : "Your answers are saved.",
      ),
      actions(site != null && button(RELOAD, reload, "pcn-button pcn-primary"), closing("Not now")),
    );
  }

  function confirmSubmit() {
    if (outdated) return showChanged();
    const open = state.step.prompts.filter((prompt) => prompt.required && isOpen(prompt));
    const again = !receipt
      ? ""
      : receipt.how === "zip"
        ? "This makes a new file: upload it instead of the one before. "
        : "This replaces what you submitted before. ";
    const go = (prompt) => quiet(prompt.label, () => leave(controls.get(prompt.key)));
    dialog(
      `Submit step ${state.step.number}`,
      h(
        "p",
        null,
        `${standing()}. ${again}Your instructor gets your answers to this step. `,
        "Private notes stay here.",
      ),
      state.student &&
        h(
          "p",
          null,
          `Your student id: ${state.student}. `,
          quiet("Change it", () => askBack("student", "By it your instructor knows whose file it is.")),
        ),
      open.length > 0 &&
        !standing().startsWith("Covered") &&
        h(
          "div",
          null,
          h("p", null, "Still open:"),
          h(
            "ul",
            null,
            open.map((prompt) => h("li", null, go(prompt))),
          ),
        ),
      actions(
        button("Submit now", () => handIn({ confirm: false, student: null }), "pcn-button pcn-primary pcn-confirm"),
        closing("Not yet"),
      ),
    );
  }

  function handIn(wish) {
    // `last`: also when the last words can't be saved.
    waiting = {
      last: true,
      at: h(
        "p",
        { role: "status" },
        saving.open.length
          ? "Your last words are saved first. Keep this page open."
          : "This takes a few seconds. Keep this page open.",
      ),
      cut: "The connection is interrupted. When it is back, look whether this step was submitted. If not, submit again.",
    };
    dialog("Submitting…", waiting.at);
    submission = wish;
    saving.flush();
    showStatus();
  }

  function askBack(kind, text) {
    if (kind === "student") {
      const id = client + "-student";
      const input = h("input", { id, autocomplete: "username", "aria-describedby": id + "-help" });
      const go = () => input.value.trim() && handIn({ confirm: true, student: (state.student = input.value.trim()) });
      input.addEventListener("keydown", (event) => event.key === "Enter" && go());
      dialog(
        "Who are you in this course?",
        h("label", { class: "pcn-label", for: id }, "Your student id"),
        h("p", { class: "pcn-help", id: id + "-help" }, text),
        input,
        actions(button("Submit", go, "pcn-button pcn-primary pcn-confirm"), closing("Not yet")),
      );
      return;
    }
    const go = () => handIn({ confirm: true, student: null });
    // The kernel does not know the reader's own clock.
    const late = state.due
      ? `This step was due ${deadline(state.due)}, and you have submitted it before. If you submit it again, your instructor gets the new answers instead, with today’s date.`
      : text;
    dialog(
      "Submit again?",
      h("p", null, late),
      actions(button("Submit all the same", go, "pcn-button pcn-primary pcn-confirm"), closing("Not now")),
    );
  }

  function showReceipt({ when, sha256, how, filename, data }) {
    const { number } = state.step;
    const parts = [
      h(
        "p",
        null,
        how === "zip"
          ? `Your answers to step ${number} were put into a file on ${moment(when)}.`
          : `Step ${number} was submitted on ${moment(when)}.`,
      ),
    ];
    if (how === "zip")
      parts.push(
        h(
          "p",
          null,
          data
            ? `The file “${filename}” is in your downloads. Upload it where your course collects work, or send it to your instructor: until then nobody has it. It holds your answers to this step and no private notes.`
            : "Upload it where your course collects work: until then nobody has it. Submit again to make a new one.",
        ),
      );
    if (data) {
      const again = () => download(filename, "application/zip", data);
      again();
      parts.push(actions(button("Download it again", again)));
    }
    parts.push(
      h(
        "p",
        null,
        "The fingerprint of your answers: ",
        h("code", null, sha256.slice(0, 8).replace(/....(?=.)/g, "$& ")),
        ". No other answers have the same: with it you can show what you handed in.",
      ),
      h("details", null, h("summary", null, "The whole fingerprint"), h("code", null, sha256)),
    );
    dialog(how === "zip" ? "Your file is ready" : "Submitted", ...parts);
  }

  // ---- Life --------------------------------------------------------------------------------

  heed(root, life.signal);
  // JupyterLab would take Shift+Enter, or a letter on a button, for a command of its own.
  for (const name of ["keydown", "contextmenu"]) listen(root, name, (event) => event.stopPropagation());
  listen(root, "keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault(); // saving is what is meant, not saving this page as a file
    sweep(root);
    saving?.flush(true);
  });
  listen(window, "pagehide", () => saving?.flush(true));
  listen(document, "visibilitychange", () => document.hidden && saving?.flush(true));
  listen(window, "beforeunload", (event) => {
    if (saving && !saving.kept) event.preventDefault();
  });
  // A field is cut at its edge or at the end of a printed page; a paragraph isn't.
  listen(window, "beforeprint", () => {
    root.querySelectorAll(".pcn-print").forEach((el) => el.remove());
    root
      .querySelectorAll(".pcn-cell.pcn-many, .pcn-made details, fieldset.pcn-row > .pcn-more")
      .forEach((el) => el.toggleAttribute("open", true));
    controls.forEach((control) => control.print?.());
    for (const area of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll("textarea, [type=text]"))) {
      area.after(h("div", { class: "pcn-print", dir: "auto" }, area.value));
    }
  });
  listen(window, "afterprint", () => controls.forEach((control) => control.printed?.()));
  store.open();

  return () => {
    life.abort();
    saving?.close();
    store.close();
    panels?.close();
    root.remove();
  };
}

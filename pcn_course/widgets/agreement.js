// Second marking: per criterion what the figures mean, then the differences to settle, who settled
// what, and drift. A difference counts as settled when the kernel says that it is in the gradebook.
import { messageOf, Questions } from "./connection.js";
import { button, h, hidden, moment, quiet } from "./controls.js";
import { actions } from "./marking-dialog.js";
import { number } from "./marking-rubric.js";
import { guarded } from "./panels.js";

const PREFS = "pcn:marking:prefs"; // the marking page's: there one says who one is
const REASON = 2000; // characters
const SHOWN = 25; // differences at a time
const BUSY = "The gradebook doesn't answer; trying again.";

export default {
  render({ model, el }) {
    const { pcnRoot: site } = document.documentElement.dataset; // none in JupyterLab
    const said = h("p", { class: "pcn-said", role: "status" }, "Opening the gradebook…");
    const body = h("div");
    const root = h("div", { class: "pcn pcn-second-page", "data-lm-suppress-shortcuts": "true" }, said, body);
    const life = new AbortController();
    const connection = new Questions(model, {
      late,
      cut: () => (said.textContent = "The connection is interrupted. What you write stays on this page."),
      back() {
        say("");
        // A form that is open stays as it is.
        if (!page) open();
        else connection.ask("open", { marker: preferred().marker ?? "" }).catch(console.info);
      },
    });
    const id = (name) => `${connection.client}-${name}`;
    let [room, page, form, scope, words] = [null, null, null, null, ""];
    if (site == null) root.classList.add("pcn-loose");
    el.append(root);

    function say(text) {
      words = text;
      if (said.textContent !== text) said.textContent = text;
    }

    function late(yes, why = "") {
      said.textContent = yes ? why || BUSY : words;
    }

    function preferred() {
      try {
        return JSON.parse(localStorage.getItem(PREFS)) ?? {};
      } catch {
        return {};
      }
    }

    // ---- The page ----------------------------------------------------------------------------------

    async function open() {
      try {
        room = await connection.ask("open", { marker: preferred().marker ?? "" });
        if (!page) build();
        page.marker.textContent = room.marker;
        await load(scope);
      } catch (error) {
        say("");
        body.replaceChildren(
          h("p", { class: "pcn-note pcn-open", role: "alert" }, messageOf(error)),
          quiet("Try again", () => ((page = null), say("Opening the gradebook…"), open())),
        );
      }
    }

    function build() {
      const choose = h(
        "select",
        {
          id: id("scope"),
          onchange: () =>
            load(choose.value || null).then(
              () => say(""),
              (error) => say(messageOf(error)),
            ),
        },
        h("option", { value: "" }, "All steps"),
        room.steps.map((one) => h("option", { value: one.id }, `Step ${one.number} · ${one.short}`)),
      );
      choose.value = scope ?? "";
      page = { choose, marker: h("strong"), parts: h("div") };
      body.replaceChildren(
        h(
          "div",
          { class: "pcn-top" },
          h("div", { class: "pcn-asked" }, h("label", { for: choose.id }, "Step"), choose),
          h(
            "p",
            { class: "pcn-soft" },
            room.calibration ? "Calibration as " : "Settling as ",
            page.marker,
            ". ",
            site != null && h("a", { href: site + "marking.ipynb" }, "Go to marking"),
          ),
        ),
        page.parts,
      );
    }

    async function load(wanted) {
      show(await connection.ask("read", { scope: wanted }));
    }

    function show(found) {
      scope = found.scope;
      page.choose.value = scope ?? "";
      form = null;
      say("");
      page.parts.replaceChildren(
        ...(found.parts.length
          ? [
              section(
                "agree",
                "How far the marks agree",
                h(
                  "p",
                  { class: "pcn-intro" },
                  room.calibration
                    ? "The agreed marks of synthetic answers against yours. The agreed ones are where to begin talking, and not the last word."
                    : "First against second marks, as they were before anything was settled. If some of them are yours, they stay as they are from now on: you have seen the first.",
                ),
                h("div", { class: "pcn-cards" }, found.parts.map(part)),
              ),
              section(
                "waits",
                room.calibration ? "Where your marks and the agreed ones differ" : "To be settled",
                h("div", null, waiting(found.waiting)),
              ),
              !room.calibration && section("settled", "Settled", done(found.settled)),
            ]
          : [h("p", { class: "pcn-note" }, `${room.nothing} ${room.how}`)]
        ).filter(Boolean),
        ...(room.calibration ? [] : [section("drift", "Drift over time", ...drift(found.drifts))]),
      );
    }

    const section = (name, title, ...children) =>
      h(
        "section",
        { class: "pcn-part", "aria-labelledby": id(name) },
        h("h2", { id: id(name), tabindex: "-1" }, title),
        ...children,
      );

    const titleOf = (criterion) => room.criteria.find((one) => one.id === criterion)?.title ?? criterion;
    const stepOf = (step) => room.steps.find((one) => one.id === step);

    function level({ criterion, points }) {
      if (points == null) return "no mark";
      const of = room.criteria.find((one) => one.id === criterion);
      const name = of?.levels.find((one) => one.points === points)?.name;
      return name ? `${number(points)} · ${name}` : number(points);
    }

    // ---- Figures -------------------------------------------------------------------------------------

    function part({ criterion, words, figures, n }) {
      const title = titleOf(criterion);
      return h(
        "section",
        { class: "pcn-card", "aria-labelledby": id("of-" + criterion) },
        h("h3", { id: id("of-" + criterion) }, title),
        words.map((one) => h("p", null, one)),
        h(
          "details",
          null,
          h("summary", null, "All figures", hidden(` of ${title}`)),
          h(
            "table",
            { class: "pcn-figures" },
            h("caption", null, `With intervals of 95 %, from ${number(n)} marked twice`),
            h(
              "tbody",
              null,
              figures.map(([name, text]) => h("tr", null, h("th", { scope: "row" }, name), h("td", null, text))),
            ),
          ),
        ),
      );
    }

    function drift(drifts) {
      const intro = h(
        "p",
        { class: "pcn-intro" },
        "From the first third of a marker’s marks to the last, in points. Submissions come in an order that has nothing to do with how good they are.",
      );
      if (!drifts.length) return [intro, h("p", null, "No marker has given nine marks yet: three for each third.")];
      const caption = "How each marker’s mean moved";
      return [
        intro,
        h(
          "div",
          { class: "pcn-scroll", role: "region", tabindex: "0", "aria-label": caption },
          h(
            "table",
            { class: "pcn-drift" },
            h("caption", { class: "pcn-sr" }, caption),
            h(
              "thead",
              null,
              h(
                "tr",
                null,
                ["Marker", "Marks", "First third", "Last third", "Change"].map((one) => h("th", { scope: "col" }, one)),
              ),
            ),
            h(
              "tbody",
              null,
              drifts.map((one) =>
                h(
                  "tr",
                  null,
                  h("th", { scope: "row" }, one.marker),
                  h("td", null, number(one.n)),
                  h("td", null, one.early),
                  h("td", null, one.late),
                  h("td", null, one.change),
                ),
              ),
            ),
          ),
        ),
        ...drifts.map((one) => h("p", { class: "pcn-help" }, h("strong", null, one.marker), `: ${one.words}`)),
      ];
    }

    // ---- Differences -----------------------------------------------------------------------------------

    function waiting(all) {
      if (!all.length)
        return h(
          "p",
          null,
          room.calibration ? "No mark differs." : "Nothing waits: where marks differ, it has been settled.",
        );
      const many = room.calibration ? ["mark differs", "marks differ"] : ["difference waits", "differences wait"];
      return [
        h(
          "p",
          { class: "pcn-intro" },
          `${number(all.length)} ${many[all.length === 1 ? 0 : 1]}, the widest apart first.`,
        ),
        ...queue(all, (one) => difference(one, "Settle")),
      ];
    }

    function done(all) {
      if (!all.length) return h("p", null, "Nothing has been settled yet.");
      return h(
        "div",
        null,
        queue(all, (one) => difference(one, "Settle again")),
      );
    }

    // So many at a time that neither a browser nor a reader is swamped.
    function queue(all, draw) {
      const list = h("ol", { class: "pcn-queue" });
      const more = button("", () => {
        const at = list.children.length;
        fill();
        list.children[at].querySelector("h3").focus();
      });
      const fill = () => {
        const at = list.children.length;
        list.append(...all.slice(at, at + SHOWN).map((one) => h("li", null, draw(one))));
        const left = all.length - list.children.length;
        more.textContent = `Show ${number(Math.min(SHOWN, left))} more of ${number(all.length)}`;
        more.parentElement.hidden = !left;
      };
      const last = h("p", { class: "pcn-actions pcn-more" }, more);
      fill();
      return [list, last];
    }

    function difference(one, text) {
      const { step, student, pseudonym, criterion, first, seconds, settled, points } = one;
      const { number: n } = stepOf(step);
      const name = `Submission ${pseudonym}, step ${n}: ${titleOf(criterion)}`;
      const heading = h(
        "h3",
        { id: id(`${settled ? "done" : "waits"}-${student}-${criterion}`), tabindex: "-1" },
        name,
      );
      const spot = h("div");
      const settle = button([text, hidden(`: ${name}`)], () => guarded(() => ask(one, heading, spot, settle)));
      return h(
        "article",
        { class: "pcn-card", "aria-labelledby": heading.id },
        heading,
        settled &&
          h(
            "p",
            null,
            h("strong", null, level({ criterion, points: settled.points })),
            ` by ${settled.by}, ${moment(settled.at)}: ${settled.reason}`,
          ),
        settled &&
          settled.points !== points &&
          h("p", { class: "pcn-note pcn-open" }, `In the gradebook stands ${level({ criterion, points })} by now.`),
        h(
          "ul",
          { class: "pcn-marks" },
          mark("First mark", criterion, first),
          seconds.map((two) => mark("Second mark", criterion, two)),
        ),
        h(
          "div",
          { class: "pcn-actions" },
          !room.calibration && settle,
          site != null &&
            h(
              "a",
              { href: `${site}marking.ipynb#${step}/${student}/${criterion}` },
              "Open the answer",
              hidden(`: ${name}`),
            ),
        ),
        spot,
      );
    }

    const mark = (what, criterion, { by, points, note }) =>
      h(
        "li",
        null,
        what,
        by && ` by ${by}`,
        ": ",
        h("strong", null, level({ criterion, points })),
        note && h("blockquote", null, note),
      );

    // ---- Settling ----------------------------------------------------------------------------------------

    // The form of one difference; one is open at a time.
    function ask(one, heading, spot, opener) {
      form?.close();
      const { criterion, step, student } = one;
      const name = id("points");
      const problem = h("div");
      const radios = room.criteria
        .find(({ id }) => id === criterion)
        .levels.map(({ points, text, key }) => {
          const input = h("input", {
            type: "radio",
            name,
            id: `${name}-${points}`,
            value: points,
            required: true,
            "aria-describedby": `${name}-${points}-help`,
          });
          return {
            key,
            input,
            el: h(
              "div",
              { class: "pcn-option" },
              input,
              h(
                "span",
                null,
                h("label", { for: input.id }, level({ criterion, points })),
                h("span", { class: "pcn-help", id: `${name}-${points}-help` }, text),
              ),
            ),
          };
        });
      const reason = h("textarea", {
        id: id("reason"),
        rows: "3",
        maxlength: String(REASON),
        required: true,
        "aria-describedby": id("reason-help"),
      });
      const save = h("button", { class: "pcn-button pcn-primary" }, "Save");
      const fields = h(
        "fieldset",
        {
          class: "pcn-levels-of",
          onkeydown: (event) => {
            const hit =
              !event.ctrlKey && !event.metaKey && !event.altKey && radios.find(({ key }) => key && key === event.key);
            if (!hit) return;
            event.preventDefault();
            hit.input.checked = true;
            hit.input.focus();
          },
        },
        h("legend", null, "Which mark is to stand?"),
        radios.map((radio) => radio.el),
      );
      const made = h(
        "form",
        {
          class: "pcn-settle",
          "aria-label": `Settle ${heading.textContent}`,
          onsubmit: (event) => {
            event.preventDefault();
            send(one.points, one.settled?.at ?? null);
          },
        },
        problem,
        fields,
        h(
          "div",
          { class: "pcn-asked" },
          h("label", { for: reason.id }, "Why?"),
          reason,
          h(
            "p",
            { class: "pcn-help", id: id("reason-help") },
            "A sentence, kept with your name beside the mark. Students don’t see it.",
          ),
        ),
        actions(
          save,
          button("Cancel", () => (close(), opener.focus())),
        ),
      );

      function close() {
        form = null;
        made.remove();
        opener.hidden = false;
      }

      async function send(seen, after) {
        const points = Number(radios.find(({ input }) => input.checked).input.value);
        save.disabled = true;
        problem.replaceChildren();
        say("Saving…");
        try {
          const answer = await connection.ask("settle", {
            scope,
            step,
            student,
            criterion,
            points,
            reason: reason.value,
            seen,
            after,
            version: room.version,
          });
          save.disabled = false;
          if (answer.type === "conflict") return clash(answer, points);
          show(answer);
          say(`Saved: ${heading.textContent} is ${level({ criterion, points })}.`);
          document.getElementById(id("waits")).focus();
        } catch (error) {
          save.disabled = false;
          say("");
          tell(h("p", null, h("strong", null, "Not saved. "), messageOf(error)));
        }
      }

      const tell = (...content) =>
        problem.replaceChildren(h("div", { class: "pcn-note pcn-open", role: "alert" }, content));

      // Another was faster: what stands there now, and what was wanted.
      /** @param {any} answer @param {number} points */
      function clash({ message, current, after }, points) {
        say("");
        const mine = level({ criterion, points });
        const stands = level({ criterion, points: current.points });
        const keep = button(`Keep ${stands}`, () =>
          load(scope).then(
            () => document.getElementById(id("waits")).focus(),
            (error) => say(messageOf(error)),
          ),
        );
        tell(
          h(
            "p",
            null,
            h("strong", null, "Not saved. "),
            `${message} Now ${stands} stands in the gradebook`,
            current.by && `, by ${current.by}`,
            `. You chose ${mine}.`,
          ),
          current.comment && h("blockquote", null, current.comment),
          actions(
            keep,
            button(`Put mine: ${mine}`, () => send(current.points, after)),
          ),
        );
        keep.focus();
      }

      form = { close };
      opener.hidden = true;
      spot.replaceChildren(made);
      radios[0].input.focus();
    }

    root.addEventListener("keydown", (event) => event.stopPropagation());
    open();

    return () => {
      life.abort();
      connection.close();
      root.remove();
    };
  },
};

// The class as a whole: tables, and beside each a chart when somebody asks for it. It writes nothing.
import { draw, load } from "./cohort-chart.js";
import { Connection } from "./connection.js";
import { button, h, hour } from "./controls.js";
import { download, guarded } from "./panels.js";

const AGAIN = 8000; // ms after which is asked again
const CUT = "The connection is interrupted. Try again in a moment.";
const EVERYBODY = "Everybody";

export default {
  render({ model, el }) {
    const { pcnRoot: site, pcnBase: base } = document.documentElement.dataset; // none in JupyterLab
    const life = new AbortController();
    const number = new Intl.NumberFormat();
    const said = h("p", { class: "pcn-said", role: "status" }, "Reading the gradebook and the answers…");
    const body = h("div", { class: "pcn-parts" });
    const root = h("div", { class: "pcn pcn-class", "data-lm-suppress-shortcuts": "true" }, said, body);
    let [waiting, shown, again] = [false, false, false];
    const charts = [];
    const listener = {
      hear: (message) => replies[message.type]?.(message),
      cut: () => waiting && ((waiting = false), say(CUT)),
      back: () => shown || connection.open(),
    };
    const connection = new Connection(model, listener, AGAIN);
    const id = (name) => `${connection.client}-${name}`;
    if (site == null) root.classList.add("pcn-loose");
    el.append(root);

    function send(type, more) {
      try {
        connection.send(type, more);
        return true;
      } catch {
        say(CUT);
        return false;
      }
    }

    const say = (words) => (said.textContent = words);

    // ---- The page --------------------------------------------------------------------------------

    function show({ students, submissions, at, sections }) {
      connection.opened();
      charts.length = 0;
      const [who, what] = [number.format(students), number.format(submissions)];
      const top = h(
        "div",
        { class: "pcn-top" },
        h(
          "p",
          { class: "pcn-soft" },
          `${who} ${students === 1 ? "student" : "students"}, ${what} ${submissions === 1 ? "submission" : "submissions"}. Read at ${hour(at)}.`,
        ),
        h(
          "div",
          { class: "pcn-actions" },
          quietly("Read again", () => ((again = true), say("Reading again…"), connection.open()), "pcn-again"),
          site != null && h("a", { href: site + "marking.ipynb" }, "Go to marking"),
        ),
      );
      const parts = sections.map((one, n) => part(one, n));
      parts.splice(1, 0, people());
      const jump = h(
        "nav",
        { class: "pcn-jump", "aria-label": "On this page" },
        h(
          "ul",
          null,
          parts
            .map((one) => one.querySelector("h2"))
            .map((one) => h("li", null, h("a", { href: "#" + one.id }, one.textContent))),
        ),
      );
      body.replaceChildren(top, jump, ...parts);
      say(again ? "This is how it stands now." : "");
      if (again) body.querySelector(".pcn-again").focus();
      [shown, again] = [true, false];
    }

    const quietly = (text, act, kind = "") => button(text, act, `pcn-quiet ${kind}`);

    function section(name, title, ...children) {
      return h(
        "section",
        { class: "pcn-part", "aria-labelledby": id(name) },
        h("h2", { id: id(name), tabindex: "-1" }, title),
        ...children,
      );
    }

    function part({ title, intro, tables, note, empty }, n) {
      return section(
        `part-${n}`,
        title,
        h("p", { class: "pcn-intro" }, intro),
        empty
          ? h("p", { class: "pcn-note", role: "note" }, empty)
          : [...tables.map(pair), note && h("p", { class: "pcn-help" }, note)],
      );
    }

    // A table, and beside it the place of its chart.
    function pair(table) {
      const spot = h("div", {
        class: "pcn-chart",
        role: "img",
        tabindex: "-1",
        hidden: true,
        "aria-label": `Chart: ${table.caption}. The table says the same`,
      });
      spot.append(h("div", { "aria-hidden": "true" }));
      const told = h("p", { class: "pcn-said", role: "status" });
      const two = h("div", { class: `pcn-pair ${table.columns.length > 7 ? "pcn-wide" : ""}` }, drawn(table), spot);
      const toggle = quietly("Open the chart", () => guarded(() => chart(table, spot, toggle, told, two)));
      toggle.setAttribute("aria-expanded", "false");
      toggle.append(h("span", { class: "pcn-sr" }, `: ${table.caption}`));
      return h(
        "div",
        { class: "pcn-card" },
        two,
        h("div", { class: "pcn-actions" }, site != null && table.chart && table.rows.length > 0 && toggle, csv(table)),
        told,
      );
    }

    const csv = (table) => {
      const made = quietly("Download as CSV", () => take(table.id));
      made.append(h("span", { class: "pcn-sr" }, `: ${table.caption}`));
      return made;
    };

    async function chart({ chart: wanted }, spot, toggle, told, two) {
      const open = toggle.getAttribute("aria-expanded") === "true";
      const turn = (now) => {
        spot.hidden = !now;
        two.classList.toggle("pcn-both", now);
        toggle.setAttribute("aria-expanded", String(now));
        toggle.firstChild.textContent = now ? "Close the chart" : "Open the chart";
      };
      if (open) return turn(false);
      told.textContent = "The chart is loading…";
      try {
        await load(base + "pcn/plotly.min.js");
        turn(true);
        await draw(spot.firstChild, wanted);
        if (!charts.some((one) => one.spot === spot)) charts.push({ spot, wanted });
        told.textContent = "";
        spot.focus({ preventScroll: true });
        spot.scrollIntoView({ block: "nearest" });
      } catch (error) {
        console.error(error);
        turn(false);
        told.textContent = "The chart did not load. The table says the same.";
      }
    }

    // ---- Tables ----------------------------------------------------------------------------------

    function drawn({ caption, columns, rows, id: name }) {
      const body = h(
        "tbody",
        null,
        rows.map((row) => line(columns, row)),
      );
      return h(
        "div",
        { class: "pcn-scroll", role: "region", tabindex: "0", "aria-label": caption },
        h(
          "table",
          { class: "pcn-table", "data-table": name },
          h("caption", null, h("span", null, caption)),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              columns.map(({ label, kind }) =>
                h("th", { scope: "col", class: ["head", "step", "text"].includes(kind) ? null : "pcn-n" }, label),
              ),
            ),
          ),
          body,
        ),
      );
    }

    const line = (columns, row) =>
      h(
        "tr",
        null,
        row.map((value, n) => {
          const { kind } = columns[n];
          if (kind === "head" || kind === "step")
            return h("th", { scope: "row", class: kind === "step" && "pcn-step" }, String(value));
          if (kind === "text") return h("td", null, value);
          const text = typeof value === "number" ? number.format(value) : (value ?? "–");
          const cell = h("td", { class: typeof value === "string" ? "pcn-n pcn-few" : "pcn-n" }, text);
          if (kind === "share" && typeof value === "number") {
            const bar = h("span", { class: "pcn-part-of", "aria-hidden": "true" });
            bar.style.setProperty("--part", value / 100);
            cell.append(bar);
          }
          return cell;
        }),
      );

    // ---- By name, when asked for -----------------------------------------------------------------

    let [named, open] = [null, null];

    function people() {
      named = h("div");
      open = button("Show the students by name", () => {
        if (send("people")) say("One moment…");
      });
      return section(
        "people",
        "Student by student",
        h("p", { class: "pcn-intro" }, "Where each is in each step. It is shown when you ask for it."),
        open,
        named,
      );
    }

    function list({ table }) {
      say("");
      const states = [...new Set(table.rows.flatMap((row) => row.slice(2)))].sort();
      const select = h(
        "select",
        { id: id("filter"), onchange: () => fill() },
        [EVERYBODY, ...states].map((one) => h("option", { value: one }, one)),
      );
      const made = drawn(table);
      const count = h("p", { class: "pcn-help", role: "status" });
      const [every, lines] = [table.rows, [...made.querySelectorAll("tbody tr")]];
      const fill = () => {
        const fits = every.map((row) => select.value === EVERYBODY || row.slice(2).includes(select.value));
        lines.forEach((one, n) => (one.hidden = !fits[n]));
        count.textContent = `${number.format(fits.filter(Boolean).length)} of ${number.format(every.length)} students`;
      };
      fill();
      named.replaceChildren(
        h(
          "div",
          { class: "pcn-card" },
          h("div", { class: "pcn-asked" }, h("label", { for: select.id }, "Show who, in any step, is"), select, count),
          made,
          h("div", { class: "pcn-actions" }, csv(table)),
        ),
      );
      open.hidden = true;
      select.focus();
    }

    function take(what) {
      if (waiting) return;
      waiting = send("take", { what });
      if (waiting) say("One moment…");
    }

    // ---- Talking to the kernel -------------------------------------------------------------------

    const replies = {
      class: show,
      people: list,
      file({ filename, mime, data }) {
        download(filename, mime, data);
        waiting = false;
        say(`The file “${filename}” is in your downloads.`);
      },
      problem({ message }) {
        connection.opened();
        waiting = false;
        if (shown) return say(message);
        say("");
        body.replaceChildren(
          h("p", { class: "pcn-note pcn-open", role: "alert" }, message),
          quietly("Try again", () => (say("Reading…"), connection.open())),
        );
      },
    };
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener(
      "change",
      () => charts.forEach(({ spot, wanted }) => spot.hidden || guarded(() => draw(spot.firstChild, wanted))),
      { signal: life.signal },
    );
    root.addEventListener("keydown", (event) => event.stopPropagation());
    connection.open();

    return () => {
      life.abort();
      connection.close();
      root.remove();
    };
  },
};

// The plan on one page, the map, then and now, and files to take along. It writes nothing.

import { Connection } from "./connection.js";
import { button, h, moment } from "./controls.js";
import { makeMap, mapPng, mapSvg } from "./map.js";
import { download } from "./panels.js";

const MOST = 1e6; // letters of a drawing
const FILES = [
  ["page", "Web page (.html)", "All of it in one file that opens in any browser, without this course."],
  ["word", "Word (.docx)", "To go on writing, or to print."],
  ["calendar", "Calendar (.ics)", "Your weekly times, quiet hours and review date, for Google, Outlook or Apple."],
  ["members", "Members (.csv)", "The people in your network, each with an id, for a spreadsheet."],
  ["ties", "Ties (.csv)", "Who knows whom, by name and id, for a spreadsheet."],
  ["graph", "Network (.graphml)", "Members and ties, for programs that analyze networks."],
];

export default {
  render({ model, el }) {
    const { pcnRoot: site, pcnBase: base } = document.documentElement.dataset; // none in JupyterLab
    const life = new AbortController();
    const root = h(
      "div",
      { class: "pcn pcn-folio", "data-lm-suppress-shortcuts": "true" },
      h("p", { class: "pcn-soft", role: "status" }, "Putting your plan together…"),
    );
    const said = h("p", { class: "pcn-said", role: "status" });
    let [drawn, waiting, wanted] = ["", null, null];
    const connection = new Connection(model, {
      hear: (message) => replies[message.type]?.(message),
      cut: () => gone(),
      back: () => (gone(), connection.open()),
    });
    const { client } = connection;
    if (site == null) root.classList.add("pcn-loose");
    el.append(root);

    function show(state) {
      connection.opened();
      const { steps, title } = state;
      if (wanted) make(wanted, state.map), (wanted = null);
      root.dispatchEvent(
        new CustomEvent("pcn:state", { bubbles: true, composed: true, detail: { steps, home: "home.ipynb", title } }),
      );
      // Looking again, after coming back, disturbs nobody who reads.
      const now = JSON.stringify({ ...state, steps: null });
      if (now === drawn) return;
      drawn = now;
      const held = boxes.contains(document.activeElement) && document.activeElement;
      root.replaceChildren(...(state.empty ? nothingYet(steps) : all(state)).filter(Boolean));
      if (held instanceof HTMLElement) held.focus({ preventScroll: true });
    }

    const link = (path, text) => (site == null ? text : h("a", { href: site + path }, text));

    const nothingYet = ([first]) => [
      h(
        "section",
        { class: "pcn-card" },
        h("h2", null, "Nothing here yet"),
        h(
          "p",
          null,
          "Your plan is made from your answers, so it begins with your first one: ",
          link(first.path, `step ${first.number}`),
          " is a good start.",
        ),
        h(
          "p",
          null,
          "Later you find here, on one page: your project and its goals, who is in your network and who is still missing, your tools, your week, what you asked and what came of it. You can take all of it with you, as a web page, for Word, for your calendar and for a spreadsheet.",
        ),
      ),
    ];

    function all(state) {
      const id = (name) => `${client}-${name}`;
      const part = (name, title, ...children) =>
        h(
          "section",
          { class: "pcn-part", "aria-labelledby": id(name) },
          h("h2", { id: id(name), tabindex: "-1" }, title),
          children,
        );
      const plan = h("div", { class: "pcn-card pcn-sheet" });
      plan.innerHTML = state.plan; // the kernel escapes every word of an answer
      let map = null;
      if (state.map) {
        const { people, ties, members, lines } = state.map;
        const made = makeMap({ id: id("drawing"), people, ties, site: base });
        made.set(members, lines);
        map = part("map", "The map", made.el);
      }
      const answers = h("div", { class: "pcn-behind" });
      answers.innerHTML = state.answers;
      const parts = [
        map,
        state.then && part("then", "Then and now", ...change(state.then)),
        part("take", "To take with you", ...take(state)),
        state.answers && answers,
      ].filter(Boolean);
      const headings = parts.flatMap((one) => [...one.querySelectorAll("h2")]);
      const jump = h(
        "nav",
        { class: "pcn-jump", "aria-label": "On this page" },
        h(
          "ul",
          null,
          headings.map((one) => h("li", null, h("a", { href: "#" + one.id }, one.dataset.short ?? one.textContent))),
        ),
      );
      return [
        state.example &&
          h(
            "p",
            { class: "pcn-note", role: "note" },
            h("strong", null, "An example: a made-up student."),
            " Nobody in it exists. Your own plan will look different, and may be much shorter. ",
            link("home.ipynb", "Back to your steps"),
          ),
        site != null && jump,
        plan,
        ...parts,
      ];
    }

    const change = ({ since, changes }) => [
      h("p", null, `What is different since your submission on ${moment(since)}:`),
      h(
        "ul",
        null,
        changes.map((one) => h("li", null, one)),
      ),
    ];

    // What goes into the files. They outlast each redrawing, as they were ticked.
    const boxes = h("div");
    const chosen = (() => {
      const tick = (name, label, help) => {
        const box = h("input", {
          type: "checkbox",
          id: `${client}-${name}`,
          autocomplete: "off",
          "aria-describedby": `${client}-${name}-help`,
        });
        return [
          box,
          h(
            "div",
            { class: "pcn-option pcn-private" },
            box,
            h(
              "span",
              null,
              h("label", { for: box.id }, label),
              h("span", { class: "pcn-help", id: box.id + "-help" }, help),
            ),
          ),
        ];
      };
      const [alone, first] = tick(
        "alone",
        "Leave my answers out: the plan and the map alone",
        "For a web page and a Word file that you show to a supervisor or a partner. Anyone who does not want to be listed is named only by the part they play, on the map too.",
      );
      const [box, second] = tick(
        "private",
        "Put my private notes in, too",
        "Into the web page and the Word file. Leave it empty for a file that others will see.",
      );
      alone.addEventListener("change", () => {
        box.disabled = alone.checked;
        if (alone.checked) box.checked = false;
      });
      boxes.append(first, second);
      return () => ({ private: box.checked, alone: alone.checked });
    })();

    function take({ example }) {
      const files = FILES.filter(([what]) => !(example && what === "calendar"));
      return [
        !example && boxes,
        h(
          "ul",
          { class: "pcn-files" },
          files.map(([what, name, help]) =>
            h(
              "li",
              null,
              button(name, () => get(what, name)),
              h("span", { class: "pcn-help" }, help),
            ),
          ),
        ),
        said,
      ].filter(Boolean);
    }

    const CUT = "The connection is interrupted. Try again in a moment.";

    // The map is drawn here and the words are made there: both from what the kernel has now.
    function get(what, name) {
      if (waiting) return;
      if (connection.cut) return void (said.textContent = CUT);
      waiting = name;
      said.textContent = "One moment…";
      wanted = { what, ...chosen() };
      connection.open();
    }

    async function make(message, map) {
      const { what } = message;
      try {
        // A picture that can't be drawn is left out: the words say the same.
        if (map && ["page", "word"].includes(what)) {
          try {
            const { people, ties, members, lines, called } = map;
            const shown = message.alone
              ? members.map((one) => ({ ...one, person: called[one.id] ?? one.person }))
              : members;
            const svg = mapSvg(people, ties, shown, lines);
            if (what === "page" && svg.length < MOST) message.map = svg;
            else if (what === "word") message.picture = await letters(await mapPng(svg));
          } catch (error) {
            console.error(error);
          }
        }
        connection.send("take", message);
      } catch {
        done(CUT);
      }
    }

    // A file's content as base64.
    const letters = (blob) =>
      new Promise((found, failed) => {
        const reader = new FileReader();
        reader.onload = () => found(String(reader.result).split(",")[1]);
        reader.onerror = failed;
        reader.readAsDataURL(blob);
      });

    function done(words) {
      waiting = wanted = null;
      said.textContent = words;
    }

    const replies = {
      portfolio: show,
      file({ filename, mime, data }) {
        download(filename, mime, data);
        done(`The file “${filename}” is in your downloads.`);
      },
      problem({ message }) {
        connection.opened();
        if (drawn) done(message);
        else root.replaceChildren(h("p", { class: "pcn-note pcn-open", role: "alert" }, message));
      },
    };
    const gone = () => waiting && done(CUT); // what was asked meanwhile has gone nowhere
    const look = () => document.hidden || connection.open();
    document.addEventListener("visibilitychange", look, { signal: life.signal });
    window.addEventListener("pageshow", look, { signal: life.signal });
    root.addEventListener("keydown", (event) => event.stopPropagation());
    connection.open();

    return () => {
      life.abort();
      connection.close();
      root.remove();
    };
  },
};

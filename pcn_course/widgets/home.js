// Home: the steps as cards, and what comes next.
import { Connection } from "./connection.js";

function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value != null) el.setAttribute(name, value);
  }
  el.append(...children.filter((child) => child));
  return el;
}

const short = (iso) =>
  new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }).format(
    new Date(iso),
  );
const long = (iso) =>
  new Intl.DateTimeFormat(undefined, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "numeric",
    minute: "2-digit",
  }).format(new Date(iso));

// A state in words, and whether it is done, open or not begun.
function badge({ state, answered, required, submitted_at, how, changed_since }) {
  if (changed_since) return [`Changed since you ${how === "zip" ? "made your file" : "submitted"}`, "pcn-open"];
  switch (state) {
    case "in-progress":
      return [`${answered} of ${required} answered`, "pcn-open"];
    case "ready":
      return ["Ready to submit", "pcn-open"];
    case "submitted":
      // Whether a file was uploaded is not known here.
      return [`${how === "zip" ? "File made" : "Submitted"} ${short(submitted_at)}`, "pcn-done"];
    case "feedback":
      return ["Feedback is here", "pcn-done"];
  }
  return ["Not started", ""];
}

export default {
  render({ model, el }) {
    const site = document.documentElement.dataset.pcnRoot; // none in JupyterLab
    const root = h(
      "div",
      { class: "pcn pcn-cards" },
      h("p", { class: "pcn-soft", role: "status" }, "Looking up your steps…"),
    );
    const life = new AbortController();
    el.append(root);

    const link = (path, text) => (site == null ? h("span", null, text) : h("a", { href: site + path }, text));

    function card(one) {
      const [words, kind] = badge(one);
      const facts = [`${one.minutes} minutes`];
      const handedIn = one.submitted_at && short(one.submitted_at);
      if (one.how === "zip" && one.state === "submitted") facts.push("upload your file, if you have not yet");
      else if (handedIn && !words.endsWith(handedIn)) facts.push(`submitted ${handedIn}`);
      if (one.due && !handedIn) facts.push(`${one.overdue ? "was due" : "due"} ${long(one.due)}`);
      return h(
        "li",
        { class: "pcn-card", "data-step": one.id },
        h("span", { class: `pcn-badge ${kind}` }, words),
        h("h2", null, link(one.path, `${one.number} · ${one.short}`)),
        h("p", null, one.summary),
        h("p", { class: "pcn-facts" }, facts.join(" · ")),
      );
    }

    const plan = (path) =>
      h(
        "li",
        { class: "pcn-plan" },
        h("h2", null, link(path, "Your plan, to take with you")),
        h("p", null, "All of it on one page, with your map, as files that open without this course."),
      );

    /** @param {any} home */
    function show({ cards, next, title, pages }) {
      connection.opened();
      const line = h("p", { class: "pcn-lead pcn-next" });
      if (next) line.append("Next: ", link(next.path, next.link), `, ${next.text}. `);
      else line.append(cards.some(({ how }) => how === "zip") ? "Nothing is open. " : "All steps are handed in. ");
      line.append("Your work is kept as you type.");
      const [portfolio, example] = ["portfolio", "example"].map((name) => pages.find((one) => one.startsWith(name)));
      const shown = example && h("p", null, "Rather see one first? ", link(example, "See a complete example"), ".");
      const at = document.activeElement?.getAttribute("href");
      root.replaceChildren(
        ...[line, shown, h("ul", null, ...cards.map(card), portfolio && plan(portfolio))].filter(Boolean),
      );
      if (at) root.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
      const steps = cards.map(({ id, number, short, path, state }) => ({ id, number, short, path, state }));
      root.dispatchEvent(
        new CustomEvent("pcn:state", { bubbles: true, composed: true, detail: { steps, home: "home.ipynb", title } }),
      );
    }

    const connection = new Connection(model, {
      hear(message) {
        if (message.type === "home") show(message);
        if (message.type === "problem") {
          connection.opened();
          root.replaceChildren(h("p", { class: "pcn-note pcn-open", role: "alert" }, message.message));
        }
      },
      back: () => connection.open(),
    });
    const look = () => document.hidden || connection.open();
    // Coming back from a step, in whichever way, shows where it stands now.
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

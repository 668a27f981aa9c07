// Advice on a text while it is written: what could point to somebody, why, and what to write
// instead; or, softly, that the whole reads as if it were about one person. The kernel finds it;
// nothing is sent to anywhere else.
import { h } from "./controls.js";

const PAUSE = 600; // ms after the last key
const MOST = 20000; // letters that are looked at

// `ask(key, text, number)` asks the kernel. Returns {advise, hear}: `advise(key, id, kind)` is the
// place for the advice on one text, {el, look(text)}; `hear(message)` takes an answer.
export function makeAdvice(ask) {
  let number = 0;
  const asked = new Map(); // by number: what shows the answer

  function advise(key, id, kind) {
    const status = h("p", { class: "pcn-advice-says", role: "status" });
    const list = h("ul");
    const note = h("p", { class: "pcn-help" });
    const el = h("div", { class: "pcn-advice", id: id + "-advice" }, status, list, note);
    let [timer, last] = [0, 0];
    const say = (text) => {
      if (status.textContent !== text) status.textContent = text;
    };
    const show = (warnings, words = "", soft = "") => {
      const many = warnings.length;
      el.classList.toggle("pcn-found", many > 0);
      if (kind === "name") {
        const [one] = warnings;
        return say(one ? `“${one.words}”: ${one.why} ${one.instead}` : "");
      }
      const things = many === 1 ? "One thing" : `${many} things`;
      say(
        many
          ? `${things} to look at before you share this:`
          : soft || (words && "Nothing found that points to somebody."),
      );
      list.replaceChildren(
        ...warnings.map((one) =>
          h("li", null, h("q", { dir: "auto" }, one.words), ` ${one.why} `, h("span", null, one.instead)),
        ),
      );
      note.textContent = words;
    };
    const send = (text) => {
      asked.delete(last);
      last = ++number;
      asked.set(last, show);
      try {
        ask(key, text.slice(0, MOST), last);
      } catch {
        // asked again with the next words
      }
    };
    return {
      el,
      look(text) {
        clearTimeout(timer);
        asked.delete(last); // the answer to older words is of no use
        if (text.trim()) timer = setTimeout(() => send(text), PAUSE);
        else show([]);
      },
    };
  }

  function hear({ number, warnings, note, soft }) {
    asked.get(number)?.(warnings, note, soft);
    asked.delete(number);
  }

  return { advise, hear };
}

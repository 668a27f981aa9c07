// The bank of comments: put one in, change it, add the present one, take all of them along.
import { messageOf } from "./connection.js";
import { button, h, hidden, put } from "./controls.js";
import { actions, download, labelled } from "./marking-dialog.js";

// `card`: the criterion whose comment is written; `ask(type, more)`: the kernel's answer.
export async function showPhrases({ client, dialogs, ask, step, card }) {
  const { criterion } = card;
  const id = client + "-phrases";
  const said = h("p", { class: "pcn-help", role: "status" }, "One moment…");
  const filter = h("input", {
    type: "search",
    autocomplete: "off",
    autofocus: true,
    oninput: draw,
    onkeydown: (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const [first] = matching();
      if (first) insert(first);
    },
  });
  const list = h("ul", { class: "pcn-phrases" });
  const all = h("input", { type: "checkbox", id: id + "-all" });
  let [phrases, editing] = [[], 0];

  const matching = () => {
    const wanted = filter.value.trim().toLowerCase();
    return phrases.filter(({ text }) => text.toLowerCase().includes(wanted));
  };

  function insert(phrase) {
    ask("use-phrase", { id: phrase.id }).catch(() => {});
    card.insert(phrase.text);
    dialogs.close(card.comment); // so that whoever types on writes there
  }

  function draw() {
    const found = matching();
    list.replaceChildren(
      ...found.map((phrase) =>
        h(
          "li",
          null,
          editing === phrase.id
            ? edit(phrase)
            : [
                button([hidden("Insert: "), phrase.text], () => insert(phrase), "pcn-phrase"),
                h(
                  "p",
                  { class: "pcn-help" },
                  phrase.criterion ? criterion.title : "All criteria",
                  ` · used ${phrase.used} ${phrase.used === 1 ? "time" : "times"} `,
                  button(
                    ["Edit", hidden(`: ${phrase.text}`)],
                    () => {
                      editing = phrase.id;
                      draw();
                      list.querySelector("textarea").focus();
                    },
                    "pcn-quiet",
                  ),
                  " ",
                  button(
                    ["Remove", hidden(`: ${phrase.text}`)],
                    () => act("remove-phrase", { id: phrase.id }, "Removed."),
                    "pcn-quiet",
                  ),
                ),
              ],
        ),
      ),
    );
    if (phrases.length && !found.length) said.textContent = "No phrase holds these words.";
    else if (!phrases.length)
      said.textContent = "The bank is empty. Write a comment, then add it here to use it again.";
    else said.textContent = found.length === 1 ? "1 phrase" : `${found.length} phrases`;
  }

  function edit(phrase) {
    const text = h("textarea", { rows: "3", maxlength: "20000" });
    put(text, phrase.text);
    const stop = () => {
      editing = 0;
      draw();
      filter.focus();
    };
    return [
      labelled(`${id}-${phrase.id}`, "Its words", text),
      actions(
        button("Keep", () => act("change-phrase", { id: phrase.id, text: text.value }, "Changed.")),
        button("Cancel", stop),
      ),
    ];
  }

  async function act(type, more, words) {
    try {
      await ask(type, more);
      editing = 0;
      await load();
      said.textContent = words;
      filter.focus();
    } catch (error) {
      said.textContent = messageOf(error);
    }
  }

  async function load() {
    phrases = (await ask("phrases", { step, criterion: criterion.id })).phrases;
    draw();
  }

  const add = button("Add the present comment", () =>
    act("add-phrase", { text: card.comment.value, criterion: all.checked ? null : criterion.id }, "Added to the bank."),
  );
  add.disabled = !card.comment.value.trim();
  dialogs.show(
    `Phrases for “${criterion.title}”`,
    labelled(id + "-filter", "Find", filter, "Enter puts the first one in."),
    list,
    said,
    h("div", { class: "pcn-option" }, all, h("label", { for: all.id }, "Add it for all criteria")),
    actions(
      add,
      button("Export all (CSV)", async () => {
        try {
          download(await ask("export-phrases"));
          said.textContent = "The file “phrases.csv” is in your downloads.";
        } catch (error) {
          said.textContent = messageOf(error);
        }
      }),
    ),
  );
  try {
    await load();
  } catch (error) {
    said.textContent = messageOf(error);
  }
}

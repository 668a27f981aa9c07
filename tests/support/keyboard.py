"""A student who only has a keyboard: what is done next is read off the page and the course.

keyboard = Keyboard(page)
keyboard.tab_to(question="Which live project will this network serve?")
keyboard.fill(prompt, answer)
keyboard.tab_to(words="Submit")
keyboard.press("Enter")

Nothing is clicked and no element is focused by a script: Tab leads there, or the test fails with
the list of all stops on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from playwright.sync_api import Page

from pcn_course.course import Prompt

MANY = 400
"""More stops than any page has."""
FOLDED = 8
"""Choices in a table's row with more options than this are folded away."""
LONG = 12
"""So are choices outside of a table with more options than this."""
# Where the focus is, in the words that a screen reader would find: labels, legends, text.
# At which place of the list in focus a name stands.
_WHICH = """(name) => {
  const at = [...document.activeElement.options].findIndex((one) => one.text === name);
  if (at < 0) throw new Error(`“${name}” is not offered`);
  return at;
}"""
_LOOK = """() => {
  const el = document.activeElement;
  const text = (node) => node?.textContent.trim().replace(/\\s+/g, " ") ?? "";
  const label = text(el.labels?.[0]);
  const box = el.matches("[type=radio], [type=checkbox]");
  const group = el.closest("fieldset")?.querySelector(":scope > legend");
  const row = el.closest(".pcn-row");
  const at = el.getBoundingClientRect();
  // A stop that lies in the middle of the screen and is covered by something is not to be seen.
  const x = (at.left + at.right) / 2, y = (at.top + Math.min(at.bottom, at.top + 40)) / 2;
  const top = document.elementFromPoint(x, y);
  const seen = top && (el.contains(top) || top.contains(el));
  return {
    key: el.closest("[data-key]")?.dataset.key ?? "",
    question: box ? text(group) : label,
    option: box ? label : "",
    kind: el.localName === "input" ? el.type : el.localName,
    words: text(el).slice(0, 80),
    row: row ? [...row.parentElement.children].indexOf(row) : -1,
    seen: Boolean(seen) || el === document.body, // past the last stop nothing has the focus
  };
}"""


def as_shown(table: Prompt) -> list[Prompt]:
    """The columns of a table in the order in which a row shows them."""
    return sorted(table.columns, key=lambda column: column.more)


class Stop(NamedTuple):
    """Where the focus is. ``row`` counts from 0 in a table, and is -1 elsewhere."""

    key: str
    question: str
    option: str
    kind: str
    words: str
    row: int
    seen: bool


@dataclass
class Keyboard:
    """Someone at the keyboard of ``page``."""

    page: Page
    hidden: list[Stop] = field(default_factory=list)
    """Stops that were reached and could not be seen, because something lay over them."""

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type; a line break is Enter."""
        self.page.keyboard.type(text)

    def look(self) -> Stop:
        """Where the focus is now."""
        return Stop(**self.page.evaluate(_LOOK))

    def tab_until(self, wanted: Callable[[Stop], bool], *, back: bool = False) -> Stop:
        """Press Tab (Shift+Tab if ``back``) until the focus is where it is wanted."""
        passed = []
        for _ in range(MANY):
            self.press("Shift+Tab" if back else "Tab")
            stop = self.look()
            if not stop.seen:
                self.hidden.append(stop)
            if wanted(stop):
                return stop
            passed.append(stop)
        raise AssertionError("Tab does not lead there:\n" + "\n".join(map(str, passed[:80])))

    def tab_to(
        self, words: str, *, key: str = "", row: int | None = None, back: bool = False
    ) -> Stop:
        """Tab to a link or button by its first words, in a prompt and row if these are given."""
        return self.tab_until(
            lambda stop: (
                stop.words.startswith(words)
                and stop.kind in ("a", "button", "summary")
                and (not key or stop.key == key)
                and (row is None or stop.row == row)
            ),
            back=back,
        )

    def fill(self, prompt: Prompt, answer: Any) -> None:
        """Tab to a prompt that is still empty, and answer it."""
        if prompt.kind == "table":
            self._fill_table(prompt, answer)
            return
        self._tab_into(prompt, prompt.key)
        self._answer(prompt, answer)

    def change(self, prompt: Prompt, text: str) -> None:
        """Tab to a prompt of text that has an answer, and write another over it."""
        self._tab_into(prompt, prompt.key)
        self.press("Control+a")
        self.type(text)

    def _fill_table(self, prompt: Prompt, rows: list[dict[str, Any]]) -> None:
        """Write the rows, and try everything else that a table can do, so that they stay these.

        The last row is written before the one ahead of it, and moved; one too many is written,
        removed, taken back and removed for good.
        """
        extra = {column.key: _something(column) for column in prompt.columns}
        order = [*rows[:-2], rows[-1], rows[-2], extra] if len(rows) > 1 else [*rows, extra]
        for at, row in enumerate(order):
            self.tab_to("Add", key=prompt.key)
            self.press("Enter")
            assert self.look().row == at, "the button leads into the new row"
            behind = False
            for column in as_shown(prompt):
                if row[column.key] is not None:
                    if column.more and not behind:
                        self.tab_to("More about this", key=prompt.key, row=at)
                        self.press("Enter")
                        behind = True
                    self._tab_into(column, prompt.key, at)
                    self._answer(column, row[column.key])
        last = len(order) - 1
        self.tab_to("Remove", key=prompt.key, row=last)
        self.press("Enter")
        undo = self.look()
        assert undo.words == "Undo", f"after a row was removed the focus is at {undo}"
        self.press("Enter")
        assert self.look().row == last, "the row that was taken back has the focus"
        self.tab_to("Remove", key=prompt.key, row=last)
        self.press("Space")
        if len(rows) > 1:
            self.tab_to("Move up", key=prompt.key, row=last - 1, back=True)
            self.press("Enter")
            assert self.look().row == last - 2, "the row that was moved keeps the focus"

    def _tab_into(self, asked: Prompt, key: str, row: int = -1) -> None:
        """Tab to the control that asks ``asked``, to its first one if it has more than one."""
        first = "1" if asked.kind == "scale" else asked.options[0].label if asked.options else ""
        if asked.kind == "choices" and row >= 0 and len(asked.options) > FOLDED:
            self.tab_to(asked.label, key=key, row=row)
            self.press("Enter")
        if asked.kind == "choices" and row < 0 and len(asked.options) > LONG:
            self.tab_to("Choose from", key=key)
            self.press("Enter")

        def there(stop: Stop) -> bool:
            return (
                (stop.key, stop.row) == (key, row)
                and stop.question.startswith(asked.label)
                and (stop.kind not in ("radio", "checkbox") or stop.option.startswith(first))
            )

        if not there(self.look()):
            self.tab_until(there)

    def _choose_entry(self, answer: Any) -> None:
        """Choose entries of a table by what they are called."""
        if isinstance(answer, str):
            at: int = self.page.evaluate(_WHICH, answer)
            self.press(*["ArrowDown"] * at)
            return
        for name in answer:

            def there(stop: Stop, name: str = name) -> bool:
                return stop.option.startswith(name)

            if not there(self.look()):
                self.tab_until(there)
            self.press("Space")

    def _answer(self, prompt: Prompt, answer: Any) -> None:
        """Answer where the focus is; ``answer`` names entries of a table by their labels."""
        if prompt.refers:
            self._choose_entry(answer)
            return
        stop = self.look()
        values = [option.value for option in prompt.options]
        match prompt.kind:
            case "time":
                hour, minute = map(int, answer.split(":"))
                self.type(f"{(hour - 1) % 12 + 1:02}{minute:02}{'PM' if hour > 11 else 'AM'}")
            case "date":
                year, month, day = answer.split("-")
                self.type(f"{month}{day}{year}")
            case "choice" if stop.kind == "select":
                self.press(*["ArrowDown"] * (values.index(answer) + 1))
            case "choice":
                self.press("Space", *["ArrowDown"] * values.index(answer))
            case "scale":
                self.press("Space", *["ArrowRight"] * (answer - 1))
            case "choices":
                for at, value in enumerate(values):
                    if at:
                        self.press("Tab")
                    if value in answer:
                        self.press("Space")
            case _:
                self.type(answer)


def _something(column: Prompt) -> Any:
    if column.refers:
        return None
    match column.kind:
        case "line" | "text":
            return "This row is not meant to stay."
        case "choice":
            return column.options[0].value
        case "choices":
            return []
        case "scale":
            return 1
        case "time":
            return "08:15"
    return "2027-01-04"

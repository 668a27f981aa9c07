"""Somebody who writes in a page: key by key, in several fields, at a human pace."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Error, Locator, Page

from pcn_course.course import Prompt, Step
from tests.soak.ledger import Ledger, Word, numbered

WORDS = [
    *("advice", "caring", "clinic", "county", "family", "fund", "group", "help", "intake", "kin"),
    *("listen", "meet", "nurse", "open", "peer", "plan", "policy", "project", "refer", "respite"),
    *("rural", "school", "share", "shelter", "team", "tribal", "trust", "visit", "youth"),
]
TYPOS = "qxjzv"
MAX_ROWS = 4

_AROUND_CARET = """() => {
  const el = document.activeElement;
  if (!el || el.selectionStart == null) return null;
  const at = el.selectionStart;
  return [el.value.slice(at - 1, at), el.value.slice(at, at + 1)];
}"""

_PUT_IN = """([word, event]) => {
  const el = document.activeElement;
  el.value = `${el.value.trimEnd()} ${word} `.trimStart();
  if (event) el.dispatchEvent(new Event(event, { bubbles: true }));
}"""


@dataclass(frozen=True)
class Place:
    """Where words can be typed: a field, or a column of a table's rows."""

    key: str
    row: str = ""
    column: int = 0
    lines: bool = False  # whether Enter begins a new line


def places(step: Step) -> list[Place]:
    """All places of a step for free text."""
    found = []
    for prompt in step.prompts:
        if prompt.kind in ("line", "text"):
            found.append(Place(prompt.key, lines=prompt.kind == "text"))
        elif prompt.kind == "table":
            found += [
                Place(prompt.key, prompt.row, number) for number in range(_text_columns(prompt))
            ]
    return found


def _text_columns(prompt: Prompt) -> int:
    return sum(column.kind in ("line", "text") for column in prompt.columns)


class Typist:
    """One writer in one page. ``press`` presses the next key and says how long to pause then."""

    def __init__(
        self,
        page: Page,
        step: Step,
        where: list[Place],
        ledger: Ledger,
        name: str,
        rng: random.Random,
    ) -> None:
        """Take the page of ``step``, open and ready, and a letter that no other writer has."""
        self.page = page
        self.step = step
        self.where = where
        self.ledger = ledger
        self.name = name
        self.rng = rng
        self.keys = 0
        self.speed = rng.lognormvariate(0, 0.3)  # some type faster than others
        self._place: Place | None = None
        self._word: Word | None = None
        self._actions = self._write()

    def press(self) -> float:
        """Press the next key; return the seconds until the one after it."""
        return next(self._actions)

    @property
    def inside_word(self) -> bool:
        """Whether a word is half typed."""
        return self._word is not None

    def finish_word(self) -> None:
        """Type until the word is whole."""
        while self.inside_word:
            self.press()

    def dictate(self, event: str) -> None:
        """Put a word in as dictation and text expanders do: at most ``event`` tells the page."""
        self.finish_word()
        place = self.rng.choice(self.where)
        self._click(place)
        word = self.ledger.begin(self.step.id, place.key)
        word.text = numbered(self.name, self.ledger.number(), self.rng.choice(WORDS))
        self.page.evaluate(_PUT_IN, [word.text, event])
        self.keys += len(word.text)
        word.whole = True
        self.start_anew()  # the focus may be led elsewhere now

    def start_anew(self) -> None:
        """Take up the work again in a page that was loaded again: what was half typed stays so."""
        self._word = None
        self._place = None
        self._actions = self._write()

    def _write(self) -> Iterator[float]:
        rng = self.rng
        while True:
            if self._place is None or rng.random() < 0.15:
                self._place = rng.choice(self.where)
                self._click(self._place)
                yield rng.uniform(0.05, 0.4)
            elif rng.random() < 0.1:
                for _ in range(rng.randint(1, 4)):
                    self.page.keyboard.press("Control+ArrowLeft")
                yield rng.uniform(0.05, 0.3)
            around = self.page.evaluate(_AROUND_CARET)
            if around is None:  # the focus was taken away: a person clicks into the field again
                self._click(self._place)
                around = self.page.evaluate(_AROUND_CARET)
            before, after = around
            if before.strip():
                yield self._key(" ")
            if after.strip():
                yield self._key(" ")
                yield self._key("ArrowLeft")
            self._word = self.ledger.begin(self.step.id, self._place.key)
            for letter in numbered(self.name, self.ledger.number(), rng.choice(WORDS)):
                if rng.random() < 0.02:
                    self._word.text += (wrong := rng.choice(TYPOS))
                    yield self._key(wrong)
                    self._word.text = self._word.text[:-1]
                    yield self._key("Backspace")
                self._word.text += letter
                yield self._key(letter)
            self._word.whole = True
            self._word = None
            enter = self._place.lines and rng.random() < 0.08
            yield self._key("Enter" if enter else " ")
            if rng.random() < 0.12:
                yield rng.uniform(0.4, 2.5)  # thinking

    def _key(self, key: str) -> float:
        self.page.keyboard.press("Space" if key == " " else key)
        self.keys += 1
        return self.rng.lognormvariate(-2.3, 0.5) * self.speed  # a tenth of a second, about

    def _click(self, place: Place) -> None:
        field = self.page.locator(f'[data-key="{place.key}"]')
        if not place.row:
            control = field.locator("textarea, input").first
        else:
            rows = field.locator(".pcn-row")
            count = rows.count()
            if count == 0 or (count < MAX_ROWS and self.rng.random() < 0.3):
                field.locator(".pcn-add").click()
                count += 1
            row = rows.nth(self.rng.randrange(count))
            if row.evaluate("(row) => row.localName === 'details' && (row.open = true)"):
                row.locator("fieldset").first.wait_for()  # its fields are made when it is opened
            row.locator("details.pcn-more").evaluate_all(
                "(all) => all.forEach((one) => { one.open = true; })"
            )
            control = row.locator("textarea, input[type=text]").nth(place.column)
        _focus(control)
        self.page.keyboard.press("Control+End")


def _focus(control: Locator) -> None:
    """Click into a field; where something lies over its middle, as a bar may, at its top."""
    try:
        control.click(timeout=5000)
    except Error:
        control.click(position={"x": 5, "y": 5}, timeout=10_000)

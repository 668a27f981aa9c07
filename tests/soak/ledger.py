"""What was typed, word by word, so that every loss and every duplicate is seen.

Each word has a number that no other word of the run has: ``a24000shelter`` is number 42, of writer
a. In the end each must stand in the text exactly once.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Word:
    """One word: its text as far as it was typed."""

    text: str = ""
    whole: bool = False
    shown_saved: bool = False
    """Whether the page said "Saved" while the whole word stood in its field."""


@dataclass
class Result:
    """What became of the words of one field, in characters."""

    lost_after_saved: int = 0
    lost_otherwise: int = 0
    duplicated: int = 0
    """Characters that nobody typed, or that stand there more than once."""
    says: list[str] = field(default_factory=list)

    def __iadd__(self, other: Result) -> Self:
        self.lost_after_saved += other.lost_after_saved
        self.lost_otherwise += other.lost_otherwise
        self.duplicated += other.duplicated
        self.says += other.says
        return self

    @property
    def clean(self) -> bool:
        return not (self.lost_after_saved or self.lost_otherwise or self.duplicated)


def numbered(writer: str, number: int, word: str) -> str:
    """The word with that number. The last digit comes first, so that neighbours differ early."""
    return writer + f"{number:05}"[::-1] + word


def number_of(word: str) -> int:
    """The number in a word; -1 when it has none yet."""
    digits = word[1:6][::-1]
    return int(digits) if len(digits) == 5 and digits.isdecimal() else -1


class Ledger:
    """The words of all fields of a workspace, over all rounds."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], list[Word]] = {}
        self._known: dict[tuple[str, str], Counter[str]] = {}  # losses already counted
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """A number that no word has yet."""
        return next(self._numbers)

    def begin(self, step: str, key: str) -> Word:
        """A new word, to be typed now."""
        word = Word()
        self._words.setdefault((step, key), []).append(word)
        return word

    def fields(self, step: str) -> tuple[str, ...]:
        """The keys of the fields of a step in which something was typed."""
        return tuple(key for of, key in self._words if of == step)

    def is_whole(self, text: str) -> bool:
        """Whether this is a word that was typed to its end."""
        return any(
            word.whole and word.text == text for words in self._words.values() for word in words
        )

    def whole_words(self, step: str, key: str) -> Counter[str]:
        """The words of a field that were typed to their end."""
        return Counter(word.text for word in self._words.get((step, key), ()) if word.whole)

    def missing_of(self, writer: str, step: str, key: str, text: str) -> list[str]:
        """Which words of one writer don't stand in ``text``."""
        there = set(text.split())
        return [
            word.text
            for word in self._words.get((step, key), ())
            if word.whole and word.text.startswith(writer) and word.text not in there
        ]

    def shown_saved(self, step: str, shown: dict[str, str]) -> None:
        """The page said "Saved" while its fields held this."""
        for key, text in shown.items():
            there = set(text.split())
            for word in self._words.get((step, key), ()):
                if word.text in there:
                    word.shown_saved = True

    def compare(self, step: str, key: str, text: str, where: str) -> Result:
        """Compare what was typed in a field with what stands there now."""
        words = [word for word in self._words.get((step, key), ()) if word.text]
        wanted = Counter(word.text for word in words)
        found = Counter(text.split())
        known = self._known.setdefault((step, key), Counter())
        result = Result()
        saved = {word.text for word in words if word.shown_saved}
        for word, times in (wanted - found - known).items():
            known[word] += times
            if word in saved:
                result.lost_after_saved += len(word) * times
            else:
                result.lost_otherwise += len(word) * times
            result.says.append(
                f"lost {'after Saved' if word in saved else ''} {word!r} of {key}, {where}"
            )
        for word, times in (found - wanted - known).items():
            known[word] += times
            result.duplicated += len(word) * times
            result.says.append(f"{times} × {word!r} too many in {key}, {where}")
        return result

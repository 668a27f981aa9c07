"""A draft's words, and what the recognizers find in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pcn_course.privacy.words import TITLES, plain


class Finding(NamedTuple):
    """Words that could identify someone: the kind, and their place in the text."""

    kind: str
    start: int
    end: int


class Word(NamedTuple):
    """A word of a draft; ``plain`` is its form in the word lists."""

    text: str
    start: int
    end: int
    plain: str
    first: bool
    """True if a sentence, a line or a quotation begins with it."""

    @property
    def acronym(self) -> bool:
        """True if it is written in capitals, as in HIPAA."""
        return len(self.text) > 1 and self.text.isupper()

    @property
    def capital(self) -> bool:
        """True if it begins with a capital, as a name does."""
        return self.text[0].isupper()


_LETTER = "(?:[^\\W\\d_]|[\u0300-\u036f])"
_WORD = re.compile(rf"{_LETTER}+(?:['’ʼ-]{_LETTER}+)*")
_OPENS = re.compile(r"[.!?…:;\n\"“„(\[•–—/]")


def words_in(text: str) -> Iterator[Word]:
    """Yield the words in order; digits and marks are none."""
    end = 0
    before = ""
    for match in _WORD.finditer(text):
        gap = text[end : match.start()]
        title = gap.startswith(".") and (before in TITLES or len(before) == 1 or before == "st")
        first = not end or bool(_OPENS.search(gap[1:] if title else gap))
        before = plain(match.group())
        yield Word(match.group(), match.start(), match.end(), before, first)
        end = match.end()

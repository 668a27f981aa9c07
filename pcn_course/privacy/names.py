"""Names of people, by capitals and by a short list of given names.

Whether a draft is about one person, and not about an author or an agency, is for the gate to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pcn_course.privacy.draft import Finding, Word, words_in
from pcn_course.privacy.words import (
    ABSTRACT,
    CITIES,
    COMMON,
    DOUBLE,
    GIVEN,
    NO_PERSON,
    PEOPLES,
    ROLES,
    STARTERS,
    STATES,
    TITLES,
    WORDS,
)

_NO_NAME = COMMON | PEOPLES | frozenset(word for state in STATES for word in state.split())
_CLEAR = GIVEN - DOUBLE
_LOWER_BEFORE = WORDS["kin"] | WORDS["person"] | {"named", "called"}
_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.\s?){2,3}(?!\w)")
_NO_INITIALS = frozenset({"U.S.", "U.K.", "D.C.", "U.S.A.", "E.U.", "U.N.", "P.M.", "A.M.", "P.S."})
_BARE_INITIALS = re.compile(
    r"\b(?i:client|patient|student|child)(?:,|\s)\s?([A-Z]{2,3})\b(?!\s(?:number|no\b|#|\d))"
)


def names(text: str, *, wide: bool) -> Iterator[Finding]:
    """Yield names; with ``wide`` any run of capitals that could be one, and initials, too."""
    words = tuple(words_in(text))
    for start, end in _titled(text, words):
        yield Finding("name", start, end)
    for run in _capital_runs(text, words):
        if any(word.plain in NO_PERSON for word in run):
            continue
        for part in _parts(run):
            whole = len([word for word in part if len(word.text) > 1]) >= 2
            known = any(word.plain in _CLEAR and len(word.text) > 2 for word in part)
            wider = wide and not part[0].first and len(part[-1].text) > 1
            if known or wider or (whole and len(part) == len(run)):
                yield Finding("name", part[0].start, part[-1].end)
    for before, word in pairwise(words):
        if word.plain in _CLEAR and before.plain in _LOWER_BEFORE and not word.capital:
            yield Finding("name", word.start, word.end)
    for match in _INITIALS.finditer(text) if wide else ():
        if match.group().replace(" ", "") not in _NO_INITIALS:
            yield Finding("name", match.start(), match.start() + len(match.group().rstrip()))
    for match in _BARE_INITIALS.finditer(text) if wide else ():
        yield Finding("name", *match.span(1))


def looks_like_a_name(cell: str) -> tuple[int, int] | None:
    """Where a cell for initials or a role holds what looks like a full name; None if nowhere."""
    words = tuple(words_in(cell))
    for run in _capital_runs(cell, words, upper=True):
        if {word.plain for word in run} & (_NO_NAME | NO_PERSON | {"st"}) - GIVEN:
            continue
        for part in _parts(run, allow_first=True, outside=ROLES):
            known = any(word.plain in GIVEN | DOUBLE for word in part)
            shouted = all(word.acronym for word in part)
            short = len(part[0].text) == 1 and len(part[-1].text) > 2  # “J. Ortega”
            long = sum(len(word.text) > 1 for word in part) >= 2
            if (long or short) and (known or not shouted):
                return part[0].start, part[-1].end
        if len(run) == 2 and run[0].plain in _CLEAR and run[1].acronym:
            if run[1].plain not in _NO_NAME | ROLES:
                return run[0].start, run[1].end
    for span in _titled(cell, words):
        return span
    swapped = re.fullmatch(r"\s*(\w[\w'’-]{1,30}),\s(\w[\w'’-]{1,30})(?: \w\.?)?\s*", cell)
    if swapped and len(words) >= 2 and words[1].plain in GIVEN:
        if words[0].plain not in ROLES | COMMON:
            return words[0].start, words[1].end
    if len(words) == 2 and not words[0].capital and words[0].plain in _CLEAR:
        if cell[words[0].end : words[1].start] == " " and words[1].plain not in ROLES | COMMON:
            return words[0].start, words[1].end
    return None


def _like_a_name(word: Word, outside: frozenset[str] = frozenset()) -> bool:
    """Return True if a word could be part of a name."""
    if not word.capital or (word.acronym and len(word.text) > 2 and word.plain not in GIVEN):
        return False
    if word.plain in GIVEN | DOUBLE:
        return word.plain not in outside
    if word.plain in _NO_NAME | CITIES or word.plain in outside:
        return False
    return not (len(word.plain) > 5 and word.plain.endswith(ABSTRACT))


def _capital_runs(text: str, words: Sequence[Word], *, upper: bool = False) -> Iterator[list[Word]]:
    """Yield words with capitals that follow each other, with initials between them."""
    run: list[Word] = []
    for word in words:
        gap = text[run[-1].end : word.start] if run else ""
        follows = bool(run) and (gap in {" ", "\u00a0"} or (gap == ". " and len(run[-1].text) == 1))
        taken = word.capital and (upper or not word.acronym or word.plain in GIVEN)
        if run and not (follows and taken):
            yield run
            run = []
        if taken:
            run.append(word)
    if run:
        yield run


def _parts(
    run: Sequence[Word], *, allow_first: bool = False, outside: frozenset[str] = frozenset()
) -> Iterator[list[Word]]:
    """Yield the parts of a run that could be names."""
    part: list[Word] = []
    for word in run:
        opens = word.first and word.plain in STARTERS and not allow_first
        if _like_a_name(word, outside) and not opens and word.plain not in TITLES - GIVEN:
            part.append(word)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _titled(text: str, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield where names with a title are: “Ms. Lund”, “Judge Maria Ortiz”."""
    for at, word in enumerate(words[:-1]):
        if word.plain not in TITLES or not word.capital:
            continue
        weak = word.plain in WORDS["weak-titles"]
        last = at
        while last + 1 < len(words) and last < at + 4:
            follower = words[last + 1]
            gap = text[words[last].end : follower.start]
            joined = gap in {" ", "\u00a0"} or (
                gap in {". ", ".", ".\u00a0"} and (last == at or len(words[last].text) == 1)
            )
            # Whatever a title stands before is a name, “Ms. Park” as well.
            name = _like_a_name(follower, NO_PERSON) or (
                last == at and not weak and follower.capital and not follower.acronym
            )
            if not joined or not name:
                break
            last += 1
        if last > at and (not weak or any(one.plain in GIVEN for one in words[at + 1 : last + 1])):
            yield word.start, words[last].end

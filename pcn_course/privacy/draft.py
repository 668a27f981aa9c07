"""A draft as the recognisers see it: its text, its sentences, and its words.

Recognisers are functions from a `Draft` to `Finding`. What a sentence is about is looked up once
for each sentence, so that many findings in one long sentence cost no more than one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from pcn_course.privacy.words import TITLES, plain

LONGEST_SENTENCE = 600
"""Characters after which a sentence counts as ended, so that context stays near."""


class Finding(NamedTuple):
    """Words that could identify somebody: the kind, and where they stand in the text."""

    kind: str
    start: int
    end: int


class Word(NamedTuple):
    """A word of the draft; ``plain`` is its form in the word lists."""

    text: str
    start: int
    end: int
    plain: str
    first: bool
    """Whether a sentence, a line or a quotation begins with it."""

    @property
    def acronym(self) -> bool:
        """Whether it is written in capitals, as in HIPAA."""
        return len(self.text) > 1 and self.text.isupper()

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital, as a name does."""
        return self.text[0].isupper()


_LETTER = "(?:[^\\W\\d_]|[\u0300-\u036f])"
_WORD = re.compile(rf"{_LETTER}+(?:['’ʼ-]{_LETTER}+)*")
_END = re.compile(r"[.!?…][\"”’)\]]{0,3}(?=\s)|\n")
_OPENS = re.compile(r"[.!?…:;\n\"“„(\[•–—/]")
_SHORT = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "rev",
        "st",
        "no",
        "acct",
        "vs",
        "eg",
        "approx",
        "dept",
        "jr",
        "sr",
        "e.g",
        "i.e",
        "al",
    ]
)

# Who a sentence is about: a client, or somebody near to one; “they” alone says too little.
_PERSON = re.compile(
    r"\b(?:he|she|him|her|his|hers|clients?|patients?|mother|father|mom|mum|dad|grandm\w{1,9}|"
    r"grandfather|grandpa|aunt|uncle|parents|mothers?|fathers?|(?:a|the|this|my|our|one) (?:\w{1,20} )?"
    r"(?:parent|child|kid|boy|girl|teen|teenager|youth|man|woman|couple|family|baby|infant|veteran|caregiver|"
    r"student|resident|elder|survivor|neighbor|colleague|coworker|co-worker)|(?:the|these|my|our) (?:\w{1,20} )?(?:kids|children|twins|triplets|boys|girls|siblings|brothers|sisters)|"
    r"(?:foster|adoptive|birth|host) (?:mom|mother|dad|father|family|parents?)|daughter|son|sister|brother|"
    r"wife|husband|girlfriend|boyfriend|them)\b",
    re.IGNORECASE,
)
# What happened to somebody.
_EVENT = re.compile(
    r"\b(?:died|dead|born|birth|lost|left|fell|moved|placed|placement|removed|removal|remand\w*|arrest\w*|admitted|"
    r"discharged|hospitali[sz]ed|overdosed?|attempted|hurt|injured|assault\w*|abus\w+|raped?|attacked|shot|stabbed|"
    r"evicted|eviction|fired|laid off|jailed|released|sentenced|charged|convicted|hearing|incident|accident|crash|"
    r"fire|funeral|passed away|divorced?|separated|married|adopted|surgery|stroke|diagnosed|relapsed?|reported|"
    r"disclosed|told|called|came|brought|said|cried|ran away|ran off|disappeared|missing|visited|saw|met|was|were|"
    r"had|has been|survived|quit|hit|happened|stopped|started|began|enrolled|expelled|suspended|deported|detained|intake|opened|"
    r"closed|gave birth|miscarried|went|took|drowned|killed|found|shooting|slept|ate|ran|sent|kept|got|gave|broke|beat|hid|became|grew|won|wrote|"
    r"(?!need\b|bed\b|shed\b|feed\b|seed\b|speed\b|red\b|indeed\b)[a-z]{2,14}ed)\b",
    re.IGNORECASE,
)
# What is planned or published, which points to nobody.
_PLAN = re.compile(
    r"\b(?:webinar|conference|meeting|workshop|deadline|training|survey|newsletter|symposium|register|"
    r"registration|semester|term|due|call for papers|version|published|edition|retrieved|accessed|act|effective|"
    r"agenda|launch|we plan|we meet|we start|join us|save the date|class|course)\b",
    re.IGNORECASE,
)


class Sentence:
    """A sentence of a draft, and what it is about."""

    def __init__(self, text: str, start: int, end: int) -> None:
        """Take the whole text, and where the sentence stands in it."""
        self.start = start
        self.end = end
        self.text = text[start:end]

    @cached_property
    def person(self) -> bool:
        """Whether it speaks of a client or of somebody near to one."""
        return bool(_PERSON.search(self.text))

    @cached_property
    def event(self) -> bool:
        """Whether it says that something happened."""
        return bool(_EVENT.search(self.text))

    @cached_property
    def plan(self) -> bool:
        """Whether it is about a plan or a publication."""
        return bool(_PLAN.search(self.text))


class Draft:
    """A text with its sentences and words, each found once."""

    def __init__(self, text: str) -> None:
        """Take any text, the empty one too."""
        self.text = text

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences in order; together they cover the text."""
        ends = [0]
        for found in _END.finditer(self.text):
            before = self.text[max(found.start() - 12, 0) : found.start()].split()
            last = before[-1].lower().strip("(“\"'") if before else ""
            if found.group() == "." and (last in _SHORT or (len(last) == 1 and last.isalpha())):
                continue
            ends.append(found.end())
        ends.append(len(self.text))
        return tuple(
            Sentence(self.text, at, min(at + LONGEST_SENTENCE, end))
            for start, end in pairwise(ends)
            for at in range(start, max(end, start + 1), LONGEST_SENTENCE)
        )

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(one.start for one in self.sentences)

    def sentence(self, at: int) -> Sentence:
        """The sentence in which position ``at`` stands."""
        return self.sentences[max(bisect_right(self._starts, at) - 1, 0)]

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words in order; digits and marks are none."""
        return tuple(self._words())

    def _words(self) -> Iterator[Word]:
        end = 0
        before = ""
        for found in _WORD.finditer(self.text):
            gap = self.text[end : found.start()]
            title = gap.startswith(".") and (before in TITLES or len(before) == 1 or before == "st")
            first = not end or bool(_OPENS.search(gap[1:] if title else gap))
            before = plain(found.group())
            yield Word(found.group(), found.start(), found.end(), before, first)
            end = found.end()

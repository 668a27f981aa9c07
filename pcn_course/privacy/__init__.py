"""What in a draft could identify a client or somebody else, or reads as venting.

Nothing leaves this computer, and nothing is downloaded: patterns, short word lists, and the
metadata of `phonenumbers`. It errs on the side of a warning; it can't certify anything (`NOTE`).
The kinds follow HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i), with small places, rare combinations
and venting added (FAMCare 2018: two rules of ethics).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pcn_course.privacy.circumstances import circumstances
from pcn_course.privacy.draft import Draft, Finding
from pcn_course.privacy.names import looks_like_a_name, names
from pcn_course.privacy.numbers import numbers
from pcn_course.privacy.places import places
from pcn_course.privacy.texts import NAME_IN_LIST, NOTE, TEXTS
from pcn_course.privacy.times import times
from pcn_course.privacy.tone import tone

__all__ = ["KINDS", "NOTE", "Warning", "advise"]

KINDS = tuple(TEXTS)
"""All kinds of warning."""

# What describes somebody may hold what names somebody: a place within a rare combination is worth
# a warning of its own. Within each layer the earlier kind wins where two of them overlap.
_DESCRIBE = ("rare", "small-place", "venting", "photo", "biometric")
_NAMING = (
    "fax", "email", "url", "ssn", "record", "plan", "account", "license", "vehicle", "device", "ip",
    "phone", "age", "date", "place", "name", "unique",
)  # fmt: skip
_SAME_RANK = {"name": "place"}  # the longer of the two wins: “Travis” in “Travis County”


class Warning(NamedTuple):  # noqa: A001 (it is what the page shows; nobody imports it beside Python's)
    """Words of a draft that could identify somebody; ``text[start:end]`` is ``words``."""

    kind: str
    words: str
    start: int
    end: int
    why: str
    instead: str


def advise(text: str, kind: Literal["share", "name"] = "share") -> tuple[Warning, ...]:
    """Warnings about a text, in its order; the same words bring one warning of a kind.

    ``share``: a draft of a post or a question. ``name``: a cell that should hold initials or a
    role, warned of at most once, where it looks like a full name.
    """
    if kind == "name":
        span = looks_like_a_name(text)
        if span is None:
            return ()
        return (Warning("name", text[span[0] : span[1]], *span, *NAME_IN_LIST),)
    draft = Draft(text)
    found = [
        one
        for recognise in (numbers, places, names, times, circumstances, tone)
        for one in recognise(draft)
    ]
    kept = [*_settled(found, _NAMING), *_settled(found, _DESCRIBE)]
    warnings: dict[tuple[str, str], Warning] = {}
    for one in sorted(kept, key=lambda one: (one.start, one.end)):
        words = text[one.start : one.end]
        warning = Warning(one.kind, words, one.start, one.end, *TEXTS[one.kind])
        warnings.setdefault((one.kind, words.casefold()), warning)
    return tuple(warnings.values())


def _settled(found: Iterable[Finding], kinds: tuple[str, ...]) -> list[Finding]:
    """Findings of ``kinds`` without overlaps: those of one kind are joined, else the first wins."""
    rank = {kind: kinds.index(_SAME_RANK.get(kind, kind)) for kind in kinds}
    joined = [
        one
        for kind in kinds
        for one in _joined(found_one for found_one in found if found_one.kind == kind)
    ]
    joined.sort(key=lambda one: (rank[one.kind], one.start - one.end, one.start))
    taken: set[int] = set()
    kept = []
    for one in joined:
        # Overlaps are seen by their characters, as findings are short and never many at one place.
        span = range(one.start, one.end)
        if taken.isdisjoint(span):
            taken.update(span)
            kept.append(one)
    return kept


def _joined(found: Iterable[Finding]) -> list[Finding]:
    """Findings of one kind, with those that overlap made one."""
    joined: list[Finding] = []
    for one in sorted(found):
        if joined and one.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = last._replace(end=max(last.end, one.end))
        else:
            joined.append(one)
    return joined

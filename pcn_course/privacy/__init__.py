"""What in a draft could identify a client or someone else, or reads as venting.

Nothing leaves this computer, and nothing is downloaded. Two learned gates (`gate`) say whether a
draft is about one particular person, and whether it vents. Firm remarks name words: numbers that
belong to one person and high ages anywhere, names, places, dates and the like only where the gate
is open. The kinds follow HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i). A soft remark is on the draft
as a whole. Neither can certify anything (`NOTE`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from pcn_course.privacy.bodies import bodies
from pcn_course.privacy.draft import Finding
from pcn_course.privacy.gate import Gate, features, gates, pieces
from pcn_course.privacy.names import looks_like_a_name, names
from pcn_course.privacy.numbers import links, numbers
from pcn_course.privacy.places import places
from pcn_course.privacy.texts import NAME_IN_LIST, NOTE, TEXTS
from pcn_course.privacy.times import ages, dates

__all__ = ["KINDS", "NOTE", "SOFT", "Warning", "advise"]

KINDS = tuple(TEXTS)
"""All kinds of remark."""
SOFT = ("person", "venting")
"""Kinds that are on a draft, or a long part of one, and not on words."""

# Where two findings overlap the earlier kind wins; of two in one row, the longer.
_ORDER = (
    ("fax", "email", "url"), ("ssn",), ("record",), ("plan",), ("account",), ("license",),
    ("vehicle",), ("device",), ("ip",), ("phone",), ("age",), ("date",), ("place", "name"),
    ("photo", "biometric"), ("unique",),
)  # fmt: skip
_RANK = {kind: rank for rank, kinds in enumerate(_ORDER) for kind in kinds}


class Warning(NamedTuple):  # noqa: A001 (it is what the page shows; nobody imports it beside Python's)
    """Words of a draft that could identify someone; ``text[start:end]`` is ``words``."""

    kind: str
    words: str
    start: int
    end: int
    why: str
    instead: str

    @property
    def soft(self) -> bool:
        """True if it is on the draft as a whole."""
        return self.kind in SOFT


def advise(
    text: str,
    kind: Literal["share", "name"] = "share",
    *,
    gates: Mapping[str, Gate] | None = None,
) -> tuple[Warning, ...]:
    """Return the remarks on a text, in its order; the same words bring one remark of a kind.

    ``share``: a draft of a post or a question. ``name``: a cell that should hold initials or a
    role, remarked on at most once, where it looks like a full name. ``gates`` are those to judge
    with; the course's own if None.
    """
    if kind == "name":
        span = looks_like_a_name(text)
        if span is None:
            return ()
        return (Warning("name", text[span[0] : span[1]], *span, *NAME_IN_LIST),)
    soft: dict[str, Finding] = {}
    firm = [*numbers(text), *ages(text)]
    for start, end in pieces(text):
        for finding in _gated(text[start:end], gates or _own()):
            moved = Finding(finding.kind, start + finding.start, start + finding.end)
            if finding.kind in SOFT:
                soft.setdefault(finding.kind, moved)
            else:
                firm.append(moved)
    remarks: dict[tuple[str, str], Warning] = {}
    for one in sorted([*soft.values(), *_apart(firm)], key=lambda one: (one.start, one.end)):
        words = text[one.start : one.end]
        remark = Warning(one.kind, words, one.start, one.end, *TEXTS[one.kind])
        remarks.setdefault((one.kind, words.casefold()), remark)
    return tuple(remarks.values())


_own = gates


def _gated(text: str, gates: Mapping[str, Gate]) -> Iterator[Finding]:
    """Yield what counts only where a gate is open, and that it is."""
    known = features(text)
    if not known:
        return
    opened = [kind for kind in SOFT if gates[kind].score(known) >= gates[kind].open]
    whole = (len(text) - len(text.lstrip()), len(text.rstrip()))
    yield from (Finding(kind, *whole) for kind in opened)
    if "person" in opened:
        wide = gates["person"].score(known) >= gates["person"].wide
        yield from names(text, wide=wide)
        for recognize in (places, dates, links, bodies):
            yield from recognize(text)


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without overlaps: those of one kind are joined, else the first kind wins."""
    joined: dict[str, list[Finding]] = {}
    for one in sorted(findings):
        row = joined.setdefault(one.kind, [])
        if row and one.start < row[-1].end:
            row[-1] = row[-1]._replace(end=max(row[-1].end, one.end))
        else:
            row.append(one)
    taken: set[int] = set()
    kept = []
    ordered = [one for row in joined.values() for one in row]
    for one in sorted(ordered, key=lambda one: (_RANK[one.kind], one.start - one.end, one.start)):
        # Overlaps are seen by their characters, as findings are short and never many in one place.
        span = range(one.start, one.end)
        if taken.isdisjoint(span):
            taken.update(span)
            kept.append(one)
    return kept

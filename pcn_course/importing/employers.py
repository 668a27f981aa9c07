"""Positions without employers: initials, position and employer can point to one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pcn_course.importing.names import ROLE_WORDS

_LEGAL = (
    r"(?:inc|llc|llp|ltd|plc|corp|corporation|co|gmbh|ggmbh|e\.? ?v|ag|s\.? ?a|s\.? ?l|lda|ltda)"
)
_LEGAL_END = re.compile(rf"(?:,?\s+{_LEGAL}\.?)+$", re.IGNORECASE)
_THE = r"(?:(?:the|el|la|le|les|los|las|o|os|der|die|das|dem|den|l['’])\s*)?"
# What may stand between a position and an employer whose name is known.
_JOINED = (
    r"(?:\s*[,;:|@(\[/·•–—]\s*|\s+-\s+|\s+(?:at|with|for|of|in|from|on behalf of|chez|à|au|aux|en|"
    r"de|du|del|do|da|dos|das|bei|beim|im|an|am|für|von|em|na|no|para|per|presso|di)\s+)"
)
# What says by itself that an employer follows, where it is written with a capital.
_PLACE = re.compile(
    r"(?:^|\s+)(?:(?i:at|chez|bei|beim|presso|em)|à|@|(?i:en|au|na|no)(?=\s+(?:(?:el|la|l['’])\s*)?"
    r"(?i:hospital|hôpital|clín|clin|universi|escuela|école|escola|centro|centre|fundaci|ayuntam)))"
    rf"\s+{_THE}(?=[“\"'’]?[A-ZÀ-ÖØ-Þ0-9])[^,;|()–—/]*"
)
_ORGANIZATION = re.compile(
    r"\s*(?:[,;|@–—]|\s-)\s*(?=[A-ZÀ-ÖØ-Þ])[^,;|]*\b(?:hospital|hôpital|universi\w+|college|clinic|"
    r"hospice|foundation|inc|llc|ltd|gmbh|high school|medical cent(?:er|re)|health system)\.?\s*$|"
    r"\s*(?:[,;|@–—]|\s-)\s*(?:universi\w+|city|county|state|college|hospital|ministry)"
    r"\s+(?:of|de|du)\s+[^,;|]*$",
    re.IGNORECASE,
)
_NO_EMPLOYER = re.compile(
    r"self[- ]?employed|free ?lance\w*|independent|consult\w+|private practice|retired|none|n/?a|"
    r"students?|various",
    re.IGNORECASE,
)


def without_employer(position: str, employers: Iterable[str]) -> str:
    """Return a position without the names of these employers, and of others that it says it is at.

    A position that names nothing else than the employer becomes "".
    """
    text = _PLACE.sub("", position)
    known = list(employers)
    for name in sorted({name for one in known for name in _names(one)}, key=len, reverse=True):
        # Most positions name no employer, and a pattern for each name takes its time.
        if re.split(r"\W", name, maxsplit=1)[0].casefold() in text.casefold():
            text = _without(text, name)
    for word in {re.split(r"[\s,]", one.strip(), maxsplit=1)[0] for one in known}:
        # "Lead – Mercy", of Mercy Hospital
        if text.endswith(word) and word.casefold() not in ROLE_WORDS:
            text = re.sub(rf"(?:\s*[,;|@–—/]\s*|\s+-\s+){re.escape(word)}$", "", text)
    text = _ORGANIZATION.sub("", text)
    return _tidy(text) if text != position else position


def _names(employer: str) -> Iterable[str]:
    """The ways in which an employer may be written: in full, without "Inc.", as an acronym."""
    whole = employer.strip(" .,")
    short = _LEGAL_END.sub("", whole).strip(" .,")
    outside = re.sub(r"\s*\([^)]*\)", "", short)
    inside = re.findall(r"\(([^)]*)\)", short)
    bare = re.sub(r"^(?:the|el|la|le|los|die|das|der)\s+", "", outside, flags=re.IGNORECASE)
    capitals = [word[0] for word in re.findall(r"[^\W\d_]+", bare) if word[0].isupper()]
    acronym = ["".join(capitals)] if len(capitals) > 2 else []
    pieces = [piece.strip() for piece in re.split(r"\s*[,|–—]\s*|\s+-\s+", bare)]
    for name in (whole, short, outside, bare, *inside, *pieces[:1], *acronym):
        if len(name) > 1:
            yield name


def _without(text: str, name: str) -> str:
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", name)))
    words = re.sub("['’]", "['’]", words)
    # "IT" is an acronym and "it" a word; "MERCY HOSPITAL" is only written large.
    flags = re.NOFLAG if name.isupper() and " " not in name else re.IGNORECASE
    there = rf"(?<!\w){_THE}{words}(?:['’]s)?(?:,?\s+{_LEGAL}\b\.?)?(?!\w)"
    text = re.sub(rf"{_JOINED}{there}\s*[)\]]?", " ", text, flags=flags)
    return re.sub(rf"{there}(?:\s*[,;:|/·•–—]\s*|\s+-\s+)?", " ", text, flags=flags)


def _tidy(text: str) -> str:
    text = re.sub(r"\(\s*\)|\[\s*\]", " ", text)
    text = re.sub(r"\s+(?=[,;)])|([,;|])(?:\s*[,;|])+", r"\1", " ".join(text.split()))
    return text.strip(" ,;|:/–—-@·•")


def employers_of(cells: Sequence[str]) -> list[str]:
    """Return the names among these cells; what says that there is no employer isn't one."""
    return [cell for cell in cells if cell and not _NO_EMPLOYER.fullmatch(cell.strip())]

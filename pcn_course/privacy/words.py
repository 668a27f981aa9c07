"""The word lists of the checker, which ``words.txt`` holds, and the form in which they hold words."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_CLOSING = re.compile(r"(?:'(?:s|m|d|ve|re|ll)?|n't)$")
_HEAD = re.compile(r"^\[([a-z-]+)\].*\n", re.MULTILINE)


def plain(word: str) -> str:
    """Return a word as the lists have it: lower case, no accents, no ``'s``, ``'m`` or ``n't``."""
    bare = unicodedata.normalize("NFKD", word.translate(_APOSTROPHES))
    bare = "".join(one for one in bare if not unicodedata.combining(one)).lower()
    return _CLOSING.sub("", bare)


def _read() -> dict[str, frozenset[str]]:
    content = Path(__file__).with_name("words.txt").read_text(encoding="utf-8")
    _, *parts = _HEAD.split(content)
    return {
        name: frozenset(
            " ".join(word.split()) for word in (body.split(",") if "," in body else body.split())
        )
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


WORDS = _read()
GIVEN = WORDS["given"]
DOUBLE = WORDS["double"]
STATES = WORDS["states"]
CITIES = WORDS["cities"]
PEOPLES = WORDS["peoples"]
COMMON = WORDS["common"]
STARTERS = WORDS["starters"]
TITLES = WORDS["titles"]
ROLES = WORDS["roles"]
NO_PERSON = WORDS["no-person"]
STATE_CODES = frozenset(code.upper() for code in WORDS["state-codes"])

ABSTRACT = (
    "tion", "tions", "ment", "ments", "ness", "ity", "ities", "ing", "ology", "ship", "ism", "ance",
    "ence", "ological", "ional", "ioral", "ative", "ical", "based", "focused", "informed", "ized",
)  # fmt: skip
"""Endings of the words that methods, laws and agencies are named with."""

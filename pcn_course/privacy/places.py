"""Places smaller than a state, by their names; states, countries and national bodies are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Finding
from pcn_course.privacy.words import (
    ABSTRACT,
    CITIES,
    COMMON,
    DOUBLE,
    GIVEN,
    PEOPLES,
    STARTERS,
    STATE_CODES,
    STATES,
    TITLES,
    plain,
)

_CAP = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,24}"
_STATE = "|".join([*(re.escape(one.title()) for one in sorted(STATES)), *sorted(STATE_CODES)])
_CITY = re.compile(
    rf"(?<![\w’'-])(?:{'|'.join(re.escape(one) for one in sorted(CITIES, key=len, reverse=True))})(?![\w-])",
    re.IGNORECASE,
)
_NAMED = (
    re.compile(rf"(?<![\w’'-])(?P<name>(?:{_CAP}\s){{0,2}}{_CAP}),\s?(?:{_STATE})\b"),
    re.compile(
        rf"\b(?:in|from|of|near|around|outside|to|toward|across|visiting|leaving|on|(?:by|along|off) the)\s"
        rf"(?P<name>(?:{_CAP}\s){{0,2}}{_CAP})(?=\W|$)"
    ),
    re.compile(rf"\b(?:county|town|village|city|hamlet) of (?P<name>(?:{_CAP}\s)?{_CAP})"),
)
_HEADED = re.compile(
    rf"(?<![\w’'-])(?P<name>(?:{_CAP}\s){{1,4}})"
    r"(?:(?:[Cc]ount(?:y|ies)|Parish|Township|Borough|Village|Reservation|Rancheria|Heights|Neighborhood|Precinct|"
    r"Valley|Island|Creek|Ridge|Mesa|Beach|Springs|Falls|Hills|Elementary|High|Middle|"
    r"[Ss]chool|[Hh]ospital|[Cc]linic|[Cc]hurch|[Ss]helter|[Hh]ome|[Cc]enter|[Aa]partments|[Jj]ail|[Pp]rison|"
    r"Facility|Courthouse|[Ll]ibrary|Academy|Manor|[Mm]osque|Temple|Synagogue|Park|Motel|[Tt]railer [Pp]ark)\b\s?)+"
)
_OTHERS = (
    re.compile(r"\bSt\.?\s[A-Z][a-z]{2,14}(?:[’']s\b)?"),
    re.compile(
        rf"(?<![\w-])(?:\d{{1,6}}\s(?:[NSEW]\.?\s)?(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,3}}|"
        rf"\d{{1,3}}(?:st|nd|rd|th)\s|(?!Dr\b){_CAP}\s)"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Highway|Hwy|Way|Place|Terrace|Trail|Circle)\b\.?"
        r"(?:,?\s(?:Apt|Apartment|Unit|Suite)\.?\s?#?\w{1,6})?"
    ),
    re.compile(r"\b(?:(?:County |State |Farm )?(?:Route|Highway|Hwy|Interstate|County Road)|FM|I-)\s?\d{1,4}\b"),
    re.compile(
        rf"\b(?:zip(?:\s?codes?)?(?: is| of)?:?|in|near|to|around|at|from|{'|'.join(sorted(STATE_CODES))})\s(?:the\s)?"
        r"\d{5}(?:-\d{4})?\b(?![,.]\d)(?!\s(?:people|families|children|clients|members|dollars|residents|students|hours))",
        re.IGNORECASE,
    ),
)  # fmt: skip
_NO_PLACE = (
    COMMON | PEOPLES | STARTERS | TITLES | {"general", "local", "new", "rural", "urban", "i", "mid"}
)


def places(text: str) -> Iterator[Finding]:
    """Yield places by their names: cities, counties, streets, schools, agencies."""
    for match in _CITY.finditer(text):
        if match.group()[0].isupper() or match.group().count(" "):
            yield Finding("place", *match.span())
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            if _own(match["name"]):
                yield Finding(
                    "place", match.start("name"), match.end() - match.group().endswith(".")
                )
    for match in _HEADED.finditer(text):
        # Words before the name are none of it: “At Our Travis County”.
        for word in re.finditer(r"\S+", match["name"]):
            if plain(word.group().strip(".,")) not in _NO_PLACE | STATES:
                start = match.start() + word.start()
                yield Finding("place", start, match.start() + len(match.group().rstrip()))
                break
    for pattern in _OTHERS:
        for match in pattern.finditer(text):
            if plain(match.group().split()[0]) not in _NO_PLACE:
                yield Finding("place", *match.span())


def _own(name: str) -> bool:
    """Return True if these could be a place's own name, and no state, people, person or tool."""
    words = [plain(word.strip(".")) for word in name.split()]
    if " ".join(words) in STATES or words[0] in GIVEN - DOUBLE or name.isupper():
        return False
    return not any(word in _NO_PLACE or word.endswith(ABSTRACT) for word in words)

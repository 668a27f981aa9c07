"""Places smaller than a state, and places so small that everybody knows everybody.

States, countries and national bodies are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Draft, Finding
from pcn_course.privacy.words import (
    ABSTRACT,
    CITIES,
    COMMON,
    DOUBLE_CITIES,
    GIVEN,
    PEOPLES,
    STARTERS,
    STATE_CODES,
    STATES,
    plain,
    words_of,
)

_CAP = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,24}"
_GENERIC = words_of("""
a an the any each every our your my their this that which what rural urban small neighboring local
public private high middle elementary primary secondary sunday state county city national federal
family juvenile community general children's childrens regional social work school day night senior
youth recovery charter catholic christian american old new is in at for from of and or to near does
do has
""")
_NEAR = r"\b(?:in|from|of|near|around|outside|to|at|toward|towards|between|across|through|visit|visiting|leaving)"


def _either(words: frozenset[str]) -> str:
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(re.escape(word) for word in ordered)


_CITY = re.compile(rf"(?<![\w’'-])(?:{_either(CITIES)})(?![\w-])", re.IGNORECASE)
_DOUBLE_CITY = re.compile(rf"{_NEAR}\s((?i:{_either(DOUBLE_CITIES)}))(?![\w’'-])(?!\s[A-Z])")
_STATE_NAMES = "|".join(re.escape(state.title()) for state in sorted(STATES))
_CITY_STATE = re.compile(
    rf"(?<![\w’'-])((?:{_CAP}\s){{0,2}}{_CAP}),\s?(?:{_STATE_NAMES}|{'|'.join(sorted(STATE_CODES))})\b"
)
_BY_ENDING = re.compile(
    rf"{_NEAR}\s((?:{_CAP}\s)?[A-Z][a-z]{{2,14}}(?:ville|burg|town|boro|borough|port|dale|mouth|"
    r"shire|field|ford|ton|wood))\b(?!\s[A-Z])"
)
_LIVES = re.compile(
    r"\b(?:lives?|living|lived|grew up|moved|moving|relocated|born|raised|based|housed|stays?|staying|"
    r"(?:parent|client|youth|family|man|woman|mother|father|boy|girl|teen|veteran|couple|child|caregiver) )"
    rf"\s?(?:in|to|from|near|outside)\s((?:{_CAP}\s){{0,2}}{_CAP})"
)
# After “in” an unknown word with a capital is a place more often than anything else.
_UNKNOWN = re.compile(
    rf"\b(?:in|near|outside|around|from|(?:by|along|near|across|off) the)\s((?:{_CAP}\s)?[A-Z][a-zà-ÿ’'-]{{1,20}})\b(?!\s[A-Z]|,\s(?:{_STATE_NAMES}))"
)
_COUNTY = re.compile(
    rf"(?<![\w’'-])((?:{_CAP}\s){{1,3}})(?:County|Parish|Township|Borough|Village|Reservation|Pueblo|Rancheria|Heights|"
    r"Neighborhood|Precinct|Valley|Island|Creek|Basin|Ridge|Delta|Mesa|Beach|Springs|Hollow|Falls|Hills)\b"
)
_SMALL_FACILITY = re.compile(
    rf"\b(?:[Tt]he|[Aa]t|[Ii]n)\s((?:{_CAP}\s){{1,2}})(?:trailer park|shelter|apartments|jail|prison|clinic|projects|"
    r"(?:high |middle |elementary )?school|church|mosque|hospital|nursing home|neighborhood|motel|mine|plant|casino)\b"
)
_SAINT = re.compile(r"\bSt\.?\s[A-Z][a-z]{2,14}[’'](?:s\b)?")
_COUNTIES = re.compile(rf"(?<![\w’'-])((?:{_CAP},?\s){{1,3}}and\s{_CAP})\scounties\b")
_COUNTY_OF = re.compile(
    rf"\b(?:[Cc]ounty|[Tt]own|[Vv]illage|[Cc]ity|[Hh]amlet) of ((?:{_CAP}\s)?{_CAP})"
)
_FACILITY = re.compile(
    rf"(?<![\w’'-])((?:{_CAP}\s){{1,4}})(?:Elementary|Middle|High|Junior High|Primary|Medical|Nursing|Rehabilitation|"
    r"Treatment|Detention|Correctional|Community|Senior|Mobile Home|Family)?\s?"
    r"(?:Schools?|Hospital|Clinic|Church|Shelter|Home|Center|Apartments|Jail|Prison|Facility|Courthouse|"
    r"Library|Academy|Manor|Mosque|Temple|Synagogue|Park|Projects|Elementary|Motel|High|Middle|Junior High)\b"
)
_STREETS = "Street|St|Road|Rd|Avenue|Ave|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Highway|Hwy|Way|Place|Terrace|Trail|Circle"
_STREET = re.compile(
    rf"(?<![\w-])(?:\d{{1,6}}\s(?:[NSEW]\.?\s)?(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,3}}|"
    rf"(?:\d{{1,3}}(?:st|nd|rd|th)|{_CAP})\s)(?:{_STREETS})\b\.?"
    r"(?:,?\s(?:Apt|Apartment|Unit|Suite)\.?\s?#?\w{1,6})?"
)
_ROUTE = re.compile(
    r"\b(?:(?:County |State |Farm )?(?:Route|Highway|Hwy|Interstate|County Road)|FM|I-)\s?\d{1,4}\b"
)
_ZIP = re.compile(
    r"\b(?:zip(?:\s?codes?)?(?: is| of)?:?\s|(?:in|near|to|around|at|from)\s(?:the\s)?)(\d{5})(?:-\d{4})?\b(?![,.]\d)"
    rf"(?!\s(?:people|families|children|clients|members|dollars|residents|students|hours))|"
    rf"\b(?:{'|'.join(sorted(STATE_CODES))})\s(\d{{5}})\b",
    re.IGNORECASE,
)

_SPOT = r"(?:town|village|hamlet|island|valley|county|community|settlement|pueblo|reservation|area|region|parish|school|congregation|church|tribe)"
_FEW = r"(\d{1,3}(?:,\d{3})?|\d{4,5}|(?:a |several |a few )?(?:dozen|hundred)|(?:one|two|three|four|five|six|seven|eight|nine) hundred|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_POPULATION = (
    re.compile(
        rf"\b{_SPOT}\s(?:\w{{1,12}}\s)?(?:of|with)\s(?:about\s|only\s|just\s|some\s|under\s|maybe\s|perhaps\s|roughly\s|barely\s|like\s|fewer than\s|around\s)?{_FEW}"
        r"(?:\s(?:people|residents|inhabitants|souls|families|households))?\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bpop(?:ulation|\.)?:?\s?(?:of\s|is\s|about\s){{0,2}}{_FEW}\b", re.IGNORECASE),
    re.compile(
        rf"\b{_SPOT}\s(?:has|had|counts)\s(?:about\s|only\s|just\s|some\s|fewer than\s){{0,2}}{_FEW}\s"
        r"(?:people|residents|inhabitants|souls|households)\b",
        re.IGNORECASE,
    ),
)
_MOST_PEOPLE = 20_000
_ONLY = re.compile(
    r"\b(?:only|one|sole|single)\s(?:\w{1,16}\s){0,2}"
    r"(?:clinics?|schools?|hospital|shelter|church|doctor|pediatrician|provider|agency|therapist|counselor|psychiatrist|"
    r"social worker|worker|caseworker|store|pharmacy|library|daycare|nursing home|mosque|synagogue|dentist|"
    r"nurse|stoplight|food pantry)\s(?:(?:around |out |up |down )?here|between|this side of|(?:within |in |on |for |of )(?:the |our |this |my |a )?(?:\w{1,14}\s)?"
    r"(?:town|village|hamlet|island|valley|county|area|reservation|region|parish|[\w-]{1,10} (?:miles|hours)))(?!\w)",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"\b(?:every(?:body|one) (?:here )?knows every(?:body|one)|(?:tiny|remote|very small) "
    r"(?:\w{1,14}\s)?(?:town|island|village|hamlet|community|settlement|county)|"
    r"every(?:body|one) (?:here )?knows (?:me|my|your|who)|one[- ](?:stoplight|stop-light|room|store) \w{1,12}|"
    r"\d{1,3} (?:kids|students|children|pupils) in the (?:whole |entire )(?:school|district|grade|town)|"
    r"(?:one|a single) (?:gas station|stoplight|traffic light|diner|grocery(?: store)?|paved road)|"
    r"(?:graduating )?class of (?:\d|1\d)\b|(?:two|three|four|five|\d{1,4}) hundred people|"
    r"\d{1,2},?\d{1,3} (?:people|residents)(?: who)?(?: live)? in (?:our|my|this|the|her|his) (?:whole |entire )?(?:town|county|village|valley|area)|"
    r"on (?:the|our|her|his|their) (?:rez|reservation)|"
    r"(?:our|my|this|her|his|their) (?:hamlet|village|island|one-street town|small town))\b",
    re.IGNORECASE,
)


def places(draft: Draft) -> Iterator[Finding]:
    """Places by their names, and small places by how they are described."""
    text = draft.text
    for found in _CITY.finditer(text):
        if found.group()[0].isupper() or found.group().count(" "):
            yield Finding("place", *found.span())
    for pattern in (_DOUBLE_CITY, _BY_ENDING, _LIVES, _UNKNOWN):
        for found in pattern.finditer(text):
            if found[1][0].isupper() and _own(found[1]):
                yield Finding("place", found.start(1), found.end(1))
    for found in _CITY_STATE.finditer(text):
        if _own(found[1]):
            yield Finding("place", *found.span())
    for pattern in (_COUNTY, _FACILITY, _SMALL_FACILITY):
        yield from _headed(pattern, text)
    yield from (Finding("place", *found.span()) for found in _SAINT.finditer(text))
    yield from (Finding("place", *found.span()) for found in _COUNTIES.finditer(text))
    for found in _COUNTY_OF.finditer(text):
        if _own(found[1]):
            yield Finding("place", *found.span())
    for found in _STREET.finditer(text):
        if plain(found.group().split()[0]) not in _GENERIC | STARTERS | COMMON | {"dr"}:
            yield Finding("place", *found.span())
    yield from (Finding("place", *found.span()) for found in _ROUTE.finditer(text))
    for found in _ZIP.finditer(text):
        yield Finding("place", *found.span(1 if found[1] else 2))
    yield from _small(text)


def _headed(pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    """What ends in “County” or “Hospital”, if a word of its own stands before that."""
    for found in pattern.finditer(text):
        start = found.start(1)
        own = False
        for word in re.finditer(r"\S+", found[1]):
            key = plain(word.group())
            common = key in _GENERIC | STARTERS | COMMON | PEOPLES
            if not own and common and key not in STATES:
                start = found.start(1) + word.end() + 1  # words before the name are none of it
            own = own or (not common and key not in STATES)
        if own:
            yield Finding("place", start, found.end())


def _own(words: str) -> bool:
    """Whether these could be a place's own name, and no state, people, month or tool."""
    parts = [plain(word.strip(".")) for word in words.split()]
    if " ".join(parts) in STATES or not parts:
        return False
    if parts[0] in GIVEN and parts[0] not in DOUBLE_CITIES:
        return False
    if any(
        part.endswith(ABSTRACT) or word.isupper()
        for part, word in zip(parts, words.split(), strict=True)
    ):
        return False
    return not any(part in COMMON | PEOPLES for part in parts) or " ".join(parts) in CITIES


def _small(text: str) -> Iterator[Finding]:
    for pattern in _POPULATION:
        for found in pattern.finditer(text):
            number = found[1].replace(",", "")
            if not number.isdecimal() or int(number) <= _MOST_PEOPLE:
                yield Finding("small-place", *found.span())
    for pattern in (_ONLY, _KNOWN):
        yield from (Finding("small-place", *found.span()) for found in pattern.finditer(text))

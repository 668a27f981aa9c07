"""Names of people, by capitals, by what stands around them, and by a short list of given names.

Authors in a citation are left alone, and so are agencies, methods, tools and places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pcn_course.privacy.draft import Draft, Finding, Word
from pcn_course.privacy.words import (
    ABSTRACT,
    COMMON,
    DOUBLE,
    GIVEN,
    PEOPLES,
    ROLES,
    STARTERS,
    STATES,
    THINKERS,
    TITLES,
    WEAK_TITLES,
    words_of,
)

_PEOPLE_BEFORE = words_of("""
client clients patient named called nicknamed mother father mom dad son daughter brother sister aunt
uncle cousin grandmother grandfather grandma grandpa student child boy girl baby teen teenager
infant toddler colleague coworker neighbor husband wife friend roommate resident told asked met meet
saw visited helped ask tell thank thanked co-worker supervisor boss manager director therapist
caseworker teacher intern superintendent landlord stepfather stepmother stepson stepdaughter nephew
niece foster ex girlfriend boyfriend
""")
_WITH = words_of("""
met meet meeting spoke speak talked talk sat sit
""")
# Given names that are words as well when they are written small.
_SMALL_WORDS = words_of("""
mike nick randy peter bonnie jerry kelly terry sherry jimmy bobby jenny josh harry marina
""")
_LOWER_BEFORE = frozenset(
    ["client", "patient", "named", "son", "daughter", "nephew", "niece", "student"]
)
_PEOPLE_AFTER = words_of("""
told said asked lives cried died moved came thinks misses feels says
""")
_KIN = words_of("""
mother father mom dad parents grandmother grandfather grandma grandpa aunt uncle sister brother son
daughter wife husband family child children kids teacher case file caseworker house home apartment
foster boyfriend girlfriend baby partner twins story lease sponsor job mom school landlord
room car phone meds medication diagnosis birthday court hearing lawyer attorney therapist doctor behavior grades
benefits income rent parole probation brothers sisters kids death funeral arrest surgery
""")
_HOUSEHOLD = words_of("""
family twins home house residence brothers sisters siblings children kids household couple boys
girls case
""")
_NO_NAME = COMMON | PEOPLES | frozenset(word for state in STATES for word in state.split())
_CLEAR = GIVEN - DOUBLE
_GIVEN_OR_DOUBLE = GIVEN | DOUBLE
_PLAIN_STARTERS = STARTERS - DOUBLE
_PLURAL = words_of("""
are were have need want live moved got lost keep
""")
# A run that ends in one of these is an office, a place or a thing, not a person.
_NO_PERSON = words_of("""
county parish school schools elementary academy hospital clinic center centre church street avenue
road drive lane creek park act law scale inventory index model theory method foundation institute
association society agency office department university college house shelter home homes press
journal library town city village valley island lake river middle high award prize scholarship
protocol questionnaire test reservation district court court's bay beach heights hills springs
technique program project fund trust team teams group groups news times post review street's care
services
""")
_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.\s?){2,3}(?!\w)")
_WITH_AGE = re.compile(r"[’']?s?(?:,\s|\s\()\d{1,2}[,)]")
_SAID_TO_BE = re.compile(
    r"\b(?:client|man|woman|boy|girl|kid|guy|lady|teen|person|student|patient) (?:named|called) ([^\W\d_]{2,20})\b"
)
_NO_INITIALS = frozenset({"U.S.", "U.K.", "D.C.", "U.S.A.", "E.U.", "U.N.", "P.M.", "A.M.", "P.S."})
_BARE_INITIALS = re.compile(
    r"\b(?:[Cc]lient|[Pp]atient|[Mm]y (?:student|foster child))(?:,|\s)\s?([A-Z]{2,3})\b(?!\s(?:number|no\b|#|\d))"
)
_NO_BARE_INITIALS = words_of("""
ID IDS PT OT CPS DHS SSI DV ER IT VA HR PTSD ADHD IEP SUD MI OCD EHR CMS
""")
_AUTHOR = re.compile(
    r",\s(?:[A-Z]\.[\s-]?){1,3}(?:,|&|\(|and\b)"
)  # “Howard, M., &” in a list of references
_YEAR = re.compile(r",?\s?\(?(?:1[89]|20)\d\d[a-z]?\b|,?\s?\((?:n\.d\.|in press)\)")
_WROTE = re.compile(
    r"\b(?:articles?|books?|papers?|podcasts?|talks?|poems?|essays?|memoirs?|novels?|chapters?|videos?|stud(?:y|ies)|"
    r"works?|reading|read|films?|theory|model) (?:by|of|from) (?:\w{1,12} )?$|\breading $"
)
_THOUGHT = words_of("""
work works stages theory model book books article articles research concept idea ideas framework
writing writings scale study studies paper papers talk talks podcast definition notion pedagogy
chapter typology hierarchy
""")
_CITING = words_of("""
and et al & with eds ed van von de der la
""")
_LONGEST_CITATION = 30  # words walked back from a year


def names(draft: Draft) -> Iterator[Finding]:
    """Names, households' names and initials."""
    cited = _cited(draft)
    for found in (*_titled(draft), *_runs(draft), *_lower(draft)):
        if found.start not in cited and not _WROTE.search(
            draft.text, max(found.start - 60, 0), found.start
        ):
            yield found
    for match in _INITIALS.finditer(draft.text):
        if (
            match.group().replace(" ", "") not in _NO_INITIALS
            and draft.sentence(match.start()).person
        ):
            yield Finding("name", match.start(), match.start() + len(match.group().rstrip()))
    for match in _SAID_TO_BE.finditer(draft.text):
        yield Finding("name", *match.span(1))
    for match in _BARE_INITIALS.finditer(draft.text):
        if match[1] not in _NO_BARE_INITIALS:
            yield Finding("name", *match.span(1))


def looks_like_a_name(cell: str) -> tuple[int, int] | None:
    """Where a cell for initials or a role holds what looks like a full name; None if nowhere."""
    draft = Draft(cell)
    words = draft.words
    for run in _capital_runs(draft, upper=True):
        if {word.plain for word in run} & (_NO_PERSON | {"st"}):
            continue
        for part in _parts(run, allow_first=True, outside=ROLES):
            known = any(word.plain in _GIVEN_OR_DOUBLE for word in part)
            shouted = all(word.acronym for word in part)
            short = len(part[0].text) == 1 and len(part[-1].text) > 2  # “J. Ortega”
            long = sum(len(word.text) > 1 for word in part) >= 2
            if (long or short) and (known or not shouted):
                return part[0].start, part[-1].end
        if len(run) == 2 and run[0].plain in _CLEAR and run[1].acronym:
            if run[1].plain not in _NO_NAME | ROLES:
                return run[0].start, run[1].end
    for found in _titled(draft):
        return found.start, found.end
    swapped = re.fullmatch(r"\s*(\w[\w'’-]{1,30}),\s(\w[\w'’-]{1,30})(?: \w\.?)?\s*", cell)
    if (
        swapped
        and len(words) >= 2
        and words[1].plain in GIVEN
        and words[0].plain not in ROLES | COMMON
    ):
        return words[0].start, words[1].end
    if len(words) == 2 and not words[0].capital and words[0].plain in _CLEAR:
        if cell[words[0].end : words[1].start] == " " and words[1].plain not in ROLES | COMMON:
            return words[0].start, words[1].end
    return None


def _like_a_name(word: Word, outside: frozenset[str] = frozenset()) -> bool:
    """Whether a word could be part of a name at all."""
    if not word.capital or (word.acronym and len(word.text) > 2 and word.plain not in GIVEN):
        return False
    if word.plain in GIVEN:
        return word.plain not in outside
    if word.plain in DOUBLE and word.plain not in outside:
        return True
    if word.plain in _NO_NAME or word.plain in outside or word.plain.split("-")[-1] in _KIN:
        return False
    return not (len(word.plain) > 5 and word.plain.endswith(ABSTRACT))


def _capital_runs(draft: Draft, *, upper: bool = False) -> Iterator[list[Word]]:
    """Words with capitals that follow each other, with initials between them."""
    run: list[Word] = []
    for word in draft.words:
        gap = draft.text[run[-1].end : word.start] if run else ""
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
    """The parts of a run that could be names."""
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


def _runs(draft: Draft) -> Iterator[Finding]:
    after = {one.start: nxt for one, nxt in zip(draft.words, draft.words[1:], strict=False)}
    before = {nxt.start: one for one, nxt in zip(draft.words, draft.words[1:], strict=False)}
    for run in _capital_runs(draft):
        if run[-1].plain in _NO_PERSON or any(word.plain in _NO_PERSON for word in run[1:]):
            continue
        for part in _parts(run):
            behind = after.get(part[-1].start)
            if (
                behind
                and behind.plain in _THOUGHT
                and part[-1].text.endswith(("'s", "’s", "s'", "s’"))
            ):
                continue
            if " ".join(word.plain for word in part) in THINKERS:
                continue
            whole = len([word for word in part if len(word.text) > 1]) >= 2
            if (whole and _sure(part, run)) or _known(part) or _meant(draft, part, before, after):
                yield Finding("name", part[0].start, part[-1].end)


def _sure(part: Sequence[Word], run: Sequence[Word]) -> bool:
    """Whether two words or more are a name: a known given name, or no word that says otherwise."""
    if any(word.plain in GIVEN for word in part):
        return True
    return len(part) == len(run) or run[0].first or run[0].plain in TITLES


def _known(part: Sequence[Word]) -> bool:
    return any(word.plain in _CLEAR and len(word.text) > 2 for word in part)


def _meant(
    draft: Draft, part: Sequence[Word], before: dict[int, Word], after: dict[int, Word]
) -> bool:
    """Whether what stands around one word says that it is somebody's name."""
    word = part[-1]
    ahead = before.get(part[0].start)
    if ahead and ahead.plain == "the" and len(word.plain) > 3 and word.text.endswith("s"):
        following = after.get(word.start)
        if following and following.plain in _PLURAL and _beside(draft, word, following):
            return True
    behind = after.get(word.start)
    owns = word.text.endswith(("'s", "’s", "s'", "s’"))
    if behind and _beside(draft, word, behind):
        if owns and behind.plain in _KIN:
            return word.plain not in STARTERS
        if behind.plain in _HOUSEHOLD and ahead and ahead.plain in {"the", "this", "that"}:
            return behind.text.islower()
        if behind.plain in _PEOPLE_AFTER and not (word.first and word.plain in _PLAIN_STARTERS):
            return word.plain not in COMMON
    if _WITH_AGE.match(draft.text, word.end) and word.plain not in STARTERS:
        return True
    if ahead is None or word.first or ahead.end + 2 < part[0].start:
        return False
    if draft.text[ahead.end : part[0].start].strip(" ,"):
        return False
    if ahead.plain in _PEOPLE_BEFORE and (ahead.first or not ahead.capital):
        return True
    earlier = before.get(ahead.start)
    return ahead.plain == "with" and earlier is not None and earlier.plain in _WITH


def _beside(draft: Draft, one: Word, other: Word) -> bool:
    return draft.text[one.end : other.start] in {" ", "\u00a0"}


def _titled(draft: Draft) -> Iterator[Finding]:
    """Names behind a title: “Ms. Lund”, “Judge Maria Ortiz”."""
    words = draft.words
    for at, word in enumerate(words[:-1]):
        if word.plain not in TITLES or not word.capital:
            continue
        if draft.text[word.end : words[at + 1].start] not in {" ", ". ", ".", "\u00a0", ".\u00a0"}:
            continue
        last = at
        while last + 1 < len(words) and last < at + 4:
            nxt = words[last + 1]
            gap = draft.text[words[last].end : nxt.start]
            joined = (
                last == at or gap in {" ", "\u00a0"} or (gap == ". " and len(words[last].text) == 1)
            )
            if not joined or not _like_a_name(nxt, _NO_PERSON):
                break
            last += 1
        weak = word.plain in WEAK_TITLES and not any(
            one.plain in GIVEN for one in words[at + 1 : last + 1]
        )
        if last > at and not (
            weak and word.first and last == at + 1 and words[last].plain in STARTERS
        ):
            yield Finding("name", word.start, words[last].end)


def _lower(draft: Draft) -> Iterator[Finding]:
    """Given names without a capital, where a word in front of them says that they are names."""
    for one, nxt in zip(draft.words, draft.words[1:], strict=False):
        if nxt.capital or nxt.plain not in _CLEAR:
            continue
        if one.plain not in _LOWER_BEFORE and (len(nxt.plain) < 5 or nxt.plain in _SMALL_WORDS):
            continue
        if draft.text[one.end : nxt.start] in {" ", ", "}:
            yield Finding("name", nxt.start, nxt.end)


def _cited(draft: Draft) -> frozenset[int]:
    """Where words stand that are authors before a year: “Sage and Smyth (2018)”."""
    words = draft.words
    cited: set[int] = set()
    for at, word in enumerate(words):
        if _AUTHOR.match(draft.text, word.end):
            cited.add(word.start)
        if not _YEAR.match(draft.text, word.end) and not (
            word.plain == "al" and _YEAR.match(draft.text, word.end + 1)
        ):
            continue
        for back in range(at, max(at - _LONGEST_CITATION, -1), -1):
            one = words[back]
            if back < at:
                gap = draft.text[one.end : words[back + 1].start]
                if gap.strip(" .,&\u00a0"):
                    break
            if one.plain not in _CITING and (not one.capital or one.plain in _PLAIN_STARTERS):
                break
            cited.add(one.start)
    return frozenset(cited)

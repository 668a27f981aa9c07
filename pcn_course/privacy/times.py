"""Dates of what happened to somebody, and ages over 89.

A day and a month point to an event; a year alone doesn't. A month, a weekday or a holiday counts
only where the sentence is about a person and says that something happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Draft, Finding

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\b\.?|Feb\b\.?|Mar\b\.?|Apr\b\.?|Jun\b\.?|Jul\b\.?|Aug\b\.?|Sept?\b\.?|Oct\b\.?|Nov\b\.?|Dec\b\.?"
)
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_YEAR = r"(?:,?\s(?:19|20)\d\d\b)?"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\b(?:(?:{_MONTHS})\s(?:the\s)?{_NTH}\b(?![:%]|\d|\s?(?:people|percent|a\.?m|p\.?m)){_YEAR}|"
    rf"(?:the\s)?{_NTH}\s(?:of\s)?(?:{_MONTHS})\b{_YEAR})"
)
_LOWER_DATE = re.compile(
    rf"\b(?:on|since|until|before|after|by)\s((?:{_MONTHS})\s{_NTH}\b(?![:%]|\d){_YEAR})",
    re.IGNORECASE,
)
_NUMERIC = re.compile(
    r"(?<![\w/.-])(?:(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])|"
    r"(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:19|20)\d\d|\d\d))(?![\w/-]|\.\d)"
)
# Without a year or a month: dates only where somebody is concerned.
_SHORT = re.compile(
    r"(?<![\w/.$-])(?!9/11|1/[2348]\b|2/3\b|3/4\b)(?:0?[1-9]|1[0-2])/(?:[12]\d|3[01]|0?[1-9])(?![\w/%]|\.\d|\sof\b)|"
    r"\b(?:on|since|until|by) the \d{1,2}(?:st|nd|rd|th)\b(?!\s(?:floor|grade|street|time|day|visit|of|session|page|step))"
)
_BORN = re.compile(
    r"\b(?:dob|d\.o\.b\.|date of birth|birthday|birthdate)\b[\s:]{0,3}(?:is\s|was\s|on\s){0,2}"
    r"(\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?)",
    re.IGNORECASE,
)
_MONTH = re.compile(
    rf"\b(?:in|last|since|this|early|late|mid|of|until|during|before|after|by)[\s-](?:(?:early|late|mid)[\s-])?"
    rf"((?:{_MONTHS}){_YEAR})(?!\w)|\b((?:{_MONTHS}),?\s(?:19|20)\d\d)\b"
)
_DAY = re.compile(
    rf"\b(?:(?<!every )(?<!each )(?<!\ba )(?<!\bA )(?<!our )(?<!next )(?<!\bby )(?<!until )(?<!any )(?:(?:[Ll]ast|[Tt]his|[Oo]n|[Tt]his past)\s)?(?:{_DAYS})\b(?!s)|[Yy]esterday\b|[Ll]ast night\b|[Tt]he day before "
    r"yesterday\b|(?:[Oo]n |[Ll]ast |[Tt]his |[Aa]t |[Oo]ver )?(?:Christmas|Thanksgiving|Easter|Halloween|"
    r"Mother’s Day|Mother's Day|Father’s Day|Father's Day|New Year’s|New Year's|Independence Day|Labor Day|Memorial Day|"
    r"Valentine’s Day|Valentine's Day|Fourth of July)(?:\s(?:Eve|Day|morning|night))?\b)"
)

_OLD = r"(?:9\d|1[01]\d)"
_NINETY = r"(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|a hundred(?: and (?:one|two|three))?)"
_AGE = re.compile(
    rf"(?<![\w.,$])(?:(?:{_OLD}|{_NINETY})[\s-]?(?:years?|yrs?|y)[\s./-]{{0,2}}(?:old\b|o\b|of age\b)(?:\s\w{{1,14}})?|"
    rf"(?:aged?|age of|turned|turns|turning)\s(?:{_OLD}|{_NINETY})(?![\w%]|[.,]\d|\s(?:people|percent|clients))|"
    rf"(?:he|she|who|mother|father|mom|dad|grandmother|grandfather|grandma|grandpa|nana|aunt|uncle|wife|husband|neighbor|man|woman|client|patient|veteran|sister|brother)(?:\s(?:is|was|will be|just became)|[’']s)\s"
    rf"(?:now\s|already\s|almost\s)?(?:{_OLD}|{_NINETY})(?![\w%]|[.,]\d|\s(?!and|but|or|who|in|this|next)\w)|"
    r"(?:in\s)?(?:his|her|their|my|the|early|late)\s(?:early\s|late\s|mid-?\s?)?(?:nineties|90s|90’s|90's)(?!\w)|"
    r"(?:centenarian|nonagenarian)s?\b|born\s(?:in\s|back in\s)?19(?:[0-2]\d|3[0-5])\b)",
    re.IGNORECASE,
)
_AGE_BETWEEN = re.compile(rf"(?<=\w)(?:,\s|\s\()({_OLD})(?=[,)]|\s(?:and|but|or|with|who)\b)")
_RANGE = re.compile(r"\d\s?(?:and|to|[-–])\s?$")
_ERA = re.compile(r"\b(?:in\s)?the\s(?:early\s|late\s|mid-?\s?)?(?:nineties|90)", re.IGNORECASE)


def times(draft: Draft) -> Iterator[Finding]:
    """Dates and high ages."""
    yield from _dates(draft)
    for found in _AGE.finditer(draft.text):
        ahead = draft.text[max(found.start() - 20, 0) : found.start()]
        if not _ERA.match(found.group()) and not _RANGE.search(ahead):  # a decade, or of a group
            yield Finding("age", *found.span())
    for found in _AGE_BETWEEN.finditer(draft.text):
        near = draft.text[max(found.start() - 40, 0) : found.start()]
        if re.search(
            r"\b(?:woman|man|client|patient|veteran|resident|widow|widower)$|[A-Z]\w{1,20}\s[A-Z]\w{1,20}$|"
            r"\b(?:mother|father|grandmother|grandfather|aunt|uncle|elder)$",
            near,
        ):
            yield Finding("age", *found.span(1))


def _dates(draft: Draft) -> Iterator[Finding]:
    text = draft.text
    yield from (Finding("date", *found.span()) for found in _BORN.finditer(text))
    for pattern in (_DATE, _LOWER_DATE, _NUMERIC):
        for found in pattern.finditer(text):
            span = found.span(1) if pattern is _LOWER_DATE else found.span()
            sentence = draft.sentence(span[0])
            if sentence.person or (sentence.event and not sentence.plan):
                yield Finding("date", *span)
    for found in _SHORT.finditer(text):
        sentence = draft.sentence(found.start())
        if sentence.person and not sentence.plan:
            yield Finding("date", *found.span())
    for pattern in (_MONTH, _DAY):
        for found in pattern.finditer(text):
            sentence = draft.sentence(found.start())
            if sentence.person and sentence.event:
                yield Finding("date", *found.span())

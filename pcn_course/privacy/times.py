"""Dates, and ages over 89."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Finding

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\b\.?|Feb\b\.?|Mar\b\.?|Apr\b\.?|Jun\b\.?|Jul\b\.?|Aug\b\.?|Sept?\b\.?|Oct\b\.?|Nov\b\.?|Dec\b\.?"
)
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_HOLIDAYS = (
    "Christmas|Thanksgiving|Easter|Halloween|Mother[’']s Day|Father[’']s Day|New Year[’']s|Independence Day|"
    "Labor Day|Memorial Day|Valentine[’']s Day|Fourth of July"
)
_YEAR = r"(?:,?\s(?:19|20)\d\d\b)?"
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_NUMERIC = re.compile(
    r"(?<![\w/.-])(?:(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])|"
    r"(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:19|20)\d\d|\d\d))(?![\w/-]|\.\d)"
)
_DATES = (
    _NUMERIC,
    re.compile(
        rf"\b(?:(?:{_MONTHS})\s(?:the\s)?{_NTH}\b(?![:%]|\d|\s?(?:people|percent|a\.?m|p\.?m)){_YEAR}|"
        rf"(?:the\s)?{_NTH}\s(?:of\s)?(?:{_MONTHS})\b{_YEAR})"
    ),
    re.compile(
        r"(?<![\w/.$-])(?!9/11|1/[2348]\b|2/3\b|3/4\b)(?:0?[1-9]|1[0-2])/(?:[12]\d|3[01]|0?[1-9])(?![\w/%]|\.\d|\sof\b)|"
        r"\b(?:on|since|until|by) the \d{1,2}(?:st|nd|rd|th)\b(?!\s(?:floor|grade|street|time|day|visit|of|session|page|step))"
    ),
    re.compile(
        rf"\b(?:in|last|since|this|early|late|mid|of|until|during|before|after|by)[\s-](?:(?:early|late|mid)[\s-])?"
        rf"(?:{_MONTHS}){_YEAR}(?!\w)|\b(?:{_MONTHS}),?\s(?:19|20)\d\d\b"
    ),
    re.compile(
        rf"\b(?:(?<!every )(?<!each )(?<!next )(?:(?:[Ll]ast|[Tt]his|[Oo]n|[Tt]his past)\s)?(?:{_DAYS})\b(?!s)|"
        rf"[Yy]esterday\b|[Ll]ast night\b|(?:{_HOLIDAYS})(?:\s(?:Eve|Day|morning|night))?\b)"
    ),
)

_OLD = r"(?:9\d|1[01]\d)"
_NINETY = r"(?:ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|a hundred(?: and (?:one|two|three))?)"
_WHO = (
    "he|she|who|mother|father|mom|dad|grandmother|grandfather|grandma|grandpa|nana|aunt|uncle|wife|husband|"
    "neighbor|man|woman|client|patient|veteran|resident|widow|widower|elder|sister|brother"
)
_AGES = (
    re.compile(
        rf"(?<![\w.,$])(?:(?:{_OLD}|{_NINETY})[\s-]?(?:years?|yrs?|y)[\s./-]{{0,2}}(?:olds?\b|o\b|of age\b)|"
        rf"(?:aged?|age of|turned|turns|turning)\s(?:{_OLD}|{_NINETY})(?![\w%]|[.,]\d|\s(?:people|percent|clients))|"
        rf"(?:{_WHO})(?:\s(?:is|was|will be|just became)|[’']s)\s(?:now\s|already\s|almost\s)?(?:{_OLD}|{_NINETY})"
        r"(?![\w%]|[.,]\d|\s(?!and|but|or|who|in|this|next)\w)|"
        r"(?:in\s)?(?:his|her|their|my|early|late)\s(?:early\s|late\s|mid-?\s?)?(?:nineties|90[’']?s)(?!\w)|"
        r"(?:centenarian|nonagenarian)s?\b|born\s(?:in\s|back in\s)?19(?:[0-2]\d|3[0-5])\b)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:\b(?:{_WHO})|[A-Z]\w{{0,20}}\.?\s[A-Z]\w{{1,20}})(?:,\s|\s\()(?P<age>{_OLD})(?=[,)]|\s(?:and|but|or|with|who)\b)"
    ),
)
_RANGE = re.compile(r"\d\s?(?:and|to|[-–])\s?$")


def dates(text: str) -> Iterator[Finding]:
    """Yield dates, months, weekdays and holidays; a year alone is none."""
    for pattern in _DATES:
        yield from (Finding("date", *match.span()) for match in pattern.finditer(text))


def ages(text: str) -> Iterator[Finding]:
    """Yield ages over 89, which the Safe Harbor counts as identifying, and no range of ages."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            if not _RANGE.search(text, max(match.start() - 20, 0), match.start()):
                yield Finding("age", *match.span("age" if "age" in pattern.groupindex else 0))

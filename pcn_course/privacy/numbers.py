"""Numbers, codes and addresses that belong to one person, by their shape or by what names them.

Telephone numbers are judged by `phonenumbers`, IP addresses by `ipaddress`. All patterns have
bounded repeats, so a text of any kind takes a time in proportion to its length.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from pcn_course.privacy.draft import Finding

# After what a number is of: "number is", ", no.", "ending in".
_FILL = (
    r"(?:[\s,:#(]{0,3}\b(?:is|was|are|were|no|num|number|numbers|ends|ending|in|reads|as|the|last|four|of|on|file|"
    r"his|her|their|with|digits|code|id)\b\.?){0,6}[\s,:#(-]{0,4}"
)
# A number or code: parts of letters and digits, the first with a digit or short and in capitals.
_CODE = (
    r"((?-i:[A-Z]{1,5}[ -])?(?=[A-Za-z-]{0,8}\d)[A-Za-z0-9][A-Za-z0-9-]{0,29}"
    r"(?: (?=[A-Z-]{0,6}\d)[A-Z0-9-]{1,20}){0,4})"
)
_OF = r"(?:\s{0,2}(?:number|no\b\.?|num\b\.?|#|id\b|code))"

_LABELS: dict[str, str] = {
    "ssn": r"\bss ?#|\bssn\b|\bsosh\b|\b(?:her|his|their|my) social\b(?! \w)|\bsocial security\b(?: card)?(?: (?:number|no\.?|#))?",
    "record": rf"\bmrn\b|\bmr ?#|\b(?:medical |health |patient )record{_OF}|\b(?:patient|chart|hospital){_OF}",
    "plan": (
        rf"\b(?:medicaid|medicare|medi-cal|bcbs|blue cross|aetna|cigna|humana|kaiser|caresource|molina|wellcare|centene|anthem|amerigroup|healthcare|chip|tricare|insurance|health plan|plan|policy|subscriber|member|beneficiary|group)"
        rf"(?: (?:card|member|policy|plan))?{_OF}"
    ),
    "account": (
        rf"\b(?:bank |savings |checking )?(?:account|acct\.?)(?:{_OF})?|\brouting{_OF}|\biban\b|"
        rf"\b(?:ebt|snap|debit|credit|bank|benefits?|wic|gift)\s?card(?:{_OF})?|"
        r"(?<!green )\bcard (?:number|no\.?|ending|ends)|\b(?:ebt|account|acct\.?) (?:ending|ends)"
    ),
    "license": (
        rf"\b(?:driver[’']?s?[’']? |nursing |teaching |social work |marriage |professional )?licen[sc]e(?:{_OF})?|"
        rf"\b(?:birth |death |marriage |adoption )?certificate{_OF}|\bpassport(?:{_OF})?|\bgreen card(?:{_OF})?|"
        rf"\b(?:visa|permit|registration|alien|npi|state id){_OF}|\bnpi\b"
    ),
    "vehicle": (
        rf"\b(?:licen[sc]e|number|registration)\s?plates?(?:{_OF})?|\bplates?{_OF}|\btags?{_OF}|\bvin\b(?:{_OF})?|"
        r"\bplates?\b"
    ),
    "device": (
        rf"\bserial(?:{_OF})?|\bimei\b|\b(?:device|pump|pacemaker|monitor|implant|tablet|laptop|udi){_OF}|\bmac address"
    ),
    "unique": (
        rf"\b(?:court |cps |police |foster |our )?(?:case|docket|file|incident|report|inmate|prisoner|booking|student|"
        rf"school|employee|badge|client|tribal|enrollment|intake|cause|warrant|petition|hmis|reference|referral|"
        rf"tracking|confirmation|ticket|claim|locker|bed)(?: (?:file|report|card|enrollment))?{_OF}|"
        r"\bnumber\b|\bno\.|\b(?:intake|petition|inmate|booking|incident|report|file)(?=\s[A-Z]{0,3}\d{4})|\bdocket\b|\bhmis\b|\bid\b(?: number| no\.| #)?|\bcase(?=\s{0,2}[A-Z]{0,3}\d)"
    ),
}
_LABELLED = {
    kind: re.compile(rf"(?:{label}){_FILL}{_CODE}", re.IGNORECASE)
    for kind, label in _LABELS.items()
}
_FEWEST_DIGITS = {"vehicle": 2, "unique": 4}  # else 3
# "number" makes these what they are; without it, years and amounts stand behind the same words.
_WHOLE_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ssn", re.compile(r"(?<![\w-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])")),
    ("account", re.compile(r"(?<![\w-])\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])")),
    ("license", re.compile(r"\b(?:RN|LPN|LVN|LCSW|LMSW|CNA|CDL)[- #]{1,2}\d{4,10}\b")),
    (
        "license",
        re.compile(
            r"\b(?:[Gg]reen card \w{1,6} (?:\w{1,5} )?|[Aa]-number (?:is |was )?)?A\d{3}[- ]\d{3}[- ]\d{3}\b"
        ),
    ),
    ("account", re.compile(r"(?<![\w$])\$[A-Za-z]\w{2,20}")),
    (
        "url",
        re.compile(
            r"\b(?:username|screen ?name|gamertag|handle|[Ss]napchat|[Ss]nap|[Ii]nsta(?:gram)?|[Tt]ik[Tt]ok)\s(?:is |as |name |handle |: ?){1,2}[\"“]?(?=[a-z_.]{0,20}[\d_.])[\w.]{3,30}\b"
        ),
    ),
    ("vehicle", re.compile(r"\b(?=[A-Z]{0,16}\d)(?=[0-9]{0,16}[A-Z])[A-HJ-NPR-Z0-9]{17}\b")),
    (
        "device",
        re.compile(
            r"(?<![\w:])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:])"
        ),
    ),
)
# Words somewhere before a long code that say what it is, where no label stands right before it.
_CUES: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in {
        "ssn": r"ssn|social security|sosh",
        "record": r"mrn|med(?:ical)? rec(?:ord)?s?|charts?|patient|hospital",
        "plan": r"medicaid|medicare|medi-cal|insurance|insurer|blue cross|bcbs|aetna|cigna|humana|kaiser|caresource|molina|wellcare|centene|anthem|amerigroup|recipient|"
        r"member|subscriber|policy|coverage|tricare",
        "account": r"accounts?|acct|routing|deposit|bank|iban|ebt|debit|credit|wallet|venmo|cash app",
        "license": r"licen[cs]e[ds]?|dl|passport|permit|visa|npi|certificate|green card|notary",
        "vehicle": r"plates?|tags?|vin|registration|registered|truck|car|van|suv|sedan|pickup|trailer",
        "device": r"serial|s/n|sn|imei|udi|device|pump|pacemaker|monitor|hearing aids?|cpap|tablet|laptop|tracker|"
        r"wheelchair|implant|fitbit|router|modem|glucometer",
    }.items()
}
_CUE_WITHIN = 45  # characters
_MAKES = (
    "Acura|Audi|BMW|Buick|Cadillac|Chevrolet|Chevy|Chrysler|Dodge|Ford|GMC|Honda|Hyundai|Jeep|Kia|Lexus|Lincoln|"
    "Mazda|Mercedes|Mitsubishi|Nissan|Pontiac|Subaru|Tesla|Toyota|Volkswagen|VW|Volvo"
)
_COLORS = "red|blue|green|white|black|silver|gr[ae]y|gold|yellow|orange|brown|beige|tan|purple|maroon|old|rusty"
_MODELS = (
    "Tacoma|Tundra|Camry|Corolla|Civic|Accord|Explorer|Silverado|Tahoe|Suburban|F-150|F-250|Ranger|Mustang|Prius|Malibu|"
    "Impala|Altima|Sentra|Wrangler|Cherokee|Odyssey|Sienna|Caravan|Jetta|Outback|Forester|Escape|Charger|Camaro|Corvette|"
    "Equinox|Harley|Elantra|Sonata"
)
_CAR = re.compile(
    rf"\b(?:(?i:{_COLORS})|(?:19|20)\d\d)\s(?:{_MODELS})\b|"
    rf"\b(?:(?i:{_COLORS})\s)?(?:(?:19|20)\d\d\s)?(?:{_MAKES})\b(?:\s[A-Z][\w-]{{1,14}}){{0,2}}"
)

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_HIDDEN_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}\s{0,2}[(\[{]?\s?\bat\b\s?[)\]}]?\s{0,2}[\w-]{1,63}\s{0,2}[(\[{]?\s?\bdot\b\s?[)\]}]?\s{0,2}"
    r"(?:com|org|net|edu|gov|us|io)\b",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?<![\w@.])(?:https?://[^\s<>\"”)]{1,2000}|www\.[^\s<>\"”)]{1,2000}|"
    r"(?:[a-z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|gov|mil|io|me|us|info|blog|social|example)\b(?:/[^\s<>\"”)]{0,2000})?)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.@/])@[A-Za-z][\w.]{2,40}\b")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_VERSION = re.compile(r"\b(?:v|version|release)\.?\s{0,2}$", re.IGNORECASE)

_DIGITS = re.compile(r"(?<![\w.,/$€£-])\+?\(?\d(?:[\d().\-–/  ]{5,22})\d(?![\w/]|-\d)")
_GROUPS = {
    (10,),
    (11,),
    (3, 3, 4),
    (1, 3, 3, 4),
    (3, 7),
    (6, 4),
}  # digits, as they are written in the US
_LOCAL = re.compile(r"(?<![\w-])\d{3}[-.]\d{4}(?![\w-])")
_CALL = re.compile(
    r"\b(?:call|ring|text|phone|telephone|tel|cell|mobile|number|reach|dial|whatsapp|voicemail)\b",
    re.IGNORECASE,
)
_FAX_BEFORE = re.compile(r"\bfax(?:ed)?\b[^\d\n]{0,30}$|(?<!\w)F:\s?$", re.IGNORECASE)
_FAX_AFTER = re.compile(r"\s?[(\[,-]?\s?\bfax\b", re.IGNORECASE)
_LONG_CODE = re.compile(
    r"(?<![\w.,/$€£#%-])[A-Za-z0-9]{1,12}(?:-[A-Za-z0-9]{1,12}){0,5}(?![\w%/]|[.,]\d)"
)
_FAX_NEAR = 36
_NEAR = 24  # characters before a number in which a word says what it is


def numbers(text: str) -> Iterator[Finding]:
    """Yield numbers and codes that belong to one person or household."""
    for kind, pattern in _WHOLE_SHAPES:
        yield from (Finding(kind, *match.span()) for match in pattern.finditer(text))
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        if len(match.group()) > 4 and _is_address(match.group()):
            if not _VERSION.search(text[max(match.start() - _NEAR, 0) : match.start()]):
                yield Finding("ip", *match.span())
    if any(character.isdecimal() for character in text):
        yield from _labelled(text)
        yield from _phones(text)
        yield from _codes(text)


def links(text: str) -> Iterator[Finding]:
    """Yield addresses of email and of pages, names of accounts, and cars."""
    for pattern in (_EMAIL, _HIDDEN_EMAIL) if "@" in text or "dot" in text.lower() else ():
        yield from (Finding("email", *match.span()) for match in pattern.finditer(text))
    for match in _URL.finditer(text):
        yield Finding("url", match.start(), match.start() + len(match.group().rstrip(".,;:!?’'")))
    yield from (Finding("url", *match.span()) for match in _HANDLE.finditer(text))
    yield from (Finding("vehicle", *match.span()) for match in _CAR.finditer(text))


def _is_address(words: str) -> bool:
    try:
        ipaddress.ip_address(words)
    except ValueError:
        return False
    return True


def _labelled(text: str) -> Iterator[Finding]:
    for kind, pattern in _LABELLED.items():
        for found in pattern.finditer(text):
            code = found.group(1)
            digits = sum(one.isdigit() for one in code)
            year = re.fullmatch(r"(?:19|20)\d\d", code)
            if digits >= _FEWEST_DIGITS.get(kind, 3) and not year:
                yield Finding(kind, found.start(), found.end(1))


def _phones(text: str) -> Iterator[Finding]:
    for found in _DIGITS.finditer(text):
        if _is_phone(found.group()):
            yield Finding(_phone_or_fax(text, *found.span()), *found.span())
    for found in _LOCAL.finditer(text):
        before = text[max(found.start() - _NEAR, 0) : found.start()]
        if _CALL.search(before) or _FAX_BEFORE.search(before):
            yield Finding(_phone_or_fax(text, *found.span()), *found.span())


def _phone_or_fax(text: str, start: int, end: int) -> str:
    before = _FAX_BEFORE.search(text[max(start - _FAX_NEAR, 0) : start])
    return "fax" if before or _FAX_AFTER.match(text[end : end + 8]) else "phone"


def _is_phone(words: str) -> bool:
    """Whether it is a number that somebody could be called on, and no helpline's."""
    groups = tuple(len(one) for one in re.split(r"\D+", words) if one)
    if not words.startswith("+") and groups not in _GROUPS:
        return False
    import phonenumbers  # takes a moment, and most drafts hold no number

    try:
        number = phonenumbers.parse(words, "US")
    except phonenumbers.NumberParseException:
        return False
    free = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE
    return phonenumbers.is_valid_number(number) and not free


def _codes(text: str) -> Iterator[Finding]:
    """Long numbers and codes that nothing names: one that long is rarely anything else's."""
    for found in _LONG_CODE.finditer(text):
        code = found.group()
        digits = sum(one.isdigit() for one in code)
        letters = sum(one.isalpha() for one in code)
        if digits < 3:
            continue
        date_or_range = re.fullmatch(r"\d{4}-\d{1,4}(?:-\d\d?)?|\d{1,2}-\d{1,2}-\d{2,4}", code)
        kind = _cue(text, found.start())
        if kind != "unique" and not date_or_range and digits >= (3 if letters else 6):
            if digits + letters >= 6:
                yield Finding(kind, *found.span())
        elif digits >= 7 or (digits >= 4 and letters >= 2 and len(code) >= 8):
            if not date_or_range and not _toll_free(code):
                yield Finding("unique", *found.span())


def _cue(text: str, start: int) -> str:
    """The kind whose cue stands nearest before a code, in its sentence."""
    ahead = re.split(r"[.!?]\s", text[max(start - _CUE_WITHIN, 0) : start])[-1]
    last = {
        kind: max((found.end() for found in pattern.finditer(ahead)), default=0)
        for kind, pattern in _CUES.items()
    }
    best = max(last, key=lambda kind: last[kind])
    return best if last[best] else "unique"


def _toll_free(code: str) -> bool:
    return bool(re.fullmatch(r"(?:1-)?8(?:00|33|44|55|66|77|88)-?\d{3}-?\d{4}", code))

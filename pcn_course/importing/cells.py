"""A cell without addresses, numbers and links, whichever way they are written."""

from __future__ import annotations

import html
import re
import unicodedata

from pcn_course.importing.table import CELL
from pcn_course.spreadsheets import unguarded


def words_of(text: str) -> str:
    """Text in small letters with a blank for every other sign."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[\W_]+", " ", re.sub(r"['’]", "", plain)).split())


# All ways to write an @: other widths, and escapes of pages and addresses.
_AT_SIGNS = re.compile(r"[\uff20\ufe6b]|%40|&#0*64;?|&#x0*40;?|&commat;", re.IGNORECASE)
_SPELLED_AT = re.compile(
    r"\s*[(\[{<]\s*(?:at|@)\s*[)\]}>]\s*|\s*[(\[{]a[)\]}]\s*(?=\S+\.\w)|"
    r"\s+at\s+(?=\S+(?:\s+dot\s+|\s*[(\[{]\s*dot\s*[)\]}])\s*\S)",
    re.IGNORECASE,
)
_MAYBE_SPELLED = re.compile(r"\bat\b|[(\[{]a[)\]}]", re.IGNORECASE)
_SPELLED_DOT = re.compile(r"(?<=\S)(?:\s+dot\s+|\s*[(\[{]\s*dot\s*[)\]}]\s*)(?=\S)", re.IGNORECASE)
# "… @ mercy.org": the place goes, and the words before it are an address no more.
_PLACE = re.compile(r"\s(?:@|at)\s+(?:[\w-]+\.)+[^\W\d_]{2,}(?![\w.])", re.IGNORECASE)
# One address: the token around an @, with a quoted name before it or a number in brackets after.
_NEAR = r"[^\s,;<>()\[\]{}|\"]"
_ADDRESS = re.compile(rf'(?:"[^"]{{0,70}}"|{_NEAR}+)?@(?:\[[^\]\s]{{0,60}}\]|{_NEAR}*)')
_LINK = re.compile(
    r"\b(?:https?|ftp)://\S+|\bwww\.\S+|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*|"
    r"\b(?:linkedin|facebook|instagram|twitter)\.com\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<!\w)(?:\+\s?)?\(?\d(?:[\s().\-–/]{0,3}\d){6,40}(?!\d)"
    r"(?:\s*(?:x|ext\.?)\s*\d{1,6}\b)?",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d\s*[-–/]\s*(?:19|20)\d\d(?!\d)|\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)|"
    r"\d{1,2}([-/.])\d{1,2}\2\d{4}(?!\d)"
)
_LEFT_OVER = re.compile(
    r"\b(?:e-?mails?|mailto|tel|phone|fax|cell|mobile)\b[.:\s]*(?=$|[,;)|])|\(\s*\)|<\s*>|\[\s*\]",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x1f\x7f-\x9f]")


_HONORIFIC = re.compile(
    r"dra?s?|prof\w{0,5}|mrs?|ms|mx|miss|rev|reverend|hon|sr|sra|srta|dona?|m|mme|mlle|me|maitre|"
    r"herr|frau|dipl|ing|sig|dott\w{0,3}|med|phd|sir|dame|fr"
)


def are_honorifics(text: str) -> bool:
    """Return True if all words are forms of address: "Dr.", "Prof. Dr.", "Sra."."""
    words = words_of(text).split()
    return bool(words) and all(map(_HONORIFIC.fullmatch, words))


def cleaned(cell: str) -> str:
    """A cell in one line, without contact details; a formula is text like any other.

    No @ is left in any case: what cannot be an address keeps its word ("Nurse @ Mercy" is "Nurse
    at Mercy"), everything else goes.
    """
    text = unguarded(cell[: 3 * CELL])
    while "&" in text and (plain := html.unescape(text)) != text:
        text = plain
    text = unicodedata.normalize("NFC", _AT_SIGNS.sub("@", text))
    text = " ".join(_UNSEEN.sub(" ", text.replace("\u200b", "").replace("\u00ad", "")).split())
    if re.fullmatch(r'="[^"]*"', text):  # how Excel is told that a number is text
        text = text[2:-1]
    if (kept := _without_contacts(text)) != text:
        kept = _LEFT_OVER.sub(" ", kept)
        text = re.sub(r"\s+(?=[,;)])|([,;])(?:\s*[,;])+", r"\1", " ".join(kept.split()))
        text = text.strip(" ,;|:/")
    return text if len(text) <= CELL else text[: CELL - 2].rstrip() + " …"


def _without_contacts(text: str) -> str:
    if "@" in text or _MAYBE_SPELLED.search(text):
        told = _SPELLED_AT.sub("@", text)
        if "@" in told:
            told = _SPELLED_DOT.sub(".", told)
        told = re.sub(r"(?<=\s)@(?=\s)", "at", _PLACE.sub(" ", told))
        text = _ADDRESS.sub(" ", told).replace("@", " ")
    if "/" in text or "." in text:
        text = _LINK.sub(" ", text)
    if sum(sign.isdecimal() for sign in text) >= 7:
        text = _NUMBER.sub(lambda found: found[0] if _DATE.match(found[0]) else " ", text)
    return text

"""Characters with an effect: blank text, control characters in a terminal, formulas in a sheet.

Each question has one answer here, for all that students, an LMS or a file system wrote: does anyone
see this text, may a terminal have it, would a spreadsheet run it.
"""

from __future__ import annotations

import csv
import html
import io
import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST = 500
"""Characters of a name or a value that are shown in one line of a log or a terminal."""

# Default_Ignorable_Code_Point and letters without a glyph, as far as their category is no sign of
# it (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point): fillers of Hangul, the
# blank pattern of Braille, the null notehead, the place of an object, what is never assigned.
_UNSEEN = re.compile(
    "[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\ufdd0-\ufdef\ufffe\uffff"
    "\U0001d159\U000e0000-\U000e0fff]"
)
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
_FIRST = 64
_NOT_IN_DOCUMENTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)


def is_blank(text: str) -> bool:
    """Return True if no character of ``text`` can be seen.

    Spaces, control and format characters, fillers, and combining marks without a letter are no
    answer, however many there are.
    """
    return not any(map(_is_seen, text[:_FIRST])) and not any(map(_is_seen, set(text)))


def no_answer(value: object) -> bool:
    """Return True if ``value`` is no answer, whatever was asked: nothing, blank text, no entry."""
    return is_blank(value) if isinstance(value, str) else value is None or value == []


def one_line(value: object) -> str:
    """Return text as one line; "" for blank text and for what is no text."""
    return " ".join(value.split()) if isinstance(value, str) and not is_blank(value) else ""


def clean(text: object) -> str:
    """Return ``text`` without characters that neither HTML nor XML may hold."""
    return _NOT_IN_DOCUMENTS.sub("\ufffd", str(text))


def escaped(text: object) -> str:
    """Return ``text`` as HTML that shows it."""
    return html.escape(clean(text), quote=True)


def _is_seen(character: str) -> bool:
    return (
        unicodedata.category(character) not in _UNSEEN_CATEGORIES
        and not _UNSEEN.match(character)
        and ord(character) & 0xFFFE != 0xFFFE
    )


# ---- Terminals and logs --------------------------------------------------------------------------

# Joiners (U+200C, U+200D) belong to words of several languages and to emoji.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)


def printable(text: object, longest: int = LONGEST) -> str:
    r"""Return ``text`` as one line that a terminal shows as it is; controls become ``\x1b``.

    A byte of a file name that is no UTF-8 becomes ``\xe9``. What is longer than ``longest``
    characters ends in "…".
    """
    words = str(text)
    if len(words) > longest:
        words = f"{words[: longest - 1]}…"
    return _UNPRINTABLE.sub(_escaped, words)


def is_text(name: str) -> bool:
    """Return True if UTF-8, and so a database or JSON, can hold a file's name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable_lines(text: object, longest: int = 100_000) -> str:
    """Return ``text`` as `printable` does, with its line breaks."""
    return "\n".join(printable(line, longest) for line in str(text).split("\n"))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python has a byte that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else "\ufffd"


class _Record(logging.LogRecord):
    def getMessage(self) -> str:  # noqa: N802 (the name that logging calls)
        # A line of its own in a log begins at the margin: one within a message can't.
        return printable_lines(super().getMessage()).replace("\n", "\n  | ")


def print_safely() -> None:
    """Have every message that this process logs from now on be printable.

    Programs of others, as nbgrader, log names that students chose.
    """
    logging.setLogRecordFactory(_Record)


# ---- Spreadsheets --------------------------------------------------------------------------------

# What a sheet passes over before it looks for a formula, and the apostrophes of this guard.
_BEFORE = re.compile(
    "['\\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]*"
)
_BEGIN_FORMULAS = frozenset("=+-@\u2212")
_CONTROLS = ("\t", "\r", "\n")


def guarded(text: str) -> str:
    """Return ``text`` with an apostrophe in front where a spreadsheet would run it as a formula.

    That is so whatever width the sign has and whatever unseen stands before it (OWASP, "CSV
    injection"). `unguarded` gives the same text back.
    """
    return f"'{text}" if text != "-" and _is_formula(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    if text.lstrip("'").startswith(_CONTROLS):
        return True
    match = _BEFORE.match(text)
    first = text[match.end() : match.end() + 1] if match else ""
    return unicodedata.normalize("NFKC", first)[:1] in _BEGIN_FORMULAS if first else False


def csv_bytes(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV: UTF-8 with a mark that says so, no cell of text is a formula.

    ``None`` is an empty cell; a whole number has no decimals.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in (head, *rows):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value

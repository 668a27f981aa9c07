"""Characters with an effect: blank text, control characters in a terminal or a document.

Each question has one answer here, for all that students, an LMS or a file system wrote: does anyone
see this text, may a terminal have it, may a document hold it.
"""

from __future__ import annotations

import html
import logging
import re
import unicodedata

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

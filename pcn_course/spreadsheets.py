"""Tables of people, as an LMS, a spreadsheet or a text editor left them; and tables for those.

Reading forgives what does no harm: a mark of the encoding, semicolons or tabs for commas, UTF-16,
the older Windows encoding, a first line ``sep=;``. What could put a value under the wrong header
is an error that names the file, the line and the remedy. In what is written no cell is a formula.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from pcn_course.files import UserError

MAX_BYTES = 50_000_000
"""The most bytes of a table that are read."""


class SheetError(UserError):
    """A table can't be read."""


class LineError(SheetError):
    """A line can't be read. ``line`` counts from 1; ``is_open``: a quotation mark isn't closed."""

    def __init__(self, plain: str, line: int, *, is_open: bool = False) -> None:
        super().__init__(plain)
        self.line = line
        self.is_open = is_open


class Row(msgspec.Struct, frozen=True):
    """One line of a table, as it stands there. ``line`` counts as an editor does, from 1."""

    line: int
    cells: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """A table: every row has as many cells as the header."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def where(self, line: int) -> str:
        """Return the place of a line, for a message."""
        return f"{self.path}, line {line}"

    def column(self, *names: str) -> int | None:
        """Return the place of the first of ``names`` that is a header; case and signs don't count.

        Raises:
            SheetError: it is there twice. A column that nobody asks for may be.
        """
        headers = [key(header) for header in self.header]
        place = next((headers.index(key(name)) for name in names if key(name) in headers), None)
        if place is not None and headers.count(headers[place]) > 1:
            raise LineError(
                f"{self.path}: the column “{self.header[place].strip()}” is there twice. Delete or "
                "rename one of them.",
                1,
            )
        return place


def key(text: str) -> str:
    """Return what two headers or titles have in common that are the same to people."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in decomposed if sign.isalnum())


# ---- Reading -------------------------------------------------------------------------------------


def read_sheet(path: Path) -> Sheet:
    """Return the table in ``path``.

    Raises:
        SheetError: it can't be read, or a value would stand under the wrong header.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SheetError(
            f"{path} can't be read: {error.strerror or error}. Name a file that is there."
        ) from error
    if len(content) > MAX_BYTES:
        raise SheetError(f"{path} is larger than 50 MB, which no class list is. Name another file.")
    try:
        text, _ = decode(content)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SheetError(
            f"{path} is no table in text. Name the CSV or text file that the LMS gave you; a "
            "spreadsheet's own format has to be saved as CSV (UTF-8) first."
        )
    delimiter, text, skipped = split_separator(text)
    try:
        lines = list(parse(text, delimiter or _delimiter(text), skipped=skipped, strict=True))
    except LineError as error:
        raise LineError(
            f"{path}, line {error.line}: {error}. A quotation mark is missing or stands in the "
            "wrong place; save the table anew as CSV (UTF-8) from a spreadsheet.",
            error.line,
        ) from error
    if not lines:
        raise SheetError(f"{path} is empty. Name the file that the LMS gave you.")
    header = tuple(cell.strip("\ufeff") for cell in lines[0].cells)
    while header and not header[-1].strip():
        header = header[:-1]
    return Sheet(path, header, tuple(_fitted(path, row, len(header)) for row in lines[1:]))


def decode(content: bytes, errors: Literal["strict", "replace"] = "strict") -> tuple[str, bool]:
    """Return a file's text without its mark, and whether its encoding was only supposed.

    Raises:
        UnicodeDecodeError: it is no text, where ``errors`` is strict.
    """
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif content[1:2] == b"\0" or content[1::2].count(0) > len(content) // 5:
        encoding = "utf-16-le"
    elif content[:1] == b"\0" or content[::2].count(0) > len(content) // 5:
        encoding = "utf-16-be"
    if encoding != "utf-8-sig":
        return content.decode(encoding, errors).lstrip("\ufeff"), False
    try:
        return content.decode(encoding).lstrip("\ufeff"), False
    except UnicodeDecodeError:
        return content.decode("cp1252", errors), True


def split_separator(text: str) -> tuple[str, str, int]:
    """Return the delimiter that a first line ``sep=;`` names, the text below, and the lines above.

    The delimiter is "" where no line names one.
    """
    first, _, rest = text.partition("\n")
    named = re.fullmatch(r'"?sep=(.)"?\s*', first)
    if not named:
        return "", text, 0
    return "" if named[1] in '"\r ' else named[1], rest, 1


def parse(text: str, delimiter: str, *, skipped: int = 0, strict: bool = False) -> Iterator[Row]:
    """Yield the lines in which anything stands; ``skipped`` lines stand above ``text``.

    Unless ``strict``, a quotation mark in the wrong place is a letter.

    Raises:
        LineError: a cell is too long, or a quotation mark isn't closed.
    """
    # A last line of ours: where it isn't a line of its own, an open quotation mark swallowed it.
    end = "\x1a"
    while end in text:
        end *= 2
    source = io.StringIO(text, newline="")
    reader = csv.reader(itertools.chain(source, [end]), delimiter=delimiter, strict=strict)
    line, begins, closed = skipped, skipped + 1, False
    try:
        for cells in reader:
            begins, line = line + 1, reader.line_num + skipped
            closed = cells == [end]
            if not closed and any(cell.strip() for cell in cells):
                yield Row(begins, tuple(cells))
    except csv.Error as error:
        raise LineError(str(error), line + 1) from error
    if not closed:
        raise LineError("a quotation mark is not closed", begins, is_open=True)


def _delimiter(text: str) -> str:
    """Return the sign that parts the first line into the most cells."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda sign: len(next(csv.reader([line], delimiter=sign))))


def _fitted(path: Path, row: Row, width: int) -> Row:
    if any(cell.strip() for cell in row.cells[width:]):
        raise LineError(
            f"{path}, line {row.line}: there are more cells than headers. A name with a comma has "
            'to stand in quotation marks ("Doe, Ada"); save the table anew from a spreadsheet.',
            row.line,
        )
    return Row(row.line, row.cells[:width] + ("",) * (width - len(row.cells)))


# ---- Writing -------------------------------------------------------------------------------------


def csv_bytes(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV: UTF-8 with a mark that says so, no cell of text is a formula.

    ``None`` is an empty cell; a whole number has no decimals.
    """
    return csv_as_is([_cell(value) for value in row] for row in (head, *rows))


def csv_as_is(
    rows: Iterable[Sequence[Any]],
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
    quote_all: bool = False,
) -> bytes:
    """Return a table as text; cells are written as they are, so guard what came from people.

    UTF-16 begins with its mark, as Blackboard's own downloads do.
    """
    out = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
    if encoding == "utf-16":
        return codecs.BOM_UTF16_LE + out.getvalue().encode("utf-16-le", "replace")
    return out.getvalue().encode(encoding, "replace")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


# ---- Formulas ------------------------------------------------------------------------------------

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


def guarded_line(text: str) -> str:
    """Return ``text`` guarded and in one line, for an LMS."""
    return guarded("".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in text))


def _is_formula(text: str) -> bool:
    if text.lstrip("'").startswith(_CONTROLS):
        return True
    match = _BEFORE.match(text)
    first = text[match.end() : match.end() + 1] if match else ""
    return unicodedata.normalize("NFKC", first)[:1] in _BEGIN_FORMULAS if first else False

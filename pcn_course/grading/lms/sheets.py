"""Tables as an LMS, a spreadsheet or a text editor left them; and tables that those take.

Reading forgives what does no harm: a mark of the encoding, semicolons or tabs for commas, UTF-16,
the older Windows encoding, a first line ``sep=;``. What could put a value under the wrong header
is an error that names the file, the line and the remedy.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from pcn_course import characters
from pcn_course.files import UserError

MAX_SHEET = 50_000_000
"""The most bytes of a table that are read."""


class LmsError(UserError):
    """It can't be done. ``plain`` says why and what to do; nothing was changed."""


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
        """The place of a line, for a message."""
        return f"{self.path}, line {line}"

    def column(self, *names: str) -> int | None:
        """The place of the first of ``names`` that is a header; case and signs don't count.

        Raises:
            LmsError: it is there twice. A column that nobody asks for may be.
        """
        headers = [key(one) for one in self.header]
        place = next((headers.index(key(one)) for one in names if key(one) in headers), None)
        if place is not None and headers.count(headers[place]) > 1:
            raise LmsError(
                f"{self.path}: the column “{self.header[place].strip()}” is there twice. Delete or "
                "rename one of them."
            )
        return place


def read_sheet(path: Path) -> Sheet:
    """The table in ``path``.

    Raises:
        LmsError: it can't be read, or a value would stand under the wrong header.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SHEET + 1)
    except OSError as error:
        raise LmsError(
            f"{path} can't be read: {error.strerror or error}. Name a file that is there."
        ) from error
    if len(content) > MAX_SHEET:
        raise LmsError(f"{path} is larger than 50 MB, which no class list is. Name another file.")
    text = _text(path, content)
    if told := re.match(r"\ufeff?sep=(.)\r?\n", text):
        delimiter, text, skipped = told[1], text[told.end() :], 1
    else:
        delimiter, skipped = _delimiter(text), 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: tuple[str, ...] | None = None
    rows: list[Row] = []
    line = skipped
    try:
        for cells in reader:
            line, begins = reader.line_num + skipped, line + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells)
            else:
                rows.append(_row(path, begins, cells, len(header)))
    except csv.Error as error:
        raise LmsError(
            f"{path}, line {line + 1}: {error}. A quotation mark is missing or stands in the wrong "
            "place; save the table anew as CSV (UTF-8) from a spreadsheet."
        ) from error
    if header is None:
        raise LmsError(f"{path} is empty. Name the file that the LMS gave you.")
    return Sheet(path, header, tuple(rows))


def csv_bytes(
    rows: Iterable[Sequence[str]],
    *,
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
    quote_all: bool = False,
) -> bytes:
    """A table as text; cells are written as they are, so guard what came from people.

    UTF-16 begins with its mark, as Blackboard's own downloads do.
    """
    out = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
    if encoding == "utf-16":
        return codecs.BOM_UTF16_LE + out.getvalue().encode("utf-16-le")
    return out.getvalue().encode(encoding)


def guarded(text: str) -> str:
    """Return ``text`` in one line, as `pcn_course.characters.guarded` has it."""
    return characters.guarded(
        "".join(" " if unicodedata.category(one) == "Cc" else one for one in text)
    )


def key(text: str) -> str:
    """What two headers or titles have in common that are the same to people."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(one for one in decomposed if one.isalnum())


def points(value: float) -> str:
    """Points as text that each LMS reads the same way: a point, no thousands, at most 4 decimals.

    Canvas takes ``1,000`` for 1 (its importer turns a comma into a point).
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _text(path: Path, content: bytes) -> str:
    encodings = ["utf-8-sig", "cp1252"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif content[1:2] == b"\0":
        encodings = ["utf-16-le"]
    elif content[:1] == b"\0":
        encodings = ["utf-16-be"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise LmsError(
        f"{path} is no table in text. Name the CSV or text file that the LMS gave you; a "
        "spreadsheet's own format has to be saved as CSV (UTF-8) first."
    )


def _delimiter(text: str) -> str:
    """The sign that parts the first line into the most cells."""
    line = next((one for one in text.splitlines() if one.strip()), "")
    return max(",;\t", key=lambda sign: len(next(csv.reader([line], delimiter=sign))))


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return tuple(one.strip("\ufeff") for one in cells)


def _row(path: Path, line: int, cells: Sequence[str], width: int) -> Row:
    if any(cell.strip() for cell in cells[width:]):
        raise LmsError(
            f"{path}, line {line}: there are more cells than headers. A name with a comma has to "
            'stand in quotation marks ("Doe, Ada"); save the table anew from a spreadsheet.'
        )
    return Row(line, tuple(cells[:width]) + ("",) * (width - len(cells)))

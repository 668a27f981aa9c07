"""From a file's bytes to a table: what is no list is refused, encodings and delimiters are told."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Sequence
from typing import NoReturn

from pcn_course.importing.headings import WHO, exact_kind, kind_of
from pcn_course.importing.table import (
    AS_CSV,
    COLUMNS,
    MOST_BYTES,
    MOST_PEOPLE,
    NOBODY,
    UNCHANGED,
    Cells,
    ListError,
    Table,
)
from pcn_course.spreadsheets import LineError, decode, parse, split_separator


def refuse_others(name: str, content: bytes) -> None:
    """Raise `ListError` for what is, by its first bytes, another kind of file."""
    if not content.strip(b"\0\t\n\r \xef\xbb\xbf\xff\xfe"):
        raise ListError(f"This file is empty. Choose another one. {UNCHANGED}")
    ending = name.lower().rpartition(".")[2]
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _refuse_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ListError(_workbook("Excel workbook" if ending.startswith("xls") else "Office file"))
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for what, first in _OTHERS.items():
        if start.startswith(first):
            raise ListError(
                f"This file is {what}, not a list of people. Save your list as CSV (in a "
                f"spreadsheet: File, Save As, CSV UTF-8), {AS_CSV}"
            )
    if len(content) > MOST_BYTES:
        raise ListError(
            "This file is larger than 4 MB, which is more than a list of people needs. Save only "
            f"the rows that you want as a CSV file. {UNCHANGED}"
        )


_OTHERS: dict[str, tuple[bytes, ...]] = {
    "a PDF document": (b"%pdf",),
    "a picture": (
        *(b"\x89png", b"\xff\xd8\xff", b"gif8", b"ii*\0", b"mm\0*", b"<svg"),
        *(b"\0\0\0\x18ftyp", b"\0\0\0\x1cftyp", b"\0\0\0\x20ftyp", b"\0\0\0\x24ftyp"),
    ),
    "a packed archive": (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"rar!"),
    "a web page or XML": (b"<!doctype", b"<html", b"<?xml", b"<table"),
    "a text document": (b"{\\rtf",),
    "a calendar": (b"begin:vcalendar",),
    "an address book (vCard)": (b"begin:vcard",),
    "JSON": (b'{"', b"{\n", b"{\r", b"[{", b"[\n"),
}


def _refuse_zip(content: bytes) -> NoReturn:
    """Raise `ListError` for what an archive is, or the document that is one inside.

    The names in a ZIP stand in it as they are, so it need not be opened.
    """
    if b"xl/workbook" in content or b"opendocument.spreadsheet" in content:
        raise ListError(_workbook("spreadsheet"))
    if b"Index/Document.iwa" in content:
        raise ListError(
            "This file is a Numbers spreadsheet. Open it in Numbers, choose File, Export To, CSV, "
            + AS_CSV
        )
    if b"word/document" in content or b"opendocument.text" in content:
        raise ListError(
            "This file is a text document, not a list of people. Copy its table into a "
            f"spreadsheet, save that as CSV, {AS_CSV}"
        )
    if b"Connections.csv" in content:
        raise ListError(
            "This is LinkedIn's ZIP file. Unpack it first (double-click it, or “Extract All”), "
            f"then choose the file “Connections.csv” that is in it. {UNCHANGED}"
        )
    raise ListError(
        "This file is a ZIP archive. Unpack it first (double-click it, or “Extract All”), then "
        f"choose the CSV file that is in it. {UNCHANGED}"
    )


def _workbook(what: str) -> str:
    return (
        (
            f"This file is a {what}, which cannot be read here. Open it, choose File, Save As (or "
            f"Download), and “CSV UTF-8”, {AS_CSV}"
        )
        .replace("a Excel", "an Excel")
        .replace("a Office", "an Office")
    )


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")


def decoded(content: bytes) -> tuple[str, bool]:
    """The text without NULs, and whether its encoding was only supposed."""
    text, guessed = decode(content, "replace")
    if len(_CONTROLS.findall(text)) > max(8, len(text) // 50):
        raise ListError(
            "This file is not text, so it cannot be a CSV file. Save your list as CSV (in a "
            f"spreadsheet: File, Save As, CSV UTF-8), {AS_CSV}"
        )
    return text.replace("\0", ""), guessed


def read_table(text: str) -> Table:
    """The table in a text: its delimiter, the line of its headings, and the lines below."""
    delimiter, text, _ = split_separator(text)
    lines, unread = _lines(text, delimiter or _delimiter(text))
    at = _heading_line(lines)
    headings = lines[at] if at is not None else []
    kinds = [kind_of(heading) for heading in headings]
    if not any(kind in WHO for kind in kinds):
        raise ListError(
            "This file is not a list of members: its first line has no column that looks like a "
            "name or a role. Give each column a heading, such as “Name” and “Role”, and choose "
            f"the file again. {UNCHANGED}"
        )
    rows = lines[(at or 0) + 1 :]
    if not rows:
        raise ListError(NOBODY)
    longer = sum(any(cell.strip() for cell in row[len(headings) :]) for row in rows)
    return Table(headings, kinds, rows, unread, longer)


def _delimiter(text: str) -> str:
    """The sign between cells with which the first lines look most like headings and people."""

    def looks(sign: str) -> tuple[int, int]:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
            lines = [row[:COLUMNS] for row in itertools.islice(reader, 40) if any(row)]
        except csv.Error:
            return (-1, 0)
        at = _heading_line(lines)
        if at is None:
            return (0, sum(len(row) > 1 for row in lines))
        width = len(lines[at])
        known = len({kind for kind in map(kind_of, lines[at]) if kind})
        return (known, sum(len(row) == width > 1 for row in lines))

    return max(",;\t|", key=looks)


def _lines(text: str, delimiter: str) -> tuple[list[Cells], int]:
    """The lines that have something in them, and how many more there are than may be read."""
    lines: list[Cells] = []
    more = 0
    try:
        for row in parse(text, delimiter):
            if len(lines) <= MOST_PEOPLE:
                lines.append(list(row.cells[:COLUMNS]))
            else:
                more += 1
    except LineError as error:
        if error.is_open:
            raise ListError(
                f"A quotation mark is opened in line {error.line} of this file and not closed "
                "again, so the lines after it run together. Close or delete it there, and choose "
                f"the file again. {UNCHANGED}"
            ) from None
        raise ListError(
            f"Line {error.line} of this file has a cell that is far too long for a list of people. "
            f"Shorten it there, and choose the file again. {UNCHANGED}"
        ) from None
    return lines, more


def _heading_line(lines: Sequence[Cells]) -> int | None:
    """Which line holds the headings; titles and LinkedIn's notes may stand above it."""
    top = lines[:20]
    wide = any(_filled(row) > 1 for row in top)
    able = [at for at, row in enumerate(top) if _filled(row) > 1 or not wide]
    known = {at: len({kind for kind in map(kind_of, top[at]) if kind}) for at in able}
    # A line of people may be one heading in one cell ("Stakeholder"), hardly ever in two.
    whole = {at: len({exact_kind(cell) for cell in top[at]} - {""}) for at in able}
    enough = [at for at in able if (known[at] if at == able[0] else whole[at] > 1)]
    return max(enough, key=lambda at: known[at], default=None)


def _filled(row: Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)

"""Lines of tables that are about one student; every other line stays as it is, byte for byte."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from pcn_course.admin.locations import read_plain
from pcn_course.admin.removal import LARGEST, Piece, Who, without_lines
from pcn_course.spreadsheets import unguarded

_TABLES = (".csv", ".tsv", ".xls", ".txt")
_IDS = frozenset({
    "id", "student", "studentid", "nbgraderid", "username", "loginid", "sisuserid", "sisloginid",
    "lmsid", "lmsuserid", "orgdefinedid", "idnumber", "email", "emailaddress", "pseudonym",
})  # fmt: skip
_SEPARATOR = re.compile(r"^\ufeff?sep=(.)\s*$", re.MULTILINE)
_NO_HEADER = re.compile(r"\ufeff?(?:sep=.)?[\s,;]*$")


def is_table(name: str) -> bool:
    """Whether a file is a table by how its name ends."""
    return name.lower().endswith(_TABLES)


class _Table(msgspec.Struct, frozen=True):
    """A table's lines with their ends; the header is the one at ``before``."""

    lines: list[str]
    coding: str
    before: int
    delimiter: str


def _opened(path: Path) -> _Table:
    content = read_plain(path, LARGEST) or b""
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = content.decode(coding)
    except UnicodeDecodeError:
        coding = "latin-1"  # each byte comes back as it was, whatever it stands for
        text = content.decode(coding)
    lines = [*io.StringIO(text, newline="")]
    # What may come before the header: empty lines, and a spreadsheet's word on its separator.
    before = list(itertools.takewhile(_NO_HEADER.match, lines))
    told = _SEPARATOR.search("".join(before))
    head = lines[len(before)] if len(before) < len(lines) else ""
    return _Table(
        lines, coding, len(before), told[1] if told else max(",;\t", key=head.count)
    )  # fmt: skip


def _ids_in(cells: Iterable[str]) -> list[str]:
    """What the headers are called, as far as they are those of ids; empty where they are not."""
    keys = [re.sub(r"[^a-z0-9]", "", cell.casefold()) for cell in cells]
    return [one if one in _IDS else "" for one in keys]


def has_ids(path: Path) -> bool:
    """Whether a text is a table of people."""
    if path.is_symlink() or not path.is_file():
        return False
    table = _opened(path)
    reader = csv.reader(table.lines[table.before :], delimiter=table.delimiter)
    try:
        return any(_ids_in(next(reader, [])))
    except csv.Error:
        return False


def rows_about(path: Path, who: Who) -> Piece | None:
    """The lines of a CSV file that are about one student; the others are left as they are."""
    if path.is_symlink():
        return None
    table = _opened(path)
    lines = table.lines
    reader = csv.reader(lines, delimiter=table.delimiter)
    own = path.name in ("roster.csv", "consent.csv", "late.csv")
    wanted = {who.id.casefold()}
    if not own:
        wanted |= {one.casefold() for one in (*who.others, who.pseudonym or "") if one}
    kept, start, places, gone = [], 0, None, 0
    try:
        for row in reader:
            whole, start = "".join(lines[start : reader.line_num]), reader.line_num
            cells = [unguarded(cell.strip()).removeprefix("#").casefold() for cell in row]
            if reader.line_num <= table.before:
                kept.append(whole)
            elif places is None:
                keys = _ids_in(cells)
                places = [number for number, key in enumerate(keys) if key]
                if own:  # another column of these may hold another's number
                    places = [n for n in places if keys[n] in ("id", "student", "studentid")]
                kept.append(whole)
            elif any(cells[n] in wanted for n in places if n < len(cells)):
                gone += 1
            else:
                kept.append(whole)
    except csv.Error:
        return None
    if not gone:
        return None
    anew = "".join(kept).encode(table.coding)
    return without_lines("tables", path, gone, "rows", anew)

"""Strict readers of the files that each LMS takes, written from its documentation or its code.

They share nothing with the exporters, and refuse what the LMS would refuse, misread, or put under
a wrong item. Each gives ``{student's id in the LMS: {item: points or None}}``.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

NUMBER = re.compile(r"\d+(\.\d+)?")


class RefusedError(Exception):
    """The LMS would not take this file, or not as it is meant."""


@dataclass
class Read:
    """What the LMS understands."""

    grades: dict[str, dict[str, float | None]]
    names: dict[str, str] = field(default_factory=dict)
    possible: dict[str, float] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


def refuse_unless(condition: object, why: str) -> None:
    if not condition:
        raise RefusedError(why)


def table(text: str, delimiter: str) -> list[list[str]]:
    """A CSV table by RFC 4180: strict quoting, rows of one width, lines that end in CR LF."""
    refuse_unless(text.endswith("\r\n"), "the last line doesn't end")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RefusedError(str(error)) from error
    refuse_unless(rows, "the file is empty")
    refuse_unless({len(row) for row in rows} == {len(rows[0])}, "rows differ in width")
    refuse_unless(len(set(rows[0])) == len(rows[0]), "a header is there twice")
    return rows


def decoded(content: bytes, encoding: str = "utf-8-sig") -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise RefusedError(f"it is not {encoding}") from error


def score(cell: str, *, below_zero: bool = False) -> float | None:
    """Points; where an item may take some off, less than 0."""
    number = cell.removeprefix("-") if below_zero else cell
    refuse_unless(cell == "" or NUMBER.fullmatch(number), f"“{cell}” is no number of points")
    return float(cell) if cell else None


def shown(cell: str) -> str:
    """A name as a spreadsheet shows it; what it would run is refused."""
    refuse_unless(cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), f"“{cell}” is a formula")
    return cell[1:] if re.match(r"''*[=+\-@]", cell) else cell


def canvas(content: bytes, assignments: dict[int, tuple[str, float]]) -> Read:
    """Canvas's gradebook import, after lib/gradebook_importer.rb in instructure/canvas-lms.

    ``header?``: the first column says Student, the second ID, and the last of the student's
    columns Section, after the SIS columns in their order. ``strip_non_assignment_columns``: totals
    are no assignments. ``parse_assignments``: by the number in ``Title (number)``, else by the
    exact title, else a new assignment, which is refused here where ``assignments`` are given.
    ``process_pp``: a row of Points Possible sets points, so other ones than Canvas has are
    refused. ``decimal_comma_to_period``: a comma in a number is read as a point.
    """
    rows = table(decoded(content), ",")
    head = rows[0]
    refuse_unless(len(head) > 3 and "Student" in head[0] and "ID" in head[1], "no header row")
    width = 3
    if re.search(r"SIS\s+Login\s+ID", head[2]):
        width += 1
    elif re.search(r"SIS\s+User\s+ID", head[2]) and re.search(r"SIS\s+Login\s+ID", head[3]):
        width += 2 + bool(re.search(r"Integration\s+ID", head[4]))
        width += bool(re.search(r"Root\s+Account", head[width - 1]))
    refuse_unless("Section" in head[width - 1], "Section is not the last of the columns")
    read = Read({}, headers=tuple(head))
    items: dict[int, str] = {}
    for place, header in enumerate(head[width:], width):
        refuse_unless(
            not re.search(r"(Current|Final|Override) (Score|Points|Grade|Status)", header),
            f"{header} is calculated by Canvas",
        )
        numbered = re.fullmatch(r".* \((\d+)\)", header)
        known = assignments.get(int(numbered[1])) if numbered else None
        by_title = [one for one in assignments.values() if one[0] == header]
        known = known or (by_title[0] if by_title else None)
        refuse_unless(known or not assignments, f"{header} would become a new assignment")
        items[place] = header
        if known:
            read.possible[header] = known[1]
    body = rows[1:]
    if body and "Points Possible" in body[0][0]:
        for place, header in items.items():
            possible = score(body[0][place])
            had = read.possible.get(header)
            refuse_unless(had in (None, possible), f"the points of {header} would change")
            read.possible[header] = possible or 0.0
        body = body[1:]
    for row in body:
        refuse_unless(row[1] == "" or row[1].isdecimal(), f"“{row[1]}” is no user's number")
        by = row[1] or (row[width - 2] if width > 3 else "")
        refuse_unless(by, f"{row[0]} could only be found by the name")
        refuse_unless(by not in read.grades, f"{by} is there twice")
        read.names[by] = shown(row[0])
        read.grades[by] = {
            header: score(row[place], below_zero=True) for place, header in items.items()
        }
    return read


def brightspace(content: bytes) -> Read:
    """Brightspace's grades import, after community.d2l.com/brightspace/kb/articles/3538.

    The first columns are OrgDefinedId and/or Username, then “<item> Points Grade”, and no names.
    The signs (kb.wisc.edu/page.php?id=4330): ``#`` before each id, and as End-of-Line Indicator,
    which is needed where a line's last grade is empty. A mark of the encoding would be part of the
    first header.
    """
    text = decoded(content, "utf-8")
    rows = table(text, ",")
    head = rows[0]
    keys = [one for one in ("OrgDefinedId", "Username") if one in head]
    refuse_unless(keys and head[: len(keys)] == keys, "ids have to come first")
    refuse_unless(head[-1] == "End-of-Line Indicator", "End-of-Line Indicator has to come last")
    items = dict(enumerate(head[len(keys) : -1], len(keys)))
    for header in items.values():
        refuse_unless(
            re.fullmatch(r".+ Points Grade( <[^<>]*>)?", header), f"{header} can't be imported"
        )
    read = Read({}, headers=tuple(head))
    for row in rows[1:]:
        refuse_unless(row[-1] == "#", "a line has no end")
        ids = [cell for cell in row[: len(keys)] if cell]
        refuse_unless(ids and all(cell.startswith("#") for cell in ids), f"{ids} lack their sign")
        by = ids[-1][1:]
        refuse_unless(by not in read.grades, f"{by} is there twice")
        read.grades[by] = {header: score(row[place]) for place, header in items.items()}
    return read


def moodle_worksheet(content: bytes, downloaded: bytes, most: float) -> Read:
    """Moodle's grading worksheet, after mod/assign/feedback/offline/importgradeslib.php.

    Comma and UTF-8, whose mark Moodle takes away. The headers Identifier, Grade and Last modified
    (grade) are found by Moodle's own words, so they have to be those of the download; so does each
    number of a person. The date of the last change is compared with Moodle's: it has to come back
    as it was. A grade over the maximum is skipped, so it is refused here.
    """
    rows, before = table(decoded(content), ","), table(decoded(downloaded), ",")
    head = rows[0]
    refuse_unless(head == before[0], "the headers are not those of the download")
    place = head.index("Grade")
    kept = {row[0]: row for row in before[1:]}
    read = Read({}, headers=tuple(head))
    for row in rows[1:]:
        refuse_unless(re.fullmatch(r"Participant \d+", row[0]), f"“{row[0]}” is nobody")
        refuse_unless(row[0] in kept, f"{row[0]} is not in this assignment")
        refuse_unless(row[0] not in read.grades, f"{row[0]} is there twice")
        refuse_unless(
            row[place + 1 :] == kept[row[0]][place + 1 :], f"{row[0]}: not the grade only"
        )
        points = score(row[place])
        refuse_unless(points is None or points <= most, f"{row[0]}: more than the maximum")
        read.grades[row[0]] = {"Grade": points}
        read.names[row[0]] = shown(row[1])
    return read


def moodle_gradebook(content: bytes, by: str) -> Read:
    """Moodle's CSV import of grades, after docs.moodle.org/311/en/Grade_import.

    One column says who a line is (ID number, username or address), and it has to say so in each
    line, as it is mapped once for the whole file.
    """
    rows = table(decoded(content), ",")
    head = rows[0]
    refuse_unless(by in head, f"there is no column {by}")
    who = head.index(by)
    people = ("ID number", "Username", "Email address", "First name", "Last name")
    items = {place: header for place, header in enumerate(head) if header not in people}
    read = Read({}, headers=tuple(head))
    for row in rows[1:]:
        refuse_unless(row[who], "a line doesn't say whose it is")
        refuse_unless(row[who] not in read.grades, f"{row[who]} is there twice")
        read.grades[row[who]] = {header: score(row[place]) for place, header in items.items()}
        read.names[row[who]] = (
            f"{shown(row[head.index('First name')])} {shown(row[head.index('Last name')])}".strip()
        )
    return read


def blackboard(content: bytes, columns: dict[int, str] | None = None) -> Read:
    """Blackboard's gradebook upload, after “Uploading or Downloading Grade Center Items”.

    library.blackboard.com/ref/3ea64795-…/grade_center_upload_download.htm: a header row, one
    record a line, Username in each; the number in a column's header “should not be changed or
    deleted”, and columns without one become text columns, which is refused where ``columns`` are
    given. In tab-delimited files as Blackboard writes them, UTF-16 with its mark, each value
    stands in quotation marks.
    """
    refuse_unless(content[:2] in (b"\xff\xfe", b"\xfe\xff"), "it is not UTF-16 with its mark")
    text = decoded(content, "utf-16")
    for line in text.split("\r\n")[:-1]:
        refuse_unless(
            re.fullmatch(r'"(?:[^"]|"")*"(?:\t"(?:[^"]|"")*")*', line), f"not in quotes: {line}"
        )
    rows = table(text, "\t")
    head = rows[0]
    refuse_unless("Username" in head, "Username is missing")
    who = head.index("Username")
    people = ("Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability")
    items = {place: header for place, header in enumerate(head) if header not in people}
    for header in items.values():
        numbered = re.fullmatch(r"(.*) \[Total Pts: [^\]]*\] \|(\d+)", header)
        if columns is not None:
            refuse_unless(numbered, f"{header} would become a text column")
            assert numbered
            known = columns.get(int(numbered[2]))
            refuse_unless(known == numbered[1], f"{header} is no column of this course")
    read = Read({}, headers=tuple(head))
    for row in rows[1:]:
        refuse_unless(row[who], "a line has no Username")
        refuse_unless(row[who] not in read.grades, f"{row[who]} is there twice")
        read.grades[row[who]] = {
            header: score(row[place], below_zero=True) for place, header in items.items()
        }
        read.names[row[who]] = f"{shown(row[1])} {shown(row[0])}".strip()
    return read

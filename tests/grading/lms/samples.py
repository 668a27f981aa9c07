"""Files as each LMS gives them out, made by code; the people in them are made up."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

STEP = "step-1-goals"


@dataclass(frozen=True)
class Person:
    """Somebody whom an LMS knows."""

    id: str
    first: str
    last: str
    number: int
    username: str = ""

    @property
    def login(self) -> str:
        return self.username or self.id

    @property
    def email(self) -> str:
        return f"{self.id}@example.org"

    @property
    def full(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def sortable(self) -> str:
        return f"{self.last}, {self.first}"


CLASS = (
    Person("ada", "Ada", "Doe, Jr.", 1001),
    Person("ben", "Ben “B” O'Neill", 'Roe "Ro"', 1002, "ben_roe"),
    Person("zoe", "Zoë", "Łukasiewicz-Müller", 1003, "zoe_l_m"),
    Person("eve", "=Eve", "=cmd|' /C calc'!A0", 1004),
    Person("mei", "美玲", "陈", 1005),
)
"""Names with commas, quotation marks, an apostrophe, accents, other scripts and formulas."""


def table(rows: Iterable[Sequence[object]], delimiter: str = ",", *, quote: bool = False) -> str:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def canvas_gradebook(
    people: Iterable[Person] = CLASS,
    items: dict[str, float] | None = None,
    grades: dict[str, dict[str, str]] | None = None,
) -> bytes:
    """Grades, Export: with the row of possible points, calculated columns and the test student."""
    items = items or {}
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *items, "Current Score"]
    rows: list[list[object]] = [
        [*head],
        ["    Points Possible", "", "", "", "", *items.values(), "(read only)"],
    ]
    for one in people:
        had = [(grades or {}).get(one.id, {}).get(item, "") for item in items]
        rows.append([one.sortable, one.number, f"S{one.number}", one.login, "SW 1", *had, "90"])
    rows.append(["Student, Test", 9999, "", "deadbeef", "SW 1", *("" for _ in items), ""])
    return table(rows).encode("utf-8-sig")


def brightspace_export(people: Iterable[Person] = CLASS, items: Sequence[str] = ()) -> bytes:
    """Grades, Export, key field “Both”, with names and addresses."""
    head = ["OrgDefinedId", "Username", "Last Name", "First Name", "Email", *items]
    rows: list[list[object]] = [[*head, "End-of-Line Indicator"]]
    empty = [""] * len(items)
    rows += [
        [f"#{one.number:08}", f"#{one.login}", one.last, one.first, one.email, *empty, "#"]
        for one in people
    ]
    return table(rows).encode()


WORKSHEET = (
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade",
    "Grade can be changed", "Last modified (submission)", "Last modified (grade)",
    "Feedback comments",
)  # fmt: skip


def moodle_worksheet(
    people: Iterable[Person] = CLASS,
    *,
    most: str = "20.00",
    head: Sequence[str] = WORKSHEET,
    hidden: bool = False,
) -> bytes:
    """Assignment, Download grading worksheet; the numbers of people are of this assignment."""
    rows: list[list[object]] = [list(head)]
    for one in people:
        row: list[object] = [
            f"Participant {moodle_number(one)}", one.full, one.email, "Submitted for grading", "",
            most, "Yes", "Friday, 20 November 2026, 10:42 AM", "-", "<p>Kept, “as it is”</p>",
        ]  # fmt: skip
        rows.append([row[0], "", "", *row[3:]] if hidden else row)
    return table(rows).encode()


def moodle_participants(people: Iterable[Person] = CLASS) -> bytes:
    """Participants, Download table data as CSV."""
    rows: list[list[object]] = [["First name", "Last name", "ID number", "Email address", "Groups"]]
    rows += [[one.first, one.last, one.number, one.email, "SW 1"] for one in people]
    return table(rows).encode("utf-8-sig")


def moodle_number(one: Person) -> int:
    return one.number + 70_000


def blackboard_download(people: Iterable[Person] = CLASS, items: Sequence[str] = ()) -> bytes:
    """Gradebook, Download Grades, tab: UTF-16, all in quotation marks."""
    head = ["Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability"]
    rows: list[list[object]] = [[*head, *items]]
    empty = [""] * len(items)
    rows += [
        [one.last, one.first, one.login, one.number, "2026-11-20 10:42:00", "Yes", *empty]
        for one in people
    ]
    return table(rows, "\t", quote=True).encode("utf-16")


@dataclass(frozen=True)
class Upload:
    """A file that somebody uploaded, and when."""

    person: Person
    file: str
    content: bytes
    when: dt.datetime
    late: bool = False


def bulk(lms: str, uploads: Sequence[Upload], to: Path, zone: ZoneInfo) -> Path:
    """All submissions of an assignment, as this LMS packs and names them."""
    with zipfile.ZipFile(to, "w") as archive:
        for number, one in enumerate(uploads):
            for name, content in _named(lms, one, number, zone).items():
                archive.writestr(name, content)
    return to


def _named(lms: str, one: Upload, number: int, zone: ZoneInfo) -> dict[str, bytes]:
    local = one.when.astimezone(zone)
    match lms:
        case "canvas":
            # lib/content_zipper.rb: letters of the sortable name, LATE, user, attachment, file.
            name = "".join(
                sign
                for sign in one.person.sortable.lower()
                if sign == "_" or unicodedata.category(sign)[0] in "LMN"
            )
            late = ["LATE"] if one.late else []
            parts = [name, *late, str(one.person.number), str(56_000 + number)]
            return {f"{'_'.join(parts)}_{canvas_file(one.file)}": one.content}
        case "moodle":
            # mod/assign/locallib.php: full name, number in this assignment, plugin, file.
            clean = re.sub(r'[/\\:*?"<>|=&\']', "", one.person.full)
            folder = f"{clean}_{moodle_number(one.person)}_assignsubmission_file_"
            return {f"{folder}/{one.file}": one.content}
        case "brightspace":
            half = "AM" if local.hour < 12 else "PM"
            time = f"{local.hour % 12 or 12}{local:%M} {half}"
            when = f"{local:%b} {local.day}, {local.year} {time}"
            clean = re.sub(r'[/\\:*?"<>|]', "", one.person.full)
            return {
                f"{397000 + number}-{25573 + number} - {clean} - {when} - {one.file}": one.content
            }
        case _:
            stem = f"Goals_{one.person.login}_attempt_{local:%Y-%m-%d-%H-%M-%S}"
            receipt = (
                f"Name: {one.person.full} ({one.person.login})\nAssignment: Goals\n"
                f"Date Submitted: {local:%A, %d %B %Y %H:%M:%S} o'clock\n"
                "Current Mark: Needs Marking\n\n"
                "Submission Field:\nName: Somebody Else (ada)\n\n"
                "Comments:\nThere are no student comments for this assignment.\n\nFiles:\n"
                f"\tOriginal filename: {one.file}\n\tFilename: {stem}_{one.file}\n"
            )
            return {f"{stem}.txt": receipt.encode(), f"{stem}_{one.file}": one.content}


def canvas_file(name: str) -> str:
    """Canvas replaces what Windows can't have in a name."""
    return re.sub(r'[\x00/\\:*?"<>|]+', "_", name)

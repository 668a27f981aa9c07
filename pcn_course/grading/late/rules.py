"""``late.csv`` in the instructor's room: rules for late work, and extensions, in a spreadsheet.

One line says one thing::

    what,student,step,value,note
    grace,,all,2 hours,
    penalty,,all,10% per day,
    cap,,all,50%,
    penalty,,step-5-integrating,0,the term is over
    extension,ada,step-1-goals,3 days,
    extension,ben,all,2027-02-01 18:00,

- ``what`` is ``grace``, ``penalty`` (for each day), ``cap`` (the most that is taken) or
  ``extension``.
- ``student`` is the id in the gradebook. It is empty for grace, penalty and cap, which are the same
  for everybody.
- ``step`` is a step's id or number, or ``all``. A step's own grace, penalty or cap counts before
  the one of all steps. Of two extensions that concern a step the later one counts.
- ``value`` is a length (``90 minutes``, ``2 hours``, ``1 day``, ``2 weeks``), for penalty and cap
  ``2 points`` or ``10%``, for an extension a length or the new due date.
- ``note`` is for whoever reads the file; the column may be missing.

Percent are of the points that a step can give, not of those that somebody got. Days of an
extension are days of the calendar: the same time of the clock, so many days later. A date without a
time is the end of that day, and one without a zone is in the zone of `late.time_zone`.

Reading forgives a mark of the encoding, semicolons or tabs, spaces, capital letters and the ways in
which spreadsheets write dates. What could be read in two ways is a fault, and all faults are told.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from pcn_course.course import Course
from pcn_course.files import UserError
from pcn_course.grading.late.values import (
    LENGTH,
    Amount,
    Length,
    ValueFault,
    read_amount,
    read_due,
    read_length,
)
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.ids import SHORTENED, id_key, is_shortened
from pcn_course.spreadsheets import Row, Sheet, key, read_sheet, unguarded

FILE = "late.csv"
COLUMNS = ("what", "student", "step", "value")
ALL = "all"
T = TypeVar("T")


class Fault(msgspec.Struct, frozen=True):
    """Something in the file that can't be used. ``column`` is empty where it is the whole line."""

    path: Path
    line: int
    column: str
    plain: str

    def __str__(self) -> str:
        """The place, what is wrong, and the remedy."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.path}, line {self.line}{column}: {self.plain}"


class LateError(LmsError):
    """The file holds faults; nothing was changed. ``faults`` are all of them, as sentences."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join([*faults, "Nothing was changed."]))
        self.faults = faults


class Extension(msgspec.Struct, frozen=True):
    """One line: so much more time, or a new due date (UTC)."""

    line: int
    student: str
    step: str
    until: Length | dt.datetime


class Rules(msgspec.Struct, frozen=True):
    """What a file says. Steps are ids, or :data:`ALL`."""

    zone: ZoneInfo | None = None
    grace: dict[str, Length] = {}
    penalty: dict[str, Amount] = {}
    cap: dict[str, Amount] = {}
    extensions: tuple[Extension, ...] = ()

    def more_time(self, student: str, step: str, due: dt.datetime) -> dt.timedelta:
        """By how much a student's due date is later than everybody's, which is ``due`` in UTC."""
        found = [due]
        for one in self.extensions:
            if id_key(one.student) == id_key(student) and one.step in (step, ALL):
                until = one.until
                found.append(until.after(due, self.zone) if isinstance(until, Length) else until)
        return max(found) - due

    def days(self, step: str, late: dt.timedelta) -> int:
        """The days that count: those begun since the due date; none while it is within grace."""
        seconds = int(late.total_seconds())
        if seconds <= _of(self.grace, step, Length()).time.total_seconds():
            return 0
        return -(-seconds // 86_400)

    def taken(self, step: str, days: int, out_of: float) -> float:
        """The points that so many days take of a step that can give ``out_of`` points."""
        points = days * _of(self.penalty, step, Amount(0)).points(out_of)
        cap = _of(self.cap, step, Amount(100, percent=True)).points(out_of)
        return round(min(points, cap, out_of), 4)


def read_rules(path: Path, course: Course, zone: ZoneInfo | None) -> Rules:
    """What ``path`` says; no rules and no extensions where there is no such file.

    Raises:
        LateError: it holds faults, all of which are told.
    """
    if not path.exists():
        return Rules(zone)
    try:
        if path.is_file() and not path.read_bytes().strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n,;"):
            raise LmsError(
                f"{path} is empty. Delete it, or let it begin with the line {','.join(COLUMNS)}."
            )
        reader = _Reader(read_sheet(path), course, zone)
    except (UserError, OSError) as error:
        raise LateError((str(error),)) from error
    rules = reader.rules()
    if reader.faults:
        in_order = sorted(reader.faults, key=lambda fault: fault.line)
        raise LateError(tuple(str(fault) for fault in in_order))
    return rules


def example(course: Course) -> str:
    """A file to start from, with a step of this course."""
    step = course.steps[0].id
    return (
        "what,student,step,value\n"
        "grace,,all,2 hours\n"
        "penalty,,all,10% per day\n"
        "cap,,all,50%\n"
        f"extension,ada,{step},3 days\n"
        f"extension,ben,{step},2027-02-01 18:00\n"
    )


class _Line(msgspec.Struct, frozen=True):
    """One line without a fault."""

    what: str
    student: str
    step: str
    value: Length | Amount | dt.datetime


class _Reader:
    """Goes through a table, line by line, and notes faults rather than stop at the first."""

    def __init__(self, sheet: Sheet, course: Course, zone: ZoneInfo | None) -> None:
        self.sheet = sheet
        self.course = course
        self.zone = zone
        self.faults: list[Fault] = []
        self.places = {
            name: place
            for name in (*COLUMNS, "note")
            for place in [sheet.column(name, *_HEADERS.get(name, ()))]
            if place is not None
        }
        self.steps = {ALL: ALL, "allsteps": ALL, "everystep": ALL}
        for step in course.steps:
            for word in (step.id, step.name, str(step.number), f"step {step.number}"):
                self.steps[key(word)] = step.id

    def rules(self) -> Rules:
        """Return the rules that the lines hold."""
        self._check_header()
        if self.faults:
            return Rules(self.zone)
        said: dict[tuple[str, ...], int] = {}
        grace: dict[str, Length] = {}
        amounts: dict[str, dict[str, Amount]] = {"penalty": {}, "cap": {}}
        extensions: list[Extension] = []
        for row in self.sheet.rows:
            line = self._line(row)
            if line is None:
                continue
            where = line.what, id_key(line.student), line.step
            if where in said:
                self._fault(
                    row, "", f"This is said in line {said[where]} already, for the same step. "
                    "Delete one of the two lines.",
                )  # fmt: skip
                continue
            said[where] = row.line
            match line.value:
                case Amount() as amount:
                    amounts[line.what][line.step] = amount
                case Length() as length if line.what == "grace":
                    grace[line.step] = length
                case until:
                    extensions.append(Extension(row.line, line.student, line.step, until))
        return Rules(self.zone, grace, amounts["penalty"], amounts["cap"], tuple(extensions))

    def _fault(self, row: Row | None, column: str, plain: str) -> None:
        self.faults.append(Fault(self.sheet.path, row.line if row else 1, column, plain))

    def _check_header(self) -> None:
        if missing := [name for name in COLUMNS if name not in self.places]:
            self._fault(
                None, "", f"There is no column {', '.join(missing)}. The first line has to be "
                f"{','.join(COLUMNS)} (and note, if you like).",
            )  # fmt: skip
            return
        for place, header in enumerate(self.sheet.header):
            if place not in self.places.values() and (
                header.strip() or any(row.cells[place].strip() for row in self.sheet.rows)
            ):
                self._fault(
                    None, header.strip() or str(place + 1), "Nothing reads this column. Delete it, "
                    "or give it the heading note.",
                )  # fmt: skip

    def _line(self, row: Row) -> _Line | None:
        """What one line says; ``None`` where it holds a fault."""
        cells = {
            name: " ".join(unguarded(row.cells[place].strip()).split())
            for name, place in self.places.items()
        }
        before = len(self.faults)
        what = _WHAT.get(key(cells["what"]))
        if what is None:
            self._fault(
                row, "what", f"“{cells['what']}” is none of the words that stand here. Write "
                "grace, penalty, cap or extension.",
            )  # fmt: skip
            return None
        student = cells["student"]
        if is_shortened(student):
            self._fault(row, "student", f"“{student}” {SHORTENED}")
        if what == "extension" and not student:
            self._fault(row, "student", "An extension needs its student. Write the student's id.")
        if what != "extension" and student:
            self._fault(
                row, "student", f"The {what} is the same for everybody. Leave this empty, or write "
                "extension under what.",
            )  # fmt: skip
        step = ALL if cells["step"] == "*" else self.steps.get(key(cells["step"]))
        if step is None:
            ids = ", ".join(one.id for one in self.course.steps)
            said = f"The course has no step “{cells['step']}”." if cells["step"] else "It is empty."
            self._fault(row, "step", f"{said} Write all, or one of {ids}.")
        value = self._value(row, what, cells["value"])
        if step is None or value is None or len(self.faults) > before:
            return None
        return _Line(what, student, step, value)

    def _value(self, row: Row, what: str, text: str) -> Length | Amount | dt.datetime | None:
        try:
            if not text:
                raise ValueFault(f"It is empty. Write it as in “{_SAMPLES[what]}”.")
            match what:
                case "grace":
                    return read_length(text)
                case "penalty" | "cap":
                    return self._amount(text)
            if re.fullmatch(r"\d+", text):
                return read_length(f"{text} days")
            return read_length(text) if LENGTH.fullmatch(text) else read_due(text, self.zone)
        except ValueFault as fault:
            self._fault(row, "value", str(fault))
            return None

    def _amount(self, text: str) -> Amount:
        amount = read_amount(text)
        most = 100.0 if amount.percent else self.course.rubric.points
        if amount.number > most:
            unit = "percent" if amount.percent else "points"
            raise ValueFault(f"“{text}” is more than there is: a step has {most:g} {unit}.")
        return amount


_HEADERS = {"student": ("student id",), "note": ("notes", "reason", "comment")}
_WHAT = {
    "grace": "grace", "graceperiod": "grace",
    "penalty": "penalty", "penaltyperday": "penalty",
    "cap": "cap", "maximum": "cap",
    "extension": "extension",
}  # fmt: skip
_SAMPLES = {"grace": "2 hours", "penalty": "10%", "cap": "50%", "extension": "3 days"}


def _of(by_step: Mapping[str, T], step: str, otherwise: T) -> T:
    """What counts for a step: its own line, else the one of all steps."""
    return by_step.get(step, by_step.get(ALL, otherwise))

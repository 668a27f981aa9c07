"""The class as a whole: the page's side in Python. It reads and never writes.

Every table on the page is one of `pcn_course.grading.cohort`, with headings; its chart and its CSV
file are made of the same cells.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.assets import loader
from pcn_course.course import CourseError
from pcn_course.grading import cohort
from pcn_course.grading.cohort import FEWER, NOT_SHOWN, Class
from pcn_course.grading.cohort.tables import GAP_STATES, gaps_of, tools_of
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.spreadsheets import csv_bytes
from pcn_course.widgets import protocol
from pcn_course.widgets.base import Desk, Reply, log

WORKSPACES = "PCN_WORKSPACES"
"""Names the folder of the students' workspaces, where an instructor may see them."""
OUR_FAULT = "Something went wrong on our side. Nothing was changed. Reload this page."
NO_GRADEBOOK = (
    "The gradebook can't be reached just now. Nothing was changed. Try again in a moment."
)
_PRIVACY = (
    f"This part is no matter of marks. A count of {FEWER} students is not told, and where it could "
    f"be found by subtraction, neither is the count beside it (“{NOT_SHOWN}”). In a small class "
    "little is left to tell."
)


class People(protocol.Message, frozen=True, kw_only=True, tag="people"):
    """The students by name, and where each is."""


class Take(protocol.Message, frozen=True, kw_only=True, tag="take"):
    """A table as a CSV file."""

    what: protocol.Word


Request = protocol.Open | People | Take


class Column(msgspec.Struct, frozen=True):
    """A column. ``kind``: ``step`` and ``head`` name the row; ``share`` is in percent."""

    label: str
    kind: str = "number"


class Series(msgspec.Struct, frozen=True):
    """One kind of mark in a chart: a name, a short one for the mark, a number for each bar."""

    name: str
    short: str
    values: list[float | None]


class Chart(msgspec.Struct, frozen=True):
    """Bars, lying, from the top: ``stack`` puts the series in a row, else they are side by side.

    ``groups`` gathers bars under a heading. A value of ``None`` is one that is not shown; ``gaps``
    says what then stands there, series by series.
    """

    lines: list[str]
    series: list[Series]
    stack: bool
    unit: str
    groups: list[str] | None = None
    gaps: list[list[str]] | None = None


class Table(msgspec.Struct, frozen=True):
    """A table as it is shown. A cell is a number, text or ``None``."""

    id: str
    caption: str
    columns: list[Column]
    rows: list[list[Any]]
    chart: Chart | None = None

    @property
    def csv(self) -> bytes:
        """The same, for a spreadsheet."""
        return csv_bytes([column.label for column in self.columns], self.rows)


class Section(msgspec.Struct, frozen=True):
    """A part of the page. ``empty`` says why there is no table yet."""

    title: str
    intro: str
    tables: list[Table]
    note: str = ""
    empty: str = ""


class Cohort(Desk):
    """The class of a room. Nothing is read before a page asks."""

    _asset = "cohort"
    _esm = loader("cohort")
    _takes: ClassVar[Any] = Request

    def __init__(self, room: Room | None = None, workspaces: Path | None = None) -> None:
        super().__init__("cohort")
        self._given = room
        self._workspaces = workspaces
        self._read: Class | None = None
        self._made: list[Section] = []
        self._tables: dict[str, Table] = {}

    def _answer(self, message: protocol.Message) -> None:
        try:
            reply = self._reply(message)
        except RoomError as error:
            reply = {"type": "problem", "message": error.plain}
        except CourseError as error:
            reply = {"type": "problem", "message": str(error)}
        except SQLAlchemyError:
            log.exception("%s: the gradebook failed", self._called)
            reply = {"type": "problem", "message": NO_GRADEBOOK}
        except Exception:  # noqa: BLE001 (whatever it is, the page is told in plain words)
            log.exception("%s: the answer to %s failed", self._called, type(message).__name__)
            reply = {"type": "problem", "message": OUR_FAULT}
        self.send({**reply, "client": message.client})

    def _reply(self, message: protocol.Message) -> Reply:
        cls = None if isinstance(message, protocol.Open) else self._read
        if cls is None:
            cls = cohort.read_class(self._room(), self._workspaces or _workspaces())
            made = sections(cls)
            # What is taken along is what was shown, whatever has come in since.
            self._tables = {table.id: table for one in made for table in one.tables}
            self._tables["people"] = people_table(cls)
            self._read, self._made = cls, made
        match message:
            case Take():
                return self._file(cls, message.what)
            case People():
                return {"type": "people", "table": msgspec.to_builtins(self._tables["people"])}
        return {
            "type": "class",
            "title": cls.course.title,
            "students": len(cls.students),
            "submissions": len(cls.submissions),
            "at": cls.at.isoformat(),
            "sections": msgspec.to_builtins(self._made),
        }

    def _file(self, cls: Class, what: str) -> Reply:
        table = self._tables.get(what)
        if table is None:
            return {"type": "problem", "message": "There is no such table. Reload this page."}
        return {
            "type": "file",
            "filename": f"{cls.course.id}-{table.id}.csv",
            "mime": "text/csv",
            "data": base64.b64encode(table.csv).decode(),
        }

    def _room(self) -> Room:
        if self._given is None:
            self._given = open_room()
        return self._given


def open_cohort() -> Cohort:
    """The class of the room in the current folder."""
    return Cohort()


def _workspaces() -> Path | None:
    named = os.environ.get(WORKSPACES)
    return Path(named) if named else None


# ---- The parts of the page -----------------------------------------------------------------------


def sections(cls: Class) -> list[Section]:
    """All parts of the page, in order."""
    return [
        _progress(cls),
        _levels(cls),
        _open_prompts(cls),
        _gaps(cls),
        _tools(cls),
        _minutes(cls),
    ]


def _progress(cls: Class) -> Section:
    frame = cohort.progress(cls)
    columns = {
        "title": Column("Step", "step"),
        "handed_in": Column("Handed in"),
        "late": Column("Of these late"),
        "covered": Column("Of these already covered"),
        "not_in": Column("Not handed in"),
    }
    intro = (
        "Handed in is what the gradebook has or what was collected; extensions count. “Already "
        "covered” are those who show that another process of theirs meets the step’s aim."
    )
    if cls.workspaces is not None:
        columns |= {
            "ready": Column("Of these ready"),
            "started": Column("Of these started"),
            "nothing": Column("Of these without an answer yet"),
        }
    else:
        intro += (
            " Who has started is seen where the students’ workspaces are in a folder that you can "
            "read: start this by “pcn grade --workspaces” and that folder."
        )
    columns["overdue"] = Column("Of these past the date")
    if cls.workspaces is None:
        parts = [("Not handed in", "not in", frame["not_in"])]
    else:
        parts = [
            ("Ready, not handed in", "ready", frame["ready"]),
            ("Started", "started", frame["started"]),
            ("Without an answer yet", "nothing", frame["nothing"]),
        ]
    chart = Chart(
        lines=_texts(frame["title"]),
        series=[
            Series("Handed in on time", "on time", _numbers(frame["handed_in"] - frame["late"])),
            Series("Handed in late", "late", _numbers(frame["late"])),
            *(Series(name, short, _numbers(values)) for name, short, values in parts),
        ],
        stack=True,
        unit="students",
    )
    caption = f"Of {_count(len(cls.students), 'student')}: who is where in each step"
    table = _table_of("progress", caption, frame, columns, chart)
    return Section("Where everybody is", intro, [table])


def _levels(cls: Class) -> Section:
    frame = cohort.levels(cls)
    points = [one for one in frame.columns if isinstance(one, float)]
    names = _level_names(cls, points)
    columns: dict[Any, Column] = {
        "title": Column("Step", "step"),
        "criterion_title": Column("Criterion", "head"),
        **{one: Column(names[one]) for one in points},
    }
    if int(frame["between"].sum()):
        columns["between"] = Column("Between levels")
    columns |= {"unmarked": Column("Not marked yet"), "mean": Column("Mean points")}
    chart = Chart(
        lines=_texts(frame["criterion_title"]),
        groups=_texts(frame["title"]),
        series=[
            *(Series(names[one], f"{one:g}", _numbers(frame[one])) for one in points),
            *(
                [Series("Between levels", "between", _numbers(frame["between"]))]
                if "between" in columns
                else []
            ),
            Series("Not marked yet", "unmarked", _numbers(frame["unmarked"])),
        ],
        stack=True,
        unit="submissions",
    )
    return Section(
        "Levels by step",
        "How many submissions reached each level of each criterion, as the gradebook has it.",
        [_table_of("levels", "Submissions by level", frame, columns, chart)],
        empty="" if len(cls.marks) else "Nothing is in the gradebook yet: collect and autograde.",
    )


def _level_names(cls: Class, points: Iterable[float]) -> dict[float, str]:
    """A heading for each number of points: with the level's name where all criteria share it."""
    found = {}
    for one in points:
        names = {
            level.name
            for criterion in cls.course.rubric.criteria
            for level in criterion.levels
            if level.points == one
        }
        found[one] = f"{one:g} · {names.pop()}" if len(names) == 1 else f"{one:g}"
    return found


def _open_prompts(cls: Class) -> Section:
    frame = cohort.open_prompts(cls)
    columns = {
        "title": Column("Step", "step"),
        "label": Column("Question", "head"),
        "open": Column("Left open"),
        "answered": Column("Answered"),
        "share": Column("Left open, %", "share"),
    }

    def table(what: str, caption: str, part: pd.DataFrame) -> Table:
        chart = Chart(
            lines=_texts(part["label"]),
            groups=_texts(part["title"]),
            series=[Series("Left open", "", _numbers(part["share"]))],
            stack=False,
            unit="left open, %",
            gaps=[[one if isinstance(one, str) else "" for one in part["open"]]],
        )
        return _table_of(what, caption, part, columns, chart)

    return Section(
        "Questions left open",
        "Among those who handed the step in. Whoever uses the “already covered” route leaves the "
        "step’s own questions open for a good reason.",
        [
            table("open", "Questions that structure points depend on", frame[frame["graded"]]),
            table("open-others", "Questions that may stay open", frame[~frame["graded"]]),
        ],
        note=f"The first table is about points, and exact. Of the second, {FEWER} is not told, "
        f"and what would tell it by subtraction is “{NOT_SHOWN}”.",
        empty=_nothing(cls),
    )


def _gaps(cls: Class) -> Section:
    frame = cohort.gaps(cls)
    of = gaps_of(cls)
    words = {
        "gap": "Nobody on the list",
        "perhaps": "Perhaps somebody",
        "held": "Somebody holds it",
        "none": "No need of it",
    }
    chart = Chart(
        lines=_texts(frame["group"]),
        series=[Series(words[one], words[one], _numbers(frame[one])) for one in GAP_STATES],
        stack=True,
        unit="students",
        gaps=[[one if isinstance(one, str) else "" for one in frame[key]] for key in GAP_STATES],
    )
    columns = {"group": Column("Kind of knowledge", "head")} | {
        one: Column(words[one]) for one in GAP_STATES
    }
    caption = (
        f"Of {_count(of, 'student')} who handed in both what they need and who they know: is a "
        "need met? With several needs of a kind, the one that is furthest from it counts."
    )
    return Section(
        "What the networks lack",
        "The knowledge that projects need, against the people whom students list: where many have "
        "nobody, a guest or an introduction may help all.",
        [_table_of("gaps", caption, frame, columns, chart)],
        note=_PRIVACY,
        empty="" if of else "Nobody has handed in both steps yet.",
    )


def _tools(cls: Class) -> Section:
    frame = cohort.tools(cls)
    of = tools_of(cls)
    words = {"chosen": "Chosen", "known": "Known", "wanted": "Worth learning"}
    keys = list(words)
    told = frame[[any(isinstance(one, int) for one in row) for row in frame[keys].to_numpy()]]
    chart = Chart(
        lines=_texts(told["label"]),
        series=[Series(words[key], words[key], _numbers(told[key])) for key in keys],
        stack=False,
        unit="students",
        gaps=[[one if isinstance(one, str) else "" for one in told[key]] for key in keys],
    )
    columns = {"label": Column("Tool", "head")} | {key: Column(words[key]) for key in words}
    caption = f"Of {_count(of, 'student')} who handed in the step on tools. Those most chosen first"
    return Section(
        "Tools",
        "What students know, would like to learn, and decided for. A tool that nobody chose is no "
        "fault of anybody’s.",
        [_table_of("tools", caption, frame, columns, chart)],
        note=_PRIVACY,
        empty="" if of else "Nobody has handed in the step on tools yet.",
    )


def _minutes(cls: Class) -> Section:
    frame = cohort.minutes(cls)
    chart = Chart(
        lines=_texts(frame["title"]),
        series=[
            Series("Minutes estimated", "estimated", _numbers(frame["estimated"])),
            Series("Minutes named as wasted, median", "named", _numbers(frame["median"])),
        ],
        stack=False,
        unit="minutes",
        gaps=[[""] * len(frame), ["" if one == one else NOT_SHOWN for one in frame["median"]]],  # noqa: PLR0124
    )
    columns = {
        "title": Column("Step", "step"),
        "estimated": Column("Minutes estimated"),
        "handed_in": Column("Handed in"),
        "said": Column("Say what wasted their time"),
        "named": Column("Of these, name minutes"),
        "median": Column("Minutes named, median"),
    }
    caption = "Minutes that a step is meant to take, and what students say wasted their time"
    return Section(
        "Time",
        "The course’s own estimate beside “What in this step wasted your time?”. Of each answer "
        "the largest number of minutes that it names counts; the words are in the submissions.",
        [_table_of("minutes", caption, frame, columns, chart)],
        note=_PRIVACY,
        empty=_nothing(cls),
    )


def people_table(cls: Class) -> Table:
    """The students by name, and where each is in each step."""
    frame = cohort.people(cls)
    columns = {"name": Column("Name", "head"), "student": Column("Id", "text")} | {
        step.id: Column(f"{step.number} · {step.short}", "text") for step in cls.course.steps
    }
    return _table_of("people", "Students by name: where each is", frame, columns, None)


# ---- Cells ---------------------------------------------------------------------------------------


def _table_of(
    what: str, caption: str, frame: pd.DataFrame, columns: dict[Any, Column], chart: Chart | None
) -> Table:
    cells = [[_plain(one) for one in frame[key]] for key in columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return Table(what, caption, list(columns.values()), rows, chart)


def _plain(value: Any) -> Any:
    """A cell as a number, text or ``None``, of Python's own types."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _numbers(cells: Iterable[Any]) -> list[float | None]:
    """Cells as a chart takes them: what is not shown is ``None``."""
    return [None if isinstance(one := _plain(cell), str) else one for cell in cells]


def _texts(cells: Sequence[Any] | pd.Series) -> list[str]:
    return [str(cell) for cell in cells]


def _nothing(cls: Class) -> str:
    return "" if cls.told else "Nobody has handed in yet."


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"

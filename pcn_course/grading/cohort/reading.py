"""One reading of everything: the gradebook in a few queries, and all answers that were handed in.

What the tables need of a file of answers is kept in ``.pcn/cohort.cache`` of the room, by the
file's path, time and size, so that the next visit reads only what is new. It holds choices and
whether something was said, and no free text. Delete it at any time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import pandas as pd
from nbgrader import api
from sqlalchemy import Connection, select

from pcn_course.answers.store import FILE, Submitted, read_submitted
from pcn_course.answers.structure import check
from pcn_course.answers.values import rows_of, ticked
from pcn_course.characters import no_answer, printable
from pcn_course.course import Course, Step
from pcn_course.files import write_whole
from pcn_course.grading.gradebook.room import Room, is_plain
from pcn_course.grading.gradebook.scores import read_marks

FORMAT = 2
TOOL_PROMPTS = ("tools-known", "tools-wanted", "tools-chosen")
WASTED = "wasted-time"
_NETWORK = {"goals": ("expertise-that-helps",), "connections": ("people", "ties", "your-sector")}
_CODED = frozenset(
    {"id", "group", "sector", "place", "kinds", "closeness", "meets", "status", "one", "other"}
    | {"kind"}
)
"""Columns whose values count. Of all others it only matters whether something stands there."""
_SAID = "x"
_log = logging.getLogger("pcn_course")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one file of answers tells the tables.

    ``answered`` are the keys of prompts with an answer, ``later`` those of prompts that were not
    asked when the answers were written; ``ready`` says that nothing required is
    open; ``covered`` that another process covers the step; ``tools`` are the choices by prompt;
    ``network`` the answers that needs and ties are read from, their free text taken out;
    ``minutes`` the largest number of minutes named in "what wasted your time".
    """

    answered: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    ready: bool = False
    covered: bool = False
    tools: dict[str, tuple[str, ...]] = {}
    network: dict[str, Any] = {}
    minutes: float | None = None


@dataclass(frozen=True)
class Class:
    """A class as it stood at ``at``.

    ``students``: student, name. ``submissions``, one row for each that was handed in: student,
    step, handed_in (UTC, or NaT), seconds_late. ``marks``, one row for each score of a criterion:
    student, step, criterion, points (NaN: none yet), open. ``answers``, one row for each submission
    and prompt that is not private: student, step, prompt, open. ``overdue``: who has not handed in
    what is due: student, step. ``due`` has each step's date (UTC, naive) without extensions.
    ``told`` has what submissions tell, ``workspaces`` what is being written, by student and step;
    the latter is ``None`` where workspaces can't be seen.
    """

    course: Course
    at: dt.datetime
    students: pd.DataFrame
    submissions: pd.DataFrame
    marks: pd.DataFrame
    answers: pd.DataFrame
    overdue: pd.DataFrame
    due: Mapping[str, dt.datetime | None]
    told: Mapping[tuple[str, str], Told]
    workspaces: Mapping[tuple[str, str], Told] | None


def read_class(
    room: Room, workspaces: Path | None = None, *, at: dt.datetime | None = None
) -> Class:
    """Read the whole class; nothing is changed but the cache.

    ``workspaces`` is a folder with the students' workspaces, each named by its student's id (the
    workspace itself, or a folder that holds it as ``workspace``).

    Raises:
        RoomError: the gradebook can't be opened.
    """
    at = at or dt.datetime.now(dt.UTC)
    course = room.course
    with room.engine.connect() as connection:
        names, due, given = _gradebook(connection)
    files = dict(_submitted(room))
    students = pd.DataFrame(
        [(one, names.get(one, one)) for one in sorted({*names, *(who for who, _ in files)})],
        columns=["student", "name"],
    )
    seen = _workspace_files(course, workspaces, students["student"]) if workspaces else {}
    with _Cache(room.root / ".pcn" / "cohort.cache", course) as cache:
        told = {key: cache.told(path, key[1]) for key, path in files.items()}
        written = {key: cache.told(path, key[1]) for key, path in seen.items()}
    due = {step.id: due.get(step.id) or _naive(step.due) for step in course.steps}
    submissions, overdue = _handed_in(course, students["student"], files, due, given, at)
    return Class(
        course=course,
        at=at,
        students=students,
        submissions=submissions,
        marks=_marks(room),
        answers=_answers(course, told),
        overdue=overdue,
        due=due,
        told=told,
        workspaces=written if workspaces else None,
    )


# ---- The gradebook -------------------------------------------------------------------------------

Given = dict[tuple[str, str], tuple[dt.datetime | None, dt.timedelta]]


def _gradebook(
    connection: Connection,
) -> tuple[dict[str, str], dict[str, dt.datetime | None], Given]:
    """Names by student; due dates by step; time and extension by student and step. UTC, naive."""
    student, step, one = (
        kind.__table__ for kind in (api.Student, api.Assignment, api.SubmittedAssignment)
    )
    names = {
        row.id: f"{row.first_name or ''} {row.last_name or ''}".strip() or row.id
        for row in connection.execute(
            select(student.c.id, student.c.first_name, student.c.last_name)
        )
    }
    due = {row.name: row.duedate for row in connection.execute(select(step.c.name, step.c.duedate))}
    wanted = select(one.c.student_id, step.c.name, one.c.timestamp, one.c.extension).join(
        step, step.c.id == one.c.assignment_id
    )
    given = {
        (row.student_id, row.name): (row.timestamp, row.extension or dt.timedelta())
        for row in connection.execute(wanted)
    }
    return names, due, given


def _marks(room: Room) -> pd.DataFrame:
    criteria = {criterion.id for criterion in room.course.rubric.criteria}
    rows = [
        (row.student, row.step, row.criterion, row.points, row.open)
        for row in read_marks(room)
        if row.criterion in criteria
    ]
    frame = pd.DataFrame(rows, columns=["student", "step", "criterion", "points", "open"])
    return frame.astype({"points": "float64", "open": "bool"})


def _handed_in(
    course: Course,
    students: Iterable[str],
    files: Mapping[tuple[str, str], Path],
    due: Mapping[str, dt.datetime | None],
    given: Given,
    at: dt.datetime,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Who handed in what, and who has not although it is due."""
    came, missing = [], []
    now = _naive(at)
    for student in students:
        for step in course.steps:
            key = student, step.id
            when, more = given.get(key, (None, dt.timedelta()))
            until = due[step.id]
            until = until + more if until else None
            if when is None and key in files:
                when = _timestamp(files[key])
            if when is not None or key in files:
                late = (when - until).total_seconds() if when and until else 0.0
                came.append((*key, when, max(0.0, late)))
            elif until and now and until < now:
                missing.append(key)
    submissions = pd.DataFrame(came, columns=["student", "step", "handed_in", "seconds_late"])
    submissions["handed_in"] = pd.to_datetime(submissions["handed_in"], utc=True)
    return submissions, pd.DataFrame(missing, columns=["student", "step"])


def _naive(when: dt.datetime | None) -> dt.datetime | None:
    """As nbgrader keeps times: UTC, and not said so."""
    return when.astimezone(dt.UTC).replace(tzinfo=None) if when else None


def _timestamp(answers: Path) -> dt.datetime | None:
    """When a submission came that is not graded yet, as collecting wrote it down."""
    path = answers.parent / "timestamp.txt"
    try:
        words = path.read_text("utf-8")[:100].strip() if is_plain(path) else ""
        when = dt.datetime.fromisoformat(words.removesuffix(" UTC"))
        return _naive(when if when.tzinfo else when.replace(tzinfo=dt.UTC))
    except (OSError, ValueError, OverflowError):
        return None


# ---- Answers -------------------------------------------------------------------------------------


def _submitted(room: Room) -> Iterator[tuple[tuple[str, str], Path]]:
    """The answers of all submissions that were collected, by student and step."""
    steps = {step.id for step in room.course.steps}
    for student in _folders(room.submitted):
        for step in _folders(student.path):
            if step.name in steps:
                yield (student.name, step.name), Path(step.path, FILE)


def _workspace_files(
    course: Course, workspaces: Path, students: Iterable[str]
) -> dict[tuple[str, str], Path]:
    found = {}
    shut = set()
    for student in students:
        for root in (workspaces / student, workspaces / student / "workspace"):
            for step in course.steps:
                path = root / step.id / FILE
                try:
                    if stat.S_ISREG(path.lstat().st_mode):
                        found[student, step.id] = path
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError:
                    shut.add(student)
    if shut:
        _log.warning("Workspaces that can't be looked into: %s", printable(", ".join(sorted(shut))))
    return found


def _folders(path: str | Path) -> list[os.DirEntry[str]]:
    """The folders in a folder, no links and nothing hidden; none where it can't be read."""
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        return sorted(
            (
                one
                for one in entries
                if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")
            ),
            key=lambda one: one.name,
        )
    return []


def _answers(course: Course, told: Mapping[tuple[str, str], Told]) -> pd.DataFrame:
    asked = {
        step.id: [prompt.key for prompt in step.prompts if not prompt.private]
        for step in course.steps
    }
    columns: tuple[list[str], list[str], list[str], list[bool]] = ([], [], [], [])
    for (student, step), one in told.items():
        keys, answered = [key for key in asked[step] if key not in one.later], set(one.answered)
        columns[0].extend([student] * len(keys))
        columns[1].extend([step] * len(keys))
        columns[2].extend(keys)
        columns[3].extend([key not in answered for key in keys])
    names = ["student", "step", "prompt", "open"]
    return pd.DataFrame(dict(zip(names, columns, strict=True))).astype({"open": "bool"})


def tell(step: Step, answers: Submitted) -> Told:
    """What the answers of a step tell, without their free text."""
    values = {key: field.value for key, field in answers.fields.items()}
    answered = tuple(
        prompt.key
        for prompt in step.prompts
        if not prompt.private and not prompt.is_empty(values.get(prompt.key))
    )
    then = answers.step or step
    checked = check(then, answers.fields)
    asked = {prompt.key for prompt in then.prompts}
    return Told(
        answered=answered,
        later=tuple(prompt.key for prompt in step.prompts if prompt.key not in asked),
        ready=checked.covered or not checked.open,
        covered=checked.covered,
        tools={key: ticked(values, key) for key in TOOL_PROMPTS if key in asked},
        network={key: _slim(values.get(key)) for key in _NETWORK.get(step.name, ())},
        minutes=_minutes_named(values.get(WASTED)) if WASTED in asked else None,
    )


def _slim(value: Any) -> Any:
    """A table's rows with free text taken out; any other value as it is."""
    if not isinstance(value, list):
        return value
    return [
        {key: _cell(key, one) for key, one in row.items() if not key.endswith("-shown")}
        for row in rows_of(value)
    ]


def _cell(key: str, value: Any) -> Any:
    if key in _CODED:
        return value
    return None if no_answer(value) or not value else _SAID


_COUNTS = {
    "half an": 0.5,
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "twenty-five": 25,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
}
_WORDS = "|".join(sorted(_COUNTS, key=len, reverse=True))
_NAMED = re.compile(
    rf"\b(\d{{1,3}}|{_WORDS})[\s-]+(minutes?|mins?|hours?)\b|\b(\d{{1,3}})(min|h)\b",
    re.IGNORECASE,
)
_MOST = 600.0


def _minutes_named(text: Any) -> float | None:
    """The largest number of minutes that a text names; ``None`` where it names none."""
    if not isinstance(text, str):
        return None
    found = []
    for number, unit, short, letter in _NAMED.findall(text[:20_000]):
        said, per = (number or short).lower(), (unit or letter).lower()
        count = float(said) if said.isdecimal() else float(_COUNTS[said])
        named = count * (60 if per.startswith("h") else 1)
        if 0 < named <= _MOST:
            found.append(named)
    return max(found, default=None)


# ---- What was read before ------------------------------------------------------------------------


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What a file told, and the file's time (ns) and size when it did."""

    time: int
    size: int
    told: Told


class _File(msgspec.Struct, array_like=True):
    format: int
    course: str
    kept: dict[str, _Kept]


class _Cache:
    """Files that were read before, for the time of one reading; a fault in it costs nothing."""

    def __init__(self, path: Path, course: Course) -> None:
        self._path = path
        self._course = course
        # What is asked decides what counts as an answer.
        self._stamp = hashlib.sha256(msgspec.msgpack.encode((course.id, course.steps))).hexdigest()
        self._before: dict[str, _Kept] = {}
        self._now: dict[str, _Kept] = {}

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError, msgspec.MsgspecError, ValueError):
            file = msgspec.msgpack.decode(self._path.read_bytes(), type=_File)
            if (file.format, file.course) == (FORMAT, self._stamp):
                self._before = file.kept
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind or self._now == self._before:
            return
        with contextlib.suppress(OSError):
            file = _File(FORMAT, self._stamp, self._now)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, msgspec.msgpack.encode(file))
            self._path.chmod(0o600)

    def told(self, path: Path, step: str) -> Told:
        """What the answers in ``path`` tell; nothing where there are none."""
        try:
            about = path.lstat()
        except OSError:
            return Told()
        if not stat.S_ISREG(about.st_mode):
            return Told()  # a link leads to another's answers, and a pipe to nobody
        key = str(path)
        kept = self._before.get(key)
        if kept is None or (kept.time, kept.size) != (about.st_mtime_ns, about.st_size):
            asked = self._course.step(step)
            told = tell(asked, read_submitted(path, self._course, asked))
            kept = _Kept(about.st_mtime_ns, about.st_size, told)
        self._now[key] = kept
        return kept.told

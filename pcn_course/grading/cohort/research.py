"""A class for research: pseudonyms in place of students, no free text, and a codebook.

A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of a student's id. The key is kept in the
room's ``.pcn`` folder and never stands in what is exported; whoever has both can find everybody
again, and whoever deletes it can not. Only students who consent are in it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import os
import secrets as random_secrets
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from pcn_course.course import Course, Step
from pcn_course.files import UserError, write_whole
from pcn_course.grading.cohort import Class, Told, read_class
from pcn_course.grading.cohort.reading import TOOL_PROMPTS, WASTED
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.scores import MarkRow, read_marks
from pcn_course.grading.lms.ids import SHORTENED, id_key, is_shortened
from pcn_course.grading.notebooks import STRUCTURE
from pcn_course.network import coverage, measures, read_network
from pcn_course.spreadsheets import LineError, SheetError, csv_bytes, read_sheet

CONSENT = "consent.csv"
"""Beside nbgrader_config.py: who consents. Columns ``student`` (id) and ``consent`` (yes or no)."""
SECRET = "research-secret"  # noqa: S105 (a file's name)
MISSING = "NA"
LEAST = 5
"""Students who must be in an export: among fewer a pseudonym hides nobody."""
SHORTEST = 16
"""Bytes that a secret has at least."""
_YES = frozenset({"yes", "y", "true", "1", "agreed"})
_NO = frozenset({"no", "n", "false", "0", "declined", "withdrawn", ""})
_WEEK = 7 * 24 * 3600


class ResearchError(UserError):
    """Nothing was exported. ``plain`` says why and what to do."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported: the files, how many students are in them and how many were left out.

    ``unknown`` are ids in the list of consent that the course does not know; ``alone`` counts the
    students whose weeks and points nobody else has.
    """

    folder: Path
    files: tuple[str, ...]
    students: int
    left_out: int
    unknown: tuple[str, ...]
    alone: int


class Column(msgspec.Struct, frozen=True):
    """A column of the export, as the codebook describes it."""

    file: str
    column: str
    type: str
    unit: str
    values: str
    source: str
    missing: str = "never missing"


def research_export(
    room: Room, folder: Path, *, secret: bytes | None = None, consent: Path | None = None
) -> Exported:
    """Write students.csv, steps.csv, prompts.csv, codebook.csv and README.txt into ``folder``.

    ``consent`` is the list of who consents; without it, ``consent.csv`` of the room. Whoever is not
    in it with a yes is left out. Without a ``secret`` the room's own is used, and made when
    missing, so that a student has the same pseudonym in each export.

    Raises:
        ResearchError: nothing was written.
        RoomError: the gradebook can't be opened.
    """
    kept = room.root / ".pcn" / SECRET
    folder = folder.absolute()
    if kept.resolve().is_relative_to(folder.resolve()):
        raise ResearchError(
            f"{folder} holds the secret that the pseudonyms are made with, or would. Export into a "
            "folder of its own, so that the two never travel together."
        )
    consenting = read_consent(consent or room.root / CONSENT)
    cls = read_class(room)
    known = set(cls.students["student"])
    chosen = sorted(_known_as(known, consenting))
    if len(chosen) < LEAST:
        raise ResearchError(
            f"{len(chosen)} students consent; an export needs {LEAST}: among fewer, a pseudonym "
            "hides nobody. Nothing was written."
        )
    if secret is not None and len(secret) < SHORTEST:
        raise ResearchError(f"A secret has {SHORTEST} bytes or more. Nothing was written.")
    names = _pseudonyms(chosen, secret or _secret(kept))
    tables = {
        "students.csv": _students(cls, names),
        "steps.csv": _steps(cls, names, read_marks(room)),
        "prompts.csv": _prompts(cls, names),
    }
    book = codebook(room.course)
    contents = {
        name: csv_bytes(list(frame.columns), _cells(frame)) for name, frame in tables.items()
    }
    lines = [msgspec.structs.astuple(one) for one in book]
    contents["codebook.csv"] = csv_bytes(list(Column.__struct_fields__), lines)
    alone = _alone(tables["steps.csv"])
    contents["README.txt"] = _readme(room.course, len(chosen), alone).encode()
    try:
        for name, content in contents.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise ResearchError(f"{folder} can't be written to: {error.strerror}.") from error
    return Exported(
        folder=folder,
        files=tuple(contents),
        students=len(chosen),
        left_out=len(known) - len(chosen),
        unknown=tuple(
            sorted(one for one in consenting if id_key(one) not in set(map(id_key, known)))
        ),
        alone=alone,
    )


# ---- Who is in it, and under which name ----------------------------------------------------------


def read_consent(path: Path) -> set[str]:
    """The ids of those who consent. Of somebody with two answers, the no counts.

    Raises:
        ResearchError: there is no such list, or a line of it can't be understood.
    """
    try:
        sheet = read_sheet(path)
        student, answer = sheet.column("student"), sheet.column("consent")
    except LineError as error:
        raise ResearchError(f"{error} Nothing was written.") from error
    except SheetError as error:
        raise ResearchError(
            f"There is no list of who consents at {path} that can be read. Make a CSV file with "
            "the columns student (the id in the gradebook) and consent (yes or no). Whoever is not "
            "in it is left out."
        ) from error
    if student is None or answer is None:
        raise ResearchError(
            f"The first line of {path} names no column “student” or no column “consent”. "
            "Nothing was written."
        )
    yes: set[str] = set()
    no: set[str] = set()
    for row in sheet.rows:
        said = row.cells[answer].strip().lower()
        if said not in _YES | _NO:
            raise ResearchError(
                f"Line {row.line} of {path} says neither yes nor no. Nothing was written."
            )
        who = row.cells[student].strip()
        if is_shortened(who):
            raise ResearchError(
                f"Line {row.line} of {path}: “{who}” {SHORTENED} Nothing was written."
            )
        (yes if said in _YES else no).add(who)
    against = set(map(id_key, no))
    return {one for one in yes if id_key(one) not in against} - {""}


def _known_as(known: set[str], consenting: set[str]) -> set[str]:
    """The students in the course who consent, in whichever spelling of their ids.

    Raises:
        ResearchError: an id could be two students'.
    """
    spelled = {id_key(one) for one in consenting}
    twins = Counter(map(id_key, known))
    for one in sorted(consenting - known):
        if twins[id_key(one)] > 1:
            raise ResearchError(
                f"The list of who consents names {one}, and several students in the course have "
                "an id like it. Write the id as the gradebook has it. Nothing was written."
            )
    return {
        one
        for one in known
        if one in consenting or (id_key(one) in spelled and twins[id_key(one)] == 1)
    }


def _secret(path: Path) -> bytes:
    """The room's secret, made on first use, for its owner's eyes alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise ResearchError(f"{path} can't be written: {error.strerror}.") from error
    else:
        with os.fdopen(handle, "wb") as file:
            file.write(random_secrets.token_hex(32).encode())
    kept = path.read_bytes().strip()
    if len(kept) < SHORTEST:
        raise ResearchError(
            f"{path} should hold the secret, and is too short. Put back a copy, or delete it: then "
            "a new one is made, and pseudonyms are others than before."
        )
    return kept


def _pseudonyms(students: Iterable[str], secret: bytes) -> dict[str, str]:
    """A pseudonym for each student, in the order of the pseudonyms: the ids' order tells things."""
    made = {}
    for student in students:
        digest = hmac.new(secret, student.encode(), hashlib.sha256).digest()
        made[student] = base64.b32encode(digest)[:16].decode().lower()
    return dict(sorted(made.items(), key=lambda pair: pair[1]))


# ---- The tables ----------------------------------------------------------------------------------


def _students(cls: Class, names: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for student, name in names.items():
        told = {
            step: cls.told[student, step.id]
            for step in cls.course.steps
            if (student, step.id) in cls.told
        }
        values = {step.name: one.network for step, one in told.items()}
        row: dict[str, Any] = {"pseudonym": name, "handed_in": len(told)}
        there = {"goals", "connections"} & values.keys()
        found = measures(read_network(values), cls.course)
        for one in found:
            row[_measure(one.key)] = one.value if "connections" in there else None
        needs: Counter[str] = Counter(need.state for need in coverage(cls.course, values).needs)
        both = len(there) == 2
        row["needs"] = needs.total() if "goals" in there else None
        row |= {f"needs_{state}": needs[state] if both else None for state in _STATES}
        row |= {_tools(key): _count(told.values(), key) for key in TOOL_PROMPTS}
        rows.append(row)
    return pd.DataFrame(rows)


_STATES = ("held", "perhaps", "gap")


def _steps(cls: Class, names: Mapping[str, str], marks: Iterable[MarkRow]) -> pd.DataFrame:
    points = {(row.student, row.step, row.criterion): row.points for row in marks}
    criteria = [criterion.id for criterion in cls.course.rubric.criteria]
    frame = cls.submissions
    came = {
        (row.student, row.step): (row.handed_in, row.seconds_late)
        for row in frame.itertuples(index=False)
    }
    rows = []
    for student, name in names.items():
        for step in cls.course.steps:
            key = student, step.id
            if key not in came:
                continue
            when, late = came[key]
            told = cls.told.get(key)
            due = cls.due[step.id]
            row: dict[str, Any] = {
                "pseudonym": name,
                "step": step.id,
                "week": _week(when, due),
                "late": int(late > 0) if due and not pd.isna(when) else None,
                "structure": points.get((*key, STRUCTURE)),
                **{one: points.get((*key, one)) for one in criteria},
                "covered": told and int(told.covered),
                "required_open": told and _required_open(step, told),
                "said_wasted": told and int(WASTED in told.answered),
                "minutes_named": told and told.minutes,
            }
            rows.append(row)
    columns = [one.column for one in codebook(cls.course) if one.file == "steps.csv"]
    return pd.DataFrame(rows, columns=columns)


def _prompts(cls: Class, names: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (name, step.id, prompt.key, int(prompt.key in cls.told[student, step.id].answered))
        for student, name in names.items()
        for step in cls.course.steps
        if (student, step.id) in cls.told
        for prompt in step.prompts
        if not prompt.private
    ]
    return pd.DataFrame(rows, columns=["pseudonym", "step", "prompt", "answered"])


def _week(when: pd.Timestamp, due: Any) -> int | None:
    """Whole weeks from the due date, rounded down: -1 is the last week before it."""
    if due is None or pd.isna(when):
        return None
    since: float = (when.tz_localize(None) - pd.Timestamp(due)).total_seconds()
    return math.floor(since / _WEEK)


def _required_open(step: Step, told: Told) -> int:
    return sum(prompt.key not in told.answered for prompt in step.required)


def _count(told: Iterable[Told], key: str) -> int | None:
    found = [len(one.tools[key]) for one in told if key in one.tools]
    return sum(found) if found else None


def _measure(key: str) -> str:
    return "network_" + key.replace("-", "_")


def _tools(key: str) -> str:
    return key.replace("-", "_")


def _cells(frame: pd.DataFrame) -> list[list[Any]]:
    """Cells of Python's own types, numbers with six digits after the point at most."""
    return [
        [MISSING if pd.isna(one) else round(one, 6) if isinstance(one, float) else one
         for one in row]
        for row in frame.astype(object).itertuples(index=False)
    ]  # fmt: skip


def _alone(steps: pd.DataFrame) -> int:
    """How many students have weeks and points that nobody else has."""
    hidden = ["pseudonym", "said_wasted", "minutes_named"]
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for name, part in steps.groupby("pseudonym"):
        rows[name] = [tuple(row) for row in _cells(part.drop(columns=hidden))]
    times = Counter(str(one) for one in rows.values())
    return sum(times[str(one)] == 1 for one in rows.values())


# ---- What it means -------------------------------------------------------------------------------


def codebook(course: Course) -> tuple[Column, ...]:
    """Every column of every file, in order."""
    gradebook = "nbgrader’s gradebook"
    answers = "the answers that were handed in"
    network = "answers of step 2, by pcn_course.network"
    no_due = f"{MISSING}: the step has no due date, or the time is not known"
    no_answers = f"{MISSING}: no answers were found"
    no_network = f"{MISSING}: not handed in, or it can't be computed (too few people or ties)"
    pseudonym = "16 letters and digits; the same person in all files and exports"

    def name(file: str) -> Column:
        return Column(file, "pseudonym", "text", "", pseudonym, "HMAC-SHA-256 of the student’s id")

    def step(file: str) -> Column:
        ids = ", ".join(one.id for one in course.steps)
        return Column(file, "step", "text", "", ids, "data/course.toml")

    found = [
        name("students.csv"),
        Column("students.csv", "handed_in", "whole number", "steps",
               f"0 to {len(course.steps)}", answers),
    ]  # fmt: skip
    found += [
        Column("students.csv", _measure(one.key), "number", "", f"{one.title}: {one.source}",
               network, no_network) for one in measures(read_network({}), course)
    ]  # fmt: skip
    by = "steps 1 and 2, by pcn_course.network.coverage"
    no_both = f"{MISSING}: one of the two steps was not handed in"
    says = {
        "held": "needs that somebody on the list meets",
        "perhaps": "needs that somebody of the same kind of knowledge may meet",
        "gap": "needs that nobody on the list meets",
    }
    found += [
        Column("students.csv", "needs", "whole number", "needs",
               "0 or more kinds of expertise needed", "step 1",
               f"{MISSING}: step 1 was not handed in"),
        *(Column("students.csv", f"needs_{state}", "whole number", "needs", says[state], by,
                 no_both) for state in _STATES),
        *(Column("students.csv", _tools(key), "whole number", "tools",
                 f"tools ticked in the prompt {key}", "step 3",
                 f"{MISSING}: the step was not handed in") for key in TOOL_PROMPTS),
        name("steps.csv"),
        step("steps.csv"),
        Column("steps.csv", "week", "whole number", "weeks since the due date",
               "rounded down; -1 is the week before it, 0 the week after it; extensions are not "
               "counted", gradebook, no_due),
        Column("steps.csv", "late", "0 or 1", "", "1: after the due date, extensions counted",
               gradebook, no_due),
        Column("steps.csv", "structure", "number", "points",
               f"0 to {course.rubric.structure:g}, given by the machine", gradebook,
               f"{MISSING}: not graded yet"),
    ]  # fmt: skip
    for criterion in course.rubric.criteria:
        levels = "; ".join(f"{level.points:g} = {level.name}" for level in criterion.levels)
        found.append(
            Column("steps.csv", criterion.id, "number", "points", f"{criterion.title}: {levels}",
                   gradebook, f"{MISSING}: not marked yet")
        )  # fmt: skip
    return (
        *found,
        Column("steps.csv", "covered", "0 or 1", "",
               "1: shows that another process covers the step", answers, no_answers),
        Column("steps.csv", "required_open", "whole number", "prompts",
               "required prompts without an answer", answers, no_answers),
        Column("steps.csv", "said_wasted", "0 or 1", "",
               "1: says something in “What in this step wasted your time?”", answers, no_answers),
        Column("steps.csv", "minutes_named", "number", "minutes",
               "the largest number of minutes named there, 600 at most", answers,
               f"{MISSING}: no minutes are named, or no answers were found"),
        name("prompts.csv"),
        step("prompts.csv"),
        Column("prompts.csv", "prompt", "text", "", "the key of a prompt that is not private",
               "data/steps, data/every-step.toml"),
        Column("prompts.csv", "answered", "0 or 1", "", "1: there is an answer, of any length",
               answers),
    )  # fmt: skip


def _readme(course: Course, students: int, alone: int) -> str:
    about = (
        f"In these files are {students} students who said yes to research. Whoever did not is not "
        "in them. Each has a pseudonym in place of a name. Nothing that students wrote in their "
        "own words is here: only which prompts have an answer, choices as counts, points, weeks "
        "and minutes, and measures of networks."
    )
    recognized = (
        "Pseudonyms are not anonymity. Whoever knows some marks of a student, or in which week "
        "something was handed in, may find that student's lines and read the rest. Of these "
        f"{students} students, {alone} have weeks and points that nobody else has. A large "
        "network, a rare number of tools or a very late week stand out as well. Instructors of "
        "the course know marks and can find most students."
    )
    apart = (
        "Pseudonyms are made with a secret, which is not in this folder. Whoever has the secret "
        "and a list of students can tell who is who. Keep it apart, for as few people as "
        "possible, and delete it when nobody has to be found again (to withdraw, for instance). "
        "After that no new export fits this one."
    )
    please = (
        "Please do not try to find out who somebody is, do not join these files with others about "
        "the same people, do not pass them on beyond what the students agreed to, and publish no "
        "count of fewer than five students, nor counts from which one could be found by "
        "subtraction. Delete the files when the study's own plan says so. If a student withdraws, "
        "make the export anew and delete this one."
    )
    parts = (
        f"{course.title}: an export for research",
        textwrap.fill(about, 88),
        _FILES,
        "What remains of the risk that somebody is recognized",
        *(textwrap.fill(one, 88) for one in (recognized, apart, please)),
    )
    return "\n\n".join(parts) + "\n"


_FILES = """\
students.csv   one line for each student: network, needs, tools
steps.csv      one line for each step that was handed in: week, points, open prompts, minutes
prompts.csv    one line for each prompt of these steps: answered or not
codebook.csv   what each column means, its unit, its source, how a missing value looks"""

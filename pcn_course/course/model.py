"""The course as values: what a step asks, what an answer to a prompt looks like."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from pcn_course.characters import no_answer

MAX_TEXT = 2_000_000
"""The most characters one text may have: far above any answer, far below what stalls a page."""

Kind = Literal["line", "text", "choice", "choices", "scale", "date", "time", "table"]
SIMPLE_KINDS = ("line", "text", "choice", "choices", "scale", "date", "time")
TOOLS = "tools"
"""The word in ``options_from`` for the catalogue of tools; every other word there names a table."""
VERSION_LENGTH = 16
"""Hexadecimal digits of a step's or rubric's version."""
LONGEST_ID = 40
"""The most characters that the id of a table's entry has."""
MAX_CHOICES = 1_000
"""The most entries that a list of choices may have, repeated ones included."""


class UnknownStepError(LookupError):
    """The course has no step of that name."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of everything that is read from ``data/``: unchangeable, nothing unknown."""


class Option(Part, frozen=True):
    """One answer that a choice offers. ``value`` is permanent, ``label`` may be reworded."""

    value: str
    label: str
    help: str = ""


class Prompt(Part, frozen=True):
    """One question.

    The shape of its answer by kind: ``line`` and ``text`` a string; ``choice`` an option's value;
    ``choices`` a list of options' values; ``scale`` a whole number from 1 to ``points``;
    ``date`` a string ``YYYY-MM-DD``; ``time`` a string ``HH:MM``, 00:00 to 23:59; ``table`` a list
    of objects, each with an ``id`` of its own and one entry for each column that is filled in.
    ``None`` and ``""`` are no answer.

    ``options_from`` takes the options of a choice from elsewhere: ``tools`` is the catalogue,
    ``people`` a table of the same step, ``connections.people`` one of an earlier step. A table's
    option is an entry's ``id``, so what is renamed there is renamed here. Beside such a value
    stands ``KEY-shown``, its label when it was last seen, for whoever has only this step's answers.
    ``more`` folds a column away in each entry, for what few need to say at first.
    ``warn`` asks for advice while it is written: ``share`` on what could identify somebody,
    ``name`` on a cell that looks like a person's full name.
    """

    key: str
    kind: Kind
    label: str
    help: str = ""
    example: str = ""
    source: str = ""
    section: str = ""
    required: bool = False
    private: bool = False
    quote: str = ""
    options: tuple[Option, ...] = ()
    options_from: str = ""
    warn: Literal["", "share", "name"] = ""
    low: str = ""
    high: str = ""
    points: int = 5
    columns: tuple[Prompt, ...] = ()
    row: str = "row"
    max_rows: int = 30
    folded: bool = False
    more: bool = False

    @property
    def refers(self) -> bool:
        """Whether its options are the entries of a table."""
        return bool(self.options_from) and self.options_from != TOOLS

    @property
    def private_columns(self) -> frozenset[str]:
        """The keys of a table's columns that are never submitted."""
        return frozenset(column.key for column in self.columns if column.private)

    def is_empty(self, value: Any) -> bool:
        """Whether ``value`` is no answer: nothing, blank text, or a table without any entry."""
        if self.kind == "table" and isinstance(value, list):
            return all(self._row_is_empty(row) for row in value)
        return no_answer(value)

    def _row_is_empty(self, row: Any) -> bool:
        if not isinstance(row, dict):
            return True
        # What is private is never submitted, so it answers nothing that is asked.
        asked = (column for column in self.columns if not column.private)
        return all(column.is_empty(row.get(column.key)) for column in asked)

    def fault(self, value: Any) -> str | None:
        """Why ``value`` can't be an answer to this prompt, in plain words; ``None`` if it can."""
        if value is None or value == "":
            return None
        match self.kind:
            case "line" | "text":
                return _text_fault(value)
            case "choice":
                return self._option_fault(value)
            case "choices":
                if not isinstance(value, list):
                    return "is not a list of choices"
                if len(value) > MAX_CHOICES:
                    return f"has more than {MAX_CHOICES:,} choices"
                faults = (self._option_fault(item) for item in value)
                return next((fault for fault in faults if fault), None)
            case "scale":
                whole = isinstance(value, int) and not isinstance(value, bool)
                fits = whole and 1 <= value <= self.points
                return None if fits else f"is not a whole number from 1 to {self.points}"
            case "date":
                return _date_fault(value)
            case "time":
                return _time_fault(value)
            case "table":
                return self._table_fault(value)

    def once(self, value: Any) -> Any:
        """Return a valid answer with each choice counted once, also in the cells of a table."""
        if self.kind == "choices" and isinstance(value, list):
            return list(dict.fromkeys(value))
        if self.kind == "table" and isinstance(value, list):
            several = [column for column in self.columns if column.kind == "choices"]
            return [
                row | {one.key: one.once(row[one.key]) for one in several if one.key in row}
                for row in value
            ]
        return value

    def _option_fault(self, value: Any) -> str | None:
        if self.refers:
            # An entry that was removed since is still an answer: only its form can be wrong.
            fits = isinstance(value, str) and len(value) <= LONGEST_ID
            return None if fits else "is not one of the choices"
        if any(value == option.value for option in self.options):
            return None
        return "is not one of the choices"

    def _table_fault(self, value: Any) -> str | None:
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            return f"is not a list of {self.row} entries"
        if len(value) > self.max_rows:
            return f"has more than {self.max_rows} entries"
        ids = [row.get("id") for row in value]
        if not all(isinstance(one, str) and 0 < len(one) <= LONGEST_ID for one in ids):
            return "has an entry without an id"
        if len(set(ids)) < len(ids):
            return "has two entries with the same id"
        for number, row in enumerate(value, start=1):
            for column in self.columns:
                if fault := column.fault(row.get(column.key)):
                    return f"has in entry {number}, “{column.label}”, something that {fault}"
            # A column that the course dropped keeps its text, as text.
            known = {"id", *(column.key for column in self.columns)}
            strays = [row[key] for key in row if key not in known]
            if any(_text_fault(stray) for stray in strays):
                return f"has in entry {number} something that is not text"
        return None

    def shown(self, value: Any) -> str:
        """A simple answer in the words that the student saw: options by their labels.

        A value that is not of this kind is shown as it is.
        """
        if self.kind in ("choice", "choices"):
            labels = {option.value: option.label for option in self.options}
            chosen = value if isinstance(value, list) else [value]
            if self.refers:
                return "an entry that is not shown here"
            return "; ".join(labels.get(str(one), str(one)) for one in chosen)
        if self.kind == "scale":
            return f"{value} of {self.points}{self.ends}"
        if self.kind == "date" and _date_fault(value) is None:
            day = dt.date.fromisoformat(value)
            return f"{day:%B} {day.day}, {day.year}"
        return str(value)

    def shown_in(self, row: Mapping[str, Any]) -> str:
        """This column's cell of a table's ``row`` in words; an entry of a table by its label."""
        if self.refers and isinstance(seen := row.get(f"{self.key}-shown"), str) and seen.strip():
            return seen
        return self.shown(row.get(self.key))

    @property
    def ends(self) -> str:
        """What the ends of a scale mean, in brackets; nothing where the course does not say it."""
        return f" (1 = {self.low}, {self.points} = {self.high})" if self.low else ""


def dropped_fault(value: Any) -> str | None:
    """Why ``value`` can't be an answer to any prompt, whatever was asked; ``None`` if it can."""
    if value is None or isinstance(value, int | str):
        return _text_fault(str(value))
    if not isinstance(value, list):
        return "is no answer"
    cells = [
        cell for item in value for cell in (item.values() if isinstance(item, dict) else [item])
    ]
    parts = [part for cell in cells for part in (cell if isinstance(cell, list) else [cell])]
    if not all(part is None or isinstance(part, int | str) for part in parts):
        return "holds something that is no answer"
    return _text_fault("".join(map(str, parts)))


def _text_fault(value: Any) -> str | None:
    if not isinstance(value, str):
        return "is not text"
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT:,} characters"
    return None


def _date_fault(value: Any) -> str | None:
    try:
        well_formed = isinstance(value, str) and len(value) == 10 and dt.date.fromisoformat(value)
    except ValueError:
        well_formed = False
    return None if well_formed else "is not a date like 2026-11-22"


def _time_fault(value: Any) -> str | None:
    fits = isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII)
    return None if fits else "is not a time like 14:30"


class Panel(Part, frozen=True):
    """What the page makes of answers and shows after the prompt ``after``; it is no question.

    ``import`` takes people over from a list, ``network`` is the map with its measures,
    ``coverage`` sets expertise needed against expertise held, ``tools`` ranks the catalogue,
    ``asks`` drafts messages and follows each loop, ``week`` is the plan of a week.
    """

    kind: Literal["import", "network", "coverage", "tools", "asks", "week"]
    after: str
    title: str


class Reading(Part, frozen=True):
    """A short text to read before a step: markdown, minutes, and the sources that it rests on."""

    minutes: int
    text: str
    sources: tuple[str, ...] = ()


class StructurePoint(Part, frozen=True):
    """Points given by the machine when all of ``prompts`` have an answer; depth is never scored."""

    points: float
    says: str
    prompts: tuple[str, ...]


class Step(Part, frozen=True, dict=True):
    """One step of the course, which is one notebook and one assignment (``id``)."""

    id: str
    name: str
    title: str
    short: str
    summary: str
    minutes: int
    reading: Reading
    prompts: tuple[Prompt, ...]
    structure: tuple[StructurePoint, ...]
    covered: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()
    number: int = 0
    due: dt.datetime | None = None

    @property
    def required(self) -> tuple[Prompt, ...]:
        """The prompts that count for progress and structure."""
        return tuple(prompt for prompt in self.prompts if prompt.required)

    @property
    def path(self) -> str:
        """The step's notebook, relative to the notebooks' folder or to a workspace."""
        return f"{self.id}/{self.id}.ipynb"

    def prompt(self, key: str) -> Prompt | None:
        """The prompt with ``key``, or ``None``."""
        return next((prompt for prompt in self.prompts if prompt.key == key), None)

    @functools.cached_property
    def version(self) -> str:
        """Short hash of what the step asks: prompts, completion points, ``covered``, and panels.

        Two pages of the same version show the same questions in the same words. The due date,
        the reading, and the titles play no part.
        """
        asks = self.prompts, self.structure, self.covered, self.panels
        return hashlib.sha256(msgspec.json.encode(asks)).hexdigest()[:VERSION_LENGTH]


class Level(Part, frozen=True):
    """One level of a criterion and the points that it gives."""

    points: float
    name: str
    text: str


class Criterion(Part, frozen=True):
    """One rubric criterion: a question to the work, with levels from the highest to "not shown"."""

    id: str
    title: str
    question: str
    levels: tuple[Level, ...]
    sources: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """The most points that this criterion gives."""
        return max(level.points for level in self.levels)


class Rubric(Part, frozen=True):
    """How each step is scored: points for structure, and criteria scored by an instructor."""

    structure: float
    criteria: tuple[Criterion, ...]

    @property
    def points(self) -> float:
        """The most points of one step."""
        return self.structure + sum(criterion.points for criterion in self.criteria)

    @property
    def version(self) -> str:
        """Short hash of the scale: changed by points and by words of any criterion."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:VERSION_LENGTH]


class Tool(Part, frozen=True):
    """One row of the tool catalogue. Empty text means: not known. ``checked_on`` dates the row."""

    name: str
    reach: str
    direct_messages: str
    groups: str
    timing: str
    free: str
    bandwidth: Literal["", "none", "low", "low-medium", "medium", "high"]
    phone_only: str
    real_name_or_phone: str
    accessibility: str
    export: str
    baa: str
    aims: tuple[str, ...]
    steps: tuple[str, ...]
    status: Literal["current", "retired"]
    replacement: str
    best_for: str
    caution: str
    source: str
    checked_on: dt.date | None

    @property
    def key(self) -> str:
        """The value under which answers name this tool: its name in small letters and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the course asks, and the folder (``root``) that it was read from."""

    id: str
    title: str
    steps: tuple[Step, ...]
    rubric: Rubric
    tools: tuple[Tool, ...]
    root: Path

    def step(self, name: str) -> Step:
        """The step with this short name or id.

        Raises:
            UnknownStepError: the course has no such step; the message lists those that it has.
        """
        for step in self.steps:
            if name in (step.name, step.id):
                return step
        names = ", ".join(step.name for step in self.steps)
        raise UnknownStepError(f"This course has no step “{name}”. It has: {names}.")

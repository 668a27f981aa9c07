"""The plan and the reflection as sections of paragraphs, lists and tables, in no format yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from pcn_course.answers.values import (
    Row,
    Values,
    answers_in,
    clock_in_words,
    date_in_words,
    day,
    line,
    rows,
    rows_by_id,
    text,
)
from pcn_course.characters import no_answer
from pcn_course.course import Course, Prompt, Step
from pcn_course.network import changes, coverage, read_network
from pcn_course.planning.asks import loops
from pcn_course.planning.tools import because, rank
from pcn_course.planning.week import week
from pcn_course.review import filled_table

Snapshots = Sequence[tuple[dt.datetime, Values]]
"""The network as it was, oldest first: when, and the answers to step 2 by step name and key."""

PRIVATE = "private, never submitted"
REASONS = 3
SHORT = 12
"""So many members stand in the plan; all of them stand in the answers."""


class Paragraph(msgspec.Struct, frozen=True):
    """Words of ours or of the student's; line breaks count."""

    kind: ClassVar[str] = "paragraph"
    text: str


class Items(msgspec.Struct, frozen=True):
    """A list of short texts."""

    kind: ClassVar[str] = "items"
    texts: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """Rows of cells under a head; the first cell of a row names it."""

    kind: ClassVar[str] = "table"
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Entry(msgspec.Struct, frozen=True):
    """One row of a table that is too wide for paper: its name, then each label with its words."""

    kind: ClassVar[str] = "entry"
    title: str
    cells: tuple[tuple[str, str], ...]


Block = Paragraph | Items | Table | Entry


class Section(msgspec.Struct, frozen=True):
    """A title and what stands below it; ``level`` is 2 for a part and 3 for a part of that."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


def plan(
    course: Course,
    values: Values,
    today: dt.date | None = None,
    snapshots: Snapshots = (),
    *,
    alone: bool = False,
) -> tuple[Section, ...]:
    """The plan on one page; a part about which nothing was said is left out.

    Whoever does not want to be listed is called by the part that they play, throughout. With
    ``snapshots`` it tells what changed in the network since the first one. ``alone``: the answers
    don't stand beside it.
    """
    values = discreet(course, values)
    today = today or dt.datetime.now().astimezone().date()
    elsewhere = "" if alone else ", who stand in my answers to step 2"
    parts = (
        ("What it is for", _purpose(values)),
        ("Who is in it", _people(course, values, elsewhere)),
        ("Who is still missing", _gaps(course, values)),
        ("Which tools, and why", _tools(course, values, today)),
        ("My week", _week(course, values)),
        ("What is open", _open(values)),
        ("What I do first", _first(values)),
        ("Then and now", _then(course, values, snapshots)),
    )
    return tuple(Section(title, tuple(blocks)) for title, found in parts if (blocks := list(found)))


Notes = Collection[tuple[str, str]]
"""Private answers whose questions the course no longer asks, by step name and key."""


def reflection(
    course: Course, values: Values, *, private: bool, notes: Notes = ()
) -> tuple[Section, ...]:
    """All answers of all steps under their questions; private ones only when they are wanted.

    What had to be answered and is not stays visible as open, and so does a step not begun. Answers
    to questions that the course no longer asks come last in their step.
    """
    sections = []
    for step in course.steps:
        said, answers = answers_in(values, step.name), []
        for prompt in step.prompts:
            value = said.get(prompt.key)
            if prompt.private and not private:
                continue
            if not prompt.is_empty(value):
                title = f"{prompt.label} ({PRIVATE})" if prompt.private else prompt.label
                blocks = tuple(_answer(course, step, prompt, value, values))
                answers.append(Section(title, blocks, level=3))
            elif prompt.required:
                answers.append(Section(prompt.label, (Paragraph("No answer yet."),), level=3))
        for key, value in said.items():
            note = (step.name, key) in notes
            if step.prompt(key) is None and not no_answer(value) and (private or not note):
                title = f"An answer to “{key}”, which this course doesn't ask"
                title += f" ({PRIVATE})" if note else ""
                answers.append(Section(title, (Paragraph(str(value)),), level=3))
        begun = any(not no_answer(value) for value in said.values())
        blocks = () if begun else (Paragraph("Nothing is written here yet."),)
        sections.append(Section(f"Step {step.number}: {step.title}", blocks))
        sections += answers if begun else []
    return tuple(sections)


def about(today: dt.date, *, private: bool, alone: bool = False) -> str:
    """What a document holds, for whoever gets it and for whoever passes it on."""
    if alone:
        return (
            f"Made on {date_in_words(today)}. People who do not want to be listed are called by "
            "the part that they play."
        )
    notes = "with my private notes" if private else "without my private notes"
    return (
        f"Made on {date_in_words(today)}, from my answers to the course, {notes}. "
        "First my plan, which calls people who do not want to be listed only by the part that they "
        "play; then all of my answers, as I wrote them. Read them before you pass this on."
    )


def _purpose(values: Values) -> Iterator[Block]:
    for key in ("live-project", "next-decision"):
        if words := text(answers_in(values, "goals"), key):
            yield Paragraph(words)
    if goals := [_with_day(row, "goal", "by") for row in rows(values, "goals", "goal-list")]:
        yield Items(tuple(filter(None, goals)))


def _people(course: Course, values: Values, elsewhere: str) -> Iterator[Block]:
    """The members; of whoever does not want to be listed, only the part that they play.

    ``elsewhere`` says where those are who find no room here.
    """
    table = _prompt(course, "connections", "people")
    if table is None:
        return
    columns = {column.key: column for column in table.columns}
    found = []
    for row in rows(values, "connections", "people"):
        name, role = text(row, "person"), _cell(columns, row, "role")
        if unlisted(row):
            found.append((name, role, "", ""))
        elif name or role:
            found.append(
                (name or role, role, _cell(columns, row, "give"), _cell(columns, row, "get"))
            )
    if found:
        head = ("Who", "Part", "I give", "I get")
        yield Table("Who is in it", head, tuple(found[:SHORT]))
    if more := len(found[SHORT:]):
        yield Paragraph(f"And {more} more{elsewhere}.")


def _gaps(course: Course, values: Values) -> Iterator[Block]:
    found = coverage(course, values)
    gaps = [need for need in found.needs if need.state != "held"]
    if found.needs:
        yield Paragraph(found.says)
    if gaps:
        yield Items(
            tuple(
                f"{need.expertise}: {need.says}"
                + (f" Who could know it: {'; '.join(need.people)}." if need.people else "")
                for need in gaps
            )
        )


def _tools(course: Course, values: Values, today: dt.date) -> Iterator[Block]:
    # What speaks most for a tool comes first; three reasons are enough on one page.
    chosen = [
        msgspec.structs.replace(one, reasons=one.reasons[:REASONS])
        for one in rank(course, values, today)
        if one.chosen
    ]
    if chosen:
        yield Items(tuple(f"{one.tool.name}: {because(one)}." for one in chosen))


def _week(course: Course, values: Values) -> Iterator[Block]:
    found, words = week(course, values), []
    if found.rhythm:
        words.append(f"{found.rhythm}.")
    if found.minutes:
        words.append(found.total)
    if found.quiet:
        begin, end = map(clock_in_words, found.quiet)
        words.append(f"I am not to be reached from {begin} to {end}.")
    if (found.times or found.quiet) and found.zone:
        words.append(f"Times are given in {found.zone}.")
    if found.review:
        words.append(f"I look at this plan again on {date_in_words(found.review)}.")
    if words:
        yield Paragraph(" ".join(words))
    if found.times:
        yield Items(
            tuple(one.when + (f": {one.purpose}" if one.purpose else "") for one in found.times)
        )


def _open(values: Values) -> Iterator[Block]:
    found = [one for one in loops(values) if one.open]
    if found:
        yield Items(
            tuple(
                f"{one.purpose or 'An ask'}{f' ({one.to})' if one.to else ''}: "
                f"{one.stands} {one.next}".strip()
                for one in found
            )
        )


def _then(course: Course, values: Values, snapshots: Snapshots) -> Iterator[Block]:
    """What changed in the network since the first snapshot; nothing where there is none."""
    if not snapshots:
        return
    when, answers = snapshots[0]
    # Who does not want to be listed today is not named as they were then, either.
    people = rows(values, "connections", "people")
    ids = set(rows_by_id(filter(unlisted, people)))
    first = read_network(discreet(course, answers, ids))
    yield Paragraph(f"What is different since my submission on {date_in_words(when.date())}:")
    yield Items(changes(first, read_network(values), course))


def _first(values: Values) -> Iterator[Block]:
    if words := text(answers_in(values, "integrating"), "first-move"):
        yield Paragraph(words)


def _answer(
    course: Course, step: Step, prompt: Prompt, value: Any, values: Values
) -> Iterator[Block]:
    if prompt.kind == "table" and isinstance(value, list):
        columns, filled = filled_table(prompt, value)
        # Many columns make no table that can be read on paper: each entry becomes a list.
        if len(columns) > 5:
            for row in filled:
                cells = [
                    (column.label, named(course, step, column, row, values)) for column in columns
                ]
                yield _entry(prompt, cells)
            return
        cells_of = tuple(
            tuple(named(course, step, column, row, values) for column in columns) for row in filled
        )
        if cells_of:
            yield Table(prompt.label, tuple(column.label for column in columns), cells_of)
    elif prompt.kind == "choices" and isinstance(value, list):
        yield Items(tuple(prompt.shown(one) for one in value))
    else:
        yield Paragraph(prompt.shown(value))


def _entry(prompt: Prompt, cells: list[tuple[str, str]]) -> Entry:
    """An entry under what its first column says; what is not filled in is left out."""
    (_, name), *others = cells
    filled = tuple((label, words) for label, words in others if words)
    return Entry(name or f"A {prompt.row} without a name", filled)


def named(course: Course, step: Step, column: Prompt, row: Row, values: Values) -> str:
    """A cell in words; an entry of another table is called what it is called there now."""
    value = row.get(column.key)
    if column.is_empty(value):
        return ""
    if not column.refers:
        return column.shown(value)
    place, _, key = column.options_from.rpartition(".")
    table = _prompt(course, place or step.name, key)
    labels = {
        str(one.get("id")): text(one, table.columns[0].key)
        for one in rows(values, place or step.name, key)
        if table and table.columns
    }
    chosen = value if isinstance(value, list) else [value]
    if all(labels.get(str(one)) for one in chosen):
        return "; ".join(labels[str(one)] for one in chosen)
    return column.shown_in(row)


def unlisted(row: Row) -> bool:
    """Whether a member does not want to be listed, or no longer."""
    return row.get("consent") == "no" or row.get("status") == "withdrawn"


def discreet(course: Course, values: Values, ids: Collection[str] = ()) -> Values:
    """``values`` in which whoever does not want to be listed has their part for a name.

    That holds for whoever said so in these ``values``, and for those with one of the ``ids``.
    """
    table = _prompt(course, "connections", "people")
    connections = answers_in(values, "connections")
    if table is None or not connections:
        return values
    columns = {column.key: column for column in table.columns}
    people = [
        {**row, "person": _cell(columns, row, "role") or "Somebody who is not listed"}
        if unlisted(row) or line(row, "id") in ids
        else row
        for row in rows(values, "connections", "people")
    ]
    return {**values, "connections": {**connections, "people": people}}


def _prompt(course: Course, name: str, key: str) -> Prompt | None:
    return next((step.prompt(key) for step in course.steps if step.name == name), None)


def _cell(columns: Mapping[str, Prompt], row: Row, key: str) -> str:
    column = columns.get(key)
    value = row.get(key)
    return "" if column is None or column.is_empty(value) else column.shown(value)


def _with_day(row: Row, key: str, date: str) -> str:
    words, when = text(row, key), date_in_words(day(row, date))
    return f"{words} (by {when})" if words and when else words

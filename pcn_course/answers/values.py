"""Values in answers that anybody may have changed: what has the wrong type counts as no answer.

Answers are ``values[step][key]``; a table is a list of rows, a row a mapping of cells by column
with an ``id``. Nothing here raises, whatever a file holds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pcn_course.characters import is_blank, one_line
from pcn_course.course import Course

Values = Mapping[str, Mapping[str, Any]]
Row = Mapping[str, Any]
TEXTS = ("line", "text")
"""Kinds of answers that are words, shown just as they were written."""


def answers_in(values: Any, step: str) -> Row:
    """Return the answers to a step by key."""
    answers = values.get(step) if isinstance(values, Mapping) else None
    return answers if isinstance(answers, Mapping) else {}


def numbered_rows(table: Any) -> list[tuple[int, Row]]:
    """Return the rows of a table's value, each with its place in the list, from 1."""
    entries = table if isinstance(table, list) else []
    return [(number, row) for number, row in enumerate(entries, 1) if isinstance(row, Mapping)]


def rows_of(table: Any) -> list[Row]:
    """Return the rows of a table's value."""
    return [row for _, row in numbered_rows(table)]


def rows(values: Any, step: str, key: str) -> list[Row]:
    """Return the rows of a step's table."""
    return rows_of(answers_in(values, step).get(key))


def rows_by_id(table: Iterable[Row]) -> dict[str, Row]:
    """Return rows by their ids, the last of those that share one; rows without an id have none."""
    return {name: row for row in table if (name := line(row, "id"))}


def line(row: Row, key: str) -> str:
    """Return text in one line; "" for blank text."""
    return one_line(row.get(key))


def text(row: Row, key: str) -> str:
    """Return text with its line breaks, without space around it; "" for blank text."""
    value = row.get(key)
    return value.strip() if isinstance(value, str) and not is_blank(value) else ""


def ticked(row: Row, key: str) -> tuple[str, ...]:
    """Return the choices among several, each once."""
    value = row.get(key)
    choices = map(one_line, value) if isinstance(value, list) else ()
    return tuple(dict.fromkeys(filter(None, choices)))


def day(row: Row, key: str) -> dt.date | None:
    """Return a date, or None where the text is none."""
    value = row.get(key)
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def clock(row: Row, key: str) -> dt.time | None:
    """Return a time of day as ``07:30`` has it."""
    value = row.get(key)
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return dt.time.fromisoformat(value)
    return None


def label(course: Course, step: str, key: str, values: Any) -> str:
    """Return the label of the option that was chosen; "" without such a prompt or option."""
    prompt = next((one.prompt(key) for one in course.steps if one.name == step), None)
    chosen = answers_in(values, step).get(key)
    options = prompt.options if prompt else ()
    return next((option.label for option in options if option.value == chosen), "")


def words_at(value: Any, row: str | None = None, column: str | None = None) -> str:
    """Return an answer's text as it was written, or that of a table's cell; "" without one."""
    if row is not None:
        cells = next((cells for cells in rows_of(value) if cells.get("id") == row), {})
        value = cells.get(column or "")
    return value if isinstance(value, str) else ""


def date_in_words(date: dt.date | None) -> str:
    """Return a date as people write it: "January 29, 2027"; "" for ``None``."""
    return f"{date:%B} {date.day}, {date.year}" if date else ""


def clock_in_words(time: dt.time) -> str:
    """Return a time of day as people say it in the course's country: "7:30 am"."""
    return f"{(time.hour - 1) % 12 + 1}:{time:%M} {'pm' if time.hour > 11 else 'am'}"

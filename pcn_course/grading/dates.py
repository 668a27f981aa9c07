"""Due dates: where each one is set, what students see, and times as people write them.

A due date is in up to four places: ``data/course.toml``, the gradebook (which counts), the released
notebook, and the exchange's copy of it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.course import Course
from pcn_course.course.released import newest
from pcn_course.grading.gradebook import tables
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.late.time_zone import in_words


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The due date of a step in each place, in UTC; None where there is none.

    ``graded`` is True where the gradebook has the assignment, ``moves`` where only the course's
    date has changed since the release: generating takes it into the gradebook. ``seen`` are the
    dates in the notebooks that were released, by the place of the notebook.
    """

    step: str
    course: dt.datetime | None
    gradebook: dt.datetime | None
    graded: bool
    moves: bool
    has_exchange: bool
    seen: dict[str, dt.datetime | None]

    @property
    def counts(self) -> dt.datetime | None:
        """The date by which work is late."""
        return self.gradebook if self.graded else self.course


def due_dates(room: Room, exchange: Path | None = None) -> tuple[Due, ...]:
    """The due dates of all steps. Nothing is made or changed, also where there is no gradebook.

    ``exchange`` is the exchange's root; by default the one in ``nbgrader_config.py``. A gradebook
    that can't be read counts as none: other checks tell it.
    """
    graded = _in_gradebook(room.db_url)
    places = {"release/": room.root / room.released}
    exchange = exchange or room.config.Exchange.get("root")
    if exchange:
        places["the exchange"] = Path(exchange, room.course_id, "outbound")
    return tuple(
        Due(
            step=step.id,
            course=step.due.astimezone(dt.UTC) if step.due else None,
            gradebook=graded.get(step.id),
            graded=step.id in graded,
            moves=_moves(room.course, step.id, graded.get(step.id)),
            has_exchange=bool(exchange),
            seen={
                place: due_of(notebook)
                for place, folder in places.items()
                if (notebook := folder / step.path).is_file()
            },
        )
        for step in room.course.steps
    )


def sentences(dues: Iterable[Due], zone: ZoneInfo | None) -> Iterator[str]:
    """Yield “step-1-goals is due January 22, 2027, 11:59 PM EST.” for each step with a date."""
    for due in dues:
        if due.counts:
            yield f"{due.step} is due {in_words(due.counts, zone)}."


def disagreements(dues: Iterable[Due], zone: ZoneInfo | None) -> Iterator[str]:
    """Yield a sentence for each step whose due date is not the same everywhere, with the remedy."""
    for due in dues:
        again = f"run `nbgrader generate_assignment {due.step} --force` and release it again"
        if due.graded and due.course and due.course != due.gradebook:
            both = "set the same date in data/course.toml and in Formgrader, then "
            yield (
                f"{due.step} is due {_words(due.course, zone)} in data/course.toml, and "
                f"{_words(due.gradebook, zone)} in the gradebook, which counts. To change that, "
                f"{'' if due.moves else both}{again}."
            )
        for place, seen in due.seen.items():
            if due.graded and seen != due.gradebook:
                yield (
                    f"{due.step} is due {_words(due.gradebook, zone)} in the gradebook, and its "
                    f"notebook in {place} says {_words(seen, zone)}: {again}."
                )
        if due.graded and due.gradebook and not due.course and not due.has_exchange:
            yield (
                f"{due.step} has its due date in the gradebook only. Students who open the course "
                "without the exchange see none: add it under [due] in data/course.toml."
            )


def due_of(notebook: Path) -> dt.datetime | None:
    """The due date (UTC) that a released notebook tells students."""
    try:
        about = json.loads(notebook.read_bytes())["metadata"]["pcn"]
        due = dt.datetime.fromisoformat(about["due"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return due.astimezone(dt.UTC) if due.tzinfo else None


def due_in(gradebook: Any, step_id: str) -> dt.datetime | None:
    """The gradebook's due date of a step, in UTC, which nbgrader leaves out.

    Raises:
        MissingEntry: the gradebook has no such assignment.
    """
    due: dt.datetime | None = gradebook.find_assignment(step_id).duedate
    return due.replace(tzinfo=dt.UTC) if due else None


def _in_gradebook(db_url: str) -> dict[str, dt.datetime | None]:
    """The due dates of the assignments that the gradebook has."""
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return {}
    engine = create_engine(db_url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(tables.assignment.c.name, tables.assignment.c.duedate))
            return {
                row.name: row.duedate.replace(tzinfo=dt.UTC) if row.duedate else None
                for row in rows
            }
    except SQLAlchemyError:
        return {}
    finally:
        engine.dispose()


def _moves(course: Course, step_id: str, in_gradebook: dt.datetime | None) -> bool:
    last = newest(course, step_id)
    return last is not None and in_gradebook is not None and last.step.due == in_gradebook


def _words(moment: dt.datetime | None, zone: ZoneInfo | None) -> str:
    return in_words(moment, zone) if moment else "at no set time"

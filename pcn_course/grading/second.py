"""Second marks beside the first: what they agree in, what is to be settled, and who settled it.

A first mark stands in nbgrader's gradebook, a second one in our table ``pcn_second``. Settling a
difference writes the settled points into the gradebook, so that what students get is there and
nowhere else; the first mark is then kept in the log, and figures of agreement go on using it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from scipy import stats
from sqlalchemy import Connection, Row, func, insert, select

from pcn_course.grading.agreement import CONFIDENCE, Agreement, Figure, agreement
from pcn_course.grading.marks import Marking
from pcn_course.grading.records import events, log_event, now, second_marks, settled
from pcn_course.grading.scores import Mark, MarkError, Submission

MAX_REASON = 2_000
"""Characters of a reason for settling."""


class Second(msgspec.Struct, frozen=True):
    """What one second marker gave. ``note`` is for whoever settles a difference."""

    marker: str
    points: float
    note: str
    at: dt.datetime


class Settled(msgspec.Struct, frozen=True):
    """How a difference was settled, by whom, when and why."""

    points: float
    reason: str
    by: str
    at: dt.datetime


class Twice(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion of one submission that has a first mark and at least one second.

    ``first`` is the mark before anything was settled, ``first_by`` who gave it, where that is
    known (formgrader keeps it not). ``points`` is what stands in the gradebook now.
    """

    student: str
    pseudonym: str
    step: str
    criterion: str
    first: float
    first_by: str | None
    first_comment: str
    seconds: tuple[Second, ...]
    points: float | None
    settled: Settled | None

    @property
    def apart(self) -> float:
        """How many points lie between the lowest and the highest mark."""
        every = (self.first, *(one.points for one in self.seconds))
        return max(every) - min(every)

    @property
    def waits(self) -> bool:
        """The marks differ, and nobody has settled it."""
        return self.apart > 0 and self.settled is None


class Drift(msgspec.Struct, frozen=True):
    """How one marker's points moved from the first third of their marks to the last.

    ``change`` is the difference of the means, in points, with Welch's interval.
    """

    marker: str
    n: int
    early: float
    late: float
    change: Figure


def marked_twice(marking: Marking, step_id: str | None = None) -> list[Twice]:
    """All that has a first and a second mark, in the course's order of steps and criteria.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    steps = [step_id] if step_id else [step.id for step in marking.room.course.steps]
    found: list[Twice] = []
    with marking.room.engine.connect() as connection:
        for step in steps:
            given = _by_place(connection, second_marks, step)
            if not given:
                continue
            done = _by_place(connection, settled, step)
            before = _before_settling(connection, step)
            for submission in marking.listed(step):
                found += _of_submission(submission, given, done, before)
    order = {criterion: place for place, criterion in enumerate(marking.criteria)}
    place = {step: number for number, step in enumerate(steps)}
    return sorted(found, key=lambda one: (place[one.step], one.pseudonym, order[one.criterion]))


def note_look(marking: Marking, step_id: str | None = None) -> None:
    """Keep that this marker sees first marks beside their own: from now on their own stand.

    Without a step they see those of all steps. What they haven't marked yet stays blind, and open.
    """
    mine = select(func.max(second_marks.c.at)).where(second_marks.c.marker == marking.marker)
    if step_id:
        mine = mine.where(second_marks.c.step == step_id)
    with marking.room.engine.begin() as connection:
        last = connection.scalar(mine)
        seen = last_look(connection, marking.marker, step_id)
        if last and (seen is None or seen < last):
            log_event(connection, by=marking.marker, student="", step=step_id or "", what="look")


def last_look(connection: Connection, marker: str, step_id: str | None) -> dt.datetime | None:
    """When a marker last saw first marks of a step (``None``: of all) beside their own."""
    found: dt.datetime | None = connection.scalar(
        select(func.max(events.c.at)).where(
            events.c.what == "look",
            events.c.by == marker,
            events.c.step.in_(("", step_id or "")),
        )
    )
    return found


def agreements(found: Iterable[Twice]) -> dict[str, Agreement]:
    """The figures of each criterion, over all submissions that are given."""
    rows: dict[str, list[list[float | None]]] = {}
    for one in found:
        rows.setdefault(one.criterion, []).append([one.first, *(s.points for s in one.seconds)])
    return {criterion: agreement(_even(matrix)) for criterion, matrix in rows.items()}


def differences(found: Iterable[Twice]) -> list[Twice]:
    """What waits to be settled, the widest apart first."""
    return sorted((one for one in found if one.waits), key=lambda one: -one.apart)


def settle(
    marking: Marking,
    student: str,
    step_id: str,
    criterion: str,
    points: float,
    *,
    reason: str,
    seen: float | None,
) -> Mark:
    """Settle a difference: the points go to the gradebook, the reason is kept. The mark there now.

    ``seen`` is what stood in the gradebook when it was decided.

    Raises:
        Conflict: other points stand there by now; nothing was written.
        MarkError: nobody has marked it twice, the points aren't in the rubric, or the reason is
            missing or too long.
    """
    reason = reason.replace("\0", "").strip()
    if not reason or len(reason) > MAX_REASON:
        raise MarkError(
            f"Say in a sentence why (at most {MAX_REASON} characters): it is kept beside the mark. "
            "Nothing was changed."
        )
    if not any(
        (one.student, one.criterion) == (student, criterion)
        for one in marked_twice(marking, step_id)
    ):
        raise MarkError("This was not marked twice. Give it a mark on the marking page.")
    # Should the machine stop between the two, the difference still waits, and can be settled again.
    mark = marking.give(student, step_id, criterion, points, seen=seen, what="settled")
    with marking.room.engine.begin() as connection:
        connection.execute(
            insert(settled).values(
                student=student, step=step_id, criterion=criterion, points=points, reason=reason,
                by=marking.marker, at=now(),
            )
        )  # fmt: skip
    return mark


def drifts(marking: Marking, step_id: str | None = None) -> list[Drift]:
    """How each marker's points moved while they marked, from their marks as first marker.

    Submissions come in an order that has nothing to do with how good they are, so a change beyond
    its interval is the marker's and not the class's. Of a mark that was changed, the last counts,
    at the time of the first. Markers with fewer than 9 marks are left out: three in each third.

    Welch, B. L. (1947). Biometrika, 34, 28-35.
    """
    wanted = select(events).where(events.c.what == "mark").order_by(events.c.id)
    if step_id:
        wanted = wanted.where(events.c.step == step_id)
    given: dict[str, dict[tuple[str, ...], float | None]] = {}
    with marking.room.engine.connect() as connection:
        for row in connection.execute(wanted):
            if row.criterion in marking.criteria:
                of_marker = given.setdefault(row.by, {})
                of_marker[row.student, row.step, row.criterion] = row.after
    found = []
    for marker, marks in sorted(given.items()):
        points = [mark for mark in marks.values() if mark is not None]
        if len(points) >= 9:
            found.append(_drift(marker, points))
    return found


# ---- Inside --------------------------------------------------------------------------------------


Places = dict[tuple[str, str], list[Row[Any]]]


def _by_place(connection: Connection, table: Any, step: str) -> Places:
    """A table's rows of one step, by student and criterion, oldest first."""
    found: Places = {}
    for row in connection.execute(select(table).where(table.c.step == step).order_by(table.c.id)):
        found.setdefault((row.student, row.criterion), []).append(row)
    return found


def _before_settling(
    connection: Connection, step: str
) -> dict[tuple[str, str], tuple[float | None, str | None]]:
    """What stood in the gradebook before it was first settled, and who had given it."""
    wanted = (
        select(events)
        .where(events.c.step == step, events.c.what.in_(("mark", "settled")))
        .order_by(events.c.id)
    )
    giver: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, str], tuple[float | None, str | None]] = {}
    for row in connection.execute(wanted):
        place = row.student, row.criterion
        if row.what == "mark":
            giver[place] = row.by
        elif place not in found:
            found[place] = row.before, giver.get(place)
    return found


def _of_submission(
    submission: Submission,
    given: Places,
    done: Places,
    before: dict[tuple[str, str], tuple[float | None, str | None]],
) -> Iterable[Twice]:
    for criterion, mark in submission.marks.items():
        place = submission.student.id, criterion
        rows = [row for row in given.get(place, ()) if row.points is not None]
        first, by = before.get(place, (mark.points, mark.by))
        if not rows or first is None:
            continue
        last = done[place][-1] if place in done else None
        yield Twice(
            student=submission.student.id,
            pseudonym=submission.pseudonym,
            step=submission.step,
            criterion=criterion,
            first=first,
            first_by=by,
            first_comment=mark.comment,
            seconds=tuple(Second(row.marker, row.points, row.note or "", row.at) for row in rows),
            points=mark.points,
            settled=Settled(last.points, last.reason or "", last.by, last.at) if last else None,
        )


def _even(matrix: list[list[float | None]]) -> list[list[float | None]]:
    """Rows of one length, filled up with nothing."""
    longest = max(map(len, matrix))
    return [[*row, *[None] * (longest - len(row))] for row in matrix]


def _drift(marker: str, points: Sequence[float]) -> Drift:
    third = len(points) // 3
    early, late = np.array(points[:third]), np.array(points[-third:])
    change = float(late.mean() - early.mean())
    if early.std() + late.std() == 0:
        figure = Figure(change, n=len(points), why="within both thirds all marks are the same")
    else:
        tested = stats.ttest_ind(late, early, equal_var=False)
        interval = tested.confidence_interval(CONFIDENCE)
        figure = Figure(change, float(interval.low), float(interval.high), len(points))
    return Drift(marker, len(points), float(early.mean()), float(late.mean()), figure)

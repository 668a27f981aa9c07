"""Second marks beside the first: what they agree in, what is to be settled, and who settled it.

A first mark stands in nbgrader's gradebook, a second one in our table ``pcn_second``. Settling a
difference writes the settled points into the gradebook, so that what students get is there and
nowhere else; the first mark is then kept in the log, and figures of agreement go on using it.

Marks are compared where they are about the same answers: what was given or settled before a student
handed in anew stays on record, and doesn't count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Row, func, insert, select

from pcn_course.grading.agreement.figures import CONFIDENCE, Agreement, Figure, agreement
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.schema import (
    REOPENED,
    events,
    log_event,
    now,
    reopenings,
    second_marks,
    settled,
)
from pcn_course.grading.gradebook.scores import Mark, MarkError, Submission

MAX_REASON = 2_000
"""Characters of a reason for settling."""


Place = tuple[str, str]
"""A student and a criterion, within one step."""


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
            anew = reopenings(connection, step)
            given = _by_place(connection, second_marks, step, anew)
            if not given:
                continue
            done = _by_place(connection, settled, step, anew)
            before = _before_settling(connection, step, done)
            for submission in marking.listed(step):
                found += _of_submission(submission, given, done, before)
    order = {criterion: place for place, criterion in enumerate(marking.criteria)}
    place = {step: number for number, step in enumerate(steps)}
    return sorted(found, key=lambda one: (place[one.step], one.pseudonym, order[one.criterion]))


def note_look(marking: Marking, step_id: str | None = None) -> None:
    """Keep that this marker sees first and second marks side by side: to these they add none.

    Without a step they see those of all steps. What nobody has marked twice yet stays blind, and
    open. Where there are no second marks there is nothing to see, and nothing is kept.
    """
    some = select(second_marks.c.id).where(second_marks.c.points.is_not(None)).limit(1)
    if step_id:
        some = some.where(second_marks.c.step == step_id)
    with marking.room.engine.begin() as connection:
        if connection.execute(some).first():
            log_event(connection, by=marking.marker, student="", step=step_id or "", what="look")


def last_look(connection: Connection, marker: str, step_id: str) -> dt.datetime | None:
    """When a marker last saw first and second marks of a step side by side."""
    found: dt.datetime | None = connection.scalar(
        select(func.max(events.c.at)).where(
            events.c.what == "look",
            events.c.by == marker,
            events.c.step.in_(("", step_id)),
        )
    )
    return found


def looked_at(
    connection: Connection, marker: str, step_id: str, student: str | None = None
) -> set[Place]:
    """The students and criteria of a step whose first and second marks this marker has seen.

    Of one student, when named. A first mark that formgrader gave has no time: it may have come
    after the look, and counts as seen.
    """
    last = last_look(connection, marker, step_id)
    if last is None:
        return set()
    first: dict[Place, dt.datetime] = {}
    for row in _changes(connection, step_id, student):
        if row.what == REOPENED:
            first = {place: at for place, at in first.items() if place[0] != row.student}
        elif row.after is not None:
            first.setdefault((row.student, row.criterion), row.at)
    anew = reopenings(connection, step_id, student)
    given = _by_place(connection, second_marks, step_id, anew, student)
    return {
        place
        for place, rows in given.items()
        for row in rows
        if row.points is not None and max(row.at, first.get(place, row.at)) <= last
    }


def first_marked(
    connection: Connection, marker: str, step_id: str, student: str | None = None
) -> set[Place]:
    """The students and criteria of a step to which this marker gave the last first mark."""
    giver = {
        (row.student, row.criterion): row.by
        for row in _changes(connection, step_id, student)
        if row.what == "mark"
    }
    return {place for place, by in giver.items() if by == marker}


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


Places = dict[Place, list[Row[Any]]]


def _by_place(
    connection: Connection,
    table: Any,
    step: str,
    anew: dict[str, dt.datetime],
    student: str | None = None,
) -> Places:
    """A table's rows of one step, by student and criterion, oldest first.

    Those that are older than a student's new answers are left out.
    """
    wanted = select(table).where(table.c.step == step).order_by(table.c.id)
    if student is not None:
        wanted = wanted.where(table.c.student == student)
    found: Places = {}
    for row in connection.execute(wanted):
        if row.student not in anew or row.at > anew[row.student]:
            found.setdefault((row.student, row.criterion), []).append(row)
    return found


def _changes(connection: Connection, step: str, student: str | None = None) -> list[Row[Any]]:
    """What became of the marks of a step, oldest first."""
    wanted = select(events).where(
        events.c.step == step, events.c.what.in_(("mark", "settled", REOPENED))
    )
    if student is not None:
        wanted = wanted.where(events.c.student == student)
    return list(connection.execute(wanted.order_by(events.c.id)))


def _before_settling(
    connection: Connection, step: str, done: Places
) -> dict[Place, tuple[float | None, str | None]]:
    """What stood in the gradebook before it was first settled, and who had given it.

    Where the log of an older gradebook doesn't tell a settlement, it left the mark as it was.
    """
    told = [(row.at, row.what, row.student, row.criterion, row.before, row.by)
            for row in _changes(connection, step)]  # fmt: skip
    told += [(row.at, "settled", *place, row.points, row.by)
             for place, rows in done.items() for row in rows]  # fmt: skip
    giver: dict[Place, str] = {}
    found: dict[Place, tuple[float | None, str | None]] = {}
    for _, what, student, criterion, before, by in sorted(told, key=lambda one: one[0]):
        place = student, criterion
        if what == REOPENED:
            giver = {one: who for one, who in giver.items() if one[0] != student}
            found = {one: it for one, it in found.items() if one[0] != student}
        elif what == "mark":
            giver[place] = by
        elif place not in found:
            found[place] = before, giver.get(place)
    return found


def _of_submission(
    submission: Submission,
    given: Places,
    done: Places,
    before: dict[Place, tuple[float | None, str | None]],
) -> Iterable[Twice]:
    for criterion, mark in submission.marks.items():
        place = submission.student.id, criterion
        rows = [row for row in given.get(place, ()) if row.points is not None]
        # A first mark that waits for a new look is about other answers.
        first, by = before.get(place, (None if mark.open else mark.points, mark.by))
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
    from scipy import stats

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

"""What goes into a grade file: the points of each step, in all and by criterion, and whose."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from nbgrader.api import Gradebook

from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.scores import MarkRow, read_marks
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import Entry, roster_of
from pcn_course.grading.notebooks import STRUCTURE


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One item of an LMS's gradebook.

    ``titles`` are the names it may have there, the one that we would give it first. ``points`` has
    the students with a mark: who isn't marked yet is not in it, and gets no 0 in its place.
    """

    step: str
    titles: tuple[str, ...]
    out_of: float
    points: dict[str, float]
    late: bool = False
    """Whether it is what handing in late costs: points below 0, out of none."""

    @property
    def title(self) -> str:
        """The name that we would give it."""
        return self.titles[0]


class Grades(msgspec.Struct, frozen=True):
    """The students who handed anything in, and their points: in all, and by criterion."""

    people: tuple[Entry, ...]
    totals: tuple[Column, ...]
    criteria: tuple[Column, ...]
    """The last of each step is its late penalties: all of a step's columns sum to its total."""
    timeless: tuple[tuple[str, str], ...] = ()
    """Students and steps that have points and no time at which they were handed in."""


def read_grades(room: Room, steps: Sequence[str] = (), students: Collection[str] = ()) -> Grades:
    """The grades of some steps and students; of all, where none are named.

    A total is the sum of the scores less the late penalty, never below 0. It is there as soon as
    every criterion has its mark and none waits for a new look after new answers.

    Raises:
        LmsError: there is no such step or student.
        RoomError: the gradebook can't be opened.
    """
    with room.gradebook() as gradebook:
        wanted = _steps(room, gradebook, steps)
        known = {one.id for one in gradebook.students}
        most = {one.name: float(one.max_score or 0.0) for one in gradebook.assignments}
    if unknown := sorted(set(students) - known):
        raise LmsError(
            f"The gradebook has no student “{unknown[0]}”. Look for the id in formgrader, under "
            "Manage Students."
        )
    rows: dict[str, dict[str, list[MarkRow]]] = {step: {} for step in wanted}
    for row in read_marks(room):
        if row.step in rows and (not students or row.student in students):
            rows[row.step].setdefault(row.student, []).append(row)
    # What was laid in by hand may have no time, and has points all the same. All of its rows stay:
    # those that wait for a mark say that there is no total yet.
    rows = {step: {who: of_one for who, of_one in by_student.items() if _is_there(of_one)}
            for step, by_student in rows.items()}  # fmt: skip
    handed_in = sorted({student for by_student in rows.values() for student in by_student})
    roster = roster_of(room)
    return Grades(
        people=tuple(roster.get(student) or Entry(id=student) for student in handed_in),
        totals=tuple(_total(room, step, rows[step], most[step]) for step in wanted),
        criteria=tuple(one for step in wanted for one in _by_criterion(room, step, rows[step])),
        timeless=tuple(
            (student, step)
            for step in wanted for student, of_one in rows[step].items()
            if of_one[0].handed_in is None
        ),
    )  # fmt: skip


def _is_there(of_one: list[MarkRow]) -> bool:
    """Whether something was handed in."""
    return any(row.handed_in is not None or row.points is not None for row in of_one)


def _steps(room: Room, gradebook: Gradebook, named: Sequence[str]) -> list[str]:
    there = {one.name for one in gradebook.assignments}
    course = [one.id for one in room.course.steps]
    if unknown := [one for one in named if one not in there]:
        raise LmsError(
            f"The gradebook has no assignment “{unknown[0]}”. It has: "
            f"{', '.join(sorted(there)) or 'none yet'}."
        )
    wanted = set(named) or there
    if not wanted:
        raise LmsError("The gradebook is empty yet: generate a step, collect and autograde first.")
    # In the order of the course; what is none of its steps comes last.
    return [one for one in course if one in wanted] + sorted(wanted - set(course))


def _titles(room: Room, step_id: str) -> tuple[str, ...]:
    step = next((one for one in room.course.steps if one.id == step_id), None)
    if step is None:
        return (step_id,)
    return (
        f"Step {step.number}: {step.short}", step.short, step.name, step.title, step.id,
        f"{step.number}. {step.short}", f"Step {step.number}", f"{step.short}: {step.title}",
        f"Step {step.number}: {step.title}",
    )  # fmt: skip


def _total(room: Room, step: str, rows: dict[str, list[MarkRow]], most: float) -> Column:
    """The totals of a step; the gradebook knows its points also where nobody submitted yet."""
    return Column(
        step=step,
        titles=_titles(room, step),
        out_of=max((sum(row.out_of for row in of_one) for of_one in rows.values()), default=most),
        points={
            student: max(0.0, sum(row.points or 0.0 for row in of_one) - of_one[0].penalty)
            for student, of_one in rows.items()
            if not any(row.open for row in of_one)
        },
    )


def _by_criterion(room: Room, step: str, rows: dict[str, list[MarkRow]]) -> list[Column]:
    named = {STRUCTURE: "Structure"}
    named |= {one.id: one.title for one in room.course.rubric.criteria}
    found = {row.criterion for of_one in rows.values() for row in of_one}
    order = [*(one for one in named if one in found), *sorted(found - set(named))]
    columns = []
    for criterion in order:
        of_it = [
            row for of_one in rows.values() for row in of_one if row.criterion == criterion
        ]  # fmt: skip
        words = (named.get(criterion, criterion), criterion)
        columns.append(
            Column(
                step=step,
                titles=tuple(f"{one}: {word}" for word in words for one in _titles(room, step)),
                out_of=max(row.out_of for row in of_it),
                points={
                    row.student: row.points
                    for row in of_it
                    if row.points is not None and not row.open
                },
            )
        )
    return [*columns, _late(room, step, rows)]


def _late(room: Room, step: str, rows: dict[str, list[MarkRow]]) -> Column:
    """What was taken off: where there is no total yet, it may still change."""
    taken = {}
    for student, of_one in rows.items():
        if not any(row.open for row in of_one):
            taken[student] = min(of_one[0].penalty, sum(row.points or 0.0 for row in of_one))
    return Column(
        step=step,
        titles=tuple(f"{one}: Late" for one in _titles(room, step)),
        out_of=0.0,
        points={student: 0.0 - penalty for student, penalty in taken.items()},
        late=True,
    )


def points(value: float) -> str:
    """Points as text that each LMS reads the same way: a point, no thousands, at most 4 decimals.

    Canvas takes ``1,000`` for 1 (its importer turns a comma into a point).
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")

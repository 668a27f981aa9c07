"""The LMS's own mark for late work beside the lateness by our due dates, and where they differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select

from pcn_course.grading.gradebook import tables
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.late.penalties import rules_of
from pcn_course.grading.late.rules import FILE
from pcn_course.grading.late.time_zone import in_words
from pcn_course.grading.lms.upload_names import UploadName, read_names


def differences(
    room: Room,
    step: str,
    names: Mapping[str, UploadName],
    times: Mapping[str, dt.datetime] | None = None,
) -> dict[str, str]:
    """Return a sentence for each student whom the LMS calls late and we don't, or vice versa.

    ``times`` (UTC) count before those in the gradebook, where a submission may not be yet.

    Raises:
        LmsError: late.csv holds errors.
        RoomError: the gradebook can't be opened.
    """
    marked = {who: name for who, name in names.items() if name.late is not None}
    if not marked:
        return {}
    with room.engine.connect() as connection:
        due = _utc(
            connection.execute(
                select(tables.assignment.c.duedate).where(tables.assignment.c.name == step)
            ).scalar()
        )
        rows = connection.execute(
            select(
                tables.submission.c.student_id,
                tables.submission.c.timestamp,
                tables.submission.c.extension,
            )
            .join(tables.assignment, tables.assignment.c.id == tables.submission.c.assignment_id)
            .where(tables.assignment.c.name == step)
        )
        known = {row.student_id: row for row in rows}
    rules = rules_of(room)
    ours_counts = (room.root / FILE).exists()
    found = {}
    for student, name in sorted(marked.items()):
        row = known.get(student)
        when = (times or {}).get(student) or (_utc(row.timestamp) if row else None)
        if when is None:
            continue
        until = due
        if due and ours_counts:
            until = due + rules.more_time(student, step, due)
        elif due and row and row.extension:
            until = due + row.extension
        late = until is not None and when > until
        if late != name.late:
            theirs, ours = ("late", "on time") if name.late else ("on time", "late")
            by = (
                f"the due date here is {in_words(until, rules.zone)}" if until
                else "this step has no due date here"
            )  # fmt: skip
            found[student] = (
                f"{name.lms.title()} marks this as {theirs}; here it is {ours}: it was submitted "
                f"{in_words(when, rules.zone)}, and {by}. The penalty follows the due date here."
            )
    return found


def differences_in(room: Room) -> list[tuple[str, str, str]]:
    """Return student, step and sentence of all differences in a course folder.

    Raises:
        LmsError: late.csv, or a file of names, holds errors.
        RoomError: the gradebook can't be opened.
    """
    return [
        (student, step.id, text)
        for step in room.course.steps
        for student, text in differences(room, step.id, read_names(room.root, step.id)).items()
    ]


def _utc(naive: dt.datetime | None) -> dt.datetime | None:
    return naive.replace(tzinfo=dt.UTC) if naive else None

"""What the marking page is shown, as JSON: the rubric, the list of a step, one submission.

Students go by handles that tell nothing of them; their names go out only when they are asked for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pcn_course.answers.store import Submitted
from pcn_course.answers.values import TEXTS
from pcn_course.course import Course, Criterion, Prompt, Step, load_course
from pcn_course.grading.gradebook.annotations import Highlight
from pcn_course.grading.gradebook.comment_bank import Phrase
from pcn_course.grading.gradebook.scores import Mark, MarkRow, Submission
from pcn_course.review import filled_table, laid_out, later, submitted_html

Json = dict[str, Any]


def handle(course_id: str, step_id: str, student: str) -> str:
    """What a page calls a submission: the same each time, and no name can be read from it."""
    return hashlib.sha256(f"marking\0{course_id}\0{step_id}\0{student}".encode()).hexdigest()[:16]


def rubric(course: Course) -> list[Json]:
    """The criteria with their levels, the highest first, and the key that gives each level."""
    return [
        {
            "id": criterion.id,
            "title": criterion.title,
            "question": criterion.question,
            "points": criterion.points,
            "levels": [
                {"points": level.points, "name": level.name, "text": level.text, "key": key}
                for level, key in zip(criterion.levels, _keys(criterion), strict=True)
            ],
        }
        for criterion in course.rubric.criteria
    ]


def version(course: Course) -> str:
    """The version of what a page shows of the rubric, as a hash."""
    return hashlib.sha256(json.dumps(rubric(course)).encode()).hexdigest()[:12]


def version_now(course: Course) -> str:
    """The version of the rubric that the course's files hold by now.

    Raises:
        CourseError: the files hold faults.
    """
    return version(load_course(course.root))


def _keys(criterion: Criterion) -> list[str]:
    """A level's key is the digit of its points; where that can't be, levels are counted from 0."""
    points = [level.points for level in criterion.levels]
    if all(one in range(10) for one in points) and len(set(points)) == len(points):
        return [f"{one:g}" for one in points]
    rank = sorted(range(len(points)), key=lambda at: points[at])
    return [str(rank.index(at)) if rank.index(at) < 10 else "" for at in range(len(points))]


def steps(course: Course, rows: Iterable[MarkRow]) -> list[Json]:
    """The steps, each with how many of its marks are given."""
    criteria = {criterion.id for criterion in course.rubric.criteria}
    of: dict[str, int] = {}
    given: dict[str, int] = {}
    for row in rows:
        if row.criterion in criteria:
            of[row.step] = of.get(row.step, 0) + 1
            given[row.step] = given.get(row.step, 0) + (not row.open)
    return [
        {
            "id": step.id,
            "number": step.number,
            "short": step.short,
            "of": of.get(step.id, 0),
            "given": given.get(step.id, 0),
        }
        for step in course.steps
    ]


def listed(name: str, submission: Submission, requests: int) -> Json:
    """One line of a step's list."""
    return {
        "student": name,
        "pseudonym": submission.pseudonym,
        "marks": {key: [mark.points, mark.open] for key, mark in submission.marks.items()},
        "total": submission.total,
        "out_of": submission.out_of,
        "late": submission.seconds_late > 0,
        "requests": requests,
        "notes": len(submission.notes),
    }


def listed_blind(name: str, submission: Submission, own: dict[str, Mark]) -> Json:
    """The same for a second marker: nothing of the first marks is in it."""
    return {
        "student": name,
        "pseudonym": submission.pseudonym,
        "marks": {key: [mark.points, mark.open] for key, mark in own.items()},
        "total": None,
        "out_of": None,
        "late": False,
        "requests": 0,
        "notes": 0,
    }


def standing(submission: Submission) -> Json:
    """What of a submission changes with its marks."""
    return {
        "marks": {key: mark_json(mark) for key, mark in submission.marks.items()},
        "structure": submission.structure,
        "structure_open": submission.structure_open,
        "penalty": submission.penalty,
        "raw": submission.raw,
        "total": submission.total,
        "out_of": submission.out_of,
    }


def mark_json(mark: Mark) -> Json:
    """Return a score as JSON: points, comment, whether it waits for a look, by whom and when."""
    return {
        "points": mark.points,
        "comment": mark.comment,
        "open": mark.open,
        "by": mark.by,
        "at": _iso(mark.at),
    }


def answers(step: Step, submitted: Submitted) -> Json:
    """The answers as HTML, and for each of its headings what can be marked below it."""
    shown = laid_out(submitted.step or step, submitted.fields, later(step, submitted))
    return {
        "html": submitted_html(step, submitted),
        "blocks": [_block(answer.prompt, answer.value) for answer in shown],
    }


def handed_in(submission: Submission) -> Json:
    """When it came. What is noted of it names people, and comes with the names alone."""
    return {
        "handed_in": _iso(submission.handed_in),
        "seconds_late": submission.seconds_late,
        "notes": [],
    }


def highlight_json(one: Highlight) -> Json:
    """Return a highlighted passage as JSON."""
    return {
        "id": one.id,
        "prompt": one.prompt,
        "row": one.row,
        "column": one.column,
        "start": one.start,
        "end": one.end,
        "passage": one.passage,
        "comment": one.comment,
        "criterion": one.criterion,
        "by": one.by,
    }


def phrase_json(one: Phrase) -> Json:
    """One comment of the bank."""
    return {"id": one.id, "text": one.text, "criterion": one.criterion, "used": one.used}


def _block(prompt: Prompt | None, value: Any) -> Json | None:
    """What can be marked under one heading; ``None`` where nothing can."""
    if prompt is None:
        return None
    if prompt.kind in TEXTS:
        return {"key": prompt.key, "label": prompt.label}
    if prompt.kind != "table" or not isinstance(value, list):
        return None
    shown, rows = filled_table(prompt, value)
    columns = [
        {"key": column.key, "label": column.label, "text": column.kind in TEXTS} for column in shown
    ]
    ids = [str(row.get("id")) for row in rows]
    return {"key": prompt.key, "label": prompt.label, "rows": ids, "columns": columns}


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None

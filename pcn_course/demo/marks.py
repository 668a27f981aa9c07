"""Marks as two made-up markers give them, so that the cohort view and agreement show something.

The first marker is through with the first two steps and halfway through the third, the second has
marked a sample. Nobody has marked what came after, so that there is something to try.
"""

from __future__ import annotations

import random

from pcn_course.course import Criterion
from pcn_course.demo.classroom import Classroom
from pcn_course.demo.people import Pupil
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.scores import Submission
from pcn_course.grading.gradebook.second_marks import differences, marked_twice, settle
from pcn_course.instructor.marking_second import SecondMarks

FIRST, SECOND = "First marker (made up)", "Second marker (made up)"
MOST = 60
"""Submissions of a step that are marked in a large class: enough to look at, and soon done."""
SAMPLE = 12
"""Submissions of a step that are marked twice."""
_LIKELY = {"strong": (4, 4, 3), "sound": (3, 3, 2), "thin": (2, 1, 1), "half": (1, 1, 0)}
_REASON = "We read the levels once more, together."
_COMMENTS = {
    "high": (
        "Clear, and tied to your own project all the way through.",
        "You say what would change your mind. That is what makes it convincing.",
    ),
    "middle": (
        "A sound choice. Say what else you weighed, and why you set it aside.",
        "Good. One sentence on what this rests on would carry it further.",
    ),
    "low": (
        "This would fit any project. What is it about yours?",
        "Name one person and one date, and it becomes a plan.",
    ),
}


def give_marks(classroom: Classroom, seed: int = 1) -> None:
    """Mark what was handed in, some of it twice; settle one difference, highlight a few passages.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    chance = random.Random(f"marks {seed}")  # noqa: S311 (marks of nobody)
    first = Marking(classroom.room, FIRST)
    second = Marking(classroom.room, SECOND)
    criteria = tuple(first.criteria.values())
    pupils = {one.id: one for one in classroom.pupils}
    bank = {text: first.phrases.add(text).id for texts in _COMMENTS.values() for text in texts}
    for place, step in enumerate(classroom.course.steps[:3]):
        there = first.listed(step.id)[:MOST]
        for submission in there[: (len(there) + 1) // 2] if place == 2 else there:
            pupil = pupils[submission.student.id]
            for text in _mark(first, submission, pupil, criteria, chance):
                first.phrases.used(bank[text])
            if pupil.quality == "strong" and pupil.kind != "hostile":
                _highlight(first, submission, pupil)
        if place < 2:
            _mark_again(second, step.id, criteria, chance)
    if waiting := differences(marked_twice(second)):
        one = waiting[0]
        points = one.seconds[0].points
        settle(
            second, one.student, one.step, one.criterion, points, reason=_REASON, seen=one.points
        )


def _mark(
    marking: Marking,
    submission: Submission,
    pupil: Pupil,
    criteria: tuple[Criterion, ...],
    chance: random.Random,
) -> list[str]:
    """Give all marks, and some comments of the bank; returns those."""
    said = []
    for criterion in criteria:
        points = _points(criterion, _likely(pupil, chance))
        marking.give(submission.student.id, submission.step, criterion.id, points)
        if chance.random() < 0.4:
            share = points / criterion.points
            level = "high" if share > 0.8 else "middle" if share > 0.4 else "low"
            text = chance.choice(_COMMENTS[level])
            marking.say(submission.student.id, submission.step, criterion.id, text)
            said.append(text)
    return said


def _mark_again(
    marking: Marking, step_id: str, criteria: tuple[Criterion, ...], chance: random.Random
) -> None:
    marks = SecondMarks(marking)
    for submission in marking.listed(step_id)[:SAMPLE]:
        for criterion in criteria:
            seen = submission.marks[criterion.id].points or 0
            moved = seen + chance.choice((0, 0, 0, -1, 1, 1, 2))
            points = _points(criterion, min(criterion.points, max(0, moved)))
            marks.give(submission, criterion.id, points, None)


def _likely(pupil: Pupil, chance: random.Random) -> float:
    """Points of four that suit what somebody wrote."""
    if pupil.kind in ("blank", "hostile"):
        return 0
    if pupil.kind == "covered":
        return chance.choice((3, 2))
    return chance.choice(_LIKELY[pupil.quality])


def _points(criterion: Criterion, wanted: float) -> float:
    """The points of the level that is nearest: a course may have changed its levels."""
    return min((level.points for level in criterion.levels), key=lambda one: abs(one - wanted))


def _highlight(marking: Marking, submission: Submission, pupil: Pupil) -> None:
    """Mark the second sentence of the first long answer."""
    step = marking.room.course.step(submission.step)
    for prompt in step.prompts:
        text = pupil.answers[step.id].get(prompt.key)
        if prompt.kind == "text" and isinstance(text, str) and text.count(". ") > 1:
            start = text.index(". ") + 2
            end = text.index(". ", start) + 1
            marking.passages.mark(
                submission.student.id, step.id, prompt=prompt.key, start=start, end=end,
                passage=text[start:end], comment="This is the sentence that convinced me.",
            )  # fmt: skip
            return

"""The letter as a Word document, for whoever gives feedback by mail or by the LMS."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from typing import Any

from docx.shared import Pt

from pcn_course.answers.structure import Checked
from pcn_course.characters import clean
from pcn_course.documents.word import new_document
from pcn_course.grading.feedback.letter import Letter, Part, Passage, plain_number

LETTER = "+feedback.docx"
"""What the name of a letter for Word ends in."""
_KINDS = {"new": "New", "changed": "Changed", "gone": "Taken away"}


def word_name(step_id: str, student: str) -> str:
    """The file's name, safe on every system: ``step-1-goals+jdoe+feedback.docx``."""
    safe = re.sub(r"[^A-Za-z0-9._@-]", "_", student)[:60]
    if safe != student or student != student.lower():
        # Other ids could come to the same name, some systems take capitals for small letters.
        safe = f"{safe}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
    return f"{step_id}+{safe}{LETTER}"


def word_letter(letter: Letter, checked: Checked | None) -> bytes:
    """The document (.docx) with real headings; ``checked`` are the structure points' reasons."""
    made = new_document(
        f"Feedback: {letter.title}", dt.datetime.now(dt.UTC), margins=(2, 2.3), size=11, space=6
    )
    made.styles["Title"].font.size = Pt(22)
    step = f" · Step {letter.number} of {letter.steps}" if letter.number else ""
    made.add_paragraph(clean(f"{letter.course}{step}"))
    on = f", on what you handed in on {moment(letter.handed_in)}" if letter.handed_in else ""
    made.add_paragraph(clean(f"For {letter.name}{on}"))
    late = f", after {plain_number(letter.late)} off for handing in late" if letter.late else ""
    total = f"{plain_number(letter.points)} of {plain_number(letter.out_of)} points"
    _labelled(made, total, late)
    if letter.unmarked:
        are = "is" if letter.unmarked == 1 else "are"
        _say(
            made, f"{letter.unmarked} of the scores below {are} still to come, "
            "so this total will change."
        )  # fmt: skip
    _next(made, letter)
    made.add_heading("What your instructor says", 1)
    for part in letter.parts:
        _part(made, part)
    if letter.passages:
        made.add_heading("Passages that your instructor marked", 2)
        _passages(made, letter.passages)
    _changes(made, letter)
    _requests(made, letter)
    if letter.structure:
        _structure(made, letter, checked)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def moment(when: dt.datetime) -> str:
    """A time as the letter says it."""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _next(made: Any, letter: Letter) -> None:
    if letter.aim and letter.aim.next:
        made.add_heading("One next step", 1)
        _labelled(
            made, f"{letter.aim.title}.",
            f" This is where you can gain most. “{letter.aim.next.name}” would read like this:",
        )  # fmt: skip
        _say(made, letter.aim.next.text)
    elif letter.at_the_top:
        made.add_heading("One next step", 1)
        so_far = " so far" if letter.unmarked else ""
        _say(
            made, f"You are at the highest level in everything that is marked{so_far}. "
            "Keep to what worked here."
        )  # fmt: skip


def _part(made: Any, part: Part) -> None:
    heading = part.title
    if part.out_of is not None:
        heading += (
            ": not marked yet"
            if part.points is None
            else f": {plain_number(part.points)} of {plain_number(part.out_of)}"
        )
    if part.level:
        heading += f" · {part.level.name}"
    made.add_heading(clean(heading), 2)
    if part.question:
        made.add_paragraph().add_run(clean(part.question)).italic = True
    if part.reopened:
        _say(
            made, "This mark was given on what you had handed in before. "
            "It will be looked at again."
        )  # fmt: skip
    if part.level:
        _labelled(made, "What you reached.", f" {part.level.text}")
        if part.next:
            _labelled(made, f"What “{part.next.name}” needs.", f" {part.next.text}")
        else:
            _say(made, "This is the highest level.")
    if part.comment:
        _labelled(made, "Comment.", f" {part.comment}")
    _passages(made, part.passages)


def _passages(made: Any, passages: tuple[Passage, ...]) -> None:
    for one in passages:
        made.add_paragraph(clean(one.words), style="Quote")
        earlier = ", as it was before you changed it" if one.earlier else ""
        comment = f"{one.comment} " if one.comment else ""
        _say(made, f"{comment}(In “{one.where}”{earlier})")


def _changes(made: Any, letter: Letter) -> None:
    if letter.since is None:
        return
    made.add_heading("What you changed", 1)
    _say(
        made, f"Compared with what you had handed in on {moment(letter.since)}, "
        "which your letter before this one was about."
    )  # fmt: skip
    for one in letter.changes:
        made.add_paragraph(clean(f"{_KINDS[one.kind]}: {one.label}"), style="List Bullet")
        if one.before:
            made.add_paragraph(clean(one.before), style="Quote")
    if not letter.changes:
        _say(made, "The answers are the same as they were.")


def _requests(made: Any, letter: Letter) -> None:
    if letter.requests:
        made.add_heading("What you asked to have looked at again", 1)
    for title, one in letter.requests:
        made.add_heading(clean(title or "The whole step"), 2)
        _labelled(made, f"You asked on {moment(one.at)}.", f" {one.text}")
        if one.answer is None or one.answered_at is None:
            _say(made, "The answer is still to come.")
            continue
        _labelled(made, f"Answered on {moment(one.answered_at)}.", f" {one.answer}")
        if one.after is not None:
            now = plain_number(one.after)
            before = "" if one.before is None else plain_number(one.before)
            same = one.before == one.after
            _say(
                made,
                f"Points: still {now}" if same else f"Points: {before or 'none'} before, {now} now",
            )


def _structure(made: Any, letter: Letter, checked: Checked | None) -> None:
    part = letter.structure
    if part is None or part.points is None or part.out_of is None:
        return
    points, out_of = plain_number(part.points), plain_number(part.out_of)
    made.add_heading(f"What was there: {points} of {out_of}", 1)
    _say(
        made, "A machine counted these points. It looks at which questions have an answer, never "
        "at how much you wrote."
    )  # fmt: skip
    for one in checked.parts if checked else ():
        reason = f" Still open: {'; '.join(one.missing)}" if one.missing else ""
        share = f"{plain_number(one.points)} of {plain_number(one.out_of)}"
        made.add_paragraph(clean(f"{share} · {one.says}.{reason}"), style="List Bullet")
    if checked and checked.covered:
        _say(made, "Another process covers this step: full structure points.")
    if letter.by_hand:
        _say(made, f"Your instructor set these points to {points} of {out_of}.")


def _say(made: Any, text: str) -> None:
    made.add_paragraph(clean(text))


def _labelled(made: Any, label: str, text: str) -> None:
    paragraph = made.add_paragraph()
    paragraph.add_run(clean(label)).bold = True
    paragraph.add_run(clean(text))

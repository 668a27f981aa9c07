"""Giving feedback back: to all of a class at once, by nbgrader's own commands, or as Word."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
from nbgrader.exchange.default import Exchange

from pcn_course.checks import check
from pcn_course.files import write_whole
from pcn_course.grading.feedback import feedback_folders, release_state, set_release_state
from pcn_course.grading.late import recalculate
from pcn_course.grading.late_file import FILE as LATE
from pcn_course.grading.late_file import LateError
from pcn_course.grading.letters import keep_answers, read_letter
from pcn_course.grading.letters_word import word_letter, word_name
from pcn_course.grading.marks import Marking
from pcn_course.grading.room import Room


class ReturnError(Exception):
    """Feedback was not given back. ``plain`` says why and what to do."""

    def __init__(self, plain: str) -> None:
        """Take the sentence for the instructor."""
        super().__init__(plain)
        self.plain = plain


class Waiting(msgspec.Struct, frozen=True):
    """What a student's letter still waits for: criteria to mark, or grading as a whole."""

    student: str
    criteria: tuple[str, ...]
    graded: bool = True


class Returned(msgspec.Struct, frozen=True):
    """What was released: how many letters, where they lie, and whether an exchange has them."""

    letters: int
    folder: Path
    by_exchange: bool


def waiting(marking: Marking, step_id: str) -> list[Waiting]:
    """The submissions of a step that aren't marked through, by student.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    room = marking.room
    listed = {one.student.id: one for one in marking.listed(step_id)}
    found = [
        Waiting(student, tuple(marking.criteria[name].title for name in one.open))
        for student, one in listed.items() if one.open
    ]  # fmt: skip
    collected = {path.parent.name for path in (room.root / room.submitted).glob(f"*/{step_id}")}
    graded = {path.parent.name for path in (room.root / room.autograded).glob(f"*/{step_id}")}
    found += [Waiting(student, (), graded=False) for student in collected - graded - {*listed}]
    return sorted(found, key=lambda one: one.student)


def release(room: Room, step_id: str, by: str) -> Returned:
    """Write all letters of a step anew, and release them for all together.

    Raises:
        ReturnError: nbgrader could not do it, or late.csv holds faults; a step that was held is
            held as before.
        RoomError: the gradebook can't be opened.
    """
    _renew_penalties(room)
    before = release_state(room.engine, step_id)
    _nbgrader(room, "generate_feedback", step_id, "--force")
    set_release_state(room.engine, step_id, "released", by)
    folders = [*feedback_folders(room.root, str(room.root / room.feedback / "*" / step_id))]
    by_exchange = Path(str(_setting(room, "root"))).is_dir()
    if by_exchange:
        try:
            _nbgrader(room, "release_feedback", step_id)
        except ReturnError:
            if before == "held":
                set_release_state(room.engine, step_id, "held", by)
            raise
    else:
        for folder in folders:
            keep_answers(room.root, folder.parent.name, step_id, folder)
    return Returned(len(folders), room.root / room.feedback, by_exchange)


def write_words(room: Room, step_id: str, folder: Path) -> tuple[list[str], list[str]]:
    """Write a Word letter for each graded student; the files' names, and who has no letter yet.

    Raises:
        ReturnError: the folder can't be written to, or late.csv holds faults.
        RoomError: the gradebook can't be opened.
    """
    _renew_penalties(room)
    step = room.course.step(step_id)
    written, without = [], []
    for submission in Marking(room, "").listed(step_id):
        student = submission.student.id
        letter = read_letter(room, student, step_id)
        if letter is None:
            without.append(student)
            continue
        checked = check(step, room.answers(student, step_id).fields)
        name = word_name(step_id, student)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, word_letter(letter, checked))
        except OSError as error:
            raise ReturnError(f"{folder / name} can't be written: {error.strerror}.") from error
        written.append(name)
    return sorted(written), sorted(without)


def _renew_penalties(room: Room) -> None:
    """A letter's total is the one that an export would give."""
    try:
        recalculate(room)
    except LateError as error:
        raise ReturnError(f"{LATE} holds faults: {error}") from error


def _setting(room: Room, name: str) -> object:
    kept = room.config.Exchange.get(name)
    return kept or Exchange.class_traits()[name].default()


_OWN_DOING = re.compile(r"\| WARNING\]\S* (Removing existing assignment|Late submission penalty): ")
"""What nbgrader warns of for each letter and is as it should be: written anew, or a penalty."""


def _nbgrader(room: Room, command: str, *arguments: str) -> None:
    """Run an nbgrader command in the room; what it warns of goes to the terminal."""
    # -P: a file that lies in the room must not stand in for a module.
    line = [sys.executable, "-P", "-m", "nbgrader", command, *arguments, "--log-level=WARN"]
    with subprocess.Popen(  # noqa: S603 (nbgrader itself)
        line, cwd=room.root, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as run:
        for said in run.stderr or ():
            if not _OWN_DOING.search(said):
                sys.stderr.write(said)
    if run.returncode:
        raise ReturnError(
            f"`nbgrader {command}` failed; what it says stands above. Nothing was released."
        )

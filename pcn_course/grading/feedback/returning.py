"""Returning feedback: to a whole class by nbgrader's exchange, by an LMS's bulk upload, as Word."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from nbgrader.exchange.default import Exchange

from pcn_course.answers.structure import check
from pcn_course.files import UserError, write_private, write_whole
from pcn_course.grading.feedback.letter import keep_answers, read_letter
from pcn_course.grading.feedback.letter_word import word_letter, word_name
from pcn_course.grading.feedback.release import feedback_folders, release_state, set_release_state
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import HELD, Room
from pcn_course.grading.late.penalties import recalculate
from pcn_course.grading.late.rules import FILE as LATE
from pcn_course.grading.late.rules import LateError
from pcn_course.grading.lms.roster import roster_of
from pcn_course.grading.lms.upload_names import UploadName, read_names
from pcn_course.grading.lms.uploads import (
    LMS_NAMES,
    Packed,
    Page,
    comments,
    comments_column,
    feedback_line,
    pack,
    upload_name,
)
from pcn_course.spreadsheets import Sheet, read_sheet


class ReturnError(UserError):
    """Feedback was not given back. ``plain`` says why and what to do."""


class Waiting(msgspec.Struct, frozen=True):
    """What a student's letter still waits for: criteria to mark, or grading as a whole."""

    student: str
    criteria: tuple[str, ...]
    graded: bool = True


class Upload(msgspec.Struct, frozen=True):
    """A file to upload to an LMS, and how many students it reaches."""

    lms: str
    path: Path
    reached: int


class Returned(msgspec.Struct, frozen=True):
    """What was released: how many letters, where they lie, and whether an exchange has them.

    ``missed`` are the students whom neither an exchange nor an upload reaches, with the reasons.
    """

    letters: int
    folder: Path
    by_exchange: bool
    uploads: tuple[Upload, ...] = ()
    missed: dict[str, str] = {}


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


def release(
    room: Room,
    step_id: str,
    by: str,
    *,
    replace: bool = False,
    blackboard: Path | None = None,
) -> Returned:
    """Write all letters of a step anew, and release them for all together.

    What students uploaded to an LMS is returned by it: for each LMS a file to upload is written
    beside the letters. ``blackboard`` is its gradebook's download with comments.

    Raises:
        ReturnError: nbgrader could not do it, late.csv holds faults, or there are files to upload
            already and ``replace`` is not set; a step that was held is held as before.
        RoomError: the gradebook can't be opened.
    """
    there = upload_files(room, step_id)
    if there and not replace:
        raise ReturnError(
            f"{there[0]} was written by an earlier release, and may have been uploaded. To write "
            "it again, add --replace. Nothing was changed."
        )
    try:
        sheet = read_sheet(blackboard) if blackboard else None
        if sheet is not None:
            comments_column(sheet)
        names = read_names(room.root, step_id)
    except UserError as error:
        raise ReturnError(error.plain) from error
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
    drop_uploads(room, step_id)
    uploads, missed = write_uploads(room, step_id, names, sheet)
    if by_exchange:
        missed = {student: why for student, why in missed.items() if student in names}
    return Returned(len(folders), room.root / room.feedback, by_exchange, uploads, missed)


def write_uploads(
    room: Room, step_id: str, names: Mapping[str, UploadName], sheet: Sheet | None = None
) -> tuple[tuple[Upload, ...], dict[str, str]]:
    """Write a file to upload for each LMS that took submissions of a step.

    ``names`` are what each student's upload was called; ``sheet`` is Blackboard's download. The
    files, and why they don't reach the others who have a letter.

    Raises:
        ReturnError: a file can't be written.
        RoomError: the gradebook can't be opened.
    """
    folder = room.root / room.feedback
    by_lms: dict[str, list[Page]] = {}
    missed = {}
    for path in sorted(folder.glob(f"*/{step_id}/{step_id}.html")):
        student = path.parts[-3]
        if student in names:
            page = Page(student, names[student].name, path.read_bytes())
            by_lms.setdefault(names[student].lms, []).append(page)
        else:
            missed[student] = "no upload of this student came from an LMS"
    uploads = []
    for lms, pages in sorted(by_lms.items()):
        if lms == "blackboard":
            packed = _for_blackboard(room, step_id, [page.student for page in pages], sheet)
        else:
            packed = pack(lms, step_id, pages)
        missed |= packed.missed
        if not packed.students:
            continue
        path = folder / upload_name(step_id, lms)
        try:
            write_private(path, packed.content)
        except OSError as error:
            raise ReturnError(f"{path} can't be written: {error.strerror}.") from error
        uploads.append(Upload(lms, path, len(packed.students)))
    return tuple(uploads), dict(sorted(missed.items()))


def upload_files(room: Room, step_id: str) -> list[Path]:
    """Return the files to upload that are there of a step."""
    folder = room.root / room.feedback
    return [path for lms in LMS_NAMES if (path := folder / upload_name(step_id, lms)).exists()]


def drop_uploads(room: Room, step_id: str) -> list[Path]:
    """Remove the files to upload of a step, and return their paths."""
    there = upload_files(room, step_id)
    for path in there:
        path.unlink(missing_ok=True)
    return there


def _for_blackboard(
    room: Room, step_id: str, students: Sequence[str], sheet: Sheet | None
) -> Packed:
    letters = {student: read_letter(room, student, step_id) for student in students}
    texts = {student: feedback_line(letter) for student, letter in letters.items() if letter}
    step = room.course.step(step_id)
    people = roster_of(room).entries
    return comments(f"Step {step.number}: {step.short}", people, texts, sheet)


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
        answers = room.answers(student, step_id)
        checked = check(answers.step or step, answers.fields)
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
        said = [line for line in run.stderr or () if not _OWN_DOING.search(line)]
    if run.returncode and any("database is locked" in line for line in said):
        raise ReturnError(HELD)
    sys.stderr.writelines(said)
    if run.returncode:
        raise ReturnError(
            f"`nbgrader {command}` failed; what it says stands above. Nothing was released."
        )

"""A round of calibration: synthetic anchor answers with agreed marks, in a room of their own.

``data/calibration/<step id>.toml`` holds the anchors of a step. In the room they are submissions
whose first marks are the agreed ones; whoever marks them there is a second marker, who doesn't see
them. How far the two agree is then told as of every other class.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from pcn_course.answers.store import FILE, FORMAT, Field
from pcn_course.answers.structure import check
from pcn_course.course import Course, CourseError, Fault, Step, UnknownStepError
from pcn_course.course.faults import Source
from pcn_course.course.model import Part
from pcn_course.files import plain_os_error
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import CONFIG, Room, RoomError, open_room
from pcn_course.grading.gradebook.schema import now
from pcn_course.grading.gradebook.second_marks import Drift, drifts
from pcn_course.grading.notebooks import STRUCTURE, write_room_notebooks

AGREED = "agreed"
"""The name under which the agreed marks stand in the room."""
SYNTHETIC = "This answer is synthetic: it was written for calibration, and no student wrote it."
ROOM = "assignments"
"""The room's folder in what `make_calibration` makes."""
LONGEST_REASON = 300
"""Characters of the reason for an agreed mark: one sentence."""
_ENDING = "-calibration"
_CONFIG = '''"""A room to practise marking in: its answers are synthetic (`pcn calibrate`)."""

from pathlib import Path

from pcn_course.grading.config import configure

c = get_config()  # noqa: F821 (nbgrader provides it)
configure(c, here=Path(__file__))

# Nothing of it is taken for the real course.
c.CourseDirectory.course_id += "-calibration"
'''


class Agreed(Part, frozen=True):
    """The agreed mark of an anchor in one criterion, with its reason in one sentence."""

    criterion: str
    points: float
    why: str


class Anchor(Part, frozen=True):
    """Synthetic answers to a step, by key, and the marks on which the course team agreed."""

    id: str
    answers: dict[str, Any]
    agreed: tuple[Agreed, ...]


class Calibration(Part, frozen=True):
    """The anchors of one step. ``about`` says that they are synthetic."""

    step: str
    about: str
    anchors: tuple[Anchor, ...]


def load_calibrations(course: Course) -> tuple[Calibration, ...]:
    """All anchors that the course brings, in the order of its steps.

    Raises:
        CourseError: with all faults of all files, each with its file and place.
    """
    faults: list[Fault] = []
    found = [
        calibration
        for path in sorted((course.root / "data" / "calibration").glob("*.toml"))
        if (calibration := _load(path, course, faults))
    ]
    if faults:
        raise CourseError(faults)
    return tuple(found)


def make_calibration(course: Course, folder: Path) -> Room:
    """A room below ``folder`` whose submissions are the anchors; one that is there is opened.

    Raises:
        CourseError: the anchors hold faults.
        RoomError: the course brings none, or something else is in the folder; nothing was changed.
    """
    folder = folder.absolute()
    room = folder / ROOM
    if (room / CONFIG).is_file() and (room / CONFIG).read_text(encoding="utf-8") == _CONFIG:
        return open_room(room)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise RoomError(
            f"{folder} holds something else already, and nothing was changed. Name an empty "
            "folder, or one that is not there yet."
        )
    calibrations = load_calibrations(course)
    if not calibrations:
        raise RoomError(f"This course brings no anchor answers: {course.root}/data/calibration.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # It is there whole or not at all.
        with tempfile.TemporaryDirectory(prefix=".calibration-", dir=folder.parent) as made:
            whole = Path(made) / folder.name
            _make(course, calibrations, whole)
            whole.replace(folder)
    except OSError as error:
        raise RoomError(f"{folder}: {plain_os_error(error)}") from error
    return open_room(room)


def moved(marking: Marking, step_id: str | None = None) -> list[Drift]:
    """How markers drift; agreed marks are nobody's, so they don't."""
    found = drifts(marking, step_id)
    return [one for one in found if one.marker != AGREED or not is_calibration(marking.room)]


def is_calibration(room: Room) -> bool:
    """Whether a room is one of calibration, in which the first marks are not to be touched."""
    return room.course_id == f"{room.course.id}{_ENDING}"


# ---- Reading -------------------------------------------------------------------------------------


def _load(path: Path, course: Course, faults: list[Fault]) -> Calibration | None:
    source = Source(path, course.root, faults)
    before = len(faults)
    try:
        source.text = path.read_text(encoding="utf-8")
        built = source.build(Calibration, tomllib.loads(source.text))
    except UnicodeDecodeError:
        source.fault("", "is not UTF-8 text; save it again as UTF-8")
        return None
    except tomllib.TOMLDecodeError as error:
        source.fault("", f"is not valid TOML: {error}")
        return None
    except OSError as error:
        source.fault("", f"can't be read: {error.strerror}")
        return None
    if built:
        _check(source, built, course)
    return built if len(faults) == before else None


def _check(source: Source, built: Calibration, course: Course) -> None:
    try:
        step = course.step(built.step)
    except UnknownStepError as error:
        source.fault("step", str(error))
        return
    if built.step != step.id or source.path.stem != step.id:
        source.fault("step", f"a file for this step says “{step.id}” and is called {step.id}.toml")
    if "synthetic" not in built.about.lower():
        source.fault("about", "say here that the answers are synthetic")
    ids = [anchor.id for anchor in built.anchors]
    if len(ids) < 2:
        source.fault("anchors", "at least two anchors are needed to compare marks")
    for number, anchor in enumerate(built.anchors, start=1):
        place = f"anchors {number} “{anchor.id}”"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", anchor.id):
            source.fault(f"{place}: id", "must be small letters, digits and hyphens")
        if anchor.id in ids[: number - 1]:
            source.fault(f"{place}: id", "another anchor has this id")
        _check_answers(source, f"{place}: answers", anchor, step)
        _check_agreed(source, place, anchor, course)
    for criterion in course.rubric.criteria:
        given = [one.points for it in built.anchors for one in it.agreed
                 if one.criterion == criterion.id]  # fmt: skip
        if len(given) > 1 and len(set(given)) == 1:
            source.fault(
                "anchors",
                f"all have {given[0]:g} in “{criterion.id}”: nobody could tell markers apart by it",
            )


def _check_answers(source: Source, place: str, anchor: Anchor, step: Step) -> None:
    for key, value in anchor.answers.items():
        prompt = step.prompt(key)
        if prompt is None:
            source.fault(place, f"“{key}” is no question of this step")
        elif prompt.private:
            source.fault(place, f"“{key}” is private, and no marker sees it")
        elif fault := prompt.fault(value):
            source.fault(place, f"what stands for “{key}” {fault}")


def _check_agreed(source: Source, place: str, anchor: Anchor, course: Course) -> None:
    criteria = {one.id: one for one in course.rubric.criteria}
    given = [one.criterion for one in anchor.agreed]
    for missing in [one for one in criteria if one not in given]:
        source.fault(place, f"there is no agreed mark for “{missing}”")
    for number, one in enumerate(anchor.agreed, start=1):
        where = f"{place} › agreed {number}"
        if one.criterion not in criteria:
            known = ", ".join(criteria)
            source.fault(f"{where}: criterion", f"the rubric has {known}, not “{one.criterion}”")
            continue
        if one.criterion in given[: number - 1]:
            source.fault(f"{where}: criterion", f"“{one.criterion}” has an agreed mark already")
        levels = [level.points for level in criteria[one.criterion].levels]
        if one.points not in levels:
            known = ", ".join(f"{points:g}" for points in levels)
            source.fault(f"{where}: points", f"no level has {one.points:g}; levels have {known}")
        if not 0 < len(one.why.strip()) <= LONGEST_REASON:
            source.fault(f"{where}: why", f"one sentence of at most {LONGEST_REASON} characters")


# ---- Making the room -----------------------------------------------------------------------------


def _make(course: Course, calibrations: tuple[Calibration, ...], folder: Path) -> None:
    """The course's files, the room, its gradebook, and the agreed marks in it."""
    for name in ("data", "notebooks"):
        shutil.copytree(course.root / name, folder / name)
    (folder / ROOM).mkdir()
    (folder / ROOM / CONFIG).write_text(_CONFIG, encoding="utf-8")
    write_room_notebooks(folder / ROOM)
    room = open_room(folder / ROOM)
    try:
        _fill(room, calibrations)
        marking = Marking(room, AGREED)
        for calibration in calibrations:
            for anchor in calibration.anchors:
                for one in anchor.agreed:
                    marking.give(anchor.id, calibration.step, one.criterion, one.points)
                    marking.say(anchor.id, calibration.step, one.criterion, one.why)
    finally:
        room.close()


def _fill(room: Room, calibrations: tuple[Calibration, ...]) -> None:
    """The anchors as submissions: their answers in the folder, their cells in the gradebook."""
    at = now().replace(tzinfo=None, microsecond=0)
    with room.gradebook() as gradebook, gradebook.db.no_autoflush:
        for anchor in {one.id: one for it in calibrations for one in it.anchors}.values():
            gradebook.add_student(anchor.id, first_name="Synthetic", last_name=anchor.id)
        for calibration in calibrations:
            step = room.course.step(calibration.step)
            where = step.id, step.id
            gradebook.add_assignment(step.id)
            gradebook.add_notebook(*where)
            structure = room.course.rubric.structure
            gradebook.add_grade_cell(STRUCTURE, *where, max_score=structure, cell_type="code")
            for criterion in room.course.rubric.criteria:
                gradebook.add_task_cell(
                    criterion.id, *where, max_score=criterion.points, cell_type="markdown"
                )
            for anchor in calibration.anchors:
                fields = {key: Field(value, 1) for key, value in anchor.answers.items()}
                _lay_down(room, step, anchor.id, fields)
                submission = gradebook.add_submission(step.id, anchor.id, timestamp=at)
                for grade in submission.notebooks[0].grades:
                    if grade.name == STRUCTURE:
                        grade.auto_score = check(step, fields).points
                        grade.needs_manual_grade = False
        gradebook.db.commit()


def _lay_down(room: Room, step: Step, student: str, fields: dict[str, Field]) -> None:
    folder = room.submission(student, step.id)
    folder.mkdir(parents=True)
    document = {
        "format": FORMAT,
        "course": room.course.id,
        "step": step.name,
        "revision": 1,
        "saved_at": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "fields": fields,
    }
    (folder / FILE).write_bytes(msgspec.json.encode(document))

"""Generating an assignment: what may change after a release, and when the step is due."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters.base import NbGraderException

from pcn_course.course import Course, CourseError, Step, UnknownStepError, load_course
from pcn_course.course.released import FOLDER, changes, keep, newest
from pcn_course.files import UserError
from pcn_course.grading.dates import due_in, due_of
from pcn_course.grading.late.time_zone import in_words, zone_of


def capture_log(
    stock: Callable[..., dict[str, Any]], _config: Any, app: Any, *form: str
) -> dict[str, Any]:
    """What formgrader shows of a run; a refusal is in the log, so no traceback goes with it."""
    result = stock(app, *form)
    return {**result, "error": ""} if getattr(app, "was_refused", False) else result


def scores_changed(released: Path, source: Path) -> Iterator[str]:
    """Yield a sentence for each cell whose points differ between two notebooks."""
    before, now = _points(released), _points(source)
    if before is None or now is None:
        return
    for cell in {**before, **now}:
        if before.get(cell) != now.get(cell):
            was, gives = (
                "no points" if cell not in cells else f"{cells[cell]:g} points"
                for cells in (before, now)
            )
            yield f"“{cell}” has {was} in the release and {gives} in {source.name}"


def generate(stock: Callable[[Any], None], _config: Any, converter: Any) -> None:
    """As nbgrader's, for a step of the course; on any failure ``release/`` is as it was.

    Raises:
        NbGraderException: it was refused or failed; the log says why.
    """
    step_id = converter.coursedir.assignment_id
    try:
        course = load_course()
    except CourseError as error:
        _refuse(converter, [str(fault) for fault in error.faults])
    step = step_of(course, step_id)
    if step is None:
        stock(converter)
        return
    form = converter.coursedir.format_path
    release = Path(form(converter.coursedir.release_directory, ".", step_id))
    source = Path(form(converter.coursedir.source_directory, ".", step_id))
    notebook = release / f"{step_id}.ipynb"
    faults = [str(fault) for fault in changes(course, step_id)]
    if newest(course, step_id):
        instead = f"Put the points back, or, if no student has the step yet, delete {FOLDER}/"
        told = scores_changed(notebook, source / notebook.name)
        faults += [f"{one}. {instead}{step_id}." for one in told] if not faults else []
    if faults:
        _refuse(converter, faults)
    due = _settle_due(converter, course, step)
    before = _state(notebook)
    with _put_back(release):
        stock(converter)
    if _state(notebook) != before:
        try:
            keep(course, step, dt.datetime.now(dt.UTC))
        except OSError as error:
            message = f"{course.root / FOLDER} can't be written to ({error.strerror})"
            converter.log.error(  # noqa: TRY400 (a sentence, no traceback)
                "%s, so the questions of %s are not kept. Fix that, then generate with --force.",
                message, step_id,
            )  # fmt: skip
            raise NbGraderException(message) from error
    elif due != due_of(notebook):
        converter.log.warning(
            "Nothing was generated, and students still see another due date. "
            "Run `nbgrader generate_assignment %s --force` and release it again.", step_id,
        )  # fmt: skip


def _settle_due(converter: Any, course: Course, step: Step) -> dt.datetime | None:
    """Bring a due date that was edited in ``data/course.toml`` into the gradebook.

    Of the two the one counts that has changed since the last release. The date in UTC.

    Raises:
        NbGraderException: both have changed, so nobody knows which one is meant.
    """
    try:
        zone = zone_of(converter.config)
    except UserError as error:
        _refuse(converter, [error.plain])
    in_course, last = in_utc(step.due), newest(course, step.id)
    if converter.no_database:
        return in_course
    coursedir = converter.coursedir
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            due = due_in(gradebook, step.id)
        except MissingEntry:
            due = None
        carried = in_utc(last.step.due) if last else None
        if last is None and due is None:
            due = in_course  # what is generated first takes it
        elif in_course in (due, None):
            if in_course is None and due and due == carried:
                converter.log.warning(
                    "data/course.toml no longer has a due date for %s; the gradebook still has "
                    "one. To remove it, edit the assignment in Formgrader.", step.id,
                )  # fmt: skip
        elif last and due == carried:
            gradebook.update_or_create_assignment(step.id, duedate=in_course.replace(tzinfo=None))
            converter.log.warning(
                "The due date in data/course.toml has changed; the gradebook has it now."
            )
            due = in_course
        elif last and in_course == carried:
            converter.log.warning(
                "The gradebook's due date of %s counts; data/course.toml says %s",
                step.id, in_words(in_course, zone),
            )  # fmt: skip
        else:
            says = f"{step.id} is due {in_words(in_course, zone)} in data/course.toml, and"
            now = f"{in_words(due, zone)} in the gradebook" if due else "never in the gradebook"
            remedy = "Write the gradebook's date in data/course.toml, or set its date in Formgrader"
            _refuse(converter, [f"{says} {now}. {remedy}, so that both are the same."])
    converter.log.info("%s is due %s", step.id, in_words(due, zone) if due else "at no set time")
    return due


def _refuse(converter: Any, faults: list[str]) -> Any:
    converter.was_refused = True
    for fault in faults:
        converter.log.error("%s", fault)
    converter.log.error("Nothing was changed. `pcn check` lists the same.")
    raise NbGraderException("; ".join(faults))


@contextmanager
def _put_back(release: Path) -> Iterator[None]:
    """Put the released folder back as it was where generating fails: nbgrader removes it."""
    if not release.is_dir():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="pcn-release-") as folder:
        kept = Path(folder, release.name)
        shutil.copytree(release, kept, symlinks=True)
        try:
            yield
        except BaseException:
            shutil.rmtree(release, ignore_errors=True)
            shutil.copytree(kept, release, symlinks=True, dirs_exist_ok=True)
            raise


def _points(notebook: Path) -> dict[str, float] | None:
    """The points by cell of a notebook; None where it can't be read."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        about = [cell["metadata"].get("nbgrader", {}) for cell in cells]
        return {
            one["grade_id"]: float(one["points"])
            for one in about
            if one.get("grade") or one.get("task")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _state(notebook: Path) -> tuple[int, int] | None:
    try:
        about = notebook.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_ino


def step_of(course: Course, assignment_id: str) -> Step | None:
    """The step that nbgrader calls an assignment; None for one that is not of the course."""
    try:
        return course.step(assignment_id)
    except UnknownStepError:
        return None


def in_utc(due: dt.datetime | None) -> dt.datetime | None:
    """The same moment in UTC."""
    return due.astimezone(dt.UTC) if due else None

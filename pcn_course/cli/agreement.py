"""How far markers agree, in a terminal or as a table, and a round of calibration."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pcn_course.cli.group import (
    FILE,
    FOLDER,
    TEACHING,
    browser_option,
    command,
    course_in,
    course_option,
    port_option,
    room_in,
    room_option,
    with_faults,
)
from pcn_course.course import CourseError, UnknownStepError
from pcn_course.files import write_whole

if TYPE_CHECKING:
    from pcn_course.course import Course
    from pcn_course.grading.gradebook.room import Room
    from pcn_course.grading.gradebook.second_marks import Drift, Twice
    from pcn_course.instructor.agreement_view import Part

_WIDTH = 88


@command(TEACHING)
@click.option("--step", "name", help="Only this step, by its id or short name. Default: all.")
@click.option("--csv", "target", type=FILE, help="Write a line per step and criterion there.")
@room_option
def agreement(name: str | None, target: Path | None, folder: Path | None) -> None:
    """Say how far first and second marks agree, what is to be settled, and who drifts."""
    from pcn_course.grading.agreement.calibration import is_calibration, moved
    from pcn_course.grading.gradebook.marks import Marking
    from pcn_course.grading.gradebook.room import RoomError
    from pcn_course.grading.gradebook.second_marks import marked_twice, note_look
    from pcn_course.instructor import agreement_view as view
    from pcn_course.instructor.marking import whoever

    room = room_in(folder)
    step = _step(room, name)
    try:
        marking = Marking(room, whoever(""))
        note_look(marking, step)
        found, drift = marked_twice(marking, step), moved(marking, step)
    except RoomError as error:
        raise click.ClickException(error.plain) from error
    finally:
        room.close()
    if not found:
        click.echo(f"{view.NOTHING}\n{textwrap.fill(view.how(room), _WIDTH)}")
    for part in view.parts(room.course, found):
        _tell(part)
    if found:
        _differences(room.course, found, calibration=is_calibration(room))
    _drifts(drift)
    if target and found:
        _write(target, view.table(room.course, found))
    elif target:
        click.echo(f"\n{target} was not written: there is nothing to put into it.")


@command(TEACHING)
@click.argument("folder", type=FOLDER, default=Path("calibration"))
@course_option
@port_option
@click.option("--as", "marker", help="The name under which marks are kept. Default: your login.")
@browser_option
def calibrate(
    folder: Path, root: Path | None, port: int | None, marker: str | None, *, no_browser: bool
) -> None:
    """Mark synthetic answers blind, and see how far you are from the agreed marks.

    FOLDER (default: calibration) is made when missing; called again it goes on where you were. Each
    marker takes a folder of their own.
    """
    from pcn_course.app.launcher import serve_room
    from pcn_course.grading.agreement.calibration import make_calibration
    from pcn_course.grading.gradebook.room import RoomError

    course = course_in(root)
    try:
        room = make_calibration(course, folder)
    except RoomError as error:
        raise click.ClickException(error.plain) from error
    except CourseError as error:
        raise with_faults(error) from None
    if marker:
        os.environ["PCN_MARKER"] = marker
    click.echo(
        f"The answers are synthetic, and you mark them blind. How far you are from the agreed\n"
        f"marks is under “Second marking” on the page, and afterwards said by\n\n"
        f"    pcn agreement --course-folder {room.root}\n"
    )
    serve_room(room, port=port, open_browser=not no_browser)


def _step(room: Room, name: str | None) -> str | None:
    try:
        return room.course.step(name).id if name else None
    except UnknownStepError as error:
        raise click.ClickException(str(error)) from error


def _tell(part: Part) -> None:
    """One criterion: the words first, then the figures."""
    click.echo(f"{part.criterion.title}\n")
    click.echo(textwrap.fill(" ".join(part.words), _WIDTH, initial_indent="  ",
                             subsequent_indent="  "))  # fmt: skip
    click.echo()
    for name, figure in part.figures:
        click.echo(f"  {name:<44}{figure}")
    click.echo()


def _differences(course: Course, found: list[Twice], *, calibration: bool) -> None:
    """What the marks differ in; in a calibration with the reason for the agreed one."""
    from pcn_course.grading.gradebook.second_marks import differences
    from pcn_course.instructor.agreement_view import marked

    criteria = {one.id: one for one in course.rubric.criteria}
    numbers = {step.id: step.number for step in course.steps}
    waiting = differences(found)
    settled = sum(one.settled is not None for one in found)
    told = f"To be settled: {len(waiting)}. Settled: {settled}."
    click.echo(f"Marks that differ: {len(waiting)}." if calibration else told)
    for one in waiting:
        criterion = criteria[one.criterion]
        first = f"{one.first_by or 'first'} {marked(one.first, criterion)}"
        seconds = [f"{it.marker} {marked(it.points, criterion)}" for it in one.seconds]
        click.echo(
            f"  Step {numbers[one.step]}, submission {one.pseudonym}, {criterion.title}: "
            + ", ".join([first, *seconds])
        )
        if calibration and one.first_comment:
            click.echo(textwrap.indent(textwrap.fill(one.first_comment, _WIDTH - 4), "    "))


def _drifts(moved: list[Drift]) -> None:
    from pcn_course.instructor.agreement_view import drifted

    if not moved:
        return
    click.echo("\nFrom the first third of a marker’s marks to the last, in points:")
    for one in moved:
        click.echo(
            f"  {one.marker}: {one.n} marks, mean {one.early:.2f}, then {one.late:.2f}. "
            f"Change {one.change}."
        )
        if one.change.low is not None:
            click.echo(textwrap.indent(textwrap.fill(drifted(one), _WIDTH - 4), "    "))


def _write(target: Path, content: bytes) -> None:
    try:
        write_whole(target, content)
    except OSError as error:
        raise click.ClickException(f"{target} can't be written: {error.strerror}.") from error
    click.echo(f"\nWritten to {target}.")

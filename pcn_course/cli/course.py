"""Commands for one's own machine and for who changes the course."""

from __future__ import annotations

from pathlib import Path

import click

from pcn_course.cli.group import (
    CHANGING,
    FOLDER,
    STUDENT,
    browser_option,
    command,
    content_to_change,
    course_in,
    course_option,
    port_option,
    with_faults,
)
from pcn_course.course import Course, CourseError
from pcn_course.files import StorageError, UserError


@command(STUDENT)
@course_option
@port_option
@click.option(
    "--workspace",
    type=FOLDER,
    default=Path("workspace"),
    show_default=True,
    help="Where the student's work is kept; it is made when missing.",
)
@browser_option
def app(root: Path | None, port: int | None, workspace: Path, *, no_browser: bool) -> None:
    """Open the course in the browser, with a workspace on this machine."""
    from pcn_course.app.launcher import serve
    from pcn_course.workspace import Workspace

    course = course_in(root)
    try:
        opened = Workspace(workspace)
        opened.fill(course)
        opened.shut()
    except (StorageError, OSError) as error:
        raise click.ClickException(f"{workspace}: {error}") from error
    serve(course, workspace, port=port, open_browser=not no_browser)


@command(CHANGING)
@course_option
def check(root: Path | None) -> None:
    """Check the course's files; list every fault with its file and place."""
    from pcn_course.course.released import changes
    from pcn_course.grading.agreement.calibration import load_calibrations
    from pcn_course.grading.notebooks import stale, stale_in_room

    course = content_to_change(root)
    faults = stale(course, course.root / "notebooks")
    if (room := course.root / "assignments").is_dir():  # a wheel brings none
        faults += stale_in_room(room)
    try:
        load_calibrations(course)
    except CourseError as error:
        faults += error.faults
    faults += changes(course)
    told = [str(fault) for fault in faults]
    if (room / "nbgrader_config.py").is_file():
        told += _about_the_term(course, room)
    for line in told:
        click.echo(line, err=True)
    if told:
        raise click.exceptions.Exit(1)
    prompts = sum(len(step.prompts) for step in course.steps)
    click.echo(f"{course.title}: {len(course.steps)} steps, {prompts} prompts, no faults.")


def _about_the_term(course: Course, folder: Path) -> list[str]:
    """Print each due date; return what is wrong with dates and with points of what is released."""
    from pcn_course.course.released import newest
    from pcn_course.grading import dates
    from pcn_course.grading.gradebook.room import open_room
    from pcn_course.grading.late.time_zone import zone_of
    from pcn_course.grading.nbgrader.release import scores_changed

    try:
        room = open_room(folder, course=course)
        zone = zone_of(room.config)
    except UserError as error:
        return [error.plain]
    wrong = []
    for step in course.steps:
        if newest(course, step.id):
            released, source = room.root / room.released / step.path, course.root / "notebooks"
            wrong += [f"{step.id}: {one}." for one in scores_changed(released, source / step.path)]
    dues = dates.due_dates(room)
    for sentence in dates.sentences(dues, zone):
        click.echo(sentence)
    return [*wrong, *dates.disagreements(dues, zone)]


@command(CHANGING)
@course_option
def notebooks(root: Path | None) -> None:
    """Write the notebooks anew from data/, after a change there. Cells of your own stay."""
    from pcn_course.grading.notebooks import write_notebooks, write_room_notebooks

    course = content_to_change(root)
    try:
        changed = write_notebooks(course, course.root / "notebooks")
        if (room := course.root / "assignments").is_dir():  # a wheel brings none
            changed += write_room_notebooks(room)
    except CourseError as error:
        raise with_faults(error) from None
    for path in changed:
        click.echo(f"wrote {path}")
    if not changed:
        click.echo("All notebooks are up to date.")

"""Commands for instructors."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pcn_course.characters import printable
from pcn_course.cli.group import (
    FILE,
    FOLDER,
    TEACHING,
    browser_option,
    command,
    port_option,
    room_in,
    room_option,
)

_LMS = ("canvas", "brightspace", "moodle", "blackboard", "roster")


@command(TEACHING)
@room_option
@port_option
@click.option("--as", "marker", help="The name under which marks are kept. Default: your login.")
@click.option(
    "--workspaces",
    type=FOLDER,
    help="The folder of all students' workspaces, so that the cohort view sees who has started.",
)
@browser_option
def grade(
    folder: Path | None,
    port: int | None,
    marker: str | None,
    workspaces: Path | None,
    *,
    no_browser: bool,
) -> None:
    """Open marking and the cohort view on this machine."""
    from pcn_course.app.launcher import serve_room

    room = room_in(folder)
    if marker:
        os.environ["PCN_MARKER"] = marker
    if workspaces:
        if not workspaces.is_dir():
            raise click.ClickException(f"There is no folder {workspaces}.")
        os.environ["PCN_WORKSPACES"] = str(workspaces.absolute())
    serve_room(room, port=port, open_browser=not no_browser)


@command(TEACHING)
@click.argument("file", type=FILE)
@click.option("--lms", type=click.Choice(_LMS), required=True, help="Which one the list is from.")
@click.option("--step", help="For Moodle's worksheet: the step whose assignment it belongs to.")
@room_option
def roster(file: Path, lms: str, step: str | None, folder: Path | None) -> None:
    """Take students from a class list of your LMS into the gradebook and roster.csv.

    The list is Canvas's gradebook export, Brightspace's grade export, Moodle's grading worksheet,
    Blackboard's gradebook download, or a CSV with the roster's own columns.
    """
    from pcn_course.files import UserError
    from pcn_course.grading.lms.roster import import_roster

    room = room_in(folder)
    try:
        done = import_roster(room, file, lms, step)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for note in done.notes:
        click.echo(printable(note, 10_000))
    counts = len(done.added), len(done.updated), len(done.unchanged)
    click.echo("{} added, {} changed, {} as they were.".format(*counts))


@command(TEACHING)
@click.argument("target", metavar="FOLDER", type=FOLDER)
@click.option("--consent", type=FILE, help="Who consents. Default: consent.csv in the room.")
@room_option
def research(target: Path, consent: Path | None, folder: Path | None) -> None:
    """Export the class for research: pseudonyms, a codebook, and no word of a student."""
    from pcn_course.grading.cohort.research import ResearchError, research_export

    room = room_in(folder)
    try:
        done = research_export(room, target, consent=consent)
    except ResearchError as error:
        raise click.ClickException(error.plain) from error
    for student in done.unknown:
        click.echo(
            f"The list of who consents names {printable(student)}, whom the course does not know."
        )
    click.echo(f"Written to {done.folder}: {', '.join(done.files)}")
    click.echo(f"Students in it: {done.students}. Left out without consent: {done.left_out}.")
    if done.alone:
        click.echo(
            f"With weeks and points that nobody else has: {done.alone}. Somebody who knows the "
            "class could recognise them; README.txt says what to do."
        )

"""``pcn``: one command for each thing that whoever runs the course does by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pcn_course.course import Course, CourseError, default_root, load_course
from pcn_course.files import StorageError

if TYPE_CHECKING:
    from pcn_course.grading.room import Room

_FOLDER = click.Path(file_okay=False, path_type=Path)
_course_option = click.option(
    "--course",
    "root",
    type=_FOLDER,
    help="The folder that holds data/ and notebooks/. Default: PCN_COURSE, else the installed one.",
)

_room_option = click.option(
    "--room",
    "folder",
    type=_FOLDER,
    help="The instructor's folder. Default: PCN_ROOM, else this folder, else assignments/.",
)


@click.group()
@click.version_option(package_name="pcn-course")
def main() -> None:
    """Five steps to a professional collaboration network: check, run and teach the course."""


@main.command()
@_course_option
def check(root: Path | None) -> None:
    """Check the course's files; list every fault with its file and place."""
    from pcn_course.grading.notebooks import stale, stale_in_room

    course = _load(root)
    faults = stale(course, course.root / "notebooks")
    if (room := course.root / "assignments").is_dir():  # a wheel brings none
        faults += stale_in_room(room)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        raise click.exceptions.Exit(1)
    prompts = sum(len(step.prompts) for step in course.steps)
    click.echo(f"{course.title}: {len(course.steps)} steps, {prompts} prompts, no faults.")


@main.command()
@_course_option
def notebooks(root: Path | None) -> None:
    """Write the notebooks anew from data/, after a change there. Cells of your own stay."""
    from pcn_course.grading.notebooks import write_notebooks, write_room_notebooks

    course = _load(root)
    try:
        changed = write_notebooks(course, course.root / "notebooks")
        if (room := course.root / "assignments").is_dir():  # a wheel brings none
            changed += write_room_notebooks(room)
    except CourseError as error:
        raise _with_faults(error) from None
    for path in changed:
        click.echo(f"wrote {path}")
    if not changed:
        click.echo("All notebooks are up to date.")


@main.command()
@_course_option
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8866, or the last one used.")
@click.option(
    "--workspace",
    type=_FOLDER,
    default=Path("workspace"),
    show_default=True,
    help="Where the student's work is kept; it is made when missing.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def app(root: Path | None, port: int | None, workspace: Path, *, no_browser: bool) -> None:
    """Open the course in the browser, with a workspace on this machine."""
    from pcn_course.app.server import serve
    from pcn_course.workspace import Workspace

    course = _load(root)
    try:
        Workspace(workspace).fill(course)
    except (StorageError, OSError) as error:
        raise click.ClickException(f"{workspace}: {error}") from error
    serve(course, workspace, port=port, open_browser=not no_browser)


@main.command()
@_room_option
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8866, or the last one used.")
@click.option("--as", "marker", help="The name under which marks are kept. Default: your login.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def mark(folder: Path | None, port: int | None, marker: str | None, *, no_browser: bool) -> None:
    """Open marking and the cohort view, for instructors, on this machine."""
    from pcn_course.app.server import serve_room

    room = _room(folder)
    if marker:
        os.environ["PCN_MARKER"] = marker
    serve_room(room, port=port, open_browser=not no_browser)


def _room(folder: Path | None) -> Room:
    """The instructor's room, or why there is none and exit status 1."""
    from pcn_course.grading.room import RoomError, open_room

    try:
        return open_room(folder)
    except RoomError as error:
        raise click.ClickException(error.plain) from error
    except CourseError as error:
        raise _with_faults(error) from None


def _load(root: Path | None) -> Course:
    """The course, or all of its faults on standard error and exit status 1."""
    try:
        return load_course(root or default_root())
    except CourseError as error:
        raise _with_faults(error) from None


def _with_faults(error: CourseError) -> click.exceptions.Exit:
    for fault in error.faults:
        click.echo(str(fault), err=True)
    count = len(error.faults)
    click.echo(f"{count} fault{'s' if count != 1 else ''} found.", err=True)
    return click.exceptions.Exit(1)


if __name__ == "__main__":
    main()

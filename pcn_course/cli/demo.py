"""A class to try it on."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pcn_course.cli.group import (
    FOLDER,
    TEACHING,
    command,
    course_in,
    course_option,
    port_option,
    with_faults,
)
from pcn_course.course import CourseError

if TYPE_CHECKING:
    from pcn_course.demo.classroom import Classroom

LEAST, MOST = 6, 1000
_STAGES = {"release_assignment": "Releasing", "collect": "Collecting", "autograde": "Grading"}


@command(TEACHING)
@click.option(
    "--size",
    type=click.IntRange(LEAST, MOST),
    default=24,
    show_default=True,
    help="How many students the class has.",
)
@click.option(
    "--folder",
    type=FOLDER,
    help="A new or empty folder that keeps it. Default: a temporary one, removed at the end.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another number, another class."
)
@course_option
@port_option
@click.option("--no-browser", is_flag=True, help="Only print the addresses.")
@click.option("--no-serve", is_flag=True, help="Make the class and open nothing.")
def demo(
    size: int,
    folder: Path | None,
    seed: int,
    root: Path | None,
    port: int | None,
    *,
    no_browser: bool,
    no_serve: bool,
) -> None:
    """Make up a class, release, collect and grade, then open marking, cohort and formgrader.

    Everybody and everything in it is invented.
    """
    from pcn_course.demo.commands import CommandError
    from pcn_course.demo.serving import ServingError

    if folder is None and no_serve:
        raise click.UsageError("With --no-serve name a --folder, or nothing would be left of it.")
    with _ended_by_a_signal(), _place(folder) as place:
        try:
            classroom = _made(place, size, seed, root)
            if not no_serve:
                _serve(classroom, port=port, open_browser=not no_browser)
        except CourseError as error:
            raise with_faults(error) from None
        except (CommandError, ServingError) as error:
            raise click.ClickException(f"nbgrader could not do it. It said:\n{error}") from error
        except OSError as error:
            raise click.ClickException(f"{place}: {error.strerror or error}") from error
    if folder:
        click.echo(
            f"The class is in {place}. Look at it again: "
            f"pcn grade --course-folder {place}/assignments"
        )
    else:
        click.echo("The temporary folder was removed.")


def _made(place: Path, size: int, seed: int, root: Path | None) -> Classroom:
    """The class, from its names to its marks."""
    course = course_in(root)
    click.echo(f"Making up a class of {size} in {place}: nobody in it is real.")
    from pcn_course.demo.classroom import make_classroom
    from pcn_course.demo.marks import give_marks
    from pcn_course.demo.people import generate

    term = dt.datetime.now(dt.UTC).date() - dt.timedelta(weeks=10)
    classroom = make_classroom(place, course, generate(course, size, seed, term=term))
    classroom.enroll()

    def begins(name: str, step: str) -> None:
        if said := _STAGES.get(name):
            click.echo(f"{said} {step}")

    classroom.release(begins)
    classroom.hand_in()
    classroom.grade(begins)
    click.echo("Marking a part of it")
    give_marks(classroom, seed)
    return classroom


def _serve(classroom: Classroom, *, port: int | None, open_browser: bool) -> None:
    """Open formgrader and the instructor's pages until Ctrl-C."""
    from pcn_course.app.launcher import serve_room
    from pcn_course.demo.serving import Formgrader, cohort_address, free_port, opened_later
    from pcn_course.instructor.cohort import WORKSPACES

    with contextlib.ExitStack() as stack:
        formgrader = stack.enter_context(Formgrader(classroom))
        number = port or free_port()
        cohort = cohort_address(classroom.room.root, number)
        formgrader.wait()
        click.echo(f"\nnbgrader’s Formgrader is open at:\n\n    {formgrader.address}\n")
        click.echo(f"The class as a whole is going to be open at:\n\n    {cohort}\n")
        click.echo("Begin with marking:\n")
        if open_browser:
            stack.enter_context(opened_later(number, cohort, formgrader.address))
        os.environ[WORKSPACES] = str(classroom.workspaces)
        serve_room(classroom.room, port=number, open_browser=open_browser)


@contextlib.contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder for the class; a temporary one is removed afterwards."""
    if folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            empty = not any(folder.iterdir())
        except OSError as error:
            raise click.ClickException(f"{folder}: {error.strerror or error}") from error
        if not empty:
            raise click.ClickException(
                f"{folder} is not empty. Name a new folder; to look at a class that is there, "
                f"run pcn grade --course-folder {folder}/assignments."
            )
        yield folder.resolve()
        return
    place = Path(tempfile.mkdtemp(prefix="pcn-demo-"))
    try:
        yield place.resolve()
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Let a signal to end leave nothing behind, while no server listens to it."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has one
    before = {name: signal.signal(getattr(signal, name), end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)

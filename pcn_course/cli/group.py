"""What the commands share: the group, the options that several take, and how faults are told."""

from __future__ import annotations

import codecs
import errno
import io
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pcn_course.characters import print_safely, printable_lines
from pcn_course.course import Course, CourseError, default_root, load_course

if TYPE_CHECKING:
    from pcn_course.grading.gradebook.room import Room

SECTIONS = (
    STUDENT := "As a student",
    TEACHING := "As an instructor",
    CARE := "To look after a course",
    CHANGING := "Changing the course",
)
"""Of the help, in the order in which they are met."""

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)

course_option = click.option(
    "--course",
    "root",
    type=FOLDER,
    help="The folder that holds data/ and notebooks/. Default: PCN_COURSE, else the installed one.",
)
room_option = click.option(
    "--course-folder",
    "--room",  # its name before, which scripts of some courses may say
    "folder",
    type=FOLDER,
    help="The instructor's folder. Default: PCN_ROOM, else this folder, else assignments/.",
)
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Default: 8866, or the last one used."
)
browser_option = click.option("--no-browser", is_flag=True, help="Only print the address.")


FORMER_NAMES = {"mark": "grade"}
"""Commands by the names that they had before, which stay understood."""
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
"""Errors of writing that are not about the place that a command was given."""
_PLAIN = {
    "→": "->", "\u2212": "-", "–": "-", "·": "-", "…": "...", "“": '"', "”": '"',
    "’": "'", "‘": "'", "✓": "ok", "○": "o",
}  # fmt: skip
"""Characters of our own output, as an encoding writes them that lacks them."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in other characters, or as its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    text = "".join(_PLAIN.get(one) or f"\\u{ord(one):04x}" for one in lacking)
    return text, error.end


codecs.register_error("pcn-spelled", _spelled)


class Commands(click.Group):
    """The commands by whom they are for, in the order in which they are met."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command. No output is refused, whatever a terminal or a file is encoded in."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="pcn-spelled")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None or error.errno not in _NO_ROOM:
                raise
            sys.stderr.write(
                f"Error: The output can't be written ({error.strerror}). `pcn audit` lists what "
                "was changed.\n"
            )
            raise SystemExit(1) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what the gradebook refuses is one sentence and exit status 1.

        What is logged, and why a command failed, may name what others wrote.
        """
        print_safely()
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if type(error) is not click.ClickException:  # click's own, about options
                raise
            raise click.ClickException(printable_lines(error.message)) from error
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if plain := _of_gradebook(error):
                raise click.ClickException(printable_lines(plain)) from error
            raise

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, or of the name that it had before."""
        return super().get_command(ctx, FORMER_NAMES.get(cmd_name, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List each section's commands under its name."""
        width = formatter.width - 6 - max(map(len, self.commands))
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            line = name, command.get_short_help_str(width)
            sections.setdefault(_SECTIONS[name], []).append(line)
        for section in sorted(sections, key=SECTIONS.index):
            with formatter.section(section):
                formatter.write_dl(sections[section])


_SECTIONS: dict[str, str] = {}


def command(section: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command of ``pcn`` that stands in a section of its help."""

    def add(function: Callable[..., None]) -> click.Command:
        made: click.Command = main.command()(function)
        _SECTIONS[str(made.name)] = section
        return made

    return add


@click.group(cls=Commands)
@click.version_option(package_name="pcn-course")
def main() -> None:
    """Five steps to a professional collaboration network: check, run and teach the course."""


def _of_gradebook(error: Exception) -> str | None:
    """Return in plain words what is wrong with the gradebook; None where it is something else."""
    if "pcn_course.grading.gradebook.room" not in sys.modules:
        return None
    from sqlalchemy.exc import SQLAlchemyError

    from pcn_course.grading.gradebook.room import RoomError, gradebook_fault

    if isinstance(error, RoomError):
        return error.plain
    return gradebook_fault(error) if isinstance(error, SQLAlchemyError | sqlite3.Error) else None


def room_in(folder: Path | None) -> Room:
    """The instructor's room, or why there is none and exit status 1."""
    from pcn_course.grading.gradebook.room import RoomError, open_room

    try:
        return open_room(folder)
    except RoomError as error:
        raise click.ClickException(error.plain) from error
    except CourseError as error:
        raise with_faults(error) from None


def course_in(root: Path | None) -> Course:
    """The course, or all of its faults on standard error and exit status 1."""
    try:
        return load_course(root or default_root())
    except CourseError as error:
        raise with_faults(error) from None


def content_to_change(root: Path | None) -> Course:
    """The course whose content is meant: that of the course folder that this command is run in.

    Releasing and grading there use what lies beside it, whatever course is installed.
    """
    from pcn_course.grading.gradebook.room import CONFIG

    here = Path.cwd()
    if root is None and (here / CONFIG).is_file() and (here.parent / "data").is_dir():
        root = here.parent
    return course_in(root)


def with_faults(error: CourseError) -> click.exceptions.Exit:
    """Tell all faults of the course's files."""
    for fault in error.faults:
        click.echo(str(fault), err=True)
    count = len(error.faults)
    click.echo(f"{count} fault{'s' if count != 1 else ''} found.", err=True)
    return click.exceptions.Exit(1)

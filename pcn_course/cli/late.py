"""The command for late work: checks ``late.csv`` and brings penalties and extensions up to date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pcn_course.characters import printable
from pcn_course.cli.group import TEACHING, command, room_in, room_option

if TYPE_CHECKING:
    from pcn_course.grading.gradebook.room import Room
    from pcn_course.grading.late.penalties import Late

_HEADER = ("student", "step", "due", "handed in", "late by", "extension", "penalty")


@command(TEACHING)
@room_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def late(folder: Path | None, *, dry_run: bool) -> None:
    """Check late.csv, and renew penalties and extensions.

    late.csv lies in the room. One line says one thing, for one step or for all:

    \b
      what,student,step,value
      grace,,all,2 hours
      penalty,,all,10% per day
      cap,,all,50%
      penalty,,step-5-integrating,0
      extension,ada,step-1-goals,3 days
      extension,ben,all,2027-02-01 18:00

    Say a step of 20 points is due on Friday at 23:59. Within grace nothing is late: Saturday 01:59
    costs nothing. After grace the days begun since the due date count, 24 hours each, and grace is
    not taken off them: Saturday 02:00 is 1 day and costs 10% of the 20 points, 2 points; Sunday
    00:30 is 2 days, 4 points; and from the fifth day on the cap holds, 10 points. No total goes
    below 0.

    Percent are of the points that a step can give. "2 points" works in place of "10%". A step's own
    grace, penalty or cap counts before that of all steps; of two extensions the later one. A date
    without a time is the end of that day, in the zone of c.Lms.timezone in nbgrader_config.py, else
    this machine's. The file is the whole truth: an extension whose line is deleted is taken back.

    Marking and exports renew penalties by themselves. Run this after a due date or late.csv has
    changed. Without late.csv nothing is subtracted from anybody.

    Exits 1 where a line is at fault: then nothing was changed. A student whom the gradebook doesn't
    know is such a fault, too; there all other lines count.
    """  # noqa: D301 (click's own sign for lines that stay as they are)
    from pcn_course.grading.dates import disagreements, due_dates, sentences
    from pcn_course.grading.gradebook.room import RoomError
    from pcn_course.grading.late.penalties import recalculate, rules_of
    from pcn_course.grading.late.rules import FILE, LateError, example

    room = room_in(folder)
    path = room.root / FILE
    try:
        zone = rules_of(room).zone
        done = recalculate(room, dry_run=dry_run)
        differ = _by_the_lms(room)
    except LateError as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        click.echo(f"{_count(len(error.faults), 'fault')} found. Nothing was changed.", err=True)
        raise click.exceptions.Exit(1) from None
    except RoomError as error:
        raise click.ClickException(error.plain) from error
    finally:
        room.close()
    dues = due_dates(room)
    for sentence in (*sentences(dues, zone), *disagreements(dues, zone)):
        click.echo(sentence)
    there = path.exists()
    if not there:
        click.echo(f"There is no {path}, so nothing is subtracted for handing in late.")
        click.echo("To begin, save these lines under that name and change them:\n")
        click.echo(example(room.course))
    for note in done.notes:
        click.echo(note)
    shown = [one for one in done.submissions if there or one.changed]
    if shown:
        _table([_HEADER, *(_cells(one, zone) for one in shown)])
    if there or shown:
        of_them = sum(one.late > dt.timedelta() for one in shown)
        would = "would change; nothing was changed" if dry_run else "changed"
        click.echo(f"{_count(of_them, 'submission')} late, {done.changed} {would}.")
    for line in differ:
        click.echo(line)
    if done.unknown:
        click.echo(f"{_count(len(done.unknown), 'fault')} found.", err=True)
        raise click.exceptions.Exit(1)


def _by_the_lms(room: Room) -> list[str]:
    """Where the LMS's own mark for late work differs from ours."""
    from pcn_course.files import UserError
    from pcn_course.grading.late.rules import LateError
    from pcn_course.grading.lms.lateness import differences_in

    try:
        return [printable(f"{who}, {step}: {text}") for who, step, text in differences_in(room)]
    except LateError:
        raise
    except UserError as error:
        return [error.plain]


def _cells(one: Late, zone: ZoneInfo | None) -> tuple[str, ...]:
    return (
        one.student,
        one.step,
        _moment(one.due, zone),
        _moment(one.handed_in, zone),
        _length(one.late) + (" (grace)" if one.late and not one.days else ""),
        _change(_length(one.extension_before), _length(one.extension)),
        _change(f"{one.before:.4g}", f"{one.penalty:.4g}"),
    )


def _table(rows: list[tuple[str, ...]]) -> None:
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _change(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _moment(moment: dt.datetime | None, zone: ZoneInfo | None) -> str:
    from pcn_course.grading.late.time_zone import in_words

    return in_words(moment, zone) if moment else "-"


def _length(length: dt.timedelta) -> str:
    """The two largest units: ``1 day 3 h``, ``3 h 5 min``; less than a minute in seconds."""
    seconds = int(length.total_seconds())
    if not seconds:
        return "-"
    if seconds < 60:
        return f"{seconds} s"
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return _count(days, "day") + (f" {hours} h" if hours else "")
    return " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"

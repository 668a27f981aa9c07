"""The command that says who read or changed marks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pcn_course.characters import printable
from pcn_course.cli.group import CARE, command, room_in, room_option
from pcn_course.spreadsheets import csv_bytes

if TYPE_CHECKING:
    from pcn_course.grading.gradebook.audit_log import Line

_HEADER = ("when", "who", "marker", "what", "student", "step", "criterion", "before", "after")


@command(CARE)
@room_option
@click.option("--student", help="Only what was done with this student's work, by their id.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), help="Only from then on."
)
@click.option("--csv", "as_csv", is_flag=True, help="As a table for a spreadsheet; times are UTC.")
def audit(
    folder: Path | None, student: str | None, since: dt.datetime | None, *, as_csv: bool
) -> None:
    """Say who read or changed marks, and when.

    Each line is one thing that somebody did: opened a submission, gave or changed points, a comment
    (its length, not its words), an extension, released or exported. It doesn't matter whether that
    was on the marking page, in formgrader or by a command. The lines are kept in the room, in
    .pcn/audit.jsonl, and nothing here writes over them.
    """
    from pcn_course.grading.gradebook.audit_log import FILE, read

    room = room_in(folder)
    room.close()
    lines, odd = read(room.root)
    moment = since.astimezone() if since else None
    found = [
        one
        for one in lines
        if (student is None or one.student.casefold() == student.casefold())
        and (moment is None or one.at >= moment)
    ]
    if as_csv:
        table = csv_bytes(_HEADER, [_cells(one, local=False) for one in found])
        click.echo(table.decode("utf-8-sig").replace("\r\n", "\n"), nl=False)
    else:
        _table([_HEADER, *(_cells(one, local=True) for one in found)])
        click.echo(f"{len(found)} of {len(lines)} lines of {room.root / FILE}.")
    if odd:
        click.echo(f"{odd} lines can't be read: somebody has changed that file.", err=True)


def _cells(one: Line, *, local: bool) -> tuple[str, ...]:
    at = one.at.astimezone() if local else one.at
    when = f"{at:%Y-%m-%d %H:%M:%S}" if local else at.isoformat(timespec="seconds")
    values = ("" if it is None else f"{it:g}" if isinstance(it, float) else str(it)
              for it in (one.before, one.after))  # fmt: skip
    return when, one.who, one.marker, one.what, one.student, one.step, one.criterion, *values


def _table(rows: list[tuple[str, ...]]) -> None:
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())

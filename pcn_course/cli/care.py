"""Commands for whoever looks after a course: look at it, back it up, remove people from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pcn_course.characters import printable
from pcn_course.cli.group import CARE, FOLDER, command, room_in, room_option

_workspaces = click.option(
    "--workspaces", type=FOLDER, help="The folder of all students' workspaces."
)
_exchange = click.option(
    "--exchange", type=FOLDER, help="The exchange's folder. Default: as nbgrader is configured."
)


@command(CARE)
@room_option
@_workspaces
@_exchange
@click.option("--address", help="What people type to get here, where a proxy stands in front.")
@click.option("--json", "for_machines", is_flag=True, help="Write the findings as JSON.")
def doctor(
    folder: Path | None,
    workspaces: Path | None,
    exchange: Path | None,
    address: str | None,
    *,
    for_machines: bool,
) -> None:
    """Look at all that the course rests on and say what to do.

    Exits 1 where something is wrong.
    """
    from pcn_course.admin.doctor.findings import as_json, as_text, exit_code
    from pcn_course.admin.doctor.run import doctor as look

    found = look(folder, workspaces, exchange=exchange, address=address)
    click.echo(as_json(found) if for_machines else as_text(found), nl=False)
    raise click.exceptions.Exit(exit_code(found))


@command(CARE)
@click.argument("target", metavar="TARGET", type=click.Path(path_type=Path))
@room_option
@_workspaces
@_exchange
def backup(
    target: Path, folder: Path | None, workspaces: Path | None, exchange: Path | None
) -> None:
    """Back a course up while students type.

    TARGET is a new folder or a new .tar.gz. It holds the room, the gradebook, the exchange and
    the workspaces, private notes included. Exits 1 where something was left out.
    """
    from pcn_course.admin.backup import INCOMPLETE
    from pcn_course.admin.backup import backup as make

    room = room_in(folder)
    with _told():
        made = make(room, target, exchange=exchange, workspaces=workspaces)
    for note in (*made.left_out, *made.notes):
        click.echo(note, err=True)
    click.echo(
        f"Written and verified: {printable(made.path)}, {_number(made.files, 'file')}, "
        f"{made.size / 1e6:.1f} MB, {_number(made.workspaces, 'workspace')}."
    )
    if made.left_out:
        click.echo(INCOMPLETE, err=True)
        raise click.exceptions.Exit(1)


@command(CARE)
@click.argument("path", metavar="BACKUP", type=click.Path(path_type=Path))
@click.argument("target", metavar="[FOLDER]", type=FOLDER, required=False)
@click.option("--workspaces", type=FOLDER, help="Where workspaces go. Default: in FOLDER.")
@click.option("--exchange", type=FOLDER, help="Where the exchange goes. Default: in FOLDER.")
@click.option("--database", metavar="URL", help="An empty PostgreSQL database for the gradebook.")
@click.option("--no-owners", is_flag=True, help="As root: leave all files to root.")
@click.option("--verify", "only_verify", is_flag=True, help="Only compare it with its manifest.")
def restore(
    path: Path,
    target: Path | None,
    workspaces: Path | None,
    exchange: Path | None,
    database: str | None,
    *,
    no_owners: bool,
    only_verify: bool,
) -> None:
    """Lay a backup down, or only verify it.

    FOLDER must be empty or missing.
    """
    from pcn_course.admin import restore as restoring

    if only_verify:
        with _told():
            manifest, faults = restoring.verify(path)
        for fault in faults:
            click.echo(fault, err=True)
        for note in manifest.left_out:
            click.echo(note, err=True)
        kept = _number(sum(one.kind == "file" for one in manifest.entries), "file")
        click.echo(f"{kept}, {_number(len(faults), 'fault')} found.")
        raise click.exceptions.Exit(int(bool(faults)))
    if target is None:
        raise click.UsageError("Say where to: a FOLDER that is empty or missing. Or --verify.")
    with _told():
        done = restoring.restore(
            path,
            target,
            workspaces=workspaces,
            exchange=exchange,
            database=database,
            owners=False if no_owners else None,
        )
    for note in done.notes:
        click.echo(note, err=True)
    click.echo(f"Restored: {_number(done.files, 'file')}.")
    for part, where in done.folders.items():
        click.echo(f"  {part}: {where}")


@command(CARE)
@click.option("--student", metavar="ID", help="The student to remove.")
@click.option("--term", is_flag=True, help="Remove everybody; the course itself stays.")
@room_option
@_workspaces
@_exchange
@click.option("--reference", help="A word for the receipt, as a ticket's number; no name.")
@click.option("--yes", is_flag=True, help="Do it. Without this nothing is removed.")
@click.option("--list", "whole", is_flag=True, help="Name each place, also where there are many.")
def purge(  # noqa: PLR0913 (each is an option)
    student: str | None,
    folder: Path | None,
    workspaces: Path | None,
    exchange: Path | None,
    reference: str | None,
    *,
    term: bool,
    yes: bool,
    whole: bool,
) -> None:
    """Remove a student or a whole term from every place.

    Without --yes it only says what would go. With it there is a receipt. Stop the student's
    server first. Exits 1 where something could not be removed.
    """
    from pcn_course.admin.purge import purge as remove

    if bool(student) == term:
        raise click.UsageError("Say whom to remove: --student ID, or --term for everybody.")
    room = room_in(folder)
    with _told():
        done = remove(
            room,
            student,
            exchange=exchange,
            workspaces=workspaces,
            yes=yes,
            reference=reference,
        )
    click.echo(done.text(whole=whole), nl=False)
    raise click.exceptions.Exit(int(bool(done.left)))


@command(CARE)
@room_option
def upgrade(folder: Path | None) -> None:
    """Bring a gradebook that an older version wrote up to date."""
    from pcn_course.admin.migrate import upgrade as bring_up

    room = room_in(folder)
    with _told():
        added = bring_up(room.engine)
    click.echo(f"Added: {', '.join(added)}." if added else "The gradebook is up to date.")


def _number(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or one + 's'}"


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a part of the care refuses into one sentence and exit status 1."""
    from pcn_course.admin.locations import PlacesError
    from pcn_course.admin.manifest import BackupError
    from pcn_course.admin.migrate import MigrationError
    from pcn_course.admin.purge import PurgeError

    try:
        yield
    except (BackupError, MigrationError, PlacesError, PurgeError) as error:
        raise click.ClickException(error.plain) from error

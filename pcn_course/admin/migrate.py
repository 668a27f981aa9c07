"""From one version of the package to the next, in mid-term: forward it works, backward it is said.

Answers of an earlier format are read as they are, by `pcn_course.answers.store.UPGRADES` (there has
been one format so far), and are of the present one from their next save on; a file of a newer
format is set aside, never overwritten, and named here. Our tables in the gradebook can lack a
column that a newer version has: those that may be empty are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Column, Connection, Engine, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from pcn_course.admin.locations import read_plain
from pcn_course.answers.store import FORMAT, MAX_FILE
from pcn_course.files import UserError
from pcn_course.grading.gradebook.schema import make_tables, tables


class MigrationError(UserError):
    """It can't be brought up to date from here."""


class _Stamp(msgspec.Struct):
    """All that is read of a document here."""

    format: int


def newer(workspace: Path) -> Iterator[Path]:
    """Answers in a workspace, those set aside included, that a newer version of us wrote."""
    places = ("step-*/answers.json", ".pcn/private/*.json", ".pcn/set-aside/*.json")
    for path in (path for place in places for path in sorted(workspace.glob(place))):
        content = read_plain(path, MAX_FILE)
        try:
            if content and msgspec.json.decode(content, type=_Stamp).format > FORMAT:
                yield path
        except (msgspec.MsgspecError, RecursionError, MemoryError):
            continue


def missing_columns(connection: Connection) -> Iterator[tuple[Table, Column[object]]]:
    """The columns that our tables should have and don't; tables that are missing are made anew."""
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for table in tables.sorted_tables:
        if table.name in there:
            has = {one["name"] for one in inspector.get_columns(table.name)}
            yield from ((table, column) for column in table.columns if column.name not in has)


def upgrade(engine: Engine) -> tuple[str, ...]:
    """Bring our tables up to date; what was added, ``table.column`` each. Twice does no harm.

    Raises:
        MigrationError: a column must not be empty and has no default: nothing was changed.
    """
    make_tables(engine)
    with engine.begin() as connection:
        lacking = list(missing_columns(connection))
        for table, column in lacking:
            if not column.nullable:
                raise MigrationError(
                    f"{table.name}.{column.name} can't be added by itself. Back up the course "
                    "with `pcn backup`, and see the notes on this version in CHANGELOG.md."
                )
        for table, column in lacking:
            _add(connection, table, column)
    return tuple(f"{table.name}.{column.name}" for table, column in lacking)


def _add(connection: Connection, table: Table, column: Column[object]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    kind = column.type.compile(connection.dialect)
    statement = f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}"
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError:
        # Another process added it at the same moment.
        if column.name not in {one["name"] for one in inspect(connection).get_columns(table.name)}:
            raise

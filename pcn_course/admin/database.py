"""What the gradebook's database holds of a student: nbgrader's rows and ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbgrader import api
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    inspect,
    not_,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.grading.gradebook.room import Room, RoomError, gradebook_fault

_OF_THE_TERM = ("pcn_release",)
"""Tables of ours that belong to no student and yet to this term alone."""


def database_file(db_url: str) -> Path | None:
    """The file that a gradebook is, when it is one."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def connect(room: Room) -> Engine | None:
    """The gradebook as it is; ``None`` where none was made yet. Nothing is made or changed."""
    file = database_file(room.db_url)
    if file is not None and not file.exists():
        return None
    return create_engine(room.db_url)


def count_rows(room: Room, student: str | None) -> dict[str, int]:
    """How many rows of one student, or of all, each table has; only tables with any.

    Raises:
        RoomError: the gradebook can't be read.
    """
    engine = connect(room)
    if engine is None:
        return {}
    try:
        with engine.connect() as connection:
            counts = {
                table.name: connection.execute(
                    select(func.count()).select_from(table).where(*where)
                ).scalar_one()
                for table, where in _deletions(connection, student)
            }
    except SQLAlchemyError as error:
        raise _fault(error) from error
    finally:
        engine.dispose()
    return {name: count for name, count in counts.items() if count}


def delete_rows(room: Room, student: str | None) -> None:
    """Delete these rows in one transaction, and have their bytes leave the file.

    Raises:
        RoomError: nothing was deleted, or the file could not be written anew; repeat it.
    """
    engine = connect(room)
    if engine is None:
        return
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            tables = [table.name for table, _ in _deletions(connection, student)]
            for statement in _statements(connection, student):
                connection.execute(statement)
            connection.commit()
        _write_anew(engine, tables)
    except SQLAlchemyError as error:
        raise _fault(error) from error
    finally:
        engine.dispose()


def rows_naming(room: Room, student: str | None, pattern: re.Pattern[str]) -> Iterator[str]:
    """Comments, phrases and notes that are not the student's own and still name them."""
    engine = connect(room)
    if engine is None:
        return
    try:
        with engine.connect() as connection:
            for table, where in _remaining(connection, student):
                written = [one for one in table.c if isinstance(one.type, (String, JSON))]
                query = select(*written).where(*(not_(one) for one in where))
                count = sum(
                    any(pattern.search(str(cell)) for cell in row if cell)
                    for row in connection.execute(query)
                )
                if count:
                    yield f"the gradebook's table {table.name}: {count} rows"
    finally:
        engine.dispose()


def _remaining(
    connection: Connection, student: str | None
) -> Iterator[tuple[Table, Iterable[ColumnElement[bool]]]]:
    """Tables with words in them, and of which of their rows a purge takes."""
    words = ("comment", "pcn_")
    if student is not None:
        for table, where in _deletions(connection, student):
            if table.name.startswith(words):
                yield table, where
    if inspect(connection).has_table("pcn_phrase"):
        yield Table("pcn_phrase", MetaData(), autoload_with=connection), ()


def _statements(connection: Connection, student: str | None) -> list[Delete]:
    return [delete(table).where(*where) for table, where in _deletions(connection, student)]


def _deletions(
    connection: Connection, student: str | None
) -> list[tuple[Table, Iterable[ColumnElement[bool]]]]:
    """Each table and which of its rows go; those that point to others come first."""
    given, notebook, grade, comment, person = (
        kind.__table__
        for kind in (
            api.SubmittedAssignment, api.SubmittedNotebook, api.Grade, api.Comment, api.Student
        )
    )  # fmt: skip
    there = set(inspect(connection).get_table_names())
    everyone = student is None
    theirs = select(given.c.id).where(*([] if everyone else [given.c.student_id == student]))
    parts = select(notebook.c.id).where(notebook.c.assignment_id.in_(theirs))
    found: list[tuple[Table, Iterable[ColumnElement[bool]]]] = [
        (grade, () if everyone else (grade.c.notebook_id.in_(parts),)),
        (comment, () if everyone else (comment.c.notebook_id.in_(parts),)),
        (notebook, () if everyone else (notebook.c.assignment_id.in_(theirs),)),
        (given, () if everyone else (given.c.student_id == student,)),
        (person, () if everyone else (person.c.id == student,)),
    ]
    ours = MetaData()
    ours.reflect(connection, only=[one for one in there if one.startswith("pcn_")])
    # Ours first: a purge that was cut off between the two still finds the student by name.
    mine: list[tuple[Table, Iterable[ColumnElement[bool]]]] = []
    for table in ours.sorted_tables[::-1]:
        if "student" in table.c:
            mine.append((table, () if everyone else (table.c.student == student,)))
        elif everyone and table.name in _OF_THE_TERM:
            mine.append((table, ()))
    return [*mine, *(one for one in found if one[0].name in there)]


def _write_anew(engine: Engine, tables: list[str]) -> None:
    """Have the database give up the space in which the rows were."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        elif engine.dialect.name == "postgresql":
            for name in tables:
                quoted = engine.dialect.identifier_preparer.quote(name)
                connection.execute(text(f"VACUUM FULL {quoted}"))


def _fault(error: SQLAlchemyError) -> RoomError:
    return RoomError(gradebook_fault(error))

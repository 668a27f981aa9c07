"""What the gradebook has no place for: our own tables in its database, beside nbgrader's.

They hold no copy of a mark: points and comments stand in nbgrader's tables alone, so that its
formgrader and ours can't say different things.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

from pcn_course.grading.gradebook import audit_log

T = TypeVar("T")


class Moment(TypeDecorator[dt.datetime]):
    """A time with its zone, kept as UTC: neither database forgets or shifts it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> dt.datetime | None:
        """To naive UTC, as nbgrader's own times are."""
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value else None

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> dt.datetime | None:
        """Return an aware datetime from what the database holds, which is naive UTC."""
        return value.replace(tzinfo=dt.UTC) if value else None


tables = MetaData()


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _who() -> list[Column[Any]]:
    return [
        Column("student", String(128), nullable=False, index=True),
        Column("step", String(128), nullable=False),
    ]


events = Table(
    "pcn_event",
    tables,
    _id(),
    Column("at", Moment, nullable=False),
    Column("by", String(128), nullable=False),
    *_who(),
    Column("criterion", String(128)),
    Column("what", String(32), nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Column("undoes", Integer),
    Index("pcn_event_of", "step", "student", "criterion"),
)
"""Who did what. Lines stay.

``what`` is mark, comment, highlight, settled, request, released, look (at first and second marks
side by side) or reopened (new answers came; older gradebooks don't tell it of earlier ones).
"""

REOPENED = "reopened"

second_marks = Table(
    "pcn_second",
    tables,
    _id(),
    *_who(),
    Column("criterion", String(128), nullable=False),
    Column("marker", String(128), nullable=False),
    Column("points", Float),
    Column("note", Text),
    Column("at", Moment, nullable=False),
    UniqueConstraint("student", "step", "criterion", "marker"),
)
settled = Table(
    "pcn_settled",
    tables,
    _id(),
    *_who(),
    Column("criterion", String(128), nullable=False),
    Column("points", Float, nullable=False),
    Column("reason", Text),
    Column("by", String(128), nullable=False),
    Column("at", Moment, nullable=False),
)
phrases = Table(
    "pcn_phrase",
    tables,
    _id(),
    Column("text", Text, nullable=False),
    Column("criterion", String(128)),
    Column("step", String(128)),
    Column("by", String(128), nullable=False),
    Column("at", Moment, nullable=False),
    Column("used", Integer, nullable=False, default=0),
)
"""The bank of comments. Nothing in it belongs to one student."""

highlights = Table(
    "pcn_highlight",
    tables,
    _id(),
    *_who(),
    Column("prompt", String(128), nullable=False),
    Column("row", String(128)),
    Column("column", String(128)),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("passage", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("criterion", String(128)),
    Column("by", String(128), nullable=False),
    Column("at", Moment, nullable=False),
)
releases = Table(
    "pcn_release",
    tables,
    Column("step", String(128), primary_key=True),
    Column("state", String(16), nullable=False, default="released"),
    Column("by", String(128), nullable=False),
    Column("at", Moment, nullable=False),
)
requests = Table(
    "pcn_request",
    tables,
    _id(),
    *_who(),
    Column("criterion", String(128)),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("answer", Text),
    Column("answered_by", String(128)),
    Column("answered_at", Moment),
    Column("before", Float),
    Column("after", Float),
)
notes = Table(
    "pcn_note",
    tables,
    _id(),
    *_who(),
    Column("at", Moment, nullable=False),
    Column("text", Text, nullable=False),
)
answered = Table(
    "pcn_answered",
    tables,
    *_who(),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("student", "step"),
)
"""The answers (the SHA-256 of the file) that a submission was last graded with."""


class Records:
    """Our tables in the gradebook's database; they are made when they are missing."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        make_tables(engine)

    def note(self, student: str, step: str, text: str) -> None:
        """Keep something that is to be known of a submission; the same words once only."""
        note(self.engine, student, step, text)


def make_tables(engine: Engine) -> None:
    """Make those of our tables that are missing."""
    # An engine remembers that they were there: a run asks once for each submission.
    if engine.__dict__.get("_pcn_tables"):
        return
    present = set(inspect(engine).get_table_names())
    if present.issuperset(tables.tables):
        engine.__dict__["_pcn_tables"] = True
        return
    try:
        tables.create_all(engine)
    except DBAPIError:
        # Another process was making them at the same moment.
        if not set(inspect(engine).get_table_names()).issuperset(tables.tables):
            raise


def note(engine: Engine, student: str, step: str, text: str) -> None:
    """Keep something that is to be known of a submission; the same words once only."""
    make_tables(engine)
    with engine.begin() as connection:
        same = notes.select().where(
            notes.c.student == student, notes.c.step == step, notes.c.text == text
        )
        if connection.execute(same).first() is None:
            connection.execute(
                insert(notes).values(student=student, step=step, at=now(), text=text)
            )


def log_event(  # noqa: PLR0913 (a line of the log has that many parts)
    connection: Connection,
    *,
    by: str,
    student: str,
    step: str,
    what: str,
    criterion: str | None = None,
    before: Any = None,
    after: Any = None,
    undoes: int | None = None,
) -> dt.datetime:
    """Write a line of the log, in the transaction of what it tells of; returns its time."""
    at = now()
    connection.execute(
        insert(events).values(
            at=at, by=by, student=student, step=step, what=what, criterion=criterion,
            before=before, after=after, undoes=undoes,
        )
    )  # fmt: skip
    if what != "released":  # a state of ours; all other words are somebody's
        before, after = (
            one if one is None or isinstance(one, int | float) else len(str(one))
            for one in (before, after)
        )
    noted = f"{what}, taken back" if undoes else what
    audit_log.note(
        connection,
        audit_log.line(
            noted, marker=by, student=student, step=step, criterion=criterion,
            before=before, after=after,
        ),
    )  # fmt: skip
    return at


def reopenings(
    connection: Connection, step: str, student: str | None = None
) -> dict[str, dt.datetime]:
    """When new answers last asked for a new look at a step's marks, by student."""
    wanted = select(events.c.student, events.c.at).where(
        events.c.step == step, events.c.what == REOPENED
    )
    if student is not None:
        wanted = wanted.where(events.c.student == student)
    return {row.student: row.at for row in connection.execute(wanted.order_by(events.c.id))}


def now() -> dt.datetime:
    """The present time in UTC."""
    return dt.datetime.now(dt.UTC)


def as_struct(kind: type[T], row: Row[Any]) -> T:
    """A row as the struct whose fields have the names of its columns."""
    fields: Iterable[str] = kind.__struct_fields__  # type: ignore[attr-defined]
    return kind(**{name: row._mapping[name] for name in fields})  # noqa: SLF001

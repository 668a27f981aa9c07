"""Who read or changed marks: one line for each, beside the gradebook, that nobody writes over.

Changes are noted where they reach the database, whoever makes them: the marking page, formgrader,
nbgrader's commands or ours. A line is written just before the change is committed; where it can't
be written, the change isn't made. Lines hold ids, points and lengths, no text of a student's and
none of a marker's.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock
from nbgrader import api
from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from pcn_course import system

FILE = Path(".pcn", "audit.jsonl")
_NOTED = "pcn_audit"
_Value = float | int | str | None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that somebody did. Points are points; of a comment it is the length."""

    at: dt.datetime
    who: str
    """By which name the hub knows them; else the system's user."""
    what: str
    marker: str = ""
    """The name under which they mark, where it is another."""
    student: str = ""
    step: str = ""
    criterion: str = ""
    before: _Value = None
    after: _Value = None


def line(
    what: str,
    *,
    marker: str = "",
    student: str = "",
    step: str = "",
    criterion: str | None = None,
    before: _Value = None,
    after: _Value = None,
) -> Line:
    """A line about what happens now, by whoever runs this process."""
    who = os.environ.get("JUPYTERHUB_USER") or _system_user()
    return Line(
        at=dt.datetime.now(dt.UTC), who=who, what=what, marker="" if marker == who else marker,
        student=student, step=step, criterion=criterion or "", before=before, after=after,
    )  # fmt: skip


def write(room: Path, lines: Iterable[Line]) -> None:
    """Put lines at the end of a room's file, and see that they are on the disk.

    Points that a command gave by itself don't wait for the disk: it gives them again.

    Raises:
        OSError: they are not.
    """
    lines = list(lines)
    content = b"".join(msgspec.json.encode(one) + b"\n" for one in lines)
    if not content:
        return
    path = room / FILE
    path.parent.mkdir(exist_ok=True)
    with _lock(path):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # A line that was cut off, when the machine stopped, spoils no other.
            if not _ends_whole(path):
                content = b"\n" + content
            os.write(file, content)
            if any(one.what != "automatic" for one in lines):
                os.fsync(file)
        finally:
            os.close(file)


def read(room: Path) -> tuple[list[Line], int]:
    """All lines of a room, the oldest first, and how many can't be read."""
    try:
        content = (room / FILE).read_bytes()
    except FileNotFoundError:
        return [], 0
    found, odd = [], 0
    for one in filter(None, content.splitlines()):
        try:
            found.append(msgspec.json.decode(one, type=Line))
        except msgspec.MsgspecError:
            odd += 1
    return found, odd


def count(room: Path, student: str) -> int:
    """How many lines name a student."""
    return sum(student in (one.student, one.marker, one.who) for one in read(room)[0])


def forget(room: Path, student: str, name: str) -> None:
    """Put ``name`` where a student's id stands: what was done stays, to whom it doesn't."""
    path = room / FILE
    with _lock(path):
        about = path.stat()
        kept = []
        for one in path.read_bytes().splitlines(keepends=True):
            try:
                said = msgspec.json.decode(one, type=Line)
            except msgspec.MsgspecError:
                continue  # it may name anybody
            # A student who asked for a second look did so under their own name.
            theirs = [key for key in ("student", "marker", "who") if getattr(said, key) == student]
            anew = msgspec.structs.replace(said, **dict.fromkeys(theirs, name))
            kept.append(msgspec.json.encode(anew) + b"\n" if theirs else one)
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        if system.is_root():
            system.give(new, about.st_uid, about.st_gid)
        new.replace(path)


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"), timeout=30, mode=0o600)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


# ---- What reaches the database -------------------------------------------------------------------

_rooms: dict[URL, Path] = {}
_last: list[Path] = []


def watch(room: Path, db_url: str) -> None:
    """Note all changes of this gradebook, from now on and in this process, in this room."""
    _rooms[make_url(db_url)] = room
    _last[:] = [room]


def note(connection: Connection, one: Line) -> None:
    """Have a line written when this transaction is committed."""
    connection.info.setdefault(_NOTED, []).append(one)


@event.listens_for(Engine, "commit")
def _on_commit(connection: Connection) -> None:
    lines = connection.info.pop(_NOTED, None)
    # One whose configuration names another database than we did is the last that was opened.
    room = _rooms.get(connection.engine.url) or (_last[0] if _last else None)
    if lines and room and room.is_dir():
        write(room, lines)


@event.listens_for(Engine, "rollback")
def _on_rollback(connection: Connection) -> None:
    connection.info.pop(_NOTED, None)


@event.listens_for(Session, "before_flush")
def _on_flush(session: Session, _context: Any, _instances: Any) -> None:
    """What nbgrader itself changes, be it from formgrader or from a command."""
    if not _last:
        return
    lines = [
        *(one for row in (*session.new, *session.dirty) for one in _changes(row)),
        *(one for row in session.deleted for one in _removed(row)),
    ]
    if lines:
        connection = session.connection()
        for one in lines:
            note(connection, one)


_WATCHED: tuple[tuple[type, tuple[tuple[str, str], ...]], ...] = (
    (api.Grade, (("manual_score", "mark"), ("auto_score", "automatic"), ("extra_credit", "extra"))),
    (api.Comment, (("manual_comment", "comment"),)),
    (api.SubmittedNotebook, (("late_submission_penalty", "penalty"),)),
    (api.SubmittedAssignment, (("extension", "extension"),)),
)


def _changes(row: Any) -> Iterator[Line]:
    for kind, columns in _WATCHED:
        if not isinstance(row, kind):
            continue
        for column, what in columns:
            history = inspect(row).attrs[column].history
            before, after = (
                _value(one[0] if one else None) for one in (history.deleted, history.added)
            )
            nothing = what == "comment" and not before and not after
            if history.added and before != after and not nothing:
                yield line(what, **_where(row), before=before, after=after)


def _removed(row: Any) -> Iterator[Line]:
    if isinstance(row, api.SubmittedAssignment):
        yield line("removed", **_where(row))


def _where(row: Any) -> dict[str, Any]:
    if isinstance(row, api.Grade | api.Comment):
        return {**_where(row.notebook), "criterion": row.cell.name if row.cell else ""}
    if isinstance(row, api.SubmittedNotebook):
        return _where(row.assignment)
    return {
        "student": row.student_id or (row.student.id if row.student else ""),
        "step": row.assignment.name if row.assignment else "",
    }


def _value(value: Any) -> _Value:
    """Points as they are, a time in hours, and of a text how long it is."""
    if isinstance(value, dt.timedelta):
        return f"{value.total_seconds() / 3600:g} h"
    return len(value) if isinstance(value, str) else value

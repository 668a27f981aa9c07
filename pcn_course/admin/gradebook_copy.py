"""Copying a gradebook while it is written to, and counting what is in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, func, inspect, select, table
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.admin.as_owner import BUSY_SECONDS, as_its_owner, is_others
from pcn_course.admin.manifest import BackupError
from pcn_course.grading.gradebook.room import HELD, Room, gradebook_fault


def copy_gradebook(room: Room, source: Path, to: Path) -> None:
    """Copy a gradebook that is a file, while it is written to.

    What lies beside it tells SQLite what to write, and what to remove, so where it belongs to those
    who teach root doesn't open it.

    Raises:
        BackupError: it can't be copied.
    """
    if not is_others(room):
        _copy_sqlite(source, to)
        return
    try:
        with to.open("xb") as file:
            as_its_owner(room, "copy", source, to=file)
    except OSError as error:
        raise BackupError(f"The gradebook {error}. Run `pcn doctor`.") from error


def send_sqlite(source: Path) -> None:
    """Write a copy of a database to standard output."""
    with tempfile.TemporaryDirectory(prefix="pcn-backup-") as folder:
        copy = Path(folder, "gradebook")
        try:
            _copy_sqlite(source, copy)
        except BackupError as error:
            sys.exit(str(error.__cause__))
        with copy.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


def _copy_sqlite(source: Path, to: Path) -> None:
    """Copy a database that is being written to, as SQLite itself does it."""
    until = time.monotonic() + BUSY_SECONDS

    def waiting(*_: int) -> None:
        if time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")

    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as live,
            closing(sqlite3.connect(to)) as copy,
        ):
            live.backup(copy, progress=waiting, sleep=0.05)
    except sqlite3.Error as error:
        raise BackupError(
            HELD
            if "locked" in str(error)
            else f"The gradebook {source} can't be copied: {error}. Run `pcn doctor`."
        ) from error


def run_postgresql(program: str, url: URL, *options: str) -> None:
    """Run one of PostgreSQL's programs on a database; its password stands in no command line.

    Raises:
        BackupError: it is not installed, or it failed.
    """
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"The gradebook is in PostgreSQL, and {program} is not installed here. Install "
            "PostgreSQL's client programs (on Debian: apt-get install postgresql-client)."
        )
    host = url.query.get("host") or url.host
    settings = {
        "PGHOST": host if isinstance(host, str) else ",".join(host or ()),
        "PGPORT": str(url.port or ""),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    environment = {**os.environ, **{key: value for key, value in settings.items() if value}}
    command = [found, "--no-password", *options]
    done = subprocess.run(  # noqa: S603 (PostgreSQL's own program, arguments of ours)
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-600:]}")


def count_all(db_url: str) -> dict[str, int]:
    """How many rows each table of a database has.

    Raises:
        BackupError: it can't be read.
    """
    engine = create_engine(db_url)
    try:
        with engine.connect() as connection:
            names = sorted(inspect(connection).get_table_names())
            return {
                name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
                for name in names
            }
    except SQLAlchemyError as error:
        raise BackupError(gradebook_fault(error)) from error
    finally:
        engine.dispose()

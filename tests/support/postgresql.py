"""Debian's PostgreSQL, started for a test and stopped after it.

    with postgresql() as server:
        url = server.database("gradebook")

It listens on a socket in a folder of its own and on no port. Where it is not installed the test is
skipped, and says how to get it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_HOMES = Path("/usr/lib/postgresql")
"""Where Debian keeps PostgreSQL's programs, by version; only few of them are on the path."""
_OWNERS = ("postgres", "nobody")
_MISSING = (
    "PostgreSQL is not installed, so the gradebook was not tried on it. "
    "Install it with: apt-get install postgresql"
)


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    programs: Path
    folder: Path
    owner: str | None

    def database(self, name: str) -> str:
        """Make a database; its address for SQLAlchemy."""
        self.run("createdb", "--host", str(self.folder), "--username", "pcn", name)
        return f"postgresql+psycopg://pcn@/{name}?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs as the user who owns its files; PostgreSQL refuses root."""
        log = self.folder / "programs.txt"
        # A pipe would stay open as long as the server that a program starts.
        with log.open("ab") as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False,
                cwd=self.folder, user=self.owner, group=_group(self.owner),
                extra_groups=[] if self.owner else None, env={**os.environ, "LC_ALL": "C.UTF-8"},
                timeout=120,
            )  # fmt: skip
        assert done.returncode == 0, f"{program}:\n{log.read_text()}"


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server with no databases of ours yet."""
    programs = _programs()
    if programs is None:
        pytest.skip(_MISSING)
    # Not below pytest's own folder, which nobody but its user can enter.
    folder = Path(tempfile.mkdtemp(prefix="pcn-postgresql-"))
    owner = _owner()
    if owner:
        shutil.chown(folder, owner, _group(owner))
    server = Server(programs, folder, owner)
    data = str(folder / "data")
    try:
        server.run(
            "initdb", "--pgdata", data, "--username", "pcn", "--auth", "trust",
            "--encoding", "UTF8", "--no-sync",
        )  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        log = str(folder / "log.txt")
        server.run(
            "pg_ctl", "start", "--wait", "--pgdata", data, "--log", log, "--options", options
        )
        try:
            yield server
        finally:
            server.run("pg_ctl", "stop", "--wait", "--pgdata", data, "--mode", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = [one.parent for one in _HOMES.glob("*/bin/initdb")]
    return max(versions, key=lambda one: float(one.parent.name), default=None)


def _owner() -> str | None:
    """Who runs it: root can't."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return next(one for one in _OWNERS if one in known)


def _group(owner: str | None) -> int | None:
    return pwd.getpwnam(owner).pw_gid if owner else None

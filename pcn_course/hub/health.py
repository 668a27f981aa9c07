"""Whether the class can really work: ``/hub/pcn/health``, for whoever watches the machine.

It asks for no login and says nothing but yes or no to four questions. JupyterHub's own
``/hub/health`` only says that the hub answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
import time
import urllib.parse
from pathlib import Path
from typing import Any

from tornado import web

from pcn_course.hub.settings import Settings
from pcn_course.hub.spawner import CourseSpawner

LEAST_FREE = 512 * 2**20
"""Bytes that have to be free on the disk of the class."""
_KEPT = 2.0
"""For how many seconds an answer is good: whoever asks more often costs nothing."""
_looked: dict[str, Any] = {"at": float("-inf"), "said": {}}
_one_at_a_time = asyncio.Lock()


def look(settings: Settings) -> dict[str, bool]:
    """The four questions and their answers."""
    return {
        "disk": _has_room(settings.base),
        "exchange": _takes_files(settings.exchange),
        "gradebook": _is_readable(settings.room / "gradebook.db"),
        "fork_server": CourseSpawner.fork_server is None or CourseSpawner.fork_server.lives(),
    }


class HealthHandler(web.RequestHandler):
    """``{"ok": true, …}`` with 200, or ``{"ok": false, …}`` with 503."""

    pcn: Settings

    def initialize(self, pcn: Settings) -> None:
        """``pcn``: the settings of the class."""
        self.pcn = pcn

    async def get(self) -> None:
        """Answer with the result of all checks; 503 if one failed."""
        async with _one_at_a_time:
            if time.monotonic() - _looked["at"] > _KEPT:
                _looked["said"] = await asyncio.to_thread(look, self.pcn)
                _looked["at"] = time.monotonic()
        said = _looked["said"]
        ok = all(said.values())
        self.set_status(200 if ok else 503)
        self.set_header("Cache-Control", "no-store")
        self.write({"ok": ok, **said})


def _has_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free >= LEAST_FREE
    except OSError:
        return False


def _takes_files(folder: Path) -> bool:
    """Whether something can be written there: a file without a name, gone at once."""
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        # Some file systems know no such files.
        return error.errno in (errno.EOPNOTSUPP, errno.EISDIR) and os.access(folder, os.W_OK)
    try:
        os.write(file, bytes(4096))
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _is_readable(gradebook: Path) -> bool:
    """Whether the gradebook opens; there is none before the first step was made, or elsewhere."""
    if not gradebook.exists():
        return True
    if not gradebook.is_file():  # a pipe of this name would hold up whoever opens it
        return False
    address = f"file:{urllib.parse.quote(str(gradebook))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=2)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)  # somebody writes
    except sqlite3.Error:
        return False
    return True

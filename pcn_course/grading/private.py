"""A gradebook that SQLite makes is its owner's alone.

nbgrader lets SQLite make the file, and SQLite lets everybody on the machine read it. There is no
setting for this, so the file is made just before SQLAlchemy would have it made: empty, which to
SQLite is a new database, and with `private_mode`. A file that is there is left as it is.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Engine, event

from pcn_course.files import private_mode


@event.listens_for(Engine, "do_connect")
def _make(dialect: Any, _record: Any, arguments: list[Any], _options: dict[str, Any]) -> None:
    """Whatever comes to pass here, SQLite tells better what is wrong with the place."""
    place = str(arguments[0]) if dialect.name == "sqlite" and arguments else ""
    if place in ("", ":memory:") or place.startswith("file:") or os.path.lexists(place):
        return
    try:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_mode()))
    except OSError:
        return

"""nbgrader's commands where another program holds the gradebook: a sentence, and nothing else.

nbgrader ends in a traceback there, and autograde advises ``nbgrader db upgrade``. It has no setting
for it, so each command that opens the gradebook tries first whether it can write there.
"""

from __future__ import annotations

import sys
from typing import Any

from nbgrader.apps.baseapp import NbGrader
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from pcn_course.grading.room import HELD, gradebook_fault

_COMMANDS = (
    "nbgrader-autograde",
    "nbgrader-db",
    "nbgrader-export",
    "nbgrader-generate-assignment",
    "nbgrader-generate-feedback",
)
_start = NbGrader.start


def name_who_holds_the_gradebook() -> None:
    """Let nbgrader's commands exit with status 1 and a sentence where the gradebook is locked."""
    NbGrader.start = _start_unless_held


def _start_unless_held(app: Any) -> None:
    _start(app)
    if app.name.startswith(_COMMANDS) and (fault := _fault(app.coursedir.db_url)):
        app.log.error(fault)
        sys.exit(1)


def _fault(db_url: str) -> str | None:
    """Return why a file can't be written to, after the wait that its address allows."""
    if make_url(db_url).get_backend_name() != "sqlite":
        return None
    engine = create_engine(db_url)
    try:
        with engine.connect() as connection:
            connection.execute(text("BEGIN IMMEDIATE"))
            connection.rollback()
    except OperationalError as error:
        fault = gradebook_fault(error)
        return fault if fault == HELD else None  # nbgrader says the rest itself
    finally:
        engine.dispose()
    return None

"""Everything that this package changes in nbgrader's own modules and classes, as one table.

What nbgrader has a setting for is set in `config`; for what stands here it has none. A patch's
function takes what nbgrader has and its configuration, then the arguments of a call; for a class or
a module it returns what takes its place. A test compares ``source`` with the installed nbgrader, so
that a release that changed what is replaced fails by the patch's name: read that change, adapt the
patch, and write down the new digest.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import glob
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
from IPython.core.interactiveshell import InteractiveShell
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from pcn_course.grading.gradebook.room import HELD, gradebook_fault
from pcn_course.grading.late.time_zone import ZoneError, read_moment, zone_of
from pcn_course.grading.nbgrader import formgrader, release, submitted
from pcn_course.grading.nbgrader.gradebook import OneGradebook

Function = Callable[..., Any]


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A change of nbgrader. ``issue`` is its number at github.com/jupyter/nbgrader, if it has one.

    Each target is ``module:attribute`` or ``module:Class.attribute``.
    """

    name: str
    targets: tuple[str, ...]
    by: Function
    reason: str
    source: str
    issue: int | None = None


# ---- Folders, the gradebook ----------------------------------------------------------------------


def find(pattern: str) -> list[str]:
    """Return the paths that a pattern matches; its leading folders that exist are literal."""
    if not glob.has_magic(os.path.dirname(pattern)):  # noqa: PTH120 (nbgrader has text)
        return glob.glob(pattern)  # noqa: PTH207
    literal = pattern
    while not os.path.lexists(literal) and (parent := os.path.dirname(literal)) != literal:  # noqa: PTH120
        literal = parent
    return glob.glob(glob.escape(literal) + pattern[len(literal) :])  # noqa: PTH207


def _start_unless_held(stock: Function, _config: Config, app: Any) -> None:
    stock(app)
    if app.name.startswith(_OPENERS) and (fault := _held(app.coursedir.db_url)):
        app.log.error(fault)
        sys.exit(1)


_OPENERS = (
    "nbgrader-autograde",
    "nbgrader-db",
    "nbgrader-export",
    "nbgrader-generate-assignment",
    "nbgrader-generate-feedback",
)


def _held(db_url: str) -> str | None:
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


# ---- Due dates. The zone may be set after `configure` was called ---------------------------------


def _parse_utc(stock: Function, config: Config, moment: dt.datetime | str | None) -> Any:
    if not isinstance(moment, str) or not moment.strip():
        return stock(moment)
    return read_moment(moment, zone_of(config)).replace(tzinfo=None)


def _as_timezone(_stock: Function, config: Config, moment: dt.datetime, _zone: str) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC).astimezone(zone_of(config))


def _zone_name(_stock: Function, config: Config, _zone: str) -> str:
    zone = zone_of(config)
    return zone.key if zone else ""


def _add_assignment(stock: Function, _config: Config, app: Any) -> None:
    try:
        stock(app)
    except ZoneError as error:
        app.fail("%s Nothing was changed.", error.plain)


# ---- The table -----------------------------------------------------------------------------------

_EXCHANGE = "nbgrader.exchange.default"
_PREPROCESSORS = "nbgrader.preprocessors"
_FORMGRADER = "nbgrader.server_extensions.formgrader"

PATCHES = (
    Patch(
        name="one gradebook",
        targets=(
            "nbgrader.converters.autograde:Gradebook",
            f"{_PREPROCESSORS}.getgrades:Gradebook",
            f"{_PREPROCESSORS}.latesubmissions:Gradebook",
            f"{_PREPROCESSORS}.overwritecells:Gradebook",
            f"{_PREPROCESSORS}.overwritekernelspec:Gradebook",
            f"{_PREPROCESSORS}.saveautogrades:Gradebook",
        ),
        by=lambda *_: OneGradebook,
        reason="Autograding opens the gradebook some ten times for each submission, engine and "
        "all: half of its time, once no kernel has to start.",
        source="82597dbf8566942a",
    ),
    Patch(
        name="literal folders",
        targets=(
            "nbgrader.apps.api:glob",
            "nbgrader.converters.base:glob",
            f"{_EXCHANGE}.collect:glob",
            f"{_EXCHANGE}.exchange:glob",
            f"{_EXCHANGE}.fetch_feedback:glob",
            f"{_EXCHANGE}.list:glob",
            f"{_EXCHANGE}.release_feedback:glob",
            "nbgrader.utils:glob",
        ),
        by=lambda *_: SimpleNamespace(glob=find),
        reason="nbgrader's patterns begin with the course's own path, and match nothing where that "
        "has brackets in it, as in “pcn [spring]”.",
        source="916d59a2cb5365cb",
    ),
    Patch(
        name="held gradebook",
        targets=("nbgrader.apps.baseapp:NbGrader.start",),
        by=_start_unless_held,
        reason="Where another program holds the gradebook, a command ends in a traceback, and "
        "autograde advises `nbgrader db upgrade`. Now it is one sentence, before anything else.",
        source="c82168e7da86d717",
    ),
    Patch(
        name="files of a submission",
        targets=("nbgrader.converters:Autograde.init_assignment",),
        by=submitted.init_assignment,
        reason="nbgrader copies all that lies beside a notebook, follows links to what only the "
        "instructor may read, and waits for ever on a pipe. A long run says how far it is.",
        source="a7c144dc746ec205",
    ),
    Patch(
        name="files beside a notebook",
        targets=("nbgrader.converters.base:find_all_files",),
        by=submitted.find_all_files,
        reason="By this the patch above lets nbgrader find the files that it chose.",
        source="d35e03ce83be7e2e",
    ),
    Patch(
        name="other answers are new",
        targets=("nbgrader.converters:Autograde.init_destination",),
        by=submitted.init_destination,
        reason="nbgrader grades again by the time alone, which may be the student's clock's.",
        source="44418928db4f5b91",
    ),
    Patch(
        name="time of a submission",
        targets=("nbgrader.coursedir:CourseDirectory.get_existing_timestamp",),
        by=submitted.get_existing_timestamp,
        reason="timestamp.txt is the student's: a link is followed, and a word ends the run.",
        source="187a451f7b844155",
    ),
    Patch(
        name="guarded release",
        targets=("nbgrader.converters:GenerateAssignment.start",),
        by=release.generate,
        reason="Points may be changed after the release, due dates in two places differ, and where "
        "generating fails, nbgrader removes what was released.",
        source="fdb5803e43e183d5",
    ),
    Patch(
        name="refusals without a traceback",
        targets=("nbgrader.apps.api:capture_log",),
        by=release.capture_log,
        reason="Formgrader shows a traceback beside a refusal that its log explains.",
        source="e5a69269cacb07a2",
    ),
    Patch(
        name="due dates in the course's zone",
        targets=("nbgrader.utils:parse_utc",),
        by=_parse_utc,
        # Text without a zone comes to nbgrader.utils from due dates alone; times of submissions
        # are read by names that other modules imported, and are UTC.
        reason="nbgrader takes “-0500” for seconds, and “EDT” on a machine in UTC for UTC.",
        source="3f4f6eb043aa5b4f",
        issue=1932,
    ),
    Patch(
        name="times in the course's zone",
        targets=("nbgrader.apps.api:as_timezone",),
        by=_as_timezone,
        reason="Formgrader shows times in the server's zone.",
        source="1f54ab65f4919005",
        issue=1932,
    ),
    Patch(
        name="name of the course's zone",
        targets=("nbgrader.apps.api:to_numeric_tz", f"{_FORMGRADER}.handlers:to_numeric_tz"),
        by=_zone_name,
        reason="Formgrader's dialog offers today's offset also for a date across a change of "
        "clocks.",
        source="2f5457cc974cc231",
        issue=1932,
    ),
    Patch(
        name="unreadable due date in formgrader",
        targets=(f"{_FORMGRADER}.apihandlers:AssignmentHandler.put",),
        by=formgrader.put_assignment,
        reason="A due date that can't be read is a server error, which the dialog doesn't show.",
        source="92aaf296072e0cd4",
        issue=1834,
    ),
    Patch(
        name="unreadable due date in a command",
        targets=("nbgrader.apps.dbapp:DbAssignmentAddApp.start",),
        by=_add_assignment,
        reason="`nbgrader db assignment add --duedate` ends in a traceback.",
        source="753b03be8ce467dc",
    ),
    Patch(
        name="escaped pages of formgrader",
        targets=(f"{_FORMGRADER}.base:BaseHandler.render",),
        by=formgrader.render,
        reason="Ids from folders' names and from the address stand in pages and scripts as they "
        "are: a link with a quotation mark in it would run with the instructor's kernels.",
        source="be17584c70850a3f",
    ),
)

_STOCK: dict[str, Any] = {}


def apply(config: Config) -> None:
    """Put all patches in their places, in this process; called again, with another configuration.

    Raises:
        AttributeError: nbgrader has no longer what is to be replaced.
    """
    for patch in PATCHES:
        for target in patch.targets:
            owner, name = owner_of(target)
            original = _STOCK.setdefault(target, getattr(owner, name))
            setattr(owner, name, _replacement(patch.by, original, config))


def stock(target: str) -> Any:
    """What nbgrader itself has at a target, patched or not."""
    owner, name = owner_of(target)
    return _STOCK.get(target, getattr(owner, name))


def owner_of(target: str) -> tuple[Any, str]:
    """The module or the class of a target, and the attribute's name in it."""
    module, _, path = target.partition(":")
    owner, _, name = path.rpartition(".")
    imported = importlib.import_module(module)
    return (getattr(imported, owner) if owner else imported), name


def _replacement(by: Function, original: Any, config: Config) -> Any:
    if not inspect.isfunction(original):
        return by(original, config)

    @functools.wraps(original)
    def patched(*args: Any, **kwargs: Any) -> Any:
        return by(original, config, *args, **kwargs)

    return patched


@contextlib.contextmanager
def ipython_shell(shell: InteractiveShell) -> Iterator[None]:
    """Have IPython find ``shell`` as the one of this process, while grading runs a notebook.

    `display` and `get_ipython` look there; IPython's own `instance` and `clear_instance` can't put
    another shell back afterwards, as a notebook's kernel has one.
    """
    classes: list[Any] = [one for one in type(shell).__mro__ if "_instance" in vars(one)]
    if InteractiveShell not in classes:
        classes.append(InteractiveShell)
    before = [one.__dict__.get("_instance") for one in classes]
    try:
        for one in classes:
            one._instance = shell  # noqa: SLF001
        yield
    finally:
        for one, instance in zip(classes, before, strict=True):
            one._instance = instance  # noqa: SLF001

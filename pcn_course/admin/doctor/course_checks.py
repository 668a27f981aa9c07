"""Is the term in order: course files, room, gradebook, roster, exchange, workspaces."""

from __future__ import annotations

import itertools
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from pcn_course import system
from pcn_course.admin.database import database_file
from pcn_course.admin.doctor.findings import Finding, fault, good, some, warning
from pcn_course.admin.doctor.system_checks import held
from pcn_course.admin.locations import find_workspaces
from pcn_course.admin.migrate import missing_columns, newer
from pcn_course.course import Course
from pcn_course.course.released import changes
from pcn_course.files import UserError
from pcn_course.grading.gradebook.room import HELD, Person, Room, RoomError, gradebook_fault
from pcn_course.grading.gradebook.schema import tables
from pcn_course.grading.late.time_zone import zone_of
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import FILE as ROSTER
from pcn_course.grading.lms.roster import name_key, read_roster

LOCKS = 20
"""As many locks of one workspace are tried: half a second goes by on one that is held."""
OLD = 3600
"""Seconds after which what a save leaves behind for a moment was left by a crash."""


def course_files(course: Course, room: Path | None) -> Iterator[Finding]:
    """What `pcn check` says of a course whose files could be read."""
    from pcn_course.grading.notebooks import stale, stale_in_room

    faults = stale(course, course.root / "notebooks")
    if altered := changes(course):
        yield fault(
            "released steps", f"{len(altered)} changes since the release would change scores or "
            f"answers; first: {altered[0]}", "Run `pcn check`, which lists them all.",
        )  # fmt: skip
    if room is not None:
        faults += stale_in_room(room)
    if faults:
        yield fault(
            "notebooks", f"{len(faults)} not in step with the course; first: {faults[0]}",
            "Run `pcn notebooks`, then generate and release what changed.",
        )  # fmt: skip
    else:
        yield good("course", f"{course.title}: {len(course.steps)} steps, notebooks in step.")


# ---- The gradebook -------------------------------------------------------------------------------


def gradebook(room: Room) -> Iterator[Finding]:
    """It opens, is whole and not locked, and has the tables of these versions."""
    file = database_file(room.db_url)
    if file is not None:
        if not file.exists():
            yield good("gradebook", "There is none yet; the first command of nbgrader makes it.")
            return
        found = [*_sqlite(room, file)]
        yield from found
        if any(one.says == HELD for one in found):
            return
    engine = create_engine(room.db_url)
    try:
        with engine.connect() as connection:
            there = set(inspect(connection).get_table_names())
            if "student" not in there:
                yield fault(
                    "gradebook", "The database holds no gradebook of nbgrader's.",
                    "See db_url in nbgrader_config.py: is it the right database?",
                )  # fmt: skip
                return
            has = None
            if "alembic_version" in there:
                has = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            lacking = [f"{table.name}.{one.name}" for table, one in missing_columns(connection)]
            wants = _newest_revision()
            if has != wants:
                yield fault(
                    "gradebook", f"Its tables are of revision {has or 'unknown'}, and this "
                    f"nbgrader wants {wants}.", "Run `pcn backup`, then `nbgrader db upgrade`.",
                )  # fmt: skip
            if lacking:
                yield fault(
                    "gradebook", f"Columns of ours are missing: {', '.join(lacking)}.",
                    "Run `pcn backup`, then `pcn upgrade`.",
                )  # fmt: skip
            ours = len(there & set(tables.tables))
            yield good(
                "gradebook", f"It opens ({engine.dialect.name}), with {ours} of our "
                f"{len(tables.tables)} tables; what is missing is made when it is needed.",
            )  # fmt: skip
    except SQLAlchemyError as error:
        yield fault(
            "gradebook", gradebook_fault(error),
            "See that the file or the database server is there, then run this again.",
        )  # fmt: skip
    finally:
        engine.dispose()


def due_dates(room: Room, exchange: Path | None) -> Iterator[Finding]:
    """Each step's due date in the zone's words, and where it is not the same everywhere."""
    from pcn_course.grading import dates

    try:
        zone = zone_of(room.config)
    except LmsError:
        return  # told with the clock
    dues = dates.due_dates(room, exchange)
    for sentence in dates.disagreements(dues, zone):
        yield warning("due dates", sentence, "Until then, students and gradebook disagree.")
    words = " ".join(dates.sentences(dues, zone))
    yield good("due dates", words or "No step has a due date.")


def _sqlite(room: Room, file: Path) -> Iterator[Finding]:
    import sqlite3

    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        yield fault(
            "gradebook", f"{file} or its folder can't be written to.",
            "See who owns it: all graders need to be in its group, and the group may write.",
        )  # fmt: skip
        return
    if _everybody_can_read(file):
        yield warning(
            "gradebook", f"Every account of this machine can read {file}.",
            f"chmod 600 {file} (660 where several graders share a group).",
        )  # fmt: skip
    try:
        with closing(sqlite3.connect(file, timeout=2)) as database:
            said = database.execute("PRAGMA quick_check").fetchone()[0]
            if said != "ok":
                yield fault(
                    "gradebook", f"{file} is damaged: {said}.",
                    "Stop all graders and go back to a backup (`pcn restore`).",
                )  # fmt: skip
                return
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        yield warning(
            "gradebook", HELD,
            "If no command runs, a program hangs: close marking and formgrader, and try again.",
        )  # fmt: skip
    except sqlite3.DatabaseError as error:
        yield fault(
            "gradebook", f"{file} is damaged or no database: {error}.",
            "Stop all graders and go back to a backup (`pcn restore`).",
        )  # fmt: skip
    if room.submitted.is_dir() and not os.access(room.submitted, os.W_OK):
        yield fault("room", f"{room.submitted} can't be written to.", "See who owns it.")


def _newest_revision() -> str | None:
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


# ---- The roster ----------------------------------------------------------------------------------


def roster(room: Room) -> Iterator[Finding]:
    """It can be read, knows whom the gradebook knows, and nobody twice."""
    path = room.root / ROSTER
    try:
        known = read_roster(path)
    except UserError as error:
        yield fault("roster", error.plain, "Mend that line in roster.csv.")
        return
    file = database_file(room.db_url)
    try:
        people: tuple[Person, ...] = () if file and not file.exists() else room.students()
    except RoomError:
        return  # the gradebook's own finding says it
    if not known.entries:
        yield good("roster", f"There is no roster; the gradebook knows {len(people)} students.")
        return
    ids, there = {one.id for one in known.entries}, {one.id for one in people}
    odd = []
    if there - ids:
        odd.append(f"in the gradebook only: {some(sorted(there - ids))}")
    if ids - there:
        odd.append(f"in the roster only: {some(sorted(ids - there))}")
    names = Counter(name_key(one.name) for one in known.entries)
    doubles = {one.id for one in known.entries if names[name_key(one.name)] > 1}
    if doubles:
        odd.append(f"of the same name, perhaps the same person: {some(sorted(doubles))}")
    emails = Counter(one.email.casefold() for one in known.entries if one.email)
    shared = {one.id for one in known.entries if emails[one.email.casefold()] > 1}
    if shared:
        odd.append(f"with the same e-mail address: {some(sorted(shared))}")
    if odd:
        yield warning(
            "roster", f"{'; '.join(odd)}.",
            "Take your LMS's class list in once more with `pcn roster`, or mend roster.csv.",
        )  # fmt: skip
    else:
        yield good("roster", f"{len(ids)} students, all in the gradebook, nobody twice.")


# ---- The exchange --------------------------------------------------------------------------------


def exchange(root: Path | None, course_id: str) -> Iterator[Finding]:
    """It can be written to, and no student can list, change or replace another's work in it."""
    if root is None:
        yield good("exchange", "There is none: students upload ZIPs to the LMS.")
        return
    if not root.is_dir():
        yield fault(
            "exchange", f"{root} is not there.",
            "Make it as deploy/ says, or mend c.Exchange.root in nbgrader_config.py.",
        )  # fmt: skip
        return
    course = root / course_id
    found = list(_exchange_faults(root, course)) if system.OWNERS else []
    yield from found
    if not any(one.state == "fault" for one in found):
        yield good("exchange", f"{root}: its folders are as they should be.")


def _exchange_faults(root: Path, course: Path) -> Iterator[Finding]:
    if not os.access(root, os.W_OK | os.X_OK):
        yield fault("exchange", f"You can't write to {root}.", "See who owns it.")
    for folder in (root, course, course / "outbound", course / "inbound", course / "feedback"):
        if not folder.is_dir():
            continue
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            yield fault(
                "exchange", f"In {folder} everybody can rename or replace what others put there.",
                f"chmod +t {folder}; better, personal folders as deploy/ makes them.",
            )  # fmt: skip
        elif mode & stat.S_IWOTH and folder == course / "inbound":
            yield warning(
                "exchange", "Students can hand in under each other's name.",
                "Give each student a folder of their own in inbound/, as deploy/ does.",
            )  # fmt: skip
    for name in ("inbound", "feedback"):
        folder = course / name
        if not folder.is_dir():
            continue
        if not os.access(folder, os.R_OK | os.X_OK | (os.W_OK if name == "feedback" else 0)):
            yield fault("exchange", f"You can't use {folder}.", "See who owns it, and its group.")
            continue
        if folder.stat().st_mode & stat.S_IROTH:
            yield fault(
                "exchange", f"Every student can list {folder}, and so see who handed in and reach "
                "it.", f"chmod o-r {folder}",
            )  # fmt: skip
        own = [one for one in folder.iterdir() if one.is_dir() and "+" not in one.name]
        open_ones = [one.name for one in own if one.stat().st_mode & stat.S_IRWXO]
        if open_ones:
            yield fault(
                "exchange",
                f"Others can enter the personal folders of {some(sorted(open_ones))} in {folder}.",
                f"chmod o-rwx {folder}/*",
            )
    outbound = course / "outbound"
    if outbound.is_dir() and os.geteuid() == outbound.stat().st_uid:
        mode = outbound.stat().st_mode
        if not mode & stat.S_IXOTH and not mode & stat.S_IXGRP:
            yield warning(
                "exchange", f"Students can't read {outbound}, so they can't fetch anything.",
                f"chmod o+rx {outbound}, unless an access list lets them in.",
            )  # fmt: skip


# ---- Workspaces ----------------------------------------------------------------------------------


def workspaces(folder: Path) -> Iterator[Finding]:
    """What was left lying about, what is set aside, what a newer version wrote."""
    count, newer_ones, aside = 0, 0, 0
    left: list[Path] = []
    stuck: list[Path] = []
    shut: list[str] = []
    for found in find_workspaces(folder):
        count += 1
        state = found.root / ".pcn"
        try:
            newer_ones += sum(1 for _ in newer(found.root))
            aside += sum(1 for _ in (state / "set-aside").glob("*"))
            left += [
                path for place in (found.root, state)
                for path in place.glob("*/.*.tmp") if _age(path) > OLD
            ]  # fmt: skip
            locks = itertools.islice((state / "locks").glob("*.lock"), LOCKS)
            stuck += itertools.islice(filter(held, locks), 1)
        except (OSError, RecursionError, MemoryError) as error:
            shut.append(f"{found.root} ({getattr(error, 'strerror', None) or error})")
    says = f"{count} {'workspace' if count == 1 else 'workspaces'} in {folder}"
    if newer_ones:
        yield fault(
            "workspaces", f"{newer_ones} files of answers are from a newer version of the course.",
            "Install that version again: this one keeps them aside and can't show them.",
        )  # fmt: skip
    if aside:
        yield warning(
            "workspaces", f"{aside} files of answers could not be read and were set aside.",
            "Look into .pcn/set-aside of these workspaces, together with their students.",
        )  # fmt: skip
    if left:
        yield warning(
            "workspaces", f"{len(left)} unfinished files were left by a crash: {left[0]}",
            "Delete them: the file beside each is whole.",
        )  # fmt: skip
    if stuck:
        yield warning(
            "locks", f"A step is being saved for long: {stuck[0]}.",
            "If nobody has it open, restart that student's server: its lock goes with it.",
        )  # fmt: skip
    if shut:
        yield warning(
            "workspaces", f"These could not be looked into: {some(sorted(shut))}.",
            "See what their students keep in .pcn and in the steps' folders.",
        )  # fmt: skip
    if not (newer_ones or aside or left or stuck or shut):
        yield good("workspaces", f"{says}; nothing was left lying about.")


def secrets(room: Path) -> Iterator[Finding]:
    """What only its owner should read."""
    path = room / ".pcn" / "research-secret"
    if system.OWNERS and path.exists() and path.stat().st_mode & 0o077:
        yield fault(
            "research", "Others can read the secret behind the pseudonyms.", f"chmod 600 {path}"
        )


def _everybody_can_read(file: Path) -> bool:
    if not system.OWNERS or not file.stat().st_mode & stat.S_IROTH:
        return False
    return all(one.stat().st_mode & stat.S_IXOTH for one in file.resolve().parents)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0

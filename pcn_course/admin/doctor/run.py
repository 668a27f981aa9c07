"""``pcn doctor``: looks at everything that the course rests on, and says what to do.

Nothing is changed; a file is made for a moment where it is tried whether locks work. A check that
fails for a reason of its own is a fault like others, and the rest is looked at all the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pcn_course.admin.database import database_file
from pcn_course.admin.doctor import course_checks, system_checks
from pcn_course.admin.doctor.findings import Finding, as_json, as_text, exit_code, fault, number
from pcn_course.admin.locations import PlacesError, exchange_root
from pcn_course.course import Course, CourseError, default_root, load_course
from pcn_course.grading.gradebook.room import HELD, Room, RoomError, open_room

__all__ = ["Finding", "as_json", "as_text", "doctor", "exit_code"]


def doctor(
    room_folder: Path | None = None,
    workspace: Path | None = None,
    *,
    exchange: Path | None = None,
    address: str | None = None,
) -> tuple[Finding, ...]:
    """Look at a course, its room (without a folder: the usual one) and its workspaces.

    ``workspace`` is one workspace, or the folder of all; else the one that ``PCN_WORKSPACES``
    names. ``exchange`` is the exchange's root where no configuration names it; ``address`` the one
    that people type where a proxy stands in front.
    """
    found: list[Finding] = []
    room, course = _room(room_folder, found)
    if workspace is None and (named := os.environ.get("PCN_WORKSPACES")):
        workspace = Path(named)
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("packages", lambda: system_checks.versions(None)),
        ("files of the package", system_checks.files),
        ("time zone", lambda: system_checks.clock(room.config if room else None)),
        ("browser origin", lambda: system_checks.jupyter(address)),
        ("disk", lambda: system_checks.disk("temporary files", Path(tempfile.gettempdir()))),
    ]
    if course:
        checks.append(
            ("course", lambda: course_checks.course_files(course, room.root if room else None))
        )
    if room:
        checks += _of_room(room, exchange)
    if workspace:
        checks += _of_workspaces(workspace)
    for name, check in checks:
        # The roster is compared with the gradebook, which would be waited for once more.
        if name != "roster" or all(one.says != HELD for one in found):
            found += _tried(name, check)
    return tuple(found)


def _room(folder: Path | None, found: list[Finding]) -> tuple[Room | None, Course | None]:
    try:
        room = open_room(folder)
    except CourseError as error:
        found.append(_course_fault(error))
        return None, None
    except RoomError as error:
        # A student's machine has none; whoever named a folder means it.
        if folder is not None or (default_root() / "assignments").is_dir():
            found.append(fault("room", error.plain, "Then run `pcn doctor` again."))
        try:
            return None, load_course()
        except CourseError as fault_in_course:
            found.append(_course_fault(fault_in_course))
            return None, None
    return room, room.course


def _course_fault(error: CourseError) -> Finding:
    return fault(
        "course",
        f"The course's files hold {number(len(error.faults), 'fault')}; first: {error.faults[0]}",
        "Run `pcn check`, which lists them all.",
    )


def _of_room(
    room: Room, exchange: Path | None
) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
    root = exchange or exchange_root(room)
    sqlite = database_file(room.db_url) is not None
    yield "disk", lambda: system_checks.disk("the room", room.root)
    yield "locks", lambda: system_checks.locks("the room", room.root, database=sqlite)
    yield "gradebook", lambda: course_checks.gradebook(room)
    yield "due dates", lambda: course_checks.due_dates(room, root)
    yield "roster", lambda: course_checks.roster(room)
    yield "research", lambda: course_checks.secrets(room.root)
    yield "exchange", lambda: course_checks.exchange(root, room.course_id)
    if root and root.is_dir():
        yield "disk", lambda: system_checks.disk("the exchange", root)


def _of_workspaces(folder: Path) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
    if not folder.is_dir():
        yield "workspaces", lambda: [fault(
            "workspaces", f"There is no folder {folder}.", "Name the folder of the workspaces."
        )]  # fmt: skip
        return
    yield "disk", lambda: system_checks.disk("workspaces", folder)
    yield "locks", lambda: system_checks.locks("workspaces", folder)
    yield "workspaces", lambda: course_checks.workspaces(folder)


def _tried(name: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        for one in check():
            found.append(one)  # noqa: PERF402 (what was found before it fails is kept)
    except PlacesError as error:
        found.append(fault(name, error.plain, "Then run `pcn doctor` again."))
    except Exception as error:  # noqa: BLE001 (whatever it is, the other checks go on)
        says = f"This could not be checked: {type(error).__name__}: {error}"
        todo = "Run it as the account that runs the course; if it stays so, report it."
        found.append(fault(name, says, todo))
    return found

"""Where a course keeps what belongs to students: the room, the exchange, workspaces, caches."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pcn_course import system
from pcn_course.answers.store import FILE
from pcn_course.files import UserError
from pcn_course.grading.gradebook.room import Room

USUAL_EXCHANGE = Path("/usr/local/share/nbgrader/exchange")
"""Where nbgrader's exchange is when no configuration says otherwise."""
CACHE = Path("nbgrader_cache")
"""In Jupyter's data folder of a user: nbgrader's own copies of what that user handed in."""


class PlacesError(UserError):
    """A place that was named can't be used."""


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """All folders of one course in which something of a student may lie.

    ``exchange`` is the course's folder in the exchange; ``workspaces`` is a folder of workspaces by
    student, or one workspace. ``None`` where there is none, or where nobody named it.
    """

    room: Path
    exchange: Path | None = None
    workspaces: Path | None = None
    caches: tuple[Path, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """A workspace: its folder, the folder of its student (often the same), and whose it is."""

    root: Path
    home: Path
    student: str


def places_of(
    room: Room, *, exchange: Path | None = None, workspaces: Path | None = None
) -> Places:
    """The places of a course. ``exchange`` is the exchange's root, as nbgrader's setting names it.

    Without ``workspaces`` it is the folder that ``PCN_WORKSPACES`` names, if any.

    Raises:
        PlacesError: a folder that was named is not there.
    """
    for named in (exchange, workspaces):
        if named is not None and not named.is_dir():
            raise PlacesError(f"There is no folder {named}. Nothing was changed.")
    if workspaces is None and (told := os.environ.get("PCN_WORKSPACES")):
        workspaces = Path(told) if Path(told).is_dir() else None
    root = exchange or exchange_root(room)
    course = root / room.course_id if root else None
    workspaces = workspaces.absolute() if workspaces else None
    caches = [_jupyter_data() / CACHE / room.course_id]
    if workspaces:
        below = Path(".local", "share", "jupyter", CACHE, room.course_id)
        caches += [
            home / below for home in _folders_in(workspaces) if _leads_nowhere(home, below.parts)
        ]
    return Places(
        room=room.root,
        exchange=course.absolute() if course and course.is_dir() else None,
        workspaces=workspaces,
        caches=tuple(dict.fromkeys(filter(is_folder, caches))),
    )


def exchange_root(room: Room) -> Path | None:
    """The exchange's root by the room's settings, then the machine's; ``None`` if there is none."""
    configs = [room.config, *_machine_configs()]
    for config in configs:
        named = config.get("Exchange", {}).get("root")
        if isinstance(named, str) and named:
            return Path(named)
    return USUAL_EXCHANGE if USUAL_EXCHANGE.is_dir() else None


def find_workspaces(folder: Path) -> Iterator[Found]:
    """The workspaces in a folder: itself, those in it, and ``workspace`` in those in it."""
    if is_workspace(folder):
        yield Found(folder, folder, _student_of(folder) or "")
        return
    for home in _folders_in(folder):
        for root in (home, home / "workspace"):
            if is_workspace(root):
                yield Found(root, home, _student_of(root) or home.name)


def is_workspace(folder: Path) -> bool:
    """Whether a folder is a student's workspace: by our state in it, or by answers in a step."""
    try:
        return (
            (folder / ".pcn" / "workspace.json").is_file()
            or (folder / ".pcn" / "history").is_dir()
            or any(
                is_folder(folder / name) and os.path.lexists(folder / name / FILE)
                for name in os.listdir(folder)  # noqa: PTH208 (names are all that is needed)
                if name.startswith("step-")
            )
        )
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Return True if ``path`` leads to a folder; what can't be looked at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if is_folder(path))
    except OSError as error:
        raise PlacesError(
            f"{folder} can't be read ({error.strerror}). Use an account that may."
        ) from error


def _leads_nowhere(home: Path, parts: tuple[str, ...]) -> bool:
    """Return True if a folder is in a home itself, where no link leads a purge elsewhere."""
    try:
        for part in parts:
            home /= part
            if not stat.S_ISDIR(home.lstat().st_mode):
                return False
    except OSError:
        return False
    return True


def read_plain(path: Path, limit: int) -> bytes | None:
    """A file's content; ``None`` if it is none, a link, longer than ``limit``, or can't be read.

    In a workspace a student chooses what a name stands for: a pipe would be waited for for ever.
    """
    try:
        with os.fdopen(system.open_file(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


def _student_of(workspace: Path) -> str | None:
    """By which id the workspace itself says that its student is known."""
    content = read_plain(workspace / ".pcn" / "workspace.json", 1_000_000)
    try:
        told = msgspec.json.decode(content or b"null")
    except (msgspec.MsgspecError, RecursionError, MemoryError):
        return None
    student = told.get("student") if isinstance(told, dict) else None
    return student if isinstance(student, str) and student else None


def _jupyter_data() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir())


def _machine_configs() -> Iterator[Any]:
    """nbgrader's settings of this user and this machine, those that count most first."""
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config.loader import JSONFileConfigLoader, PyFileConfigLoader

    for folder in jupyter_config_path():
        for name, loader in (
            ("nbgrader_config.json", JSONFileConfigLoader),
            ("nbgrader_config.py", PyFileConfigLoader),
        ):
            if (Path(folder) / name).is_file():
                try:
                    yield loader(name, path=folder).load_config()
                except Exception:  # noqa: BLE001, S112 (whatever a settings file does wrong)
                    continue

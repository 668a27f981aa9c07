"""What an LMS's ZIPs in ``downloaded/`` hold of a student."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pcn_course.admin.removal import Piece, Who, files_below, tree
from pcn_course.course import Course
from pcn_course.grading.lms.filenames import is_receipt
from pcn_course.grading.lms.filenames import who as uploader
from pcn_course.grading.lms.roster import Roster
from pcn_course.grading.lms.unpacking import BROKEN, HandIn, overlap, read_member, unpack

_RECEIPT = 200_000
"""As many bytes of a receipt of Blackboard's are read."""


def archives(who: Who, room: Path, course: Course, roster: Roster) -> Iterator[Piece]:
    """Yield the uploads of one student: files of an archive folder, and members of ZIPs there."""
    for step in course.steps:
        folder = room / "downloaded" / step.id / "archive"
        if not folder.is_dir():
            continue
        for path in files_below(folder):
            if not path.is_file() or who.id in path.name.split("+"):
                continue  # a link is not followed; the other was found by its name
            trail = path.relative_to(folder).as_posix()
            owned = {
                one.name for one in unpack(path, step.id, roster, name=trail)
                if isinstance(one, HandIn) and one.student == who.id
            }  # fmt: skip
            if trail in owned or _uploaded(trail, step.id, who, roster):
                yield tree("downloaded", path)
            elif path.suffix.lower() == ".zip" and (
                piece := _members(path, trail, owned, step.id, who, roster)
            ):
                yield piece


def _uploaded(trail: str, step_id: str, who: Who, roster: Roster) -> bool:
    found = uploader(trail, {}, roster, step=step_id)
    if found is not None:
        return found.student == who.id
    return is_receipt(trail) and bool(who.spelled.search(trail.replace("_", " ")))


def _members(
    path: Path, trail: str, owned: set[str], step_id: str, who: Who, roster: Roster
) -> Piece | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
            if overlap(archive):
                return None
            texts = {
                f"{trail}/{name}": _begins(archive, name) for name in names if is_receipt(name)
            }  # fmt: skip
    except BROKEN:
        return None
    mine = set()
    for name in names:
        inner = f"{trail}/{name}"
        by = uploader(inner, texts, roster, step=step_id)
        if (
            any(one == inner or one.startswith(f"{inner}/") for one in owned)
            or (by and by.student == who.id)
            or any(who.id in part.split("+") for part in name.split("/"))
        ):
            mine.add(name)
    if not mine:
        return None
    if len(mine) == len(names):
        return tree("downloaded", path)
    return Piece(
        kind="downloaded", path=path, count=len(mine), unit="entries",
        remove=lambda: _rewrite_zip(path, mine),
    )  # fmt: skip


def _begins(archive: zipfile.ZipFile, name: str) -> str:
    """How a text in a ZIP begins, whatever is said of its size; a damaged one says nothing."""
    try:
        return read_member(archive, archive.getinfo(name), _RECEIPT).decode("utf-8", "replace")
    except BROKEN:
        return ""


def _rewrite_zip(path: Path, without: set[str]) -> None:
    """Make a ZIP anew without some of its members, one at a time."""
    anew = path.with_name(f".{path.name}.tmp")
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(anew, "w") as kept:
            for member in archive.infolist():
                if member.filename not in without:
                    read_member(archive, member, 0)  # how it is packed has to bound its reading
                    with archive.open(member) as source, kept.open(member, "w") as target:
                        shutil.copyfileobj(source, target)
        shutil.copystat(path, anew)
        anew.replace(path)
    except BROKEN as error:
        if isinstance(error, OSError):
            raise
        message = f"it is damaged ({error}): take it out of the archive folder by hand"
        raise OSError(message) from error
    finally:
        anew.unlink(missing_ok=True)

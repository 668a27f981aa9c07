"""What lies of one student in files: folders, lines of tables and logs, members of ZIPs.

A folder or file belongs to a student by its name as nbgrader gives it: the id alone
(``submitted/ada``), or as a part between plus signs (``ada+step-1-goals+2027-…``). Tables lose the
lines whose column of ids names the student, and every other line stays as it is, byte for byte.
"""

from __future__ import annotations

import functools
import hashlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from pcn_course.admin.archives import archives
from pcn_course.admin.locations import Places, find_workspaces, read_plain
from pcn_course.admin.removal import LARGEST, Piece, Who, files_below, tree, without_lines
from pcn_course.admin.tables import has_ids, is_table, rows_about
from pcn_course.course import Course
from pcn_course.exchange import SECRET
from pcn_course.files import walk
from pcn_course.grading.feedback.letter_word import LETTER, word_name
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.roster import Roster
from pcn_course.grading.lms.upload_names import NAMES, read_names, write_names
from pcn_course.grading.lms.uploads import LMS_NAMES, upload_name

# Folders of the room in which nothing of a student lies, or which are looked at in another way.
_COURSE_ONLY = frozenset({"source", "release", "outbound", "exchange", "__pycache__"})
_BY_STUDENT = ("submitted", "autograded", "feedback")
_WHOLE_TERM = (*_BY_STUDENT, "downloaded", "earlier", "export", "research")
_FIXED = frozenset({*_WHOLE_TERM, *_COURSE_ONLY, "archive", "extracted", "inbound", "workspace"})
_DEPTH = 5


def is_fixed(student: str, course: Course) -> bool:
    """Whether an id is also the name of a folder that everybody shares."""
    return student in _FIXED or student in {step.id for step in course.steps}


def pieces_of(who: Who, places: Places, course: Course, roster: Roster) -> Iterator[Piece]:
    """All pieces of one student outside the gradebook, in the order in which they may go.

    What is needed to find the others goes last, so that a purge can be repeated after it was
    interrupted: first released feedback (found by the secrets of submissions), last the roster.
    """
    folders = [*_named(places.room, who.id)]
    sent = [*_named(places.exchange, who.id)] if places.exchange else []
    cached = [one for cache in places.caches for one in _named(cache, who.id)]
    workspaces = [*_workspaces(places, who.id)]
    secrets = _secrets([*folders, *sent, *cached, *workspaces])
    yield from _released_feedback(places, course, secrets)
    # Each holds many students' pages. They are written again by `pcn feedback --release`.
    for step in course.steps:
        for path in (places.room / "feedback" / upload_name(step.id, lms) for lms in LMS_NAMES):
            if path.exists():
                yield tree("feedback to upload", path)
    for path in sent:
        yield tree("exchange", path)
    for path in cached:
        yield tree("copies that nbgrader kept on submitting", path)
    for path in workspaces:
        yield tree("workspace", path)
    for path in folders:
        yield tree(_kind(path, places.room), path)
    yield from archives(who, places.room, course, roster)
    yield from _upload_names(who.id, places.room)
    yield from _cohort_cache(places.room, f"/{who.id}/".encode())
    yield from _logs(who, places.room)
    tables = sorted(_tables(places.room), key=lambda path: path.name == "roster.csv")
    for path in tables:
        if piece := rows_about(path, who):
            yield piece


def pieces_of_term(places: Places) -> Iterator[Piece]:
    """All pieces of all students outside the gradebook; the course itself stays."""
    if places.exchange:
        for folder in sorted(places.exchange.iterdir()):
            if folder.name != "outbound" and folder.is_dir() and not folder.is_symlink():
                yield from (tree("exchange", one) for one in sorted(folder.iterdir()))
    if places.workspaces:
        yield from (tree("workspace", one.root) for one in find_workspaces(places.workspaces))
    for cache in places.caches:
        kept = sorted(cache.iterdir())
        yield from (tree("copies that nbgrader kept on submitting", one) for one in kept)
    for name in _WHOLE_TERM:
        folder = places.room / name
        if folder.is_dir() and not folder.is_symlink():
            yield from (tree(name, one) for one in sorted(folder.iterdir()))
    state = places.room / ".pcn"
    for path in (state / "cohort.cache", state / "research-secret", places.room / NAMES):
        if path.exists():
            yield tree(path.name, path)
    for path in [*_log_files(places.room), *sorted(places.room.glob("*.zip"))]:
        yield tree("logs and exports", path)
    for path in files_below(places.room, LETTER):
        if _kind(path, places.room) not in _WHOLE_TERM:
            yield tree("feedback", path)
    # A text that is no table may be the course's own.
    tables = [
        path for path in places.room.iterdir()
        if is_table(path.name) and (not path.name.lower().endswith(".txt") or has_ids(path))
    ]  # fmt: skip
    tables.sort(key=lambda path: (path.name == "roster.csv", path.name))
    yield from (tree("tables", path) for path in tables)


def _kind(path: Path, room: Path) -> str:
    return path.relative_to(room).parts[0]


def _named(root: Path, student: str) -> Iterator[Path]:
    """Files and folders below ``root`` that are one student's by their name, not those within."""
    in_letters = word_name("", student).removeprefix("+").removesuffix(LETTER)
    for folder, folders, files in walk(root):
        here = Path(folder)
        depth = len(here.relative_to(root).parts)
        if depth == 0:
            # nbgrader's cache has submissions at once; the names of a room's folders are fixed.
            folders[:] = [one for one in folders if one not in _COURSE_ONLY and one != ".pcn"]
        mine = [
            one for one in (*folders, *files)
            if student in one.split("+")
            or (depth and _stem(one) == student)
            or (one.endswith(LETTER) and in_letters in one.split("+"))
        ]  # fmt: skip
        yield from (here / one for one in sorted(mine))
        # In a submission its student chooses the names.
        folders[:] = sorted(
            one for one in folders if one not in mine and "+" not in one and depth < _DEPTH
        )


def _stem(name: str) -> str:
    """A name without the ending of a file that we or nbgrader make; an id may hold dots."""
    return re.sub(r"\.(html|docx|csv|json|zip|pdf)$", "", name)


def _workspaces(places: Places, student: str) -> Iterator[Path]:
    if places.workspaces:
        for found in find_workspaces(places.workspaces):
            if student in (found.student, found.home.name):
                yield found.root


def _secrets(paths: list[Path]) -> set[str]:
    found = set()
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            for secret in files_below(path, SECRET):
                if content := read_plain(secret, 1000):
                    found.add(content.decode("utf-8", "replace"))
    return found | {one.strip() for one in found}


def _released_feedback(places: Places, course: Course, secrets: set[str]) -> Iterator[Piece]:
    """Released pages: nbgrader names each by the MD5 of submission's secret and notebook's name."""
    folder = places.exchange / "feedback" if places.exchange else None
    if folder is None or not folder.is_dir():
        return
    wanted = {
        hashlib.md5(f"{secret}{step.id}".encode(), usedforsecurity=False).hexdigest()
        for secret in secrets
        for step in course.steps
    }
    for path in files_below(folder, ".html"):
        if path.stem.removesuffix("-tmp") in wanted:
            yield tree("exchange", path)


# ---- Lines of tables and logs --------------------------------------------------------------------


def _upload_names(student: str, room: Path) -> Iterator[Piece]:
    """What the LMSs called one student's uploads; all of a file that can't be read."""
    for path in sorted((room / NAMES).glob("*.json")):
        try:
            names = read_names(room, path.stem)
        except LmsError:
            yield tree("names in the LMS", path)
            continue
        kept = {one: name for one, name in names.items() if one != student}
        if len(kept) < len(names):
            yield Piece(
                kind="names in the LMS", path=path, count=1, unit="entries",
                remove=functools.partial(write_names, path, kept),
            )  # fmt: skip


def _cohort_cache(room: Path, named: bytes) -> Iterator[Piece]:
    path = room / ".pcn" / "cohort.cache"
    if path.is_file() and named in (read_plain(path, LARGEST) or named):
        yield tree("cohort.cache", path)


def _log_files(room: Path) -> list[Path]:
    server = room / ".pcn" / "server"
    audit = [one for one in (room / ".pcn").glob("*.jsonl") if one.is_file()]
    return sorted({*room.glob(".nbgrader.log*"), *server.glob("*.txt*"), *audit})


def _logs(who: Who, room: Path) -> Iterator[Piece]:
    if there := audit_log.count(room, who.id):
        # What was done to somebody's mark stays, without who it was.
        name = f"removed-{secrets.token_hex(4)}"
        yield Piece(
            kind="logs", path=room / audit_log.FILE, count=there, unit="lines",
            remove=lambda: audit_log.forget(room, who.id, name),
        )  # fmt: skip
    for path in _log_files(room):
        if path == room / audit_log.FILE:
            continue
        lines = (read_plain(path, LARGEST) or b"").splitlines(keepends=True)
        kept = [line for line in lines if not who.spelled.search(line.decode("utf-8", "replace"))]
        if len(kept) < len(lines):
            yield without_lines("logs", path, len(lines) - len(kept), "lines", b"".join(kept))


def _tables(room: Path) -> Iterator[Path]:
    """Tables that somebody exported, or wrote by hand: roster, consent, extensions, grades."""
    for folder, folders, files in walk(room):
        folders[:] = [one for one in folders if one not in _COURSE_ONLY and one not in _BY_STUDENT]
        yield from (Path(folder, one) for one in files if is_table(one))

"""What lies of one student in files: folders, lines of tables and logs, members of ZIPs.

A folder or file belongs to a student by its name as nbgrader gives it: the id alone
(``submitted/ada``), or as a part between plus signs (``ada+step-1-goals+2027-…``). Tables lose the
lines whose column of ids names the student, and every other line stays as it is, byte for byte.
"""

from __future__ import annotations

import csv
import errno
import functools
import hashlib
import io
import itertools
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from pcn_course import system
from pcn_course.admin.locations import Places, find_workspaces, read_plain
from pcn_course.course import Course
from pcn_course.exchange import SECRET
from pcn_course.files import walk, write_whole
from pcn_course.grading import audit
from pcn_course.grading.letters_word import LETTER, word_name
from pcn_course.grading.lms import LmsError
from pcn_course.grading.lms.names import is_receipt
from pcn_course.grading.lms.names import who as uploader
from pcn_course.grading.lms.roster import Roster
from pcn_course.grading.lms.unpacking import BROKEN, HandIn, overlap, read_member, unpack
from pcn_course.grading.lms.upload_names import NAMES, read_names, write_names
from pcn_course.grading.lms.uploads import LMS_NAMES, upload_name
from pcn_course.spreadsheets import unguarded

Unit = Literal["files", "rows", "lines", "entries"]

# Folders of the room in which nothing of a student lies, or which are looked at in another way.
_COURSE_ONLY = frozenset({"source", "release", "outbound", "exchange", "__pycache__"})
_BY_STUDENT = ("submitted", "autograded", "feedback")
_WHOLE_TERM = (*_BY_STUDENT, "downloaded", "earlier", "export", "research")
_FIXED = frozenset({*_WHOLE_TERM, *_COURSE_ONLY, "archive", "extracted", "inbound", "workspace"})
_DEPTH = 5
_TABLES = (".csv", ".tsv", ".xls", ".txt")
_RECEIPT = 200_000
"""As many bytes of a receipt of Blackboard's are read."""
LARGEST = 64_000_000
"""Bytes of a file that a purge looks into; a larger one is named, to be looked at."""
_TOO_DEEP = (errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE)
_IDS = frozenset({
    "id", "student", "studentid", "nbgraderid", "username", "loginid", "sisuserid", "sisloginid",
    "lmsid", "lmsuserid", "orgdefinedid", "idnumber", "email", "emailaddress", "pseudonym",
})  # fmt: skip


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """One student: the id, other ids of theirs by kind of column, names, and the pseudonym."""

    id: str
    others: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    pseudonym: str | None = None

    @property
    def spelled(self) -> re.Pattern[str]:
        """Finds the student's id and names as words of their own."""
        words = sorted({self.id, *self.names, *self.others}, key=len, reverse=True)
        # A number or a few letters stand in too many places to tell anything.
        telling = [one for one in words if len(one) > 2 and not one.isdigit()]
        return word({self.id, *telling})


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Something to remove: of which kind, where, how much of it; ``remove`` does it."""

    kind: str
    path: Path
    count: int
    unit: Unit
    remove: Callable[[], None]


def word(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of ``words`` where no letter or digit touches it."""
    joined = "|".join(re.escape(one) for one in words)
    return re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])", re.IGNORECASE)


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
    yield from _archives(who, places.room, course, roster)
    yield from _upload_names(who.id, places.room)
    yield from _cohort_cache(places.room, f"/{who.id}/".encode())
    yield from _logs(who, places.room)
    tables = sorted(_tables(places.room), key=lambda path: path.name == "roster.csv")
    for path in tables:
        if piece := _rows(path, who):
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
    for path in _below(places.room, LETTER):
        if _kind(path, places.room) not in _WHOLE_TERM:
            yield tree("feedback", path)
    # A text that is no table may be the course's own.
    tables = [
        path for path in places.room.iterdir()
        if _is_table(path.name) and (not path.name.lower().endswith(".txt") or _has_ids(path))
    ]  # fmt: skip
    tables.sort(key=lambda path: (path.name == "roster.csv", path.name))
    yield from (tree("tables", path) for path in tables)


def tree(kind: str, path: Path) -> Piece:
    """A file or a folder with everything in it."""
    return Piece(
        kind=kind, path=path, count=_files_in(path), unit="files", remove=lambda: remove(path)
    )


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to) or a folder; nothing is wrong if it is gone."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        try:
            shutil.rmtree(path)
        except (RecursionError, OSError) as error:
            too_deep = isinstance(error, RecursionError) or error.errno in _TOO_DEEP
            if not too_deep or not system.HANDLES:
                raise
            _flatten(path)
            shutil.rmtree(path)
    except FileNotFoundError:
        if os.path.lexists(path):  # something in it went at the same time
            remove(path)


def _flatten(top: Path) -> None:
    """Bring every folder below ``top`` directly into it, and remove all else.

    A path may be deeper than the system lets anybody name: it is taken apart from above.
    """
    handle = os.open(top, system.FOLDER)
    try:
        waiting = system.names_in(handle)
        while waiting:
            try:
                inside = os.open(waiting.pop(), system.FOLDER, dir_fd=handle)
            except (NotADirectoryError, FileNotFoundError):
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue
                raise
            try:
                with os.scandir(inside) as entries:
                    found = [(one.name, one.is_dir(follow_symlinks=False)) for one in entries]
                for name, is_folder in found:
                    if is_folder:
                        waiting.append(secrets.token_hex(16))
                        os.rename(name, waiting[-1], src_dir_fd=inside, dst_dir_fd=handle)
                    else:
                        os.unlink(name, dir_fd=inside)
            finally:
                os.close(inside)
    finally:
        os.close(handle)


def _files_in(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return 1
    return sum(len(files) for _, _, files in walk(path)) or 1


def _below(root: Path, ending: str = "") -> list[Path]:
    """What lies below a folder and is neither a folder nor a link, by how its name ends."""
    return sorted(
        path
        for here, _, names in walk(root)
        for name in names
        if name.endswith(ending) and not (path := Path(here, name)).is_symlink()
    )


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
            for secret in _below(path, SECRET):
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
    for path in _below(folder, ".html"):
        if path.stem.removesuffix("-tmp") in wanted:
            yield tree("exchange", path)


# ---- What an LMS's ZIPs hold ---------------------------------------------------------------------


def _archives(who: Who, room: Path, course: Course, roster: Roster) -> Iterator[Piece]:
    for step in course.steps:
        folder = room / "downloaded" / step.id / "archive"
        if not folder.is_dir():
            continue
        for path in _below(folder):
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
    if there := audit.count(room, who.id):
        # What was done to somebody's mark stays, without who it was.
        name = f"removed-{secrets.token_hex(4)}"
        yield Piece(
            kind="logs", path=room / audit.FILE, count=there, unit="lines",
            remove=lambda: audit.forget(room, who.id, name),
        )  # fmt: skip
    for path in _log_files(room):
        if path == room / audit.FILE:
            continue
        lines = (read_plain(path, LARGEST) or b"").splitlines(keepends=True)
        kept = [line for line in lines if not who.spelled.search(line.decode("utf-8", "replace"))]
        if len(kept) < len(lines):
            yield _anew("logs", path, len(lines) - len(kept), "lines", b"".join(kept))


def _tables(room: Path) -> Iterator[Path]:
    """Tables that somebody exported, or wrote by hand: roster, consent, extensions, grades."""
    for folder, folders, files in walk(room):
        folders[:] = [one for one in folders if one not in _COURSE_ONLY and one not in _BY_STUDENT]
        yield from (Path(folder, one) for one in files if _is_table(one))


def _is_table(name: str) -> bool:
    return name.lower().endswith(_TABLES)


_SEPARATOR = re.compile(r"^\ufeff?sep=(.)\s*$", re.MULTILINE)
_NO_HEADER = re.compile(r"\ufeff?(?:sep=.)?[\s,;]*$")


class _Table(msgspec.Struct, frozen=True):
    """A table's lines with their ends; the header is the one at ``before``."""

    lines: list[str]
    coding: str
    before: int
    delimiter: str


def _opened(path: Path) -> _Table:
    content = read_plain(path, LARGEST) or b""
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = content.decode(coding)
    except UnicodeDecodeError:
        coding = "latin-1"  # each byte comes back as it was, whatever it stands for
        text = content.decode(coding)
    lines = [*io.StringIO(text, newline="")]
    # What may come before the header: empty lines, and a spreadsheet's word on its separator.
    before = list(itertools.takewhile(_NO_HEADER.match, lines))
    told = _SEPARATOR.search("".join(before))
    head = lines[len(before)] if len(before) < len(lines) else ""
    return _Table(
        lines, coding, len(before), told[1] if told else max(",;\t", key=head.count)
    )  # fmt: skip


def _ids_in(cells: Iterable[str]) -> list[str]:
    """What the headers are called, as far as they are those of ids; empty where they are not."""
    keys = [re.sub(r"[^a-z0-9]", "", cell.casefold()) for cell in cells]
    return [one if one in _IDS else "" for one in keys]


def _has_ids(path: Path) -> bool:
    """Whether a text is a table of people."""
    if path.is_symlink() or not path.is_file():
        return False
    table = _opened(path)
    reader = csv.reader(table.lines[table.before :], delimiter=table.delimiter)
    try:
        return any(_ids_in(next(reader, [])))
    except csv.Error:
        return False


def _rows(path: Path, who: Who) -> Piece | None:
    """The lines of a CSV file that are about one student; the others are left as they are."""
    if path.is_symlink():
        return None
    table = _opened(path)
    lines = table.lines
    reader = csv.reader(lines, delimiter=table.delimiter)
    own = path.name in ("roster.csv", "consent.csv", "late.csv")
    wanted = {who.id.casefold()}
    if not own:
        wanted |= {one.casefold() for one in (*who.others, who.pseudonym or "") if one}
    kept, start, places, gone = [], 0, None, 0
    try:
        for row in reader:
            whole, start = "".join(lines[start : reader.line_num]), reader.line_num
            cells = [unguarded(cell.strip()).removeprefix("#").casefold() for cell in row]
            if reader.line_num <= table.before:
                kept.append(whole)
            elif places is None:
                keys = _ids_in(cells)
                places = [number for number, key in enumerate(keys) if key]
                if own:  # another column of these may hold another's number
                    places = [n for n in places if keys[n] in ("id", "student", "studentid")]
                kept.append(whole)
            elif any(cells[n] in wanted for n in places if n < len(cells)):
                gone += 1
            else:
                kept.append(whole)
    except csv.Error:
        return None
    if not gone:
        return None
    anew = "".join(kept).encode(table.coding)
    return _anew("tables", path, gone, "rows", anew)


def _anew(kind: str, path: Path, count: int, unit: Unit, content: bytes) -> Piece:
    """A file that stays, without ``count`` of its lines."""
    return Piece(
        kind=kind, path=path, count=count, unit=unit, remove=lambda: rewrite(path, content)
    )


def rewrite(path: Path, content: bytes) -> None:
    """Write a file anew, with the mode and owner that it has."""
    about = path.stat()
    write_whole(path, content)
    path.chmod(about.st_mode & 0o7777)
    if system.is_root():
        system.give(path, about.st_uid, about.st_gid)

"""Hand-ins out of an LMS's ZIP of all submissions: each with its student, its time and its answers.

What is unpacked is limited in number, size and depth, and for each uploader; it is never written
anywhere, and is data: a path in a ZIP is only read for whom the LMS names in it. What can't be used
is told, and doesn't stop the others.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from pcn_course.answers.store import FILE, MAX_FILE
from pcn_course.characters import printable
from pcn_course.exchange import SECRET, TIMESTAMP, zip_name_pattern
from pcn_course.files import walk
from pcn_course.grading.lms.filenames import (
    SKEW,
    Claim,
    Unsettled,
    Uploader,
    is_receipt,
    settle,
    unread,
    who,
)
from pcn_course.grading.lms.roster import Roster
from pcn_course.grading.lms.upload_names import UploadName

BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    LookupError, OverflowError, MemoryError,
)  # fmt: skip
"""What reading one file of a student's raises, `RecursionError` included (a `RuntimeError`)."""
_ANSWERS = re.compile(r"(?:.*[_ -])?answers(?:[-_ ]?\(?\d{1,3}\)?)?\.json", re.IGNORECASE)
_MAX_RECEIPT = 200_000
_MAX_DIRECTORY = 10_000_000
"""Bytes of a ZIP's own list of files, which is read as a whole."""
_SPENT = "it unpacks to more than one person may use"
_HEADER = 30
"""Bytes of the shortest header of a member."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing that give no more bytes than one asks for; bzip2 and LZMA give all at once."""


_TYPED = "it is what was typed into the LMS, and no file was uploaded with it"
_TYPED_NAME = re.compile(
    r"(?:.*_)?(?:(?:online)?text|link)(?:[-_ (]*\d+\)?)?\.html?", re.IGNORECASE
)


class Limits(msgspec.Struct, frozen=True):
    """How much is unpacked of one file that lies in the archive folder.

    ``members`` is for one ZIP, ``depth`` how many ZIPs lie in one another, ``inner`` the bytes of
    a ZIP within a ZIP, ``each`` the bytes of everything that one uploader gave, ``total`` those of
    a file or folder in which no LMS names an uploader.
    """

    members: int = 20_000
    depth: int = 3
    inner: int = 2 * MAX_FILE
    each: int = 4 * MAX_FILE
    total: int = 4_000_000_000


class HandIn(msgspec.Struct, frozen=True, kw_only=True):
    """One submission. The time is UTC; ``answers`` is None if it holds none that can be read.

    Of a student's several, the one with the highest (``when``, ``order``) is the newest. Where
    only the file itself says whose it is, ``claimed_by`` is what the LMS calls its uploader.
    ``uploaded`` is what the LMS called the file, None if none named it.
    """

    student: str
    when: dt.datetime
    answers: bytes | None
    secret: bytes | None
    name: str
    notes: tuple[str, ...] = ()
    order: int = 0
    claimed_by: str = ""
    uploaded: UploadName | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """A file that is no submission, or can't be used. ``odd``: somebody should look at it.

    ``who`` uploaded it: the name in the roster, else what the LMS calls them; empty if unknown.
    ``file`` is its own name, as ``who`` gave it.
    """

    name: str
    why: str
    odd: bool = True
    who: str = ""
    file: str = ""


def unpack_folder(
    folder: Path,
    step_id: str,
    roster: Roster,
    zone: ZoneInfo | None = None,
    limits: Limits | None = None,
) -> Iterator[HandIn | LeftOut]:
    """Everything below the archive folder: ZIPs, and what somebody unpacked from them."""
    faults: list[LeftOut] = []

    def fault(path: str, why: str) -> None:
        faults.append(LeftOut(Path(path).relative_to(folder).as_posix(), why))

    paths = sorted(Path(here, name) for here, _, names in walk(folder, fault) for name in names)
    yield from faults
    receipts = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if is_receipt(name) and not path.is_symlink():
            with contextlib.suppress(OSError), path.open("rb") as file:
                receipts[name] = file.read(_MAX_RECEIPT).decode("utf-8", "replace")
    reader = _Reader(step_id, roster, zone, limits or Limits())
    reader.texts.update(receipts)
    names = {path.relative_to(folder).as_posix() for path in paths}
    yield from (reader.told(found) for found in _typed(receipts, names))
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if name not in receipts:
            yield from unpack(
                path, step_id, roster, zone, name=name, receipts=receipts, limits=limits
            )


def unpack(
    path: Path,
    step_id: str,
    roster: Roster,
    zone: ZoneInfo | None = None,
    *,
    name: str | None = None,
    receipts: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Iterator[HandIn | LeftOut]:
    """What is in a file that lies in the archive folder: an LMS's ZIP, a hand-in, or neither.

    ``name`` is its path within that folder, which the LMS may have named when the ZIP was
    unpacked by hand; ``receipts`` are then Blackboard's texts by their paths.
    """
    reader = _Reader(step_id, roster, zone, limits or Limits())
    trail = (name or path.name).replace("\\", "/")
    reader.texts.update(receipts or {})
    for found in _unpack(reader, path, trail, receipts or {}):
        yield found if isinstance(found, HandIn) else reader.told(found)


def _unpack(
    reader: _Reader, path: Path, trail: str, receipts: Mapping[str, str]
) -> Iterator[HandIn | LeftOut]:
    try:
        if path.is_symlink() or not path.is_file():
            yield LeftOut(trail, "it is no file of its own")
        elif trail.lower().endswith(".zip"):
            yield from reader.archive(path, trail, receipts, reader.limits.depth)
        elif _ANSWERS.fullmatch(trail.rpartition("/")[2]):
            secret = path.with_name(SECRET) if path.name == FILE else None
            yield reader.bare(_read(path, MAX_FILE), trail, receipts, secret)
        else:
            yield LeftOut(trail, _no_submission(trail), odd=False)
    except OSError as error:
        yield LeftOut(trail, f"it can't be read ({error.strerror})")
    except BROKEN as error:
        yield LeftOut(trail, _why(error, "it can't be read"))


class _LimitError(ValueError):
    """An archive holds more than may be read of it."""


class _Reader:
    def __init__(self, step_id: str, roster: Roster, zone: ZoneInfo | None, limits: Limits) -> None:
        self.step_id = step_id
        self.pattern = zip_name_pattern(step_id)
        self.roster = roster
        self.zone = zone
        self.limits = limits
        self.spent: Counter[str] = Counter()
        self.budgets: list[tuple[str, int]] = []
        self.uploader_known = False
        self.texts: dict[str, str] = {}

    def told(self, found: LeftOut) -> LeftOut:
        """With whoever uploaded it: what a student handed in, somebody should look at."""
        by = who(found.name, self.texts, self.roster, self.zone, step=self.step_id)
        last = found.name.rpartition("/")[2]
        if by is None:
            return msgspec.structs.replace(found, file=last)
        one = self.roster.get(by.student) if by.student else None
        # Ours lie beside the answers where an LMS or a browser unpacked a hand-in.
        ours = last in (SECRET, TIMESTAMP, f"{self.step_id}.ipynb")
        return msgspec.structs.replace(
            found,
            who=one.name if one else by.name,
            file=by.file if by.file and last.endswith(by.file) else last,
            odd=found.odd or not ours,
        )

    def archive(
        self, file: Path | io.BytesIO, trail: str, receipts: Mapping[str, str], depth: int
    ) -> Iterator[HandIn | LeftOut]:
        """The submission that a ZIP is, or those that it holds."""
        try:
            if _directory_size(file) > _MAX_DIRECTORY:
                yield LeftOut(trail, "its list of files is too long")
                return
            with zipfile.ZipFile(file) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
                if len(members) > self.limits.members:
                    yield LeftOut(trail, f"it holds more than {self.limits.members:,} files")
                    return
                if overlap(archive):
                    yield LeftOut(trail, "its files overlap, which no packing program does")
                    return
                named = self.pattern.search(trail.rpartition("/")[2])
                uploader = who(trail, receipts, self.roster, self.zone, step=self.step_id)
                if named or (uploader and _own_answers(members)):
                    yield self.hand_in(archive, members, trail, uploader, named)
                else:
                    yield from self.several(archive, members, trail, receipts, depth)
        except BROKEN as error:
            yield LeftOut(trail, _why(error, "it can't be unpacked"))

    def several(
        self,
        archive: zipfile.ZipFile,
        members: list[zipfile.ZipInfo],
        trail: str,
        receipts: Mapping[str, str],
        depth: int,
    ) -> Iterator[HandIn | LeftOut]:
        """Each file of a ZIP that holds several submissions."""
        told = {**receipts, **self.receipts(archive, members, trail)}
        self.texts.update(told)
        for member in members:
            inner = f"{trail}/{_name(member)}"
            with self.spending(inner, told):
                yield from self.one(archive, member, inner, told, depth)
        yield from _typed(told, {f"{trail}/{_name(member)}" for member in members})

    def one(
        self,
        archive: zipfile.ZipFile,
        member: zipfile.ZipInfo,
        inner: str,
        told: Mapping[str, str],
        depth: int,
    ) -> Iterator[HandIn | LeftOut]:
        """One file of a ZIP that holds several submissions."""
        last = inner.rpartition("/")[2]
        try:
            if "__MACOSX" in inner or last.startswith("._"):
                return
            if last.lower().endswith(".zip"):
                if depth <= 1:
                    yield LeftOut(inner, "it is a ZIP in too many others")
                    return
                content = self.read(archive, member, self.limits.inner)
                yield from self.archive(io.BytesIO(content), inner, told, depth - 1)
            elif _ANSWERS.fullmatch(last):
                yield self.bare(self.read(archive, member, MAX_FILE), inner, told)
            elif not is_receipt(inner):
                yield LeftOut(inner, _no_submission(last), odd=False)
        except BROKEN as error:
            yield LeftOut(inner, _why(error, "it can't be unpacked"))

    @contextlib.contextmanager
    def spending(self, trail: str, receipts: Mapping[str, str]) -> Iterator[None]:
        """Count what is unpacked meanwhile against whoever uploaded ``trail``.

        The outermost name counts: within an upload its student chooses the names.
        """
        if self.uploader_known:
            yield
            return
        by = who(trail, receipts, self.roster, self.zone, step=self.step_id)
        if by is not None:
            budget = (by.student or by.called, self.limits.each)
        elif not self.budgets:
            budget = (trail, self.limits.total)
        else:
            yield
            return
        self.budgets.append(budget)
        self.uploader_known = by is not None
        try:
            yield
        finally:
            self.budgets.pop()
            self.uploader_known = False

    def hand_in(
        self,
        archive: zipfile.ZipFile,
        members: list[zipfile.ZipInfo],
        trail: str,
        uploader: Uploader | None,
        named: re.Match[str] | None,
    ) -> HandIn | LeftOut:
        """A student's ZIP as the course made it, perhaps under another name, perhaps repacked."""
        student = named["student"] if named else None
        in_name = _time(named["when"], "%Y%m%dT%H%M%S%z") if named else None
        inside = None
        if written := self.member(archive, members, TIMESTAMP, 100):
            inside = _time(written.decode("ascii", "replace").strip(), "%Y-%m-%d %H:%M:%S.%f %Z")
        answers = self.member(archive, members, FILE, MAX_FILE)
        secret = self.member(archive, members, SECRET, 1000)
        claim = _claim(student, inside, in_name, _saved_at(answers or b""))
        return self.settled(trail, uploader, claim, answers, secret)

    def bare(
        self,
        answers: bytes,
        trail: str,
        receipts: Mapping[str, str],
        secret: Path | None = None,
    ) -> HandIn | LeftOut:
        """Answers without a ZIP around them: the LMS says whose they are, or the folder's name."""
        if len(answers) > MAX_FILE:
            return LeftOut(trail, "it is too large")
        named = next(filter(None, map(self.pattern.search, reversed(trail.split("/")))), None)
        uploader = who(trail, receipts, self.roster, self.zone, step=self.step_id)
        in_name = _time(named["when"], "%Y%m%dT%H%M%S%z") if named else None
        claim = _claim(named["student"] if named else None, None, in_name, _saved_at(answers))
        kept = None
        if named and secret and secret.is_file() and not secret.is_symlink():
            kept = _read(secret, 1000)
        return self.settled(trail, uploader, claim, answers, kept)

    def settled(
        self,
        trail: str,
        uploader: Uploader | None,
        claim: Claim,
        answers: bytes | None,
        secret: bytes | None,
    ) -> HandIn | LeftOut:
        around = "" if uploader else unread(trail, self.step_id)
        settled = settle(uploader, claim, self.roster, around)
        if isinstance(settled, Unsettled):
            return LeftOut(trail, settled.why)
        return HandIn(
            student=settled.student,
            when=settled.when,
            answers=answers,
            secret=secret,
            name=trail,
            notes=settled.notes,
            order=uploader.order if uploader else 0,
            claimed_by=uploader.called if uploader and uploader.student is None else "",
            uploaded=_as_uploaded(uploader, trail) if uploader and uploader.lms else None,
        )

    def receipts(
        self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], trail: str
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for member in members:
            name = f"{trail}/{_name(member)}"
            if is_receipt(name):
                try:
                    with self.spending(name, found):
                        content = self.read(archive, member, _MAX_RECEIPT)
                except BROKEN:
                    continue
                found[name] = content.decode("utf-8", "replace")
        return found

    def member(
        self, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str, limit: int
    ) -> bytes | None:
        """The file ``name`` in a hand-in, wherever it lies; None if there is none, or too large."""
        found = [
            one for one in members
            if _name(one).rpartition("/")[2] == name and "__MACOSX" not in _name(one)
        ]  # fmt: skip
        if not found:
            return None
        try:
            return self.read(archive, min(found, key=lambda one: len(_name(one))), limit)
        except _LimitError:
            return None

    def read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
        """A member's content, whatever its header says of its size."""
        left = min(most - self.spent[by] for by, most in self.budgets or [("", self.limits.total)])
        limit = min(limit, max(left, 0))
        content = read_member(archive, member, limit)
        for by, _ in self.budgets or [("", 0)]:
            self.spent[by] += len(content)
        if len(content) > limit:
            raise _LimitError("it is too large" if left > limit else _SPENT)
        return content


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """Return a member's content, at most one byte more than ``limit``, whatever its header says.

    Raises:
        One of `BROKEN`: it is damaged, or packed in a way that can't be limited.
    """
    if member.compress_type not in _METHODS:
        method = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA"}.get(member.compress_type)
        raise zipfile.BadZipFile(
            f"it is packed with {method or 'an unknown method'}; ask for an ordinary ZIP (deflate)"
        )
    with archive.open(member) as file:
        return file.read(limit + 1)


def overlap(archive: zipfile.ZipFile) -> bool:
    """Return True if two members share bytes: a few kilobytes can then stand for terabytes."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    return any(
        one.header_offset + _HEADER + one.compress_size > following.header_offset
        for one, following in itertools.pairwise(members)
    )


def _directory_size(file: Path | io.BytesIO) -> int:
    """Return the bytes of a ZIP's list of files; 0 if it is no ZIP."""
    opened = file.open("rb") if isinstance(file, Path) else contextlib.nullcontext(file)
    with opened as stream:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # noqa: SLF001
    return int(end[5]) if end else 0


def _why(error: BaseException, what: str) -> str:
    """Return the reason as a clause; an error of memory has no words of its own."""
    if isinstance(error, MemoryError):
        return f"{what} (it takes too much memory)"
    return f"{what} ({printable(error)})"


def _no_submission(name: str) -> str:
    typed = _TYPED_NAME.fullmatch(name.rpartition("/")[2])
    return "it is what was typed into the LMS, no file" if typed else "it is no submission"


def _typed(receipts: Mapping[str, str], names: Collection[str]) -> Iterator[LeftOut]:
    """Blackboard's receipts beside which there is no file: their students typed, if anything."""
    for receipt in receipts:
        stem = receipt.removesuffix(".txt")
        if receipt in names and not any(name.startswith(f"{stem}_") for name in names):
            yield LeftOut(receipt, _TYPED)


def _as_uploaded(uploader: Uploader, trail: str) -> UploadName:
    when = uploader.when.isoformat() if uploader.when else ""
    return UploadName(uploader.lms, trail, when, uploader.late)


def _read(path: Path, limit: int) -> bytes:
    """A file's content, and one byte more than ``limit`` if it is longer."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def _own_answers(members: list[zipfile.ZipInfo]) -> bool:
    """Whether a ZIP is a hand-in by what is in it: one file of answers, as the course names it."""
    names = [_name(one) for one in members if "__MACOSX" not in _name(one)]
    return sum(one.rpartition("/")[2] == FILE for one in names) == 1


def _name(member: zipfile.ZipInfo) -> str:
    """A member's path. A ZIP that doesn't say that its names are UTF-8 often has them so."""
    name = member.filename
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _time(text: str, form: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.strptime(text.upper(), form)  # noqa: DTZ007 (it says UTC)
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _claim(
    student: str | None,
    inside: dt.datetime | None,
    in_name: dt.datetime | None,
    saved: dt.datetime | None,
) -> Claim:
    """What a hand-in says of itself, by the order of trust that :func:`.names.settle` documents."""
    when = inside or in_name
    notes = []
    if inside and in_name and abs(inside - in_name) > SKEW:
        notes.append(
            f"The file's name says {in_name:%Y-%m-%d %H:%M} UTC, and the submission in it "
            f"{inside:%Y-%m-%d %H:%M} UTC, which was believed."
        )
    if when and saved and not inside and saved > when + SKEW:
        notes.append(
            f"The file says that it was made at {when:%Y-%m-%d %H:%M} UTC, and its answers were "
            f"saved at {saved:%Y-%m-%d %H:%M} UTC, which was believed."
        )
        when = saved
    return Claim(student, when or saved, tuple(notes))


def _saved_at(answers: bytes) -> dt.datetime | None:
    """When answers were saved, by their own word."""
    try:
        moment = dt.datetime.fromisoformat(json.loads(answers)["saved_at"])
        return moment.astimezone(dt.UTC) if moment.tzinfo else None
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, MemoryError):
        return None

"""Taking submissions in: what is in a submission's folder or ZIP is the student's to choose.

Whichever way it came, ``submitted/<student>/<step>/`` then holds the answers, nbgrader's own small
files and the released notebook, and nothing else. Links are not followed, sizes are limited, and a
submission that can't be used doesn't stop the others.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.plugins import ExtractorPlugin

from pcn_course.answers import FILE, MAX_FILE
from pcn_course.exchange import SECRET, TIMESTAMP, zip_name, zip_name_pattern

HAND_IN = r"[^/+]+\+(?P<student_id>[^/+]+)\+(?P<timestamp>\d{8}T\d{6}Z)"
"""The folders that :class:`Extractor` makes, as nbgrader's collector reads them."""
MAX_ZIP = 2 * MAX_FILE
"""The most bytes that are unpacked of a ZIP within an LMS's ZIP."""
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError
)  # fmt: skip


class Submission(msgspec.Struct, frozen=True):
    """What a submission is. Times are UTC."""

    student: str
    when: dt.datetime
    answers: bytes | None
    secret: bytes | None

    def lay_down(self, folder: Path, released: Path) -> None:
        """Write the submission into ``folder``, with a copy of the released notebook."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.answers is not None:
            (folder / FILE).write_bytes(self.answers)
        if self.secret is not None and re.fullmatch(rb"[0-9a-f]{32,256}", self.secret.strip()):
            (folder / SECRET).write_bytes(self.secret.strip())
        when = self.when.astimezone(dt.UTC)
        (folder / TIMESTAMP).write_text(f"{when:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="ascii")
        if released.is_file():
            shutil.copyfile(released, folder / released.name)


class Collect(ExchangeCollect):
    """``nbgrader collect``."""

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Who handed in, and when, by the folder's name; nobody (``""``) if it doesn't say."""
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except (ExchangeError, ValueError, OverflowError):
            nowhen = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (nbgrader's times are UTC unsaid)
            record = {"username": "", "filename": Path(path).name, "timestamp": nowhen}
        if not _is_folder_name(record["username"]) or not _is_own_folder(Path(path)):
            self.log.warning("Left out, as it is no submission: %s", path)
            record["username"] = ""
        return record

    def copy_files(self) -> None:
        """Take in each student's newest submission."""
        self.src_records = [record for record in self.src_records if record["username"]]
        super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:  # noqa: ARG002
        """Take in one submission."""
        record = self._path_to_record(src)
        submission = Submission(
            student=record["username"],
            when=record["timestamp"].replace(tzinfo=dt.UTC),
            answers=_read_plainly(Path(src), FILE, MAX_FILE),
            secret=_read_plainly(Path(src), SECRET, 1000),
        )
        if submission.answers is None:
            self.log.warning("There are no answers that can be read in %s", src)
        submission.lay_down(Path(dest), _released(self.coursedir))
        if self.coursedir.groupshared:
            _share(Path(dest))


class Extractor(ExtractorPlugin):
    """``nbgrader zip_collect``: finds the ZIPs that students made, also inside an LMS's own ZIP.

    Each student's newest ends up as a folder ``<step>+<student>+<time>`` in ``extracted/``.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack all submissions below ``archive_path`` into folders in ``extracted_path``."""
        coursedir = self.parent.coursedir
        step = coursedir.assignment_id
        newest: dict[str, Submission] = {}
        for submission in self._found(Path(archive_path), zip_name_pattern(step)):
            other = newest.get(submission.student)
            if other:
                self.log.info("%s handed in more than once; the newest counts", submission.student)
            if not other or submission.when >= other.when:
                newest[submission.student] = submission
        for submission in newest.values():
            name = zip_name(step, submission.student, submission.when).removesuffix(".zip")
            submission.lay_down(Path(extracted_path) / name, _released(coursedir))

    def _found(self, folder: Path, pattern: re.Pattern[str]) -> Iterator[Submission]:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            if path.suffix.lower() == ".zip":
                yield from self._in_zip(path, path.name, pattern)
            elif path.name == FILE and (named := pattern.search(path.parent.name)):
                # Unpacked already, as some browsers do by themselves.
                answers = _read_plainly(path.parent, FILE, MAX_FILE)
                secret = _read_plainly(path.parent, SECRET, 1000)
                yield from self._named(named, answers, secret)
            else:
                self.log.info("Left out, as it is no submission: %s", path)

    def _in_zip(
        self, file: Path | io.BytesIO, name: str, pattern: re.Pattern[str], depth: int = 2
    ) -> Iterator[Submission]:
        """The submission that a ZIP is, or those that it holds."""
        try:
            with zipfile.ZipFile(file) as archive:
                if named := pattern.search(PurePosixPath(name).name):
                    answers = _member(archive, FILE, MAX_FILE)
                    if answers is None:
                        self.log.warning("There are no answers in %s", name)
                    yield from self._named(named, answers, _member(archive, SECRET, 1000))
                    return
                for member in archive.infolist():
                    inner = f"{name}/{member.filename}"
                    if depth and member.filename.lower().endswith(".zip"):
                        content = _up_to(archive, member, MAX_ZIP)
                        if content is None:
                            self.log.warning("Left out, as it is too large: %s", inner)
                        else:
                            held = io.BytesIO(content)
                            yield from self._in_zip(held, inner, pattern, depth - 1)
                    elif not member.is_dir():
                        self.log.info("Left out, as it is no submission: %s", inner)
        except _BROKEN as error:
            self.log.warning("Left out, as it can't be unpacked (%s): %s", error, name)

    def _named(
        self, named: re.Match[str], answers: bytes | None, secret: bytes | None
    ) -> Iterator[Submission]:
        try:
            when = dt.datetime.strptime(named["when"].upper(), "%Y%m%dT%H%M%S%z")
        except ValueError:
            self.log.warning("Left out, as its time isn't one: %s", named[0])
            return
        yield Submission(named["student"], when, answers, secret)


def _released(coursedir: Any) -> Path:
    step = coursedir.assignment_id
    folder = coursedir.format_path(coursedir.release_directory, ".", step)
    return Path(folder) / f"{step}.ipynb"


def _is_folder_name(name: str) -> bool:
    return name not in ("", ".", "..") and name.isprintable() and not set(name) & set("/\\+*?[]{}")


def _is_own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _read_plainly(folder: Path, name: str, limit: int) -> bytes | None:
    """A file's content if it is a plain file of at most ``limit`` bytes, and nothing else's name.

    A submission could hold a link to what only the instructor may read.
    """
    try:
        inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, dir_fd=inside), "rb") as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
                    return None
                content = file.read(limit + 1)
        finally:
            os.close(inside)
    except OSError:
        return None
    return content if len(content) <= limit else None


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes | None:
    """The file ``name`` in a ZIP, also where somebody packed the folder anew."""
    found = [
        member for member in archive.infolist()
        if PurePosixPath(member.filename).name == name and "__MACOSX" not in member.filename
    ]  # fmt: skip
    if not found:
        return None
    return _up_to(archive, min(found, key=lambda member: len(member.filename)), limit)


def _up_to(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes | None:
    """A member's content, or ``None`` if it is larger than ``limit``, whatever its header says."""
    with archive.open(member) as file:
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


def _share(folder: Path) -> None:
    """What nbgrader does for several instructors: the group may write."""
    folder.chmod(folder.stat().st_mode | 0o2770)
    for path in folder.iterdir():
        path.chmod(path.stat().st_mode | 0o660)

"""Taking submissions in: what is in a submission's folder or ZIP is the student's to choose.

Whichever way it came, ``submitted/<student>/<step>/`` then holds the answers, nbgrader's own small
files and the released notebook, and nothing else. Links are not followed, sizes are limited, and a
submission that can't be used doesn't stop the others.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import re
import shutil
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.plugins import ExtractorPlugin

from pcn_course.answers.store import FILE
from pcn_course.characters import printable, printable_lines
from pcn_course.exchange import SECRET, STUDENT_ID, TIMESTAMP, zip_name
from pcn_course.files import UserError
from pcn_course.grading.gradebook.schema import note
from pcn_course.grading.late.time_zone import zone_of
from pcn_course.grading.lms.claims import choose
from pcn_course.grading.lms.roster import FILE as ROSTER
from pcn_course.grading.lms.roster import Roster, read_roster
from pcn_course.grading.lms.unpacking import HandIn, LeftOut, unpack_folder
from pcn_course.grading.lms.upload_names import keep_names
from pcn_course.grading.nbgrader.gradebook import OneGradebook
from pcn_course.grading.nbgrader.submitted import LIMITS, read_plainly

HAND_IN = r"[^/+]+\+(?P<student_id>[^/+]+)\+(?P<timestamp>\d{8}T\d{6}Z)"
"""The folders that :class:`Extractor` makes, as nbgrader's collector reads them."""

UNREADABLE = "There are no answers that can be read in what was handed in."


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

    @functools.cached_property
    def _roster(self) -> Roster:
        """Who is who; nobody where the roster can't be read, which stops no collecting here."""
        try:
            return read_roster(Path(self.coursedir.root) / ROSTER)
        except UserError as error:
            self.log.warning("%s", error)
            return Roster()

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Who handed in, and when, by the folder's name; nobody (``""``) if it doesn't say."""
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except (ExchangeError, ValueError, OverflowError):
            nowhen = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (nbgrader's times are UTC unsaid)
            record = {"username": "", "filename": Path(path).name, "timestamp": nowhen}
        # Ids go into paths, pages and the gradebook: only what is safe in all of them is one.
        named = re.fullmatch(STUDENT_ID, record["username"])
        spelled = record["username"]
        if named and (known := self._roster.find(spelled)):
            record["username"] = known.id
        if not named or not _is_own_folder(Path(path)):
            self.log.warning("Left out, as it is no submission: %r", path)
            record["username"] = ""
        elif self.check_owner and (owner := _owner(Path(path))) not in ("", spelled):
            # Everyone can make folders there, so a name alone proves nothing. nbgrader only warns.
            self.log.warning(
                "Skipped: %r says that %s submitted it, and belongs to %s. If your students' "
                "system users have other names, set c.ExchangeCollect.check_owner = False.",
                path, record["username"], owner,
            )  # fmt: skip
            record["username"] = ""
        return record

    def copy_files(self) -> None:
        """Take in each student's newest submission."""
        self.src_records = [record for record in self.src_records if record["username"]]
        super().copy_files()

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:  # noqa: ARG002
        """Copy one submission's known files from the exchange into ``submitted/``."""
        record = self._path_to_record(src)
        submission = Submission(
            student=record["username"],
            when=record["timestamp"].replace(tzinfo=dt.UTC),
            answers=read_plainly(Path(src), FILE, LIMITS[FILE]),
            secret=read_plainly(Path(src), SECRET, LIMITS[SECRET]),
        )
        if submission.answers is None:
            self.log.warning("There are no answers that can be read in %s", printable(src))
            _note(self.coursedir, submission.student, UNREADABLE)
        submission.lay_down(Path(dest), _released(self.coursedir))
        if self.coursedir.groupshared:
            _share(Path(dest))


class Extractor(ExtractorPlugin):
    """``nbgrader zip_collect``: finds the ZIPs that students made, also inside an LMS's own ZIP.

    Each student's newest ends up as a folder ``<step>+<student>+<time>`` in ``extracted/``. The
    last thing that is said is who is in, what was left out, and who of the roster is missing.
    """

    def __init__(self, **kwargs: Any) -> None:
        """As nbgrader makes it. It warns of each folder that it makes, which is nothing to mend."""
        super().__init__(**kwargs)
        self.log.addFilter(_is_no_folder_made)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack all submissions below ``archive_path`` into folders in ``extracted_path``."""
        coursedir = self.parent.coursedir
        step = coursedir.assignment_id
        try:
            roster = read_roster(Path(coursedir.root) / ROSTER)
            zone = zone_of(self.config)
        except UserError as error:
            sys.exit(printable_lines(error))
        left_out: list[LeftOut] = []
        found = unpack_folder(Path(archive_path), step, roster, zone)
        taken, refused = choose(self._hand_ins(found, left_out), dt.datetime.now(dt.UTC))
        for one, why in refused:
            last = printable(one.name.rpartition("/")[2])
            self._leave_out(LeftOut(one.name, why, who=one.claimed_by, file=last), left_out)
            _note(coursedir, one.student, f"Left out was {last}, as {why}.")
        for one in taken:
            self._take(one, Path(extracted_path))
        self._keep_names(taken)
        before = {one.id for one in roster.entries if self._came_before(one.id)}
        self._tell_lateness(taken)
        text = summary({one.student for one in taken}, left_out, roster, before)
        self._say_at_the_end(text, all_well=not left_out)

    def _hand_ins(
        self, several: Iterable[HandIn | LeftOut], left_out: list[LeftOut]
    ) -> Iterator[HandIn]:
        seen = set()
        for found in several:
            if isinstance(found, LeftOut):
                self._leave_out(found, left_out)
                continue
            if found.student in seen:
                self.log.info("%s handed in more than once; the newest counts", found.student)
            seen.add(found.student)
            yield found

    def _leave_out(self, found: LeftOut, left_out: list[LeftOut]) -> None:
        log = self.log.warning if found.odd else self.log.info
        log("Left out, as %s: %s", found.why, printable(found.name))
        if found.odd:
            left_out.append(found)

    def _came_before(self, student: str) -> bool:
        coursedir = self.parent.coursedir
        place = coursedir.format_path(
            coursedir.submitted_directory, student, coursedir.assignment_id
        )  # fmt: skip
        return Path(place).exists()

    def _say_at_the_end(self, text: str, *, all_well: bool) -> None:
        """nbgrader asks no plugin anything after the last file was moved to its place."""
        app = self.parent
        move = app.process_extracted_files

        def then_say() -> None:
            move()
            (self.log.info if all_well else self.log.warning)("%s", text)

        app.process_extracted_files = then_say

    def _tell_lateness(self, taken: Collection[HandIn]) -> None:
        """Compare the LMS's own mark for late work with the due date and late.csv."""
        coursedir = self.parent.coursedir
        names = {one.student: one.uploaded for one in taken
                 if one.uploaded and one.uploaded.late is not None}  # fmt: skip
        if not names:
            return
        # late.csv's rules belong to marking, which takes submissions in by this module.
        from pcn_course.grading.gradebook.room import open_room
        from pcn_course.grading.lms.lateness import differences

        try:
            room = open_room(Path(coursedir.root))
            room.db_url = coursedir.db_url
            try:
                times = {one.student: one.when for one in taken}
                told = differences(room, coursedir.assignment_id, names, times)
            finally:
                room.close()
        except UserError as error:
            self.log.warning("Lateness was not compared with the LMS's: %s", error)
            return
        for student, text in told.items():
            self.log.warning("%s: %s", student, text)
            _note(coursedir, student, text)

    def _keep_names(self, taken: Iterable[HandIn]) -> None:
        """Keep what the LMS called what was taken in: feedback goes back under these names."""
        coursedir = self.parent.coursedir
        names = {one.student: one.uploaded for one in taken if one.uploaded}
        try:
            keep_names(Path(coursedir.root), coursedir.assignment_id, names)
        except (UserError, OSError) as error:
            self.log.warning("The LMS's names of these files were not stored: %s", error)

    def _take(self, one: HandIn, extracted: Path) -> None:
        coursedir = self.parent.coursedir
        step = coursedir.assignment_id
        notes = list(one.notes)
        if one.answers is None:
            notes.append(UNREADABLE)
        for text in notes:
            self.log.warning("%s: %s (%s)", one.student, text, printable(one.name))
            _note(coursedir, one.student, text)
        name = zip_name(step, one.student, one.when).removesuffix(".zip")
        submission = Submission(one.student, one.when, one.answers, one.secret)
        submission.lay_down(extracted / name, _released(coursedir))


def summary(
    taken: set[str], left_out: Collection[LeftOut], roster: Roster, before: set[str]
) -> str:
    """One line: “1 taken in; 1 left out: Ben Beta, essay.docx; not handed in: Eve Epsilon.”.

    ``before`` are those of the roster whose submission came at another time.
    """
    files = [printable(", ".join(filter(None, (one.who, one.file)))) for one in left_out]
    parts = [f"{len(taken)} taken in"]
    if files:
        parts.append(f"{len(files)} left out: {_some(files, ' / ')}")
    # Whoever typed into the LMS, or uploaded another file, did submit something.
    theirs = {one.who for one in left_out}
    missing = [
        one.name for one in roster.entries
        if one.id not in taken | before and one.name not in theirs
    ]  # fmt: skip
    if missing:
        parts.append(f"not handed in: {_some(missing, ', ')}")
    return f"{'; '.join(parts)}."


def _some(several: list[str], between: str) -> str:
    more = len(several) - 20
    return between.join(several[:20]) + (f" and {more} more" if more > 0 else "")


def _is_no_folder_made(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Directory not found. Creating")


def _note(coursedir: Any, student: str, text: str) -> None:
    """Keep with a submission what is to be known of it."""
    with OneGradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        note(gradebook.engine, student, coursedir.assignment_id, text)


def _released(coursedir: Any) -> Path:
    step = coursedir.assignment_id
    folder = coursedir.format_path(coursedir.release_directory, ".", step)
    return Path(folder) / f"{step}.ipynb"


def _is_own_folder(path: Path) -> bool:
    """Whether it is a folder and no link. What can't be looked at is none, and stops nobody."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _owner(path: Path) -> str:
    """Return the system user to whom a folder belongs; empty where there are none (Windows)."""
    try:
        return path.owner()
    except KeyError:
        return "an unknown user"
    except (NotImplementedError, OSError):
        return ""


def _share(folder: Path) -> None:
    """What nbgrader does for several instructors: the group may write."""
    folder.chmod(folder.stat().st_mode | 0o2770)
    for path in folder.iterdir():
        path.chmod(path.stat().st_mode | 0o660)

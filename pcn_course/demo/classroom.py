"""A room with a made-up class: the course, the roster, released steps, what students handed in.

folder/
  data/  notebooks/  assignments/    the course and its instructor's room
  exchange/                          nbgrader's, through which everything is handed in
  workspaces/<student>/              what each student has
  .demo/                             Jupyter's settings for it, and what nbgrader said
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pcn_course.answers.store import FILE, FORMAT, Document, Field
from pcn_course.course import Course, Step, load_course
from pcn_course.demo.commands import own_settings, run_commands
from pcn_course.demo.people import Pupil
from pcn_course.exchange import SECRET, TIMESTAMP
from pcn_course.grading.gradebook.room import CONFIG, Room, open_room
from pcn_course.grading.lms.roster import FILE as ROSTER
from pcn_course.grading.lms.roster import Entry, Roster, import_roster, write_roster
from pcn_course.grading.notebooks import write_notebooks, write_room_notebooks
from pcn_course.workspace import Receipt, Workspace

EVERY = dt.timedelta(weeks=2)
"""Between two due dates."""
STILL_OPEN = dt.timedelta(days=3)
"""From today to the last step's due date; that is at the end of a day."""
SYNTHETIC = "Synthetic"
"""The section of everybody on the roster."""
_CONFIG = '''"""nbgrader for a made-up class."""

from pathlib import Path

from pcn_course.grading.config import configure

c = get_config()
configure(c, here=Path(__file__))
c.Exchange.root = str(Path(__file__).absolute().parents[1] / "exchange")
# All of these students are one user of this machine, so who owns a file says nothing.
c.ExchangeCollect.check_owner = False
'''
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", FILE, "feedback")


class Classroom:
    """A made-up class in a folder of its own."""

    def __init__(self, folder: Path, course: Course, pupils: list[Pupil], now: dt.datetime) -> None:
        self.folder = folder
        self.course = course
        self.pupils = pupils
        self.now = now
        self.room: Room = open_room(folder / "assignments", course=course)
        self.workspaces = folder / "workspaces"
        self.exchange = folder / "exchange"
        self.log = folder / ".demo" / "nbgrader.log"

    @property
    def environment(self) -> dict[str, str]:
        """What programs of nbgrader are started with."""
        return own_settings(self.folder / ".demo" / "jupyter")

    def due(self, step: Step) -> dt.datetime:
        """When a step is due: all but the last have been."""
        steps = len(self.course.steps)
        day = self.now + STILL_OPEN - EVERY * (steps - step.number)
        return day.replace(hour=23, minute=59)

    def enroll(self) -> None:
        """Take everybody into the roster and the gradebook, and set the due dates."""
        listed = self.folder / ".demo" / ROSTER
        entries = (
            Entry(
                id=one.id, first=one.first, last=one.last, email=one.email, lms_id=one.lms_id,
                username=one.id, section=SYNTHETIC,
            )
            for one in self.pupils
        )  # fmt: skip
        write_roster(listed, Roster(entries))
        import_roster(self.room, listed, "roster")
        with self.room.gradebook() as gradebook:
            for step in self.course.steps:
                due = self.due(step).replace(tzinfo=None)
                gradebook.update_or_create_assignment(step.id, duedate=due)

    def release(self, begins: Callable[[str, str], None] = lambda *_: None) -> None:
        """Generate and release all steps.

        Raises:
            CommandError: nbgrader could not.
        """
        self._nbgrader(("generate_assignment", "release_assignment"), begins)
        # nbgrader opens its exchange to every account of the machine; here one plays them all.
        for place in (self.exchange, self._inbound):
            place.chmod(0o700)

    def hand_in(self) -> None:
        """Let everything arrive that was handed in, and stand in the workspaces what was written.

        It arrives as ``nbgrader submit`` brings it; running that, once for each, would take hours
        for a class of 1,000.
        """
        for pupil in self.pupils:
            workspace = Workspace(self.workspaces / pupil.id)
            for step in self.course.steps:
                private = pupil.private.get(step.id, {})
                if step.id in pupil.handed_in:
                    when = self.due(step) + pupil.handed_in[step.id]
                    content = document(self.course, step, pupil.answers[step.id], when)
                    self._arrive(pupil, step, when, content)
                    _write(workspace.folder(step) / FILE, content)
                    digest = hashlib.sha256(content).hexdigest()
                    receipt = Receipt(when=when, sha256=digest, how="exchange")
                    # As `Workspace.add_receipt` does, without waiting for the disk each time.
                    path = workspace.state / "receipts" / f"{step.id}.json"
                    _write(path, msgspec.json.encode((receipt,)))
                elif step.id in pupil.begun:
                    content = document(self.course, step, pupil.begun[step.id], self.now)
                    _write(workspace.folder(step) / FILE, content)
                else:
                    continue
                if private:
                    path = workspace.store(self.course, step).private
                    _write(path, document(self.course, step, private, self.now))

    def grade(self, begins: Callable[[str, str], None] = lambda *_: None) -> None:
        """Collect and autograde all steps.

        Raises:
            CommandError: nbgrader could not.
        """
        self._nbgrader(("collect", "autograde"), begins)

    def _nbgrader(self, commands: tuple[str, ...], begins: Callable[[str, str], None]) -> None:
        # Nothing of it is open here while others write to it.
        self.room.close()
        run_commands(
            self.room.root,
            [(command, step.id) for step in self.course.steps for command in commands],
            environment=self.environment, log=self.log, begins=begins,
        )  # fmt: skip

    @property
    def _inbound(self) -> Path:
        return self.exchange / self.room.course_id / "inbound"

    def _arrive(self, pupil: Pupil, step: Step, when: dt.datetime, content: bytes) -> None:
        stamp = f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        folder = self._inbound / f"{pupil.id}+{step.id}+{stamp}+{secrets.token_urlsafe(9)}"
        folder.mkdir(parents=True)
        (folder / FILE).write_bytes(content)
        (folder / TIMESTAMP).write_text(stamp, encoding="ascii")
        (folder / SECRET).write_text(secrets.token_hex(64), encoding="ascii")
        shutil.copyfile(self.course.root / "notebooks" / step.path, folder / f"{step.id}.ipynb")


def make_classroom(
    folder: Path, source: Course, pupils: Iterable[Pupil], *, now: dt.datetime | None = None
) -> Classroom:
    """A copy of a course in ``folder``, whose title says that the class is made up.

    Raises:
        OSError: the folder can't be written to.
        CourseError: the course's files hold faults.
    """
    shutil.copytree(source.root / "data", folder / "data", ignore=_NOT_COPIED)
    shutil.copytree(source.root / "notebooks", folder / "notebooks", ignore=_NOT_COPIED)
    described = folder / "data" / "course.toml"
    words = described.read_text(encoding="utf-8")
    # What stands in quotes may hold anything but an unescaped quote.
    words = re.sub(r'(?m)^(title\s*=\s*"(?:[^"\\]|\\.)*)"', r'\1 (a made-up class)"', words)
    described.write_text(words, encoding="utf-8")
    course = load_course(folder)
    write_notebooks(course, folder / "notebooks")
    room = folder / "assignments"
    room.mkdir()
    (room / CONFIG).write_text(_CONFIG, encoding="utf-8")
    write_room_notebooks(room)
    (folder / ".demo").mkdir()
    (folder / "exchange").mkdir()
    moment = (now or dt.datetime.now(dt.UTC)).replace(second=0, microsecond=0)
    return Classroom(folder, course, list(pupils), moment)


def document(course: Course, step: Step, values: Mapping[str, Any], when: dt.datetime) -> bytes:
    """An answers file as the form writes it."""
    fields = {key: Field(value, 1 + len(str(value)) % 7) for key, value in values.items()}
    made = Document(
        FORMAT, course.id, step.name, sum(one.version for one in fields.values()),
        f"{when.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", fields,
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(made), indent=1)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

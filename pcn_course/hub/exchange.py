"""nbgrader's exchange with a folder for each student, into which nobody else can look.

exchange/<course>/
  outbound/              released steps: the instructor's, read by all
  inbound/<student>/     the student's own, read by the instructor's group and nobody else
  feedback/<student>/    the instructor's, read by the student's own group and nobody else

Nobody but the instructor lists ``inbound`` and ``feedback``. A student works with a *view*: a
folder of the student's own that has links (on one machine) or mounts (in containers) to these, in
which nbgrader's own commands work unchanged. Whose a submission is, is said by the folder that it
lies in, never by its name.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.default import ExchangeReleaseAssignment, ExchangeReleaseFeedback
from traitlets.config import Config

from pcn_course.exchange import SECRET, STUDENT_ID
from pcn_course.grading.feedback.release import ReleaseFeedback
from pcn_course.grading.nbgrader.collect import Collect
from pcn_course.grading.nbgrader.submitted import LIMITS, read_plainly


def use_personal_folders(c: Config, exchange: Path | str) -> None:
    """Let the instructor's nbgrader collect from, and return to, a folder for each student.

    For ``assignments/nbgrader_config.py``, after ``configure``.
    """
    c.Exchange.root = str(exchange)
    c.ExchangeFactory.release_assignment = f"{__name__}.{ReleaseKeptShut.__qualname__}"
    c.ExchangeFactory.collect = f"{__name__}.{CollectPersonally.__qualname__}"
    c.ExchangeFactory.release_feedback = f"{__name__}.{ReleasePersonally.__qualname__}"
    # The folder says whose it is; the names of system users are others.
    c.ExchangeCollect.check_owner = False


class ReleaseKeptShut(ExchangeReleaseAssignment):
    """``nbgrader release_assignment`` that leaves the exchange as it was laid out."""

    def ensure_root(self) -> None:
        """Only look: nbgrader's own lets everybody write here, and so move a course away."""
        if not Path(self.root).is_dir():
            self.fail(f"There is no exchange in {self.root}. Check c.Exchange.root.")


class CollectPersonally(Collect):
    """``nbgrader collect`` from each student's own folder."""

    def init_src(self) -> None:
        """Find each student's newest submission that has arrived whole."""
        course = Path(self.root) / self.coursedir.course_id
        inbound = course / "inbound"
        self.course_path = str(course)
        self.inbound_path = str(inbound)
        if not inbound.is_dir():
            self.fail(f"Course not found: {inbound}")
        self.duedate = self._due()
        asked = self.coursedir.student_id or "*"
        students = [inbound / asked] if asked != "*" else sorted(inbound.iterdir())
        self.src_records = []
        for folder in students:
            if records := self._records(folder):
                in_time = [one for one in records if self._in_time(one)]
                best = max(in_time or records, key=lambda one: one["timestamp"])
                self.src_records.append(best)

    def _records(self, folder: Path) -> list[dict[str, Any]]:
        if folder.is_symlink() or not folder.is_dir():
            return []
        if not re.fullmatch(STUDENT_ID, folder.name):
            self.log.warning("Left out, as it is no student's folder: %s", folder)
            return []
        records = []
        step = glob.escape(self.coursedir.assignment_id)
        for path in sorted(folder.glob(f"{glob.escape(folder.name)}+{step}+*")):
            record = self._path_to_record(str(path))
            if record["username"] != folder.name:
                continue
            # nbgrader writes the secret last. Without it this one is still on its way, or it came
            # to nothing on a full disk: the one before counts until then.
            secret = read_plainly(path, SECRET, LIMITS[SECRET])
            if secret is None or not re.fullmatch(rb"[0-9a-f]{32,256}", secret.strip()):
                self.log.warning("Not taken yet, as it has not arrived whole: %s", path)
                continue
            records.append({**record, "filename": f"{folder.name}/{path.name}"})
        return records

    def _in_time(self, record: dict[str, Any]) -> bool:
        return bool(
            not self.before_duedate or self.duedate is None or record["timestamp"] <= self.duedate
        )

    def _due(self) -> Any:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                return gradebook.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                return None


class ReleasePersonally(ReleaseFeedback):
    """``nbgrader release_feedback`` into each student's own folder."""

    dest_path: str

    def copy_files(self) -> None:
        """Release student by student; one that fails doesn't stop the others."""
        pattern, everybody = self.src_path, self.dest_path
        root = Path(self.coursedir.root)
        for folder in sorted(root.glob(str(Path(pattern).relative_to(root)))):
            student = folder.parent.name
            own = Path(everybody) / student
            if own.is_symlink() or not own.is_dir():
                self.log.warning(
                    "Not released: %s has no folder in the exchange, and gets one at the next "
                    "login. Release again then.", student,
                )  # fmt: skip
                continue
            self.src_path, self.dest_path = str(folder), str(own)
            try:
                ExchangeReleaseFeedback.copy_files(self)
                for page in own.glob("*.html"):
                    page.chmod(0o640)
            except (OSError, ValueError) as error:
                self.log.warning(
                    "Not released, because what was handed in can't be matched (%s). "
                    "Give this page to the student in another way: %s", error, folder,
                )  # fmt: skip
        self.src_path, self.dest_path = pattern, everybody

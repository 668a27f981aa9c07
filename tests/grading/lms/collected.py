"""A ZIP from an LMS, collected by nbgrader's own command in this process."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps import ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from pcn_course.grading.lms.roster import Roster, write_roster
from pcn_course.grading.nbgrader.collect import HAND_IN, Extractor
from tests.grading.lms.samples import STEP


@dataclass
class Collected:
    """What a run left: its last line, all its lines, and the course folder."""

    root: Path
    lines: list[str]

    @property
    def summary(self) -> str:
        return self.lines[-1]

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def answers(self) -> dict[str, str]:
        """The text of each student's answers, by student."""
        pattern = f"submitted/*/{STEP}/answers.json"
        return {one.parts[-3]: json.loads(one.read_bytes())["text"]
                for one in sorted(self.root.glob(pattern))}  # fmt: skip

    def times(self) -> dict[str, str]:
        """When each student submitted, in UTC."""
        pattern = f"submitted/*/{STEP}/timestamp.txt"
        return {one.parts[-3]: one.read_text()[:16] for one in sorted(self.root.glob(pattern))}


def own_zip(text: str = "", saved_at: str = "") -> bytes:
    """A student's own ZIP, with a word by which it is known again."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("answers.json", json.dumps({"text": text, "saved_at": saved_at}))
    return made.getvalue()


def collect(
    root: Path,
    roster: Roster,
    members: Mapping[str, bytes | str],
    timezone: str = "UTC",
    name: str = "all.zip",
) -> Collected:
    """Collect a ZIP with these members, as `nbgrader zip_collect --force` does."""
    write_roster(root / "roster.csv", roster)
    archive = root / "downloaded" / STEP / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive / name, "w") as bulk:
        for member, content in members.items():
            bulk.writestr(member, content)
    config = Config()
    config.Lms.timezone = timezone
    config.FileNameCollectorPlugin.named_regexp = rf"(?:.*/)?{HAND_IN}/(?P<file_id>[^/]+)$"
    config.FileNameCollectorPlugin.valid_ext = [".ipynb", ".json", ".txt"]
    app = ZipCollectApp(config=config, extractor_plugin=Extractor, force=True)
    app.coursedir = CourseDirectory(
        root=str(root), db_url=f"sqlite:///{root}/gradebook.db", assignment_id=STEP
    )
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    app.log.addHandler(handler)
    try:
        app.init_plugins()
        app.extract_archive_files()
        app.process_extracted_files()
    finally:
        app.log.removeHandler(handler)
    return Collected(root, lines)

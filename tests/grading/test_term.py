"""A term with changes in the middle: words, scores, and feedback stay what they were."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from pcn_course.answers.store import Edit
from pcn_course.cli import main
from pcn_course.course import Course, load_course
from pcn_course.course.released import FOLDER
from pcn_course.grading.feedback.letter import read_letter
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.notebooks import write_notebooks, write_room_notebooks
from pcn_course.workspace import Workspace
from tests.support.nbgrader_course import sample_answers, visible_text
from tests.support.room import make_room

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STEP = "step-1-goals"
OLD = "Which live project will this network serve?"
NEW = "Which current project will this network serve?"
ADDED = "Who has to agree?"
DUE = "2027-01-22T23:59:00-05:00"
LATER = "2027-01-25T23:59:00-05:00"


class Term:
    """One course folder through a term, and its students' workspaces beside it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.workspaces = base / "workspaces"
        self.room: Room = make_room(base / "course", (), ())
        write_room_notebooks(self.room.root)
        config = self.room.root / "nbgrader_config.py"
        config.write_text(f'{config.read_text()}\nc.Lms.timezone = "America/New_York"\n')
        self.open("course")

    def open(self, name: str) -> None:
        """The course folder under this name."""
        self.room.close()
        self.room = open_room(self.base / name / "assignments")

    @property
    def course(self) -> Course:
        return load_course(self.base / self.room.root.parent.name)

    def edit(self, name: str, before: str, after: str) -> None:
        """Change a file of the course, as an instructor does."""
        path = self.room.root.parent / "data" / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
        write_notebooks(self.course, self.course.root / "notebooks")
        self.open(self.room.root.parent.name)

    def nbgrader(self, what: str, *arguments: Any) -> dict[str, Any]:
        """What formgrader's button does; its log."""
        config = self.room.config
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        result: dict[str, Any] = getattr(api, what)(STEP, *arguments)
        print(what, result.get("log"), result.get("error"))
        return result

    def pcn(self, *arguments: str | Path) -> tuple[int, str]:
        result = CliRunner().invoke(main, [str(one) for one in arguments])
        print(result.output)
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    def hand_in(self, student: str, **more: str) -> None:
        """Write on the page as it is now, and have it collected."""
        course, step = self.course, self.course.step(STEP)
        workspace = Workspace(self.workspaces / student)
        workspace.fill(course)
        values = {**sample_answers(step), "live-project": f"{student}'s clinic", **more}
        values.pop("who-agrees", None)
        edits = {key: Edit(value, 0) for key, value in values.items()}
        assert not workspace.store(course, step).save("tab", edits).invalid
        folder = self.room.submission(student, STEP)
        folder.mkdir(parents=True)
        shutil.copy(workspace.folder(step) / "answers.json", folder)
        shutil.copy(self.room.root / "release" / STEP / f"{STEP}.ipynb", folder)
        (folder / "timestamp.txt").write_text("2027-01-20 10:00:00.000000 UTC")

    def autograde(self, student: str) -> None:
        assert self.nbgrader("autograde", student, True)["success"]

    def shown(self, student: str) -> str:
        """What formgrader shows of a submission, as text."""
        path = self.room.root / "autograded" / student / STEP / f"{STEP}.ipynb"
        cells = json.loads(path.read_bytes())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return visible_text("".join("".join(one["data"].get("text/html", "")) for one in outputs))

    def scores(self, student: str) -> dict[str, float | None]:
        with self.room.gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(STEP, STEP, student)
            return {one.name: one.auto_score or one.manual_score for one in notebook.grades}

    def due(self) -> tuple[dt.datetime, str]:
        """The due date in the gradebook (UTC) and in the released notebook."""
        with self.room.gradebook() as gradebook:
            graded = gradebook.find_assignment(STEP).duedate
        released = self.room.root / "release" / STEP / f"{STEP}.ipynb"
        return graded, json.loads(released.read_bytes())["metadata"]["pcn"]["due"]

    def files(self) -> dict[str, bytes]:
        release = self.room.root / "release"
        return {str(path): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def test_a_term_with_changes_in_the_middle(tmp_path: Path) -> None:  # noqa: PLR0915 (one story)
    term = Term(tmp_path)
    course_toml = term.room.root.parent / "data" / "course.toml"
    course_toml.write_text(f'{course_toml.read_text()}\n[due]\n"{STEP}" = {DUE}\n')
    assert term.nbgrader("generate_assignment")["success"]
    assert term.due() == (dt.datetime(2027, 1, 23, 4, 59), "2027-01-23T04:59:00Z")  # noqa: DTZ001
    term.hand_in("ada")
    term.autograde("ada")
    with term.room.gradebook() as gradebook:
        grade = gradebook.find_grade("reasoning", STEP, STEP, "ada")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    scores = term.scores("ada")
    assert (scores["structure"], scores["reasoning"]) == (4, 3)

    # A question is reworded, another one added, the due date moved.
    question = f'[[prompts]]\nkey = "who-agrees"\nkind = "line"\nrequired = true\nlabel = "{ADDED}"'
    term.edit(f"steps/{STEP}.toml", OLD, NEW)
    term.edit(f"steps/{STEP}.toml", "\n[[structure]]", f"\n{question}\n\n[[structure]]")
    term.edit("course.toml", f'\n"{STEP}" = {DUE}', f'\n"{STEP}" = {LATER}')
    code, output = term.pcn("check", "--course", term.course.root)
    assert code == 1  # until it is generated, students see the old date
    assert "is due January 25, 2027, 11:59 PM EST in data/course.toml" in output
    assert "January 22, 2027, 11:59 PM EST in the gradebook" in output
    assert term.nbgrader("generate_assignment")["success"]
    assert term.due() == (dt.datetime(2027, 1, 26, 4, 59), "2027-01-26T04:59:00Z")  # noqa: DTZ001
    code, output = term.pcn("check", "--course", term.course.root)
    assert (code, "is due January 25, 2027, 11:59 PM EST." in output) == (0, True)
    term.hand_in("bea")
    for student in ("ada", "bea"):
        term.autograde(student)
    ada, bea = term.shown("ada"), term.shown("bea")
    assert OLD in ada
    assert NEW not in ada
    assert ADDED in ada
    assert "Not asked when this was submitted." in ada
    assert "No answer yet." not in ada
    assert NEW in bea
    assert "No answer yet." in bea
    assert term.scores("ada") == scores
    page = term.room.answers("ada", STEP)
    assert page.step is not None
    assert OLD in {prompt.label for prompt in page.step.prompts}

    # A criterion is changed, and refused.
    release = term.files()
    term.edit("rubric.toml", "points = 4", "points = 6")
    refused = term.nbgrader("generate_assignment")
    assert not refused["success"]
    assert "Traceback" not in str(refused)
    assert "criteria “reasoning”" in refused["log"]
    assert "Put the points back" in refused["log"]
    assert term.files() == release
    code, output = term.pcn("check", "--course", term.course.root)
    assert code == 1
    assert "criteria “reasoning”" in output
    assert term.scores("ada") == scores
    term.edit("rubric.toml", "points = 6", "points = 4")

    # The folder is renamed, and everything is graded and returned again.
    term.room.close()
    (tmp_path / "course").rename(tmp_path / "spring")
    term.open("spring")
    term.autograde("ada")
    assert term.scores("ada") == scores
    assert OLD in term.shown("ada")
    letter = read_letter(term.room, "ada", STEP)
    assert letter is not None
    assert letter.points == 7
    assert term.nbgrader("generate_feedback")["success"]
    feedback = visible_text((term.room.root / "feedback/ada" / STEP / f"{STEP}.html").read_text())
    assert OLD in feedback
    assert NEW not in feedback
    assert "Not asked when this was submitted." in feedback

    # A workspace holds what no backup can read; the others are saved all the same.
    hostile = term.workspaces / "eve" / STEP
    hostile.mkdir(parents=True)
    Path(os.fsdecode(bytes(hostile) + b"/no\xffname")).write_text("x")
    os.mkfifo(hostile / "pipe")
    code, _ = term.pcn(
        "backup", tmp_path / "backup", "--room", term.room.root, "--workspaces", term.workspaces
    )
    assert code in (0, 1)
    saved = {path.read_bytes() for path in (tmp_path / "backup").rglob("*.json")}
    for student in ("ada", "bea"):
        assert (term.workspaces / student / STEP / "answers.json").read_bytes() in saved
    kept = next((term.course.root / FOLDER / STEP).glob("*.json"))
    assert kept.read_bytes() in saved
    assert term.scores("ada") == scores

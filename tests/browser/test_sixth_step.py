"""A sixth step is one TOML file and one notebook, which a command makes. No Python is written."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pcn_course.course import load_course
from tests.support.nbgrader_course import CHECKOUT, Course, Student
from tests.support.servers import AppServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIXTH = "step-6-looking-back"
TOML = """
id = "step-6-looking-back"
name = "looking-back"
title = "What will you keep?"
short = "Looking back"
summary = "Say what stays of your network when the course is over."
minutes = 10
covered = ["covered-process", "covered-evidence"]

[reading]
minutes = 1
text = "A network that nobody tends goes quiet. That can be the right end for it."
sources = ["Course team. (2026). Notes for this test."]

[[prompts]]
key = "what-stays"
kind = "text"
required = true
quote = "goals.live-project"
label = "What will you keep up, and why?"
help = "One thing is enough."
example = "The monthly call with the two counties, because it settles referrals."
source = "A test of its own"

[[prompts]]
key = "until-when"
kind = "date"
required = true
label = "When will you look at it again?"
help = "A rough date will do."
example = "May 7, 2027"
source = "A test of its own"

[[prompts]]
key = "thanks"
kind = "table"
label = "Whom will you thank?"
help = "By initials or role."
example = "KG, by phone"
source = "A test of its own"
row = "person"
max_rows = 5
columns = [
  { key = "person", kind = "line", label = "Initials or role" },
  { key = "how", kind = "choice", label = "How?", options = [
    { value = "phone", label = "By phone" },
    { value = "card", label = "With a card" },
  ] },
]

[[structure]]
points = 3.0
says = "You said what you will keep up"
prompts = ["what-stays"]

[[structure]]
points = 1.0
says = "You said when you look again"
prompts = ["until-when"]
"""


def test_one_file_and_one_notebook_are_a_whole_step(tmp_path: Path, page: Page) -> None:
    course = Course.make(tmp_path / "course")
    python = fingerprints(CHECKOUT / "pcn_course", "*.py")
    before = fingerprints(course.root, "*")

    toml = course.root / "data" / "steps" / f"{SIXTH}.toml"
    toml.write_text(TOML)
    assert pcn("notebooks", course) == f"wrote {SIXTH}/{SIXTH}.ipynb\n"
    added = fingerprints(course.root, "*").items() - before.items()
    assert {name for name, _ in added} == {
        f"data/steps/{SIXTH}.toml", f"notebooks/{SIXTH}/{SIXTH}.ipynb"
    }  # fmt: skip
    assert "6 steps" in pcn("check", course)

    ada = Student.join(course, tmp_path / "ada", "ada")
    with AppServer(ada.workspace.root, course=course.root, HOME=str(ada.home)) as server:
        page.goto(server.address)
        expect(page.locator(".pcn-card")).to_have_count(6)
        card = page.locator(f".pcn-card[data-step={SIXTH}]")
        expect(card).to_contain_text("6 · Looking back")
        expect(card).to_contain_text("10 minutes")
        card.get_by_role("link").click()
        write(page)
        expect(page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))
        page.reload()
        expect(page.get_by_label("What will you keep up, and why?")).to_have_value("The calls.")
        expect(page.get_by_label("When will you look at it again?")).to_have_value("2027-05-07")
        expect(page.get_by_label("Initials or role")).to_have_value("KG")
        page.goto(server.url("home.ipynb"))
        expect(card.locator(".pcn-badge")).to_have_text("Ready to submit")

    sixth = load_course(course.root).steps[-1]
    fields = json.loads((ada.workspace.root / SIXTH / "answers.json").read_bytes())["fields"]
    assert fields["what-stays"]["value"] == "The calls."
    assert [row["how"] for row in fields["thanks"]["value"]] == ["card"]
    assert ada.workspace.step(sixth).state == "ready"
    grade(course, ada)
    assert fingerprints(CHECKOUT / "pcn_course", "*.py") == python


def write(page: Page) -> None:
    """Answer all of its questions."""
    expect(page).to_have_title(re.compile("What will you keep?"))
    expect(page.locator(".pcn-main > .pcn-eyebrow")).to_contain_text("Step 6 of 6")
    page.get_by_label("What will you keep up, and why?").fill("The calls.")
    page.get_by_label("When will you look at it again?").fill("2027-05-07")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("Initials or role").fill("KG")
    page.get_by_label("How?").select_option("With a card")


def grade(course: Course, student: Student) -> None:
    """Hand it in and grade it, as any other step."""
    steps = load_course(course.root)
    hand_in = (
        "from pathlib import Path; from pcn_course.exchange import hand_in; "
        "from pcn_course.course import load_course; from pcn_course.workspace import Workspace; "
        f"print(hand_in(Workspace(Path('.')), load_course().step({SIXTH!r}), student='ada').file)"
    )
    made = student.run(sys.executable, "-c", hand_in, cwd=student.workspace.root).stdout.strip()
    instructor = course.instructor
    instructor.nbgrader("generate_assignment", SIXTH)
    instructor.collect_zips(SIXTH, student.workspace.root / made)
    instructor.autograde(SIXTH)
    grades = instructor.grades("ada", SIXTH)
    assert grades["structure"]["score"] == 4
    assert {one.id for one in steps.rubric.criteria} == grades.keys() - {"structure"}


def pcn(command: str, course: Course) -> str:
    """Run a command of ours on the course; what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "pcn_course", command, "--course", str(course.root)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def fingerprints(folder: Path, pattern: str) -> dict[str, str]:
    """All files below ``folder``, by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob(pattern)
        if path.is_file()
    }

"""The whole cycle: generate, release, list, fetch, hand in, collect, grade, mark, give back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from pcn_course.answers.store import read_answers
from pcn_course.answers.structure import check
from tests.grading.conftest import COMMENT, HOSTILE, STEP, Cycle
from tests.support.nbgrader_course import sample_answers, visible_text

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the cycle's own time included

CRITERIA = ("reasoning", "evidence", "ethics", "action")


def test_a_released_step_says_when_it_is_due(cycle: Cycle) -> None:
    assert STEP in cycle.logs["list"]
    ada = cycle.students["ada"]
    due = ada.workspace.due(cycle.course.content.step(STEP))
    assert due == dt.datetime(2027, 1, 23, 4, 59, tzinfo=dt.UTC)
    notebook = json.loads((ada.workspace.root / STEP / f"{STEP}.ipynb").read_text())
    assert notebook["metadata"]["pcn"] == {
        "due": "2027-01-23T04:59:00Z", "page": "step", "step": "goals"
    }  # fmt: skip


def test_the_gradebook_takes_the_due_date_and_keeps_its_own(cycle: Cycle) -> None:
    instructor = cycle.course.instructor
    released = instructor.room / "release" / STEP / f"{STEP}.ipynb"
    with instructor.gradebook() as gradebook:
        assignment = gradebook.find_assignment(STEP)
        assert assignment.duedate == dt.datetime(2027, 1, 23, 4, 59)  # noqa: DTZ001
        assignment.duedate = dt.datetime(2027, 2, 1, 12, 0)  # noqa: DTZ001
        gradebook.db.commit()
    log = instructor.nbgrader("generate_assignment", STEP, "--force").stderr
    assert "counts; data/course.toml says" in log
    assert json.loads(released.read_text())["metadata"]["pcn"]["due"] == "2027-02-01T12:00:00Z"


def test_collected_is_exactly_what_the_receipt_says(cycle: Cycle) -> None:
    for name, receipt in (("dan", "dan"), ("ada", "ada again")):
        answers = (cycle.submitted(name) / "answers.json").read_bytes()
        assert hashlib.sha256(answers).hexdigest() == cycle.receipts[receipt].sha256


def test_collected_are_answers_and_nothing_else(cycle: Cycle) -> None:
    released = (cycle.course.instructor.room / "release" / STEP / f"{STEP}.ipynb").read_text()
    for name in ("ada", "ben", "cyd", "dan", "eve"):
        folder = cycle.submitted(name)
        files = {path.name for path in folder.rglob("*")}
        assert files <= {"answers.json", f"{STEP}.ipynb", "submission_secret.txt", "timestamp.txt"}
        assert not any(path.is_symlink() for path in folder.rglob("*"))
        assert "Only for me" not in "".join(path.read_text("latin-1") for path in folder.iterdir())
        own = json.loads((folder / f"{STEP}.ipynb").read_text())
        assert own["cells"] == json.loads(released)["cells"]
    assert not (cycle.submitted("eve") / "answers.json").exists()


def test_what_is_no_submission_stops_nobody(cycle: Cycle) -> None:
    submitted = cycle.course.instructor.room / "submitted"
    names = {path.name for path in submitted.iterdir()}
    assert names == {"ada", "ben", "cyd", "dan", "eve", "hal", "ida"}
    assert not (submitted.parent / STEP).exists()
    for left_out in ("f*y+step-1-goals", "fay+step-1-goals+later", "gus+step-1-goals"):
        assert f"/inbound/{left_out}" in cycle.logs["collect"]
    assert "essay.docx" in cycle.logs["zip_collect"]
    assert "can't be unpacked" in cycle.logs["zip_collect"]


def test_what_nbgrader_says_last_and_what_it_does_not_say(cycle: Cycle) -> None:
    said = cycle.logs["zip_collect"].splitlines()
    assert "WARNING] 1 taken in; 2 left out: eveother, essay.docx / gusother, step-" in said[-1]
    assert any("WARNING] Left out, as it is no submission" in line for line in said)
    assert "Directory not found" not in cycle.logs["zip_collect"]
    assert "SAWarning" not in cycle.logs["autograde"]
    assert "not recognized" not in cycle.logs["generate_feedback"]


def test_no_student_code_runs(cycle: Cycle) -> None:
    assert not cycle.mark.exists()
    for name in ("hal", "ida"):
        assert visible_text(cycle.shown(name)) == visible_text(cycle.shown("ben"))
        assert cycle.graded[name] == cycle.graded["ben"]


def test_every_answer_stands_under_its_prompt(cycle: Cycle) -> None:
    step = cycle.course.content.step(STEP)
    text = visible_text(cycle.shown("dan"))
    at = 0
    for prompt in step.prompts:
        if prompt.private:
            assert prompt.label not in text
            continue
        at = text.index(prompt.label, at)
        if prompt.kind in ("line", "text"):
            at = text.index(f"Answer to “{prompt.label}”.", at)
    assert "Structure: 4 of 4 points" in text[at:]
    # The form is for students; a page for grading has no widgets that it would have to load.
    assert "widget" not in json.dumps(cycle.course.instructor.graded_notebook("dan", STEP))


def test_an_answer_is_shown_as_text_never_as_html(cycle: Cycle) -> None:
    first = cycle.students["ada"].workspace
    assert HOSTILE not in cycle.shown("ada") + cycle.feedback("ada")
    (page,) = cycle.fetched
    for html in (page.read_text(), cycle.feedback("ada")):
        assert "<script" not in html
        assert "<img" not in html
    assert HOSTILE in visible_text(page.read_text())
    assert page.is_relative_to(first.root)


def test_structure_points_are_those_of_checks(cycle: Cycle) -> None:
    step = cycle.course.content.step(STEP)
    for name, grade in cycle.graded.items():
        answers = read_answers(cycle.submitted(name) / "answers.json", step)
        points = check(step, answers.fields).points
        assert (grade["structure"]["auto"], grade["structure"]["open"]) == (points, False)
    assert cycle.graded["ada"]["structure"]["score"] == 4
    assert 0 < cycle.graded["ben"]["structure"]["score"] < 4
    assert cycle.graded["cyd"]["structure"]["score"] == 0


def test_each_missing_point_has_its_reason(cycle: Cycle) -> None:
    step = cycle.course.content.step(STEP)
    text = visible_text(cycle.shown("ben"))
    missing = [label for part in check(step, {}).parts[1:] for label in part.missing]
    assert missing
    for label in missing:
        assert label in text.partition("Still open:")[2]
    assert "can't be used" in visible_text(cycle.shown("cyd"))


def test_criteria_wait_for_a_hand(cycle: Cycle) -> None:
    for grade in cycle.graded.values():
        assert [grade[one]["open"] for one in CRITERIA] == [True] * 4
        assert [grade[one]["auto"] for one in CRITERIA] == [None] * 4


def test_marks_and_comments_stay_and_open_again_with_new_answers(cycle: Cycle) -> None:
    assert [cycle.marked["ada"][one]["open"] for one in CRITERIA] == [False] * 4
    assert [cycle.again["ada"][one]["open"] for one in CRITERIA] == [True] * 4
    assert [cycle.again["ada"][one]["score"] for one in CRITERIA] == [4, 3, 2, 1]
    assert [cycle.again["ada"][one]["comment"] for one in CRITERIA] == [COMMENT] * 4
    assert [cycle.again["dan"][one]["open"] for one in CRITERIA] == [False] * 4
    assert "Another project" in cycle.shown("ada")


def test_feedback_says_total_scores_levels_and_comments(cycle: Cycle) -> None:
    rubric = cycle.course.content.rubric
    text = visible_text(cycle.feedback("ada"))
    assert "14 of 20 points" in text
    for criterion, score in zip(rubric.criteria, (4, 3, 2, 1), strict=True):
        level = next(one for one in criterion.levels if one.points == score)
        assert f"{criterion.title} {score} of 4 · {level.name} {criterion.question}" in text
    assert text.count("<b>Next time</b> <script>alert(1)</script>, name an alternative.") == 4
    assert "Structure: 4 of 4 points" in text
    answers = sample_answers(cycle.course.content.step(STEP))
    assert str(answers["what-you-do"]) in text


def test_feedback_without_marks_says_so(cycle: Cycle) -> None:
    text = visible_text(cycle.feedback("ben"))
    assert text.count("Not marked yet") == 4
    assert "4 of the scores below are still to come" in text


def test_feedback_comes_to_the_students_own_page(cycle: Cycle) -> None:
    ada = cycle.students["ada"]
    step = cycle.course.content.step(STEP)
    (page,) = ada.workspace.feedback(step)
    assert cycle.fetched == (page.path,)
    when = cycle.receipts["ada"].when
    assert page.id == when.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    # Another submission followed it, so what is to be said now is that it is submitted.
    assert ada.workspace.step(step).state == "submitted"


def test_who_has_no_secret_keeps_no_feedback_from_the_others(cycle: Cycle) -> None:
    told = [line for line in cycle.logs["release_feedback"].splitlines() if "Not released" in line]
    assert len(told) == 4
    for name in ("cyd", "eve", "hal", "ida"):
        assert any(f"/feedback/{name}/" in line for line in told)
    assert cycle.course.exchange
    released = list((cycle.course.exchange / "pcn" / "feedback").glob("*.html"))
    assert len(released) == 3
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in released} == {
        digest(cycle.course.instructor.room / "feedback" / name / STEP / f"{STEP}.html")
        for name in ("ada", "ben", "dan")
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

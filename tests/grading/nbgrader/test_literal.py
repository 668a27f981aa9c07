"""A course in a folder whose name has brackets, as copies and downloads get them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcn_course.grading.nbgrader.patches import find
from tests.support.nbgrader_course import Course, sample_answers
from tests.support.submissions import lay_down

STEP = "step-1-goals"


@pytest.mark.parametrize("name", ["[2027] course", "course (1) [a-z]", "plain"])
def test_what_is_there_by_its_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "submitted" / "ada" / STEP
    folder.mkdir(parents=True)
    (folder / "answers.json").touch()
    top = tmp_path / name
    assert find(str(top / "submitted" / "*" / STEP)) == [str(folder)]
    assert find(str(folder / "*.json")) == [str(folder / "answers.json")]
    assert find(str(top / "submitted" / "[ab]*" / STEP)) == [str(folder)]
    assert find(str(top / "nothing" / "*")) == []


def test_a_term_in_a_folder_with_brackets_is_released_and_graded(tmp_path: Path) -> None:
    course = Course.make(tmp_path / "pcn [spring] (2)")
    teacher = course.instructor
    teacher.nbgrader("generate_assignment", STEP)
    lay_down(course, STEP, {"ada": sample_answers(course.content.step(STEP))})
    teacher.autograde(STEP)
    assert teacher.graded_notebook("ada", STEP)
    teacher.nbgrader("generate_feedback", STEP)
    assert (teacher.room / "feedback" / "ada" / STEP / f"{STEP}.html").is_file()

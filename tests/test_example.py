"""The example's student answers the course as it is now, in full, and is nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pcn_course.answers.structure import check
from pcn_course.course import Course, Step, default_root, load_course
from pcn_course.example import example_answers, example_values, has_example

COURSE = load_course(default_root())
BASE = Path(__file__).parent / "courses" / "base"
each_step = pytest.mark.parametrize("step", COURSE.steps, ids=lambda step: step.name)


def file_of(step: Step) -> Path:
    return COURSE.root / "data" / "example" / f"{step.id}.json"


@each_step
def test_every_required_prompt_has_an_answer_that_the_course_takes(step: Step) -> None:
    answers = example_answers(COURSE, step)
    assert answers.problems == ()
    checked = check(step, answers.fields)
    assert (checked.open, checked.covered) == ((), False)
    assert set(answers.fields) <= {prompt.key for prompt in step.prompts if not prompt.private}


@each_step
def test_each_file_says_that_it_is_made_up(step: Step) -> None:
    assert "made up" in json.loads(file_of(step).read_text("utf-8"))["about"]


@each_step
def test_no_column_is_one_that_the_course_does_not_have(step: Step) -> None:
    answers = example_answers(COURSE, step)
    for prompt in step.prompts:
        if prompt.kind != "table" or prompt.key not in answers.fields:
            continue
        known = {"id", *(column.key for column in prompt.columns)}
        known |= {f"{column.key}-shown" for column in prompt.columns if column.refers}
        for row in answers.fields[prompt.key].value:
            assert set(row) <= known, (prompt.key, row["id"])


def test_what_points_to_an_entry_finds_it_under_the_name_that_it_shows() -> None:
    values = example_values(COURSE)
    pointed = 0
    for step in COURSE.steps:
        for prompt in step.prompts:
            for column in (one for one in prompt.columns if one.refers):
                name, _, key = column.options_from.rpartition(".")
                target = COURSE.step(name or step.name).prompt(key)
                assert target
                rows = values[name or step.name][key]
                names = {row["id"]: row[target.columns[0].key] for row in rows}
                for row in values[step.name].get(prompt.key, []):
                    chosen = row.get(column.key, [])
                    chosen = chosen if isinstance(chosen, list) else [chosen]
                    shown = "; ".join(names[one] for one in chosen)
                    assert row.get(f"{column.key}-shown", "") == shown, (prompt.key, row["id"])
                    pointed += len(chosen)
    assert pointed > 30


def test_it_shows_what_there_is_to_show() -> None:
    values = example_values(COURSE)
    people = values["connections"]["people"]
    assert 8 <= len(people) <= 12
    assert len(values["connections"]["ties"]) >= 7
    assert {"accepted", "declined", "sent"} <= {row.get("status") for row in people}
    met = {need for row in people for need in row.get("meets", [])}
    needs = {row["id"] for row in values["goals"]["expertise-that-helps"]}
    assert len(needs - met) == 1, "one gap"
    loops = {row["ask"]: row for row in values["integrating"]["loops"]}
    assert sorted(row["reported"] for row in loops.values()) == ["not-yet", "yes"]
    assert values["integrating"]["verdict"] != "keep"
    assert values["managing"]["weekly-times"]
    assert values["tools"]["tools-chosen"]


def test_its_student_copied_no_example_of_a_prompt() -> None:
    def runs(text: str) -> set[str]:
        """Every six words that follow each other."""
        said = text.lower().split()
        return {" ".join(said[at : at + 6]) for at in range(len(said) - 5)}

    shown: set[str] = set()
    for step in COURSE.steps:
        for prompt in step.prompts:
            shown |= runs(prompt.example)
    assert len(shown) > 1000
    for step in COURSE.steps:
        for key, value in example_values(COURSE)[step.name].items():
            texts = [value] if isinstance(value, str) else []
            if isinstance(value, list):
                rows = [row for row in value if isinstance(row, dict)]
                texts = [str(cell) for row in rows for cell in row.values()]
            for text in texts:
                assert runs(text) & shown == set(), (step.name, key)


def test_a_course_without_an_example_has_none(tmp_path: Path) -> None:
    course: Course = load_course(BASE)
    assert not has_example(course)
    assert has_example(COURSE)
    assert example_values(course) == {step.name: {} for step in course.steps}

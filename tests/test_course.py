"""The course's files: good ones load, bad ones are told with file, place and remedy."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import pytest

from pcn_course.course import (
    Course,
    CourseError,
    Option,
    Prompt,
    UnknownStepError,
    default_root,
    load_course,
)

COURSES = Path(__file__).parent / "courses"
BAD = sorted(path.name for path in (COURSES / "bad").iterdir())


@pytest.fixture
def small_course() -> Course:
    return load_course(COURSES / "base")


def test_good_course_loads_in_order(small_course: Course) -> None:
    assert [(step.number, step.id) for step in small_course.steps] == [
        (1, "step-1-goals"),
        (2, "step-2-next"),
    ]
    assert small_course.rubric.points == 4
    assert small_course.step("goals") is small_course.step("step-1-goals")
    assert [tool.name for tool in small_course.tools] == ["Email"]
    assert small_course.tools[0].steps == ("tools", "managing")


def test_every_step_ends_with_the_shared_prompts(small_course: Course) -> None:
    for step in small_course.steps:
        assert [prompt.key for prompt in step.prompts][-3:] == [
            "covered-process",
            "covered-evidence",
            "private-note",
        ]


def test_a_steps_version_is_that_of_its_questions_alone(small_course: Course) -> None:
    step = small_course.steps[0]
    first = step.prompts[0]
    change = msgspec.structs.replace
    same = change(step, title="Another title", due=dt.datetime(2027, 1, 22, tzinfo=dt.UTC))
    assert same.version == step.version
    reworded = change(first, label="What do you do?")
    optional = change(first, key="one-more", required=False)
    for prompts in ((reworded, *step.prompts[1:]), (*step.prompts, optional)):
        assert change(step, prompts=prompts).version != step.version
    rubric = small_course.rubric
    assert change(rubric, structure=5).version != rubric.version


def test_unknown_step_names_the_known_ones(small_course: Course) -> None:
    with pytest.raises(UnknownStepError, match="goals, next"):
        small_course.step("gaols")


@pytest.mark.parametrize("name", BAD)
def test_bad_course_lists_every_fault(name: str, tmp_path: Path) -> None:
    """A case is a folder of files laid over the good course, and the faults that must be told."""
    course = tmp_path / "course"
    shutil.copytree(COURSES / "base", course)
    shutil.copytree(COURSES / "bad" / name, course, dirs_exist_ok=True)
    expected = (course / "expected.txt").read_text(encoding="utf-8").splitlines()
    with pytest.raises(CourseError) as raised:
        load_course(course)
    assert [str(fault) for fault in raised.value.faults] == expected


def test_the_course_itself_has_all_permanent_keys() -> None:
    keys = {
        "goals": "what-you-do professional-goals-and-current-projects "
        "who-you-are-as-collaborator-and-learner who-to-connect-with-and-why "
        "expertise-that-helps how-you-meet-professionals-now live-project",
        "connections": "quality-online-connection diverse-connections what-to-share what-to-gain",
        "tools": "tools-you-know-and-features-you-prefer tools-to-learn "
        "options-for-current-groups tools-your-network-uses",
        "managing": "professional-presentation how-often-to-engage who-is-likely-to-respond "
        "how-much-to-participate questions-to-ask-your-network",
        "integrating": "technology-to-build-relationships knowing-you-succeed "
        "colleagues-onto-digital-platforms digital-colleagues-in-person",
    }
    course = load_course(default_root())
    assert [step.name for step in course.steps] == list(keys)
    for name, wanted in keys.items():
        prompts = {prompt.key: prompt for prompt in course.step(name).prompts}
        for key in wanted.split():
            assert key in prompts, f"{name}.{key}"
            prompt = prompts[key]
            for words in (prompt.label, prompt.help, prompt.example, prompt.source):
                assert words, key
    kinds = {prompt.kind for step in course.steps for prompt in step.prompts}
    assert kinds == {"line", "text", "choice", "choices", "scale", "date", "time", "table"}
    assert course.rubric.structure == 4
    assert [criterion.points for criterion in course.rubric.criteria] == [4, 4, 4, 4]
    assert all(len(criterion.levels) == 5 for criterion in course.rubric.criteria)


TABLE = Prompt(
    key="people",
    kind="table",
    label="People",
    max_rows=2,
    columns=(
        Prompt(key="who", kind="line", label="Who"),
        Prompt(
            key="role", kind="choice", label="Role", options=(Option(value="peer", label="Peer"),)
        ),
    ),
)


@pytest.mark.parametrize(
    ("prompt", "value", "fault"),
    [
        (Prompt(key="a", kind="line", label="A"), "words", None),
        (Prompt(key="a", kind="text", label="A"), "\0\u202e🙂", None),
        (Prompt(key="a", kind="text", label="A"), 3, "is not text"),
        (Prompt(key="a", kind="text", label="A"), "x" * 2_000_001, "longer than 2,000,000"),
        (Prompt(key="a", kind="scale", label="A"), 5, None),
        (Prompt(key="a", kind="scale", label="A"), 6, "whole number from 1 to 5"),
        (Prompt(key="a", kind="scale", label="A"), True, "whole number"),
        (Prompt(key="a", kind="date", label="A"), "2026-02-29", "not a date"),
        (Prompt(key="a", kind="date", label="A"), "2028-02-29", None),
        (Prompt(key="a", kind="date", label="A"), 20280229, "not a date"),
        (Prompt(key="a", kind="time", label="A"), "07:30", None),
        (Prompt(key="a", kind="time", label="A"), "24:00", "not a time"),
        (Prompt(key="a", kind="time", label="A"), "7:30", "not a time"),
        (Prompt(key="a", kind="choice", label="A", options_from="people"), "r9", None),
        (Prompt(key="a", kind="choice", label="A", options_from="people"), ["r9"], "not one of"),
        (Prompt(key="a", kind="choices", label="A", options_from="people"), ["r9"], None),
        (Prompt(key="a", kind="choices", label="A", options_from="people"), ["r" * 41], "not one"),
        (TABLE, [{"id": "r1", "who": "K.R.", "role": "peer"}], None),
        (TABLE, [{"id": "r1", "role": "boss"}], "in entry 1, “Role”"),
        (TABLE, [{"who": "K.R."}], "without an id"),
        (TABLE, [{"id": "r1"}, {"id": "r1"}], "same id"),
        (TABLE, [{"id": "r1"}, {"id": "r2"}, {"id": "r3"}], "more than 2"),
        (TABLE, [{"id": "r1", "gone-column": "kept"}], None),
        (TABLE, [{"id": "r1", "gone-column": {"deep": []}}], "not text"),
        (TABLE, {"id": "r1"}, "not a list"),
    ],
)
def test_a_prompt_knows_its_answers(prompt: Prompt, value: object, fault: str | None) -> None:
    found = prompt.fault(value)
    assert found is None if fault is None else fault in (found or "")


def test_blank_answers_are_empty() -> None:
    text = Prompt(key="a", kind="text", label="A")
    assert text.is_empty(None)
    assert text.is_empty(" \n")
    assert not text.is_empty("0")
    assert TABLE.is_empty([{"id": "r1", "who": " "}])
    assert not TABLE.is_empty([{"id": "r1", "who": "K.R."}])

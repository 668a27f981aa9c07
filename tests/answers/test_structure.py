"""Structure points: presence only, a reason for each missing one, "already covered" in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcn_course.answers.store import Field
from pcn_course.answers.structure import check
from pcn_course.course import load_course

STEP = load_course(Path(__file__).parents[1] / "courses" / "base").step("goals")


def written(**values: object) -> dict[str, Field]:
    return {key.replace("_", "-"): Field(value, 1) for key, value in values.items()}


def test_nothing_written() -> None:
    checked = check(STEP, {})
    assert (checked.points, checked.out_of, checked.answered) == (0.0, 2.0, 0)
    assert checked.parts[0].missing == ("Which project?",)
    assert [prompt.key for prompt in checked.open] == ["live-project", "why"]
    assert type(checked.points) is float


def test_a_word_counts_as_much_as_a_page() -> None:
    short = check(STEP, written(live_project="Respite", why="Need."))
    long = check(STEP, written(live_project="Respite " * 900, why="Need. " * 900))
    assert short.points == long.points == 2.0
    assert short.open == ()


def test_blank_and_unusable_answers_are_open() -> None:
    checked = check(STEP, written(live_project=" \n", why=["not", "text"]))
    assert checked.points == 0.0


@pytest.mark.parametrize(
    "unseen",
    ["\u200b", "\u2800", "\u3164", "\u00ad", "\U000e0041", "\ufe0f", "\u0301", "\x00\u2060 "],
)
def test_characters_that_nobody_sees_earn_nothing(unseen: str) -> None:
    checked = check(STEP, written(live_project=unseen * 50, why=unseen))
    assert (checked.points, checked.answered) == (0.0, 0)
    covered = check(STEP, written(covered_process=unseen, covered_evidence=unseen))
    assert (covered.points, covered.covered) == (0.0, False)
    seen = check(STEP, written(live_project=f"{unseen}Respite", why=f"e{unseen}"))
    assert seen.points == 2.0


def test_another_process_that_covers_the_step_earns_all_structure_points() -> None:
    checked = check(STEP, written(covered_process="Stakeholder map", covered_evidence="Appendix B"))
    assert (checked.points, checked.covered) == (2.0, True)
    assert all(not part.missing for part in checked.parts)


def test_naming_another_process_without_showing_it_earns_nothing() -> None:
    assert check(STEP, written(covered_process="Stakeholder map")).points == 0.0

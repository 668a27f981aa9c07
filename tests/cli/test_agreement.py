"""`pcn agreement`: figures with words, what is to be settled, who drifts, and a table."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.grading.agreement.figures import agreement
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.scores import pseudonym
from pcn_course.grading.gradebook.second_marks import settle
from pcn_course.instructor.marking_second import SecondMarks
from tests.support.room import make_room

STEP = "step-1-goals"
STUDENTS = tuple(f"s{number:02}" for number in range(12))
FIRST = (0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)
SECOND = (1, 1, 1, 2, 2, 3, 3, 3, 1, 4, 4, 4)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", STUDENTS, (STEP, "step-2-connections"))


def pcn(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    print(result.output)
    return result


def mark_twice(room: Room, criterion: str = "reasoning") -> None:
    """All submissions of step 1, by two markers; three marks differ."""
    first, second = Marking(room, "ada"), SecondMarks(Marking(open_room(room.root), "ben"))
    for student, one, other in zip(STUDENTS, FIRST, SECOND, strict=True):
        first.give(student, STEP, criterion, one)
        second.give(first.submission(student, STEP), criterion, other, None)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_nothing_marked_twice_is_said_with_how_it_is_done(room: Room, tmp_path: Path) -> None:
    target = tmp_path / "figures.csv"
    result = pcn("agreement", "--room", room.root, "--csv", target)
    assert result.exit_code == 0
    assert "Nothing has been marked twice yet." in result.output
    assert "Second marker, blind" in flat(result.output)
    assert "was not written" in flat(result.output)
    assert not target.exists()


def test_figures_words_differences_and_drift_are_told(room: Room) -> None:
    mark_twice(room)
    chair = Marking(open_room(room.root), "chair")
    settle(chair, "s00", STEP, "reasoning", 1, reason="The project is named.", seen=0)
    result = pcn("agreement", "--room", room.root)
    assert result.exit_code == 0
    said = flat(result.output)
    marks = dict(zip(STUDENTS, zip(FIRST, SECOND, strict=True), strict=True))
    # What is drawn anew for an interval depends on the order.
    found = agreement(
        [marks[one] for one in sorted(marks, key=lambda one: pseudonym("pcn", STEP, one))]
    )
    assert "12 marks were given twice. In 9 of 12 (75%) the points are the same" in said
    assert "With only 12" in said
    for figure in (
        found.exact, found.adjacent, found.difference, found.kappa_linear, found.kappa_quadratic,
        found.alpha_ordinal, found.alpha_interval, found.icc,
    ):  # fmt: skip
        assert re.search(r"\d\.\d\d \(.*\d\.\d\d to .*\d\.\d\d\)", str(figure))
        assert str(figure) in said
    assert "To be settled: 2. Settled: 1." in said
    wide, narrow = re.findall(r"Reasoning from your own project: (ada .*)", result.output)
    assert wide == "ada 3 (Sound), ben 1 (A start)"
    assert narrow == "ada 2 (Partly there), ben 3 (Sound)"
    assert "ada: 12 marks, mean 1.00, then 3.75. Change 2.75 (" in said
    assert "Marks became higher while they were given." in said
    assert not any(student in said for student in STUDENTS), "pseudonyms are enough"


def test_one_step_is_told_alone_and_an_unknown_one_is_named(room: Room) -> None:
    mark_twice(room)
    assert "12 marks" in pcn("agreement", "--room", room.root, "--step", "goals").output
    other = pcn("agreement", "--room", room.root, "--step", "connections")
    assert other.exit_code == 0
    assert "Nothing has been marked twice yet." in other.output
    unknown = pcn("agreement", "--room", room.root, "--step", "gaols")
    assert unknown.exit_code == 1
    assert "no step “gaols”" in unknown.output


def test_the_table_has_a_line_for_each_criterion_and_step(room: Room, tmp_path: Path) -> None:
    rubric = room.root.parent / "data" / "rubric.toml"
    title = 'title = "Reasoning from your own project"'
    hostile = 'title = "=1+1, \\"so\\""'
    rubric.write_text(rubric.read_text("utf-8").replace(title, hostile), "utf-8")
    room = open_room(room.root)
    mark_twice(room)
    first, second = Marking(room, "ada"), SecondMarks(Marking(open_room(room.root), "ben"))
    for criterion in ("ethics", "reasoning"):
        first.give("s00", "step-2-connections", criterion, 2)
        second.give(first.submission("s00", "step-2-connections"), criterion, 2, None)
    target = tmp_path / "made" / "figures.csv"
    assert "Written to" in pcn("agreement", "--room", room.root, "--csv", target).output
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(one["step"], one["criterion"], one["marked_twice"], one["wait"]) for one in rows] == [
        (STEP, "reasoning", "12", "3"),
        ("step-2-connections", "reasoning", "1", "0"),
        ("step-2-connections", "ethics", "1", "0"),
    ]
    assert rows[0]["title"] == '\'=1+1, "so"', "a spreadsheet takes it for no formula"
    found = agreement(list(zip(FIRST, SECOND, strict=True)))
    assert found.icc.value is not None
    assert float(rows[0]["icc"]) == round(found.icc.value, 4)
    assert float(rows[0]["icc_low"]) < float(rows[0]["icc"]) < float(rows[0]["icc_high"])
    assert rows[1]["icc"] == ""
    assert "at least two" in rows[1]["icc_note"]


def test_a_table_that_cannot_be_written_is_said(room: Room, tmp_path: Path) -> None:
    mark_twice(room)
    (tmp_path / "file").write_text("")
    result = pcn("agreement", "--room", room.root, "--csv", tmp_path / "file" / "figures.csv")
    assert result.exit_code == 1
    assert "can't be written" in result.output
    assert "Traceback" not in result.output

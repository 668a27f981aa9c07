"""What stands in the gradebook is read whole, whoever wrote it."""

from __future__ import annotations

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.schema import Records
from pcn_course.grading.gradebook.scores import pseudonym, read_marks
from tests.support.room import HANDED_IN

STEP = "step-1-goals"


def test_what_formgrader_writes_is_read(room: Room, first: Marking) -> None:
    with room.gradebook() as gradebook:
        grade = gradebook.find_grade("ethics", STEP, STEP, "ben")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.5, 0.5, False
        gradebook.find_comment("ethics", STEP, STEP, "ben").manual_comment = "By formgrader"
        gradebook.db.commit()
    found = first.submission("ben", STEP)
    assert found.marks["ethics"].points == 2.5
    assert found.marks["ethics"].comment == "By formgrader"
    assert (found.raw, found.total, found.out_of) == (6.0, 6.0, 20.0)
    assert found.open == ("reasoning", "evidence", "action")
    assert found.handed_in == HANDED_IN


def test_names_that_tell_nothing(first: Marking) -> None:
    listed = first.listed(STEP)
    assert {one.student.id for one in listed} == {"ada", "ben", "cyd"}
    assert [one.pseudonym for one in listed] == sorted(one.pseudonym for one in listed)
    many = {pseudonym("pcn", STEP, f"s{number}") for number in range(500)}
    assert len(many) > 490
    assert pseudonym("pcn", STEP, "ada") != pseudonym("pcn", "step-3-tools", "ada")


def test_all_marks_in_one_read(room: Room, first: Marking) -> None:
    first.give("cyd", STEP, "action", 0)
    rows = {(row.student, row.criterion): row for row in read_marks(room)}
    assert len(rows) == 15
    assert (rows["cyd", "action"].points, rows["cyd", "action"].open) == (0, False)
    assert (rows["ada", "action"].points, rows["ada", "action"].open) == (None, True)
    assert (rows["ada", "structure"].points, rows["ada", "structure"].auto) == (3, True)


def test_notes_on_a_submission_are_shown_once(room: Room, first: Marking) -> None:
    records = Records(room.engine)
    for _ in range(2):
        records.note("ada", STEP, "A file was left out.")
    assert first.submission("ada", STEP).notes == ("A file was left out.",)
    assert first.submission("ben", STEP).notes == ()

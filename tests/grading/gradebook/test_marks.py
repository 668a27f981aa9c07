"""Marks stand in nbgrader's gradebook, and no marker writes over what they have not seen."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pcn_course.grading.gradebook.marks import Conflict, Marking
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.grading.gradebook.schema import events
from pcn_course.grading.gradebook.scores import MarkError
from tests.support.handing_in import hand_in_anew
from tests.support.room import make_room

STEP = "step-1-goals"


def test_a_mark_is_nbgraders_own(room: Room, first: Marking) -> None:
    mark = first.give("ada", STEP, "reasoning", 3, seen=None)
    first.say("ada", STEP, "reasoning", "Clear, and tied to the project.", seen="")
    assert (mark.points, mark.open, mark.by) == (3, False, "first")
    with room.gradebook() as gradebook:
        grade = gradebook.find_grade("reasoning", STEP, STEP, "ada")
        assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (3, None, False)
        comment = gradebook.find_comment("reasoning", STEP, STEP, "ada")
        assert comment.manual_comment == "Clear, and tied to the project."
        assert gradebook.find_submission(STEP, "ada").score == first.submission("ada", STEP).raw


def test_the_slower_marker_is_told_and_nothing_is_lost(first: Marking, second: Marking) -> None:
    first.give("ada", STEP, "evidence", 4, seen=None)
    with pytest.raises(Conflict) as told:
        second.give("ada", STEP, "evidence", 1, seen=None)
    assert told.value.current.points == 4
    assert "first was faster" in told.value.plain
    assert first.submission("ada", STEP).marks["evidence"].points == 4
    first.say("ada", STEP, "evidence", "One", seen="")
    with pytest.raises(Conflict) as told:
        second.say("ada", STEP, "evidence", "Two", seen="")
    assert told.value.current.comment == "One"
    # Who has seen it may change it; and who wants the same is not bothered.
    assert second.give("ada", STEP, "evidence", 1, seen=4).by == "second"
    assert first.give("ada", STEP, "evidence", 1, seen=None).points == 1


@pytest.mark.parametrize("points", [-1, 4.5, math.nan, math.inf])
def test_points_outside_the_rubric_are_refused(first: Marking, points: float) -> None:
    with pytest.raises(MarkError, match="from 0 to 4"):
        first.give("ada", STEP, "reasoning", points)
    assert first.submission("ada", STEP).marks["reasoning"].points is None


def test_unknown_names_are_refused(first: Marking) -> None:
    with pytest.raises(MarkError, match="no criterion"):
        first.give("ada", STEP, "review", 1)
    with pytest.raises(MarkError, match="no submission"):
        first.give("nobody", STEP, "reasoning", 1)
    with pytest.raises(MarkError, match="no submission"):
        first.submission("ada", "step-2-connections")


def test_undo_goes_back_step_by_step_and_names_what_it_took(first: Marking) -> None:
    first.give("ada", STEP, "reasoning", 2)
    first.give("ada", STEP, "reasoning", 4)
    first.say("ben", STEP, "action", "Good")
    undone = [first.undo(STEP) for _ in range(4)]
    said = [one and (one.student, one.criterion, one.what, one.after) for one in undone]
    assert said == [
        ("ben", "action", "comment", "Good"),
        ("ada", "reasoning", "mark", 4),
        ("ada", "reasoning", "mark", 2),
        None,
    ]
    found = first.submission("ada", STEP).marks["reasoning"]
    assert (found.points, found.open) == (None, True)


def test_undo_of_one_student_and_not_of_others_marks(first: Marking, second: Marking) -> None:
    first.give("ada", STEP, "reasoning", 2)
    first.give("ben", STEP, "reasoning", 3)
    second.give("ben", STEP, "reasoning", 1, seen=3)
    assert first.undo(STEP, "ada")
    with pytest.raises(Conflict):
        first.undo(STEP, "ben")
    assert second.submission("ben", STEP).marks["reasoning"].points == 1


def test_who_has_not_read_the_new_answers_closes_nothing(room: Room, first: Marking) -> None:
    hand_in_anew(room, "ada", STEP, {"live-project": "A"})
    read = first.sha256("ada", STEP)
    first.give("ada", STEP, "reasoning", 3, seen=None, sha256=read)
    hand_in_anew(room, "ada", STEP, {"live-project": "B"})
    for points in (4, 3):
        with pytest.raises(Conflict, match="read the new answers first") as told:
            first.give("ada", STEP, "reasoning", points, seen=3, sha256=read)
        assert (told.value.anew, told.value.current.points, told.value.current.open) == (
            True, 3, True
        )  # fmt: skip
    found = first.submission("ada", STEP).marks["reasoning"]
    assert (found.points, found.open) == (3, True)
    read = first.sha256("ada", STEP)
    assert first.give("ada", STEP, "reasoning", 3, seen=3, sha256=read).open is False
    # The same answers handed in again ask for nothing; who says not what they read is as before.
    hand_in_anew(room, "ada", STEP, {"live-project": "B"})
    assert first.submission("ada", STEP).marks["reasoning"].open is False
    assert first.give("ada", STEP, "reasoning", 2, seen=3).points == 2


def test_an_undo_brings_back_that_new_answers_ask_for_a_look(room: Room, first: Marking) -> None:
    def stands() -> tuple[float | None, bool]:
        found = first.submission("ada", STEP).marks["reasoning"]
        return found.points, found.open

    first.give("ada", STEP, "reasoning", 2)
    hand_in_anew(room, "ada", STEP, {"live-project": "B"})
    for points in (2, 4):  # confirmed, and changed
        first.give("ada", STEP, "reasoning", points, seen=2)
        assert stands() == (points, False)
        first.undo(STEP)
        assert stands() == (2, True)
    # What came after the answers is brought back as it was.
    first.give("ada", STEP, "reasoning", 3)
    first.give("ada", STEP, "reasoning", 4)
    first.undo(STEP)
    assert stands() == (3, False)
    # And what is older than them asks for a look, whatever was in between.
    first.give("ada", STEP, "reasoning", 1)
    hand_in_anew(room, "ada", STEP, {"live-project": "C"})
    first.undo(STEP)
    assert stands() == (3, True)


def test_the_log_says_who_changed_what(room: Room, first: Marking) -> None:
    first.give("ada", STEP, "reasoning", 2)
    first.give("ada", STEP, "reasoning", 2)
    first.give("ada", STEP, "reasoning", None)
    with room.engine.connect() as connection:
        log = [(row.by, row.before, row.after) for row in connection.execute(events.select())]
    assert log == [("first", None, 2.0), ("first", 2.0, None)]


def test_a_room_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RoomError, match=r"holds no nbgrader_config\.py"):
        open_room(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(RoomError, match="could not be run: SyntaxError"):
        open_room(tmp_path)


def test_a_gradebook_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    room = make_room(tmp_path / "course", ())
    room.db_url = f"sqlite:///{tmp_path}/no/such/folder/gradebook.db"
    with pytest.raises(RoomError, match="can't be opened"):
        room.students()

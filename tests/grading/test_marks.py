"""Marks stand in nbgrader's gradebook, and no marker writes over what they have not seen."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pcn_course.grading.marks import Conflict, MarkError, Marking, pseudonym, read_marks
from pcn_course.grading.records import Records, events
from pcn_course.grading.room import Room, RoomError, open_room
from tests.support.room import HANDED_IN, hand_in, make_room

STEP = "step-1-goals"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", ("ada", "ben", "cyd"))


@pytest.fixture
def first(room: Room) -> Marking:
    return Marking(room, "first")


@pytest.fixture
def second(room: Room) -> Marking:
    return Marking(open_room(room.root), "second")


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


def test_the_log_says_who_changed_what(room: Room, first: Marking) -> None:
    first.give("ada", STEP, "reasoning", 2)
    first.give("ada", STEP, "reasoning", 2)
    first.give("ada", STEP, "reasoning", None)
    with room.engine.connect() as connection:
        log = [(row.by, row.before, row.after) for row in connection.execute(events.select())]
    assert log == [("first", None, 2.0), ("first", 2.0, None)]


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


def test_the_bank_of_comments(first: Marking, second: Marking) -> None:
    everywhere = first.add_phrase("Say what you set aside, and why.")
    first.add_phrase("Name the safeguard.", criterion="ethics")
    assert second.add_phrase("Say what you set aside, and why.").id == everywhere.id
    second.count_phrase(everywhere.id)
    assert [one.text for one in first.phrases(STEP, "reasoning")] == [everywhere.text]
    assert [one.used for one in first.phrases(STEP, "ethics")] == [1, 0]
    first.change_phrase(everywhere.id, "Say what you weighed.")
    with pytest.raises(MarkError):
        first.change_phrase(everywhere.id, "  ")
    first.remove_phrase(second.phrases(criterion="ethics")[1].id)
    assert [one.text for one in first.phrases()] == ["Say what you weighed."]


def test_a_passage_is_marked_where_it_stands(room: Room, first: Marking) -> None:
    rows = [{"id": "r1", "expertise": "Billing rules", "why": "Nobody here knows them"}]
    answers = {"live-project": "A referral pathway 🙂 for elders", "expertise-that-helps": rows}
    hand_in(room, "ada", STEP, answers)
    made = first.highlight(
        "ada", STEP, prompt="live-project", start=19, end=24, passage="🙂 for", comment="Who?"
    )
    first.highlight(
        "ada", STEP, prompt="expertise-that-helps", row="r1", column="why", start=0, end=6,
        passage="Nobody", comment="Sure?", criterion="evidence",
    )  # fmt: skip
    assert [one.passage for one in first.highlights("ada", STEP)] == ["🙂 for", "Nobody"]
    with pytest.raises(MarkError, match="not in the answer"):
        first.highlight(
            "ada", STEP, prompt="live-project", start=0, end=3, passage="xyz", comment=""
        )
    with pytest.raises(MarkError, match="not in the answer"):
        first.highlight("ada", STEP, prompt="private-note", start=0, end=1, passage="A", comment="")
    first.remove_highlight(made.id)
    assert len(first.highlights("ada", STEP)) == 1

    def passages() -> list[str]:
        return sorted(one.passage for one in first.highlights("ada", STEP))

    # Undo takes back what was done last, and nothing else.
    first.give("ada", STEP, "ethics", 3)
    first.undo(STEP)
    assert passages() == ["Nobody"]
    undone = first.undo(STEP)
    assert undone
    assert (undone.what, undone.before, undone.after) == ("highlight", True, False)
    assert passages() == ["Nobody", "🙂 for"]
    first.undo(STEP)
    assert passages() == ["🙂 for"]
    first.undo(STEP)
    assert passages() == []
    assert first.undo(STEP) is None


def test_notes_on_a_submission_are_shown_once(room: Room, first: Marking) -> None:
    records = Records(room.engine)
    for _ in range(2):
        records.note("ada", STEP, "A file was left out.")
    assert first.submission("ada", STEP).notes == ("A file was left out.",)
    assert first.submission("ben", STEP).notes == ()


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

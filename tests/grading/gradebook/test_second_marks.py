"""Second marks, their differences, and how these are settled, on a real gradebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from pcn_course.grading.gradebook.marks import Conflict, Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import events, settled
from pcn_course.grading.gradebook.scores import MarkError
from pcn_course.grading.gradebook.second_marks import (
    agreements,
    differences,
    drifts,
    marked_twice,
    note_look,
    settle,
)
from pcn_course.instructor.marking_second import SecondMarks
from tests.support.handing_in import hand_in_anew
from tests.support.room import make_room

STEP = "step-1-goals"
STUDENTS = tuple(f"s{number:02}" for number in range(12))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", STUDENTS)


def give_second(room: Room, marker: str, student: str, points: float, note: str = "") -> None:
    marking = Marking(open_room(room.root), marker)
    seconds = SecondMarks(marking)
    seconds.give(marking.submission(student, STEP), "reasoning", points, None)
    if note:
        seconds.say(marking.submission(student, STEP), "reasoning", note, "")


def test_what_is_marked_twice_and_how_far_it_is_apart(room: Room, first: Marking) -> None:
    for student, points in (("s00", 3), ("s01", 1), ("s02", 2)):
        first.give(student, STEP, "reasoning", points)
    first.give("s00", STEP, "ethics", 4)  # not marked twice
    give_second(room, "second", "s00", 3)
    give_second(room, "second", "s01", 3, "The project is named twice.")
    give_second(room, "third", "s01", 2)
    give_second(room, "second", "s05", 4)  # has no first mark yet
    found = {one.student: one for one in marked_twice(first)}
    assert set(found) == {"s00", "s01"}
    assert (found["s00"].apart, found["s00"].waits) == (0, False)
    assert (found["s01"].apart, found["s01"].waits) == (2, True)
    assert [(one.marker, one.points) for one in found["s01"].seconds] == [
        ("second", 3), ("third", 2)
    ]  # fmt: skip
    assert found["s01"].seconds[0].note == "The project is named twice."
    assert found["s01"].first_by == "first"
    figures = agreements(found.values())
    assert set(figures) == {"reasoning"}
    assert figures["reasoning"].n == 2
    assert figures["reasoning"].exact.value == 0.5
    assert [one.student for one in differences(found.values())] == ["s01"]
    assert marked_twice(first, "step-2-connections") == []


def test_a_settled_difference_stands_in_the_gradebook_and_who_settled_it_is_kept(
    room: Room, first: Marking
) -> None:
    first.give("s00", STEP, "reasoning", 1)
    give_second(room, "second", "s00", 3)
    before = agreements(marked_twice(first))
    chair = Marking(open_room(room.root), "chair")
    with pytest.raises(MarkError, match="Say in a sentence why"):
        settle(chair, "s00", STEP, "reasoning", 2, reason=" ", seen=1)
    with pytest.raises(Conflict):
        settle(chair, "s00", STEP, "reasoning", 2, reason="Both have a point.", seen=4)
    assert chair.submission("s00", STEP).marks["reasoning"].points == 1
    mark = settle(chair, "s00", STEP, "reasoning", 2, reason="Both have a point.", seen=1)
    assert (mark.points, mark.by) == (2, "chair")
    with room.gradebook() as gradebook:
        assert gradebook.find_grade("reasoning", STEP, STEP, "s00").manual_score == 2
    (one,) = marked_twice(first)
    assert one.settled is not None
    assert (one.settled.points, one.settled.reason, one.settled.by) == (
        2, "Both have a point.", "chair"
    )  # fmt: skip
    assert (one.first, one.first_by, one.points, one.waits) == (1, "first", 2, False)
    # Figures are about what the two gave, not about what came of it.
    assert agreements(marked_twice(first)) == before
    # Settled anew: the later one counts, both are kept.
    settle(chair, "s00", STEP, "reasoning", 3, reason="Read again together.", seen=2)
    (one,) = marked_twice(first)
    assert one.settled is not None
    assert (one.first, one.settled.points) == (1, 3)
    with room.engine.connect() as connection:
        assert len(connection.execute(select(settled)).all()) == 2


def test_who_has_seen_the_first_mark_beside_theirs_cannot_change_theirs(
    room: Room, first: Marking
) -> None:
    first.give("s00", STEP, "reasoning", 3)
    give_second(room, "second", "s00", 1)
    give_second(room, "second", "s01", 1)  # has no first mark, so nothing of it can be seen
    give_second(room, "third", "s00", 2)
    second = Marking(open_room(room.root), "second")
    own = SecondMarks(second)
    own.give(second.submission("s00", STEP), "reasoning", 2, 1)  # still blind
    note_look(second)
    for points in (3, None):
        with pytest.raises(MarkError, match="no longer be blind"):
            own.give(second.submission("s00", STEP), "reasoning", points, 2)
    # A word for whoever settles it may still be said, and opens nothing again.
    own.say(second.submission("s00", STEP), "reasoning", "Two sources.", "")
    with pytest.raises(MarkError, match="no longer be blind"):
        own.give(second.submission("s00", STEP), "reasoning", 3, 2)
    own.give(second.submission("s01", STEP), "reasoning", 4, 1)
    give_second(room, "second", "s02", 4)
    third = Marking(open_room(room.root), "third")
    SecondMarks(third).give(third.submission("s00", STEP), "reasoning", 4, 2)  # has not looked
    assert [one.points for one in marked_twice(first)[0].seconds] == [2, 4]


def test_new_answers_ask_for_both_marks_again(room: Room, first: Marking) -> None:
    hand_in_anew(room, "s00", STEP, {"live-project": "A"})
    first.give("s00", STEP, "reasoning", 2)
    give_second(room, "second", "s00", 2, "Named once.")
    own = SecondMarks(Marking(open_room(room.root), "second"))
    hand_in_anew(room, "s00", STEP, {"live-project": "B"})
    assert marked_twice(first) == [], "neither mark is about these answers"
    first.give("s00", STEP, "reasoning", 4, seen=2)
    assert marked_twice(first) == []
    mine = own.marks(first.submission("s00", STEP))["reasoning"]
    assert (mine.points, mine.comment, mine.open) == (2, "Named once.", True)
    # Confirmed as it was, by who has read them: now the two are compared.
    own.give(first.submission("s00", STEP), "reasoning", 2, 2)
    assert own.marks(first.submission("s00", STEP))["reasoning"].open is False
    assert [one.apart for one in differences(marked_twice(first))] == [2]
    settle(first, "s00", STEP, "reasoning", 3, reason="Both.", seen=4)
    assert not marked_twice(first)[0].waits
    hand_in_anew(room, "s00", STEP, {"live-project": "C"})
    first.give("s00", STEP, "reasoning", 1, seen=3)
    give_second(room, "third", "s00", 4)
    (one,) = marked_twice(first)
    assert (one.first, one.first_by, one.settled, one.waits) == (1, "first", None, True)
    assert [it.marker for it in one.seconds] == ["third"]


def test_who_was_faster_than_the_first_marker_is_asked_again_too(
    room: Room, first: Marking
) -> None:
    hand_in_anew(room, "s00", STEP, {"live-project": "A"})
    give_second(room, "second", "s00", 2)
    read = first.sha256("s00", STEP)
    hand_in_anew(room, "s00", STEP, {"live-project": "B"})
    first.give("s00", STEP, "reasoning", 4)
    assert marked_twice(first) == []
    own = SecondMarks(Marking(open_room(room.root), "second"))
    for points in (2, 3):
        with pytest.raises(Conflict, match="read the new answers first"):
            own.give(first.submission("s00", STEP), "reasoning", points, 2, sha256=read)
    assert marked_twice(first) == []


@pytest.mark.parametrize("older", [False, True], ids=["as it is logged", "as it was"])
def test_the_first_mark_stays_what_it_was_where_settling_left_it(
    room: Room, first: Marking, *, older: bool
) -> None:
    first.give("s00", STEP, "reasoning", 2)
    give_second(room, "second", "s00", 4)
    chair = Marking(open_room(room.root), "chair")
    settle(chair, "s00", STEP, "reasoning", 2, reason="The first is right.", seen=2)
    if older:
        with room.engine.begin() as connection:
            connection.execute(delete(events).where(events.c.what == "settled"))
    chair.give("s00", STEP, "reasoning", 4, seen=2)  # after a request
    (one,) = marked_twice(first)
    assert (one.first, one.first_by, one.points, one.apart) == (2, "first", 4, 2)


def test_a_further_marker_who_has_looked_gives_no_mark(room: Room, first: Marking) -> None:
    for student in ("s00", "s01", "s02"):
        first.give(student, STEP, "reasoning", 3)
    give_second(room, "second", "s00", 1)
    give_second(room, "second", "s03", 1)  # has no first mark, so nothing of it can be seen
    third = Marking(open_room(room.root), "third")
    own = SecondMarks(third)
    note_look(third, STEP)
    for points in (3, 1):
        with pytest.raises(MarkError, match="would not be blind"):
            own.give(third.submission("s00", STEP), "reasoning", points, None)
    assert own.marks(third.submission("s00", STEP))["reasoning"].open is False
    # A settlement makes nobody blind again, and a first marker is no second one after it.
    chair = Marking(open_room(room.root), "chair")
    settle(chair, "s00", STEP, "reasoning", 2, reason="Both.", seen=3)
    with pytest.raises(MarkError, match="would not be blind"):
        own.give(third.submission("s00", STEP), "reasoning", 3, None)
    with pytest.raises(MarkError, match="You gave the first mark"):
        SecondMarks(first).give(first.submission("s00", STEP), "reasoning", 3, None)
    # What nobody had marked twice then is open, and so is the rest for who hasn't looked.
    assert own.marks(third.submission("s01", STEP))["reasoning"].open is True
    give_second(room, "second", "s02", 2)
    for student in ("s01", "s02", "s03"):
        own.give(third.submission(student, STEP), "reasoning", 4, None)
    give_second(room, "fourth", "s00", 4)
    # New answers are blind for everybody.
    hand_in_anew(room, "s00", STEP, {"live-project": "B"})
    first.give("s00", STEP, "reasoning", 4, seen=2)
    second = SecondMarks(Marking(open_room(room.root), "second"))
    second.give(first.submission("s00", STEP), "reasoning", 3, 1)
    own.give(third.submission("s00", STEP), "reasoning", 2, None)
    assert {one.student: len(one.seconds) for one in marked_twice(first)} == {
        "s00": 2, "s01": 1, "s02": 2
    }  # fmt: skip


def test_what_was_not_marked_twice_cannot_be_settled(first: Marking) -> None:
    first.give("s00", STEP, "reasoning", 1)
    with pytest.raises(MarkError, match="not marked twice"):
        settle(first, "s00", STEP, "reasoning", 2, reason="Because.", seen=1)
    assert first.submission("s00", STEP).marks["reasoning"].points == 1


def test_marks_that_become_milder_are_seen(room: Room, first: Marking) -> None:
    for at, student in enumerate(STUDENTS):
        first.give(
            student, STEP, "reasoning", 1 + at % 2 if at < 4 else 2 if at < 8 else 3 + at % 2
        )
    steady = Marking(open_room(room.root), "steady")
    for at, student in enumerate(STUDENTS):
        steady.give(student, STEP, "ethics", at % 3 + 1)
    few = Marking(open_room(room.root), "few")
    for student in STUDENTS[:8]:
        few.give(student, STEP, "action", 2)
    found = {one.marker: one for one in drifts(first)}
    assert set(found) == {"first", "steady"}
    milder = found["first"]
    assert (milder.n, milder.early, milder.late, milder.change.value) == (12, 1.5, 3.5, 2)
    assert milder.change.low is not None
    assert milder.change.low > 0
    unmoved = found["steady"].change
    assert unmoved.low is not None
    assert unmoved.high is not None
    assert unmoved.low < 0 < unmoved.high
    # A mark that was changed counts once.
    first.give(STUDENTS[0], STEP, "reasoning", 2, seen=1)
    assert {one.marker: one.n for one in drifts(first, STEP)}["first"] == 12

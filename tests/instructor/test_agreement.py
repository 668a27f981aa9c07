"""What the page of second marking is told: figures with words, differences, and how one settles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import settled
from pcn_course.instructor.agreement import Agreement, open_agreement
from pcn_course.instructor.marking import Marking as MarkingPage
from pcn_course.instructor.marking_second import SecondMarks
from pcn_course.instructor.marking_view import handle
from tests.support.marking import STEP
from tests.support.room import make_room

STUDENTS = ("ada.lee", "ben.oz", "eva.wu")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Three submissions marked twice: the points of two differ, by one and by two."""
    room = make_room(tmp_path / "course", STUDENTS, (STEP, "step-2-connections"))
    first, second = Marking(room, "first"), SecondMarks(Marking(open_room(room.root), "second"))
    for student, one, other in zip(STUDENTS, (3, 2, 3), (3, 3, 1), strict=True):
        first.give(student, STEP, "reasoning", one)
        second.give(first.submission(student, STEP), "reasoning", other, None)
    second.say(first.submission("eva.wu", STEP), "reasoning", "<b>Only</b> named.", "")
    return room


@pytest.fixture
def widget(room: Room, monkeypatch: pytest.MonkeyPatch) -> Agreement:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    widget = Agreement(room)
    ask(widget, "open", marker="chair")
    return widget


def ask(widget: Agreement, kind: str, client: str = "one", **more: Any) -> dict[str, Any]:
    """What a page hears when it asks; every answer says to what it is one."""
    heard: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widget, "send", lambda one: heard.append(json.loads(json.dumps(one))))
        message = {"type": kind, "client": client, "seq": 7, **more}
        widget._receive(widget, json.loads(json.dumps(message)), [])
    assert [(one["client"], one["seq"]) for one in heard] == [(client, 7)]
    return heard[0]


def settle(widget: Agreement, room: Room, who: str, **more: Any) -> dict[str, Any]:
    told = {
        "scope": None, "step": STEP, "student": handle(room.course_id, STEP, who),
        "criterion": "reasoning", "reason": "Read together.", "after": None, **more,
    }  # fmt: skip
    return ask(widget, "settle", **told)


def rows(room: Room) -> int:
    with room.engine.connect() as connection:
        return len(connection.execute(select(settled)).all())


def points(room: Room, student: str) -> float | None:
    return Marking(room, "").submission(student, STEP).marks["reasoning"].points


def test_the_page_is_told_words_figures_and_what_waits(widget: Agreement) -> None:
    found = ask(widget, "read", scope=None)
    (part,) = found["parts"]
    assert (part["criterion"], part["n"]) == ("reasoning", 3)
    assert part["words"][0].startswith("3 marks were given twice.")
    assert dict(part["figures"])["The same points, share"].startswith("0.33 (")
    assert len(part["figures"]) == 8
    assert [one["first"]["points"] for one in found["waiting"]] == [3, 2], "the widest first"
    widest = found["waiting"][0]
    assert widest["first"]["by"] == "first"
    assert widest["seconds"] == [{"by": "second", "points": 1, "note": "<b>Only</b> named."}]
    assert found["settled"] == found["drifts"] == []
    assert ask(widget, "read", scope="step-2-connections")["parts"] == []
    assert ask(widget, "read", scope="step-9")["type"] == "problem"


def test_marks_by_a_third_marker_are_told_apart(widget: Agreement, room: Room) -> None:
    (part,) = ask(widget, "read", scope=None)["parts"]
    assert "further" not in " ".join(part["words"])
    third = Marking(open_room(room.root), "third")
    SecondMarks(third).give(third.submission("ada.lee", STEP), "reasoning", 0, None)
    (after,) = ask(widget, "read", scope=None)["parts"]
    assert after["words"][-1].startswith("One mark by a further marker counts in Krippendorff’s")
    assert after["figures"][0] == part["figures"][0]


def test_who_has_looked_is_told_on_the_marking_page_that_they_are_not_blind(
    widget: Agreement, room: Room
) -> None:
    ask(widget, "read", scope=None)
    page: Any = MarkingPage(room)
    student = handle(room.course_id, STEP, "ada.lee")
    where: dict[str, Any] = {"step": STEP, "student": student, "second": True}
    ask(page, "open", marker="chair")
    found = ask(page, "read", **where)
    assert [found["marks"][one]["open"] for one in ("reasoning", "ethics")] == [False, True]
    told = ask(page, "give", **where, criterion="reasoning", points=3, seen=None)
    assert told["type"] == "problem"
    assert "You have seen what others gave here" in told["message"]
    assert ask(page, "give", **where, criterion="ethics", points=3, seen=None)["type"] == "standing"


def test_no_student_is_named(widget: Agreement, room: Room) -> None:
    said = json.dumps([ask(widget, "open"), ask(widget, "read", scope=STEP)])
    for student in STUDENTS:
        assert student not in said
        assert student.title() not in said
    assert handle(room.course_id, STEP, "ben.oz") in said, "by which the marking page knows it"


def test_a_settled_difference_is_in_the_gradebook_with_who_and_why(
    widget: Agreement, room: Room
) -> None:
    found = settle(widget, room, "eva.wu", points=2, seen=3)
    assert points(room, "eva.wu") == 2
    (done,) = found["settled"]
    assert (done["settled"]["by"], done["settled"]["points"]) == ("chair", 2)
    assert done["settled"]["reason"] == "Read together."
    assert done["first"]["points"] == 3, "as it was marked"
    assert len(found["waiting"]) == 1
    # The answer was late, so the page said it again.
    again = settle(widget, room, "eva.wu", points=2, seen=3)
    assert (again["type"], rows(room)) == ("report", 1)
    # Settled anew by somebody who has seen how it was settled.
    later = settle(widget, room, "eva.wu", points=1, seen=2, after=done["settled"]["at"])
    assert later["settled"][0]["settled"]["points"] == points(room, "eva.wu") == 1


def test_who_was_slower_overwrites_nothing_and_is_told_what_stands(
    widget: Agreement, room: Room
) -> None:
    Marking(open_room(room.root), "first").give("ben.oz", STEP, "reasoning", 1)
    late = settle(widget, room, "ben.oz", points=3, seen=2)
    assert (late["type"], late["current"]["points"], late["current"]["by"]) == (
        "conflict", 1, "first"
    )  # fmt: skip
    # Two settle at once, and the first leaves the points as they were.
    other = Agreement(open_room(room.root))
    ask(other, "open", client="two", marker="dean")
    settle(other, room, "eva.wu", client="two", points=3, seen=3, reason="The first is right.")
    late = settle(widget, room, "eva.wu", points=1, seen=3)
    assert late["type"] == "conflict"
    assert (late["current"]["by"], late["current"]["comment"]) == ("dean", "The first is right.")
    assert (points(room, "ben.oz"), points(room, "eva.wu"), rows(room)) == (1, 3, 1)
    mine = settle(widget, room, "eva.wu", points=1, seen=3, after=late["after"])
    assert (mine["type"], points(room, "eva.wu")) == ("report", 1)


def test_a_rubric_that_was_changed_meanwhile_settles_nothing(widget: Agreement, room: Room) -> None:
    version = ask(widget, "open", marker="chair")["version"]
    path = room.course.root / "data" / "rubric.toml"
    path.write_text(path.read_text().replace("points = 4", "points = 3.5", 1))
    told = settle(widget, room, "ben.oz", points=3, seen=2, version=version)
    assert told["type"] == "problem"
    assert "rubric has changed" in told["message"]
    assert rows(room) == 0


def test_what_cannot_be_is_said_and_changes_nothing(widget: Agreement, room: Room) -> None:
    for more, words in (
        ({"reason": "  "}, "Say in a sentence why"),
        ({"points": 7}, "from 0 to 4"),
        ({"criterion": "ethics"}, "not marked twice any more"),
        ({"student": "0" * 16}, "not marked twice any more"),
        ({"step": "../x"}, "no step"),
    ):
        found = settle(widget, room, "eva.wu", **{"points": 2, "seen": 3, **more})
        assert found["type"] == "problem"
        assert words in found["message"]
    assert (points(room, "eva.wu"), rows(room)) == (3, 0)


def test_a_folder_that_is_no_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PCN_ROOM", str(tmp_path))
    widget = open_agreement()
    found = ask(widget, "open")
    assert found["type"] == "problem"
    assert "is no instructor's folder" in found["message"]


def test_messages_outside_the_protocol_are_not_answered(
    widget: Agreement, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AssertionError):
        settle(widget, room, "eva.wu", points=2, seen=3, reason="x" * 2001)
    with pytest.raises(AssertionError):
        settle(widget, room, "eva.wu", points="2; drop", seen=3)
    assert "refused" in caplog.text
    assert points(room, "eva.wu") == 3

"""Anchor answers: good and bad files, the course's own, and the room in which they are marked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.course import Course, CourseError, default_root, load_course
from pcn_course.grading.agreement.calibration import (
    AGREED,
    SYNTHETIC,
    is_calibration,
    load_calibrations,
    make_calibration,
)
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.grading.gradebook.second_marks import marked_twice
from pcn_course.instructor.agreement import Agreement
from pcn_course.instructor.marking import Marking as Page
from pcn_course.instructor.marking_second import SecondMarks
from tests.support.marking import STEP
from tests.support.room import make_room

TESTS = Path(__file__).parents[2]
FILES = TESTS / "files" / "calibration"


def course_with(folder: Path, files: Path | None) -> Course:
    """The small course, with anchors laid into it."""
    shutil.copytree(TESTS / "courses" / "base", folder)
    (folder / "notebooks").mkdir()
    if files:
        ignored = shutil.ignore_patterns("expected.txt")
        shutil.copytree(files, folder / "data" / "calibration", ignore=ignored)
    return load_course(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The room of the course's own anchors."""
    folder = tmp_path_factory.mktemp("made") / "calibration"
    make_calibration(load_course(default_root()), folder).close()
    return folder


@pytest.fixture
def room(made: Path, tmp_path: Path) -> Room:
    """A copy of it."""
    return open_room(shutil.copytree(made, tmp_path / "calibration") / "assignments")


def pcn(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    print(result.output)
    return result


def ask(page: Page | Agreement, kind: str, **more: Any) -> dict[str, Any]:
    heard: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "send", lambda one: heard.append(json.loads(json.dumps(one))))
        page._receive(page, {"type": kind, "client": "one", "seq": 1, **more}, [])
    return heard[0]


# ---- Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in (FILES / "good").iterdir()))
def test_good_anchors_are_read(name: str, tmp_path: Path) -> None:
    (found,) = load_calibrations(course_with(tmp_path / "course", FILES / "good" / name))
    assert [anchor.id for anchor in found.anchors] == ["one", "two"]
    assert [[one.points for one in anchor.agreed] for anchor in found.anchors] == [[2], [0]]


@pytest.mark.parametrize("name", sorted(path.name for path in (FILES / "bad").iterdir()))
def test_bad_anchors_are_told_with_every_fault(name: str, tmp_path: Path) -> None:
    course = course_with(tmp_path / "course", FILES / "bad" / name)
    expected = (FILES / "bad" / name / "expected.txt").read_text("utf-8").splitlines()
    with pytest.raises(CourseError) as raised:
        load_calibrations(course)
    assert [str(fault) for fault in raised.value.faults] == expected
    checked = pcn("check", "--course", course.root)
    assert checked.exit_code == 1
    assert expected[0] in checked.output


def test_each_step_has_anchors_and_each_anchor_its_own_student() -> None:
    course = load_course(default_root())
    found = load_calibrations(course)
    assert [one.step for one in found] == [step.id for step in course.steps]
    students = [anchor.id for one in found for anchor in one.anchors]
    assert len(set(students)) == len(students) >= 26


@pytest.mark.parametrize("name", [step.id for step in load_course(default_root()).steps])
def test_the_course_brings_anchors_that_tell_markers_apart(name: str) -> None:
    course = load_course(default_root())
    (found,) = (one for one in load_calibrations(course) if one.step == name)
    assert len(found.anchors) >= 5
    assert "synthetic" in found.about
    assert "SYNTHETIC" in (course.root / "data" / "calibration" / f"{name}.toml").read_text("utf-8")
    step = course.step(name)
    given = {
        criterion.id: [anchor.agreed[number].points for anchor in found.anchors]
        for number, criterion in enumerate(course.rubric.criteria)
    }
    print(given)
    assert all(len(set(levels)) >= 3 for levels in given.values()), "so that an order shows"
    assert len(set(map(tuple, given.values()))) == len(given), "no criterion repeats another"
    lengths = []
    for anchor in found.anchors:
        assert [one.criterion for one in anchor.agreed] == [it.id for it in course.rubric.criteria]
        assert all(one.why.endswith(".") and one.why.count(". ") == 0 for one in anchor.agreed)
        missing = {it.key for it in step.required} - anchor.answers.keys()
        assert missing == set(), "structure is not what is calibrated"
        words = len(" ".join(it for it in anchor.answers.values() if isinstance(it, str)).split())
        lengths.append((words, sum(one.points for one in anchor.agreed)))
    print("words and points:", sorted(lengths))
    assert any(
        words < 0.8 * others and points > total + 6
        for words, points in lengths
        for others, total in lengths
    ), "length is not what earns points"


# ---- The room ------------------------------------------------------------------------------------


def test_anchors_are_submissions_whose_first_marks_are_the_agreed_ones(room: Room) -> None:
    goals = load_calibrations(room.course)[0]
    submissions = {one.student.id: one for one in Marking(room, "").listed(STEP)}
    assert set(submissions) == {anchor.id for anchor in goals.anchors}
    for anchor in goals.anchors:
        one = submissions[anchor.id]
        assert {(key, mark.points, mark.comment, mark.by) for key, mark in one.marks.items()} == {
            (it.criterion, it.points, it.why, AGREED) for it in anchor.agreed
        }
        assert (one.structure, one.structure_open, one.open) == (4, False, ())
        read = room.answers(anchor.id, STEP)
        assert read.problems == ()
        assert {key: field.value for key, field in read.fields.items()} == anchor.answers
    assert is_calibration(room)
    assert not (room.root.parent / "calibration").exists()


def test_who_marks_them_sees_no_agreed_mark_and_changes_none(room: Room) -> None:
    page = Page(room)
    assert ask(page, "open", marker="me")["calibration"] is True
    listed = ask(page, "list", step=STEP, second=True)["submissions"]
    assert len(listed) == 6
    student = listed[0]["student"]
    read = ask(page, "read", step=STEP, student=student, second=True)
    assert read["notes"] == [SYNTHETIC]
    goals = load_calibrations(room.course)[0]
    said = json.dumps(read)
    assert not any(one.why in said for anchor in goals.anchors for one in anchor.agreed)
    place = {"step": STEP, "student": student, "criterion": "ethics"}
    for kind, more in (("give", {"points": 0, "seen": 4}), ("say", {"comment": "!", "seen": ""})):
        assert "agreed" in ask(page, kind, **place, **more)["message"]
    own = ask(page, "give", **place, points=2, seen=None, second=True)
    assert own["marks"]["ethics"]["points"] == 2
    settled = ask(Agreement(room), "settle", **place, points=2, reason="So.", seen=4, after=None,
                  scope=None)  # fmt: skip
    assert settled["type"] == "problem"
    agreed = {it.id: {one.criterion: one.points for one in it.agreed} for it in goals.anchors}
    for one in Marking(room, "").listed(STEP):
        assert {key: mark.points for key, mark in one.marks.items()} == agreed[one.student.id]


def test_afterwards_it_is_told_how_far_one_is_from_the_agreed_marks(room: Room) -> None:
    begun = pcn("agreement", "--room", room.root).output
    assert "Mark the synthetic answers on the marking page first" in " ".join(begun.split())
    marking = Marking(room, "me")
    own = SecondMarks(marking)
    for one in marking.listed(STEP):
        agreed = one.marks["ethics"].points
        assert agreed is not None
        own.give(one, "ethics", 3 if one.student.id == "anchor-6" else agreed, None)
    room.close()
    said = pcn("agreement", "--room", room.root).output
    flat = " ".join(said.split())
    assert "6 marks were given twice. In 5 of 6 (83%) the points are the same" in flat
    assert "Marks that differ: 1." in flat
    assert "agreed 1 (A start), me 3 (Sound)" in flat
    assert "the story with four moves and twins would name its mother" in flat
    assert "third of a marker" not in flat, "agreed marks don't drift"
    told = ask(Agreement(open_room(room.root)), "read", scope=None)
    assert told["drifts"] == []
    assert [one["first"]["by"] for one in told["waiting"]] == [AGREED]


def test_called_again_it_goes_on_and_elsewhere_it_touches_nothing(
    room: Room, tmp_path: Path
) -> None:
    SecondMarks(Marking(room, "me")).give(
        Marking(room, "me").submission("anchor-1", STEP), "ethics", 3, None
    )
    room.close()
    again = make_calibration(load_course(default_root()), room.root.parent)
    assert [one.student for one in marked_twice(Marking(again, ""))] == ["anchor-1"]
    again.close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("mine")
    with pytest.raises(RoomError, match="something else") as raised:
        make_calibration(load_course(default_root()), tmp_path / "full")
    assert str(tmp_path / "full") in raised.value.plain
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.docx"]
    real = make_room(tmp_path / "real", ["ada"])
    assert not is_calibration(real)
    with pytest.raises(RoomError, match="something else"):
        make_calibration(load_course(default_root()), real.root.parent)


def test_a_course_without_anchors_is_told_and_leaves_no_folder(tmp_path: Path) -> None:
    course = course_with(tmp_path / "course", None)
    result = pcn("calibrate", tmp_path / "round", "--course", course.root)
    assert result.exit_code == 1
    assert "brings no anchor answers" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course"]


def test_the_command_opens_the_room(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Path, int | None, bool]] = []
    monkeypatch.setattr(
        "pcn_course.app.launcher.serve_room",
        lambda room, *, port, open_browser: opened.append((room.root, port, open_browser)),
    )
    monkeypatch.setenv("PCN_MARKER", "")
    folder = shutil.copytree(made, tmp_path / "round")
    result = pcn("calibrate", folder, "--as", "me", "--port", "9000", "--no-browser")
    assert result.exit_code == 0
    assert opened == [(folder / "assignments", 9000, False)]
    assert "synthetic" in result.output
    assert f"pcn agreement --course-folder {folder / 'assignments'}" in result.output

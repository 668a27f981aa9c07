"""The gradebook on PostgreSQL: generate, autograde, mark, two markers at once, export."""

from __future__ import annotations

import csv
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from pcn_course.grading.gradebook.marks import Conflict, Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import events, tables
from pcn_course.grading.gradebook.scores import Mark, read_marks
from tests.support.marking import STEP, answers
from tests.support.nbgrader_course import Course
from tests.support.postgresql import postgresql
from tests.support.room import hand_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
STUDENTS = ("ada", "ben", "cyd")
CRITERIA = ("reasoning", "evidence", "ethics", "action")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """A course whose submissions nbgrader has autograded into PostgreSQL."""
    with postgresql() as server:
        course = Course.make(tmp_path_factory.mktemp("postgresql") / "course")
        room_folder = course.instructor.room
        (room_folder / "gradebook.db").unlink()
        config = room_folder / "nbgrader_config.py"
        url = server.database("gradebook")
        config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
        course.instructor.nbgrader("generate_assignment", STEP)
        room = open_room(room_folder)
        for at, student in enumerate(STUDENTS):
            place = hand_in(room, student, STEP, answers(course.content.step(STEP), at))
            (place / "timestamp.txt").write_text("2027-01-20 10:00:00 UTC")
            shutil.copy(room.released / STEP / f"{STEP}.ipynb", place)
        course.instructor.autograde(STEP)
        assert not (room_folder / "gradebook.db").exists()
        yield course


@pytest.fixture
def room(course: Course) -> Iterator[Room]:
    room = open_room(course.instructor.room)
    yield room
    room.close()


def test_our_tables_stand_beside_nbgraders(room: Room) -> None:
    assert room.engine.dialect.name == "postgresql"
    Marking(room, "first")
    present = set(inspect(room.engine).get_table_names())
    assert present >= {*tables.tables, "grade", "comment", "alembic_version"}


def test_marks_and_comments_are_nbgraders_own(room: Room) -> None:
    marking = Marking(room, "first")
    before = marking.submission("ada", STEP)
    assert before.structure > 0
    for at, criterion in enumerate(CRITERIA):
        marking.give("ada", STEP, criterion, 4 - at, seen=None)
    marking.say("ada", STEP, "ethics", "“Who” & שלום 🙂?", seen="")
    after = marking.submission("ada", STEP)
    assert after.total == before.total + 10
    with room.gradebook() as gradebook:
        assert gradebook.find_submission(STEP, "ada").score == after.raw
        kept = gradebook.find_comment("ethics", STEP, STEP, "ada").comment
    assert kept == "“Who” & שלום 🙂?"
    rows = {(one.student, one.criterion): one.points for one in read_marks(room)}
    assert rows["ada", "action"] == 1
    assert rows["ben", "action"] is None


def test_passages_phrases_and_undo(room: Room) -> None:
    marking = Marking(room, "second")
    step = room.course.step(STEP)
    key = next(prompt.key for prompt in step.prompts if prompt.kind == "text")
    text = answers(step, 1)[key]
    made = marking.passages.mark(
        "ben", STEP, prompt=key, start=0, end=8, passage=text[:8], comment="Who?"
    )
    assert marking.passages.of("ben", STEP) == [made]
    marking.passages.unmark(made.id)
    phrase = marking.phrases.add("Name the safeguard.", criterion="ethics")
    marking.phrases.used(phrase.id)
    assert [one.used for one in marking.phrases.fitting(STEP, "ethics")] == [1]
    marking.give("ben", STEP, "ethics", 2, seen=None)
    undone = marking.undo(STEP)
    assert undone
    assert (undone.student, undone.before, undone.after) == ("ben", None, 2)
    assert marking.submission("ben", STEP).marks["ethics"] == Mark(
        None, "", open=True, by="second", at=marking.submission("ben", STEP).marks["ethics"].at
    )


def test_two_sessions_never_overwrite_each_other_unseen(course: Course) -> None:
    rooms = [open_room(course.instructor.room) for _ in range(2)]
    markers = [Marking(room, name) for room, name in zip(rooms, ("first", "second"), strict=True)]
    told: list[tuple[str, int, float | None]] = []
    for turn in range(30):
        student, criterion = STUDENTS[1 + turn % 2], CRITERIA[turn % 4]
        seen = markers[0].submission(student, STEP).marks[criterion].points
        start = threading.Barrier(2)

        def give(at: int, where: tuple[str, str], base: float | None) -> None:
            start.wait()  # noqa: B023 (each turn's threads end within it)
            points = float((int(base or 0) + at + 1) % 5)
            try:
                markers[at].give(where[0], STEP, where[1], points, seen=base)
                told.append(("given", at, points))
            except Conflict as error:
                told.append(("conflict", at, error.current.points))

        both = [
            threading.Thread(target=give, args=(at, (student, criterion), seen)) for at in range(2)
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()
        first, second = sorted(told[-2:], reverse=True)
        assert (first[0], second[0]) == ("given", "conflict")
        # The slower one is told the very mark that stands there.
        assert second[2] == first[2]
        assert markers[0].submission(student, STEP).marks[criterion].points == first[2]
    with rooms[0].engine.connect() as connection:
        logged = [row for row in connection.execute(events.select()) if row.what == "mark"]
    given = [one for one in told if one[0] == "given"]
    assert len(given) == 30
    assert len(logged) >= 30
    for room in rooms:
        room.close()


def test_export(course: Course, room: Room, tmp_path: Path) -> None:
    target = tmp_path / "grades.csv"
    course.instructor.nbgrader("export", f"--CsvExportPlugin.to={target}")
    with target.open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(STUDENTS)
    for student in STUDENTS:
        assert (
            float(rows[student]["score"]) == Marking(room, "first").submission(student, STEP).total
        )

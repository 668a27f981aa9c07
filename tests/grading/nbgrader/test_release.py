"""Generating an assignment again: which due date counts, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from nbgrader import utils
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from pcn_course.admin.doctor import course_checks
from pcn_course.grading.dates import disagreements, due_dates
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.late.time_zone import ZoneError, zone_of
from pcn_course.grading.nbgrader.release import scores_changed
from tests.support.room import make_room

STEP = "step-1-goals"
JANUARY, FEBRUARY = "2027-01-22T23:59:00-05:00", "2027-02-05T23:59:00-05:00"
MARCH = dt.datetime(2027, 3, 20, 3, 59)  # noqa: DTZ001 (as nbgrader keeps it, UTC)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = make_room(tmp_path / "course", (), ())
    config = made.root / "nbgrader_config.py"
    config.write_text(f'{config.read_text()}\nc.Lms.timezone = "America/New_York"\n')
    return open_room(made.root)


def due(room: Room, moment: str) -> Room:
    """Write a due date into data/course.toml."""
    path = room.root.parent / "data" / "course.toml"
    text = path.read_text(encoding="utf-8").partition("\n[due]\n")[0]
    path.write_text(f'{text}\n[due]\n"{STEP}" = {moment}\n', encoding="utf-8")
    return open_room(room.root)


def api(room: Room) -> NbGraderAPI:
    return NbGraderAPI(CourseDirectory(config=room.config), config=room.config)


def generate(room: Room) -> dict[str, Any]:
    result: dict[str, Any] = api(room).generate_assignment(STEP)
    print(result.get("log"), result.get("error"))
    return result


def test_of_two_due_dates_the_one_that_changed_counts(room: Room) -> None:
    room = due(room, JANUARY)
    assert generate(room)["success"]
    with room.gradebook() as gradebook:
        gradebook.update_or_create_assignment(STEP, duedate=MARCH)
    released = room.root / "release" / STEP / f"{STEP}.ipynb"
    told = list(disagreements(due_dates(room), zone_of(room.config)))
    assert "January 22, 2027, 11:59 PM EST in data/course.toml" in told[0]
    assert "March 19, 2027, 11:59 PM EDT in the gradebook" in told[0]
    assert "its notebook in release/ says January 22, 2027, 11:59 PM EST" in told[1]
    doctor = [one.says for one in course_checks.due_dates(room, None)]
    assert doctor[:2] == told
    assert doctor[-1] == f"{STEP} is due March 19, 2027, 11:59 PM EDT."
    assert generate(room)["success"]
    assert json.loads(released.read_bytes())["metadata"]["pcn"]["due"] == "2027-03-20T03:59:00Z"

    # Now both have changed.
    room, before = due(room, FEBRUARY), released.read_bytes()
    refused = generate(room)
    assert not refused["success"]
    assert "February 5, 2027, 11:59 PM EST in data/course.toml" in refused["log"]
    assert "March 19, 2027, 11:59 PM EDT in the gradebook" in refused["log"]
    assert "Traceback" not in str(refused)
    assert released.read_bytes() == before

    # What fails for any other reason leaves the release as it was, too.
    room = due(room, "2027-03-19T23:59:00-04:00")
    source = room.root.parent / "notebooks" / STEP / f"{STEP}.ipynb"
    notebook = json.loads(source.read_bytes())
    notebook["cells"].append({**notebook["cells"][-1], "id": "twice"})
    source.write_text(json.dumps(notebook))
    assert not generate(room)["success"]
    assert released.read_bytes() == before


def test_points_of_an_instructors_own_cell_are_compared(tmp_path: Path) -> None:
    def cell(points: int, name: str = "own") -> dict[str, Any]:
        return {"metadata": {"nbgrader": {"grade_id": name, "grade": True, "points": points}}}

    old, new = tmp_path / "old.ipynb", tmp_path / "new.ipynb"
    old.write_text(json.dumps({"cells": [cell(2), {"metadata": {}}]}))
    new.write_text(json.dumps({"cells": [cell(3), cell(1, "extra")]}))
    assert list(scores_changed(old, new)) == [
        "“own” has 2 points in the release and 3 points in new.ipynb",
        "“extra” has no points in the release and 1 points in new.ipynb",
    ]
    assert list(scores_changed(tmp_path / "none.ipynb", new)) == []


def test_formgrader_and_nbgrader_read_due_dates_in_the_courses_zone(room: Room) -> None:
    with room.gradebook() as gradebook:
        for typed, utc in (
            ("2027-07-22T23:59:00 America/New_York", dt.datetime(2027, 7, 23, 3, 59)),  # noqa: DTZ001
            ("2027-01-22T23:59:00", dt.datetime(2027, 1, 23, 4, 59)),  # noqa: DTZ001
            ("2027-01-22 23:59:00 -0500", dt.datetime(2027, 1, 23, 4, 59)),  # noqa: DTZ001
        ):
            gradebook.update_or_create_assignment(STEP, duedate=typed)
            assert gradebook.find_assignment(STEP).duedate == utc
        with pytest.raises(ZoneError, match="“EDT” isn't the time"):
            gradebook.update_or_create_assignment(STEP, duedate="2027-01-22 23:59 EDT")
    shown = api(room).get_assignment(STEP)
    assert shown["duedate_notimezone"] == "2027-01-22T23:59:00"
    assert shown["duedate_timezone"] == "America/New_York"  # its offset is that of the date
    assert utils.parse_utc("2026-11-22 10:00:00.123456 UTC").hour == 10

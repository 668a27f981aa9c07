"""The LMS's own mark for late work beside ours. All students are made up."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner

from pcn_course.cli import main
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.lms.lateness import differences
from pcn_course.grading.lms.upload_names import UploadName, keep_names
from tests.support.room import HANDED_IN, make_room

STEP = "step-1-goals"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Three have submitted an hour after the due date; the third has more time."""
    room = make_room(tmp_path / "course", ("ada", "ben", "cyd"))
    due = HANDED_IN - dt.timedelta(hours=1)
    with room.gradebook() as gradebook:
        gradebook.update_or_create_assignment(STEP, duedate=due)
    (room.root / "late.csv").write_text(
        f"what,student,step,value\npenalty,,all,10%\nextension,cyd,{STEP},2 days\n"
    )
    names = {who: UploadName("canvas", f"all.zip/{who}_1_2_x.zip", late=late)
             for who, late in (("ada", True), ("ben", False), ("cyd", True))}  # fmt: skip
    keep_names(room.root, STEP, {**names, "x": UploadName("moodle", "x")})
    return room


def test_a_difference_is_named_and_agreement_is_not(room: Room) -> None:
    kept = {who: UploadName("canvas", "x", late=late)
            for who, late in (("ada", True), ("ben", False), ("cyd", True))}  # fmt: skip
    told = differences(room, STEP, kept)
    assert set(told) == {"ben", "cyd"}
    assert "Canvas marks this as on time; here it is late" in told["ben"]
    assert "Canvas marks this as late; here it is on time" in told["cyd"]
    # A time that isn't in the gradebook yet counts before the one that is.
    early = differences(room, STEP, kept, {"ada": HANDED_IN - dt.timedelta(days=1)})
    assert "ada" in early
    room.close()


def test_pcn_late_shows_both(room: Room) -> None:
    room.close()
    done = CliRunner().invoke(main, ["late", "--room", str(room.root), "--dry-run"])
    assert done.exit_code == 0
    assert f"ben, {STEP}: Canvas marks this as on time; here it is late" in done.output
    assert f"ada, {STEP}" not in done.output

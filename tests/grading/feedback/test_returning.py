"""From an LMS's ZIP of all submissions to the one file that returns feedback. All are made up."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pcn_course.grading.feedback.returning import write_uploads
from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.grading.lms.upload_names import read_names
from tests.grading.lms import returns
from tests.grading.lms.collected import collect, own_zip
from tests.grading.lms.samples import CLASS, STEP, Person, Upload, bulk, moodle_number
from tests.support.room import make_room

WHEN = dt.datetime(2026, 11, 20, 15, 42, tzinfo=dt.UTC)
ZONE = ZoneInfo("America/New_York")
EVERYONE = (
    *CLASS, *(Person(f"s{number}", f"Given{number}", "Doe", number) for number in range(2001, 2056))
)  # fmt: skip


def page_of(student: str) -> bytes:
    return f"<!doctype html><title>Feedback for {student}</title>".encode()


@pytest.mark.parametrize("lms", ["canvas", "moodle", "brightspace"])
def test_a_class_of_sixty_gets_its_feedback_by_one_upload(tmp_path: Path, lms: str) -> None:
    room = make_room(tmp_path / "course", [])
    files = {one.id: f"{STEP}+{one.id}+20261120T154200Z.zip" for one in EVERYONE}
    uploads = [Upload(one, files[one.id], own_zip(one.id), WHEN) for one in EVERYONE]
    with zipfile.ZipFile(bulk(lms, uploads, tmp_path / "all.zip", ZONE)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    roster = Roster(
        Entry(
            id=one.id, first=one.first, last=one.last, lms_id=str(one.number), username=one.login,
            participants={STEP: str(moodle_number(one))},
        )
        for one in EVERYONE
    )  # fmt: skip
    collected = collect(room.root, roster, members, "America/New_York")
    assert len(collected.answers()) == 60
    for one in EVERYONE:
        path = room.feedback / one.id / STEP / f"{STEP}.html"
        path.parent.mkdir(parents=True)
        path.write_bytes(page_of(one.id))
    ((upload,), missed) = write_uploads(room, STEP, read_names(room.root, STEP))
    assert (upload.lms, upload.reached, missed) == (lms, 60, {})
    content = upload.path.read_bytes()
    match lms:
        case "canvas":
            known = {
                56_000 + at: (str(one.number), files[one.id]) for at, one in enumerate(EVERYONE)
            }
            read = {str(one.number): page_of(one.id) for one in EVERYONE}
            assert returns.canvas(content, known) == read
        case "moodle":
            numbers = {moodle_number(one): page_of(one.id) for one in EVERYONE}
            assert returns.moodle(content, {number: {} for number in numbers}) == numbers
        case _:
            # What D2L itself wrote: all before the student's own file name.
            parts = [name.removesuffix(f" - {files[one.id]}")
                     for name, one in zip(members, EVERYONE, strict=True)]  # fmt: skip
            read = {part: page_of(one.id) for part, one in zip(parts, EVERYONE, strict=True)}
            assert returns.brightspace(content, parts) == read

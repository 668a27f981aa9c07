"""Collecting from an exchange in which everyone can make folders: whose a submission is."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.nbgrader.collect import Collect
from tests.support.room import make_room

STEP = "step-1-goals"
EARLY, LATE = "2026-11-20 10:00:00.000000 UTC", "2026-11-21 10:00:00.000000 UTC"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", [])


@pytest.fixture
def inbound(tmp_path: Path) -> Path:
    folder = tmp_path / "exchange" / "pcn" / "inbound"
    folder.mkdir(parents=True)
    return folder


def lay(inbound: Path, student: str, when: str = EARLY, owner: int | None = None) -> Path:
    """A submission in the exchange; its answers say when it is from."""
    folder = inbound / f"{student}+{STEP}+{when}+abc"
    folder.mkdir()
    (folder / "answers.json").write_text(json.dumps({"when": when}))
    (folder / "submission_secret.txt").write_text("a" * 64)
    if owner is not None:
        os.chown(folder, owner, owner)
    return folder


def collect(room: Room, inbound: Path, **settings: bool) -> dict[str, str]:
    """Collect; which submission of each student is in."""
    config = Config(room.config)
    config.Exchange.root = str(inbound.parents[1])
    config.ExchangeCollect.merge(settings)
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id = STEP
    Collect(coursedir=coursedir, authenticator=Authenticator(config=config), config=config).start()
    submitted = room.root / "submitted"
    found = submitted.glob(f"*/{STEP}/answers.json")
    return {one.parents[1].name: json.loads(one.read_text())["when"] for one in found}


def test_a_folder_that_belongs_to_another_is_skipped_and_named(
    room: Room, inbound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    me = inbound.owner()
    lay(inbound, me)
    forged = lay(inbound, "ada", LATE)
    with caplog.at_level(logging.WARNING):
        assert collect(room, inbound) == {me: EARLY}
    (line,) = [one.getMessage() for one in caplog.records if forged.name in one.getMessage()]
    assert "ada" in line
    assert f"belongs to {me}" in line
    assert "c.ExchangeCollect.check_owner = False" in line
    # Where system users have other names than students, a class says so.
    assert collect(room, inbound, check_owner=False) == {me: EARLY, "ada": LATE}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders to others")
def test_a_later_forged_one_does_not_push_out_the_students_own(room: Room, inbound: Path) -> None:
    daemon, nobody = 1, 59_003
    lay(inbound, "daemon", owner=daemon)
    lay(inbound, "daemon", LATE, owner=nobody)
    lay(inbound, "games", LATE, owner=nobody)
    assert collect(room, inbound) == {"daemon": EARLY}

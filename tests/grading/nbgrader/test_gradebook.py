"""What the room makes about students isn't for everybody on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from tests.support.room import make_room


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o600), (0o007, 0o660), (0o002, 0o660)])
def test_a_new_gradebook_and_roster_are_private(tmp_path: Path, mask: int, expected: int) -> None:
    os.umask(mask)
    room = make_room(tmp_path / "course", ())
    (room.root / "gradebook.db").unlink()  # a copy, with the rights of its template
    with room.gradebook() as gradebook:
        gradebook.add_student("ada")
    write_roster(room.root / "roster.csv", Roster([Entry(id="ada")]))
    assert mode(room.root / "gradebook.db") == expected
    assert mode(room.root / "roster.csv") == expected


def test_who_shares_them_says_so_once(tmp_path: Path) -> None:
    room = make_room(tmp_path / "course", ())
    roster = room.root / "roster.csv"
    write_roster(roster, Roster([Entry(id="ada")]))
    for path in (room.root / "gradebook.db", roster):
        path.chmod(0o664)
    with room.gradebook() as gradebook:
        gradebook.add_student("ben")
    write_roster(roster, Roster([Entry(id="ben")]))
    assert mode(room.root / "gradebook.db") == mode(roster) == 0o664

"""Whose hand-ins count where an LMS doesn't say whose they are. All students are made up."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest

from pcn_course.grading.lms.claims import choose
from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.grading.lms.unpacking import HandIn, unpack

STEP = "step-1-goals"
NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
ROSTER = Roster([Entry(id=one, participants={STEP: number}) for one, number in
                 (("ada", "77"), ("bob", ""), ("mallory", ""))])  # fmt: skip
BOBS = f"{STEP}+bob+20261120T100000Z.zip"
LATER = f"{STEP}+bob+20261120T110000Z.zip"


def chosen(
    tmp_path: Path, members: dict[str, bytes], roster: Roster = ROSTER
) -> tuple[dict[str, HandIn], dict[str, str]]:
    """What counts, by student; and why each other is left out, by its name."""
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as bulk:
        for name, answers in members.items():
            made = io.BytesIO()
            with zipfile.ZipFile(made, "w") as archive:
                archive.writestr("answers.json", answers)
            bulk.writestr(name, made.getvalue())
    found = list(unpack(path, STEP, roster))
    hand_ins = [one for one in found if isinstance(one, HandIn)]
    assert len(hand_ins) == len(found)
    taken, left_out = choose(hand_ins, NOW)
    by_name = {one.name.removeprefix("all.zip/"): why for one, why in left_out}
    assert len(taken) == len({one.student for one in taken})
    return {one.student: one for one in taken}, by_name


@pytest.mark.parametrize(
    ("bob", "mallory"),
    [
        ("anon_Bo1_1_", "anon_Ma2_2_"),
        ("Participant_5_assignsubmission_file_/", "Participant_6_assignsubmission_file_/"),
        ("Participant_5_", "LATE_anon_Ma2_2_"),
    ],
)
def test_of_two_that_claim_to_be_one_neither_is_taken(
    tmp_path: Path, bob: str, mallory: str
) -> None:
    theirs = {f"{bob}{BOBS}": b"mine", f"{mallory}{LATER}": b"not his"}
    honest = f"anon_Ad3_3_{STEP}+ada+20261120T100000Z.zip"
    taken, left_out = chosen(tmp_path, {**theirs, honest: b"hers"})
    assert {student: one.answers for student, one in taken.items()} == {"ada": b"hers"}
    assert set(left_out) == set(theirs)
    for why in left_out.values():
        assert "2 uploaders say that they are bob" in why
        assert "lay that file by itself into the archive folder" in why
    # As it says: the file by itself counts, and the other is still told.
    taken, left_out = chosen(tmp_path, {**theirs, BOBS: b"mine"})
    assert taken["bob"].answers == b"mine"
    assert set(left_out) == {f"{mallory}{LATER}"}


def test_the_same_two_without_a_roster_and_with_their_names(tmp_path: Path) -> None:
    theirs = {f"roebob_11_1_{BOBS}": b"mine", f"roebob_12_2_{LATER}": b"by a namesake"}
    taken, left_out = chosen(tmp_path, theirs, Roster())
    assert (taken, set(left_out)) == ({}, set(theirs))


def test_one_who_hands_in_again_is_one(tmp_path: Path) -> None:
    again = {f"anon_Bo1_1_{BOBS}": b"first", f"LATE_anon_Bo1_2_{LATER}": b"second"}
    taken, left_out = chosen(tmp_path, again)
    assert (taken["bob"].answers, left_out) == (b"second", {})


def test_whom_the_lms_names_nobody_hidden_replaces(tmp_path: Path) -> None:
    hers = f"Participant_77_assignsubmission_file_/{STEP}+ada+20261120T100000Z.zip"
    other = f"Participant_78_assignsubmission_file_/{STEP}+ada+20261120T110000Z.zip"
    taken, left_out = chosen(tmp_path, {hers: b"hers", other: b"not hers"})
    assert taken["ada"].answers == b"hers"
    assert "Participant 78 uploaded it" in left_out[other]


@pytest.mark.parametrize(
    ("when", "counts"),
    [
        ("20261121T110000Z", True),  # a clock that is wrong, or of another zone
        ("20261121T130000Z", False),
        ("20991231T000000Z", False),
        ("19991231T000000Z", False),
        ("00010101T000000Z", False),
    ],
)
def test_no_time_wins_over_all_that_follow(tmp_path: Path, when: str, counts: bool) -> None:
    name = f"anon_Bo1_1_{STEP}+bob+{when}.zip"
    taken, left_out = chosen(tmp_path, {f"anon_Bo1_2_{BOBS}": b"mine", name: b"when?"})
    assert taken["bob"].answers == (b"when?" if counts else b"mine")
    assert set(left_out) == (set() if counts else {name})

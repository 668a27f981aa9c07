"""An export for research: complete for whoever consents, and nothing by which a name comes out."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcn_course.example import example_answers
from pcn_course.grading.cohort.research import (
    CONSENT,
    MISSING,
    ResearchError,
    codebook,
    read_consent,
    research_export,
)
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.network import measures, read_network
from tests.support.room import HANDED_IN, hand_in, make_room

STEPS = ("step-1-goals", "step-2-connections", "step-3-tools")
STUDENTS = ("anna-7", "bela-3", "cleo-9", "dara-1", "evan-5", "fay-2", "gus-8")
SECRET = b"sixteen bytes or more"
WORDS = "Wombatwriting"
"""A word that no file of the course holds, in each student's free text."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = make_room(tmp_path_factory.mktemp("research") / "course", STUDENTS, STEPS)
    marking = Marking(room, "a marker")
    for at, student in enumerate(STUDENTS):
        for step_id in STEPS:
            step = room.course.step(step_id)
            kept = {
                key: one.value for key, one in example_answers(room.course, step).fields.items()
            }
            kept["wasted-time"] = f"{WORDS} took {10 + at} minutes"
            if at == 2:
                kept.pop(step.required[0].key)
            hand_in(room, student, step_id, kept)
            for criterion in room.course.rubric.criteria:
                marking.give(student, step_id, criterion.id, float((at + step.number) % 5))
    with room.gradebook() as gradebook:
        due = HANDED_IN + dt.timedelta(days=1)
        gradebook.update_or_create_assignment(STEPS[0], duedate=due.replace(tzinfo=None))
        due = HANDED_IN - dt.timedelta(days=8)
        gradebook.update_or_create_assignment(STEPS[1], duedate=due.replace(tzinfo=None))
    lines = [f"{student},{'no' if student == 'fay-2' else 'yes'}" for student in STUDENTS[:-1]]
    (room.root / CONSENT).write_text("\n".join(["student,consent", *lines, "nobody-0,Yes", ""]))
    yield room
    room.close()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def pseudonym(student: str, secret: bytes = SECRET) -> str:
    digest = hmac.new(secret, student.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:16].decode().lower()


def test_who_consents_is_in_it_and_nobody_else(room: Room, tmp_path: Path) -> None:
    made = research_export(room, tmp_path, secret=SECRET)
    assert (made.students, made.left_out, made.unknown) == (5, 2, ("nobody-0",))
    assert sorted(made.files) == sorted(one.name for one in tmp_path.iterdir())
    expected = sorted(pseudonym(one) for one in STUDENTS[:5])
    for name in ("students.csv", "steps.csv", "prompts.csv"):
        found = [row["pseudonym"] for row in table(tmp_path / name)]
        assert sorted(set(found)) == expected
        assert found == sorted(found), "the ids' order tells nothing"


def test_no_name_no_word_no_secret_and_no_time_is_in_it(room: Room, tmp_path: Path) -> None:
    research_export(room, tmp_path, secret=SECRET)
    people = example_answers(room.course, room.course.step("connections")).fields["people"].value
    for path in tmp_path.iterdir():
        text = path.read_text("utf-8-sig")
        for word in (WORDS, SECRET.decode(), "Doe", "2027", *STUDENTS):
            assert word not in text, (path.name, word)
        if path.suffix == ".csv":
            for person in people:
                assert f",{person['person']}" not in text


def test_numbers_are_those_of_the_gradebook_and_of_the_answers(room: Room, tmp_path: Path) -> None:
    research_export(room, tmp_path, secret=SECRET)
    steps = {(row["pseudonym"], row["step"]): row for row in table(tmp_path / "steps.csv")}
    assert len(steps) == 15
    for at, student in enumerate(STUDENTS[:5]):
        for number, step_id in enumerate(STEPS, start=1):
            row = steps[pseudonym(student), step_id]
            for criterion in room.course.rubric.criteria:
                assert float(row[criterion.id]) == (at + number) % 5
            assert float(row["structure"]) == 3
            assert row["minutes_named"] == str(10 + at)
            assert row["required_open"] == str(int(at == 2))
            assert (row["covered"], row["said_wasted"]) == ("0", "1")
            week, late = {1: ("-1", "0"), 2: ("1", "1"), 3: (MISSING, MISSING)}[number]
            assert (row["week"], row["late"]) == (week, late)
    fields = example_answers(room.course, room.course.step("connections")).fields
    network = read_network({"connections": {key: one.value for key, one in fields.items()}})
    for row in table(tmp_path / "students.csv"):
        for one in measures(network, room.course):
            cell = row["network_" + one.key.replace("-", "_")]
            assert cell == MISSING if one.value is None else float(cell) == round(one.value, 6)
        known = [row["needs_held"], row["needs_perhaps"], row["needs_gap"]]
        assert sum(map(int, known)) == int(row["needs"]) > 0
    answered = table(tmp_path / "prompts.csv")
    first = room.course.step(STEPS[0]).required[0].key
    without = [row for row in answered if row["prompt"] == first and row["answered"] == "0"]
    assert [row["pseudonym"] for row in without] == [pseudonym(STUDENTS[2])]
    assert not {row["prompt"] for row in answered} & {"private-note"}


def test_the_codebook_has_each_column_once_and_in_order(room: Room, tmp_path: Path) -> None:
    research_export(room, tmp_path, secret=SECRET)
    book = table(tmp_path / "codebook.csv")
    for name in ("students.csv", "steps.csv", "prompts.csv"):
        rows = table(tmp_path / name)
        described = [row for row in book if row["file"] == name]
        assert [row["column"] for row in described] == list(rows[0])
        for entry in described:
            assert all(entry[key] for key in ("type", "values", "source", "missing"))
            cells = {row[entry["column"]] for row in rows}
            if entry["missing"] == "never missing":
                assert not cells & {MISSING, ""}
            for cell in cells - {MISSING}:
                fits = {
                    "number": r"-?\d+(\.\d+)?",
                    "whole number": r"-?\d+",
                    "0 or 1": "[01]",
                    "text": "[a-z0-9-]+",
                }
                assert re.fullmatch(fits[entry["type"]], cell), (entry["column"], cell)
    assert len(book) == len(codebook(room.course))


def test_the_readme_says_what_risk_remains(room: Room, tmp_path: Path) -> None:
    made = research_export(room, tmp_path, secret=SECRET)
    text = " ".join((tmp_path / "README.txt").read_text().split())
    assert made.alone == 5, "their marks differ"
    assert "Of these 5 students, 5 have weeks and points that nobody else has" in text
    assert "not anonymity" in text


def test_the_secret_of_the_room_stays_there_and_stays_the_same(room: Room, tmp_path: Path) -> None:
    research_export(room, tmp_path / "one")
    kept = room.root / ".pcn" / "research-secret"
    assert oct(kept.stat().st_mode & 0o777) == "0o600"
    research_export(room, tmp_path / "two")
    one, two = (table(tmp_path / name / "students.csv") for name in ("one", "two"))
    assert one == two
    names = [row["pseudonym"] for row in one]
    assert sorted(names) == sorted(pseudonym(who, kept.read_bytes()) for who in STUDENTS[:5])
    assert all(kept.read_text() not in path.read_text() for path in (tmp_path / "one").iterdir())
    kept.unlink()
    research_export(room, tmp_path / "three")
    three = [row["pseudonym"] for row in table(tmp_path / "three" / "students.csv")]
    assert not set(three) & set(names)


@pytest.mark.parametrize("inside", ["", ".pcn", ".."])
def test_nothing_is_exported_to_where_the_secret_is(room: Room, inside: str) -> None:
    folder = room.root / inside
    before = sorted(folder.iterdir())
    with pytest.raises(ResearchError, match="never travel together"):
        research_export(room, folder)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no list of who consents"),
        (b"\xff\xfe", "no list of who consents"),
        (b"name,agrees\na,yes\n", "no column"),
        (b"student,consent\nanna-7,perhaps\n", "Line 2 .* neither yes nor no"),
        (b"student,consent\nanna-7,yes\n", "1 students consent"),
        (b"", "no list of who consents"),
    ],
)
def test_a_list_that_can_not_be_used_is_said_and_nothing_is_written(
    room: Room, tmp_path: Path, content: bytes | None, words: str
) -> None:
    consent = tmp_path / "list.csv"
    if content is not None:
        consent.write_bytes(content)
    with pytest.raises(ResearchError, match=words):
        research_export(room, tmp_path / "out", secret=SECRET, consent=consent)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("student,consent\na,yes\nb,NO\nc,\n", {"a"}),
        ("\ufeffConsent;Note;Student\nyes;x;a\nagreed;;b\n\n", {"a", "b"}),
        ("student,consent\na,yes\na,withdrawn\n", set()),
        ("student,consent\n,yes\nb\n", set()),
    ],
)
def test_consent_is_a_yes_and_a_later_or_earlier_no_wins(
    tmp_path: Path, text: str, who: set[str]
) -> None:
    path = tmp_path / "consent.csv"
    path.write_text(text, encoding="utf-8")
    assert read_consent(path) == who


def test_a_short_secret_is_refused(room: Room, tmp_path: Path) -> None:
    with pytest.raises(ResearchError, match="16 bytes"):
        research_export(room, tmp_path / "out", secret=b"short")


def test_a_folder_that_is_a_file_is_said(room: Room, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ResearchError, match="written to"):
        research_export(room, tmp_path / "out", secret=SECRET)

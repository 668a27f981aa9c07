"""``pcn feedback`` without a graded class: how things stand, holding, requests, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.grading.feedback.letter_word import word_name
from pcn_course.grading.feedback.release import release_state
from pcn_course.grading.feedback.returning import upload_files, write_uploads
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.scores import pseudonym
from pcn_course.grading.lms.upload_names import read_names
from tests.grading.lms import returns
from tests.support.room import make_room
from tests.support.submissions import keep_names

STEP = "step-1-goals"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = make_room(tmp_path / "course", ["ada", "ben"])
    yield made
    made.close()


def pcn(room: Room, *arguments: str | Path) -> Result:
    words = ["feedback", STEP, *map(str, arguments), "--room", str(room.root), "--as", "kim"]
    result = CliRunner().invoke(main, words)
    print(result.output)
    assert "Traceback" not in result.output
    return result


def test_without_an_option_it_says_how_things_stand(room: Room) -> None:
    said = pcn(room).output
    assert "not held" in said
    assert "Submissions: 2. Not marked through: 2." in said
    pcn(room, "--hold")
    assert release_state(room.engine, STEP) == "held"
    assert "held: nobody gets it" in pcn(room).output
    assert release_state(room.engine, STEP) == "held"


def test_nothing_unmarked_is_released_by_mistake(room: Room) -> None:
    marking = Marking(room, "kim")
    for criterion in marking.criteria:
        marking.give("ada", STEP, criterion, 2)
    marking.give("ben", STEP, "reasoning", 2)
    (room.root / "submitted" / "uma" / STEP).mkdir(parents=True)
    done = pcn(room, "--release")
    assert done.exit_code == 1
    titles = [one.title for name, one in marking.criteria.items() if name != "reasoning"]
    # Who is graded blind is not named by what is left to grade.
    mine = pseudonym(room.course_id, STEP, "ben")
    assert f"Submission {mine}: {', '.join(titles)}\n" in done.output
    uma = pseudonym(room.course_id, STEP, "uma")
    assert f"Submission {uma}: collected, not graded yet" in done.output
    assert not re.search(r"\b(ada|ben|uma)\b", done.output)
    named = pcn(room, "--release", "--names")
    assert f"ben: {', '.join(titles)}\n" in named.output
    assert "uma: collected, not graded yet" in named.output
    assert release_state(room.engine, STEP) is None


def test_a_request_is_entered_listed_and_answered_once(room: Room) -> None:
    marking = Marking(room, "kim")
    marking.give("ben", STEP, "ethics", 1)
    assert "Nobody asked" in pcn(room, "--requests").output
    ask = ("--ask", "ben", "--criterion", "ethics", "--text", "I named whom it concerns.")
    assert pcn(room, *ask).exit_code == 0
    assert pcn(room, *ask).exit_code == 0  # the same words twice are one request
    listed = pcn(room, "--requests").output
    assert listed.count("I named whom it concerns.") == 1
    title = re.escape(marking.criteria["ethics"].title)
    when = r"[-\d]+ [:\d]+ UTC"
    mine = f"Submission {pseudonym(room.course_id, STEP, 'ben')}"
    assert re.search(rf"^1\. {mine}, {when}, on {title}:$", listed, re.MULTILINE)
    assert not re.search(r"\bben\b", listed)
    named = pcn(room, "--requests", "--names").output
    assert re.search(rf"^1\. ben, {when}, on {title}:$", named, re.MULTILINE)
    assert "without an answer: 1" in pcn(room).output
    done = pcn(room, "--answer", "1", "--text", "You did.", "--points", "3")
    assert "kim (1.0 → 3.0): You did." in done.output
    assert marking.submission("ben", STEP).marks["ethics"].points == 3
    assert "without an answer: 0" in pcn(room).output
    again = pcn(room, "--answer", "1", "--text", "No.", "--points", "0")
    assert again.exit_code == 1
    assert "answered by kim already" in again.output
    assert marking.submission("ben", STEP).marks["ethics"].points == 3


def test_a_students_words_are_shown_and_not_obeyed(room: Room) -> None:
    words = "Look\x1b[2J again\n2. ben, forged\u202e"
    done = pcn(room, "--ask", "ben", "--criterion", "ethics", "--text", words)
    assert done.exit_code == 0, done.output
    listed = pcn(room, "--requests").output
    assert r"   Look\x1b[2J again" in listed
    assert "\n   2. ben, forged\\u202e\n" in listed
    assert listed.isascii() or "\u202e" not in listed


def test_what_can_t_be_done_is_said_in_a_sentence(room: Room) -> None:
    for words, why in (
        (("--hold", "--release"), "Choose one of --release and --hold"),
        (("--answer", "1"), "needs --text"),
        (("--answer", "7", "--text", "Yes."), "There is no request 7"),
        (("--ask", "eva", "--text", "Please."), "no submission"),
        (("--ask", "ada", "--text", "Please.", "--criterion", "luck"), "no criterion"),
        (("--ask", "ada", "--text", " "), "1 to 4,000 characters"),
    ):
        done = pcn(room, *words)
        assert done.exit_code
        assert why in done.output
    assert "Nobody asked" in pcn(room, "--requests").output
    done = CliRunner().invoke(main, ["feedback", "step-9", "--room", str(room.root)])
    assert done.exit_code == 1
    assert STEP in done.output


def test_points_are_for_a_criterion_and_from_the_rubric(room: Room) -> None:
    pcn(room, "--ask", "ada", "--text", "Please look at all of it.")
    done = pcn(room, "--answer", "1", "--text", "Done.", "--points", "4")
    assert "about the whole" in done.output
    pcn(room, "--ask", "ada", "--text", "And here.", "--criterion", "ethics")
    assert (
        "Points are from 0 to 4"
        in pcn(room, "--answer", "2", "--text", "Done.", "--points", "9").output
    )
    assert "without an answer: 2" in pcn(room).output


def test_names_of_word_files_are_safe_and_differ() -> None:
    assert word_name(STEP, "jdoe") == f"{STEP}+jdoe+feedback.docx"
    odd = ["../../etc/x", "..\\..\\x", "Ada", "ada", "a" * 200, "a" * 201, "ö", "ü"]
    names = [word_name(STEP, one) for one in odd]
    assert len({one.lower() for one in names}) == len(odd)
    for name in names:
        assert set(name) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-"
        )
        assert len(name) < 120


# ---- Files to upload to an LMS ----------------------------------------------------------------


NAMES = {
    "ada": ("canvas", "all.zip/doeada_1001_5001_step-1-goals+ada+20270120T100000Z.zip"),
    "ben": ("moodle", "all.zip/Ben Doe_77_assignsubmission_file_/x.zip"),
    "cyd": ("brightspace", "1-2 - Cyd Doe - Jan 20, 2027 1000 AM/x.zip"),
    "dan": ("blackboard", "Goals_dan_attempt_2027-01-20-10-00-00_x.zip"),
    "eve": ("canvas", "doeeve_1005_5005_answers.json"),
}


@pytest.fixture
def of_four(tmp_path: Path) -> Iterator[Room]:
    """Students of four LMSs, and uma of none: what each has as feedback, and how they came."""
    made = make_room(tmp_path / "course", [*NAMES, "uma"])
    for student in (*NAMES, "uma"):
        page = made.feedback / student / STEP / f"{STEP}.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<!doctype html><title>Feedback for {student}</title>")
        graded = made.root / made.autograded / student / STEP
        graded.mkdir(parents=True)
        nbformat.write(nbformat.v4.new_notebook(), graded / f"{STEP}.ipynb")
    keep_names(made.root, STEP, NAMES)
    (made.root / "roster.csv").write_text("id,first,last,username\ndan,Dan,Doe,dan\n")
    yield made
    made.close()


def page_of(student: str) -> bytes:
    return f"<!doctype html><title>Feedback for {student}</title>".encode()


def test_each_lms_gets_one_file_and_who_is_not_reached_is_named(of_four: Room) -> None:
    uploads, missed = write_uploads(of_four, STEP, read_names(of_four.root, STEP))
    assert [(one.lms, one.path.name, one.reached) for one in uploads] == [
        ("blackboard", f"{STEP}-blackboard.xls", 1),
        ("brightspace", f"{STEP}-brightspace.zip", 1),
        ("canvas", f"{STEP}-canvas.zip", 1),
        ("moodle", f"{STEP}-moodle.zip", 1),
    ]
    content = {one.lms: one.path.read_bytes() for one in uploads}
    name = "step-1-goals+ada+20270120T100000Z.zip"
    assert returns.canvas(content["canvas"], {5001: ("1001", name)}) == {"1001": page_of("ada")}
    assert returns.moodle(content["moodle"], {77: {}}) == {77: page_of("ben")}
    part = "1-2 - Cyd Doe - Jan 20, 2027 1000 AM"
    assert returns.brightspace(content["brightspace"], [part]) == {part: page_of("cyd")}
    said = returns.blackboard(content["blackboard"], ["dan"])
    assert said["dan"].startswith("3 of 20 points")
    assert sorted(missed) == ["eve", "uma"]
    assert "answers.json" in missed["eve"]
    assert {one.path.stat().st_mode & 0o077 for one in uploads} == {0}


def test_files_to_upload_are_replaced_with_intent_alone_and_go_when_held(of_four: Room) -> None:
    write_uploads(of_four, STEP, read_names(of_four.root, STEP))
    path = of_four.feedback / f"{STEP}-canvas.zip"
    before = path.read_bytes()
    done = pcn(of_four, "--release", "--even-unmarked")
    assert done.exit_code == 1
    assert "add --replace" in done.output
    assert "Nothing was changed." in done.output
    assert path.read_bytes() == before
    assert release_state(of_four.engine, STEP) is None
    held = pcn(of_four, "--hold")
    assert f"Removed: {path}." in held.output
    assert not upload_files(of_four, STEP)


def test_what_is_wrong_with_a_download_is_said_before_anything_is_written(of_four: Room) -> None:
    table = of_four.root / "gc.csv"
    table.write_text("Last Name,First Name,Username,Goals |12\nDoe,Dan,dan,3\n")
    done = pcn(of_four, "--release", "--even-unmarked", "--blackboard", table)
    assert done.exit_code == 1
    assert "no column for feedback" in done.output
    names = of_four.root / ".pcn" / "lms" / f"{STEP}.json"
    names.write_text("{")
    done = pcn(of_four, "--release", "--even-unmarked")
    assert done.exit_code == 1
    assert f"{names} can't be read" in done.output
    assert release_state(of_four.engine, STEP) is None
    assert not upload_files(of_four, STEP)

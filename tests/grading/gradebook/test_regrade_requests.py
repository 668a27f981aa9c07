"""Requests for regrading on their way through a real exchange. All students are made up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pcn_course import exchange
from pcn_course.course import load_course
from pcn_course.exchange import HandInError, ask_again, requests_made
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.regrade_requests import (
    Request,
    RequestError,
    answer,
    requests_of,
    take_in,
)
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import events
from tests.support.nbgrader_course import Course, Instructor, Student
from tests.support.room import make_room

STEP = "step-1-goals"
WORDS = "I named whom it concerns, in the second answer. <script>alert(1)</script> שלום 🙂"


@dataclass
class Class:
    """A room with ada and ben in it, an exchange, and ada's workspace."""

    course: Course
    room: Room
    ada: Student
    inbound: Path

    @property
    def marking(self) -> Marking:
        return Marking(self.room, "kim")

    def ask(self, criterion: str | None, text: str) -> exchange.Asked:
        step = self.course.content.step(STEP)
        with self.ada.at_work():
            return ask_again(self.ada.workspace, step, criterion, text, course=self.course.content)

    def lay(self, name: str, **content: Any) -> Path:
        """A request that somebody put there by hand."""
        folder = self.inbound / name
        folder.mkdir(parents=True)
        sent = {"course": "pcn", "step": STEP, "criterion": None, "text": "By hand.", **content}
        (folder / "request.json").write_text(json.dumps(sent))
        return folder


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Class]:
    room = make_room(tmp_path / "course", ["ada", "ben"])
    folder = tmp_path / "exchange"
    inbound = folder / "pcn" / "inbound"
    inbound.mkdir(parents=True)
    folder.chmod(0o777)
    config = room.root / "nbgrader_config.py"
    with config.open("a") as file:
        # The tests' students are all one user of the system.
        file.write(f"\nc.Exchange.root = {str(folder)!r}\nc.ExchangeCollect.check_owner = False\n")
    room.close()
    room = open_room(room.root)
    home = tmp_path / "instructor"
    home.mkdir()
    course = Course(
        tmp_path / "course", folder, Instructor(home, room.root), load_course(tmp_path / "course")
    )
    yield Class(course, room, Student.join(course, tmp_path / "ada", "ada"), inbound)
    room.close()


def test_a_request_reaches_the_instructor_and_hands_nothing_in(given: Class) -> None:
    made = given.ask("ethics", f"  {WORDS}\n")
    assert (made.how, made.text) == ("exchange", WORDS)
    new, odd = take_in(given.marking, STEP)
    assert odd == []
    (one,) = new
    assert (one.student, one.criterion, one.text, one.answer) == ("ada", "ethics", WORDS, None)
    assert abs(one.at - made.when) < dt.timedelta(minutes=2)
    assert take_in(given.marking, STEP) == ([], [])
    # The same words again are the request that is there.
    assert given.ask("ethics", WORDS) == made
    step = given.course.content.step(STEP)
    assert requests_made(given.ada.workspace, step) == [made]
    assert given.ada.workspace.receipts(step) == ()
    (sent,) = given.inbound.iterdir()
    assert [path.name for path in sent.iterdir()] == ["request.json"]
    # What nbgrader collects is looked for by this name, which is none of a request's.
    assert list(given.inbound.glob(f"*+{STEP}+*")) == []
    before = given.marking.submission("ada", STEP).handed_in
    given.course.instructor.nbgrader("collect", "--update", STEP)
    assert given.marking.submission("ada", STEP).handed_in == before
    done = answer(given.marking, one.id, "You did.", 3)
    assert (done.before, done.after, done.answered_by) == (None, 3, "kim")
    with given.room.engine.connect() as connection:
        log = [row.what for row in connection.execute(events.select().order_by(events.c.id))]
    assert log == ["request", "mark", "request"]


def test_without_an_exchange_the_words_are_kept_to_be_sent(
    given: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "has_nbgrader_config", lambda _: False)
    made = given.ask(None, "Please look at all of it.")
    assert made.how == "none"
    assert requests_made(given.ada.workspace, given.course.content.step(STEP)) == [made]
    assert take_in(given.marking, STEP) == ([], [])
    for criterion, text, why in ((None, " ", "1 to 4,000"), ("luck", "Please.", "no such")):
        with pytest.raises(HandInError, match=why):
            given.ask(criterion, text)


def test_what_is_no_request_or_anothers_is_left_out_and_named(given: Class, tmp_path: Path) -> None:
    when = "2027-01-20 10:00:00.000000 UTC"
    about = f"{STEP}.request"
    given.lay(f"ben/ben+{about}+{when}+x", text="From my own folder.")
    wrong = {
        f"ben/ada+{about}+{when}+x": given.lay(f"ben/ada+{about}+{when}+x"),
        "other step": given.lay(f"ada+{about}+{when}+a", step="step-3-tools"),
        "no text": given.lay(f"ada+{about}+{when}+b", text=""),
        "no criterion": given.lay(f"ada+{about}+{when}+c", criterion="luck"),
        "nobody": given.lay(f"zoe+{about}+{when}+d"),
        "long": given.lay(f"ada+{about}+{when}+e", text="x" * 70_000),
        "deep": given.lay(f"ada+{about}+{when}+f"),
        "link": given.lay(f"ada+{about}+{when}+g"),
    }
    (wrong["deep"] / "request.json").write_text("[" * 50_000)
    secret = tmp_path / "secret.json"
    (wrong["link"] / "request.json").rename(secret)
    (wrong["link"] / "request.json").symlink_to(secret)
    new, odd = take_in(given.marking, STEP)
    print("\n".join(odd))
    assert [(one.student, one.text) for one in new] == [("ben", "From my own folder.")]
    assert new[0].at == dt.datetime(2027, 1, 20, 10, tzinfo=dt.UTC)
    assert len(odd) == len(wrong)
    assert {line.partition(": ")[0] for line in odd} == {one.name for one in wrong.values()}


def taken_in_strictly(given: Class) -> tuple[list[Request], list[str]]:
    """What comes in where a folder's owner has to be who its name says."""
    with (given.room.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.ExchangeCollect.check_owner = True\n")
    strict = open_room(given.room.root)
    try:
        return take_in(Marking(strict, "kim"), STEP)
    finally:
        strict.close()


def test_nobody_asks_in_anothers_name_and_nobody_floods(given: Class) -> None:
    when = "2027-01-20 10:00:00.000000 UTC"
    for number in range(25):
        given.lay(f"ada+{STEP}.request+{when}+{number}", text=f"Number {number}.")
    new, odd = taken_in_strictly(given)
    assert new == []
    assert len(odd) == 25
    assert "check_owner" in odd[0]
    new, odd = take_in(given.marking, STEP)
    assert (len(new), len(odd)) == (20, 5)
    assert take_in(given.marking, STEP)[0] == []


def test_a_folder_with_a_students_name_says_nothing_where_everybody_can_make_it(
    given: Class,
) -> None:
    when = "2027-01-20 10:00:00.000000 UTC"
    given.lay(f"ben/ben+{STEP}.request+{when}+x", text="Put there by another.")
    new, odd = taken_in_strictly(given)
    assert new == []
    assert len(odd) == 1
    assert "It says that ben sent it, and belongs to" in odd[0]


def test_what_can_not_be_looked_at_hides_no_request(given: Class) -> None:
    when = "2027-01-20 10:00:00.000000 UTC"
    (given.inbound / "a").symlink_to("x" * 300)
    (given.inbound / f"a+{STEP}.request+{when}+r").symlink_to("x" * 300)
    given.lay(f"ben/ben+{STEP}.request+{when}+x", text="From my own folder.")
    new, odd = take_in(given.marking, STEP)
    assert [(one.student, one.text) for one in new] == [("ben", "From my own folder.")]
    assert len(odd) == 1


def test_of_very_many_the_newest_are_read(given: Class) -> None:
    for number in range(70):
        when = f"2027-01-20 10:{number % 60:02}:0{number // 60}.000000 UTC"
        given.lay(f"ada+{STEP}.request+{when}+x", text="" if number else "The oldest.")
    given.lay(f"ada+{STEP}.request+2027-01-21 10:00:00.000000 UTC+x", text="The newest.")
    new, odd = take_in(given.marking, STEP)
    assert [one.text for one in new] == ["The newest."]
    assert odd[0] == "ada: There are 71 requests; the newest 50 were read."
    assert len(odd) == 50


def test_an_answer_stays_as_it_is(given: Class) -> None:
    given.lay(f"ben+{STEP}.request+2027-01-20 10:00:00.000000 UTC+x", criterion="ethics")
    ((one,), _) = take_in(given.marking, STEP)
    given.marking.give("ben", STEP, "ethics", 2)
    done = answer(given.marking, one.id, "It stays.")
    assert (done.before, done.after) == (2, 2)
    with pytest.raises(RequestError, match="answered by kim already"):
        answer(Marking(given.room, "lee"), one.id, "No.", 0)
    assert given.marking.submission("ben", STEP).marks["ethics"].points == 2
    assert requests_of(given.room.engine, student="ada") == []

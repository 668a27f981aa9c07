"""Who read or changed marks is kept, whichever way they took, without a word of anybody's.

All students here are made up.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import SQLAlchemyError

from pcn_course.admin.purge import purge
from pcn_course.cli import main
from pcn_course.grading.feedback.release import set_release_state
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.gradebook.marks import Conflict, Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.late.penalties import recalculate
from pcn_course.instructor.marking import Marking as Page
from tests.support.nbgrader_course import Instructor
from tests.support.room import HANDED_IN, make_room

STEP = "step-1-goals"
WORDS = "A word that is nobody else's business"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("JUPYTERHUB_USER", "prof")
    made = make_room(tmp_path / "course", ("ada", "ben"))
    (made.root / audit_log.FILE).unlink(missing_ok=True)
    return made


def said(room: Room) -> list[tuple[Any, ...]]:
    lines, odd = audit_log.read(room.root)
    assert not odd
    return [(it.what, it.student, it.step, it.criterion, it.before, it.after) for it in lines]


def test_what_is_done_on_the_marking_page_is_kept(room: Room) -> None:
    marking = Marking(room, "prof")
    marking.give("ada", STEP, "reasoning", 3, seen=None)
    marking.give("ada", STEP, "reasoning", 4, seen=3)
    marking.say("ada", STEP, "ethics", WORDS)
    marking.undo(STEP)
    with pytest.raises(Conflict):
        Marking(room, "tutor").give("ada", STEP, "reasoning", 1, seen=None)
    set_release_state(room.engine, STEP, "held", "prof")
    length = len(WORDS)
    assert said(room) == [
        ("mark", "ada", STEP, "reasoning", None, 3),
        ("mark", "ada", STEP, "reasoning", 3, 4),
        ("comment", "ada", STEP, "ethics", 0, length),
        ("comment, taken back", "ada", STEP, "ethics", length, 0),
        ("released", "*", STEP, "", None, "held"),
    ]
    file = room.root / audit_log.FILE
    assert WORDS not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    lines, _ = audit_log.read(room.root)
    assert {one.who for one in lines} == {"prof"}
    assert all(dt.datetime.now(dt.UTC) - one.at < dt.timedelta(minutes=1) for one in lines)


def test_who_reads_a_submission_is_kept_and_by_which_name(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(room)
    heard: list[dict[str, Any]] = []
    monkeypatch.setattr(page, "send", heard.append)

    def ask(kind: str, **more: Any) -> dict[str, Any]:
        page._receive(page, {"type": kind, "client": "one", "seq": 1, **more}, [])
        return heard.pop()

    ask("open", marker="somebody else")
    listed = ask("list", step=STEP)["submissions"]
    assert said(room) == []
    for one in listed:
        assert ask("read", step=STEP, student=one["student"])["type"] == "submission"
    ask("names", step=STEP)
    assert sorted(said(room)) == [
        ("names", "", STEP, "", None, None),
        ("read", "ada", STEP, "", None, None),
        ("read", "ben", STEP, "", None, None),
    ]
    # On a hub nobody is who they say, but who has logged in.
    assert {(one.who, one.marker) for one in audit_log.read(room.root)[0]} == {("prof", "")}


def test_what_nbgrader_itself_writes_is_kept(room: Room) -> None:
    with room.gradebook() as gradebook:
        grade = gradebook.find_grade("ethics", STEP, STEP, "ben")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        gradebook.find_comment("ethics", STEP, STEP, "ben").manual_comment = WORDS
        gradebook.db.commit()
        grade.manual_score = 4
        gradebook.db.rollback()
        assert len(said(room)) == 2, "what was not committed has not happened"
        gradebook.find_assignment(STEP).duedate = HANDED_IN.replace(tzinfo=None)
        gradebook.db.commit()
        gradebook.grant_extension(STEP, "ben", hours=12)
        gradebook.remove_submission(STEP, "ada")
    assert said(room) == [
        ("mark", "ben", STEP, "ethics", None, 2.5),
        ("comment", "ben", STEP, "ethics", None, len(WORDS)),
        ("extension", "ben", STEP, "", None, "12 h"),
        ("removed", "ada", STEP, "", None, None),
    ]


def test_what_late_csv_changes_is_kept(room: Room) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_assignment(STEP).duedate = HANDED_IN.replace(tzinfo=None) - dt.timedelta(2)
        gradebook.db.commit()
    (room.root / "late.csv").write_text(
        "what,student,step,value\npenalty,,all,1 point per day\nextension,ben,all,1 day\n"
    )
    recalculate(room)
    found = said(room)
    recalculate(room)
    assert said(room) == found, "nothing has changed"
    assert ("extension", "ben", STEP, "", "0 h", "24 h") in found
    assert {one[:3] for one in found if one[0] == "penalty"} == {
        ("penalty", who, STEP) for who in ("ada", "ben")
    }


def test_a_mark_that_can_not_be_noted_is_not_given(room: Room) -> None:
    (room.root / audit_log.FILE).mkdir(parents=True)
    marking = Marking(room, "prof")
    with pytest.raises((OSError, SQLAlchemyError)):
        marking.give("ada", STEP, "reasoning", 3, seen=None)
    assert marking.submission("ada", STEP).marks["reasoning"].points is None


def test_formgrader_is_watched_as_well(room: Room, tmp_path: Path) -> None:
    """By its own addresses, in a server of its own."""
    with room.gradebook() as gradebook:
        submission = gradebook.find_submission_notebook(STEP, STEP, "ada").id
        grade = gradebook.find_grade("action", STEP, STEP, "ada").id
    folder = room.autograded / "ada" / STEP
    folder.mkdir(parents=True)
    notebook = (room.root.parent / "notebooks" / STEP / f"{STEP}.ipynb").read_text()
    (folder / f"{STEP}.ipynb").write_text(notebook)
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with Instructor(tmp_path, room=room.root).formgrader() as address:
        with browser.open(f"{address}/submissions/{submission}/") as answer:
            assert answer.status == 200
        token = next(one.value for one in cookies if one.name == "_xsrf") or ""
        body = json.dumps({"manual_score": 2, "extra_credit": 0}).encode()
        asked = urllib.request.Request(  # noqa: S310 (our own server)
            f"{address}/api/grade/{grade}", data=body, method="PUT",
            headers={"X-XSRFToken": token, "Content-Type": "application/json"},
        )  # fmt: skip
        with browser.open(asked) as answer:
            assert json.load(answer)["manual_score"] == 2
    found = said(room)
    assert found[0] == ("read", "ada", STEP, "", None, None)
    assert ("mark", "ada", STEP, "action", None, 2) in found


def test_the_command_shows_what_is_asked_for(room: Room) -> None:
    marking = Marking(room, "=prof()")
    marking.give("ada", STEP, "reasoning", 3)
    marking.give("ben", STEP, "ethics", 1)

    def pcn(*options: str) -> str:
        result = CliRunner().invoke(main, ["audit", "--room", str(room.root), *options])
        assert result.exit_code == 0, result.output
        return result.output

    assert "2 of 2 lines" in pcn()
    assert "ethics" not in pcn("--student", "ADA")
    assert "1 of 2 lines" in pcn("--student", "ada")
    assert "0 of 2 lines" in pcn("--since", "2999-01-01")
    rows = list(csv.DictReader(io.StringIO(pcn("--csv", "--since", "2000-01-01"))))
    assert [(one["who"], one["student"], one["after"]) for one in rows] == [
        ("prof", "ada", "3"), ("prof", "ben", "1")
    ]  # fmt: skip
    assert rows[0]["marker"] == "'=prof()"
    # Somebody's hand in the file is told, and hides nothing else.
    with (room.root / audit_log.FILE).open("ab") as file:
        file.write(b"not a line\n" + b'{"at": "2027-')
    marking.give("ben", STEP, "ethics", 2)
    output = pcn()
    assert "3 of 3 lines" in output
    assert "2 lines can't be read" in output


def test_who_is_removed_is_no_longer_named(room: Room) -> None:
    marking = Marking(room, "prof")
    for student in ("ada", "ben", "ada"):
        marking.give(student, STEP, "reasoning", 3)
        marking.give(student, STEP, "reasoning", 2)
    before = said(room)
    room.close()
    told = purge(open_room(room.root), "ada")
    assert said(room) == before, "it is only a list yet"
    assert f"logs: 4 lines, {room.root / audit_log.FILE}" in told.text()
    purge(open_room(room.root), "ada", yes=True)
    after = said(room)
    assert "ada" not in (room.root / audit_log.FILE).read_text()
    assert [one for one in after if one[1] == "ben"] == [one for one in before if one[1] == "ben"]
    others = {one[1] for one in after} - {"ben"}
    assert len(others) == 1
    assert others.pop().startswith("removed-")
    assert [one[2:] for one in after[: len(before)]] == [one[2:] for one in before]
    assert (room.root / audit_log.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="several processes by fork")
def test_two_who_write_at_once_lose_no_line(room: Room) -> None:
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            for _ in range(25):
                audit_log.write(
                    room.root, [audit_log.line("read", student=f"s{number}", step=STEP)]
                )
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert len(said(room)) == 100

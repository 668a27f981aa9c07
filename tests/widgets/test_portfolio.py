"""What the portfolio and the example answer to a page: a plan, a map, and files to take along."""

from __future__ import annotations

import base64
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pcn_course import open_example, open_portfolio
from pcn_course.answers.store import Edit
from pcn_course.course import default_root, load_course
from pcn_course.example import example_answers
from pcn_course.widgets import portfolio
from pcn_course.widgets.home import Home
from pcn_course.widgets.portfolio import Portfolio
from pcn_course.workspace import Workspace

COURSE = load_course(default_root())
SECRET = "what only the student knows"  # noqa: S105 (no password)
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>A drawing of the map</title></svg>'
FILES = ("page", "word", "calendar", "members", "ties", "graph")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """The workspace of somebody who wrote what the example's student did, and a private note."""
    for step in COURSE.steps:
        fields = example_answers(COURSE, step).fields
        write(workspace, step.name, **{key: field.value for key, field in fields.items()})
    write(workspace, "goals", **{"private-note": SECRET})
    return workspace


def write(workspace: Workspace, step: str, **values: Any) -> None:
    store = workspace.store(COURSE, COURSE.step(step))
    fields = store.load().fields
    edits = {
        key: Edit(value, fields[key].version if key in fields else 0)
        for key, value in values.items()
    }
    saved = store.save("a test", edits)
    assert (saved.conflicts, saved.invalid) == ({}, {})


def ask(widget: Portfolio | Home, kind: str, **more: Any) -> dict[str, Any]:
    """What a page hears when it asks."""
    heard: list[dict[str, Any]] = []
    message = {"type": kind, "client": "one", **more}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widget, "send", lambda one: heard.append(json.loads(json.dumps(one))))
        with ThreadPoolExecutor(1) as thread:  # without a loop, whatever ran before
            thread.submit(widget._receive, widget, message, []).result()
    assert [one["client"] for one in heard] == ["one"]
    return heard[0]


def take(widget: Portfolio, what: str, **more: Any) -> tuple[str, bytes]:
    """A file's name and content."""
    reply = ask(widget, "take", what=what, **{"private": False, **more})
    assert reply["type"] == "file", reply
    return reply["filename"], base64.b64decode(reply["data"], validate=True)


def test_an_empty_workspace_has_an_empty_plan(workspace: Workspace) -> None:
    state = ask(Portfolio(COURSE, workspace), "open")
    assert state["empty"] is True
    assert (state["plan"], state["map"], state["then"]) == ("", None, None)
    assert [step["number"] for step in state["steps"]] == [1, 2, 3, 4, 5]
    assert not workspace.folder(COURSE.steps[0]).exists()


def test_the_plan_says_what_the_student_said_and_nothing_private(filled: Workspace) -> None:
    state = ask(Portfolio(COURSE, filled), "open")
    assert state["empty"] is False
    assert "A warm handover from our county hospital" in state["plan"]
    assert SECRET not in json.dumps(state)
    assert state["answers"] == ""


def test_what_a_student_wrote_is_words_in_the_plan(filled: Workspace) -> None:
    write(filled, "goals", **{"live-project": "<script>alert(1)</script>"})
    plan = ask(Portfolio(COURSE, filled), "open")["plan"]
    assert "<script" not in plan
    assert "&lt;script&gt;" in plan


def test_the_map_is_drawn_from_what_it_tells_and_no_more(filled: Workspace) -> None:
    drawn = ask(Portfolio(COURSE, filled), "open")["map"]
    assert len(drawn["members"]) == 9
    assert len(drawn["lines"]) == 7
    assert drawn["members"][0]["person"] == "Discharge nurse, county hospital"
    assert "how-met" not in drawn["members"][0]
    sector = next(one for one in drawn["people"]["columns"] if one["key"] == "sector")
    assert {"value": "health", "label": "Health care"} in sector["options"]


def test_who_does_not_want_to_be_listed_is_called_by_their_part(filled: Workspace) -> None:
    people = [
        {"id": "a", "person": "KG", "role": "peer", "consent": "no"},
        {"id": "b", "person": "LM", "consent": "yes"},
        {"id": "c", "person": "NO", "status": "withdrawn"},
    ]
    write(filled, "connections", people=people)
    called = ask(Portfolio(COURSE, filled), "open")["map"]["called"]
    assert called == {"a": "Peer", "c": "Somebody who is not listed"}


@pytest.mark.parametrize("people", [[], "nobody", [3, None], [{"id": "a"}], {"a": 1}])
def test_without_members_there_is_no_map(filled: Workspace, people: Any) -> None:
    path = filled.folder(COURSE.step("connections")) / "answers.json"
    document = json.loads(path.read_text("utf-8"))
    document["fields"]["people"]["value"] = people
    path.write_text(json.dumps(document), encoding="utf-8")
    state = ask(Portfolio(COURSE, filled), "open")
    assert state["type"] == "portfolio"
    assert state["map"] is None


def test_then_and_now_compares_with_the_first_submission(filled: Workspace) -> None:
    widget = Portfolio(COURSE, filled)
    assert ask(widget, "open")["then"] is None
    step = COURSE.step("connections")
    people = filled.answers(step).fields["people"].value
    write(filled, "connections", people=people[:4])
    filled.add_snapshot(COURSE, step, NOON)
    write(filled, "connections", people=people)
    filled.add_snapshot(COURSE, step, NOON + dt.timedelta(days=30))
    then = ask(widget, "open")["then"]
    assert then["since"] == NOON.isoformat()
    assert then["changes"]
    assert "9" in " ".join(then["changes"])


@pytest.mark.parametrize("what", FILES)
def test_every_file_comes_whole_under_a_name_of_its_kind(filled: Workspace, what: str) -> None:
    name, content = take(Portfolio(COURSE, filled), what)
    assert name.startswith("pcn-")
    begins = {
        "page": (".html", b"<!doctype html>"),
        "word": (".docx", b"PK"),
        "calendar": (".ics", b"BEGIN:VCALENDAR"),
        "members": (".csv", b""),
        "ties": (".csv", b""),
        "graph": (".graphml", b"<?xml"),
    }
    ending, start = begins[what]
    assert name.endswith(ending)
    assert content[:40].lower().startswith(start.lower())
    assert len(content) > 100


@pytest.mark.parametrize("what", FILES)
def test_every_file_comes_from_an_empty_workspace_too(workspace: Workspace, what: str) -> None:
    assert take(Portfolio(COURSE, workspace), what)[1]


def test_private_notes_are_in_a_file_only_when_asked_for(filled: Workspace) -> None:
    widget = Portfolio(COURSE, filled)
    assert SECRET.encode() not in take(widget, "page")[1]
    assert SECRET.encode() in take(widget, "page", private=True)[1]
    assert SECRET.encode() not in take(widget, "page")[1], "never remembered"
    for what in ("calendar", "members", "ties", "graph"):
        assert SECRET.encode() not in take(widget, what, private=True)[1]


def test_the_pages_drawing_stands_in_the_document(filled: Workspace) -> None:
    widget = Portfolio(COURSE, filled)
    html = take(widget, "page", map=SVG)[1].decode()
    assert "A drawing of the map</title></svg>" in html
    bad = SVG.replace("<title", "<script>alert(1)</script><title")
    html = take(widget, "page", map=bad)[1].decode()
    assert "alert(1)" not in html
    assert "A drawing of the map" not in html


def test_a_message_that_is_not_in_the_protocol_is_refused(
    filled: Workspace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = Portfolio(COURSE, filled)
    monkeypatch.setattr(widget, "send", pytest.fail)
    for content in (
        {"type": "take", "client": "one", "what": "everything", "private": False},
        {"type": "take", "client": "one", "what": "page"},
        {"type": "take", "client": "one", "what": "page", "private": True, "map": "x" * 1_000_001},
        {"type": "save", "client": "one", "seq": 1, "fields": {}},
    ):
        widget._receive(widget, content, [])
    assert len(caplog.records) == 4


def test_an_error_of_ours_is_told_in_plain_words(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(portfolio, "plan_html", broken)
    reply = ask(Portfolio(COURSE, filled), "open")
    assert reply["type"] == "problem"
    assert "Your answers are kept" in reply["message"]
    assert SECRET not in reply["message"]
    assert "RuntimeError" in caplog.text


def test_the_example_is_the_example_whoever_looks(filled: Workspace) -> None:
    write(filled, "goals", **{"live-project": "My own project"})
    widget = Portfolio(COURSE, filled, example=True)
    state = ask(widget, "open")
    assert state["example"] is True
    assert state["then"] is None
    assert "A warm handover" in state["plan"]
    assert state["answers"].count("<h2") == 5
    assert "I keep promises and I keep lists" in state["answers"]
    name, content = take(widget, "page", private=True)
    assert "example" in name
    assert SECRET.encode() not in content
    assert b"My own project" not in content
    assert "My own project" not in json.dumps(state)


def test_notebooks_open_both(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(filled.root)
    assert "A warm handover" in ask(open_portfolio(), "open")["plan"]
    assert ask(open_example(), "open")["example"] is True


def test_home_leads_to_the_pages_that_are_there(workspace: Workspace) -> None:
    home = Home(COURSE, workspace)
    assert ask(home, "open")["pages"] == []
    workspace.fill(COURSE)
    assert ask(home, "open")["pages"] == ["portfolio.ipynb", "example.ipynb"]


def test_answers_without_anything_for_the_plan_say_what_begins_it(workspace: Workspace) -> None:
    step = COURSE.step("connections")
    workspace.store(COURSE, step).save("a test", {"quality-online-connection": Edit("Trust.", 0)})
    state = ask(Portfolio(COURSE, workspace), "open")
    assert not state["empty"]
    assert "name your project" in state["plan"]

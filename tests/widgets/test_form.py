"""What a form answers to a page: handed messages directly, and by the comm of a real kernel."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from pcn_course import exchange, open_step
from pcn_course.course import Course, load_course
from pcn_course.widgets.form import Form
from pcn_course.widgets.home import Home
from pcn_course.workspace import Receipt, Workspace

BASE = Path(__file__).parents[1] / "courses" / "base"
STEP = "step-1-goals"
SECRET = "what a student wrote"  # noqa: S105 (no password)
MOST_BYTES = 26_000


class Visitor:
    """A page's view, as far as a form sees one."""

    def __init__(self, form: Form | Home, client: str = "one") -> None:
        self.form = form
        self.client = client
        self.seq = 0
        self.heard: list[dict[str, Any]] = []
        self.news = threading.Condition()
        form.__dict__["send"] = self._hear

    def _hear(self, content: Any, _: Any = None) -> None:
        with self.news:
            self.heard.append(json.loads(json.dumps(content)))
            self.news.notify_all()

    def say(self, content: Any, buffers: tuple[bytes, ...] = ()) -> None:
        # In a thread without a loop: Playwright, once another test has started it, leaves a loop
        # in this one that runs only while a page is asked for something.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(self.form._receive, self.form, content, list(buffers)).result()

    def ask(self, kind: str, **more: Any) -> dict[str, Any]:
        before = len(self.heard)
        self.say({"type": kind, "client": self.client, **more})
        return self.reply(before)

    def reply(self, before: int) -> dict[str, Any]:
        with self.news:
            assert self.news.wait_for(lambda: len(self.heard) > before, timeout=60)
        assert self.heard[before]["client"] == self.client
        return self.heard[before]

    def save(self, **values: Any) -> dict[str, Any]:
        """Save values, each started from the version that is given with it."""
        self.seq += 1
        fields = {
            key.replace("_", "-"): {"value": value, "base": base}
            for key, (value, base) in values.items()
        }
        return self.ask("save", seq=self.seq, fields=fields)


@pytest.fixture
def course() -> Course:
    return load_course(BASE)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def form(course: Course, workspace: Workspace) -> Form:
    return Form(course, course.step("goals"), workspace)


@pytest.fixture
def visitor(form: Form) -> Visitor:
    return Visitor(form)


def saved_answers(workspace: Workspace) -> dict[str, Any]:
    read = json.loads((workspace.root / STEP / "answers.json").read_bytes())
    fields: dict[str, Any] = read["fields"]
    return fields


# ---- Opening and saving ------------------------------------------------------------------------


def test_opening_tells_all_and_writes_no_answers(visitor: Visitor, workspace: Workspace) -> None:
    state = visitor.ask("open")
    assert state["type"] == "state"
    assert state["step"]["number"], state["step"]["of"] == (1, 2)
    kinds = {prompt["key"]: prompt["kind"] for prompt in state["step"]["prompts"]}
    assert kinds["people"] == "table"
    assert [step["state"] for step in state["steps"]] == ["not-started", "not-started"]
    assert state["fields"] == {}
    assert state["saved_at"] is None
    assert state["user"] == workspace.user
    assert not (workspace.root / STEP / "answers.json").exists()


def test_what_was_acknowledged_is_on_disk_and_comes_back(
    visitor: Visitor, workspace: Workspace
) -> None:
    ack = visitor.save(why=("Because.", 0), live_project=("A pathway", 0))
    assert ack["type"] == "ack"
    assert ack["versions"] == {"why": 1, "live-project": 1}
    assert saved_answers(workspace)["why"]["value"] == "Because."
    state = visitor.ask("open")
    assert state["fields"]["why"] == {"value": "Because.", "version": 1}
    assert state["past"] == ["live-project", "why"]


def test_what_only_the_student_sees_counts_as_saved(visitor: Visitor) -> None:
    ack = visitor.save(private_note=("My own", 0))
    assert visitor.ask("open")["saved_at"] == ack["saved_at"]


def test_a_private_answer_never_reaches_what_is_handed_in(
    visitor: Visitor, workspace: Workspace
) -> None:
    visitor.save(why=("Because.", 0), private_note=("My own", 0))
    assert "private-note" not in saved_answers(workspace)
    assert visitor.ask("open")["fields"]["private-note"]["value"] == "My own"
    assert "My own" not in visitor.ask("preview")["html"]


def test_another_view_gets_a_conflict_with_all_that_a_merge_needs(form: Form) -> None:
    one, other = Visitor(form, "one"), Visitor(form, "other")
    other.save(why=("Base.", 0))
    form.__dict__["send"] = one._hear
    one.save(why=("Base. One.", 1))
    form.__dict__["send"] = other._hear
    ack = other.save(why=("Base. Other.", 1))
    assert ack["versions"] == {}
    assert ack["conflicts"]["why"] == {"value": "Base. One.", "version": 2, "base_value": "Base."}
    [entry] = other.ask("history", key="why")["entries"]
    assert entry["value"] == "Base. Other."


def test_putting_a_version_back_keeps_the_one_that_stood(visitor: Visitor) -> None:
    visitor.save(why=("The first idea", 0))
    visitor.save(why=("Another one, as long", 1))
    visitor.save(why=("The first idea", 2))
    [entry] = visitor.ask("history", key="why")["entries"]
    assert entry["value"] == "Another one, as long"


def test_what_is_no_answer_is_named_and_the_rest_is_saved(
    visitor: Visitor, workspace: Workspace
) -> None:
    ack = visitor.save(why=("Because.", 0), people=("nobody", 0), made_up=({"x": 1}, 0))
    assert ack["versions"] == {"why": 1}
    assert set(ack["invalid"]) == {"people", "made-up"}
    assert set(saved_answers(workspace)) == {"why"}


def test_a_page_that_shows_another_version_of_the_step_submits_nothing(
    visitor: Visitor, course: Course, workspace: Workspace
) -> None:
    visitor.save(why=("Because.", 0))
    version = visitor.ask("open")["version"]
    step = course.step("goals")
    prompts = tuple(
        msgspec.structs.replace(one, required=True) if one.key == "people" else one
        for one in step.prompts
    )
    later = Visitor(Form(course, msgspec.structs.replace(step, prompts=prompts), workspace))
    assert later.ask("open")["version"] != version
    assert later.ask("submit", confirm=False, student=None, version=version)["type"] == "changed"
    assert visitor.ask("open")["version"] == version


def test_a_disk_that_refuses_is_told_in_plain_words(visitor: Visitor, workspace: Workspace) -> None:
    visitor.ask("open")
    (workspace.state / "history").write_text("a file where a folder must be")
    refused = visitor.save(why=("Because.", 0))
    assert refused["type"] == "refused"
    assert refused["seq"] == 1
    assert "Keep this page open" in refused["message"]
    (workspace.state / "history").unlink()
    assert visitor.save(why=("Because.", 0))["versions"] == {"why": 1}


def test_a_step_quotes_what_earlier_steps_say(course: Course, workspace: Workspace) -> None:
    following = Visitor(Form(course, course.step("next"), workspace))
    quote = {"label": "Which project?", "step": 1, "value": ""}
    assert following.ask("open")["quotes"] == {"goals.live-project": quote}
    Visitor(Form(course, course.step("goals"), workspace)).save(live_project=("A pathway", 0))
    assert following.ask("open")["quotes"]["goals.live-project"]["value"] == "A pathway"


def test_a_long_quote_is_shortened(course: Course, workspace: Workspace) -> None:
    Visitor(Form(course, course.step("goals"), workspace)).save(live_project=("word " * 9000, 0))
    following = Visitor(Form(course, course.step("next"), workspace))
    value = following.ask("open")["quotes"]["goals.live-project"]["value"]
    assert len(value) < 1300
    assert value.endswith(" …")


def test_an_unreadable_file_is_told_of(visitor: Visitor, workspace: Workspace) -> None:
    (workspace.root / STEP).mkdir(parents=True)
    (workspace.root / STEP / "answers.json").write_text("{")
    state = visitor.ask("open")
    assert "not deleted" in state["notices"][0]
    assert list((workspace.state / "set-aside").iterdir())


def test_a_long_history_does_not_flood_the_page(visitor: Visitor) -> None:
    for number in range(6):
        visitor.save(why=(f"{number} " * 100_000, number))
        visitor.save(why=("short", number))
    sent = json.dumps(visitor.ask("history", key="why"))
    assert 100_000 < len(sent) < 1_000_000


# ---- What is shown -------------------------------------------------------------------------------


def test_a_preview_shows_and_escapes_answers_and_can_reach_nothing(visitor: Visitor) -> None:
    visitor.save(why=('<img src="http://example.org/x" onerror="alert(1)">', 0))
    html = visitor.ask("preview")["html"]
    assert "&lt;img src=&#34;http://example.org/x&#34; onerror=" in html
    assert "<img" not in html
    assert "default-src 'none'" in html
    assert "Structure: 1 of 2 points" in html


def test_a_preview_names_what_points_to_somebody(visitor: Visitor) -> None:
    visitor.save(why=("Call Maria Gonzalez at 555-201-3344 in our small town.", 0))
    html = visitor.ask("preview")["html"]
    assert "Only you see this note" in html
    assert "“Maria Gonzalez”" in html
    assert "“555-201-3344”" in html
    visitor.save(why=("Call the coordinator in our small town.", 1))
    assert "Only you see this note" not in visitor.ask("preview")["html"]


def test_advice_is_firm_on_words_and_soft_on_a_draft_as_a_whole(workspace: Workspace) -> None:
    course = load_course()
    visitor = Visitor(Form(course, course.step("managing"), workspace))

    def advice(text: str) -> dict[str, Any]:
        return visitor.ask("advise", key="draft-to-share", text=text, number=1)

    soft = advice("My client is afraid that his brother will find out. What would you say to him?")
    assert soft["warnings"] == []
    assert soft["soft"].startswith("This reads as if it were about one person.")
    firm = advice("My client Maria told me that she left her husband in Boise.")
    assert [one["words"] for one in firm["warnings"]] == ["Maria", "Boise"]
    assert "soft" not in firm
    assert firm["note"].startswith("This reads as if it were about one person.")
    harmless = advice("Which forms do you use for respite care?")
    assert (harmless["warnings"], harmless["soft"]) == ([], "")


def test_feedback_is_shown_without_a_way_to_the_network(
    visitor: Visitor, workspace: Workspace
) -> None:
    when = "2026-11-20 10:42:00.000000 UTC"
    page = workspace.root / STEP / "feedback" / when / f"{STEP}.html"
    page.parent.mkdir(parents=True)
    page.write_text('<!DOCTYPE html><html><head lang="en"><script src="https://example.org/">')
    state = visitor.ask("open")
    assert state["feedback"] == [{"id": when, "when": "2026-11-20T10:42:00+00:00"}]
    shown = visitor.ask("feedback", id=when)
    assert shown["html"].startswith('<!DOCTYPE html><html><head lang="en"><meta http-equiv=')
    assert visitor.ask("feedback", id="../../secret")["type"] == "problem"


# ---- Handing in ----------------------------------------------------------------------------------


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "has_nbgrader_config", lambda _: False)


@pytest.mark.usefixtures("no_exchange")
def test_without_an_exchange_a_file_comes_with_its_receipt(
    visitor: Visitor, workspace: Workspace
) -> None:
    visitor.save(why=("Because.", 0))
    question = visitor.ask("submit", confirm=False, student=None)
    assert (question["type"], question["kind"]) == ("question", "student")
    receipt = visitor.ask("submit", confirm=False, student="ada")
    assert (receipt["type"], receipt["how"]) == ("receipt", "zip")
    assert receipt["filename"].startswith("step-1-goals+ada+")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(receipt["data"]))) as archive:
        answers = archive.read("answers.json")
    assert answers == (workspace.root / STEP / "answers.json").read_bytes()
    assert hashlib.sha256(answers).hexdigest() == receipt["sha256"]
    state = visitor.reply(visitor.heard.index(receipt) + 1)
    assert state["submitted"]["sha256"] == receipt["sha256"]
    assert not state["changed_since"]
    visitor.save(why=("Because of this.", 1))
    assert visitor.ask("open")["changed_since"]


@pytest.mark.usefixtures("no_exchange")
def test_nothing_to_hand_in_is_a_problem_in_plain_words(visitor: Visitor) -> None:
    problem = visitor.ask("submit", confirm=False, student="ada")
    assert problem["type"] == "problem"
    assert "answer a question first" in problem["message"]


def test_saves_go_on_while_a_step_is_handed_in(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slowly(*_: Any, **__: Any) -> Receipt:
        assert go_on.wait(60)
        raise exchange.HandInError("Not today.")

    monkeypatch.setattr(exchange, "hand_in", slowly)
    submit = {"type": "submit", "client": "one", "confirm": False, "student": None}
    visitor.say(submit)
    assert visitor.save(why=("Because.", 0))["type"] == "ack"
    assert "already" in visitor.ask("submit", confirm=False, student=None)["message"]
    before = len(visitor.heard)
    go_on.set()
    assert visitor.reply(before) == {"type": "problem", "client": "one", "message": "Not today."}


# ---- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        None,
        SECRET,
        [],
        {},
        {"type": "open"},
        {"type": SECRET, "client": "one"},
        {"type": "open", "client": ""},
        {"type": "open", "client": "<b>"},
        {"type": "open", "client": "one", SECRET: 1},
        {"type": "save", "client": "one", "seq": 1, "fields": {}},
        {"type": "save", "client": "one", "seq": "1", "fields": {"why": {"value": 1, "base": 0}}},
        {"type": "save", "client": "one", "seq": 0, "fields": {"why": {"value": 1, "base": 0}}},
        {"type": "save", "client": "one", "seq": 1, "fields": {"why": SECRET}},
        {"type": "save", "client": "one", "seq": 1, "fields": {SECRET: {"value": SECRET}}},
        {"type": "save", "client": "one", "seq": 1, "fields": {"why": {"base": SECRET}}},
        {"type": "history", "client": "one", "key": [SECRET]},
        {"type": "feedback", "client": "one", "id": SECRET * 100},
        {"type": "submit", "client": "one", "confirm": "yes", "student": None},
        {"type": "submit", "client": "one", "confirm": True},
        {"type": "execute", "client": "one", "code": SECRET},
    ],
)
def test_what_is_not_in_the_protocol_is_refused_and_logged_without_its_content(
    visitor: Visitor, workspace: Workspace, caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    visitor.say(content)
    assert visitor.heard == []
    assert not workspace.root.exists()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("pcn_course", logging.WARNING)
    assert SECRET not in caplog.text


def test_buffers_and_changes_of_traits_are_refused(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.say({"type": "open", "client": "one"}, buffers=(b"x",))
    before = visitor.form._esm
    visitor.form.set_state({"_esm": SECRET})
    assert visitor.form._esm == before
    assert visitor.heard == []
    assert len(caplog.records) == 2
    assert SECRET not in caplog.text


def test_home_takes_nothing_but_open(
    course: Course, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(Home(course, workspace))
    visitor.say({"type": "preview", "client": "one"})
    assert visitor.heard == []
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("kind", "more", "reply"),
    [
        ("open", {}, "problem"),
        ("save", {"seq": 1, "fields": {"why": {"value": SECRET, "base": 0}}}, "refused"),
    ],
)
def test_an_error_of_ours_reaches_the_log_and_not_the_page(
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    more: dict[str, Any],
    reply: str,
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a detail")

    monkeypatch.setattr(visitor.form._store, "load", broken)
    monkeypatch.setattr(visitor.form._store, "save", broken)
    answer = visitor.ask(kind, **more)
    assert answer["type"] == reply
    assert "a detail" not in answer["message"]
    assert "a detail" in caplog.text
    assert SECRET not in caplog.text


# ---- The notebook --------------------------------------------------------------------------------


@pytest.fixture
def in_step(course: Course, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = workspace.root / STEP
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PCN_COURSE", str(BASE))
    return folder


def test_grading_shows_answers_and_points_and_no_form(
    in_step: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("IPython.display.display", lambda html: shown.append(html.data))
    form = open_step("goals").form()
    assert form is not None
    Visitor(form).save(why=("Because <b>.", 0))
    before = sorted(workspace.root.rglob("*"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    step = open_step(STEP)
    assert step.form() is None
    step.review()
    points = step.check()
    assert type(points) is float
    assert points == 1.0
    assert "Because &lt;b&gt;." in shown[0]
    assert "Which project?" in shown[1]
    assert sorted(workspace.root.rglob("*")) == before


def test_a_folder_without_answers_is_not_written_to(in_step: Path, workspace: Workspace) -> None:
    step = open_step("goals")
    step.form()
    step.review()
    assert step.check() == 0.0
    assert list(workspace.root.rglob("*")) == [in_step]


def test_no_trait_holds_student_text_and_the_module_is_small(visitor: Visitor) -> None:
    before = set(visitor.form.get_state())
    visitor.save(why=(SECRET, 0))
    visitor.ask("open")
    state = visitor.form.get_state()
    assert SECRET not in json.dumps(state, default=str)
    assert set(state) == before
    assert len(state["_esm"].encode()) < MOST_BYTES


# ---- A real kernel -------------------------------------------------------------------------------


@pytest.fixture
def kernel(in_step: Path) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(in_step), env={**os.environ})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def heard_from(kernel: BlockingKernelClient, kind: str) -> dict[str, Any]:
    """The next message of a type that the form sends."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        message = kernel.get_iopub_msg(timeout=60)
        data = message["content"].get("data", {})
        content = data.get("content") if message["msg_type"] == "comm_msg" else None
        if isinstance(content, dict) and content.get("type") == kind:
            return content
        if message["msg_type"] == "stream":
            raise AssertionError(message["content"]["text"])
    raise AssertionError(f"no {kind}")


def test_the_form_speaks_by_the_comm_of_a_real_kernel(
    kernel: BlockingKernelClient, in_step: Path
) -> None:
    kernel.execute("from pcn_course import open_step\nopen_step('goals').form()")
    comm = ""
    while not comm:
        message = kernel.get_iopub_msg(timeout=60)
        if message["msg_type"] == "execute_result":
            view = message["content"]["data"]["application/vnd.jupyter.widget-view+json"]
            comm = view["model_id"]

    def say(content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": {"client": "one", **content}}
        message = kernel.session.msg("comm_msg", {"comm_id": comm, "data": data})
        kernel.shell_channel.send(message)

    say({"type": "open"})
    assert heard_from(kernel, "state")["step"]["name"] == "goals"
    say({"type": "save", "seq": 1, "fields": {"why": {"value": "Because.", "base": 0}}})
    assert heard_from(kernel, "ack")["versions"] == {"why": 1}
    assert (in_step / "answers.json").exists()
    say({"type": "submit", "confirm": False, "student": "ada"})
    say({"type": "save", "seq": 2, "fields": {"why": {"value": "So.", "base": 1}}})
    assert heard_from(kernel, "ack")["versions"] == {"why": 2}

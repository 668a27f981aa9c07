"""Who looks after the class sees how it goes, and never what somebody wrote.

All students here are made up, and so is what they write.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pcn_course.hub import health
from pcn_course.hub.forkserver import ForkServer
from pcn_course.hub.health import look
from pcn_course.hub.json_logs import JsonFormatter
from pcn_course.hub.settings import Settings
from pcn_course.hub.spawner import CourseSpawner
from pcn_course.hub.usage import FILE, Counts, read_counts
from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import STEP, Student, log_in
from tests.support.servers import until

pytestmark = [pytest.mark.timeout(300)]
on_a_hub = [needs_root, needs_proxy, pytest.mark.browser]

ODD = """(words) => new Promise((done) => {
  const { pcnBase, pcnKernel } = document.documentElement.dataset;
  const comm_id = document.querySelector(".pcn-widget").dataset.model;
  const line = new WebSocket(`${pcnBase}api/kernels/${pcnKernel}/channels?session_id=odd`);
  const data = { method: "custom", content: { type: "save", client: "odd", words } };
  const header = { msg_id: "odd", msg_type: "comm_msg", session: "odd", username: "", date: "" };
  const rest = { parent_header: {}, metadata: {}, content: { comm_id, data }, buffers: [] };
  line.onopen = () => done(line.send(JSON.stringify({ channel: "shell", header, ...rest })));
})"""


def ask(address: str, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"token {token}"} if token else {}
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310 (our own server)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def numbers(hub: ClassServer) -> dict[str, float]:
    token = (hub.settings.state / "metrics-token").read_text()
    status, text = ask(f"{hub.address}/hub/metrics", token)
    assert status == 200
    lines = (one.rpartition(" ") for one in text.splitlines() if one.startswith("pcn_"))
    return {name: float(value) for name, _, value in lines}


class TestOnAHub:
    pytestmark = on_a_hub

    def test_saves_are_counted_and_timed(self, hub: ClassServer, students: list[Student]) -> None:
        ada = students[0]
        ada.page.goto(ada.url(f"voila/render/{STEP}/{STEP}.ipynb"))
        ada.saved()
        before = numbers(hub)
        ada.write("a word that is counted")
        ada.saved()
        until(lambda: numbers(hub)["pcn_saves_total"] > before["pcn_saves_total"], within=30)
        now = numbers(hub)
        print({name: value for name, value in now.items() if "bucket" not in name})
        assert now["pcn_save_seconds_count"] == now["pcn_saves_total"]
        assert now['pcn_save_seconds_bucket{le="5.0"}'] >= len(students)
        assert now["pcn_save_seconds_sum"] > 0
        assert now["pcn_saves_failed_total"] == 0
        assert now["pcn_kernel_starts_total"] >= len(students)
        assert now["pcn_kernels"] >= 1
        assert now["pcn_pages"] >= 1
        assert now['pcn_spawn_seconds_count{role="student"}'] >= len(students)
        assert now["pcn_page_seconds_count"] >= len(students)

    def test_numbers_are_for_those_who_may_and_name_nobody(
        self, hub: ClassServer, students: list[Student]
    ) -> None:
        assert ask(f"{hub.address}/hub/metrics")[0] == 403
        assert students[0].get("/hub/metrics") == 403
        token = (hub.settings.state / "metrics-token").read_text()
        text = ask(f"{hub.address}/hub/metrics", token)[1]
        ours = "\n".join(one for one in text.splitlines() if "pcn_" in one)
        assert ours
        assert not [one.name for one in students if one.name in ours]
        # It opens nothing else.
        assert ask(f"{hub.address}/hub/api/users", token)[0] == 403

    def test_logs_are_json_and_hold_no_word_of_a_student(
        self, hub: ClassServer, students: list[Student], chromium: Browser
    ) -> None:
        ada = students[0]
        ada.page.goto(ada.url(f"voila/render/{STEP}/{STEP}.ipynb?quietly=kept"))
        ada.saved()
        # A lab is made of other applications than a student's server.
        lab = log_in(hub, chromium, "prof")
        expect(lab).to_have_url(f"{hub.address}/user/prof/lab", timeout=60_000)
        log = hub.log("hub")
        # Its last line may be on its way.
        lines = [json.loads(one) for one in log[: log.rindex("\n")].splitlines()]
        assert {"JupyterHub", "ServerApp", "LabApp"} <= {one["logger"] for one in lines}
        assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
        assert "ada" in {one.get("user") for one in lines}
        for student in students:
            assert student.text not in log
            # It was saved, all the same.
            kept = [one for one in hub.workspace(student.name).rglob("*.json*") if one.is_file()]
            assert any(student.text in one.read_text() for one in kept)
        assert "quietly" not in log
        assert "?" not in "".join(one["message"] for one in lines if "GET /" in one["message"])

    def test_what_goes_wrong_in_a_kernel_is_logged_without_the_words(
        self, hub: ClassServer, students: list[Student]
    ) -> None:
        ada = students[0]
        ada.page.goto(ada.url(f"voila/render/{STEP}/{STEP}.ipynb"))
        ada.saved()
        ada.page.evaluate(ODD, "words of mine that are in no protocol")

        def told() -> list[dict[str, str]]:
            log = hub.log("hub")
            lines = [json.loads(one) for one in log[: log.rindex("\n")].splitlines()]
            return [one for one in lines if "outside the protocol" in one["message"]]

        until(lambda: bool(told()), within=20)
        assert {(one["user"], one["page"], one["level"]) for one in told()} == {
            ("ada", STEP, "WARNING")
        }
        assert "words of mine" not in hub.log("hub")
        assert '"DEBUG"' not in hub.log("hub")

    def test_its_health_is_told_without_a_login(
        self, hub: ClassServer, students: list[Student]
    ) -> None:
        assert students
        status, text = ask(f"{hub.address}/hub/pcn/health")
        said = json.loads(text)
        assert (status, said.pop("ok")) == (200, True), text
        assert said == dict.fromkeys(("disk", "exchange", "gradebook", "fork_server"), True)
        # What it needs to be true.
        hub.settings.exchange.rename(hub.base / "away")
        try:
            assert not look(hub.settings)["exchange"]
            until(lambda: ask(f"{hub.address}/hub/pcn/health")[0] == 503, within=20)
        finally:
            (hub.base / "away").rename(hub.settings.exchange)
        until(lambda: ask(f"{hub.address}/hub/pcn/health")[0] == 200, within=20)

    def test_a_page_that_nobody_uses_is_warned_before_its_server_ends(
        self, chromium: Browser
    ) -> None:
        with ClassServer(forgotten_hours=8 / 3600, warning_minutes=3 / 60) as hub:
            eve = Student.log_in(hub, chromium, "eve")
            eve.page.goto(eve.url(f"voila/render/{STEP}/{STEP}.ipynb"))
            eve.write("before a long silence")
            eve.saved()
            server = hub.server_of("eve")
            note = eve.page.locator(".pcn-note[role=alert]").first
            here = eve.page.get_by_role("button", name="I am still here")
            # Somebody who reads says so, and somebody who types needn't.
            expect(note).to_contain_text("Your course closes at", timeout=20_000)
            here.click()
            expect(note).to_have_count(0)
            expect(here).to_be_visible(timeout=20_000)
            eve.write("still there")
            expect(note).to_have_count(0)
            assert hub.server_of("eve") == server, "a page in use keeps its server"
            # Then nobody does anything.
            again = eve.page.get_by_role("button", name="Open the course again")
            expect(again).to_be_visible(timeout=30_000)
            expect(note).to_contain_text("nobody had used it")
            until(lambda: not hub.pids("eve"), within=30)
            eve.write("after it was closed")
            eve.page.wait_for_timeout(3000)
            assert not hub.pids("eve"), "a page that nobody uses opens nothing by itself"
            again.click()
            eve.saved()
            expect(note).to_have_count(0)
            answers = hub.workspace("eve") / STEP / "answers.json"
            until(lambda: "after it was closed" in answers.read_text(), within=30)
            eve.page.context.close()


def test_counts_are_read_as_numbers_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / FILE
    counts = Counts(kernels_started=3, pages=1)
    counts.saves.add(0.2)
    counts.saves.add(100)
    counts.keep(tmp_path)
    read = read_counts(path)
    assert read is not None
    assert read == counts
    assert sum(read.saves.row) == 2
    good = json.loads(path.read_text())
    for bad in (
        {**good, "name": "ada"},
        {**good, "failed": -1},
        {**good, "failed": "3"},
        {**good, "saves": {"row": [1], "total": 0}},
    ):
        path.write_text(json.dumps(bad))
        assert read_counts(path) is None, bad
    path.write_text(json.dumps(good) + " " * 5000 + "x")
    assert read_counts(path) is not None, "what comes after is not read"
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(json.dumps(good))
    path.symlink_to(elsewhere)
    assert read_counts(path) is None
    path.unlink()
    os.mkfifo(path)
    assert read_counts(path) is None


def formatted(error: BaseException | None, words: str, *args: Any, **about: Any) -> dict[str, str]:
    name = about.pop("name", "pcn_course.widgets")
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, "somewhere.py", 7, words, args, exc_info)
    line = JsonFormatter(**about).format(record)
    assert "\n" not in line
    found: dict[str, str] = json.loads(line)
    return found


def test_a_log_line_tells_where_and_never_what() -> None:
    try:
        try:
            int("my mother's words")
        except ValueError as inner:
            raise KeyError("my own words") from inner
    except KeyError as error:
        line = formatted(error, "The answer failed: %s", error, user="ada", page=STEP)
    assert "words" not in json.dumps(line)
    assert line["exception"].splitlines()[0] == "KeyError"
    assert "ValueError" in line["exception"]
    assert "test_operating.py" in line["exception"]
    assert (line["message"], line["user"], line["page"]) == (
        "The answer failed: KeyError",
        "ada",
        STEP,
    )
    # Others' templates are known, and what stands in them isn't.
    strict = formatted(None, "Exception in callback: %s", "my words", name="comm", strict=True)
    assert strict["message"] == "Exception in callback: %s (somewhere.py:7)"
    assert "words" not in formatted(None, "my words", name="comm", strict=True)["message"]
    kernel = formatted(None, "%s", "ValueError: my words", name="pcn_course.kernel")
    assert kernel["message"] == "A page's kernel printed 20 characters: ValueError"
    asked = formatted(None, "302 GET /hub/x?next=%2F&token=ab -> /user/a?_xsrf=cd (ada@::1) 3 ms")
    assert asked["message"] == "302 GET /hub/x -> /user/a (ada@::1) 3 ms"


def test_each_thing_that_a_class_needs_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(folder=str(tmp_path))
    gradebook = settings.room / "gradebook.db"
    for folder in (settings.exchange, settings.room):
        folder.mkdir(parents=True)
    asked, asking = os.pipe()
    answered, answering = os.pipe()
    fork_server = ForkServer(os.fdopen(asking, "wb"), os.fdopen(answered, "rb"))
    monkeypatch.setattr(CourseSpawner, "fork_server", fork_server)
    well = dict.fromkeys(("disk", "exchange", "gradebook", "fork_server"), True)
    assert look(settings) == well
    # Somebody writes: that is no fault.
    with contextlib.closing(sqlite3.connect(gradebook)) as writer:
        writer.execute("CREATE TABLE grade (id)")
        writer.execute("BEGIN EXCLUSIVE")
        assert look(settings) == well
    gradebook.write_bytes(b"not a gradebook at all" * 100)
    assert look(settings) == {**well, "gradebook": False}
    gradebook.unlink()
    os.mkfifo(gradebook)
    with ThreadPoolExecutor(1) as apart:
        try:
            assert apart.submit(look, settings).result(10) == {**well, "gradebook": False}
        finally:  # whoever waits there is let go
            os.close(os.open(gradebook, os.O_RDWR | os.O_NONBLOCK))
    gradebook.unlink()
    os.close(answering)  # as when that process has ended
    assert look(settings) == {**well, "fork_server": False}
    monkeypatch.setattr(CourseSpawner, "fork_server", None)
    monkeypatch.setattr(health, "LEAST_FREE", 2**62)
    assert look(settings) == {**well, "disk": False}
    os.close(asked)

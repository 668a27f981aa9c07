"""A class to mark, the server that shows it, and somebody who marks with the keyboard alone.

room = class_to_mark(tmp_path / "course", 20)
with MarkingServer(room.root) as server:
    desk = Desk.open(context, server)
    desk.press("3")
    desk.saved()
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import BrowserContext, Page, expect

from pcn_course.course import Prompt, Step
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.notebooks import write_room_notebooks
from tests.support.room import hand_in, make_room
from tests.support.servers import free_port

STEP = "step-1-goals"
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&amp; <b>bold</b>'
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\w+")
_NO_LOOK = """const every = setInterval;
setInterval = (act, pause, ...more) => (pause === 20000 ? 0 : every(act, pause, ...more));"""
"""The page looks every 20 s whether others have graded; in a test that would be at any moment."""
_WORDS = (
    "We want families who leave the hospital to find a counsellor within two weeks",
    "So far the discharge nurse makes three phone calls and writes the names on paper",
    "What would change my mind is a list that somebody keeps and that is never out of date",
    "A colleague at the clinic said that she had tried it and gave up after a month",
)
"""Made up, as is everybody who is said to have written it."""


def class_to_mark(folder: Path, size: int, **options: Any) -> Room:
    """A room with ``size`` unmarked submissions of step 1; the last one is hostile."""
    students = [f"s{number:03}" for number in range(1, size + 1)]
    room = make_room(folder, students, (STEP,), **options)
    write_room_notebooks(room.root)
    for at, student in enumerate(students):
        hand_in(room, student, STEP, answers(room.course.step(STEP), at, hostile=at == size - 1))
    return room


def answers(step: Step, at: int, *, hostile: bool = False) -> dict[str, Any]:
    """What the student number ``at`` wrote: words that differ, or what a browser would run."""
    return {
        prompt.key: HOSTILE if hostile and prompt.kind in ("line", "text") else _answer(prompt, at)
        for prompt in step.prompts
        if not prompt.private
    }


def _answer(prompt: Prompt, at: int) -> Any:
    if prompt.refers:
        return None
    words = f"{_WORDS[(at + len(prompt.key)) % 4]}. {_WORDS[(at + 1) % 4]} ({at + 1})."
    match prompt.kind:
        case "line":
            return words[:80]
        case "text":
            return words
        case "choice":
            return prompt.options[at % len(prompt.options)].value
        case "choices":
            return [prompt.options[0].value]
        case "scale":
            return 1 + at % prompt.points
        case "date":
            return "2027-02-26"
        case "time":
            return "15:30"
    return [
        {"id": f"r{row}", **{one.key: _answer(one, at + row) for one in prompt.columns}}
        for row in range(2)
    ]


class MarkingServer:
    """``pcn grade`` in a room, as an instructor starts it. Use it in a ``with`` statement."""

    def __init__(self, room: Path, **settings: str) -> None:
        self.room = room
        self.port = free_port()
        self.environment = {**os.environ, "PCN_WARM_PAGES": "0", **settings}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self.address = ""

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    def start(self, within: float = 60.0) -> Self:
        """Start the server; return when it has printed its address."""
        command = [sys.executable, "-m", "pcn_course", "grade", "--no-browser", "--port", self.port]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment, cwd=self.room,
        )  # fmt: skip
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process, lines), daemon=True).start()
        self.address = ""
        while not self.address:
            try:
                line = lines.get(timeout=within)
            except queue.Empty:
                line = ""
            if not line:
                self.stop()
                raise AssertionError("the server gave no address:\n" + "".join(self.said))
            if found := _ADDRESS.search(line):
                self.address = found[0]
        return self

    def stop(self) -> None:
        """End it by its process id."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=60)
        self.process = None

    @property
    def page(self) -> str:
        """The address of the marking page."""
        parts = urllib.parse.urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}/voila/render/marking.ipynb"

    def _listen(self, process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            self.said.append(line)
            lines.put(line)
        lines.put("")


@dataclass(frozen=True)
class Desk:
    """The marking page in a browser, for somebody who marks."""

    page: Page

    @classmethod
    def open(cls, context: BrowserContext, server: MarkingServer, *, marker: str = "") -> Desk:
        """Sign in and open the page; ``marker`` says who marks."""
        assert context.request.get(server.address, max_redirects=0).status == 302
        page = context.new_page()
        page.add_init_script(_NO_LOOK)
        if marker:
            page.add_init_script(
                "if (!localStorage.getItem('pcn:marking:prefs')) localStorage.setItem("
                f"'pcn:marking:prefs', JSON.stringify({{ marker: '{marker}' }}))"
            )
        page.goto(server.page)
        desk = cls(page)
        desk.ready()
        return desk

    def ready(self) -> None:
        """Wait until a submission with its answers is there."""
        expect(self.page.locator("html")).to_have_attribute("data-pcn", "ready", timeout=90_000)
        expect(self.page.locator(".pcn-answers")).to_be_visible()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def says(self, words: str | re.Pattern[str]) -> None:
        """Wait until the status line says so."""
        expect(self.page.locator(".pcn-bar .pcn-status")).to_contain_text(words)

    def saved(self) -> None:
        """Wait until everything is acknowledged."""
        self.says(re.compile("^Saved"))
        assert self.drafts() == []

    def drafts(self) -> list[str]:
        """What is kept on the device because it isn't acknowledged."""
        found: list[str] = self.page.evaluate(
            "Object.keys(localStorage).filter((one) => /\\/(points|comment)\\//.test(one))"
        )
        return found

    @property
    def title(self) -> str:
        """The submission that is on the page."""
        return self.page.locator(".pcn-left > h2").inner_text()

    def criterion(self, title: str) -> Any:
        """A criterion's part of the page."""
        return self.page.get_by_role("region", name=title)

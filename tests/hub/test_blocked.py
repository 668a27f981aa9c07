"""Websockets that are blocked on the way to a hub: what is written is saved all the same."""

from __future__ import annotations

import contextlib
import json
import urllib.parse

import pytest
from playwright.sync_api import Browser

from pcn_course.hub.usage import FILE, read_counts
from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import STEP, Student
from tests.soak.filtering import Filter
from tests.support.servers import until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_page_on_a_hub_saves_by_plain_requests_and_counts_as_open(
    hub: ClassServer, students: list[Student], chromium: Browser
) -> None:
    student = Student.log_in(hub, chromium, "filtered")
    link = Filter(urllib.parse.urlsplit(hub.address).port or 80)
    link.block("refuse")
    asked: list[str] = []
    student.page.on("request", lambda request: asked.append(request.url))
    with contextlib.closing(link), contextlib.closing(student.page.context):
        there = student.url(f"voila/render/{STEP}/{STEP}.ipynb")
        student.page.goto(there.replace(hub.address, f"http://127.0.0.1:{link.port}"))
        student.write("written without a socket")
        student.saved()
        answers = hub.workspace("filtered") / STEP / "answers.json"
        fields = json.loads(answers.read_bytes())["fields"]
        assert fields["live-project"]["value"] == "written without a socket"
        assert any("/messages?" in url for url in asked)
        kernel = student.page.evaluate("document.documentElement.dataset.pcnKernel")
        line = f"/user/filtered/api/kernels/{kernel}/messages?session_id=s&open=1"
        assert students[0].get(line) in (403, 404), "another student's line"
        # A server without open pages ends after nine seconds here.
        server = hub.server_of("filtered")
        counts = answers.parents[2] / FILE
        until(lambda: (found := read_counts(counts)) and found.pages >= 1 and found.saves.total)
        for _ in range(2):
            student.page.wait_for_event("requestfinished", timeout=60_000)
        assert hub.server_of("filtered") == server
        student.write("and more of it")
        student.saved()

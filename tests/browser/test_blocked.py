"""Websockets, and then all the rest, blocked between a real Chromium and a real server."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from pcn_course.course import load_course
from pcn_course.grading.notebooks import write_notebooks
from tests.soak.filtering import Filter, Treatment
from tests.support.servers import AppServer, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BASE = Path(__file__).parents[1] / "courses" / "base"
STEP = "step-1-goals"
SAVED = re.compile("^Saved ")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    course = tmp_path_factory.mktemp("blocked") / "course"
    shutil.copytree(BASE, course)
    write_notebooks(load_course(course), course / "notebooks")
    with AppServer(course.parent / "workspace", course=course) as server:
        yield server


@pytest.fixture
def link(server: AppServer) -> Iterator[Filter]:
    link = Filter(server.port)
    yield link
    link.close()


@pytest.fixture
def student(context: BrowserContext, server: AppServer, link: Filter) -> Page:
    address = server.address.replace(str(server.port), str(link.port))
    context.request.get(address, max_redirects=0)
    page = context.new_page()
    page.on("console", lambda message: print(message.type, message.text))
    return page


def visit(page: Page, link: Filter) -> None:
    page.goto(f"http://127.0.0.1:{link.port}/voila/render/{STEP}/{STEP}.ipynb")


def write(page: Page, text: str) -> None:
    page.locator(".pcn-form textarea").first.fill(text)


def on_disk(server: AppServer, text: str) -> bool:
    path = server.workspace / STEP / "answers.json"
    return path.exists() and text in json.dumps(json.loads(path.read_text()))


def saved(page: Page, server: AppServer, text: str) -> None:
    write(page, text)
    until(lambda: on_disk(server, text))
    expect(page.locator(".pcn-status")).to_have_text(SAVED)


@pytest.mark.parametrize("way", ["refuse", "swallow"])
def test_without_websockets_a_page_saves_by_plain_requests(
    student: Page, server: AppServer, link: Filter, way: Treatment
) -> None:
    link.block(way)
    visit(student, link)
    saved(student, server, f"Written without a socket ({way})")
    assert "/messages 204" in server.log
    server.kill_kernel(student)
    saved(student, server, f"After the kernel was killed ({way})")
    expect(student.get_by_role("alert").filter(visible=True)).to_have_count(0)
    link.block("pass")
    server.kill_kernel(student)  # whatever is joined again is joined by a websocket
    saved(student, server, f"Joined again ({way})")
    before = server.log.count("/messages 204")
    saved(student, server, f"With a socket again ({way})")
    assert server.log.count("/messages 204") == before


def test_a_socket_that_is_cut_again_and_again_is_given_up(
    student: Page, server: AppServer, link: Filter
) -> None:
    link.block("cut")
    visit(student, link)
    before = server.log.count("/messages 204")
    until(lambda: server.log.count("/messages 204") > before, within=60)
    saved(student, server, "Written between two cuts")


@pytest.mark.parametrize(("sockets", "requests"), [("refuse", "refuse"), ("swallow", "swallow")])
def test_where_all_is_blocked_the_page_says_so_within_ten_seconds(
    student: Page, server: AppServer, link: Filter, sockets: Treatment, requests: Treatment
) -> None:
    pages = server.log.count("GET /voila/render")
    link.block(sockets, requests)
    visit(student, link)
    note = student.locator("main > .pcn-note")
    expect(note).to_contain_text("blocks this page’s connection", timeout=10_000)
    expect(note).to_contain_text("try another network")
    assert server.log.count("GET /voila/render") <= pages + 1, "no kernel for each try"
    link.block("pass")
    saved(student, server, f"Written when nothing was blocked any more ({sockets})")
    expect(note).to_have_count(0)


def test_what_is_written_while_all_is_blocked_is_saved_afterwards(
    student: Page, server: AppServer, link: Filter
) -> None:
    visit(student, link)
    saved(student, server, "Before")
    link.block("refuse", "refuse")
    write(student, "Written while all was blocked")
    note = student.locator("main > .pcn-note")
    expect(note).to_contain_text("blocks this page’s connection", timeout=10_000)
    expect(student.locator(".pcn-status")).to_have_text(re.compile("^Not saved"))
    assert not on_disk(server, "while all was blocked")
    link.block("pass")
    until(lambda: on_disk(server, "Written while all was blocked"))
    expect(note).to_have_count(0)

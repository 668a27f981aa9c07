"""Feedback in a student's page, and asking for another look at it, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from pcn_course.course import default_root, load_course
from pcn_course.exchange import requests_made
from pcn_course.workspace import Workspace
from tests.support.accessible import axe, cut_off, faint, small, tree
from tests.support.keyboard import Keyboard
from tests.support.servers import AppServer

pytestmark = pytest.mark.browser
COURSE = load_course(default_root())
STEP = COURSE.steps[0]
WORDS = "I named whom it concerns. <b>שלום</b>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    nowhere = str(tmp_path / "jupyter")  # no exchange, whatever this machine has
    settings = {"JUPYTER_CONFIG_DIR": nowhere, "JUPYTER_DATA_DIR": nowhere, "HOME": nowhere}
    with AppServer(tmp_path / "workspace", course=COURSE.root, **settings) as server:
        yield server


def opened(context: BrowserContext, server: AppServer) -> Page:
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    page.goto(server.url(STEP.path))
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready", timeout=90_000)
    expect(page.locator(".pcn-field").first).to_be_visible(timeout=60_000)
    return page


def faults(page: Page) -> list[str]:
    found = []
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [*axe(page), *faint(page), *cut_off(page), *small(page), *tree(page)]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    return found


def test_whoever_read_feedback_can_ask_for_another_look(
    context: BrowserContext, server: AppServer
) -> None:
    workspace = Workspace(server.workspace)
    page = opened(context, server)
    expect(page.get_by_role("button", name="Ask for another look")).to_have_count(0)
    letter = workspace.folder(STEP) / "feedback/2026-11-21 10:00:00.000000 UTC" / f"{STEP.id}.html"
    letter.parent.mkdir(parents=True)
    letter.write_text("<h1>Feedback</h1><p>Your project is named well.</p>")
    page.reload()
    keyboard = Keyboard(page)
    keyboard.tab_to("Ask for another look")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.pcn-dialog")
    expect(dialog.get_by_role("heading", name="Ask for another look")).to_be_visible()
    assert faults(page) == []

    # Closed by mistake, or with the whole page, the words are still there.
    criterion = COURSE.rubric.criteria[2]
    dialog.get_by_label("At what?").select_option(label=criterion.title)
    area = dialog.get_by_label("What was overlooked")
    area.fill(WORDS)
    page.keyboard.press("Escape")
    page.reload()
    keyboard = Keyboard(page)
    keyboard.tab_to("Ask for another look")
    page.keyboard.press("Enter")
    expect(area).to_have_value(WORDS)
    expect(dialog.get_by_label("At what?")).to_have_value(criterion.id)

    keyboard.tab_to("Send")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Send it yourself")).to_be_visible()
    expect(dialog).to_contain_text(WORDS)
    assert dialog.locator("b").count() == 0
    assert faults(page) == []
    page.keyboard.press("Escape")
    said = page.locator(".pcn-news")
    expect(said).to_contain_text(re.compile(f"You asked for another look at “{criterion.title}”"))
    kept = "Object.keys(localStorage).filter((name) => name.startsWith('again:'))"
    assert page.evaluate(kept) == []
    (made,) = requests_made(workspace, STEP)
    assert (made.criterion, made.text, made.how) == (criterion.id, WORDS, "none")
    page.reload()
    expect(said).to_contain_text("You asked for another look")
    assert not (workspace.folder(STEP) / "answers.json").exists()
    assert workspace.receipts(STEP) == ()

"""A course that is updated while a page is open: nothing is lost, and the page says what to do.

The first tests have a real server that is started again with another course; the others have the
real page and a made-up kernel.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from pcn_course.course import load_course
from pcn_course.grading.notebooks import write_notebooks
from tests.browser.kinds import made_up
from tests.browser.kinds.made_up import opened, state, values
from tests.support.accessible import axe, small
from tests.support.servers import AppServer, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
BASE = Path(__file__).parents[1] / "courses" / "base"
STEP = "step-1-goals"
CHANGED = "The questions in this step have changed."
BUDGET = """
[[prompts]]
key = "budget"
kind = "line"
label = "What does it cost?"
required = true
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    shutil.copytree(BASE, folder)
    write_notebooks(load_course(folder), folder / "notebooks")
    return folder


@pytest.fixture
def server(course: Path) -> Iterator[AppServer]:
    with AppServer(course.parent / "workspace", course=course) as server:
        yield server


@pytest.fixture
def page(context: BrowserContext, server: AppServer) -> Page:
    context.request.get(server.address, max_redirects=0)
    page = context.new_page()
    page.goto(server.url(f"{STEP}/{STEP}.ipynb"))
    expect(page.locator(".pcn-bar")).to_be_visible()
    return page


def text_of(page: Page, key: str) -> Any:
    return page.locator(f'[data-key="{key}"]').locator("textarea, input").first


def saved(page: Page) -> None:
    expect(page.locator(".pcn-status")).to_contain_text("Saved", timeout=60_000)


def on_disk(server: AppServer, *, private: bool = False) -> dict[str, Any]:
    path = f".pcn/private/{STEP}.json" if private else f"{STEP}/answers.json"
    fields = json.loads((server.workspace / path).read_bytes())["fields"]
    return {key: field["value"] for key, field in fields.items()}


def update(course: Path) -> None:
    """A question more, and two keys that are others now, one of them private."""
    step = course / "data" / "steps" / f"{STEP}.toml"
    step.write_text(step.read_text().replace('"why"', '"reason"') + BUDGET)
    common = course / "data" / "every-step.toml"
    common.write_text(common.read_text().replace('"private-note"', '"diary"'))


def test_a_page_older_than_the_course_keeps_all_and_leads_to_the_new_one(
    page: Page, server: AppServer, course: Path
) -> None:
    text_of(page, "live-project").fill("A pathway")
    text_of(page, "why").fill("Because.")
    saved(page)
    server.stop()
    update(course)
    server.start()
    text_of(page, "why").fill("Because it helps.")
    text_of(page, "private-note").fill("My own doubts")
    bar = page.locator(".pcn-bar")
    expect(bar.get_by_text(CHANGED)).to_be_visible(timeout=60_000)
    saved(page)
    until(lambda: on_disk(server)["why"] == "Because it helps.")
    until(lambda: on_disk(server, private=True) == {"private-note": "My own doubts"})
    assert "My own doubts" not in str(on_disk(server))

    page.get_by_role("button", name="Submit", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(CHANGED)
    expect(dialog).to_contain_text("Your answers are saved.")
    dialog.get_by_role("button", name="Load the page again").click()

    expect(page.locator('[data-key="budget"]')).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="No longer asked")).to_be_visible()
    for name, words in (("Why", "Because it helps."), ("Private note", "My own doubts")):
        heading = page.get_by_role("heading", name=name, exact=True)
        expect(heading.locator("+ p")).to_have_text(words)
    expect(page.locator(".pcn-progress")).to_have_text("1 of 3 answered")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(dialog).to_contain_text("What does it cost?")
    expect(page.get_by_text(CHANGED)).to_be_hidden()


def test_the_servers_clock_tells_what_is_due(
    context: BrowserContext, server: AppServer, course: Path
) -> None:
    """A device that is two days fast or slow changes nothing."""
    now = dt.datetime.now(dt.UTC)
    for name, hours in (("step-1-goals", 38), ("step-2-next", -10)):
        notebook = server.workspace / name / f"{name}.ipynb"
        if not notebook.exists():
            continue
        content = json.loads(notebook.read_text())
        content["metadata"]["pcn"]["due"] = (now + dt.timedelta(hours=hours)).isoformat()
        notebook.write_text(json.dumps(content))
    late = [one.parent.name for one in server.workspace.glob("step-*/*.ipynb")]
    assert len(late) == 2
    context.request.get(server.address, max_redirects=0)
    page = context.new_page()
    for days in (2, -2):
        page.clock.set_system_time(now + dt.timedelta(days=days))
        page.goto(server.url("home.ipynb"))
        expect(page.locator('[data-step="step-1-goals"]')).to_contain_text("· due ")
        expect(page.locator('[data-step="step-2-next"]')).to_contain_text("· was due ")
        page.goto(server.url(f"{STEP}/{STEP}.ipynb"))
        expect(page.locator(".pcn-main > .pcn-eyebrow")).to_contain_text("· due ")


# ---- The page alone ------------------------------------------------------------------------------


@pytest.fixture
def alone(context: BrowserContext) -> Page:
    made_up.serve(context)
    return context.new_page()


def updated(page: Page) -> None:
    """The kernel's course has a required question more, and lacks one that the page shows."""
    page.evaluate("""() => {
      const { step, ...rest } = kernel.state;
      const prompts = step.prompts.filter(({ key }) => key !== "draft");
      prompts.push({ key: "budget", kind: "line", label: "What does it cost?", required: true });
      kernel.state = { ...rest, version: "two", step: { ...step, prompts } };
    }""")


def heard(page: Page, kind: str) -> list[Any]:
    found: list[Any] = page.evaluate(
        "(kind) => kernel.heard.filter(({ type }) => type === kind)", kind
    )
    return found


def test_submitting_never_does_nothing(alone: Page) -> None:
    page = opened(alone, state(draft="Mine."))
    updated(page)
    page.evaluate("kernel.tell({ type: 'state', ...kernel.state })")
    expect(page.locator(".pcn-bar").get_by_text(CHANGED)).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(CHANGED)
    assert heard(page, "submit") == []


def test_a_kernel_that_asks_something_else_takes_no_submission(alone: Page) -> None:
    """The page has not heard yet that it is older than the course."""
    page = opened(alone, state(draft="Mine."), submit={"type": "changed"})
    updated(page)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("dialog")).to_contain_text(CHANGED)
    assert heard(page, "submit")[0]["version"] == "one"


DRAFT = """([key, value]) => {
  const draft = { value, base: 0, baseValue: null, sent: [] };
  localStorage.setItem(`pcn:made-up:somebody:step-2-made-up:${key}:gone`, JSON.stringify(draft));
}"""


@pytest.mark.parametrize(
    ("key", "value", "kept_as", "shown"),
    [
        ("old-question", "What I wrote", "old-question", "What I wrote"),
        (
            "old-table",
            [{"id": "r1", "who": "KG", "role": "nurse"}, {"id": "r2", "who": "AB"}],
            "old-table",
            "KG · nurse\nAB",
        ),
        ("tools", "A text, before these were choices", "tools-before", "A text, before these"),
    ],
)
def test_a_draft_of_a_dropped_question_is_saved_and_shown(
    alone: Page, context: BrowserContext, key: str, value: Any, kept_as: str, shown: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin="http://localhost")
    alone.goto("http://localhost/")
    alone.evaluate(DRAFT, [key, value])
    page = opened(alone, state(), host="localhost")
    expect(page.get_by_role("heading", name="No longer asked")).to_be_visible()
    expect(page.get_by_text(shown)).to_be_visible()
    until(lambda: values(page).get(kept_as) == value)
    until(lambda: page.evaluate("localStorage.length") == 0)
    page.get_by_role("button", name="Copy the text").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(shown.partition("\n")[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360, 320])
def test_what_is_said_of_an_update_is_for_everybody(alone: Page, width: int, scheme: Any) -> None:
    alone.set_viewport_size({"width": width, "height": 800})
    alone.emulate_media(color_scheme=scheme)
    page = opened(alone, state(old_question="What I wrote"))
    updated(page)
    page.evaluate("kernel.tell({ type: 'state', ...kernel.state })")
    expect(page.locator(".pcn-bar").get_by_text(CHANGED)).to_be_visible()
    assert axe(page) == []
    assert small(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

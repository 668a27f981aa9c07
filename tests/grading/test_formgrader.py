"""Formgrader and the feedback page in a real browser, as an instructor and a student see them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.grading.conftest import COMMENT, HOSTILE, STEP, Cycle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

CRITERIA = ("reasoning", "evidence", "ethics", "action")


@pytest.fixture
def elsewhere(page: Page) -> list[str]:
    """What the page asked of other hosts, or failed at."""
    found: list[str] = []

    def note(request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "file:")):
            found.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture(scope="module")
def formgrader(cycle: Cycle) -> Iterator[str]:
    with cycle.course.instructor.formgrader() as address:
        yield address


def submission(cycle: Cycle, formgrader: str, student: str) -> str:
    with cycle.course.instructor.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(STEP, STEP, student)
        return f"{formgrader}/submissions/{notebook.id}/"


def eventually(look: Callable[[], Any], wanted: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while (found := look()) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    assert found == wanted


def test_an_instructor_reads_every_answer_and_marks_four_criteria(
    cycle: Cycle, formgrader: str, page: Page, elsewhere: list[str]
) -> None:
    page.goto(submission(cycle, formgrader, "ben"))
    page.wait_for_function("formgrader.loaded && formgrader.comment_uis.length == 4")

    for prompt in cycle.course.content.step(STEP).required:
        heading = page.get_by_role("heading", name=prompt.label, exact=True)
        assert heading.is_visible()
    assert page.get_by_text("One line", exact=True).is_visible()
    assert page.get_by_text("Still open:").first.is_visible()
    code = page.locator(".input_area").all()
    assert code
    assert not any(cell.is_visible() for cell in code)

    marks = dict(zip(CRITERIA, (4, 2.5, 1, 0), strict=True))
    for criterion, mark in marks.items():
        box = page.locator(f"#{criterion}")
        assert box.is_visible()
        box.fill(str(mark))
        box.press("Tab")
        comment = page.locator(f"#{criterion}-comment")
        comment.fill(f"About {criterion}: {COMMENT}")
        comment.press("Tab")

    def kept() -> dict[str, Any]:
        grades = cycle.course.instructor.grades("ben", STEP)
        return {
            one: (grades[one]["manual"], grades[one]["comment"], grades[one]["open"])
            for one in CRITERIA
        }

    eventually(kept, {one: (mark, f"About {one}: {COMMENT}", False) for one, mark in marks.items()})
    page.reload()
    page.wait_for_function("formgrader.loaded && formgrader.comment_uis.length == 4")
    assert [page.locator(f"#{one}").input_value() for one in CRITERIA] == ["4", "2.5", "1", "0"]
    assert elsewhere == []


def test_what_a_student_typed_stays_text(
    cycle: Cycle, formgrader: str, page: Page, elsewhere: list[str]
) -> None:
    page.goto(submission(cycle, formgrader, "ada"))
    page.wait_for_function("formgrader.loaded")
    assert page.get_by_text(HOSTILE, exact=True).is_visible()
    assert page.locator(".output_html script, .output_html img").count() == 0
    # Marked before these answers came in: nbgrader offers to confirm the mark.
    page.locator(".text_cell .mark-graded").first.wait_for()
    assert page.locator(".text_cell .mark-graded").count() == 4
    assert elsewhere == []


@pytest.mark.parametrize(
    "path", ["manage_assignments", "gradebook", f"gradebook/{STEP}/{STEP}", "manage_students"]
)
def test_formgraders_own_pages_ask_no_other_host(
    formgrader: str, page: Page, elsewhere: list[str], path: str
) -> None:
    page.goto(f"{formgrader}/{path}")
    page.wait_for_load_state("networkidle")
    assert page.locator("#main-table tr").count()
    assert elsewhere == []


@pytest.mark.parametrize("address", ["manage_students/{}", "gradebook/{}", "manage_students/a/{}"])
def test_an_address_runs_nothing(formgrader: str, page: Page, address: str) -> None:
    words = '";window.ran=1;"<img src=x onerror="window.ran=1">\\'
    page.goto(f"{formgrader}/{address.format(quote(words, safe=''))}")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.ran") is None
    assert page.get_by_text(words, exact=True).is_visible()


@pytest.fixture(params=["light", "dark"])
def feedback_page(
    request: pytest.FixtureRequest, cycle: Cycle, chromium: Browser
) -> Iterator[tuple[Page, list[str]]]:
    context = chromium.new_context(
        color_scheme=request.param, viewport={"width": 320, "height": 700}
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(cycle.fetched[0].as_uri())
    yield page, asked
    context.close()


def test_feedback_is_one_small_accessible_file(
    cycle: Cycle, feedback_page: tuple[Page, list[str]]
) -> None:
    page, asked = feedback_page
    assert asked == [cycle.fetched[0].as_uri()]
    assert Path(cycle.fetched[0]).stat().st_size < 40_000
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("document.documentElement.lang") == "en"
    for summary in page.locator("summary").all():
        summary.click()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_feedback_prints_as_a_document(cycle: Cycle, page: Page) -> None:
    page.goto(cycle.fetched[0].as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("details").first.is_visible()
    assert page.get_by_text("Next time").first.is_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"

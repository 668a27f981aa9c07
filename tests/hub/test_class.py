"""A class on a real hub: everybody logs in, works, and sees nothing of anybody else's.

All students here are made up, and so is what they write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.support.servers import until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]

STEP = "step-1-goals"
# The last one's name can be no system user's, and the second's is one that every machine has.
NAMES = ("ada", "daemon", "g.hopper@example.edu")


class Student(NamedTuple):
    name: str
    page: Page
    text: str


@pytest.fixture(scope="module")
def hub() -> Iterator[ClassServer]:
    with ClassServer() as running:
        yield running


@pytest.fixture(scope="module")
def students(hub: ClassServer, chromium: Browser) -> list[Student]:
    """Three who have logged in, each in a browser of their own, and written something."""
    hub.teach(f"generate_assignment('{STEP}')", f"release_assignment('{STEP}')")
    found = []
    for name in NAMES:
        page = log_in(hub, chromium, name)
        expect(page.locator(".pcn-card")).to_have_count(len(hub.course.steps))
        found.append(Student(name, page, f"A referral pathway, by {name}"))
    for student in found:
        open_step(hub, student)
        student.page.locator('[data-key="live-project"] :is(textarea, input)').fill(student.text)
    for student in found:
        saved(student.page)
    return found


def log_in(hub: ClassServer, browser: Browser, name: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(hub.address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a word")
    page.get_by_role("button", name="Sign in").click()
    return page


def open_step(hub: ClassServer, student: Student) -> None:
    student.page.locator(f".pcn-card[data-step={STEP}] a").first.click()
    step = hub.course.step(STEP)
    expect(student.page.locator(".pcn-field")).to_have_count(len(step.prompts))


def saved(page: Page) -> None:
    expect(page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))


def test_each_works_in_a_workspace_of_their_own(hub: ClassServer, students: list[Student]) -> None:
    for student in students:
        file = hub.workspace(student.name) / STEP / "answers.json"
        fields = json.loads(file.read_bytes())["fields"]
        assert fields["live-project"]["value"] == student.text
        account = hub.account(student.name)
        assert file.stat().st_uid == account.uid
        assert account.name.startswith(f"{hub.settings.prefix}-")
        assert account.uid != 0
    assert len({hub.account(student.name).uid for student in students}) == len(students)


def test_from_submitting_to_feedback(hub: ClassServer, students: list[Student]) -> None:
    for student in students:
        student.page.get_by_role("button", name="Submit", exact=True).click()
        student.page.get_by_role("button", name="Submit now").click()
    for student in students:
        heading = student.page.locator("dialog.pcn-dialog h2")
        expect(heading).to_have_text("Submitted", timeout=60_000)
    hub.teach(
        f"collect('{STEP}')",
        *(f"autograde('{STEP}', {name!r})" for name in NAMES),
        f"generate_feedback('{STEP}')",
        f"release_feedback('{STEP}')",
    )
    for student in students:
        took = hub.settings.room / "submitted" / student.name / STEP / "answers.json"
        assert student.text in took.read_text()

    def there(page: Page) -> bool:
        page.goto(f"{hub.address}/hub/home")
        page.goto(hub.address)
        try:
            expect(page.locator(".pcn-badge", has_text="Feedback is here")).to_have_count(
                1, timeout=10_000
            )
        except AssertionError:
            return False
        return True

    for student in students:
        until(partial(there, student.page), within=60)

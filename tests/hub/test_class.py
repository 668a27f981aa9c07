"""A class on a real hub: everybody logs in, works in a place of their own, and gets feedback."""

from __future__ import annotations

import json
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import NAMES, STEP, Student, log_in
from tests.support.servers import until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]


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


def test_who_teaches_gets_other_pages(hub: ClassServer, chromium: Browser) -> None:
    prof = log_in(hub, chromium, "prof")
    tutor = log_in(hub, chromium, "tutor")
    expect(prof).to_have_url(f"{hub.address}/user/prof/lab", timeout=60_000)
    prof.goto(f"{hub.address}/user/prof/formgrader/manage_assignments")
    expect(prof.get_by_role("link", name=STEP)).to_be_visible()
    # A grader marks, on the light page, and has no lab in which code could run.
    expect(tutor.get_by_role("combobox", name="Step")).to_be_visible()
    expect(tutor).to_have_url(f"{hub.address}/user/tutor/voila/render/marking.ipynb")
    for path in ("lab", "formgrader", "voila/render/cohort.ipynb", "api/contents"):
        answer = tutor.context.request.get(f"{hub.address}/user/tutor/{path}")
        assert answer.status == 404, path
    assert tutor.context.request.get(f"{hub.address}/user/prof/lab").status == 403

"""Formgrader in the browser, as an instructor uses it.

with course.instructor.formgrader() as address:
    desk = Formgrader(page, address)
    desk.assignment("step-1-goals", "collect")
    desk.autograde("step-1-goals")
    desk.open_submission("step-1-goals")
    desk.mark("reasoning", 3, "Well argued.")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page, Response, expect

Action = Literal["assign", "release", "collect", "generate-feedback", "release-feedback"]


@dataclass(frozen=True)
class Formgrader:
    """One browser page with formgrader at ``address`` in it."""

    page: Page
    address: str

    def assignment(self, step_id: str, *actions: Action) -> None:
        """Press buttons of an assignment, one after the other; each must report success."""
        self.page.goto(f"{self.address}/manage_assignments")
        row = self.page.locator("tbody tr").filter(has_text=step_id)
        for action in actions:
            row.locator(f".{action} a").click()
            self._succeeded()

    def autograde(self, step_id: str) -> None:
        """Autograde all submissions of an assignment."""
        self.page.goto(f"{self.address}/manage_submissions/{step_id}")
        expect(self.page.locator("td.autograde a")).not_to_have_count(0)
        for button in self.page.locator("td.autograde a").all():
            button.click()
            self._succeeded()

    def open_submission(self, step_id: str, at: int = 0) -> None:
        """Go by "Manual Grading" to a submission; return when its scores are there."""
        self.page.goto(f"{self.address}/gradebook")
        for link in (step_id, step_id, f"Submission #{at + 1}"):
            self.page.locator("tbody").get_by_role("link", name=link, exact=True).click()
        self.page.wait_for_function(
            "window.formgrader?.loaded && formgrader.grades.loaded && formgrader.comments.loaded"
        )

    def mark(self, criterion: str, score: float, comment: str) -> None:
        """Type a score and a comment, and wait until the gradebook has them."""
        with self.page.expect_response(_writes("/grade/")):
            self.page.locator(f"[id='{criterion}']").fill(f"{score:g}")
            self.page.keyboard.press("Tab")
            self.page.keyboard.press("Tab")  # past the extra credit
        expect(self.page.locator(f"[id='{criterion}-comment']")).to_be_focused()
        with self.page.expect_response(_writes("/comment/")):
            self.page.locator(f"[id='{criterion}-comment']").fill(comment)
            self.page.keyboard.press("Escape")

    def _succeeded(self) -> None:
        modal = self.page.locator(".modal.in")
        expect(modal.locator(".modal-title")).to_have_text("Success", timeout=60_000)
        modal.get_by_role("button", name="OK").click()
        expect(self.page.locator(".modal")).to_have_count(0)


def _writes(path: str) -> Callable[[Response], bool]:
    return lambda answer: path in answer.url and answer.request.method == "PUT" and answer.ok

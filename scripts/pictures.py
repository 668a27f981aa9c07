"""Take the README's pictures anew, of the app as it is: ``make pictures``.

A student is on the way: step 1 is submitted, step 2 begun, with the course's own examples.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from pcn_course.answers.store import Edit
from pcn_course.course import Step, load_course
from pcn_course.exchange import hand_in
from pcn_course.workspace import Workspace
from tests.support.chromium import QUIET, executable
from tests.support.servers import AppServer

DOCS = Path(__file__).resolve().parents[1] / "docs"
ALWAYS = {"covered-process", "covered-evidence", "wasted-time", "private-note"}
"""Prompts that close every step, which this student leaves empty."""


def main() -> None:
    """Take ``docs/step.png`` and ``docs/home.png``."""
    DOCS.mkdir(exist_ok=True)
    expect.set_options(timeout=60_000)
    course = load_course()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder, "workspace"))
        workspace.fill(course)
        goals, connections = course.steps[:2]
        for step, number in ((goals, 99), (connections, 2)):
            workspace.store(course, step).save("pictures", examples(step, number))
        hand_in(workspace, goals, student="example")
        with AppServer(workspace.root) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(), args=QUIET)
            page = browser.new_page(
                viewport={"width": 1120, "height": 760}, device_scale_factor=1.5, locale="en-US"
            )
            page.goto(server.address)
            expect(page.locator(".pcn-card")).to_have_count(len(course.steps))
            take(page, "home")
            page.locator(f'.pcn-card[data-step="{connections.id}"] a').first.click()
            expect(page.locator(".pcn-status")).to_contain_text("Saved")
            take(page, "step")
            browser.close()


def examples(step: Step, number: int) -> dict[str, Edit]:
    """The examples of a step's first text prompts as answers to them."""
    written = [prompt for prompt in step.prompts if prompt.kind in {"line", "text"}]
    own = [prompt for prompt in written if prompt.example and prompt.key not in ALWAYS]
    return {prompt.key: Edit(prompt.example, 0) for prompt in own[:number]}


def take(page: Page, name: str) -> None:
    """The page as a reader sees it first, without a focus ring."""
    page.evaluate("document.activeElement?.blur?.()")
    page.screenshot(path=DOCS / f"{name}.png")


if __name__ == "__main__":
    main()

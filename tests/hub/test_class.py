"""A class on a real hub: everybody logs in, works in a place of their own, and gets feedback."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import NAMES, STEP, Student, log_in
from tests.support.robot import Robot
from tests.support.servers import until

# Three sit before a real browser; these do over the network what a browser would.
OTHERS = [f"student{number}" for number in range(1, 10)]

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]


def text_of(name: str) -> str:
    """What somebody writes, as in `Student`."""
    return f"A referral pathway, by {name}"


@pytest.fixture(scope="module", autouse=True)
def _words_of_their_own(students: list[Student]) -> None:
    """Each has written what is looked for, whatever other tests had them write."""
    for student in students:
        student.page.goto(student.url(f"voila/render/{STEP}/{STEP}.ipynb"))
        student.saved()
        student.write(student.text)
    for student in students:
        file = student.hub.workspace(student.name) / STEP / "answers.json"
        until(partial(_holds, file, student.text))


def _holds(file: Path, text: str) -> bool:
    return text in file.read_text()


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


class Others:
    """The rest of the class, all at the same time. Playwright has this thread's event loop."""

    def __init__(self, hub: ClassServer) -> None:
        self.hub = hub
        self.found: list[str] = []
        self.handed_in: dict[str, str] = {}
        self.may_look = threading.Event()

    def run(self) -> None:
        """Log in, write, hand in; when feedback was released, see it."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name in OTHERS:
                group.create_task(self._one(name))

    async def _one(self, name: str) -> None:
        async with Robot(self.hub.address, name, found=self.found.append) as student:
            home = await student.open_home()
            assert [card["state"] for card in home["cards"]] == ["not-started"] * len(home["cards"])
            await student.open_step(STEP)
            assert student.turned_away == 0, "all at once is no reason to send anybody away"
            student.write("live-project", text_of(name))
            await student.all_saved()
            receipt = await student.submit()
            assert receipt["how"] == "exchange"
            self.handed_in[name] = receipt["sha256"]
            while not self.may_look.is_set():  # noqa: ASYNC110 (it is set in another thread)
                await asyncio.sleep(0.1)
            await student.open_home()
            await student.until(lambda: student.last["home"]["cards"][0]["state"] == "feedback")


def test_from_submitting_to_feedback(hub: ClassServer, students: list[Student]) -> None:
    others = Others(hub)
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(others.run)
        try:
            _hand_in_and_get_feedback(hub, students, others, rest)
        finally:
            others.may_look.set()
        rest.result()
    assert others.found == []


def _hand_in_and_get_feedback(
    hub: ClassServer, students: list[Student], others: Others, rest: Future[None]
) -> None:
    for student in students:
        student.page.get_by_role("button", name="Submit", exact=True).click()
        student.page.get_by_role("button", name="Submit now").click()
    for student in students:
        heading = student.page.locator("dialog.pcn-dialog h2")
        expect(heading).to_have_text("Submitted", timeout=60_000)
    until(lambda: len(others.handed_in) == len(OTHERS) or rest.done(), within=120)
    if rest.done():
        rest.result()
    # Everybody's in one go each.
    hub.teach(
        f"collect('{STEP}')", f"autograde('{STEP}', '*')",
        f"generate_feedback('{STEP}')", f"release_feedback('{STEP}')",
    )  # fmt: skip
    everybody = {*NAMES, *OTHERS}
    assert len(everybody) >= 12
    room = hub.settings.room
    for part in ("submitted", "autograded", "feedback"):
        assert {one.name for one in (room / part).iterdir()} == everybody, part
    for name in everybody:
        assert text_of(name) in (room / "submitted" / name / STEP / "answers.json").read_text()
        account = hub.account(name)
        assert (hub.workspace(name) / STEP / "answers.json").stat().st_uid == account.uid
    others.may_look.set()

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

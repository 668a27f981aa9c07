"""Nobody but our own server is asked for anything, from any page, formgrader's included.

The browser is told to ignore the pages' own policy: what they would ask for is to be seen. A
request that fails, as all do on a machine without a network, counts like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.formgrader import Formgrader
from tests.support.nbgrader_course import Course, Student, sample_answers
from tests.support.network import Resources, Witness, css_addresses, foreign
from tests.support.servers import AppServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

STEP = "step-1-goals"
ELSEWHERE = "https://elsewhere.test"


@dataclass
class Visit:
    """A browser that looks at pages, and into their sources."""

    context: BrowserContext
    page: Page
    witness: Witness
    named: list[tuple[str, str]]
    """Pages and style sheets, with each address on another host that they would load."""

    @classmethod
    def begin(cls, chromium: Browser) -> Visit:
        context = chromium.new_context(bypass_csp=True, locale="en-US")
        witness = Witness(context)
        return cls(context, context.new_page(), witness, [])

    def go(self, address: str, status: int = 200) -> None:
        """Open a page, and look at what the server sent."""
        answer = self.page.goto(address)
        assert answer
        assert answer.status == status, address
        self._read(answer.text())

    def look(self) -> None:
        """Look at what has become of the page."""
        self._read(self.page.content())

    def assert_alone(self, address: str) -> None:
        """Nothing but ``address``'s host was asked for or is named."""
        host = urlsplit(address).netloc
        assert any(urlsplit(url).netloc == host for url in self.witness.asked)
        assert self.witness.others(host) == []
        sheets = {url for url in self.witness.asked if urlsplit(url).path.endswith(".css")}
        assert sheets
        for sheet in sheets:
            for found in css_addresses(self.context.request.get(sheet).text()):
                self._note(sheet, urljoin(sheet, found))
        assert self.named == []

    def _read(self, html: str) -> None:
        for found in Resources(html).found:
            self._note(self.page.url, found)

    def _note(self, where: str, found: str) -> None:
        if foreign(found, urlsplit(where).netloc):
            self.named.append((where, found))


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    visit = Visit.begin(chromium)
    yield visit
    visit.context.close()


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Student:
    """A student who handed in one step of a course with an exchange."""
    base = tmp_path_factory.mktemp("hosts")
    course = Course.make(base / "course", exchange=base / "exchange")
    course.instructor.open(STEP)
    ada = Student.join(course, base / "ada", "ada")
    ada.fetch(STEP)
    link = f'<img src="{ELSEWHERE}/a.png"> {ELSEWHERE}/b'
    step = course.content.step(STEP)
    ada.answer(step.name, {**sample_answers(step), "live-project": link})
    ada.hand_in(step.name)
    return ada


def test_what_asks_another_host_would_be_seen(visit: Visit) -> None:
    page = f"""<link rel="stylesheet" href="{ELSEWHERE}/a.css"><script src="//elsewhere.test/b.js">
    </script><p style="background: url('{ELSEWHERE}/c.png')">x <a href="{ELSEWHERE}/d">a link</a>
    <img srcset="/own.png 1x, {ELSEWHERE}/e.png 2x"><style>@import "{ELSEWHERE}/f.css";</style>"""
    visit.page.route(
        "http://127.0.0.1:9/", lambda route: route.fulfill(body=page, content_type="text/html")
    )
    visit.go("http://127.0.0.1:9/")
    with visit.page.expect_websocket():
        visit.page.evaluate("void new WebSocket('ws://elsewhere.test/g')")
    assert [urlsplit(found).path for _, found in visit.named] == [
        "/a.css", "/b.js", "/c.png", "/e.png", "/f.css"
    ]  # fmt: skip
    asked = {urlsplit(url).path for url in visit.witness.others("127.0.0.1:9")}
    assert asked >= {"/a.css", "/b.js", "/c.png", "/g"}


def test_formgrader_and_the_students_pages(ada: Student, visit: Visit, chromium: Browser) -> None:
    """All pages of a whole cycle: formgrader's while grading, the app's with feedback in it."""
    with ada.course.instructor.formgrader() as address:
        grade(Formgrader(visit.page, address), visit)
        visit.assert_alone(address)
    pages = Visit.begin(chromium)
    with ada.app() as server:
        the_app(ada, server, pages)
        pages.assert_alone(server.address)
    pages.context.close()


def grade(teacher: Formgrader, visit: Visit) -> None:
    """Go through all pages of formgrader, and use what they offer."""
    teacher.assignment(STEP, "collect")
    visit.look()
    teacher.autograde(STEP)
    visit.look()
    teacher.open_submission(STEP)
    visit.look()
    submission = teacher.page.url
    teacher.mark("reasoning", 3, f"See {ELSEWHERE}/c")
    teacher.assignment(STEP, "generate-feedback", "release-feedback")
    for path in (
        "", "/manage_assignments", f"/manage_submissions/{STEP}", "/gradebook",
        f"/gradebook/{STEP}", f"/gradebook/{STEP}/{STEP}", "/manage_students",
        "/manage_students/ada", f"/manage_students/ada/{STEP}",
    ):  # fmt: skip
        visit.go(teacher.address + path)
        teacher.page.wait_for_load_state("networkidle")
        visit.look()
    visit.go(submission)
    visit.go(f"{teacher.address}/submissions/there-is-none/", 404)
    visit.look()


def the_app(ada: Student, server: AppServer, visit: Visit) -> None:
    """Go through all pages of the app, those that nobody wants to see included."""
    page = visit.page
    visit.go(server.url("home.ipynb"))
    expect(page.get_by_label("Key")).to_be_visible()
    page.get_by_label("Key").fill("not the key")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_be_visible()
    visit.look()

    visit.go(server.address)
    expect(page.locator(".pcn-badge", has_text="Feedback is here")).to_be_visible(timeout=90_000)
    visit.look()
    for step in ada.course.content.steps:
        visit.go(server.url(step.path))
        expect(page.locator(".pcn-field")).to_have_count(len(step.prompts))
        page.get_by_role("button", name="See what your instructor will see").click()
        framed(page, step.prompts[0].label)
        visit.look()
        page.keyboard.press("Escape")
        if step.id == STEP:
            page.get_by_role("button", name="Read it").click()
            framed(page, f"See {ELSEWHERE}/c")
            visit.look()

    workspace = ada.workspace.root
    (workspace / "broken.ipynb").write_text("This is no notebook.")
    notebook = (workspace / "home.ipynb").read_text().replace("open_home()", "1 / 0")
    (workspace / "fails.ipynb").write_text(notebook)
    visit.go(server.url("nothing-here.ipynb"), 404)
    visit.go(server.url("broken.ipynb"), 500)
    visit.go(server.url("fails.ipynb"))
    expect(page.get_by_role("heading", name="could not be made ready")).to_be_visible()
    visit.look()


def framed(page: Page, words: str) -> None:
    """Wait until a frame in the dialog shows ``words``."""
    expect(page.frame_locator("dialog iframe").get_by_text(words).first).to_be_visible()

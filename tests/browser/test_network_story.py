"""The network as a student builds it, by keyboard alone, in the real app: from members to the plan.

Twelve members and eight ties become a map with a table, a gap is named, a tool is chosen with its
reasons, an ask is drafted and closed, a week is planned, and four files leave the course.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import docx
import networkx as nx
import pytest
from icalendar import Calendar
from playwright.sync_api import BrowserContext, Locator, Page, expect

from pcn_course.course import default_root, load_course
from pcn_course.workspace import Workspace
from tests.support.keyboard import Keyboard
from tests.support.servers import AppServer, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

COURSE = load_course(default_root())
SECTORS = ("Health care", "Schools", "Public agency")
PEOPLE = [f"P{number}, role {number}" for number in range(1, 13)]
TIES = [(0, 1), (0, 2), (1, 2), (3, 4), (4, 5), (6, 7), (8, 9), (10, 11)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    nowhere = str(tmp_path / "jupyter")  # no exchange, whatever this machine has
    settings = {"JUPYTER_CONFIG_DIR": nowhere, "JUPYTER_DATA_DIR": nowhere, "HOME": nowhere}
    with AppServer(tmp_path / "workspace", course=COURSE.root, **settings) as server:
        yield server


class Student(Keyboard):
    """Somebody at the keyboard of one page after the other."""

    def open(self, server: AppServer, path: str) -> None:
        self.page.goto(server.url(path))
        expect(self.page.locator("html")).to_have_attribute("data-pcn", "ready", timeout=90_000)

    def step(self, server: AppServer, name: str) -> None:
        step = COURSE.step(name)
        self.open(server, step.path)
        expect(self.page.locator(".pcn-field")).to_have_count(len(step.prompts))

    def saved(self) -> None:
        status = self.page.locator(".pcn-status")
        expect(status).to_have_text(re.compile(r"^Saved \d"), timeout=30_000)
        expect(status).to_have_attribute("aria-busy", "false")

    def add(self, key: str) -> None:
        """A new row of a table, by its button."""
        self.tab_to("Add", key=key)
        self.press("Enter")

    def answer(self, question: str, words: str) -> None:
        """Tab to a field of the present row, and write or choose."""
        if not self.look().question.startswith(question):
            self.tab_until(lambda stop: stop.question.startswith(question))
        if self.look().kind == "select":
            script = "(w) => [...document.activeElement.options].findIndex((o) => o.text === w)"
            at: int = self.page.evaluate(script, words)
            assert at > 0, words
            self.press(*["ArrowDown"] * at)
        else:
            self.type(words)

    def tick(self, question: str, option: str) -> None:
        self.tab_until(
            lambda stop: stop.question.startswith(question) and stop.option.startswith(option)
        )
        self.press("Space")

    def panel(self, kind: str) -> Locator:
        return self.page.locator(f".pcn-panel-{kind}")

    def download(self, words: str) -> tuple[str, bytes]:
        self.tab_to(words)
        with self.page.expect_download() as got:
            self.press("Enter")
        return got.value.suggested_filename, Path(got.value.path()).read_bytes()


def test_from_twelve_members_to_a_plan_that_leaves(
    context: BrowserContext, server: AppServer, tmp_path: Path
) -> None:
    context.set_default_timeout(60_000)
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    student = Student(page)
    name_what_is_needed(student, server)
    enter_the_network(student, server)
    map_and_table_agree(page)
    expect(student.panel("coverage")).to_contain_text("Nobody on your list so far")
    expect(student.panel("coverage")).to_contain_text("The rules for paying")
    choose_a_tool(student, server)
    draft_an_ask_and_plan_a_week(student, server)
    close_the_loop(student, server)
    take_it_along(student, server, context, tmp_path)
    assert student.hidden == []


def name_what_is_needed(student: Student, server: AppServer) -> None:
    student.step(server, "goals")
    student.tab_until(lambda stop: stop.key == "live-project" and stop.kind == "text")
    student.type("A respite pathway")
    for words, group in (
        ("What carers accept", "Lived experience, people who use services"),
        ("The rules for paying", "Policy, law or funding"),
    ):
        student.add("expertise-that-helps")
        student.answer("What do you need to know", words)
        student.answer("What kind of knowledge", group)
    student.saved()


def enter_the_network(student: Student, server: AppServer) -> None:
    student.step(server, "connections")
    for number, name in enumerate(PEOPLE):
        student.add("people")
        student.answer("Initials or role", name)
        student.answer("Where do they work", SECTORS[number % 3])
        if number == 0:
            student.tick("Which need of your project", "What carers accept")
    for one, other in TIES:
        student.add("ties")
        student.answer("Who?", PEOPLE[one])
        student.answer("With whom?", PEOPLE[other])
        student.answer("In what way?", "They know each other")
    student.saved()


def map_and_table_agree(page: Page) -> None:
    """What the marks say is what the rows say, of each member and of all ties."""
    network = page.locator(".pcn-panel-network")
    expect(network).to_contain_text("12 members, 8 ties")
    expect(network).to_contain_text("8 of the 66 possible pairs")
    marks = network.locator("svg [tabindex][aria-label]")
    expect(marks).to_have_count(len(PEOPLE))
    names = [mark.get_attribute("aria-label") or "" for mark in marks.all()]
    network.get_by_text("The same as a table").click()
    table = network.locator("table").first
    expect(table.locator("tbody tr")).to_have_count(len(PEOPLE))
    for number, person in enumerate(PEOPLE):
        (mark,) = (name for name in names if name.startswith(f"{number + 1}. {person}. "))
        row = table.locator("tbody tr").nth(number)
        expect(row).to_contain_text(person)
        said = row.inner_text()
        for other in (PEOPLE[b if a == number else a] for a, b in TIES if number in (a, b)):
            assert other in mark
            assert other in said
        assert SECTORS[number % 3] in said


def choose_a_tool(student: Student, server: AppServer) -> None:
    student.step(server, "tools")
    tools = student.panel("tools")
    expect(tools.locator("li.pcn-tool").first).to_contain_text("it is free")
    student.tab_to("Choose Email")
    student.press("Enter")
    chosen = tools.locator("li.pcn-tool", has_text=re.compile("^Email"))
    expect(chosen.locator("[aria-pressed=true]").first).to_be_visible()
    student.saved()


def draft_an_ask_and_plan_a_week(student: Student, server: AppServer) -> None:
    student.step(server, "managing")
    student.add("weekly-times")
    student.answer("Day", "Tuesday")
    student.answer("From what time?", "0730AM")
    student.answer("How many minutes?", "20 minutes")
    student.answer("For what?", "The email list")
    expect(student.panel("week")).to_contain_text("Tuesday")
    student.add("asks")
    student.answer("What is it for?", "Test our form")
    student.answer("To whom?", PEOPLE[0])
    student.answer("How many minutes will it", "30")
    student.answer("What do you offer", "a paid half hour")
    student.answer("How will the answer", "your changes are printed")
    student.answer("How can they say no", "no reply is a no")
    student.answer("Where does it stand?", "Sent")
    asks = student.panel("asks")
    expect(asks).to_contain_text("Test our form")
    expect(asks).to_contain_text("1 of 1 is open")
    student.saved()


def close_the_loop(student: Student, server: AppServer) -> None:
    student.step(server, "integrating")
    student.add("loops")
    student.answer("What did you ask?", "Test our form")
    student.answer("Was it answered?", "Yes")
    student.answer("What changed", "Two questions are gone")
    student.answer("Did you report back?", "Yes")
    expect(student.panel("asks")).not_to_contain_text("1 of 1 is open")
    expect(student.panel("asks")).to_contain_text("Two questions are gone")
    student.saved()


def take_it_along(
    student: Student, server: AppServer, context: BrowserContext, tmp_path: Path
) -> None:
    """The plan's files open in other programs, and hold what was written."""
    student.open(server, "portfolio.ipynb")
    expect(student.page.locator(".pcn-sheet")).to_contain_text("A respite pathway")
    name, html = student.download("Web page")
    (tmp_path / name).write_bytes(html)
    alone = context.new_page()
    alone.goto((tmp_path / name).as_uri())
    expect(alone.locator("body")).to_contain_text("Test our form")
    expect(alone.locator("figure svg")).to_be_visible()
    alone.close()
    _, word = student.download("Word")
    words = docx.Document(io.BytesIO(word))
    assert "A respite pathway" in [one.text for one in words.paragraphs]
    assert len(words.inline_shapes) == 1
    _, week = student.download("Calendar")
    (event,) = Calendar.from_ical(week).walk("VEVENT")
    assert event["summary"] == "The email list"
    _, graph = student.download("Network")
    network = nx.read_graphml(io.BytesIO(graph))
    assert network.number_of_nodes() == 1 + len(PEOPLE)
    assert network.number_of_edges() == len(PEOPLE) + len(TIES)


def test_no_address_of_a_list_reaches_the_workspace(
    context: BrowserContext, server: AppServer
) -> None:
    """LinkedIn's export is taken over in the page; no file then holds an address of it."""
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    student = Student(page)
    student.step(server, "connections")
    student.tab_to("Take people over from a list")
    student.press("Enter")
    lines = [
        "Notes:",
        '"When exporting your connection data, some addresses are missing."',
        "",
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On",
        'Zoë,Nuñez,https://example.org/in/z,zoe@example.org,"Care, Inc.",Nurse,01 Nov 2026',
        "Karl,Ober,https://example.org/in/k,karl@example.org,County,Coordinator,02 Nov 2026",
    ]
    file = {
        "name": "Connections.csv",
        "mimeType": "text/csv",
        "buffer": "\n".join(lines).encode(),
    }
    page.locator("dialog input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_label("Zoë Nuñez", exact=False).first.check()
    page.get_by_label("Karl Ober", exact=False).first.check()
    page.get_by_role("button", name=re.compile("^Add 2 ")).click()
    student.saved()
    folder = Workspace(server.workspace)
    until(
        lambda: b"ZN" in (folder.folder(COURSE.step("connections")) / "answers.json").read_bytes()
    )
    for path in server.workspace.rglob("*"):
        if path.is_file() and path.suffix != ".ipynb":
            content = path.read_bytes()
            assert b"@example.org" not in content, path
            assert b"example.org/in" not in content, path
            assert "Nuñez".encode() not in content, path

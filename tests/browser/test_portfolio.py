"""The plan to take along, and the example to look at, as a student finds them from home."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import icalendar
import networkx as nx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as TookTooLongError

from pcn_course.answers.store import Edit
from pcn_course.course import default_root, load_course
from pcn_course.example import example_answers
from pcn_course.workspace import Workspace
from tests.support.accessible import (
    axe,
    cut_off,
    faint,
    on_paper,
    small,
    tab_through,
    tree,
    unbounded,
)
from tests.support.servers import AppServer, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
COURSE = load_course(default_root())
SECRET = "Ask my supervisor before I write to anyone"  # noqa: S105 (no password)
BUTTONS = {
    "Web page (.html)": "pcn-plan.html",
    "Word (.docx)": "pcn-plan.docx",
    "Calendar (.ics)": "pcn-week.ics",
    "Members (.csv)": "pcn-members.csv",
    "Ties (.csv)": "pcn-ties.csv",
    "Network (.graphml)": "pcn-network.graphml",
}


def write(workspace: Workspace, step: str, **values: object) -> None:
    store = workspace.store(COURSE, COURSE.step(step))
    fields = store.load().fields
    edits = {
        key: Edit(value, fields[key].version if key in fields else 0)
        for key, value in values.items()
    }
    saved = store.save("a test", edits)
    assert (saved.conflicts, saved.invalid) == ({}, {})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The course with the answers of somebody whose network grew since they handed it in."""
    folder = tmp_path_factory.mktemp("portfolio")
    workspace = Workspace(folder / "workspace")
    for step in COURSE.steps:
        fields = example_answers(COURSE, step).fields
        write(workspace, step.name, **{key: field.value for key, field in fields.items()})
    write(workspace, "goals", **{"private-note": SECRET})
    step = COURSE.step("connections")
    people = workspace.answers(step).fields["people"].value
    write(workspace, "connections", people=people[:4])
    workspace.add_snapshot(COURSE, step, dt.datetime(2026, 10, 2, 15, tzinfo=dt.UTC))
    write(workspace, "connections", people=people)
    with AppServer(folder / "workspace", course=COURSE.root) as server:
        yield server


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The course of somebody who has not begun."""
    with AppServer(tmp_path_factory.mktemp("nothing") / "workspace", course=COURSE.root) as server:
        yield server


def opened(context: BrowserContext, server: AppServer, name: str) -> Page:
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    page.goto(server.url(f"{name}.ipynb"))
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready", timeout=90_000)
    expect(page.locator(".pcn-card").first).to_be_visible()
    return page


def taken(page: Page, button: str) -> tuple[str, bytes]:
    """The name and the content of what a button downloads."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    download = waiting.value
    expect(page.get_by_role("status").filter(has_text=download.suggested_filename)).to_be_visible()
    return download.suggested_filename, Path(download.path()).read_bytes()


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page for anybody, wide and small, light and dark, printed."""
    found = []
    for width, height in ((1280, 900), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        # The map is drawn anew for its width.
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 100)))")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found += [f"{width} px, {scheme}: {one}" for one in (*axe(page), *faint(page))]
        found += [f"{width} px: {one}" for one in (*cut_off(page), *small(page), *tree(page))]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    stops, unseen = tab_through(page)
    assert len(stops) > 5
    ticks = ("Put my private notes in", "Leave my answers out")
    printed = [one for one in on_paper(page) if not any(tick in one for tick in ticks)]
    return [*found, *unbounded(page), *unseen, *printed]


def test_from_home_to_the_plan_by_keyboard(context: BrowserContext, server: AppServer) -> None:
    page = opened(context, server, "home")
    link = page.get_by_role("link", name="Your plan, to take with you")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pcn-sheet")).to_contain_text("A warm handover from our county hospital")
    assert "Your plan" in page.title()
    expect(page.locator(".pcn-map")).to_contain_text("9 members, 7 ties")
    then = page.get_by_role("region", name="Then and now")
    expect(then).to_contain_text("October 2, 2026")
    expect(then.locator("li").first).to_be_visible()
    expect(page.get_by_role("navigation", name="Steps").get_by_role("link")).to_have_count(5)
    page.get_by_role("link", name="My collaboration network").click()
    expect(page.locator(".pcn-card[data-step]")).to_have_count(5)


def test_every_file_opens_elsewhere(
    context: BrowserContext, chromium: Browser, server: AppServer, tmp_path: Path
) -> None:
    page = opened(context, server, "portfolio")
    files = {}
    for button, name in BUTTONS.items():
        got, files[name] = taken(page, button)
        assert got == name
    assert all(SECRET.encode() not in content for content in files.values())

    alone = tmp_path / "pcn-plan.html"
    alone.write_bytes(files["pcn-plan.html"])
    elsewhere = chromium.new_context(offline=True)
    try:
        document = elsewhere.new_page()
        document.goto(alone.as_uri())
        expect(document.locator("body")).to_contain_text("A warm handover")
        expect(document.locator("svg").first).to_contain_text("Discharge nurse")
    finally:
        elsewhere.close()

    with zipfile.ZipFile(io.BytesIO(files["pcn-plan.docx"])) as word:
        assert any(name.endswith(".png") for name in word.namelist())
    text = "\n".join(
        one.text for one in docx.Document(io.BytesIO(files["pcn-plan.docx"])).paragraphs
    )
    assert "A warm handover" in text
    calendar = icalendar.Calendar.from_ical(files["pcn-week.ics"])
    assert len(calendar.walk("VEVENT")) >= 3
    graph = nx.read_graphml(io.BytesIO(files["pcn-network.graphml"]))
    assert graph.number_of_nodes() >= 9
    assert files["pcn-members.csv"].decode("utf-8-sig").count("\n") >= 9
    assert files["pcn-ties.csv"].decode("utf-8-sig").count("\n") >= 7


def test_private_notes_are_taken_when_ticked_and_the_tick_is_forgotten(
    context: BrowserContext, server: AppServer
) -> None:
    page = opened(context, server, "portfolio")
    box = page.get_by_label("Put my private notes in, too")
    expect(box).not_to_be_checked()
    box.check()
    html = taken(page, "Web page (.html)")[1].decode()
    assert SECRET in html
    word = docx.Document(io.BytesIO(taken(page, "Word (.docx)")[1]))
    assert SECRET in "\n".join(one.text for one in word.paragraphs)
    page.reload()
    expect(box).to_be_visible()
    expect(box).not_to_be_checked()


def test_the_plan_is_taken_alone_and_the_map_calls_nobody_who_would_rather_not(
    context: BrowserContext, server: AppServer
) -> None:
    workspace = Workspace(server.workspace)
    before = workspace.answers(COURSE.step("connections")).fields["people"].value
    people = [before[0] | {"person": "Whoever said no", "consent": "no"}, *before[1:]]
    write(workspace, "connections", people=people)
    page = opened(context, server, "portfolio")
    private = page.get_by_label("Put my private notes in, too")
    private.check()
    page.get_by_label("Leave my answers out").check()
    expect(private).to_be_disabled()
    expect(private).not_to_be_checked()
    name, content = taken(page, "Web page (.html)")
    html = content.decode()
    assert name == "pcn-plan-only.html"
    question = COURSE.step("goals").prompt("live-project")
    assert question
    assert "A warm handover" in html
    assert "<svg" in html
    for unwanted in (SECRET, question.label, "Whoever said no"):
        assert unwanted not in html, unwanted
    name, content = taken(page, "Word (.docx)")
    assert name == "pcn-plan-only.docx"
    word = docx.Document(io.BytesIO(content))
    assert question.label not in [one.text for one in word.paragraphs]
    page.get_by_label("Leave my answers out").uncheck()
    assert "Whoever said no" in taken(page, "Web page (.html)")[1].decode()
    write(workspace, "connections", people=before)


def test_a_tick_outlasts_a_change_and_the_map_is_of_now(
    context: BrowserContext, server: AppServer
) -> None:
    workspace = Workspace(server.workspace)
    people = workspace.answers(COURSE.step("connections")).fields["people"].value
    page = opened(context, server, "portfolio")
    tick = page.get_by_label("Leave my answers out")
    tick.check()
    # In another window somebody says that they would rather not be listed.
    unlisted = [people[0] | {"person": "Whoever said no", "consent": "no"}, *people[1:]]
    write(workspace, "connections", people=unlisted)
    html = taken(page, "Web page (.html)")[1].decode()
    assert "<svg" in html
    assert "Whoever said no" not in html
    expect(tick).to_be_checked()
    expect(tick).to_be_visible()
    write(workspace, "connections", people=people)


def test_what_cannot_be_sent_now_says_so_and_can_be_tried_again(
    context: BrowserContext, server: AppServer
) -> None:
    page = opened(context, server, "portfolio")
    server.stop()
    said = page.locator(".pcn-folio .pcn-said")
    try:
        page.get_by_role("button", name="Members (.csv)").click()
        expect(said).to_contain_text("The connection is interrupted")
    finally:
        server.start()
    button = page.get_by_role("button", name="Members (.csv)")

    def came() -> bool:
        try:
            with page.expect_download(timeout=5000):
                button.click()
        except TookTooLongError:
            return False
        return True

    until(came, within=90)


def test_the_plan_follows_what_is_written_in_a_step(
    context: BrowserContext, server: AppServer
) -> None:
    page = opened(context, server, "portfolio")
    workspace = Workspace(server.workspace)
    project = workspace.answers(COURSE.step("goals")).fields["live-project"].value
    write(workspace, "goals", **{"live-project": f"{project}, second draft"})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".pcn-sheet")).to_contain_text("who live alone, second draft")


def test_the_interactive_view_comes_from_our_own_host(
    context: BrowserContext, server: AppServer
) -> None:
    page = opened(context, server, "portfolio")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Open the interactive view").click()
    expect(page.locator(".pcn-plot .main-svg").first).to_be_visible()
    assert [url for url in asked if "plotly" in url] == [
        f"http://127.0.0.1:{server.port}/pcn/plotly.min.js"
    ]
    assert all(f"127.0.0.1:{server.port}" in url for url in asked if url.startswith("http"))


def test_an_example_is_one_click_from_home(context: BrowserContext, server: AppServer) -> None:
    page = opened(context, server, "home")
    page.get_by_role("link", name="See a complete example").click()
    expect(page.get_by_role("note")).to_contain_text("An example: a made-up student")
    for step in COURSE.steps:
        heading = f"Step {step.number} · {step.title}"
        expect(page.get_by_role("heading", name=heading, level=2)).to_be_visible()
    expect(page.locator("input, textarea, select")).to_have_count(0)
    expect(page.get_by_role("button", name="Calendar")).to_have_count(0)
    name, content = taken(page, "Web page (.html)")
    assert name == "pcn-example-plan.html"
    assert SECRET.encode() not in content


def test_who_has_not_begun_is_told_what_will_be_here(
    context: BrowserContext, nothing: AppServer
) -> None:
    page = opened(context, nothing, "portfolio")
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    assert faults_of(page) == []
    page.get_by_role("link", name="step 1", exact=True).click()
    expect(page.locator(".pcn-field").first).to_be_visible()


@pytest.mark.parametrize("name", ["portfolio", "example", "home"])
def test_it_is_for_everybody(context: BrowserContext, server: AppServer, name: str) -> None:
    page = opened(context, server, name)
    assert faults_of(page) == []

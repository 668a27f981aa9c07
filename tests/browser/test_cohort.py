"""The class as a whole in a real browser: a thousand students, their tables, charts and files."""

from __future__ import annotations

import csv
import io
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pcn_course.grading.cohort import read_class
from pcn_course.grading.gradebook.room import Room
from pcn_course.instructor.cohort import Table, people_table, sections
from tests.support.accessible import axe, cut_off, faint, small, tab_through, tree, unbounded
from tests.support.big_class import big_class
from tests.support.marking import MarkingServer
from tests.support.network import Witness

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SIZE = 1000
CHARTS = 7
_TABLE = (
    """(table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))"""
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = big_class(tmp_path_factory.mktemp("cohort") / "course", SIZE)
    # Something for spreadsheets to fall for, and for browsers.
    with room.gradebook() as gradebook:
        first, second = sorted(gradebook.students, key=lambda one: one.id)[:2]
        first.first_name, first.last_name = '=HYPERLINK("x")', "Ærø, “the” 2nd"
        second.first_name = "<img src=x onerror=window.hacked=1>"
        gradebook.db.commit()
    yield room
    room.close()


@pytest.fixture(scope="module")
def server(room: Room) -> Iterator[MarkingServer]:
    with MarkingServer(room.root) as server:
        yield server


@pytest.fixture(scope="module")
def seminar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarkingServer]:
    """A class of 30, whose page has all parts and is soon looked through."""
    room = big_class(tmp_path_factory.mktemp("seminar") / "course", 30)
    with MarkingServer(room.root) as server:
        yield server
    room.close()


@pytest.fixture(scope="module")
def tables(room: Room) -> dict[str, Table]:
    """The tables as they are counted in this process; tests/grading counts them a second way."""
    cls = read_class(room)
    found = {table.id: table for one in sections(cls) for table in one.tables}
    return {**found, "people": people_table(cls)}


def address(server: MarkingServer) -> str:
    return server.page.replace("marking.ipynb", "cohort.ipynb")


def visit(context: BrowserContext, server: MarkingServer) -> Page:
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    page.goto(address(server))
    expect(page.get_by_role("heading", name="Where everybody is")).to_be_visible(timeout=60_000)
    return page


@pytest.fixture
def opened(context: BrowserContext, server: MarkingServer) -> Page:
    return visit(context, server)


def names(page: Page) -> None:
    page.get_by_role("button", name="Show the students by name").click()
    expect(page.locator("[data-table=people]")).to_be_visible()


def charts(page: Page) -> None:
    """Open all charts."""
    toggles = page.get_by_role("button", name="Open the chart")
    while toggles.count():
        before = page.locator(".pcn-chart .main-svg").count()
        toggles.first.click()
        page.wait_for_function(
            "(n) => document.querySelectorAll('.pcn-chart .main-svg').length > n", arg=before
        )


def said(cell: Any) -> str:
    """A cell as an American reader sees it."""
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, int | float) else str(cell)


def test_every_cell_is_the_one_that_was_counted(opened: Page, tables: dict[str, Table]) -> None:
    names(opened)
    assert opened.locator("table").count() == len(tables) == CHARTS + 1
    for name, table in tables.items():
        head, *rows = opened.locator(f"[data-table={name}]").evaluate(_TABLE)
        assert head == [column.label for column in table.columns]
        assert rows == [[said(cell) for cell in row] for row in table.rows]
    assert len(tables["people"].rows) == SIZE
    assert opened.evaluate("window.hacked") is None


def test_tables_are_tables_for_those_who_hear_them(opened: Page) -> None:
    names(opened)
    for one in opened.locator("table").all():
        assert one.locator("caption").inner_text()
        assert set(one.locator("thead th").evaluate_all("(all) => all.map((th) => th.scope)")) == {
            "col"
        }
        rows = one.locator("tbody tr").count()
        assert one.locator("tbody tr:has(th[scope=row])").count() == rows > 0


def test_files_are_the_tables(opened: Page, tables: dict[str, Table]) -> None:
    names(opened)
    for name, table in tables.items():
        card = opened.locator(f".pcn-card:has([data-table={name}])")
        button = card.get_by_role("button", name="Download as CSV")
        with opened.expect_download() as waiting:
            button.click()
        assert waiting.value.suggested_filename == f"pcn-{name}.csv"
        content = Path(waiting.value.path()).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        shown_head, *shown = opened.locator(f"[data-table={name}]").evaluate(_TABLE)
        assert head == shown_head
        plain = [[cell if cell != "–" else "" for cell in row] for row in shown]
        numbers = [one.kind in ("number", "share") for one in table.columns]
        assert [[cell.removeprefix("'") for cell in row] for row in rows] == [
            [cell.replace(",", "") if n else cell for n, cell in zip(numbers, row, strict=True)]
            for row in plain
        ]
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert "'=HYPERLINK" in content.decode("utf-8-sig"), "the last one was that of the names"


def test_charts_come_when_asked_for_and_from_our_own_host(
    chromium: Browser, server: MarkingServer
) -> None:
    context = chromium.new_context(bypass_csp=True, locale="en-US")
    witness = Witness(context)
    page = visit(context, server)
    host = urllib.parse.urlsplit(server.address).netloc
    assert not any("plotly" in url for url in witness.asked), "tables first"
    charts(page)
    assert sum("plotly.min.js" in url for url in witness.asked) == 1
    page.get_by_role("button", name="Show the students by name").click()
    expect(page.locator("[data-table=people]")).to_be_visible()
    assert witness.others(host) == []
    assert witness.refused == []
    context.close()


def test_a_chart_says_its_numbers_at_its_marks(opened: Page, tables: dict[str, Table]) -> None:
    charts(opened)
    table = tables["progress"]
    texts = opened.locator(".pcn-chart").first.locator(".bartext").all_text_contents()
    handed_in, late = ([row[at] for row in table.rows] for at in (1, 2))
    on_time = [one - other for one, other in zip(handed_in, late, strict=True)]
    assert {f"on time: {one}" for one in on_time} <= set(texts)
    spot = opened.locator(".pcn-chart").first
    assert spot.get_attribute("aria-label") == f"Chart: {table.caption}. The table says the same"
    assert opened.locator(".pcn-chart .main-svg").count() >= CHARTS


def test_a_chart_that_does_not_come_leaves_the_table(
    context: BrowserContext, server: MarkingServer
) -> None:
    context.route("**/plotly.min.js*", lambda route: route.abort())
    page = visit(context, server)
    page.get_by_role("button", name="Open the chart").first.click()
    expect(page.get_by_text("The chart did not load. The table says the same.")).to_be_visible()
    expect(page.locator("[data-table=progress]")).to_be_visible()
    context.unroute("**/plotly.min.js*")
    page.get_by_role("button", name="Open the chart").first.click()
    expect(page.locator(".pcn-chart .main-svg").first).to_be_visible()


def test_who_is_late_is_found_by_keyboard_alone(opened: Page, tables: dict[str, Table]) -> None:
    def press_on(name: str) -> None:
        for _ in range(60):
            opened.keyboard.press("Tab")
            if opened.evaluate("document.activeElement.textContent").startswith(name):
                return
        raise AssertionError(f"no way to {name}")

    press_on("Open the chart")
    opened.keyboard.press("Enter")
    expect(opened.locator(".pcn-chart").first).to_be_focused()
    opened.keyboard.press("Shift+Tab")
    press_on("Close the chart")
    opened.keyboard.press("Enter")
    expect(opened.locator(".pcn-chart").first).to_be_hidden()
    press_on("Show the students by name")
    opened.keyboard.press("Enter")
    select = opened.get_by_role("combobox")
    expect(select).to_be_focused()
    opened.keyboard.type("handed in late")
    late = [row for row in tables["people"].rows if "handed in late" in row[2:]]
    expect(opened.get_by_text(f"{len(late)} of 1,000 students")).to_be_visible()
    shown = opened.locator("[data-table=people] tbody tr:visible td:nth-child(2)")
    assert shown.all_inner_texts() == [row[1] for row in late]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nobody_is_kept_out(
    chromium: Browser, seminar: MarkingServer, width: int, scheme: Any
) -> None:
    size = {"width": width, "height": 900}
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")  # type: ignore[arg-type]
    page = visit(context, seminar)
    for look in (axe, cut_off, faint, small, tree, unbounded):
        assert look(page) == [], look.__name__
    charts(page)
    names(page)
    for look in (axe, faint, small, tree):
        assert look(page) == [], look.__name__
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _, faults = tab_through(page)
    assert faults == []
    context.close()


def test_read_again_takes_what_came_in_since(
    opened: Page, room: Room, tables: dict[str, Table]
) -> None:
    cell = opened.locator("[data-table=tools] tbody tr:first-child")
    before = cell.inner_text()
    tool = next(
        one.value
        for one in room.course.step("tools").prompt("tools-chosen").options  # type: ignore[union-attr]
        if one.label == tables["tools"].rows[0][0]
    )
    path = next(
        one for one in sorted(room.submitted.glob("*/step-3-tools/answers.json"))
        if f'"{tool}"' not in one.read_text()
    )  # fmt: skip
    kept = path.read_bytes()
    try:
        path.write_text(
            '{"format": 1, "course": "pcn", "step": "tools", "fields": '
            f'{{"tools-chosen": {{"value": ["{tool}"], "version": 1}}}}}}'
        )
        opened.get_by_role("button", name="Read again").click()
        expect(opened.get_by_text("This is how it stands now.")).to_be_visible()
        chosen = int(before.split("\t")[1].replace(",", ""))
        assert int(cell.inner_text().split("\t")[1].replace(",", "")) == chosen + 1
        expect(opened.get_by_role("button", name="Read again")).to_be_focused()
    finally:
        path.write_bytes(kept)


def test_a_printed_page_has_all_of_its_tables(opened: Page) -> None:
    opened.emulate_media(media="print")
    assert opened.get_by_role("button").count() == 0
    heights = opened.locator(".pcn-scroll").evaluate_all(
        "(all) => all.map((one) => one.scrollHeight - one.clientHeight)"
    )
    assert max(heights) <= 1

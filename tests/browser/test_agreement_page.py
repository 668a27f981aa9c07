"""Second marking in a real browser: what the figures mean, and a difference settled by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pcn_course.course import default_root, load_course
from pcn_course.grading.agreement.calibration import SYNTHETIC, load_calibrations, make_calibration
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.second_marks import marked_twice
from pcn_course.instructor.marking_second import SecondMarks
from tests.support.accessible import axe, cut_off, faint, small, tab_through, tree, unbounded
from tests.support.marking import HOSTILE, STEP, Desk, MarkingServer, class_to_mark

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
FIRST = (0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)
SECOND = (2, 1, 1, 2, 2, 3, 3, 3, 4, 3, 4, 4)
READY = "How far the marks agree"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Twelve submissions marked twice: in two criteria four marks differ, in two all of them."""
    room = class_to_mark(tmp_path_factory.mktemp("second") / "course", len(FIRST))
    first, second = Marking(room, "ada"), SecondMarks(Marking(open_room(room.root), "ben"))
    for number, (one, other) in enumerate(zip(FIRST, SECOND, strict=True), start=1):
        student = f"s{number:03}"
        marks = {"reasoning": (one, other), "ethics": (one, other)}
        marks |= {"evidence": (2, 3), "action": (3, 2)}
        for criterion, (mine, theirs) in marks.items():
            first.give(student, STEP, criterion, mine)
            second.give(first.submission(student, STEP), criterion, theirs, None)
    second.say(first.submission("s001", STEP), "reasoning", HOSTILE, "")
    yield room
    room.close()


@pytest.fixture(scope="module")
def server(room: Room) -> Iterator[MarkingServer]:
    with MarkingServer(room.root, PCN_MARKER="chair") as server:
        yield server


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = make_calibration(
        load_course(default_root()), tmp_path_factory.mktemp("round") / "calibration"
    )
    yield room
    room.close()


def visit(context: BrowserContext, server: MarkingServer) -> Page:
    assert context.request.get(server.address, max_redirects=0).status == 302
    page = context.new_page()
    page.goto(server.page.replace("marking.ipynb", "agreement.ipynb"))
    expect(page.get_by_role("heading", name=READY)).to_be_visible(timeout=60_000)
    return page


@pytest.fixture
def opened(context: BrowserContext, server: MarkingServer) -> Page:
    return visit(context, server)


def waiting(page: Page) -> Any:
    return page.get_by_role("region", name="To be settled").get_by_role("article")


def points(room: Room, student: str) -> dict[str, float | None]:
    marks = Marking(room, "").submission(student, STEP).marks
    return {criterion: mark.points for criterion, mark in marks.items()}


def test_words_come_first_and_figures_when_asked_for(opened: Page) -> None:
    card = opened.get_by_role("region", name="Reasoning from your own project")
    expect(card.get_by_text("12 marks were given twice. In 8 of 12 (67%)")).to_be_visible()
    figure = card.get_by_role("row", name="ICC(2,1)")
    expect(figure).to_be_hidden()
    card.get_by_text("All figures").click()
    expect(figure).to_have_text(re.compile(r"0\.\d\d \(0?.*0\.\d\d to 0\.\d\d\)$"))
    assert card.get_by_role("row").count() == 8
    drift = opened.get_by_role("region", name="Drift over time")
    expect(drift.get_by_role("row", name="ada")).to_contain_text(re.compile(r"48.*\(.* to .*\)"))
    expect(drift.get_by_text("ada: Marks became higher while they were given.")).to_be_visible()
    choose = opened.get_by_role("combobox", name="Step")
    choose.select_option(label="Step 2 · Connections")
    expect(opened.get_by_text("Nothing has been marked twice yet.")).to_be_visible()
    choose.select_option(label="Step 1 · Goals")
    expect(card).to_be_visible()


def test_a_difference_is_settled_by_keyboard_alone(opened: Page, room: Room) -> None:
    widest = next(one for one in marked_twice(Marking(room, "")) if one.student == "s001")
    card = waiting(opened).first
    expect(card.get_by_role("heading")).to_have_text(
        f"Submission {widest.pseudonym}, step 1: Reasoning from your own project"
    )
    expect(card).to_contain_text(HOSTILE)
    assert opened.evaluate("window.hacked") is None
    expect(opened.get_by_text("32 differences wait")).to_be_visible()

    def tab_to(name: str) -> None:
        for _ in range(60):
            opened.keyboard.press("Tab")
            if opened.evaluate("document.activeElement.textContent").startswith(name):
                return
        raise AssertionError(f"no way to {name}")

    tab_to("Settle")
    opened.keyboard.press("Enter")
    expect(card.get_by_role("radio").first).to_be_focused()
    opened.keyboard.press("1")
    expect(card.get_by_role("radio", name="1 · A start")).to_be_checked()
    opened.keyboard.press("Tab")
    opened.keyboard.type("Named, and no reason given.")
    tab_to("Save")
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("status").first).to_contain_text("Saved: Submission")
    expect(opened.get_by_role("heading", name="To be settled")).to_be_focused()
    expect(opened.get_by_text("31 differences wait")).to_be_visible()
    done = opened.get_by_role("region", name="Settled", exact=True).get_by_role("article")
    expect(done).to_contain_text(re.compile(r"1 · A start by chair, .*: Named, and no reason"))
    assert points(room, "s001")["reasoning"] == 1
    assert points(room, "s001")["ethics"] == 0


def test_who_was_slower_chooses(opened: Page, room: Room) -> None:
    found = marked_twice(Marking(room, ""))
    one = next(it for it in found if (it.student, it.criterion) == ("s009", "ethics"))
    expect(waiting(opened)).to_have_count(25)
    opened.get_by_role("button", name=re.compile(r"Show \d more of 3\d")).click()
    expect(waiting(opened).nth(25).get_by_role("heading")).to_be_focused()
    expect(opened.get_by_role("button", name="more of")).to_have_count(0)
    card = opened.get_by_role("article", name=f"{one.pseudonym}, step 1: Ethics")
    Marking(open_room(room.root), "ada").give("s009", STEP, "ethics", 2)
    card.get_by_role("button", name="Settle").click()
    card.get_by_role("radio", name="4 · Well argued").check()
    card.get_by_label("Why?").fill("Both sides are named.")
    card.get_by_role("button", name="Save").click()
    told = card.get_by_role("alert")
    expect(told).to_contain_text("Now 2 · Partly there stands in the gradebook, by ada.")
    assert points(room, "s009")["ethics"] == 2
    told.get_by_role("button", name="Put mine: 4 · Well argued").click()
    expect(opened.get_by_role("status").first).to_contain_text("Saved: Submission")
    assert points(room, "s009")["ethics"] == 4


def test_a_link_opens_the_answer_on_the_marking_page(opened: Page) -> None:
    card = waiting(opened).last
    name = card.get_by_role("heading").inner_text().split(",")[0]
    card.get_by_role("link", name="Open the answer").click()
    expect(opened.locator(".pcn-left > h2")).to_have_text(name, timeout=60_000)
    expect(opened.locator(".pcn-answers")).to_be_visible()
    opened.get_by_role("link", name="Second marking").click()
    expect(opened.get_by_role("heading", name=READY)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_nobody_is_kept_out(
    chromium: Browser, server: MarkingServer, width: int, scheme: Any
) -> None:
    size = {"width": width, "height": 900}
    context = chromium.new_context(viewport=size, color_scheme=scheme, locale="en-US")  # type: ignore[arg-type]
    page = visit(context, server)
    for look in (axe, cut_off, faint, small, tree, unbounded):
        assert look(page) == [], look.__name__
    for one in page.get_by_text("All figures").all():
        one.click()
    waiting(page).last.get_by_role("button", name="Settle").click()
    for look in (axe, cut_off, faint, small, tree):
        assert look(page) == [], look.__name__
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scrolls = page.locator(".pcn-scroll").evaluate("(one) => one.scrollWidth > one.clientWidth")
    assert not scrolls, "even the widest table fits"
    _, faults = tab_through(page)
    assert faults == []
    context.close()


def test_a_round_of_calibration_is_marked_blind_and_then_compared(
    context: BrowserContext, anchors: Room
) -> None:
    goals = load_calibrations(anchors.course)[0]
    with MarkingServer(anchors.root, PCN_MARKER="me") as server:
        desk = Desk.open(context, server)
        page = desk.page
        expect(page.get_by_text(SYNTHETIC)).to_be_visible()
        as_whom = page.get_by_role("combobox", name="As", exact=True)
        assert as_whom.locator("option").all_inner_texts() == ["Second marker, blind"]
        shown = page.locator("body").inner_text()
        assert not any(one.why in shown for anchor in goals.anchors for one in anchor.agreed)
        for key in ("0", "c", "0"):
            desk.press(key)
        desk.saved()
        prefs = page.evaluate("JSON.parse(localStorage.getItem('pcn:marking:prefs'))")
        assert prefs["second"] is False, "at the same port the real class is as it was"
        page.get_by_role("link", name="Second marking").click()
        expect(page.get_by_role("heading", name=READY)).to_be_visible(timeout=60_000)
        cards = page.get_by_role("region", name="Where your marks and the agreed ones differ")
        first = cards.get_by_role("article").first
        expect(first).to_contain_text("First mark by agreed:")
        expect(first).to_contain_text("Second mark by me: 0 · Not shown")
        why = first.get_by_role("listitem").first.locator("blockquote").inner_text()
        assert why in {one.why for anchor in goals.anchors for one in anchor.agreed}
        assert page.get_by_role("button", name="Settle").count() == 0
        expect(page.get_by_role("heading", name="Drift over time")).to_have_count(0)
        assert axe(page) == []

"""Marking in a real browser, as an instructor would: by keyboard alone, and two at once."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import insert

from pcn_course.grading.gradebook.marks import Marking as Gradebook
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import Records, now, requests, second_marks
from pcn_course.grading.notebooks import write_room_notebooks
from tests.support.accessible import axe, cut_off, faint, small, tab_through, tree, unbounded
from tests.support.formgrader import Formgrader
from tests.support.handing_in import hand_in_anew
from tests.support.marking import STEP, Desk, MarkingServer, answers, class_to_mark
from tests.support.nbgrader_course import Course, visible_text
from tests.support.room import HANDED_IN, hand_in, restore
from tests.support.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
CRITERIA = ("reasoning", "evidence", "ethics", "action")
SIZE = 20
LATE = dt.timedelta(days=1, hours=3)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, MarkingServer]]:
    """A course's folder, a copy of it as it was at first, and its server."""
    folder = tmp_path_factory.mktemp("marked")
    room = class_to_mark(folder / "course", 5)
    room.close()
    shutil.copytree(folder / "course", folder / "template")
    with MarkingServer(room.root) as server:
        yield folder / "course", folder / "template", server


@pytest.fixture
def room(course: tuple[Path, Path, MarkingServer]) -> Iterator[Room]:
    folder, template, _ = course
    restore(folder, template)
    room = open_room(folder / "assignments")
    yield room
    room.close()


@pytest.fixture
def server(course: tuple[Path, Path, MarkingServer], room: Room) -> MarkingServer:
    server = course[2]
    assert server.room == room.root
    if server.process is None:  # a test that stopped it has failed
        server.start()
    return server


@pytest.fixture
def desk(context: BrowserContext, server: MarkingServer) -> Desk:
    return Desk.open(context, server)


def stands(room: Room, student: str) -> dict[str, Any]:
    """The marks of a student as nbgrader's own interface reads them."""
    with room.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(STEP, STEP, student)
        return {one.name: one.manual_score for one in notebook.grades if one.name in CRITERIA}


def shown(desk: Desk, room: Room) -> str:
    """The student whose submission is on the page."""
    for one in Gradebook(room, "a test").listed(STEP):
        if desk.title == f"Submission {one.pseudonym}":
            return one.student.id
    raise AssertionError(f"nobody's: {desk.title}")


# ---- Twenty students, four criteria, no mouse ------------------------------------------------


@dataclass(frozen=True)
class Marked:
    """A class that was collected and autograded by nbgrader, and then marked on the page."""

    course: Course
    room: Room
    given: dict[str, dict[str, float]]
    comments: dict[tuple[str, str], str]


def collected(folder: Path) -> Course:
    """``SIZE`` submissions, autograded by nbgrader itself."""
    course = Course.make(folder / "course")
    instructor = course.instructor
    instructor.nbgrader("generate_assignment", STEP)
    room = open_room(instructor.room)
    write_room_notebooks(room.root)
    step = course.content.step(STEP)
    for at in range(SIZE):
        place = hand_in(room, f"s{at:02}", STEP, answers(step, at, hostile=at == SIZE - 1))
        (place / "timestamp.txt").write_text("2027-01-20 10:00:00 UTC")
        shutil.copy(room.released / STEP / f"{STEP}.ipynb", place)
    instructor.autograde(STEP)
    return course


@pytest.fixture(scope="module")
def marked(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    course = collected(tmp_path_factory.mktemp("marking"))
    room = open_room(course.instructor.room)
    listed = Gradebook(room, "a test").listed(STEP)
    names = {f"Submission {one.pseudonym}": one.student.id for one in listed}
    marked = Marked(course, room, {student: {} for student in names.values()}, {})
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(60_000)
    with MarkingServer(room.root) as server:
        desk = Desk.open(context, server)
        desk.page.evaluate(
            "() => { pcnMouse = 0; addEventListener('pointerdown', () => pcnMouse++, true); }"
        )
        tab_to(desk, "Go on by itself")
        desk.press("Space")
        for at in range(2):
            tab_to(desk, "Mark", back=True)
            desk.press("ArrowDown")  # a select that is closed changes at once
            leave_field(desk)
            across_all(desk, marked, names, at)
        tab_to(desk, "Mark", back=True)
        desk.press("Home")
        tab_to(desk, "Go on by itself")
        desk.press("Space")
        leave_field(desk)
        one_by_one(desk, marked, names)
        assert desk.page.evaluate("pcnMouse") == 0
        yield marked
    context.close()


def across_all(desk: Desk, marked: Marked, names: dict[str, str], at: int) -> None:
    """One criterion across all students, going on by itself."""
    for number in range(SIZE):
        title = desk.title
        level = (int(names[title][1:]) + at) % 5
        marked.given[names[title]][CRITERIA[at]] = level
        desk.press(str(level))
        if number < SIZE - 1:
            moved_on(desk, title)
    desk.saved()
    expect(desk.page.locator(".pcn-counts")).to_contain_text(f"{SIZE} of {SIZE} marked")


def one_by_one(desk: Desk, marked: Marked, names: dict[str, str]) -> None:
    """The other criteria, one student whole, staying until sent on; with comments for some."""
    for number in range(SIZE):
        title = desk.title
        student = names[title]
        for criterion, word in zip(CRITERIA[2:], ("Ethics", "Planned"), strict=True):
            expect(desk.page.locator(".pcn-unfolded h3")).to_contain_text(word)
            marked.given[student][criterion] = (3 * int(student[1:]) + len(criterion)) % 5
            desk.press(str(marked.given[student][criterion]))
            if int(student[1:]) % 5 == 0:
                marked.comments[student, criterion] = f"To {student}: “why” & <b>how</b>?"
                desk.press("m")
                desk.page.keyboard.type(marked.comments[student, criterion])
                desk.press("Escape")
            desk.press("c")
        desk.saved()
        desk.press("n")
        if number < SIZE - 1:
            moved_on(desk, title)


def moved_on(desk: Desk, title: str) -> None:
    expect(desk.page.locator(".pcn-left > h2")).not_to_have_text(title)
    expect(desk.page.locator(".pcn-answers")).to_be_visible()


def tab_to(desk: Desk, label: str, *, back: bool = False) -> None:
    """Press Tab until the focus is on the control with this label."""
    for _ in range(60):
        desk.press("Shift+Tab" if back else "Tab")
        if desk.page.evaluate("document.activeElement.labels?.[0]?.textContent") == label:
            return
    raise AssertionError(f"Tab does not lead to “{label}”")


def leave_field(desk: Desk) -> None:
    desk.press("Escape")
    expect(desk.page.locator(".pcn-left > h2")).to_be_focused()


def test_the_gradebook_has_every_mark_and_comment(marked: Marked) -> None:
    assert len(marked.comments) == 8
    for student, given in marked.given.items():
        assert set(given) == set(CRITERIA)
        grades = marked.course.instructor.grades(student, STEP)
        for criterion, points in given.items():
            assert grades[criterion]["manual"] == points
            assert grades[criterion]["open"] is False
            assert grades[criterion]["comment"] == marked.comments.get((student, criterion))


def test_formgrader_shows_the_same_points(marked: Marked, page: Page) -> None:
    with marked.course.instructor.formgrader() as address:
        answer = page.request.get(f"{address}/api/submissions/{STEP}")
        lines = {one["student"]: one for one in answer.json()}
        assert len(lines) == SIZE
        for student, given in marked.given.items():
            structure = marked.course.instructor.grades(student, STEP)["structure"]["score"]
            assert lines[student]["score"] == sum(given.values()) + structure
            assert lines[student]["needs_manual_grade"] is False
        desk = Formgrader(page, address)
        desk.open_submission(STEP)
        notebook = page.url.rpartition("/submissions/")[2].strip("/").split("/")[0]
        with marked.course.instructor.gradebook() as gradebook:
            student = gradebook.find_submission_notebook_by_id(notebook).student.id
        for criterion, points in marked.given[student].items():
            expect(page.locator(f"[id='{criterion}']")).to_have_value(f"{points:g}")
        # And the other way round: what formgrader writes is what the page shows.
        desk.mark("ethics", 2.5, "From formgrader")
    submission = Gradebook(marked.room, "a test").submission(student, STEP)
    assert submission.marks["ethics"].points == 2.5
    assert submission.marks["ethics"].comment == "From formgrader"
    Gradebook(marked.room, "a test").give(student, STEP, "ethics", marked.given[student]["ethics"])
    old = marked.comments.get((student, "ethics"), "")
    Gradebook(marked.room, "a test").say(student, STEP, "ethics", old)


def test_feedback_has_the_same_points(marked: Marked) -> None:
    instructor = marked.course.instructor
    instructor.nbgrader("generate_feedback", STEP)
    for student, given in marked.given.items():
        path = marked.room.feedback / student / STEP / f"{STEP}.html"
        words = visible_text(path.read_text())
        structure = instructor.grades(student, STEP)["structure"]["score"]
        total = sum(given.values()) + structure
        assert f"{total:g} of {marked.room.course.rubric.points:g} points" in words
        for one in marked.room.course.rubric.criteria:
            assert f"{one.title} {given[one.id]:g} of 4" in words
        for (who, _), comment in marked.comments.items():
            assert (comment in words) == (who == student)


# ---- Two at once -----------------------------------------------------------------------------


def test_two_graders_at_once_lose_nothing_silently(
    chromium: Browser, server: MarkingServer, room: Room
) -> None:
    contexts = [chromium.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    ada, ben = (
        Desk.open(context, server, marker=name)
        for context, name in zip(contexts, ("Ada", "Ben"), strict=True)
    )
    assert ada.title == ben.title
    student = shown(ada, room)
    ada.press("4")
    ada.saved()
    ben.press("1")
    clash = ben.page.get_by_role("alert").filter(has_text="Two marks at once")
    expect(clash).to_contain_text(
        "Ada was faster: 4 of 4 stands in the gradebook. You chose 1 of 4."
    )
    assert stands(room, student)["reasoning"] == 4
    assert len(ben.drafts()) == 1, "what is not settled stays on the device"
    clash.get_by_role("button", name="Put mine: 1 of 4").click()
    ben.saved()
    assert stands(room, student)["reasoning"] == 1
    # Ada's page still shows what it saw; what she gives now meets Ben's mark.
    ada.press("3")
    clash = ada.page.get_by_role("alert").filter(has_text="Two marks at once")
    expect(clash).to_contain_text("Ben was faster: 1 of 4")
    clash.get_by_role("button", name="Keep 1 of 4").click()
    expect(clash).to_have_count(0)
    expect(ada.criterion("Reasoning")).to_contain_text("1 of 4")
    assert ada.drafts() == []
    # Comments: both texts are there, and both can be kept.
    for desk, words in ((ada, "Ada's words."), (ben, "Ben's words.")):
        desk.press("m")
        desk.page.keyboard.type(words)
        desk.press("Escape")
        if desk is ada:
            desk.saved()
    clash = ben.page.get_by_role("alert").filter(has_text="Two comments at once")
    expect(clash).to_contain_text("Ada's words.")
    clash.get_by_role("button", name="Keep both").click()
    ben.saved()
    comment = Gradebook(room, "a test").submission(student, STEP).marks["reasoning"].comment
    assert comment == "Ada's words.\n\nBen's words."
    for context in contexts:
        context.close()


def test_a_clash_on_a_page_already_left_is_still_shown(
    chromium: Browser, server: MarkingServer, room: Room
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    desk = Desk.open(context, server, marker="Ada")
    student, title = shown(desk, room), desk.title
    Gradebook(open_room(room.root), "Ben").give(student, STEP, "reasoning", 2)
    desk.page.get_by_label("Go on by itself").check()
    desk.page.get_by_label("Mark", exact=True).select_option("reasoning")
    desk.page.locator(".pcn-left > h2").focus()
    desk.press("4")
    expect(desk.page.locator(".pcn-left > h2")).not_to_have_text(title)
    note = desk.page.get_by_role("alert").filter(has_text="Not saved")
    note.get_by_role("button", name=title).click()
    expect(desk.page.locator(".pcn-left > h2")).to_have_text(title)
    desk.page.get_by_role("button", name="Put mine: 4 of 4").click()
    desk.saved()
    assert stands(room, student)["reasoning"] == 4
    context.close()


def test_a_second_marker_marks_blind(chromium: Browser, server: MarkingServer, room: Room) -> None:
    contexts = [chromium.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    ada, ben = (
        Desk.open(context, server, marker=name)
        for context, name in zip(contexts, ("Ada", "Ben"), strict=True)
    )
    student, title = shown(ada, room), ada.title
    ada.press("4", "m")
    ada.page.keyboard.type("Only for first eyes")
    ada.press("Escape")
    ada.saved()
    share = ben.page.get_by_label("Of", exact=True)
    expect(share).to_be_hidden()
    ben.page.get_by_label("As", exact=True).select_option("second")
    ben.ready()
    every = ben.page.locator(".pcn-all li")
    ben.page.get_by_text("All submissions of this step").click()
    size = len(Gradebook(room, "a test").listed(STEP))
    expect(every).to_have_count(size)
    order = every.all_inner_texts()
    share.select_option("20")
    expect(every).to_have_count(math.ceil(size / 5))
    assert every.all_inner_texts() == order[: math.ceil(size / 5)]
    ben.page.reload()
    ben.ready()
    expect(share).to_have_value("20")
    share.select_option("100")
    ben.ready()
    expect(ben.page.locator(".pcn-left > h2")).to_have_text(title)
    expect(ben.criterion("Reasoning")).to_contain_text("not marked")
    assert "first eyes" not in ben.page.content()
    expect(ben.page.locator(".pcn-total")).to_be_hidden()
    ben.press("Escape", "1", "m")
    ben.page.keyboard.type("No alternative is weighed")
    ben.press("Escape")
    ben.saved()
    expect(ben.criterion("Reasoning")).to_contain_text("1 of 4")
    assert axe(ben.page) == []
    assert stands(room, student)["reasoning"] == 4
    with room.engine.connect() as connection:
        (kept,) = connection.execute(second_marks.select()).all()
    assert (kept.student, kept.criterion, kept.marker) == (student, "reasoning", "Ben")
    assert (kept.points, kept.note) == (1, "No alternative is weighed")
    ada.page.get_by_label("As", exact=True).select_option("second")
    ada.ready()
    ada.page.get_by_role("button", name="Reasoning from your own project").click()
    ada.press("2")
    expect(ada.page.get_by_role("alert").filter(has_text="You gave the first mark")).to_be_visible()
    for context in contexts:
        context.close()


def test_new_answers_ask_the_second_marker_again(
    context: BrowserContext, server: MarkingServer, room: Room
) -> None:
    desk = Desk.open(context, server, marker="Ben")
    student = shown(desk, room)
    Gradebook(open_room(room.root), "Ada").give(student, STEP, "reasoning", 4)
    desk.page.get_by_label("As", exact=True).select_option("second")
    desk.ready()
    desk.press("Escape", "1")
    desk.saved()
    hand_in_anew(room, student, STEP, {"live-project": "Other words altogether"})
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.criterion("Reasoning")).to_contain_text("1 of 4, look again")
    expect(desk.page.locator(".pcn-words")).to_contain_text("has handed in anew")
    desk.press("1")
    expect(desk.criterion("Reasoning")).not_to_contain_text("look again")
    # The same mark again was the second one: the first still waits.
    assert Gradebook(room, "a test").submission(student, STEP).marks["reasoning"].open is True


# ---- What may go wrong -----------------------------------------------------------------------


def test_what_the_kernel_did_not_get_is_kept_and_delivered(
    desk: Desk, server: MarkingServer, room: Room
) -> None:
    student = shown(desk, room)
    server.stop()
    desk.press("2", "m")
    desk.page.keyboard.type("Written while nobody listened")
    desk.press("Escape")
    expect(desk.page.locator(".pcn-status")).to_contain_text("Not saved yet")
    assert len(desk.drafts()) == 2
    assert stands(room, student)["reasoning"] is None
    server.start()
    desk.saved()
    found = Gradebook(room, "a test").submission(student, STEP).marks["reasoning"]
    assert (found.points, found.comment) == (2, "Written while nobody listened")


def test_a_page_that_was_closed_delivers_when_it_is_opened_again(
    context: BrowserContext, desk: Desk, server: MarkingServer, room: Room
) -> None:
    student = shown(desk, room)
    server.stop()
    desk.press("3")
    until(lambda: len(desk.drafts()) == 1)
    desk.page.close()
    server.start()
    again = Desk.open(context, server)
    again.saved()
    assert stands(room, student)["reasoning"] == 3


def test_a_mark_on_answers_that_were_replaced_waits_until_the_new_ones_are_read(
    context: BrowserContext, desk: Desk, server: MarkingServer, room: Room
) -> None:
    student, title = shown(desk, room), desk.title
    desk.press("3")
    desk.saved()
    # Given on a page that could not deliver it, and opened again when there are other answers.
    server.stop()
    desk.press("4")
    until(lambda: len(desk.drafts()) == 1)
    desk.page.close()
    hand_in_anew(room, student, STEP, {"live-project": "Other words altogether"})
    server.start()
    again = Desk.open(context, server)
    note = again.page.get_by_role("alert").filter(has_text="handed in anew")
    if again.title != title:
        note.get_by_role("button", name=title).click()
    told = again.criterion("Reasoning").get_by_role("alert")
    expect(told).to_contain_text("read the new answers first. Nothing was changed. You chose 4")
    expect(again.page.locator(".pcn-answers")).to_contain_text("Other words altogether")
    assert axe(again.page) == []
    assert stands(room, student)["reasoning"] == 3
    told.get_by_role("button", name="I have read them: 4 of 4").click()
    again.saved()
    found = Gradebook(room, "a test").submission(student, STEP).marks["reasoning"]
    assert (found.points, found.open) == (4, False)
    # The answers change under an open page: neither another mark nor the same one closes them.
    hand_in_anew(room, student, STEP, {"live-project": "And other ones"})
    again.press("Escape", "3")
    expect(told).to_contain_text("You chose 3 of 4")
    expect(again.page.locator(".pcn-answers")).to_contain_text("And other ones")
    told.get_by_role("button", name="Leave it for now").click()
    expect(told).to_have_count(0)
    expect(again.criterion("Reasoning")).to_contain_text("4 of 4, look again")
    assert again.drafts() == []
    hand_in_anew(room, student, STEP, {"live-project": "The last ones"})
    again.press("Escape", "4")
    expect(again.page.locator(".pcn-words")).to_contain_text("Not confirmed. The student has")
    expect(again.page.locator(".pcn-answers")).to_contain_text("The last ones")
    again.press("4")
    expect(again.criterion("Reasoning")).not_to_contain_text("look again")
    found = Gradebook(room, "a test").submission(student, STEP).marks["reasoning"]
    assert (found.points, found.open) == (4, False)


# ---- Comments that software writes, and a rubric that is changed meanwhile -----------------------


@pytest.mark.parametrize("event", ["", "change"])
@pytest.mark.parametrize("then", ["wait", "leave", "next", "reload"])
def test_a_comment_that_nobody_announced_is_saved(
    desk: Desk, room: Room, then: str, event: str
) -> None:
    student = shown(desk, room)
    desk.press("m")
    comment = desk.page.get_by_label("Comment on Reasoning")
    expect(comment).to_be_focused()
    comment.evaluate(
        "(el, event) => { el.value = 'Well argued.'; "
        "if (event) el.dispatchEvent(new Event(event, { bubbles: true })); }",
        event,
    )
    if then == "leave":
        desk.press("Escape")
    elif then == "next":
        desk.page.get_by_role("button", name="Next submission").click()
        expect(desk.page.get_by_label("Comment on Reasoning")).to_have_value("")
    elif then == "reload":
        desk.page.reload()
        desk.ready()
    until(lambda: comments(room, student) == {"reasoning": "Well argued."})
    desk.saved()
    others = {one.student.id for one in Gradebook(room, "a test").listed(STEP)} - {student}
    assert all(comments(room, other) == {} for other in others)


def comments(room: Room, student: str) -> dict[str, str]:
    marks = Gradebook(room, "a test").submission(student, STEP).marks
    return {key: mark.comment for key, mark in marks.items() if mark.comment}


def test_a_rubric_changed_meanwhile_takes_no_score_and_the_page_says_so(
    desk: Desk, room: Room
) -> None:
    student = shown(desk, room)
    desk.press("3")
    desk.saved()
    rubric = room.course.root / "data" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace("points = 4", "points = 3.5", 1))
    desk.press("4")
    page = desk.page
    note = page.get_by_role("alert").filter(has_text="The rubric has changed since you opened")
    expect(note).to_be_visible()
    expect(page.locator(".pcn-clash")).to_contain_text("Nothing was changed.")
    desk.says("Not saved")
    assert stands(room, student)["reasoning"] == 3
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # What was chosen on the old scale is kept on the device, and is not written afterwards, either.
    note.get_by_role("button", name="Load the page again").click()
    desk.ready()
    expect(note).to_have_count(0)
    page.get_by_role("button", name="Reasoning from your own project").first.click()
    expect(page.locator(".pcn-clash")).to_contain_text("The rubric has changed since you chose")
    assert stands(room, student)["reasoning"] == 3
    desk.criterion("Reasoning").get_by_role("button", name="Well argued").click()
    desk.saved()
    assert stands(room, student)["reasoning"] == 3.5


def test_a_comment_on_a_dropped_criterion_is_shown_until_it_is_removed(
    desk: Desk, room: Room
) -> None:
    page = desk.page
    marker = page.locator(".pcn-who strong").inner_text()
    name = f"pcn:marking:{room.course_id}:{marker}:{STEP}/0123456789abcdef/gone/comment/other"
    draft = json.dumps({"value": "It was well put.", "seen": ""})
    page.evaluate("([name, draft]) => localStorage.setItem(name, draft)", [name, draft])
    page.reload()
    desk.ready()
    note = page.locator(".pcn-note", has_text="No longer asked")
    expect(note).to_contain_text("It was well put.")
    note.get_by_role("button", name="Remove").click()
    expect(note).to_have_count(0)
    assert desk.drafts() == []


def test_a_hostile_answer_is_text(desk: Desk, room: Room) -> None:
    hostile = next(
        one for one in Gradebook(room, "a test").listed(STEP) if one.student.id == "s005"
    )
    desk.page.get_by_text("All submissions of this step").click()
    desk.page.get_by_role("button", name=f"Submission {hostile.pseudonym}").click()
    body = desk.page.locator(".pcn-answers")
    expect(body).to_contain_text("<script>window.hacked=1</script>&amp; <b>bold</b>")
    assert desk.page.locator(".pcn-answers :is(img, script, b)").count() == 0
    assert desk.page.evaluate("window.hacked") is None


# ---- Names, passages, phrases, undo ----------------------------------------------------------


def test_names_are_shown_on_demand_alone(desk: Desk, room: Room) -> None:
    student = shown(desk, room)
    name = f"{student.title()} Doe"
    assert student not in desk.page.content()
    assert name not in desk.page.content()
    pseudonym = desk.title
    desk.page.get_by_label("Show names").check()
    expect(desk.page.locator(".pcn-left > h2")).to_have_text(name)
    desk.page.get_by_label("Show names").uncheck()
    expect(desk.page.locator(".pcn-left > h2")).to_have_text(pseudonym)


def test_a_passage_is_highlighted_by_keyboard_and_by_mouse(desk: Desk, room: Room) -> None:
    student = shown(desk, room)
    text = desk.page.locator(".pcn-answers > div[dir]").nth(1).inner_text()
    desk.press("h")
    dialog = desk.page.get_by_role("dialog")
    desk.page.keyboard.type("HOSPITAL TO FIND")
    expect(dialog).to_contain_text("Found")
    expect(dialog.get_by_role("status")).not_to_contain_text("Not found")
    desk.press("Tab")
    if dialog.get_by_label("Where").is_visible():
        desk.press("Tab")
    desk.page.keyboard.type("Which hospital?")
    desk.press("Tab", "Tab", "Enter")
    expect(dialog).to_have_count(0)
    expect(desk.page.locator(".pcn-answers mark")).to_have_text("hospital to find")
    (kept,) = Gradebook(room, "a test").passages.of(student, STEP)
    assert (kept.passage, kept.comment) == ("hospital to find", "Which hospital?")
    assert kept.criterion == "reasoning"

    box = desk.page.locator(".pcn-answers > div[dir]").nth(1)
    box.scroll_into_view_if_needed()
    box.click(click_count=3, position={"x": 60, "y": 10})
    desk.page.get_by_role("button", name="Highlight this passage").click()
    dialog.get_by_label("Your comment on it").fill("All of it")
    dialog.get_by_role("button", name="Highlight").click()
    passages = desk.page.locator(".pcn-passages li")
    expect(passages).to_have_count(2)
    second = Gradebook(room, "a test").passages.of(student, STEP)[1]
    assert second.passage in text
    assert len(second.passage) > 20
    desk.page.get_by_role("button", name="Remove highlight 1").click()
    expect(passages).to_have_count(1)
    (left,) = Gradebook(room, "a test").passages.of(student, STEP)
    assert left == second


def test_comments_are_kept_in_the_bank_and_used_again_by_keyboard(desk: Desk, room: Room) -> None:
    desk.press("m")
    desk.page.keyboard.type("Say what you set aside.")
    desk.press("Escape")
    desk.saved()
    desk.press("p")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("The bank is empty")
    for _ in range(10):
        desk.press("Tab")
        if desk.page.evaluate("document.activeElement.textContent") == "Add the present comment":
            break
    desk.press("Enter")
    expect(dialog.get_by_role("button", name="Insert: Say what you set aside.")).to_be_visible()
    with desk.page.expect_download() as waiting:
        dialog.get_by_role("button", name="Export all (CSV)").click()
    assert "Say what you set aside." in Path(waiting.value.path()).read_text("utf-8-sig")
    desk.press("Escape")
    first = desk.title
    desk.press("j")
    expect(desk.page.locator(".pcn-left > h2")).not_to_have_text(first)
    student = shown(desk, room)
    desk.press("p")
    expect(dialog).to_contain_text("1 phrase")
    desk.page.keyboard.type("aside")
    desk.press("Enter")
    expect(dialog).to_have_count(0)
    expect(desk.page.get_by_label("Comment on Reasoning")).to_be_focused()
    # Who types on writes on: no letter and no digit is taken for a key.
    desk.page.keyboard.type(" Name 3 of them.")
    desk.press("Escape")
    desk.saved()
    marks = Gradebook(room, "a test").submission(student, STEP).marks
    assert marks["reasoning"].comment == "Say what you set aside. Name 3 of them."
    assert marks["reasoning"].points is None
    assert [one.used for one in Gradebook(room, "a test").phrases.fitting()] == [1]


def test_undo_leads_back_and_says_what_it_undid(desk: Desk, room: Room) -> None:
    student, title = shown(desk, room), desk.title
    desk.press("2")
    desk.saved()
    desk.press("4")
    desk.saved()
    desk.press("j")
    expect(desk.page.locator(".pcn-left > h2")).not_to_have_text(title)
    desk.press("u")
    words = desk.page.locator(".pcn-words")
    expect(words).to_contain_text(
        f"Undone: {title}, Reasoning from your own project: 2 again, not 4."
    )
    expect(desk.page.locator(".pcn-left > h2")).to_have_text(title)
    assert stands(room, student)["reasoning"] == 2
    desk.page.get_by_role("button", name="Redo").click()
    desk.saved()
    assert stands(room, student)["reasoning"] == 4
    desk.press("u")
    expect(words).to_contain_text("2 again, not 4.")
    desk.press("u")
    expect(words).to_contain_text("not marked any more.")
    expect(desk.criterion("Reasoning")).not_to_contain_text("by ")
    desk.press("u")
    expect(words).to_contain_text("nothing of yours to undo")
    assert stands(room, student)["reasoning"] is None


def test_keys_can_be_switched_off_and_do_nothing_in_a_field(desk: Desk, room: Room) -> None:
    student = shown(desk, room)
    desk.press("m")
    desk.page.keyboard.type("3 nights u")
    desk.press("Escape")
    desk.saved()
    assert stands(room, student)["reasoning"] is None
    desk.press("?")
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_label("Use these keys").uncheck()
    desk.press("Escape")
    expect(dialog).to_have_count(0)
    desk.press("3")
    desk.page.get_by_role("button", name=re.compile("^4")).first.click()
    desk.saved()
    assert stands(room, student)["reasoning"] == 4


def test_totals_are_those_of_the_gradebook(desk: Desk, room: Room) -> None:
    student = shown(desk, room)
    desk.press("3", "c", "4")
    desk.saved()
    with room.gradebook() as gradebook:
        score = gradebook.find_submission(STEP, student).score
    assert score == 3 + 4 + 3
    expect(desk.page.locator(".pcn-total")).to_contain_text(f"{score:g} of 20")
    expect(desk.page.get_by_label("Step", exact=True)).to_contain_text("(2 of 20 marks)")
    other = next(one.id for one in room.students() if one.id != student)
    Gradebook(room, "Ben").give(other, STEP, "ethics", 1)
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.page.get_by_label("Step", exact=True)).to_contain_text("(3 of 20 marks)")


def test_what_is_to_be_known_of_a_submission_stands_beside_it(
    context: BrowserContext, server: MarkingServer, room: Room
) -> None:
    first = Gradebook(room, "a test").listed(STEP)[0]
    with room.gradebook() as gradebook:
        gradebook.find_assignment(STEP).duedate = HANDED_IN.replace(tzinfo=None) - LATE
        gradebook.db.commit()
    (room.root / "late.csv").write_text("what,student,step,value\npenalty,,all,1 point per day\n")
    Records(room.engine).note(first.student.id, STEP, "A file was left out: essay.exe")
    with room.engine.begin() as connection:
        asked = {"student": first.student.id, "step": STEP, "criterion": "ethics", "at": now()}
        connection.execute(insert(requests).values(text="<i>Please</i> look again", **asked))
    desk = Desk.open(context, server)
    left = desk.page.locator(".pcn-left")
    expect(left).to_contain_text("Late by 1 day 3 hours. 2 points are taken off the total.")
    expect(left).to_contain_text("Asked to look again at “Ethics and boundaries”")
    expect(left).to_contain_text("<i>Please</i> look again")
    total = desk.page.locator(".pcn-total")
    expect(total).to_contain_text("1 of 20")
    desk.press("4")
    desk.saved()
    assert Gradebook(room, "a test").submission(first.student.id, STEP).total == 5
    expect(total).to_contain_text("5 of 20")
    # What is noted of a file says who uploaded it: it stands in the list, and only with names.
    listed = desk.page.locator(".pcn-all")
    desk.page.get_by_text("All submissions of this step").click()
    expect(listed).to_contain_text("1 note, shown with names")
    assert "essay.exe" not in desk.page.content()
    desk.page.get_by_label("Show names").check()
    expect(listed).to_contain_text("A file was left out: essay.exe")
    expect(left).not_to_contain_text("essay.exe")
    assert axe(desk.page) == []
    desk.page.get_by_label("Show names").uncheck()
    expect(listed).not_to_contain_text("essay.exe")


# ---- For everybody ---------------------------------------------------------------------------


def test_the_page_is_for_everybody(desk: Desk) -> None:
    desk.press("3", "m")
    desk.page.keyboard.type("A comment to keep")
    desk.press("Escape", "h")
    desk.page.keyboard.type("hospital")
    desk.page.get_by_role("dialog").get_by_role("button", name="Highlight").click()
    expect(desk.page.locator(".pcn-passages li")).to_have_count(1)
    desk.page.get_by_text("All submissions of this step").click()
    found = faults(desk.page)
    desk.page.get_by_text("All submissions of this step").click()
    desk.page.locator(".pcn-brand").focus()
    stops, unseen = tab_through(desk.page)
    assert len(stops) > 15
    found += unseen + unbounded(desk.page)
    for key in ("?", "p", "h"):
        desk.page.locator(".pcn-left > h2").focus()
        desk.press(key)
        expect(desk.page.get_by_role("dialog")).to_be_visible()
        found += [f"dialog of {key}: {one}" for one in faults(desk.page)]
        desk.press("Escape")
    assert found == []


def faults(page: Page) -> list[str]:
    """What is wrong wide and small, light and dark."""
    found = []
    for width, height in ((1280, 900), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found += [f"{width} px, {scheme}: {one}" for one in (*axe(page), *faint(page))]
        found += [f"{width} px: {one}" for one in (*cut_off(page), *small(page), *tree(page))]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    return found

"""A step's form as a student uses it: real server, real kernels, a real Chromium."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from pcn_course.course import load_course
from pcn_course.grading.notebooks import write_notebooks
from tests.support.servers import AppServer, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
BASE = HERE.parent / "courses" / "base"
STEP = "step-3-kinds"
SAVED = re.compile("^Saved ")
# What has the focus, if the bar at the bottom covers any of it.
COVERED = """() => {
  const [el, bar] = [document.activeElement, document.querySelector(".pcn-bar")];
  if (!bar || bar.contains(el) || el.closest("dialog") || el === document.body) return null;
  const [box, edge] = [el.getBoundingClientRect(), bar.getBoundingClientRect().top];
  return box.bottom > edge + 1 && box.height < edge ? el.outerHTML.slice(0, 200) : null;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    course = tmp_path_factory.mktemp("form") / "course"
    shutil.copytree(BASE, course)
    shutil.copy(HERE / "kinds" / f"{STEP}.toml", course / "data" / "steps")
    write_notebooks(load_course(course), course / "notebooks")
    with AppServer(course.parent / "workspace", course=course) as server:
        yield server


@pytest.fixture
def blank(server: AppServer) -> AppServer:
    """The server, with nothing written and nothing handed in."""
    for folder in (server.workspace / STEP, server.workspace / ".pcn"):
        for path in folder.rglob("*"):
            if path.name == "answers.json" or path.parent.name in (
                "private",
                "history",
                "receipts",
            ):
                path.unlink(missing_ok=True)
    return server


def enter(context: BrowserContext, server: AppServer) -> None:
    context.request.get(server.address, max_redirects=0)


def opened(page: Page, server: AppServer) -> Page:
    page.goto(server.url(f"{STEP}/{STEP}.ipynb"))
    expect(page.locator(".pcn-bar")).to_be_visible()
    return page


@pytest.fixture
def form(context: BrowserContext, blank: AppServer) -> Page:
    enter(context, blank)
    return opened(context.new_page(), blank)


def field(page: Page, key: str) -> Locator:
    return page.locator(f'[data-key="{key}"]')


def text_of(page: Page, key: str) -> Locator:
    return field(page, key).locator("textarea, input").first


def saved(page: Page) -> None:
    expect(page.locator(".pcn-status")).to_have_text(SAVED, timeout=60_000)


def on_disk(server: AppServer) -> dict[str, Any]:
    document = json.loads((server.workspace / STEP / "answers.json").read_bytes())
    return {key: field["value"] for key, field in document["fields"].items()}


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until ``target`` has the focus; nothing on the way may be covered by the bar."""
    element = target.element_handle()
    for _ in range(200):
        page.keyboard.press("Tab")
        assert page.evaluate(COVERED) is None
        if page.evaluate("(element) => element === document.activeElement", element):
            return
    raise AssertionError(f"Tab does not reach {target}")


# ---- Writing -----------------------------------------------------------------------------------


def test_every_kind_is_filled_by_keyboard_alone_and_comes_back(  # noqa: PLR0915 (one of each)
    form: Page, server: AppServer
) -> None:
    page, keys = form, form.keyboard
    expect(page.locator(".pcn-progress")).to_have_text("0 of 3 answered")
    tab_to(page, text_of(page, "a-line"))
    keys.type("A referral pathway")
    tab_to(page, text_of(page, "a-text"))
    keys.type("One line.")
    keys.press("Shift+Enter")
    keys.type("Another.")
    tab_to(page, text_of(page, "a-secret"))
    keys.type("Mine alone")
    tab_to(page, field(page, "a-choice").locator("input").first)
    keys.press("ArrowDown")
    tab_to(page, field(page, "one-of-many").locator("select"))
    keys.type("Sev")
    tab_to(page, field(page, "choices").locator("input").nth(1))
    keys.press("Space")
    tab_to(page, field(page, "a-scale").locator("input").first)
    keys.press("Space")
    keys.press("ArrowRight")
    tab_to(page, text_of(page, "a-date"))
    keys.type("11242026")
    tab_to(page, page.get_by_role("button", name="Add a person"))
    keys.press("Enter")
    keys.type("KG, carers' group leader")
    row = page.locator(".pcn-row").first
    tab_to(page, row.locator("textarea"))
    keys.type("Knows the forms")
    tab_to(page, row.locator("select"))
    keys.type("Men")
    tab_to(page, row.get_by_label("Email"))
    keys.press("Space")
    tab_to(page, row.locator("input[type=radio]").first)
    keys.press("Space")
    keys.press("ArrowRight")
    tab_to(page, row.locator("input[type=date]"))
    keys.type("01312025")
    saved(page)
    expect(page.locator(".pcn-progress")).to_have_text("3 of 3 answered")
    answers = on_disk(server)
    person = answers.pop("people")[0]
    assert re.fullmatch("r[0-9a-f]{8}", person.pop("id"))
    assert person == {
        "who": "KG, carers' group leader",
        "notes": "Knows the forms",
        "role": "mentor",
        "ways": ["email"],
        "near": 2,
        "since": "2025-01-31",
    }
    assert answers == {
        "a-line": "A referral pathway",
        "a-text": "One line.\nAnother.",
        "a-choice": "private",
        "one-of-many": "7",
        "choices": ["email"],
        "a-scale": 2,
        "a-date": "2026-11-24",
    }
    page.reload()
    saved(page)
    expect(text_of(page, "a-text")).to_have_value("One line.\nAnother.")
    expect(text_of(page, "a-secret")).to_have_value("Mine alone")
    expect(field(page, "a-choice").get_by_label("Private")).to_be_checked()
    expect(field(page, "one-of-many").locator("select")).to_have_value("7")
    expect(field(page, "choices").get_by_label("Email")).to_be_checked()
    expect(field(page, "a-scale").get_by_label("2", exact=True)).to_be_checked()
    expect(text_of(page, "a-date")).to_have_value("2026-11-24")
    row = page.locator(".pcn-row").first
    expect(row.locator("select")).to_have_value("mentor")
    expect(row.locator("input[type=date]")).to_have_value("2025-01-31")
    expect(page.locator(".pcn-progress")).to_have_text("3 of 3 answered")


def test_questions_have_names_hints_and_their_words(form: Page) -> None:
    box = form.get_by_role("textbox", name="What is it about? Required")
    expect(box).to_have_accessible_description("A few sentences.")
    secret = form.get_by_role("textbox", name="What is only for you?")
    expect(secret).to_have_accessible_description("Only you see this. It is never submitted.")
    expect(form.get_by_role("group", name="Which one? Required")).to_be_visible()
    expect(form.get_by_role("heading", level=2)).to_have_text(["Words", "Choices", "People"])
    example = form.locator(".pcn-example")
    expect(example).to_be_hidden()
    form.get_by_text("See an example").click()
    expect(example).to_have_text("It is about\ntwo lines.")
    expect(field(form, "a-line").locator(".pcn-quote")).to_contain_text(
        "Not answered yet, in step 1"
    )
    expect(form.get_by_role("link", name="All steps")).to_have_attribute("href", "../home.ipynb")


def test_a_choice_can_be_taken_back(form: Page, server: AppServer) -> None:
    choice = field(form, "a-choice")
    choice.get_by_label("Public").check()
    saved(form)
    choice.get_by_role("button", name="Clear this answer").click()
    expect(choice.get_by_role("button", name="Clear this answer")).to_be_hidden()
    expect(choice.get_by_label("Public")).to_be_focused()
    until(lambda: not on_disk(server)["a-choice"])


def test_a_text_grows_with_its_words_and_prints_in_full(form: Page) -> None:
    box = text_of(form, "a-text")
    before = box.evaluate("(box) => box.offsetHeight")
    long = "\n".join(f"Line {number}" for number in range(12))
    box.fill(long)
    assert box.evaluate("(box) => box.offsetHeight") > before + 100
    assert box.evaluate("(box) => box.scrollHeight <= box.clientHeight + 2")
    form.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    form.emulate_media(media="print")
    expect(box).to_be_hidden()
    expect(form.locator(".pcn-bar")).to_be_hidden()
    expect(field(form, "a-text").locator(".pcn-print")).to_have_text(long)


def test_other_work_that_covers_the_step_is_said(form: Page) -> None:
    text_of(form, "covered-process").fill("The stakeholder analysis")
    text_of(form, "covered-evidence").fill("It lists who decides")
    expect(form.locator(".pcn-progress")).to_have_text("Covered by other work")


# ---- Rows --------------------------------------------------------------------------------------


def test_rows_are_added_moved_removed_and_brought_back_by_keyboard(
    form: Page, server: AppServer
) -> None:
    table = field(form, "people")
    add = form.get_by_role("button", name="Add a person")
    for who in ("one", "two", "three"):
        add.focus()
        form.keyboard.press("Enter")
        expect(table.locator(".pcn-row").last.get_by_label("Initials or role")).to_be_focused()
        form.keyboard.type(who)
    expect(add).to_be_disabled()
    expect(table.get_by_text("3 is the most.")).to_be_visible()
    expect(table.get_by_role("button", name="Move up person 1")).to_be_disabled()

    def order() -> list[str]:
        boxes = table.get_by_label("Initials or role").all()
        return [box.input_value() for box in boxes]

    table.get_by_role("button", name="Move up person 3").focus()
    form.keyboard.press("Enter")
    assert order() == ["one", "three", "two"]
    expect(table.get_by_role("button", name="Move up person 2")).to_be_focused()
    expect(table.locator(".pcn-said")).to_have_text("This person is now number 2 of 3.")
    form.keyboard.press("Enter")
    assert order() == ["three", "one", "two"]
    expect(table.get_by_role("button", name="Move down person 1")).to_be_focused()

    table.get_by_role("button", name="Remove person 2").focus()
    form.keyboard.press("Enter")
    assert order() == ["three", "two"]
    expect(table.locator(".pcn-said")).to_contain_text("Person 2 was removed.")
    expect(table.get_by_role("button", name="Undo")).to_be_focused()
    form.keyboard.press("Enter")
    assert order() == ["three", "one", "two"]
    saved(form)
    assert [row["who"] for row in on_disk(server)["people"]] == ["three", "one", "two"]
    form.reload()
    saved(form)
    assert order() == ["three", "one", "two"]


# ---- Two windows -------------------------------------------------------------------------------


def test_windows_keep_in_step_and_keep_both_texts(form: Page, server: AppServer) -> None:
    other = opened(form.context.new_page(), server)
    text_of(form, "a-line").fill("From the first")
    saved(form)
    expect(text_of(other, "a-line")).to_have_value("From the first")

    for page in (form, other):
        page.evaluate("() => { window.held = WebSocket.prototype.send; "
                      "WebSocket.prototype.send = () => {}; }")  # fmt: skip
    text_of(form, "a-text").fill("We both begin alike. The first goes on.")
    text_of(other, "a-text").fill("We both begin alike. The second does, too.")
    field(form, "a-choice").get_by_label("Public").check()
    field(other, "a-choice").get_by_label("Private").check()
    for page in (form, other):
        page.evaluate("() => { WebSocket.prototype.send = window.held; }")
    for page in (form, other):
        saved(page)
    until(lambda: text_of(form, "a-text").input_value() == text_of(other, "a-text").input_value())
    until(lambda: on_disk(server)["a-text"] == text_of(form, "a-text").input_value())
    text = on_disk(server)["a-text"]
    assert text == text_of(form, "a-text").input_value()
    assert text.count("We both begin alike.") == 1
    assert "The first goes on." in text
    assert "The second does, too." in text

    said = "Both versions are here"
    until(lambda: form.get_by_text(said).count() or other.get_by_text(said).count())
    page = form if form.get_by_text(said).count() else other
    note = field(page, "a-text").get_by_text("Both versions are here: read it through.")
    expect(note).to_be_visible()
    field(page, "a-text").get_by_role("button", name="Got it").click()
    expect(note).to_be_hidden()
    expect(text_of(page, "a-text")).to_be_focused()


def test_merging_into_the_field_that_is_written_in_keeps_caret_and_keys(
    form: Page, server: AppServer
) -> None:
    text_of(form, "a-text").fill("Start. End.")
    saved(form)
    other = opened(form.context.new_page(), server)
    form.bring_to_front()
    box = text_of(form, "a-text")
    box.focus()
    box.evaluate("(box) => box.setSelectionRange(6, 6)")
    form.keyboard.type(" And", delay=40)
    text_of(other, "a-text").fill("Before. Start. End. After.")
    for word in (" then", " more", " words."):
        form.keyboard.type(word, delay=60)
        form.wait_for_timeout(300)
    for page in (form, other):
        saved(page)
    both = "Before. Start. And then more words. End. After."
    until(lambda: on_disk(server)["a-text"] == both)
    expect(box).to_have_value(both)
    assert box.evaluate("(box) => box.selectionStart") == both.index(" End.")


# ---- Faults ------------------------------------------------------------------------------------


def test_without_an_answer_the_page_says_so_and_a_new_page_has_it_all(
    form: Page, server: AppServer
) -> None:
    text_of(form, "a-line").fill("kept")
    saved(form)
    form.evaluate("() => { WebSocket.prototype.send = () => {}; }")
    text_of(form, "a-text").press_sequentially("Words that nobody answers", delay=10)
    expect(form.locator(".pcn-status")).to_have_text("Saving…")
    expect(form.locator(".pcn-status")).to_have_text(
        "Not saved, still trying: your text is kept on this device", timeout=10_000
    )
    expect(form.get_by_role("alert")).to_contain_text("Go on writing")
    form.reload()
    saved(form)
    expect(text_of(form, "a-text")).to_have_value("Words that nobody answers")
    assert on_disk(server)["a-text"] == "Words that nobody answers"
    assert form.evaluate("Object.keys(localStorage).length") == 0


def test_a_draft_of_a_window_that_is_open_is_left_to_it(form: Page, server: AppServer) -> None:
    form.evaluate("() => { WebSocket.prototype.send = () => {}; }")
    text_of(form, "a-text").fill("Not yet sent")
    other = opened(form.context.new_page(), server)
    other.wait_for_timeout(600)
    expect(text_of(other, "a-text")).to_have_value("")
    assert other.evaluate("Object.keys(localStorage).length") == 1
    form.close()
    other.reload()
    saved(other)
    expect(text_of(other, "a-text")).to_have_value("Not yet sent")


def test_without_storage_in_the_browser_it_asks_to_keep_the_page_open(
    context: BrowserContext, blank: AppServer
) -> None:
    enter(context, blank)
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('off'); } })"
    )
    page = opened(context.new_page(), blank)
    text_of(page, "a-line").fill("Saved all the same")
    saved(page)
    assert on_disk(blank)["a-line"] == "Saved all the same"
    page.evaluate("() => { WebSocket.prototype.send = () => {}; }")
    text_of(page, "a-line").fill("Not saved")
    expect(page.locator(".pcn-status")).to_have_text(
        "Not saved, still trying: keep this page open", timeout=10_000
    )
    expect(page.get_by_role("alert")).to_contain_text("keep this page open")
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()


def test_a_disk_that_refuses_is_said_and_tried_again(form: Page, server: AppServer) -> None:
    history = server.workspace / ".pcn" / "history"
    shutil.rmtree(history, ignore_errors=True)
    history.write_text("a file where a folder must be")
    text_of(form, "a-line").fill("Later")
    expect(form.get_by_role("alert")).to_contain_text("could not be written", timeout=10_000)
    expect(form.locator(".pcn-status")).to_contain_text("Not saved, still trying")
    history.unlink()
    saved(form)
    expect(form.get_by_role("alert")).to_be_hidden()
    assert on_disk(server)["a-line"] == "Later"


# ---- Versions, preview, handing in -------------------------------------------------------------


def test_an_earlier_version_comes_back_and_the_present_one_is_kept(
    form: Page, server: AppServer
) -> None:
    box = text_of(form, "a-text")
    history = field(form, "a-text").locator(".pcn-history")
    expect(history).to_be_hidden()
    for text in ("The first version of all", "Something else entirely"):
        box.fill(text)
        saved(form)
    box.fill("Just typed, not yet saved")
    history.click()
    dialog = form.get_by_role("dialog", name="Earlier versions of “What is it about?”")
    expect(dialog.locator(".pcn-example")).to_have_text(
        ["Something else entirely", "The first version of all"]
    )
    dialog.get_by_role("button", name="Put this version back").last.click()
    expect(dialog).to_be_hidden()
    expect(box).to_have_value("The first version of all")
    expect(box).to_be_focused()
    saved(form)
    history.click()
    expect(dialog.locator(".pcn-example").first).to_have_text("Just typed, not yet saved")
    form.keyboard.press("Escape")
    expect(history).to_be_focused()
    assert on_disk(server)["a-text"] == "The first version of all"


def test_preview_submit_receipt_and_what_changed_since(form: Page, server: AppServer) -> None:
    text_of(form, "a-line").fill("A pathway")
    text_of(form, "a-secret").fill("Mine alone")
    preview = form.get_by_role("button", name="See what your instructor will see")
    preview.click()
    frame = form.frame_locator("dialog iframe")
    expect(frame.get_by_text("A pathway")).to_be_visible()
    expect(frame.get_by_text("Mine alone")).to_have_count(0)
    expect(frame.get_by_text("Structure: 2 of 2 points")).to_be_visible()
    form.get_by_role("button", name="Close").click()
    expect(preview).to_be_focused()

    form.locator(".pcn-submit").click()
    dialog = form.get_by_role("dialog", name="Submit step 3")
    expect(dialog).to_contain_text("1 of 3 answered.")
    dialog.get_by_role("button", name="Which one?").click()
    expect(field(form, "a-choice").get_by_label("Public")).to_be_focused()
    form.locator(".pcn-submit").click()
    form.locator(".pcn-confirm").click()
    form.get_by_label("Your student id").fill("ada")
    with form.expect_download() as download:
        form.locator(".pcn-confirm").click()
    assert download.value.suggested_filename.startswith(f"{STEP}+ada+")
    receipt = form.get_by_role("dialog", name="Your file is ready")
    expect(receipt).to_contain_text("The fingerprint of your answers:")
    expect(receipt).to_contain_text("no private notes")
    form.keyboard.press("Escape")
    expect(form.locator(".pcn-submit")).to_be_focused()
    expect(form.locator(".pcn-news")).to_contain_text("Your file was made ")
    expect(form.locator(".pcn-steps [aria-current]")).to_have_accessible_name(
        "Step 3, Kinds: submitted"
    )
    text_of(form, "a-line").fill("A better pathway")
    expect(form.locator(".pcn-news")).to_contain_text("You have changed answers since")
    form.locator(".pcn-submit").click()
    expect(dialog).to_contain_text("Your student id: ada.")
    expect(dialog).to_contain_text("This makes a new file")
    dialog.get_by_role("button", name="Change it").click()
    form.get_by_label("Your student id").fill("ada2")
    with form.expect_download() as download:
        form.locator(".pcn-confirm").click()
    assert download.value.suggested_filename.startswith(f"{STEP}+ada2+")
    form.keyboard.press("Escape")
    text_of(form, "a-line").fill("The best pathway")
    form.reload()
    expect(form.locator(".pcn-news")).to_contain_text("You have changed answers since")


def test_what_cannot_be_sent_now_says_so_at_once(form: Page, server: AppServer) -> None:
    text_of(form, "a-line").fill("A pathway")
    expect(form.locator(".pcn-status")).to_contain_text("Saved")
    server.stop()
    expect(form.locator(".pcn-alert")).to_contain_text("interrupted")
    form.get_by_role("button", name="See what your instructor will see").click()
    expect(form.get_by_role("dialog")).to_contain_text("The connection is interrupted. Try again")
    form.keyboard.press("Escape")
    text_of(form, "a-line").fill("A better pathway")
    form.locator(".pcn-submit").click()
    form.locator(".pcn-confirm").click()
    expect(form.get_by_role("dialog").get_by_role("status")).to_have_text(
        "The connection is interrupted. When it is back, look whether this step was submitted. "
        "If not, submit again."
    )
    server.start()
    form.context.request.get(server.address, max_redirects=0)
    expect(form.locator(".pcn-alert")).to_be_hidden(timeout=60_000)
    expect(form.locator(".pcn-status")).to_contain_text("Saved", timeout=60_000)
    expect(text_of(form, "a-line")).to_have_value("A better pathway")
    # The submission goes on when the connection is back. The next test begins after that, or a
    # receipt of this one would stand in its workspace.
    asked = form.get_by_label("Your student id")
    made = form.get_by_text("Your file was made")
    expect(asked.or_(made).first).to_be_visible(timeout=60_000)


def test_characters_that_nobody_sees_are_no_answer(form: Page) -> None:
    text_of(form, "a-line").fill("\u2800\u200b\u3164 \u00ad")
    saved(form)
    expect(form.locator(".pcn-bar")).to_contain_text("0 of 3 answered")
    text_of(form, "a-line").fill("\u2800A")
    expect(form.locator(".pcn-bar")).to_contain_text("1 of 3 answered")


def test_home_says_where_each_step_stands(form: Page, server: AppServer) -> None:
    text_of(form, "a-line").fill("A pathway")
    saved(form)
    form.goto(server.url("home.ipynb"))
    card = form.locator(f'.pcn-card[data-step="{STEP}"]')
    expect(card.locator(".pcn-badge")).to_have_text("1 of 3 answered")
    expect(card.get_by_role("link")).to_have_attribute("href", f"./{STEP}/{STEP}.ipynb")
    first = form.locator('.pcn-card[data-step="step-1-goals"] .pcn-badge')
    expect(first).to_have_text("Not started")
    expect(form.locator(".pcn-next")).to_contain_text("Next: start step 1")


# ---- For everyone ------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 360, 700, 1280])
def test_the_bar_is_one_line_and_says_what_is_saved(
    chromium: Browser, blank: AppServer, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 640}, locale="en-GB")
    enter(context, blank)
    page = opened(context.new_page(), blank)
    text_of(page, "a-line").fill("A pathway")
    saved(page)
    bar = page.locator(".pcn-bar")
    assert bar.evaluate("(bar) => bar.offsetHeight") <= 66
    middles = bar.locator(".pcn-line > *").evaluate_all(
        "(all) => all.map((one) => Math.round(one.offsetTop + one.offsetHeight / 2))"
    )
    assert max(middles) - min(middles) <= 1
    status = page.locator(".pcn-status")
    assert status.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "the time is cut off"
    context.close()

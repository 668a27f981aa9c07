"""Pages for everybody: by axe, by ear, by keyboard, on a small phone, zoomed, dark, printed.

Every state of every page is looked at on a wide and on the smallest screen, light and dark.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from pcn_course.course import Prompt, Step, default_root, load_course
from pcn_course.workspace import Receipt, Workspace
from tests.support import accessible
from tests.support.accessible import (
    SPACING,
    axe,
    cut_off,
    faint,
    on_paper,
    small,
    tab_through,
    tree,
    unbounded,
)
from tests.support.keyboard import as_shown
from tests.support.nbgrader_course import sample_answer, sample_answers
from tests.support.notebooks import write_notebook
from tests.support.servers import AppServer

pytestmark = pytest.mark.browser
COURSE = load_course(default_root())
WIDE = (1280, 900)
PHONE = (320, 640)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LONG = "A long answer goes on. " * 700 + "These are its last words."
PANELS_ARE_THERE = """() => [...document.querySelectorAll(
  ".pcn-panel:not(.pcn-panel-import) .pcn-made")].every((one) => one.childElementCount)"""
each_step = pytest.mark.parametrize("step", COURSE.steps, ids=lambda step: step.name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("accessible")
    nowhere = str(folder / "jupyter")  # no exchange, whatever this machine has
    settings = {"JUPYTER_CONFIG_DIR": nowhere, "JUPYTER_DATA_DIR": nowhere, "HOME": nowhere}
    with AppServer(folder / "workspace", course=COURSE.root, **settings) as server:
        yield server


@pytest.fixture
def workspace(server: AppServer) -> Workspace:
    return Workspace(server.workspace)


@pytest.fixture
def other(chromium: Browser) -> Iterator[BrowserContext]:
    """Another browser profile: what happens in it, only the kernel can tell."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture(autouse=True)
def patient(context: BrowserContext) -> None:
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)


# ---- A workspace in a state -------------------------------------------------------------------


def forget(workspace: Workspace, step: Step) -> None:
    """Make a step one that nobody has touched."""
    (workspace.folder(step) / "answers.json").unlink(missing_ok=True)
    shutil.rmtree(workspace.folder(step) / "feedback", ignore_errors=True)
    for kind, ending in (("private", "json"), ("history", "jsonl"), ("receipts", "json")):
        (workspace.state / kind / f"{step.id}.{ending}").unlink(missing_ok=True)


def put(workspace: Workspace, step: Step, answers: Mapping[str, Any]) -> None:
    """Make a step one in which just this was written."""
    from pcn_course.answers.store import Edit

    forget(workspace, step)
    edits = {key: Edit(value, 0) for key, value in answers.items()}
    saved = workspace.store(COURSE, step).save("a test", edits)
    assert not saved.conflicts
    assert not saved.invalid


def handed_in(workspace: Workspace, step: Step, *, digest: str | None = None) -> None:
    digest = digest or workspace.answers_digest(step)
    assert digest
    when = dt.datetime(2026, 11, 20, 15, 42, tzinfo=dt.UTC)
    workspace.add_receipt(step, Receipt(when=when, sha256=digest, how="exchange"))


def with_feedback(workspace: Workspace, step: Step) -> None:
    page = workspace.folder(step) / "feedback/2026-11-21 10:00:00.000000 UTC" / f"{step.id}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("<h1>Feedback</h1><p>Your project is named well.</p>")


def with_due(workspace: Workspace, step: Step, due: str) -> None:
    path = workspace.root / step.path
    notebook = json.loads(path.read_text())
    notebook["metadata"]["pcn"]["due"] = due
    path.write_text(json.dumps(notebook))


def opened(context: BrowserContext, server: AppServer, path: str) -> Page:
    answer = context.request.get(server.address, max_redirects=0)
    assert answer.status == 302
    page = context.new_page()
    page.goto(server.url(path))
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready", timeout=90_000)
    # Either of them, when the kernel has answered.
    expect(page.locator(".pcn-field, .pcn-card[data-step]").first).to_be_visible()
    return page


def answer(page: Page, step: Step) -> None:
    """Answer every prompt but those about another process, as a student with a mouse would."""
    for prompt in step.prompts:
        if prompt.key in step.covered:
            continue
        field = page.locator(f'[data-key="{prompt.key}"]')
        if prompt.kind != "table":
            fill(field, prompt, sample_answer(prompt, "What I say to “{label}”. "))
            continue
        for number in range(2):
            field.locator(".pcn-add").click()
            row = field.locator(".pcn-row").nth(number)
            unfold(row.locator(".pcn-more"))
            for at, column in enumerate(as_shown(prompt)):
                text = f"Something about “{{label}}”, {number + 1}"
                fill(row.locator(".pcn-cell").nth(at), column, sample_answer(column, text))


def unfold(found: Locator) -> None:
    for folded in found.all():
        folded.evaluate("(el) => { el.open = true; }")


def fill(field: Locator, prompt: Prompt, value: Any) -> None:
    unfold(field.locator("xpath=self::details"))
    unfold(field.locator(".pcn-many"))
    if prompt.refers:  # whatever the page offers, which is nothing while an earlier step is empty
        if field.locator("option").count() > 1:
            field.locator("select").select_option(index=1)
        elif field.locator("input").count():
            field.locator("input").first.check()
        return
    match prompt.kind:
        case "choice" if field.locator("select").count():
            field.locator("select").select_option(value)
        case "choice" | "scale":
            field.locator(f'input[value="{value}"]').check()
        case "choices":
            for one in value:
                field.locator(f'input[value="{one}"]').check()
        case _:
            field.locator("input, textarea").first.fill(value)


def saved(page: Page) -> None:
    expect(page.locator(".pcn-status")).to_contain_text("Saved")
    expect(page.locator(".pcn-status")).to_have_attribute("aria-busy", "false")


def note_in(page: Page, key: str) -> Locator:
    return page.locator(f'[data-key="{key}"] [role=status] .pcn-note')


# ---- Looking ------------------------------------------------------------------------------------


def sweep(page: Page, what: str, *, whole: bool = True) -> list[str]:
    """Look at the page as it is, wide and small, light and dark; what is wrong with it.

    Not ``whole``: wide and light, small and dark, for what lies over a page that is seen anyway.
    """
    faults = []
    for (width, height), others in ((WIDE, SCHEMES[:1]), (PHONE, SCHEMES[1:])):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES if whole else others:
            page.emulate_media(color_scheme=scheme)
            where = f"{what}, {width} px, {scheme}: "
            other = whole and scheme != SCHEMES[0]
            faults += [where + fault for fault in (*axe(page, colors=other), *faint(page))]
        faults += [where + fault for fault in (*cut_off(page), *small(page), *tree(page))]
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")
    return faults


def none(found: list[str]) -> bool:
    """Whether nothing was found; what was found is the failure's message."""
    assert not found, "\n".join(found)
    return True


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")


# ---- The tools themselves -----------------------------------------------------------------------


def test_what_is_wrong_is_found(page: Page) -> None:
    page.set_content("""<!doctype html><html lang=en><title>A page</title><body class=pcn>
      <main style="width:100px;overflow:hidden;white-space:nowrap"><h1>One</h1><h3>Three</h3>
      <p style="color:#999;background:#fff">Hardly to be read, and much too long for its line.</p>
      <input placeholder="Your name"><fieldset><legend>G</legend><button>Remove</button>
      <button>Remove</button></fieldset><fieldset><input type=checkbox aria-label=x></fieldset>
      <a href="#a" style="display:inline-block;font-size:6px">a</a>
      <a href="#b" style="display:inline-block;font-size:6px">b</a></main>
      <p>Outside of all landmarks.</p>""")
    rules = " ".join(axe(page))
    for rule in ("color-contrast", "heading-order", "region", "target-size"):
        assert rule in rules, rule
    heard = " ".join(tree(page))
    assert "group without a name" in heard
    assert "2 times a button named “Remove” in group “G”" in heard
    assert "Hardly" in " ".join(faint(page))
    assert "is cut at its side" in " ".join(cut_off(page))
    assert "“a” is" in " ".join(small(page))
    page.set_content(
        "<body><button style='outline:none'>A</button><button style='outline:3px solid'>B</button>"
    )
    stops, faults = tab_through(page)
    assert stops == ["button “A”", "button “B”"]
    assert faults == ["button “A”: no outline"]


# ---- Every state of every page ------------------------------------------------------------------


@each_step
def test_a_step_in_all_states(
    step: Step,
    context: BrowserContext,
    other: BrowserContext,
    server: AppServer,
    workspace: Workspace,
) -> None:
    found: list[str] = []
    forget(workspace, step)
    here = opened(context, server, step.path)
    there = opened(other, server, step.path)
    found += sweep(here, "empty")

    answer(here, step)
    saved(here)
    open_all(here)
    found += sweep(here, "filled, all examples and the reading open")

    # The other window knows nothing of this yet.
    texts = [one.key for one in step.prompts if one.kind == "text" and not one.private][:2]
    single = [one for one in step.prompts if one.kind in ("choice", "scale", "date")][:1]
    for key in texts:
        there.locator(f'[data-key="{key}"] textarea').fill("Other words, in another window.")
    for prompt in single:
        field = there.locator(f'[data-key="{prompt.key}"]')
        value = {"date": "2027-01-01", "scale": 1}.get(prompt.kind) or prompt.options[1].value
        fill(field, prompt, value)
    for key in (*texts, *(one.key for one in single)):
        expect(note_in(there, key)).to_contain_text("also changed in another window")

    with kept_from_saving(workspace, step):
        spoil(here, step)
        here.locator(f'[data-key="{texts[0]}"] textarea').fill("This can't be saved.")
        expect(here.get_by_role("alert")).to_be_visible()
        found += sweep(here, "a value that is refused, and a disk that is")

    pid = server.kernel_of(there)
    os.kill(pid, signal.SIGSTOP)
    try:
        there.locator(f'[data-key="{texts[0]}"] textarea').fill("Nobody answers.")
        expect(there.get_by_role("alert")).to_be_visible()
        found += sweep(there, "in conflict, and not saved")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert none(found)


@contextmanager
def kept_from_saving(workspace: Workspace, step: Step) -> Iterator[None]:
    """Where the step's history is to be written stands something else."""
    path = workspace.state / "history" / f"{step.id}.jsonl"
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        aside.rename(path)


def spoil(page: Page, step: Step) -> None:
    """Answer with something that the course doesn't offer, and wait until the kernel says so."""
    prompt = next(one for one in step.prompts if one.kind in ("scale", "choices", "choice"))
    unfold(page.locator(f'[data-key="{prompt.key}"] .pcn-many'))
    box = page.locator(f'[data-key="{prompt.key}"] input').last
    box.evaluate("(box) => { box.value = '77'; box.checked = false; }")
    box.check()
    expect(note_in(page, prompt.key)).to_contain_text("could not be saved")
    expect(page.locator(".pcn-status")).to_contain_text("Not saved")


def test_home_in_all_states(
    context: BrowserContext, server: AppServer, workspace: Workspace
) -> None:
    found: list[str] = []
    for step in COURSE.steps:
        forget(workspace, step)
    page = opened(context, server, "home.ipynb")
    found += sweep(page, "home, nothing begun")

    goals, connections, tools, managing, integrating = COURSE.steps
    for step in (goals, tools, integrating):
        put(workspace, step, sample_answers(step))
    put(workspace, connections, {"quality-online-connection": "They answer."})
    put(workspace, managing, sample_answers(managing))
    handed_in(workspace, goals)
    with_feedback(workspace, goals)
    handed_in(workspace, tools)
    handed_in(workspace, integrating, digest="0" * 64)
    with_due(workspace, connections, "2026-12-04T23:59:00-05:00")
    with_due(workspace, managing, "2026-11-01T23:59:00-05:00")
    page.reload()
    for words in (
        "Feedback is here",
        "1 of",
        "Submitted Nov 20",
        "Ready to submit",
        "Changed since",
    ):
        expect(page.locator(".pcn-badge", has_text=words)).to_be_visible()
    found += sweep(page, "home, each card in another state")
    assert none(found)


def closed(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_news_and_what_can_be_read(
    context: BrowserContext, server: AppServer, workspace: Workspace
) -> None:
    found: list[str] = []
    step = COURSE.step("goals")
    put(workspace, step, {**sample_answers(step), "what-you-do": "x" * 3000})
    handed_in(workspace, step, digest="0" * 64)
    with_feedback(workspace, step)
    with_due(workspace, step, "2026-12-04T23:59:00-05:00")
    write_unasked(workspace, step)
    page = opened(context, server, step.path)
    expect(page.get_by_text("Feedback is here")).to_be_visible()
    expect(page.get_by_text("No longer asked")).to_be_visible()
    found += sweep(page, "news")

    dialog = page.get_by_role("dialog")
    page.locator(".pcn-preview").click()
    expect(dialog.locator("iframe")).to_be_visible()
    found += sweep(page, "preview", whole=False)
    preview = dialog.locator("iframe").get_attribute("srcdoc")
    closed(page)
    expect(page.locator(".pcn-preview")).to_be_focused()

    page.get_by_role("button", name="Read it").click()
    expect(dialog.locator("iframe")).to_be_visible()
    found += sweep(page, "feedback", whole=False)
    closed(page)

    page.locator('[data-key="what-you-do"] textarea').fill("Shorter now.")
    page.locator('[data-key="expertise-that-helps"] input').first.fill("Another kind")
    saved(page)
    for key in ("what-you-do", "expertise-that-helps"):
        page.locator(f'[data-key="{key}"] .pcn-history').click()
        expect(dialog.locator("li").first).to_be_visible()
        found += sweep(page, f"history of {key}", whole=False)
        closed(page)

    # Nothing can run inside the frame, so what it shows is looked at by itself.
    page.set_content(preview or "")
    expect(page.get_by_text("Structure:")).to_be_visible()
    for width, height in (WIDE, (280, 500)):
        size(page, width, height)
        page.emulate_media(color_scheme="light")
        found += [*axe(page, "main"), *tree(page), *cut_off(page), *faint(page)]
    assert none(found)


def test_handing_in(context: BrowserContext, server: AppServer, workspace: Workspace) -> None:
    found: list[str] = []
    step = COURSE.step("goals")
    put(workspace, step, {**sample_answers(step), "live-project": "", "covered-process": ""})
    page = opened(context, server, step.path)
    dialog = page.get_by_role("dialog")

    page.locator(".pcn-submit").click()
    expect(dialog.get_by_text("Still open:")).to_be_visible()
    found += sweep(page, "submit?", whole=False)
    page.keyboard.press("Escape")
    expect(page.locator(".pcn-submit")).to_be_focused()

    def submit() -> None:
        page.locator(".pcn-submit").click()
        dialog.get_by_role("button", name="Submit now").click()

    submit()
    expect(dialog.get_by_label("Your student id")).to_be_visible()
    found += sweep(page, "who are you?", whole=False)
    dialog.get_by_label("Your student id").fill("no such id!")
    dialog.locator(".pcn-confirm").click()
    expect(dialog.get_by_text("can't go into a file's name")).to_be_visible()
    found += sweep(page, "who are you, once more?", whole=False)

    in_the_way = workspace.root / "handed-in"
    in_the_way.write_text("not a folder")
    dialog.get_by_label("Your student id").fill("ada")
    dialog.locator(".pcn-confirm").click()
    expect(dialog.get_by_role("heading", name="That did not work")).to_be_visible()
    found += sweep(page, "problem", whole=False)
    closed(page)
    in_the_way.unlink()

    submit()
    expect(dialog.get_by_text("fingerprint of your answers")).to_be_visible()
    open_all(page)
    found += sweep(page, "receipt", whole=False)
    closed(page)

    with_due(workspace, step, "2026-11-01T23:59:00-05:00")
    submit()
    expect(dialog.get_by_role("button", name="all the same")).to_be_visible()
    found += sweep(page, "again, after the due date?", whole=False)
    closed(page)

    row = page.locator('[data-key="expertise-that-helps"] .pcn-row').first
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    found += sweep(page, "a row removed", whole=False)
    assert none(found)


def test_an_answer_that_cannot_be_saved_is_said_before_it_is_handed_in(
    context: BrowserContext, server: AppServer, workspace: Workspace
) -> None:
    step = COURSE.step("tools")
    put(workspace, step, {"tools-to-learn": "None"})
    page = opened(context, server, step.path)
    spoil(page, step)
    page.locator(".pcn-submit").click()
    page.get_by_role("button", name="Submit now").click()
    expect(page.get_by_role("dialog")).to_contain_text("One answer could not be saved")
    closed(page)
    wrong = page.locator(".pcn-wrong")
    expect(wrong).to_have_count(1)
    page.locator(".pcn-field", has=wrong).locator("input").last.uncheck()
    saved(page)
    expect(wrong).to_have_count(0)


def write_unasked(workspace: Workspace, step: Step) -> None:
    """An answer to a question that the course has dropped, and a file that nobody can read."""
    path = workspace.folder(step) / "answers.json"
    answers = json.loads(path.read_text())
    answers["fields"]["a-question-of-last-year"] = {"value": "Kept all the same", "version": 1}
    path.write_text(json.dumps(answers))
    private = workspace.state / "private" / f"{step.id}.json"
    private.write_text("{ this was cut off")


def test_words_instead_of_a_page(page: Page, server: AppServer) -> None:
    found: list[str] = []
    page.goto(f"http://127.0.0.1:{server.port}/")
    found += sweep(page, "login")
    page.get_by_label("Key").fill("not the key")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found += sweep(page, "login, with a wrong key")
    page.goto(server.address)
    page.goto(server.url("nowhere.ipynb"))
    found += sweep(page, "404")
    words = "# A title\n\nWhat it is about."
    write_notebook(server.workspace / "failing.ipynb", words, "1/0")
    page.goto(server.url("failing.ipynb"))
    expect(page.get_by_role("alert")).to_be_visible()
    found += sweep(page, "a cell that fails")
    write_notebook(server.workspace / "none.ipynb", words, "1", kernel="there-is-no-such-kernel")
    page.goto(server.url("none.ipynb"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    found += sweep(page, "a kernel that does not start")
    assert none(found)


def test_a_page_that_is_still_getting_ready(
    context: BrowserContext, page: Page, server: AppServer
) -> None:
    found: list[str] = []
    context.request.get(server.address, max_redirects=0)
    page.route("**/page.js*", lambda route: route.abort())
    page.emulate_media(reduced_motion="reduce")
    page.goto(server.url(COURSE.steps[0].path))
    expect(page.locator(".pcn-loading")).to_be_visible()
    moving = """() => document.querySelector(".pcn-loading").checkVisibility() &&
      getComputedStyle(document.querySelector(".pcn-loading"), "::before").animationName"""
    assert page.evaluate(moving) == "none"
    expect(page.get_by_role("link", name="Load the page again")).to_be_hidden()
    found += sweep(page, "getting ready")
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) != "none"
    assert none(found)


# ---- Keyboard, zoom, spacing, contrast of the system, paper -------------------------------------


@each_step
def test_a_step_by_keyboard_zoomed_and_on_paper(
    step: Step, context: BrowserContext, server: AppServer, workspace: Workspace
) -> None:
    answers = sample_answers(step)
    long = next(one.key for one in step.prompts if one.kind == "text" and not one.private)
    lines = [one.key for one in step.prompts if one.kind == "line"]
    put(workspace, step, answers)
    page = opened(context, server, step.path)
    page.wait_for_function(PANELS_ARE_THERE)
    faults: list[str] = []

    def look(what: str, *more: str) -> None:
        faults.extend(f"{what}: {fault}" for fault in (*more, *cut_off(page)))

    size(page, *WIDE)
    stops, hidden = tab_through(page)
    look("by keyboard", *hidden)
    size(page, 320, 256)  # 1280 by 1024, zoomed to 400 %
    again, hidden = tab_through(page)
    look("by keyboard, zoomed to 400 %", *hidden)
    assert len(again) == len(stops)
    assert page.evaluate("document.querySelector('.pcn-bar').offsetHeight") < 90

    size(page, 640, 450)
    look("zoomed to 200 %")
    for width, height in (WIDE, (640, 800)):
        size(page, width, height)
        with letters_of(page, 32):
            look(f"letters of double size, {width} px")
    page.add_style_tag(content=SPACING)
    for width, height in (WIDE, PHONE):
        size(page, width, height)
        look(f"with more space in the text, {width} px")
    page.evaluate("document.head.lastElementChild.remove()")
    size(page, *WIDE)

    page.emulate_media(forced_colors="active")
    look("in the system's own colours", *unbounded(page), *tab_through(page, most=12)[1][:-1])
    page.emulate_media(forced_colors="none", color_scheme="dark")

    page.locator(f'[data-key="{long}"] textarea').fill(LONG)
    for key in lines:
        page.locator(f'[data-key="{key}"] input').fill(f"A line {'that is long ' * 30}to its end.")
    saved(page)
    short = pages(page.pdf())
    look("on paper", *on_paper(page))
    page.locator(f'[data-key="{long}"] textarea').fill(LONG * 4)
    assert pages(page.pdf()) >= short + 8, "a text of more pages takes more pages"
    assert not faults, "\n".join(faults)


def size(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})


@contextmanager
def letters_of(page: Page, pixels: int) -> Iterator[None]:
    """What a reader sets in the browser as the size of letters; it is 16 px otherwise."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setFontSizes", {"fontSizes": {"standard": pixels, "fixed": pixels}})
    try:
        yield
    finally:
        devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
        devtools.detach()


def pages(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") or pdf.count(b"/Type /Page")


def test_every_control_is_found_by_its_name(
    context: BrowserContext, server: AppServer, workspace: Workspace
) -> None:
    step = COURSE.step("connections")
    put(workspace, step, sample_answers(step))
    page = opened(context, server, step.path)
    for head in page.locator(".pcn-fold > summary").all():
        head.click()
    found = accessible.controls(page)
    for row in (1, 2):
        for word in ("Move up", "Move down", "Remove"):
            assert ("button", f"{word} person {row}") in found
    assert ("button", "See what your instructor will see") in found
    size(page, *PHONE)
    assert ("button", "Preview") in accessible.controls(page)

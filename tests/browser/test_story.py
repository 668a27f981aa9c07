"""The course as a new student meets it and as an instructor grades it, in a real Chromium.

The student has a keyboard and no mouse. What there is to answer is read from the course, so that
these tests hold for other steps and other prompts, too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from pcn_course.course import Prompt, Step, default_root, load_course
from tests.support.formgrader import Formgrader
from tests.support.keyboard import Keyboard, as_shown
from tests.support.nbgrader_course import Course, Student
from tests.support.network import Witness
from tests.support.servers import AppServer, until
from tests.support.stills import still

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]

COURSE = load_course(default_root())
CRITERIA = ("reasoning", "evidence", "ethics", "action")
KINDS = {"line", "text", "choice", "choices", "scale", "date", "time", "table"}
COMMENT = "Clear, and tied to your project: {title}. <b>Next time</b> name who disagrees."
# The answers of a prompt as the page shows them: one list for each control, by row in a table.
READ = """(key) => {
  // Entries of a table have ids that the page made; their names are what was chosen.
  const value = (el) => !/^r[0-9a-f]{8}$/.test(el.value) ? el.value
    : el.selectedOptions?.[0].text ?? el.labels[0].textContent;
  const answers = (root) => {
    const groups = new Map();
    for (const el of root.querySelectorAll("input, textarea, select")) {
      const box = /radio|checkbox/.test(el.type);
      const group = groups.get(box ? el.name : el) ?? [];
      groups.set(box ? el.name : el, group);
      if (!box || el.checked) group.push(value(el));
    }
    return [...groups.values()];
  };
  const field = document.querySelector(`[data-key="${key}"]`);
  const rows = [...field.querySelectorAll(".pcn-row")];
  return field.querySelector(".pcn-add") ? rows.map(answers) : answers(field);
}"""

UNFOLD = """() => document.querySelectorAll(".pcn-fold").forEach((row) => (row.open = true))"""


@dataclass
class Desk:
    """A student at work: the browser, the keyboard, the app's server."""

    student: Student
    server: AppServer
    page: Page
    keyboard: Keyboard

    @classmethod
    def of(cls, student: Student, server: AppServer, context: BrowserContext) -> Desk:
        page = context.new_page()
        return cls(student, server, page, Keyboard(page))

    def go_home(self) -> None:
        self.page.goto(self.server.address)
        expect(self.page.locator(".pcn-card")).to_have_count(len(self.student.course.content.steps))

    def open(self, step: Step) -> None:
        """From home, by the link on the step's card."""
        self.keyboard.tab_to(f"{step.number} · {step.short}")
        self.keyboard.press("Enter")
        self.ready(step)

    def ready(self, step: Step) -> None:
        expect(self.page.locator(".pcn-field")).to_have_count(len(step.prompts))
        expect(self.page).to_have_title(re.compile(re.escape(step.title)))

    def badge(self, step: Step) -> str:
        return self.page.locator(f".pcn-card[data-step={step.id}] .pcn-badge").inner_text()

    def saved(self) -> None:
        status = self.page.locator(".pcn-status")
        expect(status).to_have_text(re.compile(r"^Saved \d"), timeout=30_000)
        expect(status).to_have_attribute("aria-busy", "false")

    def answers_on_page(self, step: Step) -> dict[str, Any]:
        self.page.evaluate(UNFOLD)
        expect(self.page.locator(".pcn-fold:not(:has(fieldset))")).to_have_count(0)
        return {prompt.key: self.page.evaluate(READ, prompt.key) for prompt in step.prompts}

    def answers_on_disk(self, step: Step) -> dict[str, Any]:
        """The public answers, table rows without the ids that the page gave them."""
        fields = json.loads(self.answers_file(step).read_bytes())["fields"]
        values = {key: field["value"] for key, field in fields.items()}
        tables = {key: value for key, value in values.items() if _prompt(step, key).kind == "table"}
        for key, rows in tables.items():
            columns = _prompt(step, key).columns
            values[key] = [_by_name(_without_id(row), columns) for row in rows]
        return values

    def answers_file(self, step: Step) -> Path:
        return self.student.workspace.root / step.id / "answers.json"

    def dialog(self, title: str, *, within: float = 30) -> Any:
        dialog = self.page.locator("dialog.pcn-dialog")
        expect(dialog.locator("h2")).to_have_text(title, timeout=1000 * within)
        assert not re.search(r"\b(undefined|null|false|NaN)\b|\[object", dialog.inner_text())
        return dialog

    def close_dialog(self) -> None:
        self.keyboard.press("Escape")
        expect(self.page.locator("dialog")).to_have_count(0)

    def framed(self, title: str) -> FrameLocator:
        self.dialog(title).locator("iframe").wait_for()
        return self.page.frame_locator("dialog iframe")


def test_from_an_empty_home_to_feedback(tmp_path: Path, chromium: Browser) -> None:
    """Home, five steps by keyboard alone, hand in, grading, feedback, and a late second thought."""
    late = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    course = Course.make(
        tmp_path / "course",
        exchange=tmp_path / "exchange",
        due=f'"step-5-integrating" = {late:%Y-%m-%dT%H:%M:%SZ}',
    )
    steps = course.content.steps
    assert {prompt.kind for step in steps for prompt in step.prompts} == KINDS
    instructor = course.instructor
    instructor.nbgrader("generate_assignment", "--assignment=*")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(60_000)
    witness = Witness(context)
    with instructor.formgrader() as address:
        teacher = Formgrader(context.new_page(), address)
        for step in steps:
            teacher.assignment(step.id, "release")
        ada = Student.join(course, tmp_path / "ada", "ada")
        ada.nbgrader("fetch_assignment", *(step.id for step in steps))
        written = {step.id: answers(step, whole=step is not steps[-1]) for step in steps}
        with ada.app() as server:
            desk = Desk.of(ada, server, context)
            for step in steps:
                write_a_step(desk, step, written[step.id])
                look_at_the_preview(desk, step, written[step.id])
                submit_a_step(desk, step)
            home_says_submitted(desk)
            for step in steps:
                teacher.assignment(step.id, "collect")
                teacher.autograde(step.id)
                read_in_formgrader(teacher, step, written[step.id])
                mark_in_formgrader(teacher, step)
                teacher.assignment(step.id, "generate-feedback", "release-feedback")
            feedback_is_at_home(desk)
            for step in (steps[0], steps[-1]):
                read_the_feedback(desk, step)
            submit_again_after_the_due_date(desk, steps[-1])
            assert desk.keyboard.hidden == []
    assert witness.refused == []
    context.close()


def write_a_step(desk: Desk, step: Step, written: dict[str, Any]) -> None:
    """Open a step from home, fill it in, and find it all again after a reload."""
    desk.go_home()
    assert desk.badge(step) == "Not started"
    still(desk.page, "home")
    desk.open(step)
    desk.keyboard.tab_to("Read first")
    desk.keyboard.press("Enter")
    expect(desk.page.locator(".pcn-text details")).to_have_attribute("open", "")
    still(desk.page, f"{step.id}-empty")
    for prompt in step.prompts:
        if prompt.key in written:
            desk.keyboard.fill(prompt, written[prompt.key])
            if prompt.kind == "table":
                still(desk.page, f"{step.id}-{prompt.key}")
    still(desk.page, f"{step.id}-writing")
    desk.saved()
    shown = desk.answers_on_page(step)
    assert shown == {
        prompt.key: on_page(prompt, written.get(prompt.key)) for prompt in step.prompts
    }
    desk.page.reload()
    desk.ready(step)
    until(lambda: desk.answers_on_page(step) == shown)
    desk.saved()
    still(desk.page, f"{step.id}-reloaded")
    public = {key: value for key, value in written.items() if not _prompt(step, key).private}
    assert desk.answers_on_disk(step) == public


def look_at_the_preview(desk: Desk, step: Step, written: dict[str, Any]) -> None:
    """See what the instructor will see."""
    desk.keyboard.tab_to("See what your instructor will see")
    desk.keyboard.press("Enter")
    page = desk.framed("What your instructor will see")
    text = page.locator("main").inner_text()
    still(desk.page, f"{step.id}-preview")
    all_is_readable(step, written, text)
    desk.close_dialog()
    assert desk.keyboard.look().words.startswith("See what your instructor will see")


def submit_a_step(desk: Desk, step: Step) -> None:
    """Hand in; the receipt speaks of just these answers."""
    desk.keyboard.tab_to("Submit")
    desk.keyboard.press("Enter")
    desk.dialog(f"Submit step {step.number}")
    still(desk.page, f"{step.id}-submit")
    desk.keyboard.tab_to("Submit now")
    desk.keyboard.press("Enter")
    check_the_receipt(desk, step)
    handed_in = newest_in_exchange(desk.student, step)
    assert hashlib.sha256(handed_in).hexdigest() == whole_fingerprint(desk)
    assert handed_in == desk.answers_file(step).read_bytes()
    desk.close_dialog()


def check_the_receipt(desk: Desk, step: Step) -> None:
    """It says what was handed in, and when: just now."""
    dialog = desk.dialog("Submitted", within=120)
    still(desk.page, f"{step.id}-receipt")
    receipt = desk.student.workspace.receipts(step)[-1]
    assert abs(dt.datetime.now(dt.UTC) - receipt.when) < dt.timedelta(minutes=2)
    said = by_readers_clock(desk.page, receipt.when, dateStyle="long", timeStyle="short")
    expect(dialog).to_contain_text(f"Step {step.number} was submitted on {said}.")


def whole_fingerprint(desk: Desk) -> str:
    desk.keyboard.tab_to("The whole fingerprint")
    desk.keyboard.press("Enter")
    return desk.page.locator("dialog details code").inner_text().strip()


def home_says_submitted(desk: Desk) -> None:
    desk.keyboard.tab_to("All steps")
    desk.keyboard.press("Enter")
    steps = desk.student.course.content.steps
    expect(desk.page.locator(".pcn-card")).to_have_count(len(steps))
    for step in steps:
        assert desk.badge(step).startswith("Submitted ")
    expect(desk.page.locator(".pcn-next")).to_contain_text("All steps are handed in")
    still(desk.page, "home-submitted")


def read_in_formgrader(teacher: Formgrader, step: Step, written: dict[str, Any]) -> None:
    """Every answer under its prompt, then the structure points, then the criteria."""
    teacher.open_submission(step.id)
    still(teacher.page, f"{step.id}-formgrader")
    text = teacher.page.locator("#notebook").first.inner_text()
    end = all_is_readable(step, written, text)
    missing = [prompt.label for prompt in step.required if prompt.key not in written]
    points = step_points(step, written)
    structure = f"Structure: {points:g} of 4 points"
    assert structure in text[end:]
    reasons = text[text.index(structure) :]
    for label in missing:
        assert re.search(rf"0 of 1 · .*Still open: {re.escape(label)}", reasons)
    assert ("Still open" in reasons) == bool(missing)
    for criterion in CRITERIA:
        score = teacher.page.locator(f"[id='{criterion}']")
        task = teacher.page.locator(".nbgrader_cell", has=score)
        expect(task.locator("li")).to_have_count(5)
        expect(task.locator("li").first).to_be_visible()


def mark_in_formgrader(teacher: Formgrader, step: Step) -> None:
    """Type a score and a comment for each criterion; they are there after a reload."""
    for score, criterion in enumerate(CRITERIA, start=1):
        teacher.mark(criterion, score, COMMENT.format(title=criterion))
    still(teacher.page, f"{step.id}-marked")
    teacher.open_submission(step.id)
    for score, criterion in enumerate(CRITERIA, start=1):
        expect(teacher.page.locator(f"[id='{criterion}']")).to_have_value(str(score))
        comment = teacher.page.locator(f"[id='{criterion}-comment']")
        expect(comment).to_have_value(COMMENT.format(title=criterion))


def feedback_is_at_home(desk: Desk) -> None:
    """The home page finds the feedback by itself, when it is looked at again."""
    steps = desk.student.course.content.steps

    def there() -> bool:
        desk.go_home()
        badge = desk.page.locator(".pcn-badge", has_text="Feedback is here")
        try:
            expect(badge).to_have_count(len(steps), timeout=15_000)
        except AssertionError:
            return False
        return True

    until(there, within=120)
    still(desk.page, "home-feedback")


def read_the_feedback(desk: Desk, step: Step) -> None:
    """Scores and comments, in the app."""
    desk.go_home()
    desk.open(step)
    desk.keyboard.tab_to("Read it")
    still(desk.page, f"{step.id}-feedback-note")
    desk.keyboard.press("Enter")
    page = desk.framed("Feedback from your instructor")
    still(desk.page, f"{step.id}-feedback")
    text = " ".join(page.locator("main").inner_text().split())
    total = step_points(step, None) + 1 + 2 + 3 + 4
    assert f"{total:g} of 20 points" in text
    rubric = desk.student.course.content.rubric
    for score, criterion in enumerate(rubric.criteria, start=1):
        assert f"{criterion.title} {score} of 4" in text
        assert COMMENT.format(title=criterion.id) in text
    desk.close_dialog()


def submit_again_after_the_due_date(desk: Desk, step: Step) -> None:
    """A change is noticed at home; handing it in late asks first, and takes no for an answer."""
    prompt = next(one for one in step.prompts if one.kind == "text" and not one.private)
    assert step.due
    due = by_readers_clock(
        desk.page, step.due,
        weekday="long", day="numeric", month="long", hour="numeric", minute="2-digit",
    )  # fmt: skip
    desk.go_home()
    expect(desk.page.locator(f"[data-step={step.id}]")).to_contain_text("ubmitted")
    desk.open(step)
    desk.keyboard.change(prompt, "I see it in another way now.")
    desk.saved()
    before = newest_in_exchange(desk.student, step)
    for words in ("Not now", "Submit all the same"):
        desk.keyboard.tab_to("Submit")
        desk.keyboard.press("Enter")
        desk.keyboard.tab_to("Submit now")
        desk.keyboard.press("Enter")
        question = desk.dialog("Submit again?", within=120)
        expect(question).to_contain_text(f"This step was due {due}, and you have submitted it")
        still(desk.page, f"{step.id}-past-due")
        assert newest_in_exchange(desk.student, step) == before
        desk.keyboard.tab_to(words)
        desk.keyboard.press("Enter")
        if words == "Not now":
            expect(desk.page.locator("dialog")).to_have_count(0)
            desk.go_home()
            assert desk.badge(step) == "Changed since you submitted"
            desk.open(step)
    check_the_receipt(desk, step)
    assert "another way now" in newest_in_exchange(desk.student, step).decode()
    desk.close_dialog()
    desk.go_home()
    assert desk.badge(step).startswith("Submitted ")


def test_without_an_exchange_a_file_goes_to_the_instructor(
    tmp_path: Path, context: BrowserContext
) -> None:
    """Submit asks for the id, a ZIP arrives, and nbgrader takes it in."""
    course = Course.make(tmp_path / "course")
    step = course.content.steps[0]
    course.instructor.nbgrader("generate_assignment", step.id)
    ben = Student.join(course, tmp_path / "ben", "ben")
    written = {prompt.key: answer(prompt, step) for prompt in step.prompts if prompt.kind == "line"}
    with ben.app() as server:
        desk = Desk.of(ben, server, context)
        desk.go_home()
        desk.open(step)
        for key, value in written.items():
            desk.keyboard.fill(_prompt(step, key), value)
        desk.saved()
        desk.keyboard.tab_to("Submit")
        desk.keyboard.press("Enter")
        desk.keyboard.tab_to("Submit now")
        desk.keyboard.press("Enter")
        desk.dialog("Who are you in this course?")
        still(desk.page, "zip-question")
        desk.keyboard.tab_until(lambda stop: stop.question == "Your student id")
        desk.keyboard.type("ben.b")
        desk.keyboard.tab_to("Submit")
        with desk.page.expect_download() as download:
            desk.keyboard.press("Enter")
        expect(desk.dialog("Your file is ready")).to_contain_text("until then nobody has it")
        still(desk.page, "zip-receipt")
        name = download.value.suggested_filename
        assert re.fullmatch(rf"{step.id}\+ben\.b\+\d{{8}}T\d{{6}}Z\.zip", name)
        upload = tmp_path / name
        download.value.save_as(upload)
        digest = whole_fingerprint(desk)
        desk.close_dialog()
        desk.go_home()
        assert desk.badge(step).startswith("File made ")  # nobody knows whether it was uploaded
    course.instructor.collect_zips(step.id, upload)
    taken = course.instructor.room / "submitted" / "ben.b" / step.id / "answers.json"
    assert hashlib.sha256(taken.read_bytes()).hexdigest() == digest
    course.instructor.autograde(step.id)
    grades = course.instructor.grades("ben.b", step.id)
    assert grades["structure"]["auto"] == step_points(step, written)


def by_readers_clock(page: Page, when: dt.datetime, **style: str) -> str:
    """A time as the browser writes it."""
    said: str = page.evaluate(
        "([when, style]) => new Intl.DateTimeFormat(undefined, style).format(new Date(when))",
        [when.isoformat(), style],
    )
    return said


def answers(step: Step, *, whole: bool) -> dict[str, Any]:
    """An answer to every prompt; all but the first step say that nothing else covers them.

    ``whole`` is false for a step of which the first required prompt stays open.
    """
    left_out = set(step.covered) if step.number > 1 else set()
    if not whole:
        left_out.add(step.required[0].key)
    return {one.key: answer(one, step) for one in step.prompts if one.key not in left_out}


def answer(prompt: Prompt, step: Step, row: int = 0) -> Any:
    """An answer that is found again, and that would show if it were taken for HTML."""
    words = f"{step.name} {prompt.key}{row or ''}: <i>so</i> & “so”"
    if prompt.refers:
        name, dot, key = prompt.options_from.rpartition(".")
        there = COURSE.step(name) if dot else step
        entry: str = answer(_prompt(there, key).columns[0], there, row)
        return [entry] if prompt.kind == "choices" else entry
    match prompt.kind:
        case "line":
            return words
        case "text":
            return f"{words}\nA second line, 5 < 6."
        case "choice":
            return prompt.options[-1 - row % len(prompt.options)].value
        case "choices":
            return [option.value for option in prompt.options[row::2]]
        case "scale":
            return 1 + (prompt.points - 2 - row) % prompt.points
        case "date":
            return f"2027-02-{26 + row}"
        case "time":
            return f"1{row}:45"
    cells = [{one.key: answer(one, step, row) for one in prompt.columns} for row in range(3)]
    return cells[: prompt.max_rows]


def on_page(prompt: Prompt, value: Any) -> list[Any]:
    """What `READ` finds when the page shows ``value``."""
    if prompt.kind == "table":
        columns = as_shown(prompt)
        return [[on_page(one, row[one.key])[0] for one in columns] for row in value or []]
    if prompt.kind == "choices":
        return [value or []]
    if value is None:
        grouped = prompt.kind in {"scale", "choice"}
        return [[] if grouped else [""]]
    return [[str(value)]]


def all_is_readable(step: Step, written: dict[str, Any], text: str) -> int:
    """Find each public answer under its prompt, in order; return where the last one ends."""
    at = 0
    text = _plain(text)
    for prompt in step.prompts:
        if prompt.private:
            assert prompt.label not in text
            assert written[prompt.key].splitlines()[0] not in text
            continue
        if prompt.key not in written:
            assert (prompt.label in text[at:]) == prompt.required
            continue
        at = text.index(prompt.label, at) + len(prompt.label)
        for shown in in_words(prompt, written[prompt.key]):
            at = text.index(_plain(shown), at) + len(_plain(shown))
    return at


def in_words(prompt: Prompt, value: Any) -> list[str]:
    """The pieces of text that a reader must find, in order."""
    if prompt.refers:
        return [value] if isinstance(value, str) else value
    match prompt.kind:
        case "table":
            cells = [in_words(one, row[one.key])[0] for row in value for one in prompt.columns]
            # The head of a column says what the ends of a scale mean.
            return [cell.partition(" (1 = ")[0] for cell in cells]
        case "choices":
            return [prompt.shown(one) for one in value]
    return [prompt.shown(value)]


def step_points(step: Step, written: dict[str, Any] | None) -> float:
    """The structure points that ``written`` earns; without it, those of `answers`."""
    if written is None:
        written = answers(step, whole=step.number < 5)
    if step.covered and all(key in written for key in step.covered):
        return sum(part.points for part in step.structure)
    return sum(
        part.points for part in step.structure if all(key in written for key in part.prompts)
    )


def newest_in_exchange(student: Student, step: Step) -> bytes:
    """The answers that the student handed in last."""
    assert student.course.exchange
    inbound = student.course.exchange / student.course.content.id / "inbound"
    newest = max(inbound.glob(f"{student.name}+{step.id}+*"), key=lambda path: path.name)
    return (newest / "answers.json").read_bytes()


def _prompt(step: Step, key: str) -> Prompt:
    prompt = step.prompt(key)
    assert prompt
    return prompt


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    assert re.fullmatch("r[0-9a-f]{8}", row["id"])
    return {key: value for key, value in row.items() if key != "id"}


def _by_name(row: dict[str, Any], columns: tuple[Prompt, ...]) -> dict[str, Any]:
    """A row whose entries of other tables are called by the labels that stand beside them."""
    for column in columns:
        shown = row.pop(f"{column.key}-shown", None)
        if column.refers:
            row[column.key] = shown if column.kind == "choice" else shown.split("; ")
    return row


def _plain(text: str) -> str:
    return " ".join(text.split())

"""A letter by criterion: as a page, as Word, held and released. All students are made up."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner, Result
from docx import Document
from playwright.sync_api import Browser
from sqlalchemy import select

from pcn_course.cli import main
from pcn_course.course import Level
from pcn_course.grading.feedback.letter import Part, next_step
from pcn_course.grading.feedback.release import release_state, set_release_state
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.regrade_requests import answer, ask
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import events
from tests.grading.lms import returns
from tests.support.nbgrader_course import Course, sample_answers, visible_text
from tests.support.submissions import keep_names

STEP = "step-1-goals"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> &amp; {{ 7 * 7 }}'
POINTS = {"reasoning": 4.0, "evidence": 2.5, "ethics": 1.0, "action": 1.0}


@dataclass
class Class:
    """Two students: ada is marked, and hands in again; ben is not marked."""

    course: Course
    room: Room
    first: str
    held: str
    again: str
    unmarked: str

    @property
    def released(self) -> list[Path]:
        assert self.course.exchange
        return sorted((self.course.exchange / "pcn" / "feedback").glob("*.html"))


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    base = tmp_path_factory.mktemp("letters")
    course = Course.make(base / "course", exchange=base / "exchange")
    (base / "exchange" / "pcn").mkdir()
    teacher = course.instructor
    teacher.nbgrader("generate_assignment", STEP)
    room = open_room(teacher.room)
    values = sample_answers(course.content.step(STEP), text="My answer to “{label}”.")
    for student in ("ada", "ben"):
        lay(room, student, values, "2027-01-20 10:00:00.000000 UTC")
    teacher.autograde(STEP)
    with room.gradebook() as gradebook:
        gradebook.update_or_create_student("ada", first_name="Ada", last_name="Doe <b>")
    marking = Marking(room, "kim")
    for criterion, points in POINTS.items():
        marking.give("ada", STEP, criterion, points)
    marking.say("ada", STEP, "ethics", f"Name whom it concerns. {HOSTILE}")
    passage = str(values["what-you-do"])[3:9]
    for about in ("ethics", None):
        marking.passages.mark(
            "ada", STEP, prompt="what-you-do", start=3, end=9, passage=passage,
            comment=HOSTILE, criterion=about,
        )  # fmt: skip
    set_release_state(room.engine, STEP, "held", "kim")
    teacher.nbgrader("generate_feedback", STEP)
    first = page(room, "ada")
    refused = teacher.nbgrader("release_feedback", STEP, must_succeed=False)
    held = str(refused.stderr) if refused.returncode else ""
    assert not list((base / "exchange").rglob("*.html"))
    set_release_state(room.engine, STEP, "released", "kim")
    teacher.nbgrader("release_feedback", STEP)
    anew = {**values, "what-you-do": f"Something else {HOSTILE}", "next-decision": None}
    lay(room, "ada", anew, "2027-01-22 10:00:00.000000 UTC")
    teacher.autograde(STEP)
    request = ask(marking, "ada", STEP, "action", f"Please look again. {HOSTILE}")
    ask(marking, "ada", STEP, None, "And at the whole.")
    answer(marking, request.id, "You are right.", 3)
    teacher.nbgrader("generate_feedback", STEP, "--force")
    yield Class(course, room, first, held, page(room, "ada"), page(room, "ben"))
    room.close()


def lay(room: Room, student: str, values: dict[str, Any], when: str) -> None:
    """Put a submission where collecting puts it."""
    folder = room.submission(student, STEP)
    folder.mkdir(parents=True, exist_ok=True)
    fields = {
        key: {"value": value, "version": 1} for key, value in values.items() if value is not None
    }
    document = {
        "format": 1, "course": "pcn", "step": "goals", "revision": 1, "saved_at": None,
        "fields": fields,
    }  # fmt: skip
    (folder / "answers.json").write_text(json.dumps(document))
    (folder / "timestamp.txt").write_text(when)
    (folder / "submission_secret.txt").write_text(secrets.token_hex(64))
    released = room.released / STEP / f"{STEP}.ipynb"
    (folder / released.name).write_bytes((room.root / released).read_bytes())


def page(room: Room, student: str) -> str:
    return (room.feedback / student / STEP / f"{STEP}.html").read_text()


def section(html: str, heading: str) -> str:
    found = re.search(rf'<section aria-labelledby="{heading}">(.*?)</section>', html, re.DOTALL)
    return visible_text(found[1]) if found else ""


def test_each_criterion_says_what_was_reached_and_what_the_next_level_needs(marked: Class) -> None:
    cards = section(marked.first, "marks")
    for criterion in marked.room.course.rubric.criteria:
        points = POINTS[criterion.id]
        reached = max((one for one in criterion.levels if one.points <= points), key=points_of)
        above = [one for one in criterion.levels if one.points > points]
        assert f"{criterion.title} {points:g} of 4 · {reached.name}" in cards
        assert f"What you reached. {reached.text}" in cards
        if above:
            needed = min(above, key=points_of)
            assert f"What “{needed.name}” needs. {needed.text}" in cards
    assert cards.count("This is the highest level.") == 1


def test_there_is_one_next_step_and_it_is_the_lowest_criterion_s(marked: Class) -> None:
    ethics = next(one for one in marked.room.course.rubric.criteria if one.id == "ethics")
    needed = next(one for one in ethics.levels if one.points == 2)
    said = section(marked.first, "next")
    # action has as few points, and comes later in the rubric.
    assert ethics.title in said
    assert needed.text in said
    assert not section(marked.unmarked, "next")


def part(points: float | None, out_of: float = 4) -> Part:
    levels = tuple(Level(points=n, name=str(n), text="") for n in (0.0, out_of))
    above = levels[1] if points is not None and points < out_of else None
    return Part(
        id="x", title="x", question="", points=points, out_of=out_of, level=None, next=above,
        levels=levels, comment="",
    )  # fmt: skip


def test_the_next_step_goes_by_shares_and_leaves_out_what_is_not_marked() -> None:
    several = (part(None), part(3), part(5, 10), part(2), part(4))
    assert next_step(several) == (several[2], False)
    assert next_step((part(4), part(None))) == (None, True)
    assert next_step((part(None),)) == (None, False)


def test_passages_and_comments_are_there_as_text(marked: Class) -> None:
    cards = section(marked.first, "marks")
    assert cards.count(HOSTILE) == 3
    assert "Passages that your instructor marked" in cards
    label = marked.room.course.step(STEP).prompt("what-you-do").label  # type: ignore[union-attr]
    assert cards.count(f"In “{label}”") == 2
    for html in (marked.first, marked.again):
        assert "<script" not in html
        assert "<img" not in html
        assert "49" not in section(html, "marks")
        assert "Doe &lt;b&gt;" in html
    assert section(marked.again, "marks").count("as it was before you changed it") == 2
    assert "as it was before you changed it" not in cards


def test_held_feedback_is_not_released_and_says_how_it_is(marked: Class) -> None:
    assert f"Feedback on {STEP} is held" in marked.held
    assert f"pcn feedback {STEP} --release" in marked.held
    print(marked.held)
    assert "Traceback" not in marked.held
    assert release_state(marked.room.engine, STEP) == "released"
    assert release_state(marked.room.engine, "step-2-people") is None
    assert len(marked.released) == 2


def test_a_new_letter_says_what_changed_since_the_last_one(marked: Class) -> None:
    step = marked.room.course.step(STEP)
    assert not section(marked.first, "changes")
    said = section(marked.again, "changes")
    assert "handed in on 20 January 2027, 10:00 UTC" in said
    labels = {one.key: one.label for one in step.prompts}
    assert f"Changed: {labels['what-you-do']}" in said
    assert f"Taken away: {labels['next-decision']}" in said
    assert f"My answer to “{labels['what-you-do']}”." in said
    assert len(re.findall("New:|Changed:|Taken away:", said)) == 2
    assert "private-note" not in said
    kept = [*(marked.room.root / "earlier" / "ada" / STEP).iterdir()]
    assert [one.name for one in kept] == ["20270120T100000000000Z.json"]


def test_marks_on_earlier_answers_say_so(marked: Class) -> None:
    assert section(marked.again, "marks").count("It will be looked at again") == 3
    assert "looked at again" not in section(marked.first, "marks")


def test_requests_and_their_answers_stand_in_the_letter(marked: Class) -> None:
    said = section(marked.again, "requests")
    assert f"Please look again. {HOSTILE}" in said
    assert "You are right. Answered on" in said
    assert "1 points before, 3 now" in said
    assert "The whole step" in said
    assert said.count("The answer is still to come.") == 1
    assert not section(marked.first, "requests")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_letter_is_for_everybody(
    marked: Class, chromium: Browser, tmp_path: Path, scheme: Any
) -> None:
    file = tmp_path / "letter.html"
    file.write_text(marked.again)
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 700})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options).response["violations"]
    width = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    print(f"{len(marked.again):,} characters, {width} px wide, {len(found)} findings")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert width <= 320
    assert asked == [file.as_uri()]


def test_word_says_what_the_page_says(marked: Class, tmp_path: Path) -> None:
    done = pcn("feedback", STEP, "--word", tmp_path / "out", "--room", marked.room.root)
    assert done.exit_code == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [one.name for one in files] == [
        f"{STEP}+{name}+feedback.docx" for name in ("ada", "ben")
    ]
    document = Document(str(files[0]))
    text = "\n".join(one.text for one in document.paragraphs)
    headings = [
        one.text for one in document.paragraphs if one.style and "Heading" in str(one.style.name)
    ]
    said = visible_text(marked.again)
    for criterion in marked.room.course.rubric.criteria:
        points = 3 if criterion.id == "action" else POINTS[criterion.id]
        assert [one for one in headings if one.startswith(f"{criterion.title}: {points:g} of 4 · ")]
    for words in (
        HOSTILE, "One next step", "It will be looked at again", "What you changed",
        "You are right.", "The answer is still to come.", "For Ada Doe <b>",
    ):  # fmt: skip
        assert words in text or words in headings
        assert words in said
    assert "Points: 1 before, 3 now" in text
    assert headings.count("One next step") == 1
    assert "This is where you can gain most." in text
    assert "not marked yet" in "\n".join(one.text for one in Document(str(files[1])).paragraphs)


def test_all_get_it_together_when_the_instructor_says_so(marked: Class) -> None:
    room = ("--room", marked.room.root)
    held = pcn("feedback", STEP, "--hold", *room)
    assert "What was released before stays" in held.output
    before = {path: path.read_bytes() for path in marked.released}
    refused = pcn("feedback", STEP, "--release", "--names", *room)
    assert refused.exit_code == 1
    ethics = next(one for one in marked.room.course.rubric.criteria if one.id == "ethics").title
    assert re.search(rf"^ada: .*{re.escape(ethics)}", refused.output, re.MULTILINE)
    assert re.search("^ben: ", refused.output, re.MULTILINE)
    assert release_state(marked.room.engine, STEP) == "held"
    assert {path: path.read_bytes() for path in marked.released} == before
    # However nbgrader is set up to bring it to students, as on a hub.
    personally = "--ExchangeFactory.release_feedback=pcn_course.hub.exchange.ReleasePersonally"
    on_a_hub = marked.course.instructor.nbgrader(
        "release_feedback", STEP, personally, must_succeed=False
    )
    assert on_a_hub.returncode
    assert "is held" in on_a_hub.stderr
    late = marked.room.root / "late.csv"
    late.write_text("what,student,step,value\npenalty,,all,nonsense\n")
    faulty = pcn("feedback", STEP, "--release", "--even-unmarked", *room)
    assert faulty.exit_code == 1
    assert "late.csv holds faults" in faulty.output
    assert release_state(marked.room.engine, STEP) == "held"
    late.write_text("what,student,step,value\npenalty,,all,2 points per day\n")
    with marked.room.gradebook() as gradebook:
        due = dt.datetime(2027, 1, 21, 12, 0)  # noqa: DTZ001 (nbgrader's are UTC unsaid)
        gradebook.update_or_create_assignment(STEP, duedate=due)
    name = f"{STEP}+ada.zip"
    keep_names(marked.room.root, STEP, {"ada": ("canvas", f"all.zip/doeada_1001_5001_{name}")})
    done = pcn("feedback", STEP, "--release", "--even-unmarked", "--as", "kim", *room)
    assert done.exit_code == 0
    assert "Released for all: 2 letters" in done.output
    # What came from an LMS goes back by it, too; the exchange reaches the other.
    packed = marked.room.feedback / f"{STEP}-canvas.zip"
    assert f"To upload to Canvas: {packed} (1 student)." in done.output
    assert "Not reached" not in done.output
    read = returns.canvas(packed.read_bytes(), {5001: ("1001", name)})
    assert read == {"1001": page(marked.room, "ada").encode()}
    # Not a word of nbgrader's own between the command and this.
    assert done.stderr == ""
    assert release_state(marked.room.engine, STEP) == "released"
    new = [path for path in marked.released if path not in before]
    # ada's second letter has an address of its own; ben's stands where it stood.
    assert len(new) == 1
    assert "Something else" in new[0].read_text()
    # A due date that came after the marks.
    assert "after 2 off for handing in late" in visible_text(new[0].read_text())
    with marked.room.engine.connect() as connection:
        wanted = select(events).where(events.c.what == "released").order_by(events.c.id)
        log = [(one.by, one.before, one.after) for one in connection.execute(wanted)]
    assert log[-1] == ("kim", "held", "released")


def pcn(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    print(result.output)
    return result


def points_of(level: Level) -> float:
    return level.points

"""What the instructor sees: every answer under its prompt, readable, and harmless."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcn_course.answers.store import Field
from pcn_course.answers.structure import check
from pcn_course.course import load_course
from pcn_course.review import answers_html, checked_html

COURSE = load_course(Path(__file__).parent / "courses" / "base")
GOALS, NEXT = COURSE.steps
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> & \" ' \0 $x$"


class Page(HTMLParser):
    """The tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def test_each_answer_stands_under_its_prompt_in_the_pages_order() -> None:
    fields = {"why": Field("Because.", 1), "live-project": Field("Respite care", 1)}
    text = Page(answers_html(GOALS, fields)).text
    order = ["Which project?", "Respite care", "Why this one?", "Because."]
    assert sorted(order, key=text.index) == order


def test_required_prompts_without_an_answer_are_said_to_be_open() -> None:
    text = Page(answers_html(GOALS, {})).text
    assert text.count("No answer yet.") == 2
    assert "Who is in it?" not in text


def test_every_kind_is_shown_in_the_words_of_the_page() -> None:
    text = Page(
        answers_html(
            NEXT,
            {
                "plan": Field("Line one\nline two", 1),
                "sure": Field(4, 1),
                "when": Field("2026-12-01", 1),
                "ways": Field(["phone", "email"], 1),
            },
        )
    ).text
    for words in (
        "Line one\nline two",
        "4 of 5 (1 = Not at all, 5 = Very)",
        "December 1, 2026",
        "Phone",
        "Email",
    ):
        assert words in text


def test_a_table_shows_its_rows_and_leaves_out_empty_columns() -> None:
    rows = [{"id": "r1", "who": "K.R."}, {"id": "r2"}, {"id": "r3", "who": "a peer"}]
    page = Page(answers_html(GOALS, {"people": Field(rows, 1)}))
    assert "K.R." in page.text
    assert "a peer" in page.text
    assert "Role" not in page.text


def test_the_ends_of_a_scale_in_a_table_are_explained_once() -> None:
    step = load_course(Path(__file__).parents[1]).step("connections")
    people = step.prompt("people")
    assert people
    (closeness,) = (column for column in people.columns if column.kind == "scale")
    rows = [{"id": f"r{number}", closeness.key: number} for number in (2, 4)]
    text = Page(answers_html(step, {"people": Field(rows, 1)})).text
    assert text.count(f"(1 = {closeness.low}, 5 = {closeness.high})") == 1
    assert "2 of 5\n4 of 5\n" in text


def test_private_answers_are_not_shown() -> None:
    assert "secret" not in answers_html(GOALS, {"private-note": Field("secret", 1)})


def test_an_answer_to_an_unknown_question_is_shown_as_such() -> None:
    text = Page(answers_html(GOALS, {"old-key": Field(HOSTILE, 1)})).text
    assert "An answer to “old-key”, which this course doesn't ask" in text
    assert "<script>alert(1)</script>" in text


SAFE_TAGS = {
    "div",
    "h3",
    "p",
    "strong",
    "ul",
    "li",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
SAFE_ATTRIBUTES = {
    "class",
    "style",
    "dir",
    "role",
    "aria-label",
    "tabindex",
    "scope",
    "aria-hidden",
}


@pytest.mark.parametrize("text", [HOSTILE, "\"><iframe src='//x'>", "</div></html>"])
def test_a_hostile_answer_is_text_everywhere(text: str) -> None:
    rows = [{"id": "r1", "who": text}]
    fields = {"live-project": Field(text, 1), "people": Field(rows, 1), text: Field(text, 1)}
    page = Page(answers_html(GOALS, fields, (text,)) + checked_html(check(GOALS, fields)))
    assert page.tags <= SAFE_TAGS
    assert page.attributes <= SAFE_ATTRIBUTES
    assert page.text.count(text.replace("\0", "\ufffd")) >= 3


@given(st.text())
def test_no_text_makes_a_tag(text: str) -> None:
    html = answers_html(GOALS, {"why": Field(text, 1), text or "x": Field(text, 1)})
    page = Page(html)
    assert page.tags <= SAFE_TAGS
    assert page.attributes <= SAFE_ATTRIBUTES


def test_structure_points_come_with_the_reason_for_each_missing_one() -> None:
    text = Page(checked_html(check(GOALS, {"why": Field("x", 1)}))).text
    assert "Structure: 1 of 2 points" in text
    assert "Still open: Which project?" in text

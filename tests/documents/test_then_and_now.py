"""What a document shows beyond the answers: the map, then and now, what is open, long lists."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import docx
import msgspec
import networkx as nx
import pytest

from pcn_course.course import Course, default_root, load_course
from pcn_course.documents import document_html, graphml, members_csv, plan_html, word_document
from pcn_course.example import example_values

COURSE = load_course(default_root())
TODAY = dt.date(2026, 11, 25)
THEN = dt.datetime(2026, 10, 2, 12, tzinfo=dt.UTC)
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><title>The drawing</title></svg>'

Values = dict[str, dict[str, Any]]


@pytest.fixture
def values() -> Values:
    return example_values(COURSE)


def network(*people: dict[str, Any], ties: Any = ()) -> Values:
    return {"connections": {"people": list(people), "ties": list(ties)}}


def words(word: bytes) -> str:
    return "\n".join(one.text for one in docx.Document(io.BytesIO(word)).paragraphs)


def test_then_and_now_tells_what_changed_since_the_first_submission() -> None:
    one = {"id": "a", "person": "AB, school", "role": "peer"}
    other = {"id": "b", "person": "CD, clinic", "role": "mentor"}
    later = (THEN + dt.timedelta(days=9), network(one, other))
    kept = [(THEN, network(one)), later]
    now = network(one, other, {"id": "c", "person": "EF, county", "role": "stakeholder"})
    html = document_html(COURSE, now, today=TODAY, snapshots=kept)
    for found in (html, words(word_document(COURSE, now, today=TODAY, snapshots=kept))):
        assert "Then and now" in found
        assert "since my submission on October 2, 2026" in found
        assert "You listed 1 person then and list 3 people now." in found
        assert re.search("New on your list: CD, clinic.+EF, county", found)
    assert "Then and now" not in document_html(COURSE, now, today=TODAY)


def test_who_has_withdrawn_is_not_named_as_they_were_then() -> None:
    one, other = {"id": "a", "person": "ZZ, secret", "role": "peer"}, {"id": "b", "person": "CD"}
    tie = {"id": "t", "one": "a", "other": "b", "kind": "work"}
    before = [(THEN, network(one, other, ties=[tie]))]
    after = network({**one, "status": "withdrawn"}, other)
    html = plan_html(COURSE, after, TODAY, before)
    assert "Ties no longer noted: Peer and CD." in html
    gone = [(THEN, network({**one, "consent": "no"}, other))]
    assert "No longer on it: Peer." in plan_html(COURSE, network(other), TODAY, gone)
    assert "secret" not in html + plan_html(COURSE, network(other), TODAY, gone)


@pytest.mark.parametrize("junk", [{}, {"connections": None}, {"connections": {"people": 7}}, []])
def test_a_snapshot_that_is_none_breaks_nothing(values: Values, junk: Any) -> None:
    assert "Then and now" in plan_html(COURSE, values, TODAY, [(THEN, junk)])


def test_the_map_stands_in_a_figure_with_its_caption_or_there_is_none(values: Values) -> None:
    drawn = document_html(COURSE, values, today=TODAY, map_svg=SVG)
    assert re.search(r"<figure><svg .*</svg><figcaption>[^<]+</figcaption></figure>", drawn)
    assert "<!--map-->" not in drawn
    assert "<figure><!--map--><figcaption>" in document_html(COURSE, values, today=TODAY)
    for nothing in (
        document_html(COURSE, values, today=TODAY, map_svg=None),
        document_html(COURSE, {}, today=TODAY, map_svg=SVG),
    ):
        assert "<figure" not in nothing
        assert "<!--" not in nothing


def test_words_of_a_student_cannot_take_the_place_of_the_map(values: Values) -> None:
    values["goals"]["live-project"] = "<!--map-->"
    assert document_html(COURSE, values, today=TODAY).count("<!--map-->") == 1


def test_sixty_members_are_few_in_the_plan_and_all_in_the_answers() -> None:
    people = [{"id": f"r{n}", "person": f"P{n:02}", "role": "peer"} for n in range(60)]
    html = plan_html(COURSE, network(*people), TODAY)
    assert [f"P{n:02}" in html for n in range(60)] == [n < 12 for n in range(60)]
    assert "And 48 more, who stand in my answers to step 2." in html
    whole = document_html(COURSE, network(*people), today=TODAY)
    assert all(f"P{n:02}" in whole for n in range(60))


def test_what_is_open_and_what_is_not_asked_any_more_are_both_shown() -> None:
    values = {"goals": {"live-project": "Who calls first?", "an-old-one": "Still <b>mine</b>"}}
    html = document_html(COURSE, values, today=TODAY)
    required = COURSE.step("goals").required
    assert html.count("No answer yet.") == len(required) - 1
    assert html.count("Nothing is written here yet.") == len(COURSE.steps) - 1
    assert "An answer to “an-old-one”, which this course doesn&#39;t ask" in html
    assert "Still &lt;b&gt;mine" in html


def hidden(course: Course, key: str) -> Course:
    """The course with a private column in its table of people."""
    steps = []
    for step in course.steps:
        prompts = tuple(
            msgspec.structs.replace(
                prompt,
                columns=tuple(
                    msgspec.structs.replace(column, private=column.key == key)
                    for column in prompt.columns
                ),
            )
            for prompt in step.prompts
        )
        steps.append(msgspec.structs.replace(step, prompts=prompts))
    return msgspec.structs.replace(course, steps=tuple(steps))


def test_a_private_column_stays_where_it_is(values: Values) -> None:
    values["connections"]["people"][0]["how-met"] = "Something of my own"
    assert "Something of my own" in document_html(COURSE, values, today=TODAY)
    course = hidden(COURSE, "how-met")
    assert "Something of my own" not in document_html(course, values, today=TODAY)
    assert "Something of my own" not in words(word_document(course, values, today=TODAY))
    assert b"Something of my own" not in members_csv(course, values)
    assert b"Something of my own" in members_csv(COURSE, values)


def test_word_says_its_language_and_when_it_was_made(values: Values) -> None:
    made = docx.Document(io.BytesIO(word_document(COURSE, values, today=TODAY)))
    about = made.core_properties
    assert (about.language, about.author, about.comments) == ("en-US", "", "")
    assert about.created is not None
    assert about.created.date() == TODAY
    assert 'w:lang w:val="en-US"' in made.styles["Normal"].element.xml


def test_an_entry_of_many_columns_stands_under_its_name(values: Values) -> None:
    first = values["connections"]["people"][0]
    html = document_html(COURSE, values, today=TODAY)
    assert f'<h4 dir="auto">{first["person"]}</h4><dl>' in html
    assert f'<dt>What do you give?</dt><dd dir="auto">{first["give"]}</dd>' in html
    made = docx.Document(io.BytesIO(word_document(COURSE, values, today=TODAY)))
    entries = [one.text for one in made.paragraphs if one.style and one.style.name == "Heading 3"]
    assert entries[: len(values["connections"]["people"])] == [
        row["person"] for row in values["connections"]["people"]
    ]
    values["connections"]["people"] = [{**first, "person": ""}, first]
    assert ">A person without a name</h4>" in document_html(COURSE, values, today=TODAY)


def test_no_address_is_in_a_document_but_those_that_were_written(values: Values) -> None:
    assert "://" not in document_html(COURSE, values, today=TODAY, private=True)
    values["goals"]["live-project"] = "See https://example.org/a?b=1&c"
    html = document_html(COURSE, values, today=TODAY)
    assert "See https://example.org/a?b=1&amp;c</p>" in html
    assert not re.search(r"<[^>]*://", html)


def test_the_graph_knows_what_links_me_and_a_member() -> None:
    people = [
        {"id": "a", "person": "AB", "kinds": ["refer", "get-advice"], "closeness": 4},
        {"id": "b", "person": "CD", "kinds": "refer", "closeness": True},
    ]
    graph = nx.read_graphml(io.BytesIO(graphml(COURSE, network(*people))))
    assert graph.edges["me", "a"] == {"closeness": 4, "kind": "refer; get-advice"}
    assert graph.edges["me", "b"] == {}

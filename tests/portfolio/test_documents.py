"""What a student takes away, opened by the programs that others will open it with."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pcn_course.course import default_root, load_course
from pcn_course.example import example_values
from pcn_course.portfolio import (
    document_html,
    graphml,
    members_csv,
    plan_html,
    ties_csv,
    word_document,
)

COURSE = load_course(default_root())
TODAY = dt.date(2026, 11, 25)
HOSTILE = "<script>alert(1)</script> & \0\ud800 =1+1"
VOID = {"meta", "link", "br", "img", "input", "hr"}


@pytest.fixture
def values() -> dict[str, dict[str, Any]]:
    return example_values(COURSE)


class Read(HTMLParser):
    """The words and headings of a page; its tags must nest, and nothing may be loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.loads: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "data")]
        assert not any(name.startswith("on") for name, _ in attrs)
        assert tag not in ("script", "iframe", "object")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_plan_stands_on_one_page(values: dict[str, dict[str, Any]]) -> None:
    found = Read(plan_html(COURSE, values, TODAY))
    assert set(found.headings) == {2}
    for words in (values["goals"]["live-project"], "Who is still missing", "because"):
        assert words in found.text
    assert Read(plan_html(COURSE, {}, TODAY)).text == ""


def test_the_document_is_whole_and_loads_nothing(values: dict[str, dict[str, Any]]) -> None:
    html = document_html(COURSE, values, today=TODAY)
    found = Read(html)
    assert found.loads == []
    assert "url(" not in html
    assert html.count("<!--map-->") == 1
    assert found.headings[0] == 1
    steps = zip(found.headings, found.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)
    for step in COURSE.steps:
        for prompt in step.required:
            assert " ".join(prompt.label.split()) in found.text
    for row in values["connections"]["people"]:
        assert row["person"] in found.text
    assert not any(row["id"] in found.text for row in values["connections"]["people"])


def test_private_notes_only_when_they_are_wanted(values: dict[str, dict[str, Any]]) -> None:
    values["goals"]["private-note"] = "Ask my supervisor first."
    assert "Ask my supervisor" not in document_html(COURSE, values, today=TODAY)
    found = Read(document_html(COURSE, values, private=True, today=TODAY)).text
    assert "(private, never submitted) Ask my supervisor first." in found
    for private in (False, True):
        words = paragraphs(word_document(COURSE, values, private=private, today=TODAY))
        assert ("Ask my supervisor first." in words) == private


@pytest.mark.parametrize("why", [{"consent": "no"}, {"status": "withdrawn"}])
def test_who_does_not_want_to_be_listed_is_a_role_in_the_plan(
    values: dict[str, dict[str, Any]], why: dict[str, str]
) -> None:
    person = {"id": "r99999999", "person": "ZZ, secret", "role": "mentor", "give": "All", **why}
    values["connections"]["people"] = [person]
    found = Read(plan_html(COURSE, values, TODAY)).text
    assert "ZZ, secret" not in found
    assert "Mentor" in found


def paragraphs(word: bytes) -> str:
    return "\n".join(one.text for one in docx.Document(io.BytesIO(word)).paragraphs)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(file, "PNG")
    return file.getvalue()


def test_word_reads_it(values: dict[str, dict[str, Any]]) -> None:
    made = docx.Document(io.BytesIO(word_document(COURSE, values, picture=picture(), today=TODAY)))
    styles = [one.style.name for one in made.paragraphs if one.style]
    assert {"Title", "Heading 1", "Heading 2", "List Bullet"} <= set(styles)
    assert made.core_properties.title == f"{COURSE.title}: my plan"
    people = made.tables[0]
    assert [cell.text for cell in people.rows[0].cells] == ["Who", "Part", "I give", "I get"]
    assert "tblHeader" in people.rows[0]._tr.xml
    assert len(made.inline_shapes) == 1
    assert "map of my network" in made.inline_shapes[0]._inline.docPr.get("descr")
    without = docx.Document(io.BytesIO(word_document(COURSE, values, picture=b"no picture")))
    assert len(without.inline_shapes) == 0


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed here")
def test_libreoffice_makes_a_pdf_of_it(values: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    word = tmp_path / "plan.docx"
    word.write_bytes(word_document(COURSE, values, picture=picture(), today=TODAY))
    subprocess.run(
        [
            *("soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office"),
            *("--convert-to", "pdf", "--outdir", str(tmp_path), str(word)),
        ],
        check=True,
        timeout=180,
        capture_output=True,
    )
    assert (tmp_path / "plan.pdf").read_bytes().startswith(b"%PDF")


def test_a_spreadsheet_reads_members_and_ties(values: dict[str, dict[str, Any]]) -> None:
    values["connections"]["people"][0] |= {"give": "=1+1", "get": 'commas, and "quotes"'}
    content = members_csv(COURSE, values)
    assert content.startswith(b"\xef\xbb\xbf")
    head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert len(lines) == len(values["connections"]["people"])
    first = dict(zip(head, lines[0], strict=True))
    assert first["What do you give?"] == "'=1+1"
    assert first["What do you get?"] == 'commas, and "quotes"'
    ties = list(csv.reader(io.StringIO(ties_csv(COURSE, values).decode("utf-8-sig"), newline="")))
    assert len(ties) == 1 + len(values["connections"]["ties"])
    names = {row["person"] for row in values["connections"]["people"]}
    assert {name for line in ties[1:] for name in line[:2]} <= names


def test_networkx_reads_the_graph(values: dict[str, dict[str, Any]]) -> None:
    graph = nx.read_graphml(io.BytesIO(graphml(COURSE, values)))
    people, ties = values["connections"]["people"], values["connections"]["ties"]
    assert graph.number_of_nodes() == 1 + len(people)
    assert graph.number_of_edges() == len(people) + len(ties)
    assert graph.nodes[people[0]["id"]]["label"] == people[0]["person"]
    assert graph.degree["me"] == len(people)


def all_documents(values: Any) -> None:
    Read(document_html(COURSE, values, private=True, today=TODAY))
    word = word_document(COURSE, values, private=True, today=TODAY)
    docx.Document(io.BytesIO(word))
    members_csv(COURSE, values)
    ties_csv(COURSE, values)
    nx.read_graphml(io.BytesIO(graphml(COURSE, values)))


def test_hostile_words_are_words(values: dict[str, dict[str, Any]]) -> None:
    values["goals"]["live-project"] = HOSTILE
    for row in values["connections"]["people"]:
        row |= {"person": HOSTILE, "give": HOSTILE}
    all_documents(values)
    assert "<script>alert(1)" in Read(plan_html(COURSE, values, TODAY)).text


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = [(step.name, prompt.key) for step in COURSE.steps for prompt in step.prompts]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(KEYS), JUNK), max_size=8))
def test_junk_breaks_nothing(said: list[tuple[tuple[str, str], Any]]) -> None:
    values: dict[str, dict[str, Any]] = {}
    for (step, key), value in said:
        values.setdefault(step, {})[key] = value
    all_documents(values)

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
from pcn_course.documents import (
    document_html,
    graphml,
    members_csv,
    plan_html,
    ties_csv,
    word_document,
)
from pcn_course.example import example_values

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


def test_nowhere_in_the_plan_is_named_who_does_not_want_to_be_listed(
    values: dict[str, dict[str, Any]],
) -> None:
    need = {"id": "n1", "expertise": "How a ward decides", "group": "policy-funding"}
    values["goals"]["expertise-that-helps"] = [need]
    person = {"id": "r9", "person": "ZZ, secret", "role": "mentor", "meets": ["n1"]}
    other = {"id": "r8", "person": "YY, secret", "group": "policy-funding", "consent": "no"}
    values["connections"]["people"] = [{**person, "status": "withdrawn"}, other]
    ask = {"id": "a1", "purpose": "May I visit?", "to": "r9", "to-shown": "ZZ, secret"}
    values["managing"]["asks"] = [{**ask, "kind": "question", "status": "sent"}]
    values["integrating"]["loops"] = []
    found = Read(plan_html(COURSE, values, TODAY)).text
    assert "secret" not in found
    assert "May I visit? (Mentor)" in found
    assert "Mentor declined or withdrew" in found
    assert "Perhaps Somebody who is not listed" in found
    assert values["connections"]["people"][0]["person"] == "ZZ, secret"


def test_the_plan_tells_the_week_with_its_zone(values: dict[str, dict[str, Any]]) -> None:
    row = {"id": "w", "day": "mon", "start": "00:05", "minutes": None, "purpose": "Read"}
    said = {"weekly-times": [row], "quiet-from": "19:00", "quiet-to": "07:30"}
    values["managing"] |= {**said, "time-zone": "America/Phoenix"}
    found = Read(plan_html(COURSE, values, TODAY)).text
    assert "Monday, 12:05 am: Read" in found
    assert "I am not to be reached from 7:00 pm to 7:30 am." in found
    assert "Times are given in Arizona." in found


def paragraphs(word: bytes) -> str:
    return "\n".join(one.text for one in docx.Document(io.BytesIO(word)).paragraphs)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(file, "PNG")
    return file.getvalue()


def gif() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(file, "GIF")
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
    for bad in (b"no picture", picture()[:40], picture() + bytes(3_000_000), gif()):
        without = docx.Document(io.BytesIO(word_document(COURSE, values, picture=bad)))
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
    pdf = tmp_path / "plan.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    if shutil.which("pdftotext"):
        read = subprocess.run(
            ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True
        )
        pages = read.stdout.split("\f")
        # The plan stands on one page; fonts differ among machines, so it may need a little more.
        assert "What it is for" in pages[0]
        assert any(COURSE.steps[0].title in page for page in pages[1:3])


def test_a_spreadsheet_reads_members_and_ties(values: dict[str, dict[str, Any]]) -> None:
    values["connections"]["people"][0] |= {"give": "=1+1", "get": 'commas, and "quotes"'}
    content = members_csv(COURSE, values)
    assert content.startswith(b"\xef\xbb\xbf")
    head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert len(lines) == len(values["connections"]["people"])
    first = dict(zip(head, lines[0], strict=True))
    assert first["What do you give?"] == "'=1+1"
    assert not any(cell.lstrip()[:1] in tuple("=+-@") for line in lines for cell in line)
    assert first["What do you get?"] == 'commas, and "quotes"'
    ties = list(csv.reader(io.StringIO(ties_csv(COURSE, values).decode("utf-8-sig"), newline="")))
    assert len(ties) == 1 + len(values["connections"]["ties"])
    names = {row["person"] for row in values["connections"]["people"]}
    assert {name for line in ties[1:] for name in line[:2]} <= names


def test_ids_tell_members_of_the_same_initials_apart_in_all_files() -> None:
    people = [
        {"id": "a1", "person": "JD", "give": "Rides"},
        {},
        {"id": "a2", "person": "JD", "give": "Meals"},
        {"id": "a2", "person": "JD", "give": "Twice"},
        {"id": "me", "person": "AB"},
    ]
    ties = [
        {"id": "t1", "one": "a1", "other": "me", "kind": "work"},
        {"id": "t2", "one": "a2", "other": "me", "kind": "work"},
    ]
    values = {"connections": {"people": people, "ties": ties}}

    def read(content: bytes) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    members = read(members_csv(COURSE, values))
    nodes = nx.read_graphml(io.BytesIO(graphml(COURSE, values))).nodes
    ids = {row["id"]: row["What do you give?"] for row in members if row["id"]}
    assert ids == {"a1": "Rides", "a2": "Meals", "a2#4": "Twice", "me#": ""}
    assert ids.keys() | {"me"} == set(nodes)
    pairs = [(row["One id"], row["Other id"]) for row in read(ties_csv(COURSE, values))]
    assert pairs == [("a1", "me#"), ("a2", "me#")]


def test_networkx_reads_the_graph(values: dict[str, dict[str, Any]]) -> None:
    graph = nx.read_graphml(io.BytesIO(graphml(COURSE, values)))
    people, ties = values["connections"]["people"], values["connections"]["ties"]
    assert graph.number_of_nodes() == 1 + len(people)
    assert graph.number_of_edges() == len(people) + len(ties)
    assert graph.nodes[people[0]["id"]]["label"] == people[0]["person"]
    assert graph.degree["me"] == len(people)


def test_tables_hold_ties_beyond_the_first_fifteen_and_a_member_called_me() -> None:
    people = [{"id": f"r{n}", "person": f"P{n}"} for n in range(20)] + [{"id": "me", "person": "M"}]
    ties = [{"id": "t", "one": "r0", "other": "r19", "kind": "work"}]
    values = {"connections": {"people": people, "ties": ties}}
    graph = nx.read_graphml(io.BytesIO(graphml(COURSE, values)))
    assert graph.number_of_nodes() == 22
    assert graph.has_edge("r0", "r19")
    assert not list(nx.selfloop_edges(graph))
    assert b"P0,P19," in ties_csv(COURSE, values)


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
    assert "\0" not in paragraphs(word_document(COURSE, values, today=TODAY))
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


@given(JUNK | st.dictionaries(st.sampled_from([step.name for step in COURSE.steps]), JUNK))
@settings(deadline=None, max_examples=25)
def test_junk_in_place_of_steps_breaks_nothing(values: Any) -> None:
    all_documents(values)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_junk_in_cells_breaks_nothing(data: st.DataObject) -> None:
    values = example_values(COURSE)
    tables = [
        (step.name, prompt) for step in COURSE.steps for prompt in step.prompts if prompt.columns
    ]
    for name, prompt in tables:
        keys = st.sampled_from(["id", *(column.key for column in prompt.columns)])
        rows = st.lists(st.dictionaries(keys, JUNK, max_size=4), max_size=3)
        values[name][prompt.key] = [*(values[name].get(prompt.key) or []), *data.draw(rows)]
    all_documents(values)

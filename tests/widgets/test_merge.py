"""Merging in a real browser: by example, and at random by what must always hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, JSHandle

import pcn_course.widgets

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
MERGE = Path(pcn_course.widgets.__file__).parent / "merge.js"
LOAD = """(sources) => Promise.all(sources.map((source) =>
  import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))))"""
SEED = 20261122
TEXT = {"kind": "text"}
LINE = {"kind": "line"}
CHOICES = {"kind": "choices"}
TABLE = {
    "kind": "table",
    "columns": [{"key": "who", "kind": "line"}, {"key": "near", "kind": "scale"}],
}


@pytest.fixture(scope="module")
def modules(chromium: Browser) -> JSHandle:
    page = chromium.new_page()
    sources = [MERGE.read_text("utf-8"), (HERE / "merge_properties.js").read_text("utf-8")]
    return page.evaluate_handle(LOAD, sources)


def merge(modules: JSHandle, prompt: dict[str, Any], base: Any, mine: Any, theirs: Any) -> Any:
    call = "([{ merge }], args) => merge(...args)"
    return modules.evaluate(call, [prompt, base, mine, theirs])


@pytest.mark.parametrize("check", ["checkTexts", "checkTables", "checkCarets", "checkWriters"])
@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_no_word_is_lost_and_nothing_shared_comes_twice(
    modules: JSHandle, check: str, seed: int
) -> None:
    call = "([merge, properties], [check, seed]) => properties[check](merge, seed, 1000)"
    assert modules.evaluate(call, [check, seed]) == ""


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        ("A plan.", "A plan.", "A good plan.", "A good plan."),
        ("The quick fox", "The quick red fox", "The very quick fox", "The very quick red fox"),
        ("Hello.", "Hello. I wrote.", "Hello. She wrote.", "Hello. I wrote. She wrote."),
        ("I like", "I like dogs and cats", "I like dogs", "I like dogs and cats"),
        ("", "one", "two", "one\ntwo"),
        (None, "Hello world from here", "Hello world from there", "Hello world from here there"),
        ("a b c", "a c", "a b c d", "a c d"),
        (
            "",
            "We begin alike. The first goes on.",
            "We begin alike. The second does, too.",
            "We begin alike. The first goes on. The second does, too.",
        ),
        ("keep this", "", "keep this, please", "keep this, please"),
        ("我喜欢狗", "我喜欢大狗", "我喜欢狗和猫", "我喜欢大狗和猫"),
        ("🎈 up", "🎈 up 🎈", "🎈🎈 up", "🎈🎈 up 🎈"),
        # One goes on with a word that the other has seen half typed.
        ("We pla", "We pla and act", "We planned", "We planned and act"),
        ("We pla", "First, we pla", "We planned it", "First, we planned it"),
        ("pla", "First pla", "planned it", "First planned it"),
        ("on pla", "only pla", "on planned", "only planned"),
        ("a pla ", "a pla now", "a planned thing", "a planned thing now"),
        # One has seen the other's last word half typed, and nobody remembers from where.
        (None, "We met. She wa", "We met. She was kind", "We met. She was kind"),
        (None, "Met. She was ki", "Met. She was kind", "Met. She was kind"),
        ("", "clinic prac", "clinic practice and more", "clinic practice and more"),
        ("", "a", "an", "a\nan"),
    ],
)
def test_texts(modules: JSHandle, base: str, mine: str, theirs: str, merged: str) -> None:
    assert merge(modules, TEXT, base, mine, theirs) == merged


def test_a_line_stays_one_line(modules: JSHandle) -> None:
    assert merge(modules, LINE, "", "one", "two") == "one two"


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        (["a"], ["a", "b"], ["a", "c"], ["a", "c", "b"]),
        (["a", "b"], ["a"], ["a", "b", "c"], ["a", "c"]),
        (None, ["a"], ["a"], ["a"]),
    ],
)
def test_choices_are_merged_one_by_one(
    modules: JSHandle, base: Any, mine: Any, theirs: Any, merged: Any
) -> None:
    assert merge(modules, CHOICES, base, mine, theirs) == merged


@pytest.mark.parametrize("kind", ["choice", "scale", "date"])
def test_of_what_can_not_be_both_mine_stays(modules: JSHandle, kind: str) -> None:
    assert merge(modules, {"kind": kind}, 1, 2, 3) == 2
    assert merge(modules, {"kind": kind}, 1, 1, 3) == 3


def test_rows_are_merged_cell_by_cell(modules: JSHandle) -> None:
    base = [{"id": "r1", "who": "KG"}, {"id": "r2", "who": "JM"}, {"id": "r3", "who": "X"}]
    mine = [{"id": "r1", "who": "KG, carer"}, {"id": "r2", "who": "JM"}, {"id": "r4", "who": "M"}]
    theirs = [
        {"id": "r2", "who": "JM"},
        {"id": "r1", "who": "KG", "near": 3},
        {"id": "r3", "who": "X"},
    ]
    assert merge(modules, TABLE, base, mine, theirs) == [
        {"id": "r2", "who": "JM"},
        {"id": "r4", "who": "M"},
        {"id": "r1", "who": "KG, carer", "near": 3},
    ]


def test_a_removed_row_that_was_changed_elsewhere_stays(modules: JSHandle) -> None:
    base = [{"id": "r1", "who": "KG"}]
    changed = [{"id": "r1", "who": "KG, carer"}]
    assert merge(modules, TABLE, base, [], changed) == changed
    assert merge(modules, TABLE, base, changed, []) == changed


def test_a_text_of_a_million_letters_is_merged(modules: JSHandle) -> None:
    call = """([{ mergeText }]) => {
      const words = Array.from({ length: 150000 }, () => "w" + Math.floor(Math.random() * 5000));
      const at = (n, word) => [...words.slice(0, n), word, ...words.slice(n)].join(" ");
      const merged = mergeText(words.join(" "), at(90000, "MINE"), at(30000, "THEIRS") + " END");
      return merged.split(" ").length - words.length;
    }"""
    assert modules.evaluate(call) == 3

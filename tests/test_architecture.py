"""docs/architecture.md is true: its picture, its sizes, its index, and the files that it names."""

from __future__ import annotations

import re

from scripts.architecture import PACKAGE, PAGE, ROOT, fill, modules, size, summary
from tests.test_project import LAYERS

TEXT = PAGE.read_text(encoding="utf-8")


def test_sizes_and_index_are_those_of_the_code() -> None:
    assert fill(TEXT) == TEXT, "make architecture writes them"


def test_the_table_counts_each_module_once() -> None:
    total = next(line for line in size().splitlines() if "**Python**" in line)
    numbers = [int(cell) for cell in re.findall(r"\d+", total)]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in modules())
    assert numbers[:2] == [len(modules()), lines]


def test_each_module_says_in_a_line_what_it_is() -> None:
    assert [path.name for path in modules() if summary(path)[-1:] not in {".", "?"}] == []


def test_the_picture_has_every_layer_and_no_arrow_leads_up() -> None:
    picture = re.search(r"```mermaid\n(.*?)```", TEXT, re.DOTALL)
    assert picture
    words = dict(re.findall(r"(\w+)\[\"([^\"]+)\"\]", picture[1]))
    floor = {name: row for row, names in enumerate(LAYERS) for name in names}
    rooms = {key: re.findall(r"\w+", text.partition(":")[0]) for key, text in words.items()}
    rooms["ground"] = re.findall(r"\w+", words["ground"])
    shown = {name for names in rooms.values() for name in names}
    assert shown == floor.keys() - {"__main__"}
    for above, below in re.findall(r"^\s*(\w+)(?:\[.*?\])? --> (\w+)", picture[1], re.MULTILINE):
        assert min(floor[one] for one in rooms[above]) > max(floor[one] for one in rooms[below])


def test_every_file_that_is_named_exists() -> None:
    above = TEXT.partition("## Sizes")[0]
    named = set(
        re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|js|d\.ts|toml|yaml|md)|(?:[\w-]+/)+)`", above)
    )
    assert len(named) > 30
    assert [
        name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()
    ] == []

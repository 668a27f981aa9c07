"""The widgets' files: whole, in order, small, and read back as they were."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import pytest

from pcn_course.assets import PAGES, SMALL, WIDGETS, asset, loader, pack, whole


def css(module: bytes) -> str:
    found = re.search(r'\bexport const css=("(?:[^"\\]|\\.)*");', module.decode())
    assert found
    text: str = json.loads(found[1])
    return text


def test_modules_come_after_those_that_they_import() -> None:
    text = asset("form").content.decode()
    names = re.findall(r"^const \$(\w+)=", text, re.MULTILINE)
    assert names[-1] == "form"
    assert names.index("merge") < names.index("controls") < names.index("lists")
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", WIDGETS)
def test_one_module_is_made_of_all(name: str) -> None:
    text = asset(name).content.decode()
    assert not re.search(r"^import\b", text, re.MULTILINE)
    exported = re.findall(r"\bexport (?:const|function) (\w+)", text)
    assert exported == ["css", "render"]
    assert f"${name}.widget.render(" in text


@pytest.mark.parametrize("name", WIDGETS)
def test_styles_are_whole_and_the_shared_look_comes_only_where_it_is_missing(name: str) -> None:
    ours, all_of_it = css(asset(name).content), css(whole(name))
    assert "@import" not in ours
    look = all_of_it.removesuffix(ours)
    assert "--paper:" in look
    assert look not in ours


def test_a_name_changes_with_the_content() -> None:
    names = {asset(name).file for name in WIDGETS}
    assert len(names) == len(WIDGETS)
    assert all(asset(name).file in loader(name) for name in WIDGETS)


def test_only_a_small_widget_comes_with_its_loader() -> None:
    assert len(loader("home")) < SMALL + 3000
    assert len(loader("form")) < 3000
    assert set(PAGES.values()) <= set(WIDGETS)


def test_what_is_packed_is_read_back() -> None:
    content: dict[str, Any] = {"text": "“Grüße” \u2028", "many": list(range(300))}
    assert json.loads(zlib.decompress(base64.b64decode(pack(content)))) == content

"""The widgets' files: whole, in order, small, and read back as they were."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

import pcn_course
from pcn_course.assets import PAGES, SMALL, WIDGETS, asset, loader, pack, whole

SOURCES = sorted((Path(pcn_course.__file__).parent / "widgets").glob("*.js"))


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


def templates_in_templates(source: str) -> list[int]:
    """The lines on which a template literal begins within another one."""
    found: list[int] = []
    inside: list[str] = []  # "`": the text of a template, "{": code
    at = 0
    while at < len(source):
        text = inside[-1:] == ["`"]
        skipped = re.compile(r"\\." if text else _NO_CODE, re.DOTALL).match(source, at)
        if skipped:
            at = skipped.end()
            continue
        match source[at]:
            case "`" if text:
                inside.pop()
            case "`":
                if "`" in inside:
                    found.append(source.count("\n", 0, at) + 1)
                inside.append("`")
            case "$" if text and source.startswith("${", at):
                inside.append("{")
                at += 1
            case "{" if not text:
                inside.append("{")
            case "}" if not text and inside:
                inside.pop()
        at += 1
    return found


_NO_CODE = (
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|(?<=[{(,=:!&|?;])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n\[])+/"
)


def test_the_scanner_finds_templates_in_templates() -> None:
    assert templates_in_templates("a = `b ${c ? `${d} e` : f} g`") == [1]
    assert templates_in_templates("a = `b ${c} d`;\n// ` `${\nb = `e ${/`/.test({f: 1})} g`") == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda one: one.name)
def test_no_template_stands_in_another(path: Path) -> None:
    # What makes the modules small takes the spaces out of an inner one.
    assert templates_in_templates(path.read_text(encoding="utf-8")) == []

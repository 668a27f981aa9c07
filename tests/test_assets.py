"""The widgets' files: whole, in order, small, and read back as they were."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest

from pcn_course.assets import PAGES, SMALL, STATIC, WIDGETS, asset, loader, pack, whole
from pcn_course.look import LOOK
from tests.support.node import need_packages, node

ROOT = Path(__file__).parents[1]
MOST = {
    "form": 30_200,
    "home": 2_500,
    "portfolio": 11_400,
    "marking": 18_050,
    "cohort": 7_000,
    "agreement": 7_000,
}
"""Bytes of each widget's file, compressed."""


def exports(tmp_path: Path, module: bytes) -> dict[str, str]:
    """What a module exports, by name: its text, or what kind of thing it is."""
    path = tmp_path / "module.mjs"
    path.write_bytes(module)
    said = node(
        "--input-type=module",
        "--eval",
        f"const found = Object.entries(await import({json.dumps(path.as_uri())}));"
        "const say = (one) => (typeof one === 'string' ? one : typeof one);"
        "console.log(JSON.stringify(Object.fromEntries(found.map(([k, v]) => [k, say(v)]))))",
    )
    assert said.returncode == 0, said.stderr
    found: dict[str, str] = json.loads(said.stdout)
    return found


def test_what_is_committed_is_what_the_sources_give() -> None:
    need_packages()
    built = node("scripts/bundle.mjs", "--check")
    assert built.returncode == 0, built.stderr


def test_a_change_of_a_source_is_noticed(tmp_path: Path) -> None:
    need_packages()
    for name in ("scripts/bundle.mjs", "package.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    shutil.copytree(STATIC.parent / "widgets", tmp_path / "pcn_course" / "widgets")
    shutil.copytree(STATIC, tmp_path / "pcn_course" / "static")
    page = LOOK.parent.relative_to(ROOT)
    shutil.copytree(ROOT / page, tmp_path / page)
    bundle = tmp_path / "scripts" / "bundle.mjs"
    assert node(bundle, "--check").returncode == 0
    with (tmp_path / "pcn_course/widgets/home.css").open("a", encoding="utf-8") as styles:
        styles.write(".pcn-more { color: red }")
    (tmp_path / "pcn_course/static/gone.js").touch()
    built = node(bundle, "--check")
    assert built.returncode == 1
    assert "Not what the sources give: home.js, gone.js" in built.stderr
    assert node(bundle).returncode == 0
    assert node(bundle, "--check").returncode == 0


@pytest.mark.parametrize("name", WIDGETS)
def test_one_module_is_made_of_all(tmp_path: Path, name: str) -> None:
    text = asset(name).content.decode()
    assert not re.search(r"(?:^|[;}\n])import[\s{*\"'(]", text)
    assert {
        key: kind for key, kind in exports(tmp_path, asset(name).content).items() if key != "css"
    } == {"render": "function"}


@pytest.mark.parametrize("name", WIDGETS)
def test_styles_are_whole_and_the_shared_look_comes_only_where_it_is_missing(
    tmp_path: Path, name: str
) -> None:
    ours = exports(tmp_path, asset(name).content)
    all_of_it = exports(tmp_path, whole(name))
    assert "@import" not in ours["css"]
    assert "look" not in ours
    assert "--paper:" in all_of_it["look"]
    assert all_of_it["look"] not in ours["css"]
    assert all_of_it["css"] == ours["css"]


@pytest.mark.parametrize("name", WIDGETS)
def test_a_page_loads_only_its_own_and_little(name: str) -> None:
    content = asset(name).content
    assert len(gzip.compress(content, 9, mtime=0)) <= MOST[name]
    assert (b"pcn-drawing" in content) == (name in {"form", "portfolio"})  # the map
    assert (b"BroadcastChannel" in content) == (name == "form")  # saving
    assert (b"navigator.locks" in content) == (name == "marking")  # the outbox


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

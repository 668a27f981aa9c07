"""What is changed in other packages is what they have, and is changed in one place."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import Application

import pcn_course.hub

HUB = Path(pcn_course.hub.__file__).parent
MODULES = [path for path in sorted(HUB.rglob("*.py")) if path.name != "patches.py"]


def others(tree: ast.Module) -> set[str]:
    """The names of what a module takes from other packages, which it could change."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.asname or one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("pcn_course"):
            found |= {one.asname or one.name for one in node.names}
    return found


def changed(source: str) -> list[str]:
    """Which attributes of others a module sets, but for what is made to be set."""
    tree = ast.parse(source)
    names = others(tree) - {"pcn_course"}
    found = []
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "setattr":
            targets += [ast.Attribute(node.args[0], "…")]
        for target in targets:
            whole, at = ast.unparse(target), target
            while isinstance(at, ast.Attribute | ast.Subscript):
                at = at.value
            if isinstance(at, ast.Name) and at.id in names and not isinstance(target, ast.Name):
                found.append(whole)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HUB)))
def test_nothing_else_changes_what_is_anothers(module: Path) -> None:
    usual = {"sys.argv", "os.environ['PATH']", "os.environ['JUPYTER_PATH']"}
    assert [one for one in changed(module.read_text()) if one not in usual] == []


def test_a_change_would_be_seen() -> None:
    assert changed("from a import B\nB.c = 1\nsetattr(B, 'd', 2)\nb = 3\nself.c = 4") == [
        "B.c", "B.…",
    ]  # fmt: skip


def test_the_log_of_all_applications_is_json_from_the_first_line() -> None:
    assert list(inspect.signature(Application.get_default_logging_config).parameters) == ["self"]
    config = Application().get_default_logging_config()
    assert config["formatters"]["console"]["class"], "traitlets names its formatter elsewhere now"
    assert config["loggers"]["Application"]["handlers"] == ["console"]
    program = """
import logging
from pcn_course.hub.patches import log_applications_as_json
log_applications_as_json()
from jupyter_server.serverapp import ServerApp
ServerApp().log.warning("first of %s", "many")
logging.getLogger("another").warning("of others")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["logger"], one["message"]) for one in lines] == [
        ("ServerApp", "first of many"), ("another", "of others"),
    ]  # fmt: skip

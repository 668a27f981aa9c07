"""The project around the course says the same thing in all its places."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import pcn_course
from pcn_course.cli import main as pcn

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GUIDES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/instructors.md")

# From the ground up. A module imports from rows above its own, and from its own row only where it
# is the same name: the faces in one row know nothing of each other.
LAYERS = (
    ("characters", "files", "look", "system"),
    ("assets", "render", "spreadsheets"),
    ("course",),
    ("answers",),
    ("importing", "network", "privacy"),
    ("review",),
    ("planning",),
    ("documents",),
    ("example", "workspace"),
    ("exchange",),
    ("app", "grading", "widgets"),
    ("instructor",),
    ("admin",),
    ("demo",),
    ("hub",),
    ("cli",),
    ("__main__",),
)


# Packages


def requirements() -> list[Requirement]:
    project = PYPROJECT["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        PYPROJECT["build-system"]["requires"],
    ]
    return [Requirement(line) for lines in lists for line in lines]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("==")[::2] for line in lines if not line.startswith("#")]
    return dict(pairs)


def test_constraints_are_names_and_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    others = [
        line
        for line in lines
        if not line.startswith("#") and not re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line)
    ]
    assert others == []
    names = list(constraints())
    assert names == sorted(names), "in order, as `make lock` writes them"
    assert names == [canonicalize_name(name) for name in names]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_each_requirement_is_pinned_within_its_range_and_installed_so(
    requirement: Requirement,
) -> None:
    pinned = constraints()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned), "run `make lock`"
    assert metadata.version(requirement.name) == pinned, "run `make test`, which installs it"


def test_jupyter_starts_without_the_slow_parsers() -> None:
    assert SpecifierSet("<4.25").contains(constraints()["jsonschema"])
    assert "rfc3987-syntax" not in constraints()


def test_conda_installs_what_pip_installs() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, lists = environment["dependencies"]
    assert pip == "pip"
    assert lists == {"pip": ["--constraint constraints.txt", "--editable ."]}
    version = python.removeprefix("python=")
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(version)
    assert f"Programming Language :: Python :: {version}" in PYPROJECT["project"]["classifiers"]


def test_the_version_is_one() -> None:
    version = PYPROJECT["project"]["version"]
    assert pcn_course.__version__ == version
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changes, re.MULTILINE)
    assert newest
    assert newest[1] in {version, "Unreleased"}


# What is in the repository


def tracked() -> list[Path]:
    """The files that git keeps; those in the folder where this is no checkout."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = filter(None, listed.stdout.decode().split("\0"))
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_a_package_registry() -> None:
    # Put together here, or this file would be the one that names them.
    hosts = ["py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "anaconda" + ".org"]
    index = re.compile(r"https?://[^\s\"'<>]*/(?:simple|packages/[0-9a-f]{2})/")
    found = [
        str(path)
        for path, text in texts()
        if index.search(text) or any(host in text for host in hosts)
    ]
    assert found == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    home = r"(?<![\w.~-])/(?:root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*)/"
    ours = re.compile(f"{home}|{re.escape(str(ROOT))}/")
    found = [f"{path}: {match[0]}" for path, text in texts() if (match := ours.search(text))]
    assert found == []


def test_no_lock_file_with_addresses_is_kept() -> None:
    unwanted = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock"}
    assert unwanted.isdisjoint(path.name for path in tracked())
    lock = ROOT / "package-lock.json"
    assert [path for path in tracked() if path.name == lock.name] == [lock]
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"://|\bresolved\b|\bwww\.|[\w-]\.(?:com|org|net|io|dev)\b", text) == []


def test_npm_installs_exact_versions() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert lock[""]["devDependencies"] == wanted
    assert all(lock[f"node_modules/{name}"]["version"] == wanted[name] for name in wanted)
    assert all(one["integrity"].startswith("sha512-") for name, one in lock.items() if name)


def test_notebooks_are_kept_without_outputs() -> None:
    notebooks = [path for path in tracked() if path.suffix == ".ipynb"]
    assert notebooks
    for path in notebooks:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] for cell in code), path
        assert all(cell["execution_count"] is None for cell in code), path
        assert "widgets" not in notebook["metadata"], path


def test_no_student_work_is_kept() -> None:
    names = {"answers.json", "gradebook.db", "timestamp.txt", "submission_secret.txt"}
    found = [
        path
        for path in tracked()
        if path.name in names and "tests" not in path.relative_to(ROOT).parts
    ]
    assert found == []


# The layers


def modules() -> list[Path]:
    package = ROOT / "pcn_course"
    return sorted(path for path in package.rglob("*.py") if path != package / "__init__.py")


def layer(name: str) -> int:
    rows = [row for row, names in enumerate(LAYERS) if name in names]
    assert rows, f"pcn_course.{name} stands in no layer: place it in LAYERS and in the README"
    return rows[0]


def imports(path: Path) -> set[str]:
    """The parts of the package that a module imports, anywhere in it: ``{"course", "files"}``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module="pcn_course", level=0, names=names):
                found.update(f"pcn_course.{alias.name}" for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                found.add(name)
            case ast.ImportFrom(level=level) if level:
                pytest.fail(f"{path}:{node.lineno}: import by the package's name, not by dots")
    public = {"open_step", "open_home", "__version__"}
    parts = {name.split(".")[1] for name in found if name.startswith("pcn_course.")}
    return parts - public


@pytest.mark.parametrize(
    "path", modules(), ids=lambda path: path.relative_to(ROOT / "pcn_course").as_posix()
)
def test_a_module_imports_only_from_below(path: Path) -> None:
    own = path.relative_to(ROOT / "pcn_course").with_suffix("").parts[0]
    wrong = {part for part in imports(path) if part != own and layer(part) >= layer(own)}
    assert wrong == set()


def test_importing_the_package_and_the_course_loads_no_jupyter() -> None:
    code = """
import sys
import pcn_course, pcn_course.cli, pcn_course.workspace, pcn_course.review
slow = {"nbgrader", "voila", "anywidget", "pandas", "plotly", "IPython", "tornado", "nbconvert"}
print(sorted(slow & set(sys.modules)))
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "[]"


# What the guides promise


def commands_of(guide: str) -> str:
    """All code of a guide, inline and in blocks, as one text."""
    text = (ROOT / guide).read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", outside)])


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("guide", GUIDES)
def test_every_make_target_in_a_guide_exists(guide: str) -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", commands_of(guide)))
    assert named <= targets()


def test_the_readme_says_what_can_be_made() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", commands_of("README.md")))
    assert targets() - named == {"help"}


@pytest.mark.parametrize("guide", GUIDES)
def test_every_pcn_command_in_a_guide_exists_with_its_options(guide: str) -> None:
    lines = re.findall(r"(?:^|\s|/)pcn ([a-z][a-z-]*)([^\n#&|`]*)", commands_of(guide))
    assert lines
    for name, rest in lines:
        command = pcn.commands.get(name)
        assert command, f"{guide}: pcn {name}"
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known | {"--help"}, (
            f"{guide}: pcn {name}{rest}"
        )


def test_the_readme_mentions_every_pcn_command() -> None:
    assert isinstance(pcn, click.Group)
    text = commands_of("README.md")
    assert [name for name in pcn.commands if f"pcn {name}" not in text] == []


@pytest.mark.parametrize("guide", [*GUIDES, "CHANGELOG.md"])
def test_every_relative_link_in_a_guide_leads_somewhere(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [
        link
        for link in links
        if not re.match(r"[a-z]+:", link) and not (ROOT / guide).parent.joinpath(link).exists()
    ]
    assert missing == []


def test_every_layer_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, architecture = text.partition("\n## Architecture")
    named = {name for names in LAYERS for name in names} - {"__main__"}
    assert {name for name in named if not re.search(rf"\b{name}(?:\.py|/)", architecture)} == set()


# What runs on a submission


def test_ci_runs_the_checks_and_all_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert re.search(r"^make check$", text, re.MULTILINE)
    assert len(re.findall(r"^make test\b", text, re.MULTILINE)) == 1, "what fails is not rerun"
    assert "last-failed" not in text
    subprocess.run(["bash", "-n", script], check=True)


def test_each_unsteady_test_exists_and_has_its_reason() -> None:
    unsteady = tomllib.loads((ROOT / "tests" / "unsteady.toml").read_text(encoding="utf-8"))
    assert len(unsteady) <= 5, "more than a few are a fault of the tests"
    for test, reason in unsteady.items():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test
        assert len(reason.split()) > 5, f"{test}: why?"


def test_pre_commit_understands_its_settings() -> None:
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = {hook["id"] for repo in settings["repos"] for hook in repo["hooks"]}
    assert {"ruff", "ruff-format", "mypy", "nbstripout", "course"} <= hooks
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pre_commit",
            "validate-config",
            ROOT / ".pre-commit-config.yaml",
        ],
        check=True,
    )

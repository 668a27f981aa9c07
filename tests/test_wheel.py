"""A wheel carries the whole course, so that `pcn app` works without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with the build tool that is installed: no network is needed."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was unpacked, as pip does."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def without_a_course(folder: Path) -> Mapping[str, str]:
    """An environment in which the unpacked package comes first, and nothing names a course."""
    environment = {key: value for key, value in os.environ.items() if key != "PCN_COURSE"}
    return {**environment, "PYTHONPATH": str(folder)}


def test_it_holds_package_course_and_pages_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    kept = subprocess.run(
        [
            *("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            *("pcn_course", "data", "notebooks"),
        ],
        capture_output=True,
        check=False,
    )
    if kept.returncode:
        pytest.skip("not a git checkout")
    files = [name for name in kept.stdout.decode().split("\0") if (ROOT / name).is_file()]
    wanted = {
        name if name.startswith("pcn_course/") else f"pcn_course/_bundled/{name}" for name in files
    }
    assert {name for name in names if name.startswith("pcn_course/")} == wanted
    (settings,) = (name for name in names if ".data/" in name)
    assert settings.endswith("/data/share/jupyter/lab/settings/overrides.d/pcn-course.json")
    assert "pcn_course/_bundled/data/course.toml" in names
    assert "pcn_course/_bundled/notebooks/home.ipynb" in names
    assert any(name.startswith("pcn_course/share/jupyter/voila/templates/pcn/") for name in names)
    assert any(name.startswith("pcn_course/grading/templates/") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_it_finds_the_course_that_it_carries(installed: Path, tmp_path: Path) -> None:
    code = """
from pathlib import Path
import pcn_course
from pcn_course.course import default_root, load_course
root = default_root()
print(root.relative_to(Path(pcn_course.__file__).parents[1]).as_posix(), len(load_course().steps))
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=without_a_course(installed),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["pcn_course/_bundled", "5"]


def test_its_notebooks_are_up_to_date(installed: Path, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pcn_course", "check"],
        env=without_a_course(installed),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "5 steps" in said.stdout

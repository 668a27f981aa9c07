"""Fixtures that all tests can ask for, the order of the tests, and those known to be unsteady."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# How long an example takes is measured by the bench; on a busy machine a deadline fails at random.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")

pytest_plugins = ["tests.support.chromium"]

HERE = Path(__file__).parent
FIRST = (
    "browser/test_story", "browser/test_accessible", "attacks/", "hub/", "browser/test_marking",
    "browser/test_faults", "grading/test_cycle", "browser/", "demo/", "admin/", "grading/",
    "instructor/", "cli/",
)  # fmt: skip
"""Files that take longest, in descending order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for two processes, and mark the unsteady ones.

    Work stealing gives each process one half of the list, then moves tests between them. Both
    halves begin with files that take long, and a file stays whole, since its tests share servers.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path.relative_to(HERE).as_posix(), []).append(item)

    def place(name: str) -> int:
        return next((at for at, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))

    halves: tuple[list[pytest.Item], list[pytest.Item]] = [], []
    for name in sorted(files, key=place):
        min(halves, key=len).extend(files[name])
    items[:] = halves[0] + halves[1]

    unsteady = tomllib.loads((HERE / "unsteady.toml").read_text(encoding="utf-8"))
    for item in items:
        if item.nodeid.partition("[")[0] in unsteady:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def _no_course_stays_open() -> Iterator[None]:
    """Opening a room makes its course the process's; the next test starts from the real one."""
    os.environ.pop("PCN_COURSE", None)
    yield
    os.environ.pop("PCN_COURSE", None)

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
    "browser/test_story", "browser/test_accessible", "attacks/", "browser/test_marking",
    "browser/test_faults", "grading/test_cycle", "grading/test_formgrader",
    "grading/test_same_scores", "grading/feedback/test_letter", "hub/", "browser/", "demo/",
    "admin/", "grading/", "instructor/", "cli/",
)  # fmt: skip
"""Files that take longest, in descending order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for the processes that run them, and mark the unsteady ones.

    Work stealing gives each process an equal part of the list, then moves tests from the end of one
    part to another. So each part begins with files that take long, whole, since a file's tests
    share servers, and ends with tests that take no time.
    """
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path.relative_to(HERE).as_posix(), []).append(item)

    def place(name: str) -> int:
        return next((at for at, start in enumerate(FIRST) if name.startswith(start)), len(FIRST))

    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    parts: list[list[pytest.Item]] = [[] for _ in range(count)]
    names = sorted(files, key=place)
    long = [name for name in names if place(name) < len(FIRST)]
    for at, name in enumerate(long):
        parts[at % count].extend(files[name])
    short = [item for name in names[len(long) :] for item in files[name]]
    ordered: list[pytest.Item] = []
    for at, part in enumerate(parts):  # as many in each as xdist will send to a process
        missing = (len(items) - len(ordered)) // (count - at) - len(part)
        ordered += part + short[: max(0, missing)]
        short = short[max(0, missing) :]
    items[:] = ordered + short

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

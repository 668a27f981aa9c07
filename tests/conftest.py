"""Fixtures that all tests can ask for, and one that all of them have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.support.chromium"]


FIRST = (
    "browser/test_story", "browser/test_accessible", "attacks/", "hub/", "browser/test_marking",
    "browser/test_faults", "grading/test_cycle", "browser/", "demo/", "care/", "grading/",
    "instructor/", "cli/",
)  # fmt: skip
"""What takes long, the longest first: two processes share the files, and none waits at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long in front; the order within a file stays."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).as_posix()
        return next((at for at, one in enumerate(FIRST) if name.startswith(one)), len(FIRST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _no_course_stays_open() -> Iterator[None]:
    """Opening a room makes its course the process's; the next test starts from the real one."""
    os.environ.pop("PCN_COURSE", None)
    yield
    os.environ.pop("PCN_COURSE", None)

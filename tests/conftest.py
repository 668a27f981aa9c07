"""Fixtures that all tests can ask for, and one that all of them have."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.support.chromium"]


@pytest.fixture(autouse=True)
def _no_course_stays_open() -> Iterator[None]:
    """Opening a room makes its course the process's; the next test starts from the real one."""
    os.environ.pop("PCN_COURSE", None)
    yield
    os.environ.pop("PCN_COURSE", None)

"""What all tests of care need."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_room_stays_open() -> Iterator[None]:
    """Opening a room makes its course the process's; the next test copies the real one."""
    os.environ.pop("PCN_COURSE", None)
    yield
    os.environ.pop("PCN_COURSE", None)

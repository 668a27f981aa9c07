"""One class for all tests of the hub: three who have logged in and written something.

All students here are made up, and so is what they write.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.hub.class_server import ClassServer
from tests.hub.people import NAMES, STEP, Student


@pytest.fixture(scope="package")
def hub() -> Iterator[ClassServer]:
    with ClassServer(
        instructors=["prof"], graders=["tutor"], idle_minutes=0.15, all_memory_mib=1400
    ) as running:
        yield running


@pytest.fixture(scope="package")
def students(hub: ClassServer, chromium: Browser) -> list[Student]:
    hub.teach(f"generate_assignment('{STEP}')", f"release_assignment('{STEP}')")
    found = [Student.log_in(hub, chromium, name) for name in NAMES]
    for student in found:
        student.open_step()
        student.write(student.text)
    for student in found:
        student.saved()
    return found

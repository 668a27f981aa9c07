"""Faults at random moments while somebody types: the short version of `make soak`."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.soak.disk import NoSmallDiskError
from tests.soak.faults import FAULTS
from tests.soak.rounds import run_on
from tests.soak.scene import Stage, set_stage

pytestmark = [pytest.mark.browser, pytest.mark.soak]
SEED = random.randrange(10**6)


@pytest.fixture(scope="module")
def stage(chromium: Browser) -> Iterator[Stage]:
    with set_stage(brisk=True, browser=chromium) as stage:
        yield stage


@pytest.fixture
def small_stage(chromium: Browser) -> Iterator[Stage]:
    try:
        with set_stage(small=True, brisk=True, browser=chromium) as stage:
            yield stage
    except NoSmallDiskError as error:
        pytest.skip(str(error))


def play(stage: Stage, name: str, rounds: int = 1) -> None:
    said: list[str] = []
    tally = run_on(stage, FAULTS[name], rounds, SEED, say=said.append)
    assert tally.keys > 0
    assert tally.clean, f"seed {SEED}\n" + "\n".join(said)


@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if not (fault.small_disk or fault.own_course)]
)
def test_nothing_is_lost_when(stage: Stage, name: str) -> None:
    play(stage, name, rounds=2 if name == "same-field" else 1)


def test_nothing_is_lost_when_the_course_is_updated(chromium: Browser) -> None:
    with set_stage(own_course=True, brisk=True, browser=chromium) as stage:
        play(stage, "course-updated")


def test_nothing_is_lost_when_the_disk_is_full_for_a_while(small_stage: Stage) -> None:
    play(small_stage, "disk-full")

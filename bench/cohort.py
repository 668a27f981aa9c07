"""How soon the class as a whole is there: 1,000 students, five steps, all marked.

Reading is measured without the browser, from nothing and with what is kept of the last reading;
then the page, from the click to the last table, by a visitor who finds it warm.

``python -m bench.cohort`` runs this one alone.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.support import BenchError, chromium, keep_apart, say, table, warn_of_load
from pcn_course.grading import cohort
from pcn_course.grading.gradebook.room import Room
from pcn_course.instructor.cohort import people_table, sections
from tests.support.big_class import big_class
from tests.support.marking import MarkingServer
from tests.support.servers import until

SUMMARY = "the class as a whole, 1,000 students: seconds to read it, and to the last table"

STUDENTS = 1000
GOAL = 3.0
"""Seconds within which a warm page is whole."""


def run(rounds: int, patience: float) -> dict[str, Any]:
    """Measure it; the figures, in seconds."""
    del patience
    warn_of_load()
    with tempfile.TemporaryDirectory() as folder:
        keep_apart(Path(folder))
        os.environ.pop("PCN_COURSE", None)
        room = big_class(Path(folder) / "course", STUDENTS)
        figures = {**_reading(room, rounds), **_page(room, rounds)}
        room.close()
    lines = [
        [name, f"{statistics.median(one):.2f}", f"{min(one):.2f} to {max(one):.2f}"]
        for name, one in figures.items()
    ]
    say(f"{STUDENTS:,} students, five steps; {rounds} rounds, seconds")
    say(table(["", "median", "all"], lines))
    took = statistics.median(figures["warm page, to the last table"])
    say(f"Goal: {GOAL:g} s. {'Met' if took <= GOAL else 'Missed'}.")
    return figures


def _reading(room: Room, rounds: int) -> dict[str, list[float]]:
    cache = room.root / ".pcn" / "cohort.cache"
    found: dict[str, list[float]] = {"read, from nothing": [], "read, again": [], "tables": []}
    for _ in range(rounds):
        cache.unlink(missing_ok=True)
        found["read, from nothing"].append(_timed(lambda: cohort.read_class(room)))
        found["read, again"].append(_timed(lambda: cohort.read_class(room)))
        found["tables"].append(_timed(partial(_tables, cohort.read_class(room))))
    return found


def _tables(cls: cohort.Class) -> None:
    sections(cls)
    people_table(cls)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _page(room: Room, rounds: int) -> dict[str, list[float]]:
    log = room.root / ".pcn" / "server" / "log.txt"
    words = "cohort.ipynb is ready for its next visitor"
    took = []
    with MarkingServer(room.root, PCN_WARM_PAGES="1") as server, chromium() as browser:
        context = browser.new_context()
        if context.request.get(server.address, max_redirects=0).status != 302:
            raise BenchError("the server lets nobody in")
        address = server.page.replace("marking.ipynb", "cohort.ipynb")
        for visit in range(1, rounds + 1):
            until(lambda at=visit: log.read_text().count(words) >= at, within=90)  # type: ignore[misc]
            page = context.new_page()
            start = time.perf_counter()
            page.goto(address, wait_until="commit")
            page.wait_for_selector("[data-table=minutes]", timeout=60_000)
            took.append(time.perf_counter() - start)
            page.close()
    return {"warm page, to the last table": took}


if __name__ == "__main__":
    run(4, 30.0)

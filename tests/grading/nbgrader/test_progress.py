"""A long run says how far it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pcn_course.grading.nbgrader.progress import Progress
from tests.grading.conftest import STEP
from tests.support.nbgrader_course import Course, sample_answers
from tests.support.submissions import lay_down


def test_what_is_left_follows_from_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 100.0
    monkeypatch.setattr("time.monotonic", lambda: seconds)
    names = [f"s{number:03}" for number in range(100)]
    converter = SimpleNamespace(assignments=dict.fromkeys(reversed(names)))
    assert Progress.of(converter) is Progress.of(converter)
    told = []
    for name in names:
        told.append(Progress.of(converter).begin(name))
        seconds += 2.0
    said = [one for one in told if one]
    print(*said, sep="\n")
    assert not told[0]
    assert said[0] == "3 of 100 submissions done, about 3 minutes left"
    assert said[-1] == "99 of 100 submissions done, about 5 seconds left"
    assert len(said) == 33


def test_skipped_ones_count_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.0
    monkeypatch.setattr("time.monotonic", lambda: seconds)
    run = Progress([f"s{number}" for number in range(9)])
    run.begin("s5")  # those before had nothing new
    seconds = 20.0
    assert run.begin("s7") == "7 of 9 submissions done, about 40 seconds left"


def test_nbgraders_log_has_it(tmp_path: Path) -> None:
    course = Course.make(tmp_path / "course", exchange=tmp_path / "exchange")
    course.instructor.nbgrader("generate_assignment", STEP)
    answers = sample_answers(course.content.step(STEP))
    lay_down(course, STEP, {f"s{number}": answers for number in range(3)})
    config = course.instructor.room / "nbgrader_config.py"
    config.write_text(
        f"{config.read_text()}\n"
        "from pcn_course.grading.nbgrader import progress\nprogress.EVERY = 0\n"
    )
    log = course.instructor.autograde(STEP)
    assert "1 of 3 submissions done, about 5 seconds left" in log
    assert "2 of 3 submissions done" in log

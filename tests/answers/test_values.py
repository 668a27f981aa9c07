"""Values in answers: junk is no answer and raises nothing; what can be read is read one way."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcn_course.answers.values import (
    clock,
    clock_in_words,
    date_in_words,
    day,
    label,
    line,
    rows,
    rows_by_id,
    text,
    ticked,
    words_at,
)
from pcn_course.course import default_root, load_course

COURSE = load_course(default_root())
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(JUNK, JUNK, JUNK)
def test_junk_is_no_answer_and_raises_nothing(values: Any, step: Any, cell: Any) -> None:
    row = {"id": cell, "key": cell}
    for answers in (values, {"managing": step}, {"managing": {"key": cell, "time-zone": cell}}):
        assert isinstance(rows(answers, "managing", "key"), list)
        assert isinstance(label(COURSE, "managing", "time-zone", answers), str)
    assert all(isinstance(value, str) for value in (line(row, "key"), text(row, "key")))
    assert all(isinstance(value, str) for value in ticked(row, "key"))
    assert isinstance(day(row, "key"), dt.date | None)
    assert isinstance(clock(row, "key"), dt.time | None)
    assert isinstance(words_at(cell, "a", "b"), str)
    assert set(rows_by_id([row])) <= {line(row, "id")} - {""}


def test_what_can_be_read_is_read() -> None:
    row = {"id": "a", "words": " two\n lines ", "several": ["x", "x", " ", 7, "y"]}
    assert (line(row, "words"), text(row, "words")) == ("two lines", "two\n lines")
    assert ticked(row, "several") == ("x", "y")
    assert words_at([row], "a", "words") == " two\n lines "
    assert words_at(row["words"]) == " two\n lines "
    assert words_at([row], "b", "words") == words_at([row]) == ""
    zone = {"managing": {"time-zone": "America/Denver"}}
    assert label(COURSE, "managing", "time-zone", zone) == "Mountain time"
    assert date_in_words(day({"on": "2027-01-29"}, "on")) == "January 29, 2027"


@pytest.mark.parametrize(
    ("value", "words"),
    [("00:00", "12:00 am"), ("07:05", "7:05 am"), ("12:30", "12:30 pm"), ("23:59", "11:59 pm")],
)
def test_a_time_of_day_is_said_as_people_say_it(value: str, words: str) -> None:
    time = clock({"at": value}, "at")
    assert time is not None
    assert clock_in_words(time) == words

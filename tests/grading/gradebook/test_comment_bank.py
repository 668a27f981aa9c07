"""The bank of comments is one for all markers."""

from __future__ import annotations

import pytest

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.scores import MarkError

STEP = "step-1-goals"


def test_the_bank_of_comments(first: Marking, second: Marking) -> None:
    everywhere = first.phrases.add("Say what you set aside, and why.")
    first.phrases.add("Name the safeguard.", criterion="ethics")
    assert second.phrases.add("Say what you set aside, and why.").id == everywhere.id
    second.phrases.used(everywhere.id)
    assert [one.text for one in first.phrases.fitting(STEP, "reasoning")] == [everywhere.text]
    assert [one.used for one in first.phrases.fitting(STEP, "ethics")] == [1, 0]
    first.phrases.change(everywhere.id, "Say what you weighed.")
    with pytest.raises(MarkError):
        first.phrases.change(everywhere.id, "  ")
    first.phrases.remove(second.phrases.fitting(criterion="ethics")[1].id)
    assert [one.text for one in first.phrases.fitting()] == ["Say what you weighed."]

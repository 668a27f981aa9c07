"""A passage is highlighted where it stands, and nowhere else."""

from __future__ import annotations

import pytest

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.scores import MarkError
from tests.support.room import hand_in

STEP = "step-1-goals"


def test_a_passage_is_marked_where_it_stands(room: Room, first: Marking) -> None:
    rows = [{"id": "r1", "expertise": "Billing rules", "why": "Nobody here knows them"}]
    answers = {"live-project": "A referral pathway 🙂 for elders", "expertise-that-helps": rows}
    hand_in(room, "ada", STEP, answers)
    made = first.passages.mark(
        "ada", STEP, prompt="live-project", start=19, end=24, passage="🙂 for", comment="Who?"
    )
    first.passages.mark(
        "ada", STEP, prompt="expertise-that-helps", row="r1", column="why", start=0, end=6,
        passage="Nobody", comment="Sure?", criterion="evidence",
    )  # fmt: skip
    assert [one.passage for one in first.passages.of("ada", STEP)] == ["🙂 for", "Nobody"]
    with pytest.raises(MarkError, match="not in the answer"):
        first.passages.mark(
            "ada", STEP, prompt="live-project", start=0, end=3, passage="xyz", comment=""
        )
    with pytest.raises(MarkError, match="not in the answer"):
        first.passages.mark(
            "ada", STEP, prompt="private-note", start=0, end=1, passage="A", comment=""
        )
    first.passages.unmark(made.id)
    assert len(first.passages.of("ada", STEP)) == 1

    def passages() -> list[str]:
        return sorted(one.passage for one in first.passages.of("ada", STEP))

    # Undo takes back what was done last, and nothing else.
    first.give("ada", STEP, "ethics", 3)
    first.undo(STEP)
    assert passages() == ["Nobody"]
    undone = first.undo(STEP)
    assert undone
    assert (undone.what, undone.before, undone.after) == ("highlight", True, False)
    assert passages() == ["Nobody", "🙂 for"]
    first.undo(STEP)
    assert passages() == ["🙂 for"]
    first.undo(STEP)
    assert passages() == []
    assert first.undo(STEP) is None

"""What may change after a release, and by which version answers are read."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import msgspec
import pytest

from pcn_course.answers.store import Document, Field, read_submitted
from pcn_course.answers.structure import check
from pcn_course.course import Course, asked, load_course
from pcn_course.course.released import FOLDER, UNKNOWN, changes, keep
from pcn_course.review import later, submitted_html

BASE = Path(__file__).parents[1] / "courses" / "base"
AT = dt.datetime(2027, 1, 5, tzinfo=dt.UTC)


class Edited:
    """A copy of the small course whose first step was released."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(BASE, root)
        self.step_file = next((root / "data" / "steps").glob("*goals.toml"))
        keep(self.course, self.course.step("goals"), AT)

    @property
    def course(self) -> Course:
        return load_course(self.root)

    def edit(self, path: Path, before: str, after: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    def write(self, version: str, values: dict[str, object]) -> Path:
        """An answers file that says it was written for this version."""
        fields = {key: Field(value, 1) for key, value in values.items()}
        document = Document(1, self.course.id, "goals", fields=fields, asked=version)
        path = self.root / "answers.json"
        path.write_text(json.dumps(msgspec.to_builtins(document)))
        return path


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path / "course")


ADDED = '[[prompts]]\nkey = "later"\nkind = "line"\nlabel = "And later?"\nrequired = true\n\n'


def test_wording_and_new_questions_may_change(edited: Edited) -> None:
    edited.edit(edited.step_file, "Why this one?", "Why did you choose it?")
    edited.edit(edited.step_file, "[[prompts]]", f"{ADDED}[[prompts]]")
    assert changes(edited.course) == ()


@pytest.mark.parametrize(
    ("file", "before", "after", "place"),
    [
        ("steps", 'kind = "text"', 'kind = "line"', "prompts “why”: kind"),
        ("steps", '"why"', '"wherefore"', "prompts “why”"),
        ("steps", "max_rows = 3", "max_rows = 2", "prompts “people”: max_rows"),
        ("steps", 'key = "who"', 'key = "whose"', "prompts “people” › columns “who”"),
        ("steps", '{ value = "peer", label = "Peer" }, ', "", "columns “role”: options"),
        ("steps", 'prompts = ["why"]', 'prompts = ["live-project"]', "structure"),
        ("steps", 'covered = ["covered-process", "covered-evidence"]', "", "covered"),
        ("rubric", "points = 2", "points = 3", "criteria “reasoning”"),
        ("rubric", 'id = "reasoning"', 'id = "argument"', "criteria “reasoning”"),
    ],
)
def test_what_would_change_scores_or_answers_is_refused(
    edited: Edited, file: str, before: str, after: str, place: str
) -> None:
    path = edited.step_file if file == "steps" else edited.root / "data" / "rubric.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    found = changes(edited.course)
    assert place in {fault.place for fault in found} or any(
        fault.place.endswith(place) for fault in found
    )
    assert all(str(FOLDER) in fault.message for fault in found)  # what can be done instead


def test_a_criterion_that_got_another_id_is_said_in_a_sentence(edited: Edited) -> None:
    edited.edit(edited.root / "data" / "rubric.toml", 'id = "reasoning"', 'id = "argument"')
    gone, new = (str(fault.message) for fault in changes(edited.course))
    assert "there is no such criterion now. " in gone
    assert new.startswith("there was no such criterion in the release of ")
    assert " points now. " in new


def test_a_step_that_is_gone_is_named(edited: Edited) -> None:
    shutil.move(edited.root / FOLDER / edited.course.step("goals").id, edited.root / FOLDER / "x")
    kept = next((edited.root / FOLDER / "x").glob("*.json"))
    kept.write_bytes(kept.read_bytes().replace(b'"id":"step-1-goals"', b'"id":"x"'))
    (fault,) = changes(edited.course)
    assert "is gone" in fault.message


def test_answers_are_read_by_the_version_that_asked_them(edited: Edited) -> None:
    first = edited.course.step("goals")
    edited.edit(edited.step_file, "Why this one?", "Why did you choose it?")
    edited.edit(edited.step_file, "[[prompts]]", f"{ADDED}[[prompts]]")
    course, step = edited.course, edited.course.step("goals")
    path = edited.write(first.version, {"why": "Because."})
    submitted = read_submitted(path, course, step)
    html = submitted_html(step, submitted)
    assert "Why this one?" in html
    assert "Not asked when this was submitted." in html
    assert [prompt.key for prompt in later(step, submitted)] == ["later"]
    assert submitted.step is not None
    assert "And later?" not in [one.label for one in check(submitted.step, submitted.fields).open]
    path = edited.write(step.version, {"why": "Because."})
    html = submitted_html(step, read_submitted(path, course, step))
    assert "Why did you choose it?" in html
    assert "Not asked" not in html


@pytest.mark.parametrize("claim", ["0" * 16, "../../../etc/passwd", "x" * 5000])
def test_a_version_that_was_never_released_is_noted(edited: Edited, claim: str) -> None:
    first = edited.course.step("goals")
    edited.edit(edited.step_file, "Why this one?", "Why did you choose it?")
    course = edited.course
    step, notes = asked(course, course.step("goals"), claim)
    assert (step.version, notes) == (first.version, (UNKNOWN,))
    before, notes = asked(course, course.step("goals"), "")
    assert (before.version, notes) == (first.version, ())


def test_a_kept_file_that_is_damaged_stops_nobody(edited: Edited) -> None:
    step = edited.course.step("goals")
    (edited.root / FOLDER / step.id / f"{step.version}.json").write_text("{")
    assert changes(edited.course) == ()
    assert asked(edited.course, step, "0" * 16)[0] == step

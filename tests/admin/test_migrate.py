"""What an earlier version wrote is read in mid-term; what a later one wrote is kept aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, text

from pcn_course.admin.migrate import MigrationError, newer, upgrade
from pcn_course.answers import store as store_module
from pcn_course.answers.store import Edit, read_answers
from pcn_course.course import Course, default_root, load_course
from pcn_course.grading.gradebook import schema
from pcn_course.workspace import Workspace
from tests.support.room import make_room

WRITTEN = """\
{
 "format": 1,
 "course": "pcn",
 "step": "goals",
 "revision": 7,
 "saved_at": "2026-11-22T10:00:00Z",
 "fields": {
  "live-project": {"value": "A referral pathway, “two” clinics 🙂", "version": 3},
  "asked-no-longer": {"value": "kept all the same", "version": 2}
 }
}"""
"""Format 1, byte for byte as version 0.1.0 wrote it. It stays as it is here, whatever comes."""
PRIVATE = WRITTEN.replace("live-project", "private-note").replace("A referral", "Mine: a referral")
HISTORY = (
    b'{"key":"live-project","value":"A","version":2,"saved_at":"2026-11-22T09:00:00Z",'
    b'"client":"c","seq":4}\n'
    b'{"key":"live-project","value":"A referral pathway, \xe2\x80\x9ctwo\xe2\x80\x9d clinics '
    b'\xf0\x9f\x99\x82","version":3,"saved_at":"2026-11-22T10:00:00Z","client":"c","seq":5}\n'
)


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(default_root())


@pytest.fixture
def workspace(course: Course, tmp_path: Path) -> Workspace:
    """As it was left by the version before."""
    workspace = Workspace(tmp_path / "ada")
    step = course.step("goals")
    for path, content in (
        (workspace.folder(step) / "answers.json", WRITTEN.encode()),
        (workspace.state / "private" / f"{step.id}.json", PRIVATE.encode()),
        (workspace.state / "history" / f"{step.id}.jsonl", HISTORY),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return workspace


def test_answers_of_format_1_read_the_same_after_an_upgrade(
    course: Course, workspace: Workspace
) -> None:
    workspace.fill(course)  # an upgrade renews notebooks
    step = course.step("goals")
    public = workspace.folder(step) / "answers.json"
    store = workspace.store(course, step)
    loaded = store.load()
    assert public.read_text() == WRITTEN, "reading changes nothing"
    assert loaded.notices == ()
    assert loaded.revision == 7
    values = {key: (field.value, field.version) for key, field in loaded.fields.items()}
    assert values["live-project"] == ("A referral pathway, “two” clinics 🙂", 3)
    assert values["private-note"] == ("Mine: a referral pathway, “two” clinics 🙂", 3)
    assert read_answers(public, step, course.id).problems == ()
    assert [one.value for one in store.history("live-project")] == ["A"]

    saved = store.save("page", {"live-project": Edit("Now another", 3)}, 1)
    assert saved.versions == {"live-project": 4}
    after = json.loads(public.read_bytes())
    assert (after["format"], after["revision"]) == (1, 8)
    assert after["fields"]["asked-no-longer"] == {"value": "kept all the same", "version": 2}
    assert next(one.value for one in store.history("live-project")).startswith("A referral")
    assert list(newer(workspace.root)) == []


def test_answers_of_a_newer_version_are_refused_in_words_and_never_overwritten(
    course: Course, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = course.step("goals")
    public = workspace.folder(step) / "answers.json"
    later = WRITTEN.replace('"format": 1', '"format": 2')
    public.write_text(later)
    assert list(newer(workspace.root)) == [public]
    (problem,) = read_answers(public, step, course.id).problems
    assert "written by a newer version of this course" in problem
    assert public.read_text() == later, "whoever only reads leaves it there"

    store = workspace.store(course, step)
    (notice,) = store.load().notices
    assert "newer version" in notice
    store.save("page", {"live-project": Edit("Typed in the old version", 0)}, 1)
    (kept,) = (workspace.state / "set-aside").iterdir()
    assert kept.read_text() == later
    assert kept.name in notice
    assert list(newer(workspace.root)) == [kept]

    # With the newer version back, the file is one like any other.
    monkeypatch.setattr(store_module, "FORMAT", 2)
    kept.rename(public)
    assert store.load().fields["live-project"].value.startswith("A referral")


def _to_2(old: dict[str, Any]) -> dict[str, Any]:
    """As if ``fields`` had been called ``answers`` in format 1, with bare values."""
    said = old.pop("answers")
    return {**old, "format": 2, "said": {key: [value, 1] for key, value in said.items()}}


def _to_3(old: dict[str, Any]) -> dict[str, Any]:
    said = old.pop("said")
    fields = {key: {"value": value, "version": version} for key, (value, version) in said.items()}
    return {**old, "fields": fields}


MADE_UP = """\
{"format": 1, "course": "pcn", "step": "goals", "revision": 3,
 "answers": {"KEY": "Written long ago, “kept”", "asked-no-longer": "kept, too"}}"""
"""A format that never was, which nothing of today can read."""


def test_a_file_of_any_earlier_format_is_read_and_renewed_by_the_next_save(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, step = Workspace(tmp_path / "ada"), course.step("goals")
    public = workspace.folder(step) / "answers.json"
    private = workspace.state / "private" / f"{step.id}.json"
    for path, key in ((public, "live-project"), (private, "private-note")):
        path.parent.mkdir(parents=True)
        path.write_text(MADE_UP.replace("KEY", key))
    monkeypatch.setattr(store_module, "FORMAT", 3)
    monkeypatch.setattr(store_module, "UPGRADES", {1: _to_2, 2: _to_3})
    store = workspace.store(course, step)
    loaded = store.load()
    assert loaded.notices == ()
    assert loaded.revision == 3
    for key in ("live-project", "private-note"):
        assert loaded.fields[key].value == "Written long ago, “kept”"
    # So does whoever marks it.
    submitted = read_answers(public, step, course.id)
    assert submitted.problems == ()
    assert submitted.fields["live-project"].value == "Written long ago, “kept”"
    assert public.read_text() == MADE_UP.replace("KEY", "live-project"), "reading changes nothing"

    store.save("page", {"live-project": Edit("Typed in the new version", 1)}, 1)
    after = json.loads(public.read_bytes())
    assert (after["format"], after["revision"]) == (3, 4)
    assert after["fields"]["asked-no-longer"] == {"value": "kept, too", "version": 1}
    assert "Written long ago" in store.history("live-project")[0].value
    assert json.loads(private.read_bytes())["format"] == 1, "what is not written stays"
    assert not (workspace.state / "set-aside").exists()

    # A newer one is told from a broken one, whatever it has become.
    public.write_text('{"format": 4, "all": "is other"}')
    (problem,) = read_answers(public, step, course.id).problems
    assert "newer version" in problem
    public.write_text(MADE_UP.replace('"answers"', '"nothing"'))
    (problem,) = read_answers(public, step, course.id).problems
    assert "not an answers file" in problem


def test_there_is_a_way_from_each_earlier_format() -> None:
    assert set(store_module.UPGRADES) == set(range(1, store_module.FORMAT))


def test_a_column_that_a_newer_version_has_is_added_and_no_row_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room(tmp_path / "course", ["ada"])
    schema.note(room.engine, "ada", "step-1-goals", "handed in twice")
    assert upgrade(room.engine) == ()
    later = MetaData()
    for table in schema.tables.sorted_tables:
        table.to_metadata(later)
    later.tables["pcn_note"].append_column(Column("source", String(20)))
    monkeypatch.setattr("pcn_course.admin.migrate.tables", later)
    assert upgrade(room.engine) == ("pcn_note.source",)
    assert upgrade(room.engine) == ()
    with room.engine.connect() as connection:
        rows = connection.execute(text("SELECT student, text, source FROM pcn_note")).all()
    assert rows == [("ada", "handed in twice", None)]

    later.tables["pcn_note"].append_column(Column("kind", String(20), nullable=False))
    with pytest.raises(MigrationError, match="pcn backup"):
        upgrade(room.engine)
    room.close()

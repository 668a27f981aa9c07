"""A student's folder: filled without overwriting, and how far each step is."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pcn_course.answers.store import Edit, read_answers
from pcn_course.course import Course, Step, default_root, load_course
from pcn_course.documents import document_html, members_csv
from pcn_course.exchange import hand_in
from pcn_course.files import StorageError
from pcn_course.grading.cohort import tell
from pcn_course.network import read_network
from pcn_course.review import answers_html
from pcn_course.workspace import Receipt, Workspace, open_workspace

BASE = Path(__file__).parent / "courses" / "base"
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    root = tmp_path / "course"
    shutil.copytree(BASE, root)
    for name in ("home", "step-1-goals/step-1-goals", "step-2-next/step-2-next"):
        path = root / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": [], "metadata": {}, "name": name}), encoding="utf-8")
    return load_course(root)


@pytest.fixture
def workspace(course: Course, tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    workspace.fill(course)
    return workspace


def write(workspace: Workspace, course: Course, step: str, **values: object) -> None:
    store = workspace.store(course, course.step(step))
    fields = store.load().fields
    edits = {
        key.replace("_", "-"): Edit(value, fields[key].version if key in fields else 0)
        for key, value in values.items()
    }
    assert not store.save("test", edits).conflicts


def test_filling_adds_what_is_missing_and_nothing_twice(
    course: Course, workspace: Workspace
) -> None:
    assert (workspace.root / "step-1-goals" / "step-1-goals.ipynb").is_file()
    assert workspace.fill(course) == ()


def test_no_other_user_of_the_machine_reads_anything(
    course: Course, tmp_path: Path, usual_umask: None
) -> None:
    def open_to_others() -> list[str]:
        paths = [root, *root.rglob("*")]
        return [str(one) for one in paths if not one.is_symlink() and one.stat().st_mode & 0o077]

    root = tmp_path / "deep" / "workspace"
    workspace = Workspace(root)
    workspace.fill(course)
    step = course.step("goals")
    for text in ("One", "Two"):
        write(workspace, course, "goals", **dict.fromkeys(keys(step, private=False), text))
        write(workspace, course, "goals", **dict.fromkeys(keys(step, private=True), text))
    workspace.add_receipt(step, Receipt(when=NOON, sha256="0", how="zip"))
    (root / step.id / "answers.json").write_text("not JSON")
    workspace.store(course, step).load()
    assert list((root / ".pcn" / "set-aside").iterdir())
    # One was written by this test.
    (root / step.id / "answers.json").unlink(missing_ok=True)
    assert open_to_others() == []
    assert root.parent.stat().st_mode & 0o077 == 0, "a folder that was made for it"

    # What an earlier version left, and a link that leads elsewhere.
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    for path in (outside, root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (root / "link").symlink_to(outside)
    workspace.shut()
    assert open_to_others() == []
    assert outside.stat().st_mode & 0o777 == 0o644


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """The usual umask, with which others read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def keys(step: Step, *, private: bool) -> list[str]:
    return [one.key for one in step.prompts if one.private is private and one.kind == "text"]


def test_filling_overwrites_nothing_that_a_student_changed(
    course: Course, workspace: Workspace
) -> None:
    changed = workspace.root / "home.ipynb"
    changed.write_text("mine", encoding="utf-8")
    write(workspace, course, "goals", why="my words")
    for path in course.root.joinpath("notebooks").rglob("*.ipynb"):
        path.write_text('{"new": 1}', encoding="utf-8")
    renewed = workspace.fill(course)
    assert renewed == ("step-1-goals/step-1-goals.ipynb", "step-2-next/step-2-next.ipynb")
    assert changed.read_text(encoding="utf-8") == "mine"
    assert workspace.answers(course.step("goals")).fields["why"].value == "my words"


def test_an_answers_file_in_the_courses_folder_never_reaches_a_student(
    course: Course, workspace: Workspace
) -> None:
    stray = course.root / "notebooks" / "step-2-next" / "answers.json"
    stray.write_text("{}", encoding="utf-8")
    workspace.fill(course)
    assert not (workspace.root / "step-2-next" / "answers.json").exists()


def test_the_five_states_of_a_step(course: Course, workspace: Workspace) -> None:
    goals = course.step("goals")

    def state() -> str:
        return workspace.step(goals).state

    assert state() == "not-started"
    write(workspace, course, "goals", why="Need.")
    assert state() == "in-progress"
    assert workspace.step(goals).answered == 1
    write(workspace, course, "goals", live_project="Respite")
    assert state() == "ready"
    digest = workspace.answers_digest(goals)
    assert digest
    workspace.add_receipt(goals, Receipt(when=NOON, sha256=digest, how="zip"))
    assert (state(), workspace.step(goals).changed_since) == ("submitted", False)
    page = (
        workspace.folder(goals)
        / "feedback"
        / "2026-11-22 12:00:00.000000 UTC"
        / "step-1-goals.html"
    )
    page.parent.mkdir(parents=True)
    page.write_text("<p>Good.</p>", encoding="utf-8")
    assert state() == "feedback"
    write(workspace, course, "goals", why="Need, and reach.")
    assert workspace.step(goals).changed_since
    later = Receipt(when=NOON + dt.timedelta(days=1), sha256="0" * 64, how="exchange")
    workspace.add_receipt(goals, later)
    assert state() == "submitted", "old feedback doesn't answer a new submission"
    assert [feedback.path for feedback in workspace.feedback(goals)] == [page]


def test_a_covered_step_is_ready(course: Course, workspace: Workspace) -> None:
    write(workspace, course, "goals", covered_process="A map", covered_evidence="Appendix B")
    assert workspace.step(course.step("goals")).state == "ready"


def test_the_due_date_that_came_with_the_notebook_counts(
    course: Course, workspace: Workspace
) -> None:
    goals = course.step("goals")
    assert workspace.due(goals) is None
    notebook = {"metadata": {"pcn": {"due": "2026-12-04T23:59:00-05:00"}}}
    (workspace.root / goals.path).write_text(json.dumps(notebook), encoding="utf-8")
    due = workspace.due(goals)
    assert due
    assert due.astimezone(dt.UTC) == dt.datetime(2026, 12, 5, 4, 59, tzinfo=dt.UTC)


def test_later_steps_quote_earlier_answers_as_they_stand_now(
    course: Course, workspace: Workspace
) -> None:
    step = course.step("next")
    assert workspace.quotes(course, step) == {}
    write(workspace, course, "goals", **{"live-project": "Respite"})
    assert workspace.quotes(course, step)["goals.live-project"].value == "Respite"
    write(workspace, course, "goals", **{"live-project": "Respite for carers"})
    assert workspace.quotes(course, step)["goals.live-project"].value == "Respite for carers"


def test_a_workspace_has_an_id_of_its_own_that_stays(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.user == Workspace(workspace.root).user
    assert workspace.user != Workspace(tmp_path / "another").user


def test_a_damaged_record_is_replaced_not_fatal(workspace: Workspace) -> None:
    (workspace.state / "workspace.json").write_text("{", encoding="utf-8")
    assert workspace.user
    assert list(workspace.state.glob("workspace-unreadable-*.json"))


def test_a_step_folder_and_the_root_open_the_same_workspace(workspace: Workspace) -> None:
    assert open_workspace(workspace.root).root == workspace.root
    assert open_workspace(workspace.root / "step-1-goals").root == workspace.root


# The network at each submission


def with_network(tmp_path: Path, people: list[dict[str, str]]) -> tuple[Course, Workspace]:
    course = load_course(default_root())
    workspace = Workspace(tmp_path / "student")
    ties = [{"id": "t", "one": "a", "other": "b", "kind": "know"}]
    write(workspace, course, "connections", people=people, ties=ties, your_sector="nonprofit")
    return course, workspace


def test_a_network_is_kept_as_it_was_whatever_is_written_later(tmp_path: Path) -> None:
    first = [{"id": "a", "person": "Nurse"}, {"id": "b", "person": "JT"}]
    course, workspace = with_network(tmp_path, first)
    assert workspace.snapshots() == ()
    goals, tools = course.step("goals"), course.step("tools")
    workspace.add_snapshot(course, goals, NOON)
    write(workspace, course, "connections", people=[*first, {"id": "c", "person": "Mentor"}])
    later = NOON + dt.timedelta(days=30)
    workspace.add_snapshot(course, tools, later)
    one, two = workspace.snapshots()
    assert (one.when, one.step, two.when, two.step) == (NOON, "goals", later, "tools")
    assert one.values["connections"]["people"] == first
    assert set(one.values["connections"]) == {"people", "ties", "your-sector"}
    assert len(two.values["connections"]["people"]) == 3
    assert [path.name for path in sorted((workspace.state / "networks").iterdir())] == [
        "20261122T120000000000Z.json",
        "20261222T120000000000Z.json",
    ]


def test_without_members_there_is_no_network_to_keep(
    course: Course, workspace: Workspace, tmp_path: Path
) -> None:
    assert workspace.add_snapshot(course, course.step("goals"), NOON) is None, "no such step"
    real, student = with_network(tmp_path, [])
    assert student.add_snapshot(real, real.step("goals"), NOON) is None
    assert student.snapshots() == ()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"\xff", b"[" * 100_000),
        *(b'{"when": "2026-11-22T12:00:00Z", "step": "goals"}', b'{"when": 3}'),
        b'{"when": "2026-11-22T12:00:00Z", "step": "goals", "values": {"connections": []}}',
    ],
)
def test_a_network_that_cannot_be_read_is_skipped(tmp_path: Path, content: bytes) -> None:
    course, workspace = with_network(tmp_path, [{"id": "a", "person": "Nurse"}])
    workspace.add_snapshot(course, course.step("goals"), NOON)
    (workspace.state / "networks" / "20250101T000000000000Z.json").write_bytes(content)
    (workspace.state / "networks" / "20250102T000000000000Z.json").mkdir()
    assert [one.when for one in workspace.snapshots()] == [NOON]


def test_a_network_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    course, workspace = with_network(tmp_path, [{"id": "a", "person": "Nurse"}])
    (workspace.state / "networks").write_text("a file in the way")
    with pytest.raises(StorageError):
        workspace.add_snapshot(course, course.step("goals"), NOON)


WORDS = "Only for my own eyes"


def with_private(*, column: bool = True, asked: bool = True, dropped: bool = False) -> Course:
    """The course with a private column in step 2 and a private question of step 1, or without."""
    course = load_course(default_root())
    steps = []
    for step in course.steps:
        prompts = []
        for prompt in step.prompts:
            if step.name == "goals" and prompt.key == "private-note" and not asked:
                continue
            columns = tuple(
                msgspec.structs.replace(one, private=True)
                if step.name == "connections" and prompt.key == "people" and one.key == "give"
                else one
                for one in prompt.columns
                if not (dropped and prompt.key == "people" and one.key == "give")
            )
            prompts.append(
                msgspec.structs.replace(prompt, columns=columns if column else prompt.columns)
            )
        steps.append(msgspec.structs.replace(step, prompts=tuple(prompts)))
    return msgspec.structs.replace(course, steps=tuple(steps))


def shown_anywhere(workspace: Workspace, course: Course) -> str:
    """Everything that is made of a student's answers for others' eyes, or without private notes."""
    step = course.step("connections")
    receipt = hand_in(workspace, step, True, "ada", course=course)
    assert receipt.file
    with zipfile.ZipFile(workspace.root / receipt.file) as packed:
        parts = [packed.read(name).decode() for name in packed.namelist()]
    values = workspace.values(course)
    answers = workspace.answers(step)
    submitted = read_answers(workspace.folder(step) / "answers.json", step)
    parts += [
        str(values),
        answers_html(step, answers.fields, answers.problems),
        str(workspace.snapshots()),
        document_html(course, values),
        members_csv(course, values).decode("utf-8-sig"),
        str(read_network(values)),
        str(tell(step, submitted)),
        str(tell(step, answers)),
    ]
    assert not workspace.step(step).changed_since
    return "\n".join(parts)


def test_a_private_column_leaves_the_workspace_on_no_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    course = with_private()
    workspace = Workspace(tmp_path / "ada")
    workspace.fill(course)
    people = [
        {"id": "a", "person": "KG", "give": WORDS, "give-shown": WORDS, "get": "Seen by all"},
        {"id": "b", "give": WORDS},
    ]
    write(workspace, course, "connections", people=people)
    shown = shown_anywhere(workspace, course)
    assert "Seen by all" in shown
    assert WORDS not in shown
    # What the student wrote is there for the student, whatever the course asks now.
    loaded = workspace.store(course, course.step("connections")).load()
    assert loaded.fields["people"].value == people
    for changed in (with_private(dropped=True), with_private(column=False)):
        shown = shown_anywhere(workspace, changed)
        assert "Seen by all" in shown
        assert WORDS not in shown


def test_a_private_answer_stays_private_when_its_question_is_dropped_or_made_public(
    tmp_path: Path,
) -> None:
    course = with_private()
    workspace = Workspace(tmp_path / "ada")
    workspace.fill(course)
    write(workspace, course, "goals", private_note=WORDS, live_project="A pathway")
    dropped = with_private(asked=False)
    values = workspace.values(dropped, private=True)
    notes = workspace.dropped_notes(dropped)
    text = document_html(dropped, values, private=True, notes=notes)
    assert "which this course doesn&#39;t ask (private, never submitted)" in text
    assert WORDS in text
    assert WORDS not in document_html(dropped, values, private=False, notes=notes)
    goals = msgspec.structs.replace(
        course.step("goals"),
        prompts=tuple(
            msgspec.structs.replace(one, private=False) for one in course.step("goals").prompts
        ),
    )
    public = msgspec.structs.replace(course, steps=(goals, *course.steps[1:]))
    assert WORDS not in str(workspace.values(public, private=True))
    store = workspace.store(public, goals)
    assert "private-note" not in store.load().fields
    assert store.save("tab", {"private-note": Edit("For all", 0)}).versions
    assert store.load().fields["private-note"].value == "For all"
    assert workspace.values(public)["goals"]["private-note"] == "For all"
    assert WORDS in store.private.read_text()

"""The class as a whole: each number beside one that is counted here, from the raw files."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import random
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nbgrader import api
from sqlalchemy import update

from pcn_course.course import Prompt
from pcn_course.grading import cohort
from pcn_course.grading.cohort import FEWER, NOT_SHOWN, protect, reading
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from pcn_course.instructor import cohort as page
from pcn_course.spreadsheets import csv_bytes
from tests.support.big_class import WORDS, big_class
from tests.support.room import HANDED_IN, hand_in, make_room

SIZE = 40
DUE = HANDED_IN - dt.timedelta(hours=12)
WASTED = (
    "The table took ten minutes.",
    "Nothing.",
    "Half an hour of reading, 5 minutes of it well.",
)


# ---- A class -------------------------------------------------------------------------------------


def some(prompt: Prompt, chance: random.Random, rows: list[str]) -> Any:
    """An answer to a prompt, made up."""
    match prompt.kind:
        case "line" | "text":
            return chance.choice(WASTED)
        case "choice" if prompt.refers:
            return chance.choice(rows) if rows else None
        case "choices" if prompt.refers:
            return [one for one in rows if chance.random() < 0.4]
        case "choice":
            return chance.choice(prompt.options).value
        case "choices":
            common = prompt.options[:4]
            return [
                one.value for one in prompt.options if chance.random() < (one in common) / 3 + 0.05
            ]
        case "scale":
            return chance.randint(1, prompt.points)
        case "date":
            return "2027-02-26"
        case "time":
            return "15:30"
    made = []
    for row in range(chance.randint(1, 4)):
        cells = {one.key: some(one, chance, rows) for one in prompt.columns}
        made.append({"id": f"r{row}", **{key: one for key, one in cells.items() if one}})
    return made


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Forty students, of whom some are late, blank, not marked, not there, or covered elsewhere."""
    folder = tmp_path_factory.mktemp("class") / "course"
    students = [f"s{number:03}" for number in range(SIZE)]
    room = make_room(folder, students, [])
    steps = room.course.steps
    room.close()
    make_steps(room, students)
    chance = random.Random(11)
    needs = [f"r{row}" for row in range(4)]
    for number, student in enumerate(students):
        for step in steps:
            keys = [one for one in step.prompts if not one.private]
            kept = {one.key: some(one, chance, needs) for one in keys if chance.random() < 0.8}
            if number == 0:
                kept = {}
            if number % 9:
                kept = {key: value for key, value in kept.items() if key not in step.covered}
            hand_in(room, student, step.id, kept)
    # Not everybody has handed in everything.
    with room.gradebook() as gradebook:
        gradebook.remove_submission("step-5-integrating", students[1])
    for one in room.submission(students[1], "step-5-integrating").iterdir():
        one.unlink()
    room.submission(students[1], "step-5-integrating").rmdir()
    marking = Marking(room, "a marker")
    for student in students[3:]:
        for step in steps[:2]:
            for criterion in room.course.rubric.criteria:
                points = 2.5 if student == students[5] else float(chance.randint(0, 4))
                marking.give(student, step.id, criterion.id, points)
    yield room
    room.close()


def make_steps(room: Room, students: list[str]) -> None:
    """All steps in the gradebook; the second one is due before it was handed in."""
    with room.gradebook() as gradebook:
        for step in room.course.steps:
            due = DUE.replace(tzinfo=None) if step.number == 2 else None
            gradebook.update_or_create_assignment(step.id, duedate=due)
            gradebook.update_or_create_notebook(step.id, step.id)
            gradebook.update_or_create_grade_cell(
                "structure", step.id, step.id, max_score=4, cell_type="code"
            )
            for criterion in room.course.rubric.criteria:
                gradebook.update_or_create_task_cell(
                    criterion.id, step.id, step.id, max_score=4, cell_type="markdown"
                )
            for student in students:
                gradebook.update_or_create_submission(
                    step.id, student, timestamp=HANDED_IN.replace(tzinfo=None)
                )
        more = gradebook.find_submission("step-2-connections", students[7])
        more.extension = dt.timedelta(days=1)
        gradebook.db.commit()


# ---- The same, counted here ----------------------------------------------------------------------


class Raw:
    """The gradebook by SQL, and the answers by JSON: nothing of the package's own reading."""

    def __init__(self, room: Room) -> None:
        self.course = room.course
        with sqlite3.connect(room.root / "gradebook.db") as connection:
            self.marks = pd.read_sql_query(
                "select s.student_id as student, a.name as step, b.name as criterion,"
                " g.manual_score as points from grade g"
                " join submitted_notebook n on g.notebook_id = n.id"
                " join submitted_assignment s on n.assignment_id = s.id"
                " join assignment a on s.assignment_id = a.id"
                " join base_cell b on g.cell_id = b.id where b.name <> 'structure'",
                connection,
            )
            self.came = pd.read_sql_query(
                "select s.student_id as student, a.name as step, s.timestamp, s.extension,"
                " a.duedate from submitted_assignment s"
                " join assignment a on s.assignment_id = a.id",
                connection,
            )
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        for path in room.submitted.glob("*/*/answers.json"):
            fields = json.loads(path.read_text())["fields"]
            key = path.parts[-3], path.parts[-2]
            self.answers[key] = {name: field["value"] for name, field in fields.items()}

    def of(self, step: str) -> list[dict[str, Any]]:
        return [one for (_, at), one in self.answers.items() if at == step]

    @property
    def late(self) -> pd.Series:
        """Submissions after the due date, by step; an extension is kept as a time after 1970."""
        frame = self.came.copy()
        since = pd.to_datetime(frame["extension"].fillna("1970-01-01"), format="ISO8601")
        more = since - pd.Timestamp("1970-01-01")
        past = pd.to_datetime(frame["timestamp"], format="ISO8601") > (
            pd.to_datetime(frame["duedate"], format="ISO8601") + more
        )
        return frame[past].groupby("step").size()


def said(value: Any) -> bool:
    """Whether something stands there; a row with nothing but its id is no entry."""
    if isinstance(value, list):
        return any(
            said({k: v for k, v in one.items() if k != "id"})
            if isinstance(one, dict)
            else bool(one)
            for one in value
        )
    if isinstance(value, dict):
        return any(said(one) for one in value.values())
    return bool(value.strip()) if isinstance(value, str) else value is not None


@pytest.fixture(scope="module", params=["forty", "a thousand"])
def counted(
    request: pytest.FixtureRequest, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[cohort.Class, Raw]]:
    """A class as the package reads it and as it is read here: a small one, and a large one."""
    if request.param == "forty":
        yield cohort.read_class(room), Raw(room)
        return
    large = big_class(tmp_path_factory.mktemp("large") / "course", 1000)
    yield cohort.read_class(large), Raw(large)
    large.close()


@pytest.fixture
def cls(counted: tuple[cohort.Class, Raw]) -> cohort.Class:
    return counted[0]


@pytest.fixture
def raw(counted: tuple[cohort.Class, Raw]) -> Raw:
    return counted[1]


@pytest.fixture
def small(cls: cohort.Class) -> bool:
    return len(cls.students) == SIZE


# ---- Every number --------------------------------------------------------------------------------


def test_who_handed_in_and_who_was_late(cls: cohort.Class, raw: Raw, small: bool) -> None:
    frame = cohort.progress(cls).set_index("step")
    came = raw.came.groupby("step").size()
    assert dict(frame["handed_in"]) == dict(came)
    assert dict(frame["not_in"]) == {
        step: len(cls.students) - count for step, count in came.items()
    }
    assert frame["late"].to_dict() == {step: int(raw.late.get(step, 0)) for step in frame.index}
    assert frame["late"].sum() > 0
    assert not small or frame.loc["step-2-connections", "late"] == SIZE - 1, "one had an extension"
    assert frame["overdue"].sum() == 0, "what is missing has no due date"
    assert "started" not in frame, "nobody can see the workspaces"
    covered = {
        step.id: sum(all(said(one.get(key)) for key in step.covered) for one in raw.of(step.id))
        for step in raw.course.steps
    }
    assert frame["covered"].to_dict() == covered
    assert sum(covered.values()) > 0


def test_levels_are_those_in_the_gradebook(cls: cohort.Class, raw: Raw, small: bool) -> None:
    frame = cohort.levels(cls)
    assert len(frame) == 20
    for _, row in frame.iterrows():
        own = raw.marks.query("step == @row.step and criterion == @row.criterion")["points"]
        assert {one: row[one] for one in (4.0, 3.0, 2.0, 1.0, 0.0)} == {
            one: int((own == one).sum()) for one in (4.0, 3.0, 2.0, 1.0, 0.0)
        }
        assert row["between"] == int((own == 2.5).sum())
        assert row["unmarked"] == int(own.isna().sum())
        assert pd.isna(row["mean"]) if own.isna().all() else row["mean"] == round(own.mean(), 2)
    assert frame["between"].sum() == (8 if small else 0)
    assert not small or frame[frame["step"] == "step-1-goals"]["unmarked"].tolist() == [3] * 4


def test_open_prompts_are_counted_and_what_is_no_matter_of_points_is_protected(
    cls: cohort.Class, raw: Raw, small: bool
) -> None:
    frame = cohort.open_prompts(cls).set_index(["step", "prompt"])
    hidden = 0
    for step in raw.course.steps:
        given = raw.of(step.id)
        for prompt in step.prompts:
            if prompt.private or prompt.key in step.covered:
                assert (step.id, prompt.key) not in frame.index
                continue
            unanswered = sum(not said(one.get(prompt.key)) for one in given)
            row = frame.loc[step.id, prompt.key]
            if prompt.required or 5 <= unanswered <= len(given) - 5:
                assert (row["open"], row["answered"]) == (unanswered, len(given) - unanswered)
                assert row["share"] == round(100 * unanswered / len(given))
            else:
                hidden += 1
                assert row["open"] in (FEWER, NOT_SHOWN)
                assert isinstance(row["answered"], str)
                assert pd.isna(row["share"])
    assert bool(hidden) == small


def test_tools_are_counted_and_small_counts_are_not_told(cls: cohort.Class, raw: Raw) -> None:
    frame = cohort.tools(cls).set_index("tool")
    given = raw.of("step-3-tools")
    told = 0
    for name in ("known", "wanted", "chosen"):
        counts = Counter(tool for one in given for tool in one.get(f"tools-{name}") or ())
        for tool in frame.index:
            count = counts[tool]
            shown = frame.loc[tool, name]
            if 5 <= count <= len(given) - 5:
                assert shown == count
                told += 1
            else:
                assert shown == (FEWER if count < 5 else NOT_SHOWN)
    assert 0 < told < 3 * len(frame)
    assert len(frame) == len([one for one in raw.course.tools if one.status == "current"])


def test_gaps_are_needs_that_nobody_meets(cls: cohort.Class, raw: Raw) -> None:
    frame = cohort.gaps(cls).set_index("group")
    prompt = raw.course.step("goals").prompt("expertise-that-helps")
    assert prompt
    column = next(one for one in prompt.columns if one.key == "group")
    labels = {one.value: one.label for one in column.options} | {"": "Not said"}
    states: dict[str, Counter[str]] = defaultdict(Counter)
    both = {who for who, step in raw.answers if step == "step-1-goals"} & {
        who for who, step in raw.answers if step == "step-2-connections"
    }
    for who in both:
        people = raw.answers[who, "step-2-connections"].get("people") or []
        there = [one for one in people if one.get("status") not in ("declined", "withdrawn")]
        worst: dict[str, str] = {}
        for need in raw.answers[who, "step-1-goals"].get("expertise-that-helps") or []:
            if not said(need.get("expertise")):
                continue
            group = need.get("group") or ""
            state = "gap"
            if group not in ("", "other") and any(one.get("group") == group for one in there):
                state = "perhaps"
            if any(need["id"] in (one.get("meets") or []) for one in there):
                state = "held"
            order = ["gap", "perhaps", "held"]
            worst[group] = min(worst.get(group, "held"), state, key=order.index)
        for group in labels:
            states[group][worst.get(group, "none")] += 1
    assert sum(one["gap"] for one in states.values()) > 20
    shown = 0
    for group, label in labels.items():
        if label not in frame.index:
            assert states[group]["none"] == len(both)
            continue
        counts = [states[group][key] for key in ("gap", "perhaps", "held", "none")]
        row = list(frame.loc[label])
        assert row == protect(counts)
        shown += sum(cell == count for count, cell in zip(counts, row, strict=True))
    assert shown


def test_minutes_estimated_stand_beside_what_is_named(
    cls: cohort.Class, raw: Raw, small: bool
) -> None:
    frame = cohort.minutes(cls).set_index("step")
    minutes = {WASTED[0]: 10.0, WASTED[2]: 30.0, WORDS[0]: 10.0, WORDS[1]: 30.0, WORDS[3]: 25.0}
    hidden = 0
    for step in raw.course.steps:
        texts = [one.get("wasted-time") for one in raw.of(step.id)]
        answered = [one for one in texts if said(one)]
        named = [minutes[one] for one in answered if one in minutes]
        row = frame.loc[step.id]
        assert row["estimated"] == step.minutes
        assert row["handed_in"] == len(texts)
        said_so, others = len(answered), len(texts) - len(answered)
        if min(said_so, others) < 5:
            hidden += 1
            assert row["said"] == (FEWER if said_so < 5 else NOT_SHOWN)
            assert (row["named"], pd.isna(row["median"])) == (NOT_SHOWN, True)
            continue
        assert row["said"] == said_so
        assert min(len(named), said_so - len(named)) >= 5
        assert row["named"] == len(named)
        assert row["median"] == pd.Series(named).median()
    assert hidden == 0 if not small else 0 < hidden < 5


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("It took 20 minutes, then 5 min more.", 20),
        ("Forty-five minutes of tables", 45),
        ("an hour!", 60),
        ("half an hour", 30),
        ("1h, and 15min", 60),
        ("2 hours", 120),
        ("minutes of the meeting", None),
        ("Step 3 of 5", None),
        ("999 hours", None),
        (["10 minutes"], None),
        ("", None),
    ],
)
def test_minutes_are_found_in_words(text: Any, minutes: float | None) -> None:
    assert reading._minutes_named(text) == minutes


# ---- Fewer than five -----------------------------------------------------------------------------


def ways(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    """All rows of so many counts with that sum."""
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in ways(total - first, cells - 1):
            yield (first, *rest)


@pytest.mark.parametrize(("cells", "most"), [(2, 60), (3, 36), (4, 28)])
def test_nobody_who_knows_the_rule_and_the_sum_finds_a_hidden_count(cells: int, most: int) -> None:
    for total in range(1, most):
        rows: dict[tuple[Any, ...], list[tuple[int, ...]]] = defaultdict(list)
        for counts in ways(total, cells):
            rows[tuple(protect(counts))].append(counts)
        for shown, possible in rows.items():
            for at, cell in enumerate(shown):
                values = {counts[at] for counts in possible}
                if isinstance(cell, int):
                    assert cell >= 5
                    assert values == {cell}
                else:
                    assert len(values) >= min(4, total + 1), (shown, possible[:3])


def test_what_is_hidden_is_no_small_number_taken_together() -> None:
    assert protect([20, 4, 0, 0]) == [NOT_SHOWN, FEWER, FEWER, FEWER], "four, taken together"
    assert protect([20, 4, 1, 0]) == [20, FEWER, FEWER, FEWER]
    assert protect([12, 8, 30]) == [12, 8, 30]
    assert protect([3, 997]) == [FEWER, NOT_SHOWN]
    assert protect([997, 3]) == [NOT_SHOWN, FEWER]
    assert protect([2, 1]) == [NOT_SHOWN, NOT_SHOWN]
    assert protect([]) == []


# ---- Reading -------------------------------------------------------------------------------------


def test_a_second_reading_is_the_same_and_sees_what_changed(room: Room, tmp_path: Path) -> None:
    first = cohort.read_class(room)
    kept = (room.root / ".pcn" / "cohort.cache").read_bytes()
    assert b"ten minutes" not in kept, "no words of a student"
    assert oct((room.root / ".pcn" / "cohort.cache").stat().st_mode & 0o777) == "0o600"
    again = cohort.read_class(room)
    assert again.told == first.told
    pd.testing.assert_frame_equal(cohort.open_prompts(again), cohort.open_prompts(first))
    path = room.submission("s010", "step-3-tools") / "answers.json"
    before = path.read_bytes()
    try:
        hand_in(room, "s010", "step-3-tools", {"tools-chosen": ["email"]})
        told = cohort.read_class(room).told["s010", "step-3-tools"]
        assert told.tools["tools-chosen"] == ("email",)
        assert told.answered == ("tools-chosen",)
        path.write_text("not an answers file")
        assert cohort.read_class(room).told["s010", "step-3-tools"].answered == ()
    finally:
        path.write_bytes(before)
    (room.root / ".pcn" / "cohort.cache").write_bytes(b"\x00broken")
    assert cohort.read_class(room).told == first.told


def test_who_is_past_the_date_counts_the_extension(room: Room) -> None:
    step = "step-5-integrating"
    table = api.Assignment.__table__
    try:
        with room.engine.begin() as connection:
            naive = DUE.replace(tzinfo=None)
            connection.execute(update(table).where(table.c.name == step).values(duedate=naive))
        cls = cohort.read_class(room, at=DUE + dt.timedelta(seconds=1))
        assert cls.overdue.to_dict("records") == [{"student": "s001", "step": step}]
        assert cohort.progress(cls).set_index("step").loc[step, "overdue"] == 1
        assert cohort.people(cls).set_index("student").loc["s001", step] == "not in, past the date"
        early = cohort.read_class(room, at=DUE - dt.timedelta(seconds=1))
        assert early.overdue.empty
    finally:
        with room.engine.begin() as connection:
            connection.execute(update(table).where(table.c.name == step).values(duedate=None))


def test_started_and_ready_are_seen_in_a_folder_of_workspaces(room: Room, tmp_path: Path) -> None:
    step = room.course.step("integrating")

    def write(folder: Path, fields: dict[str, Any]) -> None:
        folder.mkdir(parents=True)
        kept = {key: {"value": value, "version": 1} for key, value in fields.items()}
        document = {"format": 1, "course": "pcn", "step": step.name, "fields": kept}
        (folder / "answers.json").write_text(json.dumps(document))

    whole = {one.key: "something" for one in step.required}
    write(tmp_path / "s001" / step.id, whole)
    cls = cohort.read_class(room, tmp_path)
    row = cohort.progress(cls).set_index("step").loc[step.id]
    assert (row["not_in"], row["ready"], row["started"], row["nothing"]) == (1, 1, 0, 0)
    assert cohort.people(cls).set_index("student").loc["s001", step.id] == "ready, not handed in"

    (tmp_path / "other" / "s001").mkdir(parents=True)
    write(tmp_path / "other" / "s001" / "workspace" / step.id, {step.required[0].key: "something"})
    row = (
        cohort.progress(cohort.read_class(room, tmp_path / "other")).set_index("step").loc[step.id]
    )
    assert (row["not_in"], row["ready"], row["started"], row["nothing"]) == (1, 0, 1, 0)


def test_one_home_that_can_not_be_looked_into_closes_no_other(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    step = room.course.step("integrating")
    (tmp_path / "s000").symlink_to("x" * 300)
    (tmp_path / "s001" / step.id).mkdir(parents=True)
    (tmp_path / "s001" / step.id / "answers.json").write_text("{}")
    (tmp_path / "s002" / step.id).mkdir(parents=True)
    others = room.submission("s003", step.id) / "answers.json"
    (tmp_path / "s002" / step.id / "answers.json").symlink_to(others)
    cls = cohort.read_class(room, tmp_path)
    assert cls.workspaces is not None
    assert set(cls.workspaces) == {("s001", step.id)}
    assert "can't be looked into: s000" in caplog.text


def test_what_was_laid_as_a_link_tells_nothing(room: Room, tmp_path: Path) -> None:
    folder = room.submission("s999", "step-1-goals")
    folder.mkdir(parents=True)
    (folder / "answers.json").symlink_to(room.submission("s003", "step-1-goals") / "answers.json")
    (tmp_path / "when").write_text("2026-11-20 10:00:00 UTC")
    (folder / "timestamp.txt").symlink_to(tmp_path / "when")
    try:
        cls = cohort.read_class(room)
        assert cls.told["s999", "step-1-goals"] == reading.Told()
        mine = cls.submissions[cls.submissions["student"] == "s999"]
        assert mine["handed_in"].isna().all()
    finally:
        shutil.rmtree(folder.parent)


def test_a_room_without_anything_is_read_as_that(tmp_path: Path) -> None:
    empty = make_room(tmp_path / "course", [], [])
    cls = cohort.read_class(empty)
    assert cohort.progress(cls)["handed_in"].sum() == 0
    assert cohort.levels(cls)["unmarked"].sum() == 0
    made = page.sections(cls)
    assert [bool(one.empty) for one in made] == [False, True, True, True, True, True]
    empty.close()


def test_links_in_the_place_of_folders_are_not_followed(room: Room, tmp_path: Path) -> None:
    before = set(cohort.read_class(room).told)
    link = room.submitted / "s999"
    link.symlink_to(room.submitted / "s001")
    try:
        assert set(cohort.read_class(room).told) == before
    finally:
        link.unlink()


# ---- The page's side in Python -------------------------------------------------------------------


class Heard(page.Cohort):
    """The page's side, and what it sends."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.heard: list[dict[str, Any]] = []

    def send(self, content: Any, buffers: Any = None) -> None:
        assert buffers is None
        self.heard.append(content)

    def ask(self, **message: Any) -> dict[str, Any]:
        self._receive(self, {"client": "test", **message}, None)
        return self.heard[-1]


def test_tables_and_files_have_the_same_cells(room: Room) -> None:
    desk = Heard(room)
    state = desk.ask(type="open")
    assert (state["students"], state["submissions"]) == (SIZE, SIZE * 5 - 1)
    tables = [table for part in state["sections"] for table in part["tables"]]
    tables.append(desk.ask(type="people")["table"])
    assert [one["id"] for one in tables] == [
        *("progress", "levels", "open", "open-others", "gaps", "tools", "minutes", "people")
    ]
    for table in tables:
        reply = desk.ask(type="take", what=table["id"])
        content = base64.b64decode(reply["data"])
        assert content.startswith(b"\xef\xbb\xbf")
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        assert head == [column["label"] for column in table["columns"]]
        assert rows == [["" if one is None else str(one) for one in row] for row in table["rows"]]
    assert desk.ask(type="take", what="../secret")["type"] == "problem"


def test_messages_outside_the_protocol_are_not_answered(room: Room) -> None:
    desk = Heard(room)
    for message in ({"type": "save"}, {"type": "take"}, {"type": "open", "more": 1}):
        desk._receive(desk, {"client": "test", **message}, None)
    assert desk.heard == []


def test_a_room_that_is_none_is_said_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCN_ROOM", str(tmp_path))
    reply = Heard().ask(type="open")
    assert reply["type"] == "problem"
    assert "nbgrader_config.py" in reply["message"]


def test_no_cell_of_a_file_is_a_formula() -> None:
    content = csv_bytes(["=name", "n"], [["@x", 1.0], ["-1", None], ["+", 2.5], ['a, "b"', -3]])
    assert content.decode("utf-8-sig") == (
        '\'=name,n\r\n\'@x,1\r\n\'-1,\r\n\'+,2.5\r\n"a, ""b""",-3\r\n'
    )

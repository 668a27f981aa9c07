"""What the marking page is told: marks, conflicts, names only when asked, hostile words as text."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from pcn_course.answers.store import Field, Submitted
from pcn_course.course import Criterion, Level, default_root, load_course
from pcn_course.grading.gradebook.annotations import text_of
from pcn_course.grading.gradebook.marks import Marking as Gradebook
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import make_tables, note, now, requests, second_marks
from pcn_course.instructor import marking_view as view
from pcn_course.instructor.marking import Marking, open_marking, whoever
from pcn_course.review import answers_html
from tests.support.handing_in import hand_in_anew
from tests.support.marking import HOSTILE, STEP, class_to_mark
from tests.support.nbgrader_course import sample_answers
from tests.support.room import hand_in, make_room

COURSE = load_course(default_root())
STEPS = [step.id for step in COURSE.steps]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return class_to_mark(tmp_path / "course", 3)


@pytest.fixture
def widget(room: Room, monkeypatch: pytest.MonkeyPatch) -> Marking:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    return Marking(room)


def ask(widget: Marking, kind: str, client: Any = "one", **more: Any) -> dict[str, Any]:
    """What a page hears when it asks; every answer says to what it is one."""
    heard: list[dict[str, Any]] = []
    message = {"type": kind, "client": client, "seq": 7, **more}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widget, "send", lambda one: heard.append(json.loads(json.dumps(one))))
        widget._receive(widget, json.loads(json.dumps(message)), [])
    assert [(one["client"], one["seq"]) for one in heard] == [(client, 7)]
    return heard[0]


def refused(widget: Marking, kind: str, **more: Any) -> bool:
    """Whether a message is not taken at all: no answer, and nothing done."""
    heard: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(widget, "send", heard.append)
        widget._receive(widget, {"type": kind, "client": "one", "seq": 1, **more}, [])
    return not heard


def students(widget: Marking) -> list[str]:
    """The handles of all submissions, in the page's order."""
    return [one["student"] for one in ask(widget, "list", step=STEP)["submissions"]]


def handle(room: Room, student: str) -> str:
    return view.handle(room.course_id, STEP, student)


def test_the_room_says_what_is_to_be_marked_and_by_whom(widget: Marking) -> None:
    found = ask(widget, "open", marker="  Ada\n Doe ")
    assert (found["type"], found["marker"], found["signed_in"]) == ("room", "Ada Doe", False)
    assert [one["id"] for one in found["criteria"]] == [one.id for one in COURSE.rubric.criteria]
    assert [level["key"] for level in found["criteria"][0]["levels"]] == ["4", "3", "2", "1", "0"]
    assert [(one["given"], one["of"]) for one in found["steps"]] == [(0, 12)] + [(0, 0)] * 4


def test_on_a_hub_nobody_marks_under_another_name(
    widget: Marking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "grace")
    found = ask(widget, "open", marker="somebody else")
    assert (found["marker"], found["signed_in"]) == ("grace", True)
    monkeypatch.delenv("JUPYTERHUB_USER")
    monkeypatch.setenv("PCN_MARKER", "hopper")
    assert whoever(" \0\n") == "hopper"


def test_nothing_of_a_student_reaches_the_page_unasked(room: Room, widget: Marking) -> None:
    with room.gradebook() as gradebook:
        for student in gradebook.students:
            student.first_name, student.last_name = f"Given{student.id}", "Family"
            student.email = f"{student.id}@example.org"
        gradebook.db.commit()
    found = [ask(widget, "open"), ask(widget, "list", step=STEP)]
    found += [ask(widget, "read", step=STEP, student=one) for one in students(widget)]
    said = json.dumps(found)
    for name in ("s001", "s002", "s003", "Given", "Family", "example.org"):
        assert name not in said
    names = ask(widget, "names", step=STEP)["names"]
    assert names[handle(room, "s002")] == ["Givens002 Family", "s002"]
    assert {one["pseudonym"] for one in found[1]["submissions"]} == {
        one["pseudonym"] for one in found[2:]
    }


def test_notes_of_who_uploaded_what_come_with_the_names_alone(room: Room, widget: Marking) -> None:
    told = "Canvas says that s002 uploaded this; the file itself says s003. Canvas was believed."
    note(room.engine, "s002", STEP, told)
    found = [ask(widget, "open"), ask(widget, "list", step=STEP)]
    found += [ask(widget, "read", step=STEP, student=one) for one in students(widget)]
    found += [ask(widget, "list", step=STEP, second=True)]
    assert not re.search(r"s00\d|Canvas", json.dumps(found))
    lines = {one["student"]: one["notes"] for one in found[1]["submissions"]}
    assert lines == {handle(room, one): int(one == "s002") for one in ("s001", "s002", "s003")}
    names = ask(widget, "names", step=STEP)["names"]
    assert names[handle(room, "s002")] == ["S002 Doe", "s002", told]
    assert names[handle(room, "s001")] == ["S001 Doe", "s001"]


def test_a_submission_that_is_gone_is_not_called_by_its_student(
    room: Room, widget: Marking
) -> None:
    handles = students(widget)
    with room.gradebook() as gradebook:
        gradebook.remove_submission(STEP, "s002")
    one = handle(room, "s002")
    assert one in handles
    for kind, more in (
        ("read", {}),
        ("read", {"second": True}),
        ("give", {"criterion": "ethics", "points": 1, "seen": None}),
        ("say", {"criterion": "ethics", "comment": "Good", "seen": ""}),
    ):
        told = ask(widget, kind, step=STEP, student=one, **more)
        assert told["type"] == "problem"
        assert "not in the gradebook any more" in told["message"]
        assert "s002" not in json.dumps(told)


def test_private_answers_stay_private(room: Room, widget: Marking) -> None:
    values = sample_answers(COURSE.step(STEP))
    private = [prompt.key for prompt in COURSE.step(STEP).prompts if prompt.private]
    assert private, "the step has a private prompt"
    hand_in(room, "s001", STEP, {**values, **dict.fromkeys(private, "for my eyes alone")})
    found = ask(widget, "read", step=STEP, student=handle(room, "s001"))
    assert "for my eyes alone" not in json.dumps(found)
    place = {"row": None, "column": None, "start": 0, "passage": "for", "comment": ""}
    told = ask(
        widget, "highlight", step=STEP, student=handle(room, "s001"), prompt=private[0],
        criterion=None, **place,
    )  # fmt: skip
    assert told["type"] == "problem"


def test_a_level_goes_to_the_gradebook_at_once(room: Room, widget: Marking) -> None:
    one = handle(room, "s001")
    before = ask(widget, "read", step=STEP, student=one)
    told = ask(widget, "give", step=STEP, student=one, criterion="ethics", points=3, seen=None)
    assert told["type"] == "standing"
    assert told["marks"]["ethics"]["points"] == 3
    assert told["marks"]["ethics"]["open"] is False
    assert told["total"] == before["total"] + 3
    with room.gradebook() as gradebook:
        assert gradebook.find_submission(STEP, "s001").score == told["raw"]
    (line,) = (it for it in ask(widget, "list", step=STEP)["submissions"] if it["student"] == one)
    assert line["marks"]["ethics"] == [3, False]
    assert line["total"] == told["total"]
    # The same message once more, because its answer was late, changes nothing and is no conflict.
    again = ask(widget, "give", step=STEP, student=one, criterion="ethics", points=3, seen=None)
    assert again == told


def test_the_slower_page_is_told_what_stands_there(room: Room, widget: Marking) -> None:
    one = handle(room, "s001")
    ask(widget, "open", "first", marker="First")
    ask(widget, "open", "second", marker="Second")
    where = {"step": STEP, "student": one, "criterion": "action"}
    ask(widget, "give", "first", **where, points=4, seen=None)
    told = ask(widget, "give", "second", **where, points=1, seen=None)
    assert told["type"] == "conflict"
    assert (told["current"]["points"], told["current"]["by"]) == (4, "First")
    ask(widget, "say", "first", **where, comment="One", seen="")
    told = ask(widget, "say", "second", **where, comment="Two", seen="")
    assert (told["type"], told["current"]["comment"]) == ("conflict", "One")
    told = ask(widget, "say", "second", **where, comment="One\n\nTwo", seen="One")
    assert told["marks"]["action"]["comment"] == "One\n\nTwo"


def test_undo_says_what_it_undid(room: Room, widget: Marking) -> None:
    one = handle(room, "s003")
    where = {"step": STEP, "student": one, "criterion": "evidence"}
    ask(widget, "give", **where, points=2, seen=None)
    ask(widget, "give", **where, points=4, seen=2)
    told = ask(widget, "undo", step=STEP)
    assert (told["type"], told["student"], told["before"], told["after"]) == ("undone", one, 2, 4)
    ask(widget, "undo", step=STEP)
    assert ask(widget, "undo", step=STEP)["nothing"] is True
    assert ask(widget, "read", step=STEP, student=one)["marks"]["evidence"]["points"] is None


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("give", {"student": "s001", "criterion": "ethics", "points": 1, "seen": None}),
        ("give", {"student": "0" * 16, "criterion": "ethics", "points": "4", "seen": None}),
        ("give", {"student": "0" * 16, "criterion": "ethics", "points": -1, "seen": None}),
        ("give", {"student": "0" * 16, "criterion": "ethics", "points": 1}),
        ("say", {"student": "0" * 16, "criterion": "ethics", "comment": "x" * 20_001, "seen": ""}),
        ("read", {"student": "../../etc"}),
        ("read", {"student": "0" * 16, "more": 1}),
        ("shell", {}),
        ("unhighlight", {"student": "0" * 16, "id": 2**40}),
    ],
)
def test_what_is_not_in_the_protocol_is_refused(
    widget: Marking, kind: str, more: dict[str, Any]
) -> None:
    assert refused(widget, kind, step=STEP, **more)


def test_what_is_not_there_is_said_in_plain_words(room: Room, widget: Marking) -> None:
    one = handle(room, "s001")
    where = {"step": STEP, "student": one, "seen": None}
    for kind, more, words in (
        ("list", {"step": "step-9"}, "no step"),
        ("read", {"step": STEP, "student": "0" * 16}, "not in the gradebook any more"),
        ("give", {**where, "criterion": "structures", "points": 1}, "no criterion"),
        ("give", {**where, "criterion": "ethics", "points": 4.5}, "from 0 to 4"),
    ):
        told = ask(widget, kind, **more)
        assert told["type"] == "problem"
        assert words in told["message"]
    assert ask(widget, "read", step=STEP, student=one)["marks"]["ethics"]["points"] is None


def test_a_new_kernel_knows_the_submissions_of_an_old_page(room: Room) -> None:
    assert ask(Marking(room), "read", step=STEP, student=handle(room, "s002"))["pseudonym"]


def test_a_folder_that_is_no_room_says_so_and_a_later_try_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCN_ROOM", str(tmp_path))
    widget = open_marking()
    told = ask(widget, "open")
    assert told["type"] == "problem"
    assert "holds no nbgrader_config.py" in told["message"]
    made = class_to_mark(tmp_path / "course", 1)
    monkeypatch.setenv("PCN_ROOM", str(made.root))
    assert ask(widget, "open")["type"] == "room"


def test_a_gradebook_that_fails_is_asked_again_and_nothing_of_it_is_shown(
    room: Room, widget: Marking
) -> None:
    ask(widget, "open")
    one = handle(room, "s001")
    kept = (room.root / "gradebook.db").read_bytes()
    (room.root / "gradebook.db").write_bytes(b"no database, secret: xyzzy" * 100)
    room.engine.dispose()
    told = ask(widget, "give", step=STEP, student=one, criterion="ethics", points=1, seen=None)
    assert (told["type"], told["again"]) == ("problem", True)
    assert "xyzzy" not in told["message"]
    room.engine.dispose()
    (room.root / "gradebook.db").write_bytes(kept)
    told = ask(widget, "give", step=STEP, student=one, criterion="ethics", points=1, seen=None)
    assert told["type"] == "standing"


# ---- Answers and passages ---------------------------------------------------------------------


class Reader(HTMLParser):
    """The headings of an answers page, and the text boxes and cells below each."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[dict[str, Any]] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)
        if tag == "h3":
            self.blocks.append({"label": "", "rows": [], "text": ""})
        if tag == "tr":
            self.blocks[-1]["rows"].append([])
        if tag == "td":
            self.blocks[-1]["rows"][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self.tags and self.tags.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.blocks:
            return
        block = self.blocks[-1]
        if self.tags[-1] == "h3":
            block["label"] += data
        elif self.tags[-1] == "td":
            block["rows"][-1][-1] += data
        elif self.tags[-1] == "div":
            block["text"] += data


@pytest.mark.parametrize("step_id", STEPS)
@pytest.mark.parametrize("leave_out", [0, 2, 3])
def test_each_heading_is_followed_by_what_the_page_thinks_it_is(
    step_id: str, leave_out: int
) -> None:
    step = COURSE.step(step_id)
    values = sample_answers(step, text="Words with <b>, 🙂 and\nlines on “{label}”")
    kept = [key for at, key in enumerate(values) if not leave_out or at % leave_out]
    fields = {key: Field(values[key], 1) for key in kept}
    fields["unknown"] = Field("An answer to nothing", 1)
    for prompt in step.prompts:
        if prompt.kind == "table" and prompt.key in fields:
            rows = fields[prompt.key].value
            fields[prompt.key] = Field([rows[0], {"id": "empty"}, rows[1]], 1)
    submitted = Submitted(fields)
    reader = Reader()
    reader.feed(answers_html(step, fields))
    blocks = view.answers(step, submitted)["blocks"]
    assert len(blocks) == len(reader.blocks)
    texts = 0
    for block, shown in zip(blocks, reader.blocks, strict=True):
        if block is None:
            continue
        assert shown["label"] == block["label"]
        if "rows" not in block:
            assert shown["text"] == text_of(step, submitted, block["key"], None, None)
            texts += 1
            continue
        assert len(shown["rows"][1:]) == len(block["rows"])
        for row, cells in zip(block["rows"], shown["rows"][1:], strict=True):
            assert len(cells) == len(block["columns"])
            for column, text in zip(block["columns"], cells, strict=True):
                if column["text"]:
                    where = block["key"], row, column["key"]
                    assert text == text_of(step, submitted, *where)
                    texts += 1
    assert texts > 0


def test_a_hostile_answer_is_text(room: Room, widget: Marking) -> None:
    html = ask(widget, "read", step=STEP, student=handle(room, "s003"))["html"]
    assert "&lt;script&gt;" in html
    assert not re.search(r"<(script|img|b)\b", html)
    assert HOSTILE not in html


def test_a_passage_is_marked_once_and_can_be_removed(room: Room, widget: Marking) -> None:
    hand_in(room, "s001", STEP, {"live-project": "A path 🙂 for elders"})
    where = {"step": STEP, "student": handle(room, "s001")}
    new = {
        "prompt": "live-project", "row": None, "column": None, "start": 7, "passage": "🙂 for",
        "comment": "For whom?", "criterion": "ethics",
    }  # fmt: skip
    for _ in range(2):
        told = ask(widget, "highlight", **where, **new)
    (mark,) = told["highlights"]
    assert (mark["passage"], mark["start"], mark["end"]) == ("🙂 for", 7, 12)
    assert ask(widget, "highlight", **where, **{**new, "start": 8})["type"] == "problem"
    assert ask(widget, "highlight", **where, **{**new, "criterion": "no"})["type"] == "problem"
    # Another submission's passage can't be removed from here.
    other = {"step": STEP, "student": handle(room, "s002")}
    ask(widget, "unhighlight", **other, id=mark["id"])
    assert len(ask(widget, "read", **where)["highlights"]) == 1
    assert ask(widget, "unhighlight", **where, id=mark["id"])["highlights"] == []


def test_requests_and_notes_stand_beside_the_answer(room: Room, widget: Marking) -> None:
    make_tables(room.engine)
    with room.engine.begin() as connection:
        for answer in (None, "It stays."):
            connection.execute(
                insert(requests).values(
                    student="s002", step=STEP, criterion="ethics", text=HOSTILE, at=now(),
                    answer=answer,
                )
            )  # fmt: skip
    lines = {one["student"]: one for one in ask(widget, "list", step=STEP)["submissions"]}
    assert lines[handle(room, "s002")]["requests"] == 1
    found = ask(widget, "read", step=STEP, student=handle(room, "s002"))["requests"]
    assert [(one["text"], one["answer"]) for one in found] == [
        (HOSTILE, None),
        (HOSTILE, "It stays."),
    ]
    assert ask(widget, "read", step=STEP, student=handle(room, "s001"))["requests"] == []


# ---- The bank of comments ---------------------------------------------------------------------


def test_the_bank_is_kept_changed_and_exported(widget: Marking) -> None:
    ask(widget, "add-phrase", text="=Say, “why”", criterion=None)
    ask(widget, "add-phrase", text="Name the safeguard.", criterion="ethics")
    found = ask(widget, "phrases", step=STEP, criterion="ethics")["phrases"]
    assert [one["text"] for one in found] == ["=Say, “why”", "Name the safeguard."]
    ask(widget, "use-phrase", id=found[1]["id"])
    ask(widget, "change-phrase", id=found[1]["id"], text="Name a safeguard.")
    file = ask(widget, "export-phrases")
    text = base64.b64decode(file["data"]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["text"], row["criterion"], row["used"]) for row in rows] == [
        ("Name a safeguard.", "ethics", "1"),
        ("'=Say, “why”", "", "0"),
    ]
    ask(widget, "remove-phrase", id=found[0]["id"])
    (left,) = ask(widget, "phrases", step=STEP, criterion="ethics")["phrases"]
    assert left["text"] == "Name a safeguard."
    assert ask(widget, "add-phrase", text="  ", criterion=None)["type"] == "problem"


def test_keys_of_levels_count_up_where_points_are_no_digits() -> None:
    def keys(*points: float) -> list[str]:
        levels = tuple(Level(points=one, name="n", text="t") for one in points)
        return view._keys(Criterion(id="c", title="t", question="q", levels=levels))

    assert keys(4, 3, 0) == ["4", "3", "0"]
    assert keys(10, 7.5, 0) == ["2", "1", "0"]
    assert keys(*range(20, 8, -1))[:3] == ["", "", "9"]


def test_two_kernels_on_one_gradebook_agree(room: Room, widget: Marking) -> None:
    other = Gradebook(open_room(room.root), "other")
    one = handle(room, "s001")
    other.give("s001", STEP, "action", 2)
    told = ask(widget, "read", step=STEP, student=one)
    assert (told["marks"]["action"]["points"], told["marks"]["action"]["by"]) == (2, "other")
    assert told["total"] == other.submission("s001", STEP).total


@pytest.mark.parametrize("second", [False, True])
def test_a_mark_says_on_which_answers_it_was_given(
    room: Room, widget: Marking, *, second: bool
) -> None:
    hand_in_anew(room, "s001", STEP, {"live-project": "A path"})
    where = {"step": STEP, "student": handle(room, "s001"), "second": second}
    read = ask(widget, "read", **where)["sha256"]
    mark = {**where, "criterion": "ethics"}
    told = ask(widget, "give", **mark, points=3, seen=None, sha256=read)
    assert told["type"] == "standing"
    assert "sha256" not in told, "a page that shows old answers must not take the hash of new ones"
    hand_in_anew(room, "s001", STEP, {"live-project": "Another path"})
    for points in (3, 4):
        told = ask(widget, "give", **mark, points=points, seen=3, sha256=read)
        assert (told["type"], told["anew"]) == ("conflict", True)
        assert "has handed in anew" in told["message"]
        assert told["current"]["points"] == 3
    found = ask(widget, "read", **where)
    assert (found["marks"]["ethics"]["points"], found["marks"]["ethics"]["open"]) == (3, True)
    assert "Another path" in found["html"]
    told = ask(widget, "give", **mark, points=3, seen=3, sha256=found["sha256"])
    assert told["marks"]["ethics"]["open"] is False
    # A page that is older, or was kept on a device by one, says no hash.
    assert ask(widget, "give", **mark, points=2, seen=3)["type"] == "standing"
    assert refused(widget, "give", seq=3, **mark, points=2, seen=3, sha256="../x")


# ---- The second marker ------------------------------------------------------------------------


@pytest.fixture
def pair(room: Room, widget: Marking) -> tuple[Marking, dict[str, Any]]:
    """Ada has marked the first student; Ben comes as a second marker."""
    ask(widget, "open", "ada", marker="Ada")
    ask(widget, "open", "ben", marker="Ben")
    where = {"step": STEP, "student": handle(room, "s001"), "criterion": "ethics"}
    ask(widget, "give", "ada", **where, points=3, seen=None)
    ask(widget, "say", "ada", **where, comment="For the first eyes only", seen="")
    hand_in(room, "s001", STEP, {"live-project": "A path"})
    place = {"prompt": "live-project", "row": None, "column": None, "start": 0, "passage": "A path"}
    ask(widget, "highlight", "ada", **{**where, "criterion": None}, **place, comment="For Ada only")
    return widget, where


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_score_of_an_old_scale_is_refused_and_a_comment_is_not(
    room: Room, widget: Marking, *, second: bool, restarted: bool
) -> None:
    version = ask(widget, "open")["version"]
    where = {"step": STEP, "student": handle(room, "s001"), "second": second}
    mark = {**where, "criterion": "ethics", "seen": None, "version": version}
    rescale(room)
    kernel = Marking(open_room(room.root)) if restarted else widget
    told = ask(kernel, "give", **mark, points=4)
    assert (told["type"], told["changed"]) == ("problem", True)
    assert told["message"].endswith("Nothing was changed.")
    assert ask(kernel, "read", **where)["marks"]["ethics"]["points"] is None
    if not restarted:
        # A page that says no version is no newer than its kernel.
        assert ask(kernel, "give", **{**mark, "version": ""}, points=4)["changed"]
    told = ask(kernel, "say", **where, criterion="ethics", comment="Kept.", seen="")
    assert told["marks"]["ethics"]["comment"] == "Kept."
    # The page is loaded again.
    opened = ask(kernel, "open")
    assert opened["version"] != version
    ethics = next(one for one in opened["criteria"] if one["id"] == "ethics")
    assert [level["points"] for level in ethics["levels"]] == [3.5, 3, 2, 1, 0]
    assert ask(kernel, "give", **mark, points=4)["changed"], "one that was kept on the device"
    told = ask(kernel, "give", **{**mark, "version": opened["version"]}, points=3.5)
    assert told["marks"]["ethics"]["points"] == 3.5


def rescale(room: Room) -> None:
    """The best level of ethics is worth less from now on."""
    path = room.course.root / "data" / "rubric.toml"
    head, found, tail = path.read_text().partition('id = "ethics"')
    assert found
    path.write_text(head + found + tail.replace("points = 4", "points = 3.5", 1))


def test_an_undo_writes_no_score_of_an_old_scale(room: Room, widget: Marking) -> None:
    version = ask(widget, "open")["version"]
    one = {"step": STEP, "student": handle(room, "s001"), "criterion": "ethics"}
    for points, seen in ((4, None), (3, 4)):
        ask(widget, "give", **one, points=points, seen=seen)
    rescale(room)
    assert ask(widget, "undo", step=STEP, version=version)["changed"]
    assert Gradebook(room, "").submission("s001", STEP).marks["ethics"].points == 3


def test_a_second_marker_sees_nothing_of_the_first(pair: tuple[Marking, dict[str, Any]]) -> None:
    widget, where = pair
    one = {"step": STEP, "student": where["student"], "second": True}
    found = [
        ask(widget, "list", "ben", step=STEP, second=True),
        ask(widget, "read", "ben", **one),
        ask(widget, "give", "ben", **where, second=True, points=1, seen=None),
        ask(widget, "say", "ben", **where, second=True, comment="Too high?", seen=""),
    ]
    said = json.dumps(found)
    for word in ("Ada", "first eyes", "total", '"structure', "penalty", "raw"):
        assert word not in said.replace('"total": null', "")
    assert found[1]["marks"]["ethics"]["points"] is None
    assert found[3]["marks"]["ethics"]["points"] == 1
    assert found[3]["marks"]["ethics"]["comment"] == "Too high?"


def test_a_second_mark_changes_nothing_in_the_gradebook(
    room: Room, pair: tuple[Marking, dict[str, Any]]
) -> None:
    widget, where = pair
    one = {"step": STEP, "student": where["student"]}
    before = ask(widget, "read", "ada", **one)
    ask(widget, "give", "ben", **where, second=True, points=1, seen=None)
    ask(widget, "say", "ben", **where, second=True, comment="Too high?", seen="")
    assert ask(widget, "read", "ada", **one) == before
    with room.engine.connect() as connection:
        (kept,) = connection.execute(second_marks.select()).all()
    assert (kept.student, kept.marker, kept.points, kept.note) == ("s001", "Ben", 1, "Too high?")


def test_nobody_is_their_own_second_marker(pair: tuple[Marking, dict[str, Any]]) -> None:
    widget, where = pair
    told = ask(widget, "give", "ada", **where, second=True, points=1, seen=None)
    assert told["type"] == "problem"
    assert "somebody else's" in told["message"]
    lines = ask(widget, "list", "ada", step=STEP, second=True)["submissions"]
    own = next(line for line in lines if line["student"] == where["student"])
    assert own["marks"]["ethics"] == [None, False]
    assert own["marks"]["action"] == [None, True]


def test_a_second_marker_in_two_windows_overwrites_nothing_unseen(
    pair: tuple[Marking, dict[str, Any]],
) -> None:
    widget, where = pair
    ask(widget, "give", "ben", **where, second=True, points=1, seen=None)
    told = ask(widget, "give", "ben", **where, second=True, points=4, seen=None)
    assert (told["type"], told["current"]["points"]) == ("conflict", 1)
    told = ask(widget, "give", "ben", **where, second=True, points=4, seen=1)
    assert told["marks"]["ethics"]["points"] == 4
    assert ask(widget, "give", "ben", **where, second=True, points=9, seen=4)["type"] == "problem"
    place = {"prompt": "x", "row": None, "column": None, "start": 0, "passage": "A", "comment": ""}
    told = ask(widget, "highlight", "ben", **{**where, "criterion": None}, **place, second=True)
    assert told["type"] == "problem"


def test_opening_the_page_takes_in_requests_and_renews_penalties(tmp_path: Path) -> None:
    room = make_room(tmp_path / "course", ("ada", "ben"))
    with (room.root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.Exchange.root = {str(tmp_path)!r}\n")
        file.write("c.ExchangeCollect.check_owner = False\n")
    name = f"ada+{STEP}.request+2027-01-22 10:00:00.000000 UTC+abc"
    request = tmp_path / "pcn" / "inbound" / name / "request.json"
    request.parent.mkdir(parents=True)
    sent = {"course": "pcn", "step": STEP, "criterion": "ethics", "text": "Look at goal 2."}
    request.write_text(json.dumps(sent))
    (room.root / "late.csv").write_text("what,student,step,value\npenalty,,all,10% per day\n")
    with room.gradebook() as gradebook:
        # Both handed in two days later.
        gradebook.update_or_create_assignment(STEP, duedate=dt.datetime(2027, 1, 18, 10))  # noqa: DTZ001
    widget = Marking(open_room(room.root))
    assert ask(widget, "open", "kim", marker="Kim")["type"] == "room"
    lines = ask(widget, "list", "kim", step=STEP)["submissions"]
    assert sorted(line["requests"] for line in lines) == [0, 1]
    one = ask(widget, "read", "kim", step=STEP, student=lines[0]["student"])
    assert one["penalty"] > 0
    # A table that was taken away takes its penalties with it, as in an export.
    (room.root / "late.csv").unlink()
    ask(widget, "open", "kim", marker="Kim")
    assert ask(widget, "read", "kim", step=STEP, student=lines[0]["student"])["penalty"] == 0
    # What is faulty keeps nobody from marking.
    (room.root / "late.csv").write_text("what,student,step,value\npenalty,,all,some\n")
    assert ask(widget, "open", "kim", marker="Kim")["type"] == "room"

"""Answers: saved whole, versioned by field, never lost, whatever happens to the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pcn_course.answers.store import (
    AnswerStore,
    Edit,
    Field,
    Saved,
    Submitted,
    decode,
    read_answers,
)
from pcn_course.course import Step, default_root, load_course
from pcn_course.files import StorageError

COURSES = Path(__file__).parents[1] / "courses"
STEP = load_course(COURSES / "base").step("goals")


class Desk:
    """A student's folder on disk, and stores as the pages' kernels open them."""

    def __init__(self, root: Path, step: Step = STEP) -> None:
        self.root = root
        self.step = step
        self.folder = root / step.id
        self.folder.mkdir(parents=True, exist_ok=True)

    def store(self) -> AnswerStore:
        return AnswerStore(self.step, "mini", self.folder, self.root / ".pcn")

    @property
    def file(self) -> Path:
        return self.folder / "answers.json"

    def type(
        self, text: str, *, base: int, client: str = "tab", seq: int = 1, key: str = "why"
    ) -> Saved:
        return self.store().save(client, {key: Edit(text, base)}, seq)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_loading_a_new_step_writes_no_answers(desk: Desk) -> None:
    assert desk.store().load().fields == {}
    assert not desk.file.exists()


def test_a_save_has_the_documented_form(desk: Desk) -> None:
    saved = desk.type("Because it helps.", base=0)
    assert saved.versions == {"why": 1}
    document = json.loads(desk.file.read_text(encoding="utf-8"))
    assert document == {
        "format": 1,
        "course": "mini",
        "step": "goals",
        "revision": 1,
        "saved_at": saved.saved_at,
        "asked": desk.store().step.version,
        "fields": {"why": {"value": "Because it helps.", "version": 1}},
    }
    assert document["saved_at"].endswith("Z")


def test_saving_the_same_twice_is_one_save(desk: Desk) -> None:
    desk.type("a", base=0)
    again = desk.type("a", base=0, client="other tab")
    assert (again.versions, again.conflicts, again.revision) == ({"why": 1}, {}, 1)


def test_private_answers_stay_out_of_what_is_submitted(desk: Desk) -> None:
    desk.store().save("tab", {"private-note": Edit("my own", 0), "why": Edit("public", 0)})
    assert "my own" not in desk.file.read_text(encoding="utf-8")
    assert [path.name for path in desk.folder.iterdir()] == ["answers.json"]
    fields = desk.store().load().fields
    assert (fields["private-note"].value, fields["why"].value) == ("my own", "public")


def test_an_edit_of_something_older_is_a_conflict_and_both_texts_are_kept(desk: Desk) -> None:
    desk.type("start", base=0, client="phone")
    desk.type("start here", base=1, client="phone", seq=2)
    refused = desk.type("start there", base=1, client="laptop").conflicts["why"]
    assert (refused.value, refused.version, refused.base_value) == ("start here", 2, "start")
    assert desk.store().load().fields["why"].value == "start here"
    assert "start there" in [entry.value for entry in desk.store().history("why")]
    merged = desk.type("start here there", base=2, client="laptop", seq=2)
    assert merged.versions == {"why": 3}


def test_typing_on_after_a_lost_acknowledgement_is_no_conflict(desk: Desk) -> None:
    desk.type("abc", base=0, seq=1)
    typed_on = desk.type("abcd", base=0, seq=2)
    assert (typed_on.versions, typed_on.conflicts) == ({"why": 2}, {})


def test_a_late_copy_of_an_old_save_does_not_undo_a_newer_one(desk: Desk) -> None:
    desk.type("abc", base=0, seq=1)
    desk.type("abcd", base=0, seq=2)
    late = desk.type("abc", base=0, seq=1)
    assert late.versions == {"why": 2}
    assert desk.store().load().fields["why"].value == "abcd"


def test_the_merge_base_is_what_the_client_saved_last(desk: Desk) -> None:
    desk.type("a", base=0, client="phone", seq=1)
    desk.type("a b", base=1, client="laptop", seq=1)
    # The phone never heard of version 1 being saved, and typed on.
    refused = desk.type("a c", base=0, client="phone", seq=2).conflicts["why"]
    assert (refused.base_value, refused.value) == ("a", "a b")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("why", {"not": "text"}, "is not text"),
        ("people", [{"id": "r1", "role": "boss"}], "not one of the choices"),
        ("Never asked!", "text", "no such question"),
        ("never-asked", [[{"not": "an answer"}]], "no answer"),
        ("why", "x" * 2_000_001, "longer than"),
    ],
)
def test_what_is_no_answer_is_refused_in_plain_words(
    desk: Desk, key: str, value: object, words: str
) -> None:
    saved = desk.store().save("tab", {key: Edit(value, 0), "live-project": Edit("kept", 0)})
    assert words in saved.invalid[key]
    assert saved.versions == {"live-project": 1}


def test_an_answer_to_a_dropped_question_stays_where_it_was(desk: Desk, tmp_path: Path) -> None:
    """What was public stays public; what was private, or never saved before, is private."""
    desk.store().save("tab", {"why": Edit("Because.", 0), "private-note": Edit("Mine.", 0)})
    asked = tuple(one for one in STEP.prompts if one.key not in ("why", "private-note"))
    later = Desk(tmp_path, msgspec.structs.replace(STEP, prompts=asked))
    edits = {"why": Edit("So.", 1), "private-note": Edit("Still mine.", 1), "new": Edit("?", 0)}
    saved = later.store().save("tab", edits, 2)
    assert (saved.versions, saved.conflicts) == ({"why": 2, "private-note": 2, "new": 1}, {})
    public = decode(later.file.read_bytes(), "mini", STEP.name).fields
    assert {key: field.value for key, field in public.items()} == {"why": "So."}
    kept = later.store().load().fields
    assert {key: field.value for key, field in kept.items()} == {
        "why": "So.", "private-note": "Still mine.", "new": "?",
    }  # fmt: skip


def with_why(*, private: bool) -> Step:
    """The step, in which one question is private or public."""
    changed = (
        msgspec.structs.replace(one, private=private) if one.key == "why" else one
        for one in STEP.prompts
    )
    return msgspec.structs.replace(STEP, prompts=tuple(changed))


def test_a_question_that_becomes_private_takes_its_answer_along(tmp_path: Path) -> None:
    """With the next save; until then it stands there as it was."""
    Desk(tmp_path, with_why(private=False)).type("First.", base=0)
    later = Desk(tmp_path, with_why(private=True))
    assert later.store().load().fields["why"] == Field("First.", 1)
    assert later.type("Second.", base=1, seq=2).versions == {"why": 2}
    assert later.store().load().fields["why"] == Field("Second.", 2)
    assert decode(later.file.read_bytes(), "mini", STEP.name).fields == {}


def test_what_was_private_is_shown_beside_a_question_that_is_public_now(tmp_path: Path) -> None:
    Desk(tmp_path, with_why(private=True)).type("For me alone.", base=0)
    later = Desk(tmp_path, with_why(private=False))
    assert later.store().load().fields == {"why-before": Field("For me alone.", 1)}
    assert later.type("For all.", base=0, seq=2).versions == {"why": 1}
    assert "For me alone." not in later.file.read_text()
    values = {key: field.value for key, field in later.store().load().fields.items()}
    assert values == {"why": "For all.", "why-before": "For me alone."}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "\0 NUL \x1b", "שלום \u202e abc", "👩🏽‍⚕️" * 50, "x" * 1_000_000],
    ids=["script", "nul", "right-to-left", "emoji", "a-million"],
)
def test_any_text_comes_back_as_it_was(desk: Desk, text: str) -> None:
    desk.type(text, base=0)
    assert desk.store().load().fields["why"].value == text


def test_half_a_character_is_replaced_not_fatal(desk: Desk) -> None:
    desk.type("half \ud83d", base=0)
    assert desk.store().load().fields["why"].value == "half \ufffd"


GOOD = {"format": 1, "course": "mini", "step": "goals", "revision": 1, "saved_at": None}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not an answers file"),
        (b"\xff\xfe", "not an answers file"),
        (b"[" * 100_000, "not an answers file"),
        (json.dumps({**GOOD, "format": 2, "fields": {}}).encode(), "newer version"),
        (json.dumps({**GOOD, "step": "tools", "fields": {}}).encode(), "another step"),
        (json.dumps({**GOOD, "course": "other", "fields": {}}).encode(), "another course"),
        (json.dumps({**GOOD, "fields": {"why": "text"}}).encode(), "not an answers file"),
        (json.dumps({**GOOD, "fields": {"why": {"value": "x", "version": -1}}}).encode(), "wrong"),
    ],
)
def test_an_unusable_file_is_set_aside_and_named(desk: Desk, content: bytes, reason: str) -> None:
    desk.file.write_bytes(content)
    assert any(problem for problem in read_answers(desk.file, STEP, "mini").problems)
    assert desk.file.read_bytes() == content, "reading for grading changes nothing"
    loaded = desk.store().load()
    (notice,) = loaded.notices
    assert reason in notice
    named = next(word for word in notice.split() if word.startswith(".pcn/set-aside/"))
    assert (desk.root / named).read_bytes() == content
    assert desk.type("new", base=0).versions == {"why": 1}


REAL = load_course(default_root()).step("goals")


def submitted(desk: Desk, fields: dict[str, object], step: Step = REAL) -> Submitted:
    """What grading reads of these values."""
    document = {**GOOD, "step": step.name}
    document["fields"] = {key: {"value": value, "version": 1} for key, value in fields.items()}
    desk.file.write_text(json.dumps(document))
    return read_answers(desk.file, step)


def test_a_choice_counts_once_however_often_it_is_there(desk: Desk) -> None:
    prompt = REAL.prompt("how-you-like-to-meet")
    assert prompt
    first, second = (option.value for option in prompt.options[:2])
    read = submitted(desk, {prompt.key: [second, first, second, second]})
    assert read.fields[prompt.key].value == [second, first]
    read = submitted(desk, {prompt.key: [first] * 1_000_000})
    assert prompt.key not in read.fields
    assert read.problems == (
        f"What was kept for “{prompt.label}” has more than 1,000 choices, so it isn't shown.",
    )
    assert desk.store().save("tab", {"why": Edit("x", 0)}).versions == {"why": 1}


def test_a_choice_counts_once_in_a_cell(desk: Desk) -> None:
    step = load_course(default_root()).step("connections")
    row = {"id": "a", "person": "A", "kinds": ["get-advice"] * 9}
    read = submitted(desk, {"people": [row]}, step)
    assert read.fields["people"].value == [{"id": "a", "person": "A", "kinds": ["get-advice"]}]


@pytest.mark.parametrize(
    "value",
    ["[" * 500 + "]" * 500, f"[{'[],' * 1_000_000}0]", f"[{'0,' * 2_000_000}0]"],
    ids=["deep", "lists", "numbers"],
)
def test_an_answer_that_no_page_can_have_made_is_refused(desk: Desk, value: str) -> None:
    document = json.dumps({**GOOD, "fields": {"nobody-asks": {"value": 0, "version": 1}}})
    desk.file.write_text(document.replace('"value": 0', f'"value": {value}'))
    read = read_answers(desk.file, STEP)
    assert read.fields == {}
    assert read.problems[0].startswith("The answers file can't be used: it")


def test_memory_that_runs_out_is_a_fault_of_that_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.file.write_text(json.dumps({**GOOD, "fields": {}}))

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pcn_course.answers.store.msgspec.json.decode", fail)
    assert read_answers(desk.file, STEP, "mini").problems


def test_what_a_save_set_aside_is_told_to_the_next_who_loads(desk: Desk) -> None:
    store = desk.store()
    desk.file.write_bytes(b"{")
    assert store.save("tab", {"why": Edit("new", 3)}).conflicts["why"].version == 0
    (notice,) = store.load().notices
    assert "not an answers file" in notice
    assert store.load().notices == ()


def test_private_answers_are_read_without_changing_anything(desk: Desk) -> None:
    desk.type("Mine alone", base=0, key="private-note")
    store = desk.store()
    found = store.private_answers()
    assert {key: field.value for key, field in found.items()} == {"private-note": "Mine alone"}
    store.private.write_bytes(b"{")
    with pytest.raises(StorageError, match="can't be used"):
        store.private_answers()
    assert store.private.read_bytes() == b"{", "whoever opens the step is told of it"


def test_half_a_line_spoils_no_line_that_follows(desk: Desk) -> None:
    desk.type("one evening's text", base=0)
    path = desk.root / ".pcn" / "history" / f"{STEP.id}.jsonl"
    with path.open("ab") as file:
        file.write(b'{"key":"why","value":"torn')
    desk.type("another thought", base=1)
    desk.type("nothing of either", base=2)
    found = [entry.value for entry in desk.store().history("why")]
    assert {"one evening's text", "another thought"} <= set(found)


def test_what_stood_in_an_unusable_file_can_be_put_back(desk: Desk) -> None:
    desk.type("A paragraph that took an evening.", base=0)
    assert desk.store().history("why") == [], "what stands there is no earlier version"
    desk.file.write_bytes(b"{")
    (notice,) = desk.store().load().notices
    assert "“Earlier versions”" in notice
    for text in (None, "Begun anew"):
        if text:
            assert desk.type(text, base=0, seq=9).versions == {"why": 1}
        assert desk.store().past() == {"why"}
        found = [entry.value for entry in desk.store().history("why")]
        assert found == ["A paragraph that took an evening."]


def test_a_value_of_the_wrong_type_is_told_and_kept_in_the_history(desk: Desk) -> None:
    fields = {
        "why": {"value": ["a", "list"], "version": 4},
        "old-key": {"value": "x", "version": 1},
    }
    desk.file.write_text(json.dumps({**GOOD, "fields": fields}), encoding="utf-8")
    loaded = desk.store().load()
    assert (loaded.fields["why"].value, loaded.fields["why"].version) == (None, 4)
    assert "“Why this one?” is not text" in loaded.notices[0]
    assert desk.type("new", base=4).versions == {"why": 5}
    assert [entry.value for entry in desk.store().history("why")] == [["a", "list"]]
    assert desk.store().load().fields["old-key"].value == "x", "an unknown key is kept"


def test_history_offers_texts_that_were_taken_away(desk: Desk) -> None:
    long = "A paragraph that took an evening to write, and is gone in a second."
    desk.type(long, base=0, seq=1)
    desk.type("", base=1, seq=2)
    desk.type("Oh", base=2, seq=3)
    assert [entry.value for entry in desk.store().history("why")] == [long]


def test_a_long_history_is_thinned_out_and_keeps_what_matters(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pcn_course.answers.history.COMPACT_AT", 20_000)
    desk.type("The first thought, soon removed.", base=0, seq=1, key="live-project")
    desk.type("", base=1, seq=2, key="live-project")
    for number in range(300):
        desk.type("word " * 20 + str(number), base=number, seq=number + 1)
    path = desk.root / ".pcn" / "history" / f"{STEP.id}.jsonl"
    assert path.stat().st_size < 40_000
    entries = desk.store().history("live-project")
    assert [entry.value for entry in entries] == ["The first thought, soon removed."]
    assert desk.store().load().fields["why"].version == 300


def test_a_damaged_history_line_harms_nothing(desk: Desk) -> None:
    desk.type("one, which is long enough to count", base=0)
    with (desk.root / ".pcn" / "history" / f"{STEP.id}.jsonl").open("ab") as file:
        file.write(b'{"key": "why", "val\n')
    desk.type("two", base=1, seq=2)
    assert [entry.value[:3] for entry in desk.store().history("why")] == ["one"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no mounts")
    try:
        desk = Desk(small)
        desk.type("kept", base=0)
        with pytest.raises(StorageError, match="no room left"):
            desk.type("x" * 400_000, base=1, seq=2)
        assert desk.store().load().fields["why"].value == "kept"
        assert [path.name for path in desk.folder.iterdir()] == ["answers.json"]
        assert desk.type("kept on", base=1, seq=3).versions == {"why": 2}
    finally:
        subprocess.run(["umount", str(small)], check=True)


WRITER = """
import sys
from pathlib import Path
from tests.answers.test_store import Desk
from pcn_course.answers.store import Edit
desk, name = Desk(Path(sys.argv[1])), sys.argv[2]
store = desk.store()
for number in range(1, 10**6):
    key = "why" if name == "shared" else name
    base = store.load().fields[key].version if key in store.load().fields else 0
    edit = Edit(f"{name} {number} " + "x" * 2000, base)
    saved = store.save(name + sys.argv[3], {key: edit}, number)
    if key in saved.versions:
        print(number, saved.versions[key], flush=True)
    if number == int(sys.argv[4]):
        break
"""


def _writer(desk: Desk, name: str, client: str = "", times: int = 10**6) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(desk.root), name, client, str(times)]
    here = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True)


def test_what_was_acknowledged_survives_kill_9(desk: Desk) -> None:
    for round_number in range(4):
        writer = _writer(desk, "why", str(round_number))
        assert writer.stdout
        for _ in range(3 + round_number):
            acknowledged = writer.stdout.readline().split()
        os.kill(writer.pid, signal.SIGKILL)
        for line in writer.stdout.read().splitlines():  # said before the blow, read after it
            acknowledged = line.split()
        writer.wait()
        writer.stdout.close()
        loaded = desk.store().load()
        assert not loaded.notices
        assert loaded.fields["why"].version >= int(acknowledged[1])
        assert loaded.fields["why"].value.endswith("x" * 2000)


def test_two_processes_never_overwrite_each_other(desk: Desk) -> None:
    writers = [_writer(desk, name, times=25) for name in ("why", "live-project")]
    for writer in writers:
        assert len((writer.communicate(timeout=60)[0]).splitlines()) == 25
    loaded = desk.store().load()
    assert loaded.revision == 50
    assert {key: field.version for key, field in loaded.fields.items()} == {
        "why": 25,
        "live-project": 25,
    }


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
edits = st.lists(
    st.tuples(st.sampled_from(["phone", "laptop"]), texts, st.integers(0, 6)),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edits)
def test_every_text_ends_up_in_the_field_or_in_the_history(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, str, int]]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    for seq, (client, text, base) in enumerate(edits, start=1):
        before = desk.store().load().fields.get("why")
        saved = desk.store().save(client, {"why": Edit(text, base)}, seq)
        after = desk.store().load().fields.get("why")
        if "why" in saved.conflicts:
            assert after == before
        else:
            assert (after.value if after else "") == text
    history = desk.root / ".pcn" / "history" / f"{STEP.id}.jsonl"
    lines = history.read_text(encoding="utf-8").split("\n") if history.exists() else []
    kept = {json.loads(line)["value"] for line in lines if line}
    assert {text for _, text, _ in edits} - {""} <= kept


def test_a_waiting_store_does_not_hang_forever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcn_course.answers.store.LOCK_SECONDS", 0.2)
    holder = desk.store()
    with holder._locked(), pytest.raises(StorageError, match="Another window"):
        desk.type("x", base=0)

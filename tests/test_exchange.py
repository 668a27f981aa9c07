"""Handing in: a snapshot of the public answers, by the exchange or as a ZIP, and a true receipt."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.coursedir import CourseDirectory

from pcn_course.answers.store import Edit
from pcn_course.course import Step
from pcn_course.exchange import HandInError, Question, zip_name, zip_name_pattern
from pcn_course.grading.lms import unpacking
from pcn_course.grading.nbgrader.collect import Extractor
from tests.support.nbgrader_course import Course, Student

STEP = "step-1-goals"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course without an exchange."""
    return Course.make(tmp_path / "course")


@pytest.fixture
def ada(course: Course, tmp_path: Path) -> Student:
    ada = Student.join(course, tmp_path / "ada", "ada")
    ada.workspace.fill(course.content)
    ada.answer("goals", {"live-project": "A pathway", "private-note": "Only for me"})
    return ada


@pytest.fixture
def goals(course: Course) -> Step:
    return course.content.step("goals")


def set_due(student: Student, step: Step, due: dt.datetime) -> None:
    """What a released notebook brings with it."""
    path = student.workspace.root / step.path
    notebook = json.loads(path.read_text())
    notebook["metadata"]["pcn"]["due"] = due.isoformat()
    path.write_text(json.dumps(notebook))


def test_a_zip_holds_the_public_answers_and_what_feedback_needs(ada: Student, goals: Step) -> None:
    before = (ada.workspace.folder(goals) / "answers.json").read_bytes()
    made = ada.zip_of("goals")
    with zipfile.ZipFile(made) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert set(held) == {
        "answers.json", f"{STEP}.ipynb", "submission_secret.txt", "timestamp.txt"
    }  # fmt: skip
    assert held["answers.json"] == before
    assert b"Only for me" not in b"".join(held.values())
    assert len(held["submission_secret.txt"]) == 128
    receipt = ada.workspace.receipts(goals)[-1]
    assert receipt.sha256 == hashlib.sha256(before).hexdigest()
    assert held["timestamp.txt"].decode() == f"{receipt.when:%Y-%m-%d %H:%M:%S.%f} UTC"
    assert made == ada.workspace.root / "handed-in" / zip_name(STEP, "ada", receipt.when)
    assert receipt.how == "zip"
    state = ada.workspace.step(goals)
    assert (state.state, state.changed_since) == ("submitted", False)
    ada.answer("goals", {"live-project": "Another"})
    assert ada.workspace.step(goals).changed_since


def test_the_zip_holds_the_courses_notebook_whatever_the_student_did_to_theirs(
    course: Course, ada: Student, goals: Step
) -> None:
    (ada.workspace.root / goals.path).write_text("my own notes")
    with zipfile.ZipFile(ada.zip_of("goals")) as archive:
        ours = (course.root / "notebooks" / goals.path).read_bytes()
        assert archive.read(f"{STEP}.ipynb") == ours


def test_the_students_id_is_asked_for_once(ada: Student, goals: Step) -> None:
    with pytest.raises(Question) as asked:
        ada.hand_in("goals")
    assert asked.value.kind == "student"
    assert not ada.workspace.receipts(goals)
    ada.hand_in("goals", student=" jdoe@uni.example ")
    ada.answer("goals", {"live-project": "Another"})
    receipt = ada.hand_in("goals")
    assert receipt.file
    assert "+jdoe@uni.example+" in receipt.file
    assert len(ada.workspace.receipts(goals)) == 2


@pytest.mark.parametrize("student", ["a b", "a/b", "..", "a+b", "*", "é", "x" * 64, "a\nb", ".hid"])
def test_an_id_that_is_unsafe_is_asked_for_again(ada: Student, goals: Step, student: str) -> None:
    with pytest.raises(Question, match="can't go into a file's name"):
        ada.hand_in("goals", student=student)
    assert not ada.workspace.receipts(goals)
    assert ada.workspace.student == ""


def test_handing_in_again_after_the_due_date_is_asked_about(ada: Student, goals: Step) -> None:
    ada.zip_of("goals")
    set_due(ada, goals, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    ada.answer("goals", {"live-project": "In time"})
    ada.zip_of("goals")
    set_due(ada, goals, dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC))
    ada.answer("goals", {"live-project": "Too late"})
    with pytest.raises(Question, match=r"20 November 2026, 17:00 \(UTC\)") as asked:
        ada.hand_in("goals")
    assert asked.value.kind == "past-due"
    assert len(ada.workspace.receipts(goals)) == 2
    ada.hand_in("goals", confirm=True)
    assert len(ada.workspace.receipts(goals)) == 3


def test_each_submission_keeps_the_network_as_it_is(ada: Student, goals: Step) -> None:
    ada.zip_of("goals")
    assert ada.workspace.snapshots() == (), "nobody is in it yet"
    nurse, mentor = {"id": "a", "person": "Nurse"}, {"id": "b", "person": "Mentor"}
    ada.answer("connections", {"people": [nurse]})
    ada.zip_of("goals")
    ada.answer("connections", {"people": [nurse, mentor]})
    ada.zip_of("connections")
    one, two = ada.workspace.snapshots()
    assert (one.step, two.step) == ("goals", "connections")
    assert one.when == ada.workspace.receipts(goals)[-1].when
    assert one.values == {"connections": {"people": [nurse]}}
    assert two.values == {"connections": {"people": [nurse, mentor]}}


def test_a_network_that_cannot_be_kept_is_in_no_submissions_way(
    ada: Student, goals: Step, caplog: pytest.LogCaptureFixture
) -> None:
    ada.answer("connections", {"people": [{"id": "a", "person": "Nurse"}]})
    (ada.workspace.state / "networks").write_text("a file in the way")
    ada.zip_of("goals")
    assert len(ada.workspace.receipts(goals)) == 1
    assert "was not kept" in caplog.text


def test_a_first_time_after_the_due_date_is_taken(ada: Student, goals: Step) -> None:
    set_due(ada, goals, dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC))
    assert ada.zip_of("goals").exists()


def test_without_answers_there_is_nothing_to_hand_in(ada: Student) -> None:
    with pytest.raises(HandInError) as refused:
        ada.hand_in("tools", student="ada")
    assert "nothing to hand in" in refused.value.plain


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"fields": 3}', b"\xff", b"[" * 100_000])
def test_unreadable_answers_are_not_handed_in(ada: Student, goals: Step, content: bytes) -> None:
    (ada.workspace.folder(goals) / "answers.json").write_bytes(content)
    with pytest.raises(HandInError, match="could not be read"):
        ada.hand_in("goals", student="ada")
    assert not ada.workspace.receipts(goals)


def test_an_answer_whose_prompt_became_private_stays_at_home(
    course: Course, ada: Student, goals: Step
) -> None:
    path = ada.workspace.folder(goals) / "answers.json"
    document = json.loads(path.read_text())
    document["fields"]["private-note"] = {"value": "Once public", "version": 1}
    path.write_text(json.dumps(document))
    with zipfile.ZipFile(ada.zip_of("goals")) as archive:
        sent = archive.read("answers.json")
    assert list(json.loads(sent)["fields"]) == ["live-project"]
    assert ada.workspace.receipts(goals)[-1].sha256 == hashlib.sha256(sent).hexdigest()


def test_two_windows_that_hand_in_at_once_get_one_receipt_or_two_true_ones(
    ada: Student, goals: Step
) -> None:
    receipts: list[Any] = []
    start = threading.Barrier(4)

    def press() -> None:
        start.wait()
        receipts.append(ada.hand_in("goals", student="ada"))

    with ada.at_work():
        threads = [threading.Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(receipts) == 4
    kept = ada.workspace.receipts(goals)
    assert {receipt.when for receipt in receipts} == {receipt.when for receipt in kept}
    assert len({receipt.file for receipt in kept}) == len(kept)
    for receipt in kept:
        assert receipt.sha256 == digest_in(ada.workspace.root / str(receipt.file))


def test_what_is_sent_is_what_was_hashed_while_the_student_types_on(
    course: Course, ada: Student, goals: Step
) -> None:
    store = ada.workspace.store(course.content, goals)
    done = threading.Event()

    def types() -> None:
        version = 1
        while not done.is_set():
            edit = Edit(f"{'word ' * 2000}{version}", version)
            version = store.save("window", {"live-project": edit}).versions["live-project"]

    typing = threading.Thread(target=types)
    typing.start()
    try:
        for _ in range(3):
            made = ada.zip_of("goals")
            assert digest_in(made) == ada.workspace.receipts(goals)[-1].sha256
    finally:
        done.set()
        typing.join()


def test_a_course_that_is_not_on_the_exchange_hands_in_by_zip(
    tmp_path: Path, ada: Student, goals: Step
) -> None:
    config = ada.home / ".jupyter" / "nbgrader_config.py"
    config.parent.mkdir()
    config.write_text(f"c.Exchange.root = {str(tmp_path / 'elsewhere')!r}\n")
    receipt = ada.hand_in("goals", student="ada")
    assert receipt.how == "zip"


def test_what_arrived_is_not_called_lost_because_a_copy_failed(
    course: Course, tmp_path: Path, ada: Student, goals: Step
) -> None:
    released = tmp_path / "exchange" / course.content.id
    for name in ("inbound", f"outbound/{goals.id}"):
        (released / name).mkdir(parents=True)
    (tmp_path / "exchange").chmod(0o777)
    full = tmp_path / "no folder"
    full.touch()
    (ada.workspace.root / "nbgrader_config.py").write_text(
        f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
        f"c.Exchange.cache = {str(full / 'cache')!r}\n"
    )
    with pytest.raises(HandInError, match="Your instructor has your answers") as told:
        ada.hand_in("goals")
    assert "hand in once more" in told.value.plain
    (sent,) = (released / "inbound").iterdir()
    assert (sent / "answers.json").read_bytes() == (
        ada.workspace.folder(goals) / "answers.json"
    ).read_bytes()
    assert ada.workspace.receipts(goals) == ()


def test_a_step_that_is_not_released_cannot_be_handed_in(
    tmp_path: Path, ada: Student, goals: Step
) -> None:
    (tmp_path / "exchange/pcn/inbound").mkdir(parents=True)
    (tmp_path / "exchange").chmod(0o777)
    config = ada.workspace.root / "nbgrader_config.py"
    config.write_text(f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n")
    with pytest.raises(HandInError, match="not open for handing in yet"):
        ada.hand_in("goals")
    config.write_text("this is not Python")
    assert ada.hand_in("goals", student="ada").how == "zip"  # nbgrader goes on without it
    assert ada.fetch_feedback() == ()


def test_feedback_is_not_looked_for_where_nothing_was_handed_in(ada: Student) -> None:
    assert ada.fetch_feedback() == ()
    assert not (ada.workspace.state / "feedback-fetched").exists()


NAME = f"{STEP}+j_doe@uni.example+20261122T104200Z.zip"


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        f"doejane_LATE_1234_56789_{NAME}",
        f"anon_1234_56789_{NAME}",
        NAME.replace(".zip", "-1.zip"),
        NAME.replace(".zip", " (2).zip"),
        f"1234-5678 - Jane Doe - Nov 22, 2026 1042 AM - {NAME}",
        f"PCN_jdoe_attempt_2026-11-22-10-42-00_{NAME}",
        NAME.replace("+", " "),
        NAME.replace("+", "_"),
        NAME.replace("+", "%2B"),
        NAME.replace("T", "t").replace("Z", "z"),
    ],
)
def test_a_name_is_found_in_what_an_lms_makes_of_it(name: str) -> None:
    found = zip_name_pattern(STEP).search(name)
    assert found
    assert found["student"] == "j_doe@uni.example"
    assert found["when"].upper() == "20261122T104200Z"


@pytest.mark.parametrize(
    "name", ["essay.zip", NAME.replace("1-goals", "2-tools"), f"{STEP}+ada.zip"]
)
def test_other_names_are_left_alone(name: str) -> None:
    assert not zip_name_pattern(STEP).search(name)


def digest_in(made: Path) -> str:
    with zipfile.ZipFile(made) as archive:
        return hashlib.sha256(archive.read("answers.json")).hexdigest()


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


Extracted = dict[str, dict[str, bytes]]


@pytest.fixture
def extract(tmp_path: Path, course: Course) -> Callable[[dict[str, bytes]], Extracted]:
    """Unpacks what lies in the archive folder, as `nbgrader zip_collect` does."""
    app = ZipCollectApp()
    root = course.instructor.room
    app.coursedir = CourseDirectory(root=str(root), assignment_id=STEP)
    released = root / "release" / STEP
    released.mkdir(parents=True)
    (released / f"{STEP}.ipynb").write_text("released")
    archive, extracted = tmp_path / "archive", tmp_path / "extracted"
    extracted.mkdir()

    def run(files: dict[str, bytes]) -> Extracted:
        for name, content in files.items():
            path = archive / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        Extractor(parent=app).extract(str(archive), str(extracted))
        return {
            folder.name: {path.name: path.read_bytes() for path in folder.iterdir()}
            for folder in extracted.iterdir()
        }

    return run


def test_each_students_newest_zip_counts_wherever_it_lies(
    extract: Callable[[dict[str, bytes]], Extracted],
) -> None:
    old, new = (f"{STEP}+ada+20261122T10{minute}00Z" for minute in ("42", "50"))
    unpacked = f"{STEP}+ben+20261122T100000Z"
    secret = b"ab" * 64
    hers = "Ada Doe_77_assignsubmission_file_"
    first = zipped({"answers.json": b"old", "submission_secret.txt": secret})
    found = extract({
        "first.zip": zipped({f"{hers}/{old}.zip": first}),
        f"later/{hers}/{new}.zip": zipped({"answers.json": b"new"}),
        f"{unpacked}/answers.json": b"unpacked",
        f"{unpacked}/submission_secret.txt": secret,
    })  # fmt: skip
    notebook = {f"{STEP}.ipynb": b"released"}
    assert found == {
        new: {
            "answers.json": b"new",
            "timestamp.txt": b"2026-11-22 10:50:00.000000 UTC",
            **notebook,
        },
        unpacked: {
            "answers.json": b"unpacked",
            "submission_secret.txt": secret,
            "timestamp.txt": b"2026-11-22 10:00:00.000000 UTC",
            **notebook,
        },
    }


def test_a_zip_brings_nothing_but_answers(
    extract: Callable[[dict[str, bytes]], Extracted], tmp_path: Path
) -> None:
    name = f"{STEP}+ada+20261122T104200Z"
    found = extract({
        f"{name}.zip": zipped({
            "deep/answers.json": b"{}",
            "__MACOSX/deep/answers.json": b"rubbish",
            "json.py": b"print()",
            "../../out.txt": b"out",
            "timestamp.txt": b"yesterday",
            "submission_secret.txt": b"\xff\x00",
            f"{STEP}.ipynb": b"theirs",
        })
    })  # fmt: skip
    assert found[name] == {
        "answers.json": b"{}",
        "timestamp.txt": b"2026-11-22 10:42:00.000000 UTC",
        f"{STEP}.ipynb": b"released",
    }
    assert not list(tmp_path.rglob("out.txt"))


def test_a_zip_that_swells_brings_no_answers(
    extract: Callable[[dict[str, bytes]], Extracted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_FILE", 1_000_000)
    name = f"{STEP}+ada+20261122T104200Z"
    found = extract({f"{name}.zip": zipped({"answers.json": b"0" * 5_000_000})})
    assert set(found[name]) == {"timestamp.txt", f"{STEP}.ipynb"}


@pytest.mark.parametrize("stamp", ["20261399T104200Z", "20261122T996200Z"])
def test_a_time_that_is_none_is_left_out(
    extract: Callable[[dict[str, bytes]], Extracted], stamp: str
) -> None:
    assert extract({f"{STEP}+ada+{stamp}.zip": zipped({"answers.json": b"{}"})}) == {}

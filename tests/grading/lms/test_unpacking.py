"""From a student's own hand-in through each LMS's ZIP of all, and back: whose, when, and what."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pcn_course import exchange
from pcn_course.admin.removal import remove
from pcn_course.answers.store import Edit
from pcn_course.course import Course, default_root, load_course
from pcn_course.grading.lms.roster import Entry, Roster
from pcn_course.grading.lms.unpacking import HandIn, LeftOut, Limits, unpack, unpack_folder
from pcn_course.grading.nbgrader.collect import summary
from pcn_course.workspace import Receipt, Workspace
from tests.grading.lms import samples
from tests.grading.lms.samples import CLASS, STEP, Person, Upload
from tests.support.hostile import lay_deep_folders

NEW_YORK = ZoneInfo("America/New_York")
SUMMER_ENDS = dt.datetime(2026, 11, 1, 3, 30, tzinfo=dt.UTC)  # 23:30 on 31 October in New York
ALL = ("canvas", "moodle", "brightspace", "blackboard")
ROSTER = Roster(
    Entry(
        id=one.id,
        first=one.first,
        last=one.last,
        lms_id=str(one.number),
        username=one.login,
        participants={STEP: str(samples.moodle_number(one))},
    )
    for one in CLASS
)


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(default_root())


Handed = Callable[..., tuple[Receipt, Path]]


@pytest.fixture
def hand_in(tmp_path: Path, course: Course, monkeypatch: pytest.MonkeyPatch) -> Handed:
    """A student answers and hands in for real, at a time of our choosing; gives the ZIP."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    monkeypatch.chdir(tmp_path)

    def run(one: Person, when: dt.datetime, text: str, claim: str = "") -> tuple[Receipt, Path]:
        folder = tmp_path / "workspaces" / one.id
        folder.mkdir(parents=True, exist_ok=True)
        workspace = Workspace(folder)
        workspace.fill(course)
        step = course.step("goals")
        store = workspace.store(course, step)
        versions = {key: field.version for key, field in store.load().fields.items()}
        edit = Edit(text, versions.get("live-project", 0))
        saved = store.save("a test", {"live-project": edit})
        assert not saved.conflicts
        monkeypatch.setattr(exchange, "_now", lambda: when)
        receipt = exchange.hand_in(workspace, step, True, claim or one.id, course=course)
        assert receipt.file
        return receipt, folder / receipt.file

    return run


def read(
    path: Path, roster: Roster = ROSTER, **options: object
) -> tuple[list[HandIn], list[LeftOut]]:
    found = list(unpack(path, STEP, roster, NEW_YORK, **options))  # type: ignore[arg-type]
    return (
        [one for one in found if isinstance(one, HandIn)],
        [one for one in found if isinstance(one, LeftOut)],
    )


def newest(found: list[HandIn]) -> dict[str, HandIn]:
    by_time = sorted(found, key=lambda one: (one.when, one.order))
    return {one.student: one for one in by_time}


@pytest.mark.parametrize("lms", ALL)
def test_a_whole_class_comes_back(lms: str, tmp_path: Path, hand_in: Handed) -> None:
    """Ada uploads twice, Ben's ZIP lost its name, Zoë sends answers alone, Mei has Ada's id."""
    ada, ben, zoe, eve, mei = CLASS
    made: dict[str, tuple[Receipt, dt.datetime]] = {}
    uploads = []
    minutes = dt.timedelta(minutes=1)
    for number, (one, claim) in enumerate(
        [(ada, ""), (ada, ""), (ben, ""), (zoe, ""), (eve, ""), (mei, "ada")]
    ):
        when = SUMMER_ENDS + number * 7 * minutes + dt.timedelta(seconds=13)
        receipt, path = hand_in(one, when, f"Draft {number} of {one.full}", claim)
        name, content = path.name, path.read_bytes()
        if one is ada and number:
            name = path.name.replace(".zip", "-1.zip")
        if one is ben:
            name = "goals.zip"
        if one is zoe:
            with zipfile.ZipFile(path) as archive:
                name, content = "answers.json", archive.read("answers.json")
        uploads.append(Upload(one, name, content, when + 2 * minutes, late=one is eve))
        made[one.id] = (receipt, when)
    found, left_out = read(samples.bulk(lms, uploads, tmp_path / "submissions.zip", NEW_YORK))
    assert left_out == []
    assert len(found) == 6
    by_student = newest(found)
    assert set(by_student) == {one.id for one in CLASS}
    for student, (receipt, when) in made.items():
        back = by_student[student]
        assert back.answers is not None
        assert hashlib.sha256(back.answers).hexdigest() == receipt.sha256
        uploaded = when + 2 * minutes
        match lms:
            case "blackboard":
                assert back.when == uploaded
            case "brightspace":
                assert back.when == uploaded.replace(second=0)
            case _:
                # These tell no time. A bare answers file says when it was saved.
                saved = json.loads(back.answers)["saved_at"]
                assert back.when == (dt.datetime.fromisoformat(saved) if student == "zoe" else when)
        assert back.secret is not None or student == "zoe"
    notes = {student: one.notes for student, one in by_student.items() if one.notes}
    assert "the file itself says ada" in notes.pop("mei")[0]
    if lms == "canvas":
        assert "marks this as late" in notes.pop("eve")[0]
    if lms in ("brightspace", "blackboard"):
        notes.pop("zoe", None)  # its answers were saved now, in the future of that upload
    assert notes == {}
    print(f"{lms}: {len(found)} hand-ins, {len(notes)} notes unexpected")


def test_a_repacked_folder_is_read_too(tmp_path: Path, hand_in: Handed) -> None:
    receipt, path = hand_in(CLASS[0], SUMMER_ENDS, "Mine")
    outer = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(outer, "w") as packed:
        for name in archive.namelist():
            packed.writestr(f"goals/{name}", archive.read(name))
            packed.writestr(f"__MACOSX/goals/._{name}", b"\0\0")
    upload = Upload(CLASS[0], "goals.zip", outer.getvalue(), SUMMER_ENDS)
    (one,), left_out = read(samples.bulk("canvas", [upload], tmp_path / "all.zip", NEW_YORK))
    assert one.answers
    assert hashlib.sha256(one.answers).hexdigest() == receipt.sha256
    assert (one.student, one.when, left_out) == ("ada", SUMMER_ENDS, [])


def test_a_hand_in_comes_without_an_lms_as_before(hand_in: Handed) -> None:
    receipt, path = hand_in(CLASS[0], SUMMER_ENDS, "Mine")
    (one,), left_out = read(path, Roster())
    assert (one.student, one.when, one.notes, left_out) == ("ada", receipt.when, (), [])


def test_an_unpacked_download_is_read_by_its_paths(tmp_path: Path, hand_in: Handed) -> None:
    """As some browsers unpack it by themselves: Blackboard's, Moodle's, and a hand-in alone."""
    _, path = hand_in(CLASS[2], SUMMER_ENDS, "Mine")
    folder = tmp_path / "archive"
    stem = "bb/Goals_zoe_l_m_attempt_2026-10-31-23-40-05"
    moodle = "Ada Doe, Jr._71001_assignsubmission_file_"
    alone = f"{STEP}+ben+20261101T030000Z"
    for name, content in {
        f"{stem}.txt": "Name: Zoë (zoe_l_m)\n".encode(),
        f"{stem}_{path.name}": path.read_bytes(),
        f"{moodle}/answers.json": b'{"saved_at": "2026-11-01T03:00:00Z"}',
        f"{alone}/answers.json": b"{}",
        f"{alone}/submission_secret.txt": b"ab" * 32,
        "notes.txt": b"by the teacher",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    found = list(unpack_folder(folder, STEP, ROSTER, NEW_YORK))
    taken = {one.student: one for one in found if isinstance(one, HandIn)}
    when = dt.datetime(2026, 11, 1, 3, 0, tzinfo=dt.UTC)
    assert {student: one.when for student, one in taken.items()} == {
        "ada": when,
        "ben": when,
        "zoe": when + dt.timedelta(minutes=40, seconds=5),
    }
    assert (taken["ben"].answers, taken["ben"].secret) == (b"{}", b"ab" * 32)
    left_out = {one.name: one.odd for one in found if isinstance(one, LeftOut)}
    assert left_out == {"notes.txt": False, f"{alone}/submission_secret.txt": False}


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def laid(tmp_path: Path, members: dict[str, bytes]) -> Path:
    path = tmp_path / "all.zip"
    path.write_bytes(zipped(members))
    return path


GOOD = zipped({"answers.json": b"{}"})
ADA = f"doejrada_1001_1_{STEP}+ada+20261101T030000Z.zip"
BEN = f"ro_1002_2_{STEP}+ben+20261101T030000Z.zip"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (f"eve_1004_3_{STEP}+eve+20261101T030000Z.zip", b"PK\x03\x04 no", "can't be unpacked"),
        ("eve_1004_3_x.zip", GOOD[:-9], "can't be unpacked"),
        ("nobody_77_3_x.zip", GOOD, "knows nobody"),
        (f"nobody_77_3_{STEP}+ada+20261101T030000Z.zip", GOOD, "under the id of ada"),
        ("eve_1004_3_x.zip", GOOD, "when it was handed in"),
        ("eve_1004_3_answers.json", b"\xff", "when it was handed in"),
        ("eve_1004_3_essay.docx", b"PK", "no submission"),
        ("eve_1004_3_step-2-tools+eve+20261101T030000Z.txt", b"", "no submission"),
    ],
)
def test_one_that_can_not_be_used_stops_nobody(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    found, left_out = read(laid(tmp_path, {ADA: GOOD, name: content, BEN: GOOD}))
    assert [one.student for one in found] == ["ada", "ben"]
    (one,) = left_out
    assert name in one.name
    assert why in one.why
    # A student handed it in, so somebody has to look at it.
    assert one.odd
    assert one.who in {"nobody", *(person.full for person in CLASS)}


def test_a_time_before_all_times_stops_nobody(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text('{"saved_at": "0001-01-01T00:00:00+23:59"}')
    found, (one,) = read(answers, name="eve_1004_3_answers.json")
    assert found == []
    assert "when it was handed in" in one.why


def test_the_last_word_is_who_is_in_and_who_is_missing(tmp_path: Path) -> None:
    found, left_out = read(laid(tmp_path, {ADA: GOOD, "ro_1002_3_essay.docx": b"PK"}))
    taken = {one.student for one in found}
    ben, zoe, eve, mei = (one.full for one in CLASS[1:])
    assert summary(taken, left_out, ROSTER, {"mei"}) == (
        f"1 taken in; 1 left out: {ben}, essay.docx; not handed in: {zoe}, {eve}."
    )
    assert mei not in summary(taken, left_out, ROSTER, {"mei"})
    assert summary(taken, (), Roster(), set()) == "1 taken in."


def test_a_hand_in_without_answers_is_there_without_answers(tmp_path: Path) -> None:
    (one,), _ = read(laid(tmp_path, {ADA: zipped({"essay.docx": b"PK"})}))
    assert (one.student, one.answers) == ("ada", None)


def nested(depth: int, name: str = "x.zip") -> bytes:
    content = GOOD
    for _ in range(depth):
        content = zipped({name: content})
    return content


def test_depth_is_limited(tmp_path: Path) -> None:
    path = laid(tmp_path, {"eve_1004_3_x.zip": nested(40), ADA: GOOD})
    found, left_out = read(path)
    assert [one.student for one in found] == ["ada"]
    assert "in too many others" in left_out[0].why
    assert left_out[0].name.count(".zip/") == 3


def test_number_is_limited(tmp_path: Path) -> None:
    many = zipped({f"{number}/answers.json": b"{}" for number in range(60)})
    path = laid(tmp_path, {"eve_1004_3_x.zip": many, ADA: GOOD})
    found, left_out = read(path, limits=Limits(members=50))
    assert [one.student for one in found] == ["ada"]
    assert "more than 50 files" in left_out[0].why


@pytest.mark.parametrize("lies", [False, True])
def test_size_is_limited_whatever_the_header_says(tmp_path: Path, lies: bool) -> None:
    bomb = bytearray(zipped({"answers.json": bytes(40_000_000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)) if lies else ():
        at = bomb.index(signature) + offset
        bomb[at : at + 4] = struct.pack("<I", 2)  # it says that it is 2 bytes long
    name = f"eve_1004_3_{STEP}+eve+20261101T030000Z.zip"
    found, left_out = read(laid(tmp_path, {name: bytes(bomb), ADA: GOOD}))
    answers = {one.student: one.answers for one in found}
    assert answers.pop("ada") == b"{}"
    assert answers == ({} if lies else {"eve": None})
    assert len(left_out) == lies
    print(f"{len(bomb):,} bytes for 40,000,000; left out: {[one.why for one in left_out]}")


def test_what_one_uploader_spends_is_taken_from_nobody_else(tmp_path: Path) -> None:
    big = zipped({"answers.json": bytes(300_000)})
    names = [f"eve_1004_{n}_{STEP}+eve+20261101T0300{n:02}Z.zip" for n in range(10)]
    path = laid(tmp_path, {**dict.fromkeys(names, big), ADA: GOOD, BEN: big})
    found, left_out = read(path, limits=Limits(each=1_000_000, total=1_000_000))
    read_of_eve = [one for one in found if one.student == "eve" and one.answers]
    assert 0 < len(read_of_eve) < 4
    assert {one.student for one in found if one.answers} == {"ada", "ben", "eve"}
    assert any("more than one person may use" in one.why for one in left_out)


def test_an_upload_cant_spend_in_anothers_name(tmp_path: Path) -> None:
    inner = zipped({f"ada_1001_{n}_x.zip": zipped({"a": b"0" * 900_000}) for n in range(4)})
    names = {"eve_1004_1_x.zip": inner, "zoe_1_x.zip": inner}
    path = laid(tmp_path, {**names, ADA: zipped({"answers.json": bytes(30_000)})})
    found, _ = read(path, limits=Limits(each=50_000, total=50_000))
    assert [(one.student, len(one.answers or b"")) for one in found] == [("ada", 30_000)]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_what_can_be_unpacked_by_the_byte_is(tmp_path: Path, method: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("answers.json", bytes(30_000_000))
    name = f"eve_1004_3_{STEP}+eve+20261101T030000Z.zip"
    path = laid(tmp_path, {name: made.getvalue(), ADA: GOOD})
    tracemalloc.start()
    found, left_out = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert [one.student for one in found] == ["ada"]
    assert ["ordinary ZIP" in one.why for one in left_out] == [True]


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """As in "A better zip bomb" (Fifield 2019): one body, many entries in the list of files."""
    packed = bytearray(zipped({"answers.json": bytes(1_000_000)}))
    at = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    entry = packed[at:end]
    again = [entry.replace(b"answers.json", f"{n:04}ers.json".encode()) for n in range(99)]
    listed = b"".join([bytes(entry), *map(bytes, again)])
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 100, 100, len(listed), at, 0)
    name = f"eve_1004_3_{STEP}+eve+20261101T030000Z.zip"
    found, left_out = read(laid(tmp_path, {name: bytes(packed[:at]) + listed + tail, ADA: GOOD}))
    assert [one.student for one in found] == ["ada"]
    assert ["overlap" in one.why for one in left_out] == [True]


def test_a_list_of_files_without_end_is_not_read(tmp_path: Path) -> None:
    packed = zipped({"answers.json": b"{}"})
    at = packed.index(b"PK\x01\x02")
    entry = packed[at : packed.index(b"PK\x05\x06")]
    listed = entry * (11_000_000 // len(entry))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), at, 0)
    name = f"eve_1004_3_{STEP}+eve+20261101T030000Z.zip"
    found, left_out = read(laid(tmp_path, {name: packed[:at] + listed + tail, ADA: GOOD}))
    assert [one.student for one in found] == ["ada"]
    assert [one.why for one in left_out] == ["its list of files is too long"]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("too deep"), struct.error("x")])
def test_whatever_one_file_raises_is_a_fault_of_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = laid(tmp_path, {"eve_1004_3_answers.json": b"{}", ADA: GOOD})
    opened = zipfile.ZipFile.open

    def fail(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *rest: object) -> object:
        if "eve" in member.filename:
            raise error
        return opened(archive, member, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "open", fail)
    found, left_out = read(path)
    assert [one.student for one in found] == ["ada"]
    assert len(left_out) == 1


def test_a_folder_deeper_than_a_path_may_be_stops_nothing(tmp_path: Path) -> None:
    laid(tmp_path, {ADA: GOOD})
    lay_deep_folders(tmp_path)
    try:
        several = list(unpack_folder(tmp_path, STEP, ROSTER, NEW_YORK))
    finally:
        remove(tmp_path / "deeper")
    assert [one.student for one in several if isinstance(one, HandIn)] == ["ada"]
    assert ["100 folders deep" in one.why for one in several if isinstance(one, LeftOut)] == [True]


def test_paths_go_nowhere(tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = laid(
        tmp_path, {f"../../../{ADA}": GOOD, f"/etc/{BEN}": GOOD, "C:\\x\\..\\evil.zip": GOOD}
    )
    found, _ = read(path)
    assert [one.student for one in found] == ["ada", "ben"]
    assert sorted(tmp_path.rglob("*")) == [*before, path]


def test_links_and_folders_are_no_files(tmp_path: Path) -> None:
    real = laid(tmp_path, {ADA: GOOD})
    link = tmp_path / "link.zip"
    link.symlink_to(real)
    for path in (link, tmp_path, tmp_path / "gone.zip"):
        found, (one,) = read(path)
        assert (found, one.why) == ([], "it is no file of its own")


def test_names_in_utf_8_that_do_not_say_so_are_read(tmp_path: Path) -> None:
    name = f"Zoë Łukasiewicz-Müller_5_assignsubmission_file_/{STEP}+zoe+20261101T030000Z.zip"
    plain = "A" * len(name.encode())
    content = zipped({plain: GOOD}).replace(plain.encode(), name.encode())
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    (one,), _ = read(path)
    assert (one.student, one.notes) == ("zoe", ())

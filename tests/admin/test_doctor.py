"""Each thing that can be wrong is found, with what to do; a course in order has no faults."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pcn_course.admin.doctor import system_checks
from pcn_course.admin.doctor.run import Finding, as_json, as_text, doctor, exit_code
from pcn_course.admin.migrate import upgrade
from pcn_course.answers.store import Edit
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.schema import make_tables
from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from pcn_course.workspace import Workspace
from tests.support.postgresql import postgresql
from tests.support.room import make_room


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in order, to be copied."""
    base = tmp_path_factory.mktemp("doctor") / "course"
    room = make_room(base, ["ada", "ben"])
    for page in ("marking.ipynb", "cohort.ipynb", "agreement.ipynb"):
        shutil.copy(Path(__file__).parents[2] / "assignments" / page, room.root)
    make_tables(room.engine)
    room.close()
    (room.root / "gradebook.db").chmod(0o600)
    known = [Entry(id="ada", first="Ada", last="Doe"), Entry(id="ben", first="Ben", last="Doe")]
    write_roster(room.root / "roster.csv", Roster(known))
    return base


@pytest.fixture
def room(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "settings"))
    shutil.copytree(made, tmp_path / "course")
    return open_room(tmp_path / "course" / "assignments")


@pytest.fixture
def workspaces(room: Room, tmp_path: Path) -> Path:
    for who in ("ada", "ben"):
        workspace = Workspace(tmp_path / "workspaces" / who)
        workspace.fill(room.course)
        store = workspace.store(room.course, room.course.step("goals"))
        store.save("page", {"live-project": Edit("Something", 0)}, 1)
    return tmp_path / "workspaces"


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    """With personal folders, as deploy/ makes them."""
    course = tmp_path / "exchange" / "pcn"
    for name, mode in (("outbound", 0o755), ("inbound", 0o711), ("feedback", 0o711)):
        (course / name).mkdir(parents=True)
        (course / name).chmod(mode)
    for name in ("inbound", "feedback"):
        (course / name / "ada").mkdir()
        (course / name / "ada").chmod(0o2770)
    course.chmod(0o755)
    course.parent.chmod(0o755)
    return course.parent


def found(room: Room, check: str, **options: Any) -> list[Finding]:
    """What is not good, of one check."""
    several = doctor(room.root, **options)
    return [one for one in several if one.check == check and one.state != "good"]


def faults(several: tuple[Finding, ...]) -> list[str]:
    return [f"{one.check}: {one.says}" for one in several if one.state == "fault"]


def test_a_course_in_order_has_no_faults_and_every_check_is_told(
    room: Room, workspaces: Path, exchange: Path
) -> None:
    several = doctor(room.root, workspaces, exchange=exchange)
    print(as_text(several))
    assert faults(several) == []
    assert exit_code(several) == 0
    assert {one.check for one in several} >= {
        "Python", "packages", "files of the package", "course", "disk", "locks", "gradebook",
        "roster", "exchange", "time zone", "browser origin", "workspaces",
    }  # fmt: skip
    told = json.loads(as_json(several))
    assert [one["check"] for one in told] == [one.check for one in several]
    assert all(one.todo for one in several if one.state != "good")
    assert [one.name for one in room.root.glob(".pcn-doctor*")] == []


def test_a_folder_without_a_room_is_a_fault_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    several = doctor(tmp_path)
    assert exit_code(several) == 1
    assert faults(several)[0].startswith("room:")
    assert "course" in {one.check for one in several}


def test_faults_in_the_courses_files_are_told(room: Room) -> None:
    step = room.root.parent / "data" / "steps" / "step-1-goals.toml"
    step.write_text(step.read_text().replace("kind = ", "knid = ", 1))
    assert any("pcn check" in one.todo for one in found(room, "course"))


def test_notebooks_out_of_step_are_told(room: Room) -> None:
    (room.root.parent / "notebooks" / "home.ipynb").write_text("{}")
    (one,) = found(room, "notebooks")
    assert "home.ipynb" in one.says


def test_packages_that_differ_are_told(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("click==0.1\nnowhere-installed==1.0\n")
    other = [one for one in system_checks.versions(constraints) if one.check == "packages"]
    assert [one.state for one in other] == ["warning"]
    assert "click" in other[0].says
    assert "nowhere" not in other[0].says
    needs = ["click>=99", "missing-package>=1", 'dev-only>=1; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda _: needs)
    wrong = [one for one in system_checks.versions(constraints) if one.check == "packages"]
    assert [one.state for one in wrong] == ["fault"]
    assert "missing-package is missing" in wrong[0].says
    assert "dev-only" not in wrong[0].says


def test_a_changed_file_of_an_installed_package_is_told(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_checks, "_changed", lambda: ["pcn_course/widgets/form.js"])
    (one,) = found(room, "files of the package")
    assert "form.js" in one.says


def test_a_gradebook_that_is_locked_damaged_or_old_is_told(room: Room) -> None:
    file = room.root / "gradebook.db"
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        (locked,) = found(room, "gradebook")
        assert (locked.state, "in use by another" in locked.says) == ("warning", True)
    with room.engine.begin() as connection:
        connection.execute(text("ALTER TABLE pcn_request DROP COLUMN answered_by"))
        connection.execute(text("UPDATE alembic_version SET version_num = '50a4d84c131a'"))
    room.close()
    several = found(room, "gradebook")
    assert {one.state for one in several} == {"fault"}
    assert any("50a4d84c131a" in one.says and "db upgrade" in one.todo for one in several)
    assert any("pcn_request.answered_by" in one.says for one in several)
    content = bytearray(file.read_bytes())
    content[4096:12288] = os.urandom(8192)
    file.write_bytes(content)
    assert any("damaged" in one.says for one in found(room, "gradebook"))
    file.write_text("no database at all, but long enough to be taken for one" * 20)
    assert found(room, "gradebook")[0].state == "fault"


def test_a_roster_with_doubles_strangers_or_rubbish_is_told(room: Room) -> None:
    path = room.root / "roster.csv"
    path.write_text("id,first,last,email\nada,Ada,Doe,a@x.test\nada2,Ada,Doe,A@x.test\n")
    (one,) = found(room, "roster")
    assert one.state == "warning"
    for words in ("in the gradebook only: ben", "in the roster only: ada2", "same name", "e-mail"):
        assert words in one.says
    path.write_text("id,first\nada,Ada\nADA,Other\n")
    assert found(room, "roster")[0].state == "fault"


def change_mode(folder: str, mode: int) -> Any:
    return lambda exchange: (exchange / "pcn" / folder).chmod(mode)


@pytest.mark.parametrize(
    ("harm", "state", "words"),
    [
        (change_mode("inbound", 0o733), "fault", "rename or replace"),
        (change_mode("inbound", 0o1733), "warning", "each other's name"),
        (change_mode("inbound", 0o755), "fault", "can list"),
        (change_mode("feedback", 0o755), "fault", "can list"),
        (change_mode("inbound/ada", 0o775), "fault", "personal folders of ada"),
        (change_mode("outbound", 0o700), "warning", "can't fetch"),
        (change_mode(".", 0o777), "fault", "rename or replace"),
        (shutil.rmtree, "fault", "is not there"),
    ],
)
def test_an_exchange_that_is_open_is_told(
    room: Room, exchange: Path, harm: Any, state: str, words: str
) -> None:
    # Only this check: the others were looked at above.
    from pcn_course.admin.doctor import course_checks

    harm(exchange)
    several = [one for one in course_checks.exchange(exchange, "pcn") if one.state != "good"]
    assert [one.state for one in several] == [state]
    assert words in several[0].says
    assert several[0].todo


Disk = namedtuple("Disk", "f_bavail f_frsize f_favail f_files")  # noqa: PYI024 (as os.statvfs)


@pytest.mark.parametrize(
    ("disk", "states"),
    [
        (Disk(10**6, 4096, 10**6, 10**7), ["good"]),
        (Disk(10**5, 4096, 10**6, 10**7), ["warning"]),
        (Disk(10**4, 4096, 10**6, 10**7), ["fault"]),
        (Disk(10**6, 4096, 10, 10**7), ["good", "fault"]),
        (Disk(10**6, 4096, 0, 0), ["good"]),
    ],
)
def test_a_full_disk_is_told_also_when_it_is_full_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk, states: list[str]
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert [one.state for one in system_checks.disk("a test", tmp_path)] == states


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one.state for one in system_checks.locks("a test", tmp_path)] == ["good"]
    (missing,) = system_checks.locks("a test", tmp_path / "missing")
    assert (missing.check, missing.state) == ("writing", "fault")
    monkeypatch.setattr(system_checks, "file_system", lambda _: "nfs4")
    assert [one.state for one in system_checks.locks("x", tmp_path, database=True)] == ["warning"]
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)  # everybody gets it
    assert [one.state for one in system_checks.locks("a test", tmp_path)] == ["fault"]


def test_what_a_crash_left_in_workspaces_is_told(
    room: Room, workspaces: Path, tmp_path: Path
) -> None:
    ada = workspaces / "ada"
    left = ada / "step-1-goals" / ".answers.json.12ab.tmp"
    left.write_text("half")
    os.utime(left, (1, 1))
    (ada / ".pcn" / "set-aside").mkdir()
    (ada / ".pcn" / "set-aside" / "answers-step-1-goals-x.json").write_text("?")
    answers = workspaces / "ben" / "step-1-goals" / "answers.json"
    answers.write_text(answers.read_text().replace('"format": 1', '"format": 2'))
    with (ada / ".pcn" / "locks" / "step-1-goals.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        several = doctor(room.root, workspaces)
    words = as_text([one for one in several if one.state != "good"])
    for told in ("newer version", "set aside", "left by a crash", "being saved for long"):
        assert told in words
    assert exit_code(several) == 1


SETTINGS = [
    ("c.ServerApp.allow_origin = '*'", None, "every web page"),
    ("c.ServerApp.disable_check_xsrf = True", None, "disable_check_xsrf"),
    ("", "http://hub.example.edu/", "unencrypted"),
    ("c.ServerApp.base_url = '/a/'", "https://hub.example.edu/b/", "/b/"),
    ("c.ServerApp.allow_origin = 'https://old.example.edu'", "https://hub.example.edu/", "old"),
]


@pytest.mark.parametrize(("line", "address", "words"), SETTINGS)
def test_settings_that_open_a_server_or_do_not_fit_its_address_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, address: str, words: str
) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "jupyter_server_config.py").write_text(f"c = get_config()\n{line}\n")
    several = [one for one in system_checks.jupyter(address) if one.state == "fault"]
    assert len(several) == 1
    assert words in several[0].says
    (tmp_path / "jupyter_server_config.py").write_text("c = get_config()\n")
    good = "https://hub.example.edu/" if address else None
    assert [one.state for one in system_checks.jupyter(good)] == ["good"]


def test_a_wrong_time_zone_and_an_open_secret_are_told(room: Room) -> None:
    config = room.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Lms.timezone = 'Mars/Olympus'\n")
    secret = room.root / ".pcn" / "research-secret"
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("s" * 40)
    secret.chmod(0o644)
    several = doctor(room.root)
    assert any("Mars/Olympus" in one for one in faults(several))
    assert any("pseudonyms" in one for one in faults(several))


def test_a_check_that_fails_itself_does_not_end_the_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(system_checks, "files", breaks)
    several = doctor(room.root)
    assert any("unforeseen" in one for one in faults(several))
    assert "gradebook" in {one.check for one in several}


def test_a_gradebook_on_postgresql_is_looked_at(tmp_path: Path) -> None:
    with postgresql() as server:
        room = make_room(tmp_path / "course", ["ada"], db_url=server.database("gradebook"))
        make_tables(room.engine)
        room.close()
        several = [one for one in doctor(room.root) if one.check == "gradebook"]
        assert [one.state for one in several] == ["good"]
        assert "postgresql" in several[0].says
        with room.engine.begin() as connection:
            connection.execute(text("ALTER TABLE pcn_request DROP COLUMN answered_at"))
        assert upgrade(room.engine) == ("pcn_request.answered_at",)
        assert upgrade(room.engine) == ()
        room.close()
    (gone,) = [one for one in doctor(room.root) if one.check == "gradebook"]
    assert gone.state == "fault"

"""A backup is whole while students type, and restores to the same bytes. All people are made up."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from pcn_course.admin import snapshot
from pcn_course.admin.backup import backup
from pcn_course.admin.locations import places_of
from pcn_course.admin.manifest import BackupError, measured
from pcn_course.admin.removal import remove
from pcn_course.admin.restore import restore, verify
from pcn_course.admin.target import Target
from pcn_course.answers.history import History
from pcn_course.answers.store import Edit, read_answers
from pcn_course.cli import main
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.workspace import Workspace
from tests.support.hostile import ODD, lay_what_stops_a_copy
from tests.support.postgresql import postgresql
from tests.support.room import make_room

STEP = "step-1-goals"
STUDENTS = ("ada", "ben", "cyd")


class Running:
    """A course in use: a room, an exchange, and three workspaces."""

    def __init__(self, base: Path, *, db_url: str | None = None) -> None:
        self.base = base
        self.room: Room = make_room(base / "course", STUDENTS, db_url=db_url)
        self.exchange = base / "exchange"
        self.workspaces = base / "workspaces"
        for who in STUDENTS:
            self.workspace(who).fill(self.room.course)
            self.save(who, 1)
            folder = self.exchange / "pcn" / "inbound" / f"{who}+{STEP}+2027-01-20 10:00:00 UTC"
            folder.mkdir(parents=True)
            (folder / "answers.json").write_text(f"{{}} {who} äöü")
            folder.chmod(0o2770)

    def workspace(self, who: str) -> Workspace:
        return Workspace(self.workspaces / who)

    def save(self, who: str, number: int) -> None:
        """Type a text whose length and words depend on the number, public and private."""
        course = self.room.course
        store = self.workspace(who).store(course, course.step("goals"))
        versions = {key: one.version for key, one in store.load().fields.items()}
        words = f"{who} {number} " + "word " * (number % 300)
        edits = {key: Edit(words, versions.get(key, 0)) for key in ("live-project", "private-note")}
        assert not store.save("page", edits, number).conflicts

    def back_up(self, to: Path) -> Path:
        return backup(self.room, to, exchange=self.exchange, workspaces=self.workspaces).path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return Running(tmp_path_factory.mktemp("running"))


def content_of(base: Path) -> dict[str, tuple[int, int, bytes | str]]:
    """Mode, time and content of all below a folder, but the database, whose tables are compared."""
    found: dict[str, tuple[int, int, bytes | str]] = {}
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base).as_posix()
        parts = set(path.relative_to(base).parts)
        if parts & {"locks", "__pycache__", "backups.json", "gradebook.db"} or path.is_dir():
            continue
        about = path.lstat()
        what = str(path.readlink()) if path.is_symlink() else path.read_bytes()
        found[name] = stat.S_IMODE(about.st_mode), about.st_mtime_ns, what
    return found


def tables_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [*database.iterdump()]


@pytest.mark.parametrize("name", ["backup", "backup.tar.gz"])
def test_what_is_restored_is_the_same_to_the_byte(
    running: Running, tmp_path: Path, name: str
) -> None:
    made = running.back_up(tmp_path / name)
    to = tmp_path / "restored"
    done = restore(made, to)
    print(f"{name}: {done.files} files restored")
    for part, source in (
        ("course", running.room.root.parent), ("workspaces", running.workspaces),
        ("exchange", running.exchange),
    ):  # fmt: skip
        assert content_of(to / part) == content_of(source), part
    gradebook = to / "course" / "assignments" / "gradebook.db"
    assert tables_of(gradebook) == tables_of(running.room.root / "gradebook.db")
    folder = to / "exchange" / "pcn" / "inbound" / f"ada+{STEP}+2027-01-20 10:00:00 UTC"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0
    room = open_room(to / "course" / "assignments")
    assert [one.id for one in room.students()] == list(STUDENTS)


class Busy:
    """Students who type and a grader who marks, all the time; in a ``with`` statement."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.saved = dict.fromkeys(STUDENTS, 1)
        self.marked = 0
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._repeat, args=(self._type, who)) for who in STUDENTS
        ]
        marking = Marking(running.room, "grader")
        self._threads.append(threading.Thread(target=self._repeat, args=(self._mark, marking)))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        while (min(self.saved.values()) < 3 or self.marked < 3) and not self._failed:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self._failed

    def _repeat(self, act: Callable[[Any], None], what: Any) -> None:
        try:
            while not self._stop.is_set():
                act(what)
        except BaseException as error:  # noqa: BLE001 (told in the main thread)
            self._failed.append(error)

    def _type(self, who: str) -> None:
        self.running.save(who, self.saved[who] + 1)
        self.saved[who] += 1

    def _mark(self, marking: Marking) -> None:
        criterion = self.running.room.course.rubric.criteria[0].id
        marking.give("ada", STEP, criterion, float(1 + self.marked % 4))
        self.marked += 1


def test_a_rehearsal_while_students_type_and_a_grader_marks(tmp_path: Path) -> None:
    running = Running(tmp_path / "live")
    with Busy(running) as busy:
        before = dict(busy.saved)
        made = [running.back_up(tmp_path / f"backup-{number}") for number in range(3)]
        after = dict(busy.saved)
    assert min(after[who] - before[who] for who in STUDENTS) > 0, "nobody typed meanwhile"
    print(f"saves while backing up: {[after[who] - before[who] for who in STUDENTS]}")
    for number, one in enumerate(made):
        to = tmp_path / f"restored-{number}"
        restore(one, to)
        for who in STUDENTS:
            typed = is_of_one_moment(running, to / "workspaces" / who)
            assert before[who] <= typed <= after[who] + 1
        with closing(sqlite3.connect(to / "course/assignments/gradebook.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("SELECT count(*) FROM student").fetchone() == (3,)
    running.room.close()


def is_of_one_moment(running: Running, workspace: Path) -> int:
    """Answers, private answers and history fit each other; the number of the save they are of."""
    public = read_answers(workspace / STEP / "answers.json", running.room.course.step("goals"))
    assert not public.problems
    field = public.fields["live-project"]
    path = workspace / ".pcn" / "history" / f"{STEP}.jsonl"
    assert path.read_bytes().endswith(b"\n")
    history = History(path)
    newest = history.writer("live-project", field.version)
    assert newest
    assert newest.value == field.value
    assert history.writer("live-project", field.version + 1) is None
    private = json.loads((workspace / ".pcn" / "private" / f"{STEP}.json").read_bytes())
    assert private["fields"]["private-note"]["value"] == field.value
    return int(field.value.split()[1])


def test_nothing_is_overwritten(running: Running, tmp_path: Path) -> None:
    made = running.back_up(tmp_path / "backup")
    with pytest.raises(BackupError, match="never replaces anything"):
        running.back_up(made)
    for taken in ("to/kept", "to/workspaces/kept"):
        to = tmp_path / taken.replace("/", "-") / "to"
        (to.parent / taken).parent.mkdir(parents=True)
        (to.parent / taken).write_text("mine")
        with pytest.raises(BackupError, match="not empty"):
            restore(made, to)
        assert [one.name for one in to.rglob("*") if one.is_file()] == ["kept"]
    with pytest.raises(BackupError, match="is in what is backed up"):
        running.back_up(running.workspaces / "backup")


def test_a_damaged_or_unfinished_backup_is_refused(running: Running, tmp_path: Path) -> None:
    made = running.back_up(tmp_path / "backup")
    assert verify(made)[1] == ()
    answers = made / "workspaces" / "ada" / STEP / "answers.json"
    answers.write_bytes(answers.read_bytes().replace(b"ada", b"eve"))
    (made / "exchange").rename(made / "elsewhere")
    faults = verify(made)[1]
    assert len(faults) == 4
    with pytest.raises(BackupError, match="damaged"):
        restore(made, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    (made / "manifest.json").unlink()
    with pytest.raises(BackupError, match="no whole backup"):
        verify(made)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "newer version"),
        ({"answers_format": 2}, "answers of format 2"),
        ({"entries": "none"}, "can't be read"),
    ],
)
def test_a_backup_of_a_newer_version_is_refused_with_what_to_do(
    running: Running, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    made = running.back_up(tmp_path / "backup")
    manifest = made / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), **change}))
    with pytest.raises(BackupError, match=words):
        restore(made, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("path", ["../out", "/out", "workspaces/../../out"])
def test_a_backup_that_names_files_outside_of_itself_is_refused(
    running: Running, tmp_path: Path, path: str
) -> None:
    made = running.back_up(tmp_path / "backup.tar")
    unpacked = tmp_path / "unpacked"
    with tarfile.open(made) as tar:
        tar.extractall(unpacked, filter="data")
    manifest = json.loads((unpacked / "manifest.json").read_bytes())
    manifest["entries"][-1]["path"] = path
    (unpacked / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="outside of itself"):
        restore(unpacked, tmp_path / "restored")


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "live")
    secret = tmp_path / "secret"
    secret.write_text("the key to everything")
    ada = running.workspaces / "ada"
    (ada / "notes.txt").symlink_to(secret)
    (ada / "inside").symlink_to(tmp_path, target_is_directory=True)
    (ada / "step-2-connections" / "answers.json").symlink_to(secret)
    os.mkfifo(ada / "pipe")
    lock = ada / ".pcn" / "locks" / f"{STEP}.lock"
    lock.unlink(missing_ok=True)
    lock.symlink_to(secret)
    (running.workspaces / "dan").symlink_to(running.workspaces / "ben")
    yield running
    assert secret.read_text() == "the key to everything"


def test_a_students_links_and_pipes_lead_a_backup_nowhere(hostile: Running, tmp_path: Path) -> None:
    done = backup(
        hostile.room, tmp_path / "backup", exchange=hostile.exchange, workspaces=hostile.workspaces
    )
    for path in (tmp_path / "backup").rglob("*"):
        assert not path.is_file() or b"the key to" not in path.read_bytes()
    assert any("pipe is no file" in note for note in done.notes)
    assert any("reached by a link" in line for line in done.left_out)
    restore(done.path, tmp_path / "restored")
    ada = tmp_path / "restored" / "workspaces" / "ada"
    assert (ada / "notes.txt").is_symlink()
    assert (ada / STEP / "answers.json").read_bytes() == (
        hostile.workspaces / "ada" / STEP / "answers.json"
    ).read_bytes()


def test_a_lock_that_is_never_let_go_does_not_stop_a_backup(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "LOCK_SECONDS", 0.05)
    store = running.workspace("ben").store(running.room.course, running.room.course.step("goals"))
    with store._locked():
        done = backup(running.room, tmp_path / "backup", workspaces=running.workspaces)
    assert any("being saved all the time" in note for note in done.notes)
    assert (done.path / "workspaces" / "ben" / STEP / "answers.json").exists()


@pytest.fixture
def spoiled(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "live")
    lay_what_stops_a_copy(running.workspaces / "ada")
    yield running
    remove(running.workspaces / "ada")


@pytest.mark.parametrize("name", ["backup", "backup.tar.gz"])
def test_no_file_of_a_students_ends_a_backup(spoiled: Running, tmp_path: Path, name: str) -> None:
    options = ["--room", str(spoiled.room.root), "--workspaces", str(spoiled.workspaces)]
    done = CliRunner().invoke(main, ["backup", str(tmp_path / name), *options])
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert sum("ada/huge is larger than 500 MB and is NOT in the backup" in it for it in lines) == 1
    assert sum("100 folders deep and is NOT in the backup" in it for it in lines) == 1
    assert any("incomplete" in it for it in lines)
    manifest, faults = verify(tmp_path / name)
    assert (len(manifest.left_out), faults) == (2, ())
    restore(tmp_path / name, tmp_path / "restored")
    ada = tmp_path / "restored" / "workspaces" / "ada"
    assert (ada / ODD).read_text() == "Latin-1"
    assert (ada / os.fsdecode(b"d\xe9") / "plain.txt").read_text() == "plain"
    assert str((ada / os.fsdecode(b"d\xe9") / "link").readlink()) == os.fsdecode(b"\xff")
    assert (ada / "a\nforged line\x1b[1A").read_text() == "forged"
    for who in STUDENTS:
        answers = Path(who, STEP, "answers.json")
        assert (tmp_path / "restored" / "workspaces" / answers).read_bytes() == (
            spoiled.workspaces / answers
        ).read_bytes()


def test_a_backup_with_everything_in_it_exits_0(running: Running, tmp_path: Path) -> None:
    options = ["--room", str(running.room.root), "--workspaces", str(running.workspaces)]
    done = CliRunner().invoke(main, ["backup", str(tmp_path / "backup"), *options])
    assert done.exit_code == 0, done.output
    assert "NOT in the backup" not in done.output


def test_so_much_is_copied_of_one_person(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MOST", 60)
    ben = running.workspaces / "ben" / "many"
    ben.mkdir()
    for number in range(100):
        (ben / f"{number}.txt").write_text("x")
    done = backup(running.room, tmp_path / "backup", workspaces=running.workspaces)
    shutil.rmtree(ben)
    assert any("of one person" in line and "ben" in line for line in done.left_out)
    assert any("more in workspaces/ben are NOT" in line for line in done.left_out)
    assert len(done.left_out) == snapshot.FEW + 1
    for who in STUDENTS:
        assert (done.path / "workspaces" / who / STEP / "answers.json").exists()


def test_a_file_that_grows_while_it_is_copied_has_an_end() -> None:
    with Path("/dev/zero").open("rb") as endless:
        size, _ = measured(snapshot._Source(endless, 100_000))
    assert size == 100_000


def test_all_locks_of_a_workspace_are_waited_for_once(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "LOCK_SECONDS", 0.2)
    tried: list[float] = []
    flock = fcntl.flock

    def refuse(file: int, act: int) -> None:
        tried.append(time.monotonic())
        if act & fcntl.LOCK_NB:
            raise BlockingIOError
        flock(file, act)

    for who in STUDENTS:
        for step in running.room.course.steps:
            lock = running.workspaces / who / ".pcn" / "locks" / f"{step.id}.lock"
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    backup(running.room, tmp_path / "backup", workspaces=running.workspaces)
    assert tried[-1] - tried[0] < 0.2 * len(STUDENTS) + 2


def test_a_link_in_a_home_is_no_cache_of_nbgraders(running: Running, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (victim / "share/jupyter/nbgrader_cache/pcn").mkdir(parents=True)
    local = running.workspaces / "cyd" / ".local"
    local.symlink_to(victim)
    try:
        places = places_of(running.room, workspaces=running.workspaces)
        assert not [path for path in places.caches if path.is_relative_to(running.workspaces)]
        local.unlink()
        local.symlink_to("x" * 300)
        places_of(running.room, workspaces=running.workspaces)
    finally:
        local.unlink()


def test_a_full_disk_leaves_no_half_backup(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, count = Target.add, 0

    def full(self: Target, name: str, source: object) -> tuple[int, str]:
        nonlocal count
        count += 1
        if count > 5:
            raise OSError(28, "No space left on device")
        return add(self, name, source)  # type: ignore[arg-type]

    monkeypatch.setattr(Target, "add", full)
    with pytest.raises(BackupError, match="no room left"):
        running.back_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_gradebook_on_postgresql_comes_back_with_all_its_rows(tmp_path: Path) -> None:
    with postgresql() as server:
        running = Running(tmp_path / "live", db_url=server.database("gradebook"))
        Marking(running.room, "grader").give(
            "ada", STEP, running.room.course.rubric.criteria[0].id, 3.0
        )
        made = running.back_up(tmp_path / "backup.tar")
        with pytest.raises(BackupError, match="--database"):
            restore(made, tmp_path / "restored")
        empty = server.database("restored")
        restore(made, tmp_path / "restored", database=empty)
        config = tmp_path / "restored" / "course" / "assignments" / "nbgrader_config.py"
        config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {empty!r}\n")
        again = open_room(config.parent)
        for query in ("SELECT * FROM grade ORDER BY id", "SELECT * FROM pcn_event ORDER BY id"):
            rows = []
            for room in (running.room, again):
                with room.engine.connect() as connection:
                    rows.append([tuple(map(str, row)) for row in connection.execute(text(query))])
                room.close()
            assert rows[0] == rows[1]
            assert rows[0]


def test_without_postgresqls_programs_it_says_which_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room(tmp_path / "course", ["ada"])
    room.db_url = "postgresql+psycopg://pcn:secret@nowhere.test/gradebook"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="apt-get install postgresql-client") as told:
        backup(room, tmp_path / "backup")
    assert "secret" not in told.value.plain
    assert not (tmp_path / "backup").exists()

"""What root makes for somebody is theirs alone, and nothing that others own leads it astray."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pcn_course.admin.backup import BACKUPS
from pcn_course.admin.gradebook_copy import _copy_sqlite
from pcn_course.hub.accounts import AccountError, _add, owned_folder
from pcn_course.hub.settings import Settings
from pcn_course.hub.spawner import CourseSpawner, _began, _limits
from tests.hub.class_server import needs_root, opened

NOTE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from pcn_course.admin.backup import _remember
_remember(SimpleNamespace(root=Path(sys.argv[1])), Path(sys.argv[2]))
"""
COPY = """
import sys
from pathlib import Path
from types import SimpleNamespace
from pcn_course.admin.gradebook_copy import copy_gradebook
room = SimpleNamespace(root=Path(sys.argv[1]))
copy_gradebook(room, room.root / "gradebook.db", Path(sys.argv[2]))
"""
TEACHER, STUDENT = 59_001, 59_002
"""Numbers that no account has here."""


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that everybody may enter, as a class's is."""
    with tempfile.TemporaryDirectory(prefix="pcn-class-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def owner(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_uid, about.st_gid, about.st_mode & 0o7777


@needs_root
def test_a_folder_is_its_owners_and_stays_so(base: Path) -> None:
    inbound = base / "inbound"
    owned_folder(base, inbound, 0o711, TEACHER, TEACHER)
    for _ in range(2):
        owned_folder(base, inbound / "ada", 0o2770, STUDENT, TEACHER)
    assert owner(inbound / "ada") == (STUDENT, TEACHER, 0o2770)
    with pytest.raises(AccountError, match="belongs to somebody else"):
        owned_folder(base, inbound / "ada", 0o2770, STUDENT + 1, TEACHER)


@needs_root
@pytest.mark.parametrize("link", ["inbound", "inbound/ada"])
def test_no_link_leads_root_elsewhere(base: Path, link: str) -> None:
    elsewhere = base / "etc"
    (elsewhere / "ada").mkdir(parents=True)
    for one in (elsewhere, elsewhere / "ada"):
        one.chmod(0o700)
    if link != "inbound":
        owned_folder(base, base / "inbound", 0o711, TEACHER, TEACHER)
    (base / link).symlink_to(elsewhere)
    with pytest.raises(AccountError):
        owned_folder(base, base / "inbound" / "ada", 0o2770, STUDENT, TEACHER)
    assert owner(elsewhere) == owner(elsewhere / "ada") == (0, 0, 0o700)
    assert [path.name for path in elsewhere.rglob("*")] == ["ada"]


@needs_root
def test_accounts_are_not_used_up_by_a_thousand_students() -> None:
    name = f"pcntest-{os.getpid()}"
    try:
        _add(name, Path("/nonexistent"))
        told = subprocess.run(["id", "-u", name], capture_output=True, text=True, check=True)
        assert 20_000 <= int(told.stdout) < 60_000
    finally:
        subprocess.run(["userdel", name], check=False, capture_output=True)


@needs_root
def test_where_backups_are_is_noted_with_the_rights_of_those_who_teach(base: Path) -> None:
    room = base / "assignments"
    owned_folder(base, room, 0o700, TEACHER, TEACHER)
    target = base / "backup.tar.gz"
    target.touch(0o600)
    command = [*opened(base), sys.executable, "-P", "-c", NOTE, str(room), str(target)]

    def note() -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stderr.strip().rpartition("\n")[2]

    for count in (1, 2):
        assert note() == ""
        assert len(json.loads((room / BACKUPS).read_bytes())) == count
    assert owner(room / BACKUPS)[:2] == (TEACHER, TEACHER)
    # They put a link where the note is laid.
    elsewhere = base / "etc"
    elsewhere.mkdir(mode=0o755)
    (room / BACKUPS).unlink()
    (room / BACKUPS).parent.rmdir()
    (room / BACKUPS).parent.symlink_to(elsewhere)
    assert "can't be written" in note()
    assert list(elsewhere.iterdir()) == []


def journal(names: Path) -> bytes:
    """What SQLite believes was left by a crash: it rolls back, and removes the file that it names.

    As https://sqlite.org/fileformat2.html#the_rollback_journal has it.
    """
    magic, name = bytes.fromhex("d9d505f920a163d7"), bytes(names)
    head = (magic + struct.pack(">5I", 0, 1, 2, 512, 4096)).ljust(512, b"\0")
    end = struct.pack(">2I", len(name), sum(name)) + magic
    return head + struct.pack(">I", 2**30 // 4096 + 1) + name + end


@needs_root
def test_nothing_beside_a_gradebook_tells_root_what_to_remove(base: Path) -> None:
    room = base / "assignments"
    owned_folder(base, room, 0o700, TEACHER, TEACHER)
    gradebook, precious = room / "gradebook.db", base / "precious"
    precious.write_text("root's own")

    with closing(sqlite3.connect(gradebook)) as database:
        database.execute("CREATE TABLE grade (id)")

    def put() -> None:
        gradebook.with_name("gradebook.db-journal").write_bytes(journal(precious))
        for path in room.iterdir():
            os.chown(path, TEACHER, TEACHER)

    put()
    command = [*opened(base), sys.executable, "-P", "-c", COPY, str(room), str(base / "first")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert precious.read_text() == "root's own"
    assert f"The gradebook {gradebook} can't be copied: " in done.stderr
    put()
    _copy_sqlite(gradebook, base / "second")
    assert not precious.exists(), "it is one that SQLite believes"


def test_a_number_that_another_process_has_now_is_not_taken_for_the_server() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        try:
            began = _began(other.pid)
            assert CourseSpawner.pid_of({"pid": other.pid, "began": began}) == other.pid
            assert CourseSpawner.pid_of({"pid": other.pid, "began": began + "1"}) == 0
            assert CourseSpawner.pid_of({"pid": other.pid}) == 0
        finally:
            other.kill()


def test_processes_are_counted_for_students_alone() -> None:
    import resource

    settings = Settings()
    assert resource.RLIMIT_NPROC in _limits(settings, "student")
    assert resource.RLIMIT_NPROC not in _limits(settings, "grader")

"""A class on a server is backed up, its machine is lost, and it goes on from the backup."""

from __future__ import annotations

import grp
import pwd
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pcn_course.hub.accounts import _NUMBERS
from tests.hub.class_server import ClassServer, needs_proxy, needs_root, opened
from tests.hub.guide import README
from tests.hub.people import STEP
from tests.support.servers import until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]

# The second can be no system user's name.
NAMES = ("ada", "g.hopper@example.edu")
TEXT = "A referral pathway, kept"


@pytest.fixture
def hub() -> Iterator[ClassServer]:
    place = Path(tempfile.mkdtemp(prefix="pcn-keep-"))
    place.chmod(0o755)
    with ClassServer(
        anybody=False, login="pilot", technologists=["tech"], folder=str(place / "srv")
    ) as running:
        yield running
    shutil.rmtree(place)


def log_in(hub: ClassServer, chromium: Browser, name: str, password: str) -> Page:
    page = chromium.new_context(locale="en-US").new_page()
    page.goto(hub.address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator(f".pcn-card[data-step={STEP}] a").first.click()
    return page


def guide(hub: ClassServer, backup: Path, act: str, status: int = 0) -> str:
    """Run the guide's command for this, with the places of this class; what it says."""
    command = re.search(
        rf"^    (/opt/pcn/bin/python .*backup {act} .*)$", README.read_text(), re.MULTILINE
    )
    assert command
    words = shlex.split(command[1])
    assert (words[0], *words[-2:]) == (
        "/opt/pcn/bin/python", "/etc/pcn/hub.toml", "/mnt/backup/pcn-1",
    )  # fmt: skip
    done = subprocess.run(
        [*opened(hub.base), sys.executable, *words[1:-2], str(hub.file), str(backup)],
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def seen(hub: ClassServer) -> dict[str, tuple[int, str, str, bytes]]:
    """Mode, owner, group and content of all that is backed up as files, by path."""
    found = {}
    names = {one.pw_uid: one.pw_name for one in pwd.getpwall()}
    groups = {one.gr_gid: one.gr_name for one in grp.getgrall()}
    for part in (hub.settings.course, hub.settings.students, hub.settings.exchange):
        for path in sorted((part, *part.rglob("*"))):
            parts = set(path.relative_to(hub.settings.base).parts)
            # Its tables are compared; and a server counts on while the backup is made.
            if path.name in ("gradebook.db", "backups.json", ".pcn-counts.json") or parts & {
                "locks", "server", "__pycache__", ".cache",
            }:  # fmt: skip
                continue
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            owner, group = names[about.st_uid], groups[about.st_gid]
            found[str(path.relative_to(hub.settings.base))] = (about.st_mode, owner, group, content)
    return found


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [*database.iterdump()]


def lose_the_machine(hub: ClassServer, to: Path) -> dict[str, int]:
    """End everything, put the class's folder away, and forget its system users."""
    for pid in hub.pids():
        subprocess.run(["kill", "-KILL", str(pid)], check=False)
    hub.stop("hub")
    hub.stop("proxy")
    until(lambda: not hub.pids())
    hub.settings.base.rename(to)
    accounts = [one for one in pwd.getpwall() if one.pw_name.startswith(f"{hub.settings.prefix}-")]
    for one in accounts:
        subprocess.run(["userdel", one.pw_name], check=True, capture_output=True)
    return {one.pw_name: one.pw_uid for one in accounts}


def test_root_runs_nothing_that_those_who_teach_can_write(tmp_path: Path) -> None:
    hub = ClassServer()
    try:
        config = hub.settings.room / "nbgrader_config.py"
        seen = hub.settings.room / "who"
        config.write_text(
            f"{config.read_text()}\nimport os\nPath('who').write_text(str(os.geteuid()))\n"
        )
        guide(hub, tmp_path / "kept", "back-up")
        assert seen.read_text() == str(hub.settings.room.stat().st_uid) != "0"
        # Nor does it take along what they point at.
        (hub.settings.room / "gradebook.db").symlink_to("/etc/passwd")
        said = guide(hub, tmp_path / "other", "back-up", status=1)
        assert "is outside of" in said
        config.write_text("1 / 0\n")
        assert "can't be run" in guide(hub, tmp_path / "third", "back-up", status=1)
        assert not (tmp_path / "third").exists()
    finally:
        hub.__exit__(None, None, None)


def test_a_class_goes_on_from_its_backup(
    hub: ClassServer, chromium: Browser, tmp_path: Path
) -> None:
    passwords = {name: hub.make_account(name) for name in NAMES}
    hub.teach(f"generate_assignment('{STEP}')", f"release_assignment('{STEP}')")
    for name in NAMES:
        page = log_in(hub, chromium, name, passwords[name])
        page.locator('[data-key="live-project"] :is(textarea, input)').fill(f"{TEXT} by {name}")
        expect(page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_role("button", name="Submit now").click()
    expect(page.locator("dialog.pcn-dialog h2")).to_have_text("Submitted", timeout=60_000)
    page.close()
    hub.teach(f"collect('{STEP}')", f"autograde('{STEP}', {NAMES[1]!r})")

    # What is no home, as a file system of its own has it.
    (hub.settings.students / "lost+found").mkdir(mode=0o700)
    said = guide(hub, tmp_path / "kept", "back-up")
    assert "Written and verified" in said
    assert "NOT in the backup" not in said
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    room = hub.settings.room
    assert (room / ".pcn" / "backups.json").stat().st_uid == room.stat().st_uid

    before, marks = seen(hub), tables(room / "gradebook.db")
    numbers = lose_the_machine(hub, hub.settings.base.with_name("lost"))
    # On the new machine other system users came first.
    other = f"{hub.settings.prefix}-x-other"
    keys = [part for one in _NUMBERS for part in ("--key", one)]
    subprocess.run(["useradd", "--system", *keys, other], check=True, capture_output=True)

    said = guide(hub, tmp_path / "kept", "restore")
    assert "lost+found is nobody's home" in said
    assert seen(hub) == before
    assert tables(room / "gradebook.db") == marks
    now = {one.pw_name: one.pw_uid for one in pwd.getpwall()}
    assert any(now[name] != number for name, number in numbers.items()), "other numbers"
    assert "is not empty" in guide(hub, tmp_path / "kept", "restore", status=1)
    hub.start_proxy()
    hub.start_hub()
    page = log_in(hub, chromium, "ada", passwords["ada"])
    field = page.locator('[data-key="live-project"] :is(textarea, input)')
    expect(field).to_have_value(f"{TEXT} by ada")
    field.fill("and it goes on")
    expect(page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))
    assert page.context.request.get(f"{hub.address}/user/{NAMES[1]}/").status in (403, 404)

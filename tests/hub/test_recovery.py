"""What breaks on a server, and that nobody loses a word by it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

from pcn_course.hub.accounts import student_account
from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import STEP, Student
from tests.soak.disk import fill
from tests.support.servers import until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def ada(hub: ClassServer, students: list[Student]) -> Student:
    student = students[0]
    student.page.goto(student.url(f"voila/render/{STEP}/{STEP}.ipynb"))
    student.saved()
    return student


def kept(student: Student, text: str) -> Callable[[], bool]:
    def look() -> bool:
        file = student.hub.workspace(student.name) / STEP / "answers.json"
        fields = json.loads(file.read_bytes())["fields"]
        return bool(fields["live-project"]["value"] == text)

    return look


def test_a_hub_that_crashes_is_noticed_by_nobody_who_writes(
    hub: ClassServer, ada: Student, chromium: Browser
) -> None:
    server = hub.server_of("ada")
    hub.stop("hub", signal.SIGKILL)
    ada.write("while the hub is away")
    until(kept(ada, "while the hub is away"))
    hub.start_hub()
    ada.page.reload()
    ada.saved()
    assert hub.server_of("ada") == server, "the hub knows it again"
    late = Student.log_in(hub, chromium, "late")
    late.page.context.close()


def test_after_a_reboot_no_strangers_process_is_taken_for_a_server(
    hub: ClassServer, students: list[Student], chromium: Browser
) -> None:
    assert students
    late = Student.log_in(hub, chromium, "later")
    server = hub.server_of("later")
    whose = "user_id = (SELECT id FROM users WHERE name = 'later')"

    def ask(command: str, *told: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(hub.settings.state / "hub.sqlite")) as database:
            found = database.execute(f"{command} WHERE {whose}", told).fetchall()
            database.commit()
            return found

    def state() -> dict[str, object]:
        told: dict[str, object] = json.loads(ask("SELECT state FROM spawners")[0][0])
        return told

    assert state()["pid"] == server
    hub.stop("hub", signal.SIGKILL)
    late.page.context.close()
    # The number is another's now: as far as the hub can tell, this one.
    ask("UPDATE spawners SET state = ?", json.dumps({**state(), "began": "in another boot"}))
    hub.start_hub()
    until(lambda: "pid" not in state())
    assert server in hub.pids("later"), "nobody ended it"
    os.kill(server, signal.SIGKILL)


def test_a_proxy_that_crashes_costs_no_word(hub: ClassServer, ada: Student) -> None:
    hub.stop("proxy", signal.SIGKILL)
    ada.write("while the proxy is away")
    expect(ada.page.locator(".pcn-status")).not_to_have_text(re.compile("^Saved"))
    print(ada.page.locator(".pcn-status").inner_text())
    hub.start_proxy()
    until(kept(ada, "while the proxy is away"), within=60)
    ada.saved()


def test_a_kernel_that_is_killed_costs_no_word(hub: ClassServer, ada: Student) -> None:
    for kernel in hub.kernels_of("ada"):
        os.kill(kernel, signal.SIGKILL)
    ada.write("after the kernel was killed")
    until(kept(ada, "after the kernel was killed"), within=60)
    ada.saved()


def test_a_server_that_is_killed_costs_no_word_and_no_click(hub: ClassServer, ada: Student) -> None:
    before = hub.pids("ada")
    note = ada.page.locator(".pcn-note[role=alert]").first
    os.kill(hub.server_of("ada"), signal.SIGKILL)
    ada.write("after the server was killed")
    expect(note).to_contain_text("It is being opened again", timeout=60_000)
    expect(note).to_contain_text("Your text is kept here")
    until(kept(ada, "after the server was killed"), within=60)
    ada.saved()
    expect(note).to_have_count(0)
    assert not set(before) & set(hub.pids("ada"))


def test_a_page_that_nobody_looks_at_opens_no_server(hub: ClassServer, ada: Student) -> None:
    note = ada.page.locator(".pcn-note[role=alert]").first
    ada.page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    killed = hub.pids("ada")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    again = ada.page.get_by_role("button", name="Open the course again")
    expect(again).to_be_visible(timeout=60_000)
    ada.write("in a page that was out of sight")
    assert set(hub.pids("ada")) <= set(killed), "some may not be cleared away yet"
    again.click()
    until(kept(ada, "in a page that was out of sight"), within=60)
    expect(note).to_have_count(0)


def test_a_page_that_is_signed_out_says_so_and_leads_to_the_login(
    hub: ClassServer, ada: Student
) -> None:
    browser = ada.page.context
    cookies = browser.cookies()
    browser.clear_cookies()
    for kernel in hub.kernels_of("ada"):
        os.kill(kernel, signal.SIGKILL)
    ada.write("while signed out")
    with browser.expect_page(timeout=60_000) as opened:
        ada.page.get_by_role("link", name="Sign in again").click(timeout=60_000)
    login = opened.value
    login.get_by_label("Username").fill("ada")
    login.get_by_label("Password").fill("a word")
    login.get_by_role("button", name="Sign in").click()
    expect(login.locator(".pcn-card")).to_have_count(len(hub.course.steps))
    assert browser.cookies() != cookies
    until(kept(ada, "while signed out"), within=60)
    ada.saved()
    login.close()


def test_a_server_ends_when_nobody_uses_it_and_not_while_a_page_is_open(
    hub: ClassServer, ada: Student
) -> None:
    server = hub.server_of("ada")
    ada.write("before a break")
    until(kept(ada, "before a break"))
    # Longer than a server without a page stays: it is not asked for anything meanwhile.
    ada.page.wait_for_timeout(60_000 * hub.settings.idle_minutes + 4000)
    assert hub.server_of("ada") == server
    ada.page.goto("about:blank")
    until(lambda: not hub.pids("ada"), within=60)
    ada.page.goto(hub.address)
    ada.open_step()
    expect(ada.page.locator('[data-key="live-project"] :is(textarea, input)')).to_have_value(
        "before a break"
    )


def test_servers_are_lean_and_limited(hub: ClassServer, ada: Student) -> None:
    kernels = hub.kernels_of("ada")
    processes = [psutil.Process(pid) for pid in hub.pids("ada")]
    # What the student costs: that which is shared with the process that it came from is there once.
    own = {process.pid: process.memory_full_info().uss / 2**20 for process in processes}
    page = max(own[pid] for pid in kernels)
    used = sum(size for pid, size in own.items() if pid not in kernels) + page
    print(f"a student with one page open takes {used:.0f} MiB, {page:.0f} of it for the page")
    assert used < 130
    limits = {
        "Max data size": hub.settings.memory_mib * 2**20,
        "Max processes": hub.settings.processes,
        "Max file size": hub.settings.file_mib * 2**20,
        "Max core file size": 0,
    }
    for process in processes:
        said = Path(f"/proc/{process.pid}/limits").read_text()
        for kind, amount in limits.items():
            assert re.search(rf"^{kind} +{amount} +{amount} ", said, re.MULTILINE), kind


def test_a_full_disk_is_said_and_costs_no_word(hub: ClassServer, chromium: Browser) -> None:
    account = student_account(hub.settings, "full")
    # The hub may see a mount table of its own, and so do all servers.
    process = f"/proc/{hub.processes['hub'].pid}"
    home = Path(f"{process}/root{account.home}")
    small = f"size=16m,mode=700,uid={account.uid},gid={account.gid}"
    in_there = ["nsenter", f"--mount={process}/ns/mnt"]
    subprocess.run(
        [*in_there, "mount", "-t", "tmpfs", "-o", small, "pcn-full", str(account.home)], check=True
    )
    student = Student.log_in(hub, chromium, "full")
    try:
        student.open_step()
        student.write("before")
        student.saved()
        ballast = fill(home)
        student.write("while the disk is full")
        expect(student.page.locator(".pcn-status")).to_have_text(re.compile("^Not saved"))
        expect(student.page.locator(".pcn-alert")).to_contain_text("no room left")
        ballast.unlink()
        expect(student.page.locator(".pcn-status")).to_have_text(
            re.compile(r"^Saved \d"), timeout=30_000
        )
        assert "while the disk is full" in (home / "workspace" / STEP / "answers.json").read_text()
    finally:
        student.page.context.close()
        for pid in hub.pids("full"):
            os.kill(pid, signal.SIGKILL)
        subprocess.run([*in_there, "umount", "--lazy", str(account.home)], check=True)

"""Students' servers as containers have them: a real hub, the real proxy, one user id, own mounts.

Only Kubernetes is not there: the pods that the hub's own hook describes are built on this machine,
see pods_here.py. All students here are made up.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.class_server import PROXY, needs_proxy, needs_root, status_of
from tests.hub.kubernetes.pods_here import CHECKOUT, UID, volume_in
from tests.hub.people import STEP
from tests.support.servers import free_port, until

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(240)]
NAMES = ("ada", "g.hopper@example.edu")

_CONFIG = """
import sys
from pathlib import Path
sys.path.insert(0, {checkout!r})
from pcn_course.hub.kubernetes.pods import configure
from tests.hub.kubernetes.pods_here import HereSpawner
c = get_config()
configure(c, {{"instructors": ["prof"], "graders": ["tutor"], "uid": {uid}}})
HereSpawner.volume = Path({volume!r})
c.JupyterHub.spawner_class = HereSpawner
c.Spawner.pre_spawn_hook = c.KubeSpawner.pre_spawn_hook
c.Spawner.env_keep = []  # as KubeSpawner's
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.allow_named_servers = True
c.JupyterHub.db_url = "sqlite:///{base}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{base}/cookie-secret"
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 60
c.LocalProcessSpawner.interrupt_timeout = 1
c.LocalProcessSpawner.term_timeout = 1
c.JupyterHub.load_roles = [{{
    "name": "server",
    "scopes": ["users:activity!user", "access:servers!server", "delete:servers!server"],
}}]
"""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with volume_in(tmp_path_factory.mktemp("pods"), 64) as volume:
        yield volume


@pytest.fixture(scope="module")
def address(volume: Path) -> Iterator[str]:
    """A hub whose servers are pods."""
    base = volume.parent
    port = free_port()
    config = base / "jupyterhub_config.py"
    places = {"base": base, "volume": str(volume), "checkout": str(CHECKOUT), "proxy": PROXY}
    ports = {"port": port, "hub": free_port(), "api": free_port()}
    config.write_text(_CONFIG.format(uid=UID, **places, **ports))
    log = base / "hub.log"
    with log.open("wb") as output:
        hub = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=base, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        until(
            lambda: status_of(f"http://127.0.0.1:{port}/hub/health") == 200 or ended(hub, log), 60
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        hub.terminate()
        hub.wait(60)
        for process in servers():
            process.kill()
        sys.stdout.write(log.read_text(errors="replace")[-4000:])


def ended(hub: subprocess.Popen[bytes], log: Path) -> bool:
    assert hub.poll() is None, log.read_text()
    return False


def servers() -> list[psutil.Process]:
    """The first processes of the pods of this test's hub, which get Kubernetes' signals."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.uids().real == UID and psutil.Process(process.ppid()).uids().real != UID:
                found.append(process)
        except psutil.Error:
            continue
    return sorted(found, key=lambda one: one.create_time())


def log_in(address: str, browser: Browser, name: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a word")
    page.get_by_role("button", name="Sign in").click()
    return page


def test_a_server_starts_in_a_pod_and_keeps_what_is_written(
    address: str, volume: Path, chromium: Browser
) -> None:
    pages = {}
    for name in NAMES:
        page = pages[name] = log_in(address, chromium, name)
        page.locator(f".pcn-card[data-step={STEP}] a").first.click(timeout=60_000)
        page.locator('[data-key="live-project"] :is(textarea, input)').fill(f"By {name}")
        expect(page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))
    for name in NAMES:
        file = volume / "students" / name / "workspace" / STEP / "answers.json"
        assert json.loads(file.read_bytes())["fields"]["live-project"]["value"] == f"By {name}"
        assert file.stat().st_uid == UID
        assert file.parents[2].stat().st_mode & 0o777 == 0o700
    # Each by a process of its own that is the first in its pod, and listens as a pod does.
    first = servers()
    assert len(first) == len(NAMES)
    for process in first:
        assert Path(f"/proc/{process.pid}/status").read_text().count("\nNSpid:\t") == 1
        assert re.search(r"\nNSpid:\t\d+\t1\n", Path(f"/proc/{process.pid}/status").read_text())
        [listens] = [one for one in process.net_connections("tcp") if one.status == "LISTEN"
                     and one.laddr.ip == "0.0.0.0"]  # fmt: skip  # noqa: S104
        assert listens.laddr.port
    ada = pages["ada"].context.request
    assert ada.get(f"{address}/user/g.hopper%40example.edu/").status in (403, 404)
    for page in pages.values():
        page.context.close()
    # Kubernetes says so to a server that is to end, and waits for 30 seconds.
    os.kill(first[0].pid, signal.SIGTERM)
    first[0].wait(15)


@pytest.mark.parametrize("name", ["a{username}", "-ada"])
def test_a_name_that_is_no_folders_gets_no_further_than_the_login(
    address: str, chromium: Browser, name: str
) -> None:
    before = len(servers())
    page = log_in(address, chromium, name)
    expect(page.get_by_text("Invalid username or password")).to_be_visible()
    page.context.close()
    assert len(servers()) == before


def test_a_student_has_one_server(address: str, chromium: Browser) -> None:
    page = log_in(address, chromium, "eve")
    page.wait_for_url(re.compile("/user/eve/|/hub/spawn-pending/"), timeout=60_000)
    # The page itself may be on its way from the hub to the server.
    answer = page.context.request.get(f"{address}/hub/spawn/eve/marking")
    assert answer.status == 403
    assert "There is one server for each person." in answer.text()
    page.context.close()


def test_who_teaches_has_lab_or_marking_in_a_pod(address: str, chromium: Browser) -> None:
    tutor, prof = (log_in(address, chromium, name) for name in ("tutor", "prof"))
    expect(tutor.get_by_role("combobox", name="Step")).to_be_visible(timeout=60_000)
    expect(prof).to_have_url(f"{address}/user/prof/lab", timeout=60_000)
    ask = prof.context.request
    assert ask.get(f"{address}/user/prof/formgrader/manage_assignments").status == 200
    assert ask.get(f"{address}/user/prof/api/contents/nbgrader_config.py").status == 200
    assert tutor.context.request.get(f"{address}/user/tutor/lab").status == 404
    for page in (tutor, prof):
        page.context.close()

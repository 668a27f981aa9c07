"""A step in JupyterLab: the same notebook, the same form, and nothing of it in the notebook."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from pcn_course.course import default_root, load_course
from pcn_course.workspace import Workspace
from tests.support import accessible
from tests.support.servers import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
STEP = "step-1-goals"
KEY = "what-you-do"
SAVED = re.compile("^Saved ")
SLOW = 120_000
"""Milliseconds that JupyterLab may take for its first page on a busy machine."""


@dataclass(frozen=True)
class Lab:
    """A JupyterLab over a workspace."""

    workspace: Path
    address: str
    process: subprocess.Popen[bytes]

    def answers(self) -> dict[str, str]:
        document = json.loads((self.workspace / STEP / "answers.json").read_bytes())
        return {key: field["value"] for key, field in document["fields"].items()}

    def notebook(self) -> str:
        return (self.workspace / STEP / f"{STEP}.ipynb").read_text("utf-8")

    def kill_kernels(self) -> None:
        for child in psutil.Process(self.process.pid).children(recursive=True):
            if any("ipykernel" in part for part in child.cmdline()):
                child.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    workspace = folder / "workspace"
    Workspace(workspace).fill(load_course(default_root()))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "HOME": str(folder)}
    environment = {**os.environ, **settings}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root",
               f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
               "--IdentityProvider.token=key", f"--ServerApp.root_dir={workspace}"]  # fmt: skip
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "log.txt").read_text()
        try:
            urllib.request.urlopen(f"{address}/api?token=key", timeout=5).close()  # noqa: S310
        except (OSError, urllib.error.URLError):
            return False
        return True

    try:
        until(answers, within=120)
        yield Lab(workspace, address, process)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def page(page: Page, lab: Lab) -> Page:
    page.set_default_timeout(SLOW)
    expect.set_options(timeout=60_000)
    page.goto(f"{lab.address}/lab/tree/{STEP}/{STEP}.ipynb?token=key&reset")
    return page


def run(page: Page) -> Locator:
    """Run the notebook's cells up to the form; return the field that is written in."""
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=SLOW)
    # JupyterLab shows what it can of earlier runs by itself: that isn't what is looked at.
    page.evaluate(
        "document.querySelectorAll('.pcn-form').forEach((form) => form.className += ' old')"
    )
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("Shift+Enter")
    form = page.locator(".pcn-form:not(.old)")
    field = form.locator(f'[data-key="{KEY}"] textarea')
    expect(field).to_be_visible(timeout=SLOW)
    return field


def test_write_save_load_again_and_it_is_all_there(page: Page, lab: Lab) -> None:
    field = run(page)
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    field.click()
    page.keyboard.type("One line.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Another.")
    expect(field).to_be_focused()
    expect(page.locator(".pcn-status")).to_have_text(SAVED)
    assert lab.answers()[KEY] == "One line.\nAnother."
    bar = page.locator(".pcn-bar").bounding_box()
    assert bar
    assert bar["y"] + bar["height"] <= page.evaluate("innerHeight"), "the bar is out of sight"

    page.locator(".pcn-preview").focus()
    for key in "xddab":  # JupyterLab's own letters for cutting, deleting and adding cells
        page.keyboard.press(key)
    page.keyboard.press("Control+s")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert accessible.axe(page, ".pcn-form") == []

    page.locator(".jp-Notebook .jp-Cell").first.click()
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.keyboard.press("Control+s")
    assert "Another." not in lab.notebook()

    page.reload()
    expect(run(page)).to_have_value("One line.\nAnother.")
    expect(page.locator(".pcn-form:not(.old) .pcn-status")).to_have_text(SAVED)


def test_a_kernel_that_dies_is_said_and_the_text_comes_back(page: Page, lab: Lab) -> None:
    field = run(page)
    field.fill("Before")
    expect(page.locator(".pcn-status")).to_have_text(SAVED)
    lab.kill_kernels()
    field.fill("Before and after")
    alert = page.locator(".pcn-alert")
    expect(alert).to_contain_text("run the cells again")
    expect(page.locator(".pcn-status")).to_contain_text("Not saved, still trying")
    page.keyboard.press("Escape")
    field = run(page)
    expect(field).to_have_value("Before and after")
    expect(page.locator(".pcn-form:not(.old) .pcn-status")).to_have_text(SAVED)
    assert lab.answers()[KEY] == "Before and after"

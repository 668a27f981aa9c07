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
from typing import Any

import psutil
import pytest
from playwright.sync_api import Locator, Page, Response, expect

from pcn_course.app.launcher import SHARE
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


def _saved(answer: Response) -> bool:
    """Whether the notebook was written, and not JupyterLab's own layout."""
    return answer.request.method == "PUT" and "/api/contents/" in answer.url and answer.ok


def ready(page: Page) -> None:
    """Wait for the notebook and its kernel."""
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=SLOW)


def run(page: Page) -> Locator:
    """Run the notebook's cells up to the form; return the field that is written in."""
    ready(page)
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
    with page.expect_response(_saved):
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


def choose(page: Page, *path: str) -> None:
    """Choose from JupyterLab's menus."""
    page.get_by_role("menubar").get_by_text(path[0], exact=True).click()
    for name in path[1:]:
        page.locator(".lm-Menu").get_by_text(name, exact=True).click()


def kept(page: Page, lab: Lab) -> tuple[str, dict[str, Any]]:
    """Save the notebook; its text, and its metadata."""
    with page.expect_response(_saved):
        choose(page, "File", "Save Notebook")
    text = lab.notebook()
    return text, json.loads(text)["metadata"]


def run_all(page: Page) -> Locator:
    """Run all cells, those for grading too; return the form, which is a new one."""
    ready(page)
    page.locator(".pcn-form").evaluate_all("(all) => all.forEach((one) => one.remove())")
    choose(page, "Run", "Run All Cells")
    form = page.locator(".pcn-form")
    expect(form.locator(".pcn-field").first).to_be_visible(timeout=SLOW)
    return form


def test_no_answer_is_kept_in_the_notebook(page: Page, lab: Lab) -> None:
    ours = "Only answers.json may hold this."
    form = run_all(page)
    form.locator(f'[data-key="{KEY}"] textarea').fill(ours)
    expect(form.locator(".pcn-status")).to_have_text(SAVED)
    form = run_all(page)
    expect(form.locator(f'[data-key="{KEY}"] textarea')).to_have_value(ours)
    expect(page.get_by_text("When this step is graded")).to_be_visible()
    expect(page.get_by_role("heading", name="Structure:")).to_be_visible()
    text, metadata = kept(page, lab)
    assert lab.answers()[KEY] == ours
    assert "Structure:" in text, "what the cells showed is in it"
    assert ours not in text
    assert "widgets" not in metadata

    # A student may switch on what the course switches off: widgets hold nothing of theirs.
    choose(page, "Settings", "Save Widget State Automatically")
    form.locator(f'[data-key="{KEY}"] textarea').fill(f"{ours} Really.")
    expect(form.locator(".pcn-status")).to_have_text(SAVED)
    text, metadata = kept(page, lab)
    choose(page, "Settings", "Save Widget State Automatically")
    assert "widgets" in metadata
    assert ours not in text


def test_the_network_is_drawn_and_its_plan_taken_away(page: Page, lab: Lab) -> None:
    step = "step-2-connections"
    page.goto(f"{lab.address}/lab/tree/{step}/{step}.ipynb?token=key&reset")
    form = run_all(page)
    people = form.locator('.pcn-field[data-key="people"]')
    for name in ("School nurse", "Parent leader"):
        people.get_by_role("button", name="Add").first.click()
        people.locator("details.pcn-row").last.locator("input").first.fill(name)
    expect(form.locator(".pcn-status")).to_have_text(SAVED)
    drawn = form.locator(".pcn-panel-network")
    expect(drawn.locator("svg").first).to_be_visible()
    expect(drawn).to_contain_text("School nurse")
    expect(drawn).to_contain_text("Parent leader")
    assert accessible.axe(page, ".pcn-form") == []

    page.goto(f"{lab.address}/lab/tree/portfolio.ipynb?token=key&reset")
    ready(page)
    choose(page, "Run", "Run All Cells")
    with page.expect_download() as file:
        page.get_by_role("button", name="Word").first.click()
    assert file.value.path().read_bytes().startswith(b"PK")


def test_the_settings_are_installed_with_the_package() -> None:
    from jupyterlab.commands import get_app_dir

    (ours,) = (SHARE / "lab/settings/overrides.d").glob("*.json")
    installed = Path(get_app_dir(), "settings/overrides.d", ours.name)
    assert installed.read_bytes() == ours.read_bytes(), "install the package again"


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_light_and_dark(page: Page, lab: Lab, theme: str) -> None:
    form = run_all(page)
    form.locator("details").evaluate_all("(all) => all.forEach((one) => (one.open = true))")
    choose(page, "Settings", "Theme", theme)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    for scheme in ("light", "dark"):  # the system's, which may differ from JupyterLab's
        page.emulate_media(color_scheme=scheme)
        assert accessible.axe(page, ".pcn-form") == []
        assert accessible.tree(page, ".pcn-form") == []

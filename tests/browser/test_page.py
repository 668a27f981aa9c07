"""The light page in a real Chromium, from a real server, with real kernels."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from pcn_course.course import load_course
from pcn_course.grading.notebooks import write_notebooks
from tests.support.notebooks import ECHO, write_notebook
from tests.support.servers import AppServer, until

pytestmark = pytest.mark.browser
BASE = Path(__file__).parents[1] / "courses" / "base"
READING = "# The title\n\nWhat it is about.\n\n<details><summary>Read first</summary>Why</details>"
FAILED = "This page could not be made ready"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("page")
    course = folder / "course"
    shutil.copytree(BASE, course)
    write_notebooks(load_course(course), course / "notebooks")
    workspace = folder / "workspace"
    write_notebook(workspace / "home.ipynb", "# Home", ECHO, "Echo()", title="Start", page="home")
    write_notebook(workspace / "echo/echo.ipynb", READING, ECHO, "e = Echo()", "e", title="Echo")
    jupyter = str(folder / "jupyter")
    settings = {"JUPYTER_DATA_DIR": jupyter, "PCN_WARM_PAGES": "1"}
    with AppServer(workspace, course=course, **settings) as server:
        yield server


@pytest.fixture
def signed_in(context: BrowserContext, server: AppServer) -> Page:
    page = context.new_page()
    page.on("console", lambda message: print(message.type, message.text))
    answer = context.request.get(server.address, max_redirects=0)
    assert answer.status == 302
    return page


def opened(page: Page, server: AppServer, path: str = "echo/echo.ipynb") -> Page:
    page.goto(server.url(path))
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready")
    return page


def heard(page: Page) -> list[Any]:
    said: list[Any] = page.evaluate("window.heard ?? []")
    return said


def say(page: Page, text: str) -> int:
    """Send ``text`` to the kernel; the process id of the kernel that answers."""
    page.get_by_label("What do you say?").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".answer")).to_have_text(text)
    pid: int = heard(page)[-1]["pid"]
    return pid


def reconnected(page: Page, times: int = 1) -> None:
    until(lambda: heard(page).count("pcn:reconnected") == times, within=60)


# ---- A page ---------------------------------------------------------------------------------


def test_the_printed_address_leads_home_and_the_key_does_not_stay(
    page: Page, server: AppServer
) -> None:
    page.goto(server.address)
    expect(page).to_have_url(server.url("home.ipynb"))
    expect(page).to_have_title("Start · A small course")
    say(page, "Hello")


def test_a_widget_is_initialized_and_rendered_and_talks(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    assert say(page, "Grüße, 你好 🎈") in server.kernel_pids()
    assert page.evaluate("window.initialized") == 1
    expect(page.locator(".pcn-loading")).to_have_count(0)
    expect(page.locator(".pcn-late")).to_be_hidden()


def test_the_page_has_language_title_landmarks_and_a_skip_link(
    signed_in: Page, server: AppServer
) -> None:
    page = opened(signed_in, server)
    expect(page).to_have_title("Echo · A small course")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("The title")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    brand = page.get_by_role("link", name="A small course")
    expect(brand).to_have_attribute("href", "../home.ipynb")


def test_the_header_shows_the_steps(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    steps = page.get_by_role("navigation", name="Steps").get_by_role("link")
    expect(steps).to_have_text(["✓", "2"])
    expect(steps.nth(0)).to_have_accessible_name("Step 1, First: submitted")
    expect(steps.nth(1)).to_have_accessible_name("Step 2, echo/echo: in progress")
    expect(steps.nth(1)).to_have_attribute("aria-current", "page")
    expect(page.locator(".pcn-eyebrow")).to_have_text("Step 2 of 2 · about 25 minutes")


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    chromium: Browser, server: AppServer, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/")  # the login page
    write_notebook(server.workspace / "failing.ipynb", READING, "1/0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    for path in ("", "echo/echo.ipynb", "failing.ipynb", "nowhere.ipynb"):
        if path:
            page.goto(server.url(path))
        if path.startswith("echo"):
            expect(page.locator("html")).to_have_attribute("data-pcn", "ready")
            page.locator("summary").click()
        if path.startswith("failing"):
            expect(page.get_by_role("alert")).to_be_visible()
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
        assert not found.response["violations"], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if not path:
            page.goto(server.address)
    context.close()


def test_few_requests_few_bytes_and_no_other_host(chromium: Browser, server: AppServer) -> None:
    context = chromium.new_context()
    context.request.get(server.address, max_redirects=0)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    urls: list[str] = []
    sizes: list[float] = []
    devtools.on("Network.requestWillBeSent", lambda event: urls.append(event["request"]["url"]))
    devtools.on("Network.webSocketCreated", lambda event: urls.append(event["url"]))
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    opened(page, server)
    asked = [url for url in urls if not url.startswith(("blob:", "data:"))]
    assert len(asked) == 5, asked  # the page, two sheets, a script, the socket
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{server.port}"}
    assert sum(sizes) < 14_000
    urls.clear()
    sizes.clear()
    opened(page, server)
    assert sum(sizes) < 4_000, "styles and script come from the cache"
    context.close()


def test_the_browser_itself_refuses_other_hosts(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    refused = "fetch('https://example.org/').then(() => false, () => true)"
    assert page.evaluate(refused)
    policy = server.get("/login").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy


def test_a_warm_page_uses_a_kernel_that_ran_before(signed_in: Page, server: AppServer) -> None:
    server.wait_until_warm(3)
    before = set(server.kernel_pids())
    page = opened(signed_in, server, "home.ipynb")
    assert say(page, "warm") in before


def test_a_cold_page_shows_the_reading_before_its_kernel_is_there(
    signed_in: Page, server: AppServer
) -> None:
    write_notebook(server.workspace / "slow.ipynb", READING, "import time; time.sleep(4)", ECHO)
    page = signed_in
    page.goto(server.url("slow.ipynb"), wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("The title", timeout=3000)
    expect(page.get_by_role("status")).to_have_text("Getting your page ready…")
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready")


def test_a_page_that_is_left_early_is_kept_for_its_next_visitor(
    signed_in: Page, server: AppServer
) -> None:
    write_notebook(server.workspace / "left.ipynb", "import time; time.sleep(3)", ECHO, "Echo()")
    signed_in.goto(server.url("left.ipynb"), wait_until="commit")
    signed_in.goto("about:blank")
    until(lambda: "left.ipynb is ready for its next visitor" in server.log)
    before = set(server.kernel_pids())
    assert say(opened(signed_in, server, "left.ipynb"), "kept") in before


def test_grading_cells_neither_run_nor_show(signed_in: Page, server: AppServer) -> None:
    trace = server.workspace / "ran"
    write_notebook(
        server.workspace / "graded.ipynb",
        READING,
        f"#grading\nopen({str(trace)!r}, 'w').close()\nprint('for the instructor')",
        "print('for the student')",
    )
    page = opened(signed_in, server, "graded.ipynb")
    expect(page.get_by_text("for the student")).to_be_visible()
    assert "instructor" not in page.content()
    assert not trace.exists()


def test_a_notebook_that_was_edited_shows_its_new_state_at_once(
    signed_in: Page, server: AppServer
) -> None:
    server.wait_until_warm(3)
    home = server.workspace / "home.ipynb"
    home.write_text(home.read_text().replace("# Home", "# New home"))
    page = opened(signed_in, server, "home.ipynb")
    expect(page.get_by_role("heading", level=1)).to_have_text("New home")


def test_prints_without_the_bars(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 42, 47)"


# ---- Faults ---------------------------------------------------------------------------------


def test_a_killed_kernel_is_replaced_and_what_was_typed_stays(
    signed_in: Page, server: AppServer
) -> None:
    page = opened(signed_in, server)
    first = say(page, "before")
    page.get_by_label("What do you say?").fill("typed, not sent")
    server.kill_kernel(page)
    reconnected(page)
    expect(page.locator(".answer")).to_have_text("typed, not sent")
    assert "pcn:disconnected" in heard(page)
    assert heard(page)[-1]["pid"] != first
    assert say(page, "after") != first


def test_a_kernel_that_is_killed_twice(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    for time in (1, 2):
        server.kill_kernel(page)
        reconnected(page, time)
    say(page, "still here")


def test_a_server_that_is_killed_and_started_again(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    say(page, "before")
    page.get_by_label("What do you say?").fill("typed, not sent")
    port, key = server.port, server.key
    server.kill9()
    until(lambda: "pcn:disconnected" in heard(page))
    server.start()
    assert (server.port, server.key) == (port, key)
    reconnected(page)
    expect(page.locator(".answer")).to_have_text("typed, not sent")


def test_a_line_that_goes_silent_is_noticed_and_taken_up_again(
    signed_in: Page, server: AppServer
) -> None:
    page = opened(signed_in, server)
    pid = say(page, "before")
    os.kill(server.pid, signal.SIGSTOP)  # nothing closes, nothing answers
    try:
        page.get_by_role("button", name="Send").click()
        until(lambda: "pcn:disconnected" in heard(page), within=20)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    reconnected(page)
    assert say(page, "after") == pid, "the kernel lives, so it is kept"


def test_a_kernel_at_work_is_not_taken_for_a_dead_line(signed_in: Page, server: AppServer) -> None:
    busy = ECHO.replace('self.send({"text"', 'import time; time.sleep(12); self.send({"text"')
    write_notebook(server.workspace / "busy.ipynb", busy, "Echo()")
    page = opened(signed_in, server, "busy.ipynb")
    page.get_by_label("What do you say?").fill("slowly")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".answer")).to_have_text("slowly", timeout=30_000)
    assert "pcn:disconnected" not in heard(page)


def test_a_page_that_is_signed_out_says_so_and_comes_back(
    signed_in: Page, context: BrowserContext, server: AppServer
) -> None:
    page = opened(signed_in, server)
    context.clear_cookies()
    server.kill_kernel(page)
    note = page.get_by_role("alert")
    expect(note).to_contain_text("You are signed out")
    context.request.get(server.address, max_redirects=0)
    reconnected(page)
    expect(note).to_have_count(0)


def test_a_page_that_was_gone_back_to(signed_in: Page, server: AppServer) -> None:
    page = opened(signed_in, server)
    page.goto("about:blank")
    page.go_back()
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready")
    say(page, "back")


def test_a_kernel_that_died_in_reserve_is_not_given_out(signed_in: Page, server: AppServer) -> None:
    server.restart()
    server.wait_until_warm(3)
    pids = server.kernel_pids()
    server.kill_kernels()
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    page = opened(signed_in, server, "home.ipynb")
    assert say(page, "fresh") not in pids


# ---- Failures in plain words ----------------------------------------------------------------


def fails(page: Page, server: AppServer, path: str) -> str:
    page.goto(server.url(path), wait_until="commit")
    expect(page.get_by_role("alert")).to_contain_text(FAILED, timeout=60_000)
    expect(page.locator(".pcn-loading")).to_have_count(0)
    expect(page.get_by_role("link", name="Load the page again")).to_be_visible()
    text: str = page.content()
    for word in ("Traceback", "ZeroDivision", "show_tracebacks", "Voil", str(server.workspace)):
        assert word not in text
    return text


def test_a_cell_that_fails_is_told_in_plain_words(signed_in: Page, server: AppServer) -> None:
    trace = server.workspace / "later"
    write_notebook(
        server.workspace / "bad/bad.ipynb",
        READING,
        "1/0",
        f"open({str(trace)!r}, 'w').close()",
    )
    fails(signed_in, server, "bad/bad.ipynb")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("The title")
    assert not trace.exists()
    assert "ZeroDivisionError" in server.log


def test_a_kernel_that_dies_in_a_cell(signed_in: Page, server: AppServer) -> None:
    write_notebook(server.workspace / "dying.ipynb", READING, "import os; os._exit(3)", ECHO)
    fails(signed_in, server, "dying.ipynb")


@pytest.mark.parametrize("command", [["/no/such/program"], ["false"]])
def test_a_kernel_that_cannot_start(signed_in: Page, server: AppServer, command: list[str]) -> None:
    name = f"broken-{Path(command[0]).name}"
    folder = Path(server.environment["JUPYTER_DATA_DIR"], "kernels", name)
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": [*command, "{connection_file}"], "display_name": name, "language": "python"}
    (folder / "kernel.json").write_text(str(spec).replace("'", '"'))
    write_notebook(server.workspace / f"{name}.ipynb", READING, ECHO, "Echo()", kernel=name)
    fails(signed_in, server, f"{name}.ipynb")


def test_a_file_that_is_no_notebook(signed_in: Page, server: AppServer) -> None:
    (server.workspace / "torn.ipynb").write_text('{"cells": [')
    answer = signed_in.goto(server.url("torn.ipynb"))
    assert answer
    assert answer.status == 500
    expect(signed_in.get_by_role("heading")).to_have_text("This page could not be opened")
    assert str(server.workspace) not in signed_in.content()


def test_a_page_that_arrives_in_part(signed_in: Page, server: AppServer) -> None:
    def cut(route: Route) -> None:
        whole = route.fetch().text()
        assert 'id="pcn-end"' in whole
        route.fulfill(body=whole[: whole.index("pcn-widget")], content_type="text/html")

    signed_in.route("**/echo.ipynb", cut)
    fails(signed_in, server, "echo/echo.ipynb")


def test_a_page_whose_script_is_quicker_than_its_text(
    signed_in: Page, context: BrowserContext, server: AppServer
) -> None:
    write_notebook(server.workspace / "plain.ipynb", READING, "print('the end')")
    opened(signed_in, server, "plain.ipynb")
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
    script_ran = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        """Sends the head, then nothing until the script has run, then the rest."""

        def do_GET(self) -> None:
            answer = server.get(self.path, {"Cookie": cookies})
            head, body, rest = answer.text.partition("<body")
            self.send_response(answer.status)
            self.send_header("Content-Type", str(answer.headers["Content-Type"]))
            self.end_headers()
            self.wfile.write(head.encode())
            if body:
                self.wfile.flush()
                script_ran.wait(20)
                self.wfile.write((body + rest).encode())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        page = signed_in
        address = f"http://127.0.0.1:{slow.server_port}/voila/render/plain.ipynb"
        page.goto(address, wait_until="commit")
        expect(page.locator("html")).to_have_attribute("data-pcn", "loading")
        script_ran.set()
        expect(page.locator("html")).to_have_attribute("data-pcn", "ready")
        slow.shutdown()


def test_the_words_while_waiting_change_and_end(signed_in: Page, server: AppServer) -> None:
    write_notebook(server.workspace / "endless.ipynb", READING, "import time; time.sleep(40)")
    page = signed_in
    page.clock.install()
    page.goto(server.url("endless.ipynb"), wait_until="commit")
    status = page.get_by_role("status")
    expect(status).to_have_text("Getting your page ready…")
    expect(page.locator(".pcn-late")).to_be_hidden()
    page.clock.fast_forward(8_500)
    expect(status).to_contain_text("Still getting ready")
    page.clock.fast_forward(22_000)
    expect(status).to_contain_text("longer than usual")
    page.clock.fast_forward(60_000)
    expect(page.get_by_role("alert")).to_contain_text(FAILED)

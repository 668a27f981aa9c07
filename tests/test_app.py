"""The server behind the pages: its doors, its keys, its port, its beginning and its end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, util
from pathlib import Path
from typing import Any, TypeVar

import pytest
from jupyter_client.session import Session
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from pcn_course.app import launcher as app
from pcn_course.app import polling
from pcn_course.app.handlers import course_handlers, notebook_below
from pcn_course.app.kernel_pool import CourseKernels, Rendering
from pcn_course.app.plotly import PlotlyHandler, plotly_file
from pcn_course.course import load_course
from pcn_course.grading.notebooks import write_notebooks
from tests.support.notebooks import write_notebook
from tests.support.servers import AppServer, free_port, until

T = TypeVar("T")
BASE = Path(__file__).parent / "courses" / "base"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: Playwright keeps this one's event loop going."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


# ---- Without a server -----------------------------------------------------------------------


def test_only_notebooks_inside_the_folder_are_pages(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    outside = write_notebook(tmp_path / "outside.ipynb", "1")
    write_notebook(root / "step/step.ipynb", "1")
    write_notebook(root / ".pcn/private.ipynb", "1")
    write_notebook(root / "step/.hidden.ipynb", "1")
    (root / "answers.json").write_text("{}")
    (root / "folder.ipynb").mkdir()
    (root / "link.ipynb").symlink_to(outside)
    (root / "way").symlink_to(tmp_path)
    assert notebook_below(root, "step/step.ipynb") == "step/step.ipynb"
    for path in (
        *("", "/", "step", "step/", "answers.json", "folder.ipynb", "no.ipynb"),
        *(".pcn/private.ipynb", "step/.hidden.ipynb", "step//step.ipynb", "/step/step.ipynb"),
        *("../outside.ipynb", "step/../../outside.ipynb", "link.ipynb", "way/outside.ipynb"),
        *("step\\step.ipynb", "step/step.ipynb\0", str(outside)),
    ):
        assert notebook_below(root, path) is None, path


def test_a_link_to_where_nobody_may_look_is_no_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refused)
    assert notebook_below(tmp_path, "link.ipynb") is None


def test_what_a_start_keeps_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = app.ServerFolder(tmp_path)
    key = folder.secret("token")
    assert len(key) >= 32
    assert app.ServerFolder(tmp_path).secret("token") == key
    for path in (folder.path, folder.path / "token"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    with folder.connections() as connections:
        assert stat.S_IMODE(connections.stat().st_mode) & 0o077 == 0
    assert not connections.exists()
    (folder.path / "token").write_text("short")
    assert len(folder.secret("token")) >= 32
    (folder.path / "token").write_bytes(b"\xff" * 40)
    assert len(folder.secret("token")) >= 32


def test_what_a_crash_left_behind_is_cleared_away(tmp_path: Path) -> None:
    folder = app.ServerFolder(tmp_path)
    left = contextlib.ExitStack()
    connections = left.enter_context(folder.connections())
    (connections / "kernel.json").touch()
    with app.ServerFolder(tmp_path).connections():
        assert not connections.exists()
    folder.write("connections", str(tmp_path))
    with folder.connections():
        assert tmp_path.exists(), "only folders that are ours are removed"


def test_a_workspace_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / ".pcn").touch()
    with pytest.raises(app.AppError, match="could not be written"):
        app.ServerFolder(tmp_path)


def test_a_port_that_was_asked_for_and_is_in_use_is_an_error_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(app.AppError, match=rf"Port {port} is in use.*--port"):
            app.take_port(port, "")


def test_a_port_that_was_not_asked_for_is_replaced_and_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener, words = app.take_port(None, str(port))
        with listener:
            number = listener.getsockname()[1]
            assert number != port
            assert f"Port {port} is in use" in words
            assert f"port {number} now" in words


@pytest.mark.parametrize("last", ["", "no number", "0", "99999", "²"])
def test_a_port_that_can_not_be_one_is_forgotten(last: str) -> None:
    listener, _words = app.take_port(None, last)
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_the_port_of_the_last_time_comes_first() -> None:
    last = free_port()
    listener, words = app.take_port(None, last)
    with listener:
        assert (str(listener.getsockname()[1]), words) == (last, "")


def test_a_page_is_sent_as_it_comes_and_from_its_beginning_to_everyone() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        rendering = Rendering("page.ipynb")
        rendering.add("<head>")
        rendering.add("<title>")
        slow: list[str] = []

        async def follow() -> None:
            async for html in rendering.pieces(beat=0.05):
                slow.append(html)
                if html.startswith("<!--"):
                    rendering.add('<div id="pcn-end">')
                    rendering.finish()

        await asyncio.wait_for(follow(), 5)
        assert rendering.whole
        return slow, [html async for html in rendering.pieces()]

    slow, whole = run(scene())
    assert slow == ["<head><title>", "<!-- -->\n", '<div id="pcn-end">']
    assert whole == ['<head><title><div id="pcn-end">']


def test_the_overrides_keep_student_text_out_of_notebooks() -> None:
    found = list((app.SHARE / "lab/settings/overrides.d").glob("*.json"))
    assert found
    settings = json.loads(found[0].read_text())
    assert settings["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": False}


@pytest.mark.parametrize("base", ["/", "/user/ada/"])
def test_plotly_has_its_address_wherever_the_course_is_mounted(base: str, tmp_path: Path) -> None:
    patterns = [(re.compile(one[0] + "$"), one[1]) for one in course_handlers(base, tmp_path)]
    address = f"{base}pcn/plotly.min.js"
    assert [handler for pattern, handler in patterns if pattern.match(address)] == [PlotlyHandler]


def test_plotly_is_found_without_being_imported() -> None:
    code = """
import sys
from pcn_course.app.plotly import plotly_file
version, content = plotly_file()
print(version, len(content) > 100_000, "plotly" in sys.modules)
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout.split() == [metadata.version("plotly"), "True", "False"]


def test_where_plotly_is_missing_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plotly_file.cache_clear()
    (tmp_path / "plotly").mkdir()
    (tmp_path / "plotly" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    # What another test imported would be found where it was.
    monkeypatch.delitem(sys.modules, "plotly", raising=False)
    assert plotly_file() is None, "a package without the file"
    plotly_file.cache_clear()
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    assert plotly_file() is None, "no package"
    plotly_file.cache_clear()


# ---- Its doors ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = tmp_path_factory.mktemp("app") / "course"
    shutil.copytree(BASE, course)
    write_notebooks(load_course(course), course / "notebooks")
    return course


@pytest.fixture(scope="module")
def server(course: Path) -> Iterator[AppServer]:
    workspace = course.parent / "workspace"
    write_notebook(workspace / "home.ipynb", "# Home", page="home")
    with AppServer(workspace, course=course) as server:
        (workspace / "step-1-goals/answers.json").write_text('{"secret": 1}')
        yield server


def cookie(server: AppServer) -> dict[str, str]:
    answer = server.get("/", token=server.key)
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def test_without_the_key_there_is_only_the_question_for_it(server: AppServer) -> None:
    for path in ("/", "/voila/render/home.ipynb", "/voila/tree", "/nowhere", "/voila/render/"):
        answer = server.get(path)
        assert answer.status == 302, path
        assert answer.headers["Location"].startswith("/login"), path
    assert server.get("/?token=wrong").headers["Location"].startswith("/login")
    login = server.get("/login").text
    assert "Open your course with its key" in login
    assert server.key not in login
    assert server.get("/api/kernels/0-0-0-0-0").status == 403
    assert server.get("/api/kernels/0-0-0-0-0/channels").status in (400, 403)


def test_with_the_key_the_way_leads_home(server: AppServer) -> None:
    answer = server.get("/", token=server.key)
    assert (answer.status, answer.headers["Location"]) == (302, "/voila/render/home.ipynb")
    page = server.get("/voila/render/home.ipynb", cookie(server))
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert 'id="pcn-end"' in page.text


def test_no_door_leads_to_the_files(server: AppServer) -> None:
    paths = [
        *("/voila/files/step-1-goals/answers.json", "/voila/files/home.ipynb"),
        *("/files/home.ipynb", "/step-1-goals/answers.json", "/voila/api/contents/home.ipynb"),
        *("/api/contents", "/voila/files/.pcn/server/token", "/voila/render/.pcn/server/token"),
        *("/voila/render/step-1-goals/answers.json", "/voila/static/index.html"),
        *("/voila/query/0-0-0-0-0", "/voila/labextensions/x", "/static/style/index.css"),
        *("/voila/templates/lab/static/voila.js", "/api/kernels", "/api/sessions", "/lab"),
        *("/voila/templates/pcn/static/../index.html.j2", "/voila/render/../.pcn/x.ipynb"),
    ]
    for path in paths:
        assert server.get(path).status in (302, 403, 404), path
        answer = server.get(path, cookie(server))
        assert answer.status == 404, path
        assert b"secret" not in answer.body, path
        assert str(server.workspace).encode() not in answer.body, path
    assert "There is no page here" in server.get("/voila/render/no.ipynb", cookie(server)).text


def test_styles_and_script_are_kept_for_years_and_compressed(server: AppServer) -> None:
    page = server.get("/voila/render/home.ipynb", cookie(server)).text
    urls = [part.split('"')[0] for part in page.split('="') if part.startswith("/voila/templates")]
    assert len(urls) == 3
    for url in urls:
        answer = server.get(url, {"Accept-Encoding": "gzip"})
        assert answer.status == 200
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "max-age=315360000" in answer.headers["Cache-Control"]


def test_plotly_comes_from_here_compressed_and_is_kept(server: AppServer) -> None:
    path = "/pcn/plotly.min.js"
    assert server.get(path).status == 302, "nothing without the key"
    signed_in = cookie(server)
    zipped = {**signed_in, "Accept-Encoding": "gzip"}
    version = metadata.version("plotly")
    answer = server.get(path, zipped, v=version)
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert 500_000 < len(answer.body) < 1_600_000
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]

    for old in ({}, {"v": "0.0.1"}):
        again = server.get(path, {**zipped, "If-None-Match": answer.headers["Etag"]}, **old)
        assert (again.status, again.body) == (304, b"")
        assert "no-cache" in again.headers["Cache-Control"]

    plain = server.get(path, signed_in)
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Etag"] != answer.headers["Etag"]
    assert plain.body == gzip.decompress(answer.body)
    assert b"Plotly" in plain.body


def test_where_plotly_is_not_installed_it_is_said_in_plain_words(
    course: Path, tmp_path: Path
) -> None:
    (tmp_path / "without" / "plotly").mkdir(parents=True)
    (tmp_path / "without" / "plotly" / "__init__.py").touch()
    settings = {"PYTHONPATH": str(tmp_path / "without")}
    with AppServer(tmp_path / "workspace", course=course, **settings) as server:
        answer = server.get("/pcn/plotly.min.js", cookie(server))
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "not installed here" in answer.text


def test_another_host_name_is_refused(server: AppServer) -> None:
    headers = {**cookie(server), "Host": f"evil.example:{server.port}"}
    assert server.get("/voila/render/home.ipynb", headers).status == 403


def test_the_log_has_no_key(server: AppServer) -> None:
    server.get("/", token=server.key)
    until(lambda: "GET / 302" in server.log)
    assert server.key not in server.log


def test_a_kernel_runs_no_code_that_comes_by_its_socket(server: AppServer) -> None:
    signed_in = cookie(server)
    page = server.get("/voila/render/home.ipynb", signed_in).text
    kernel = page.partition('data-kernel="')[2].partition('"')[0]
    address = f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id=x"
    trace = server.workspace / "ran"

    async def scene() -> list[str]:
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(address)
        line = await websocket_connect(HTTPRequest(address, headers=signed_in))
        code = {"code": f"open({str(trace)!r}, 'w')", "silent": False}
        await line.write_message(message("execute_request", code))
        await line.write_message(message("kernel_info_request", {}))
        kinds: list[str] = []
        while "kernel_info_reply" not in kinds:
            got = await asyncio.wait_for(line.read_message(), 20)
            assert got
            kinds.append(json.loads(got)["header"]["msg_type"])
        line.close()
        return kinds

    assert set(run(scene())) <= {"status", "kernel_info_reply"}
    assert not trace.exists()
    assert 'type "execute_request", which is not allowed' in server.log


class Polled:
    """A page's line of plain requests, without the page."""

    def __init__(self, server: AppServer, session: str) -> None:
        self.signed_in = cookie(server)
        page = server.get("/voila/render/home.ipynb", self.signed_in).text
        kernel = page.partition('data-kernel="')[2].partition('"')[0]
        self.server = server
        self.path = f"/api/kernels/{kernel}/messages?session_id={session}"
        answer = server.get(self.path + "&open=1", self.signed_in)
        assert answer.status == 200
        xsrf = answer.headers["Set-Cookie"].partition(";")[0]
        self.headers = {
            "Cookie": f"{self.signed_in['Cookie']}; {xsrf}",
            "X-XSRFToken": answer.text,
        }

    def post(self, *messages: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        with contextlib.closing(connection):
            body = "\n".join(messages)
            connection.request("POST", self.path, body, {**self.headers, **headers})
            return connection.getresponse().status

    def news(self) -> list[dict[str, Any]]:
        answer = self.server.get(self.path, self.signed_in)
        assert answer.status == 200
        return [json.loads(line) for line in answer.text.split("\n") if line]


def message(kind: str, content: dict[str, object]) -> str:
    fields = {**Session(username="").msg(kind, content=content), "channel": "shell"}
    return json.dumps(fields, default=str)


def test_the_line_of_plain_requests_has_the_checks_of_the_socket(server: AppServer) -> None:
    trace = server.workspace / "ran by request"
    line = Polled(server, "polled")
    code = {"code": f"open({str(trace)!r}, 'w')", "silent": False}
    assert line.post(message("kernel_info_request", {}), **{"X-XSRFToken": "guessed"}) == 403
    assert line.post(message("kernel_info_request", {}), Cookie="") == 403
    assert line.post(message("kernel_info_request", {}), Origin="http://127.0.0.1:1") in (403, 404)
    assert server.get(line.path).status == 403, "nothing without the key"
    assert line.post(message("kernel_info_request", {})) == 204
    until(line.news)
    assert line.post("no message") == 400
    assert line.post(message("execute_request", code)) == 204
    assert line.post(message("kernel_info_request", {})) == 204
    kinds: set[str] = set()
    while "kernel_info_reply" not in kinds:
        kinds |= {one["header"]["msg_type"] for one in line.news()}
    assert kinds <= {"status", "kernel_info_reply"}
    assert not trace.exists()
    assert server.get(line.path.replace("polled", "other"), line.signed_in).status == 410
    nowhere = "/api/kernels/0-0-0-0-0/messages?session_id=x&open=1"
    assert server.get(nowhere, line.signed_in).status == 404


def test_lines_of_plain_requests_are_counted_and_the_first_makes_room(server: AppServer) -> None:
    lines = [Polled(server, "first")]
    again = lines[0].path.replace("first", "more{}") + "&open=1"
    for number in range(polling.MOST_LINES):
        assert server.get(again.format(number), lines[0].signed_in).status == 200
    assert server.get(lines[0].path, lines[0].signed_in).status == 410
    last = again.format(polling.MOST_LINES - 1).replace("open=1", "wait=0")
    assert server.get(last, lines[0].signed_in).status == 200


def test_only_the_newest_request_gets_the_news(server: AppServer) -> None:
    line = Polled(server, "twice")
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(line.news) for _ in range(2)]
        until(lambda: any(one.done() for one in asked), within=10)  # it ends for the newer one
        assert line.post(message("kernel_info_request", {})) == 204
        kinds = sorted([one["header"]["msg_type"] for one in each.result(10)] for each in asked)
    assert kinds == [[], ["kernel_info_reply"]]


def test_a_websocket_takes_the_place_of_plain_requests(server: AppServer) -> None:
    line = Polled(server, "back")
    address = f"ws://127.0.0.1:{server.port}{line.path.replace('messages', 'channels')}"

    async def scene() -> None:
        socket = await websocket_connect(HTTPRequest(address, headers=line.signed_in))
        await socket.write_message(message("kernel_info_request", {}))
        assert await asyncio.wait_for(socket.read_message(), 20)
        socket.close()

    assert line.post(message("kernel_info_request", {})) == 204
    run(scene())
    assert server.get(line.path, line.signed_in).status == 410


# ---- Who may start kernels --------------------------------------------------------------------

FRAME = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
IMAGE = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FETCH = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
TYPED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
OURS = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}
OLD = {"Origin": "http://127.0.0.1:1"}


@pytest.mark.parametrize("headers", [FRAME, IMAGE, FETCH, OLD])
def test_a_page_on_another_port_starts_no_kernel(
    server: AppServer, headers: dict[str, str]
) -> None:
    answer = server.get("/voila/render/home.ipynb", {**cookie(server), **headers})
    assert answer.status == 403
    assert "data-kernel" not in answer.text
    line = f"/api/kernels/{'0-0-0-0-0'}/messages?session_id=x&open=1"
    assert server.get(line, {**cookie(server), **headers}).status in (403, 404)


@pytest.mark.parametrize("headers", [LINK, TYPED, OURS, {}])
def test_what_somebody_opens_themselves_is_opened(
    server: AppServer, headers: dict[str, str]
) -> None:
    answer = server.get("/voila/render/home.ipynb", {**cookie(server), **headers})
    assert (answer.status, "data-kernel" in answer.text) == (200, True)


def test_one_server_runs_so_many_kernels_and_no_more(course: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    write_notebook(workspace / "home.ipynb", "# Home", page="home")
    with AppServer(workspace, course=course, PCN_MOST_KERNELS="3", PCN_WARM_PAGES="1") as server:
        signed_in = cookie(server)
        answers = [server.get("/voila/render/home.ipynb", signed_in) for _ in range(5)]
        assert [answer.status for answer in answers].count(200) <= 3
        assert len(server.kernel_pids()) <= 3
        refused = answers[-1]
        assert refused.status == 429
        assert "Too many pages are open" in refused.text
        assert "Close the pages" in refused.text


def test_a_limit_that_is_no_number_is_said_without_a_traceback(
    course: Path, tmp_path: Path
) -> None:
    server = AppServer(tmp_path / "workspace", course=course, PCN_MOST_KERNELS="many")
    with pytest.raises(AssertionError, match="PCN_MOST_KERNELS is 'many'") as ended:
        server.start()
    assert "Traceback" not in f"{ended.value}"


def test_kernels_of_closed_pages_make_room(tmp_path: Path) -> None:
    async def scene() -> None:
        kernels = CourseKernels(most_kernels=2, joining=0, connection_dir=str(tmp_path))
        first, second = [await kernels.start_kernel() for _ in range(2)]
        try:
            kernels.notify_connect(first)  # type: ignore[no-untyped-call]
            assert await kernels.make_room()
            assert kernels.list_kernel_ids() == [first], "the page of the other one is closed"
            third = await kernels.start_kernel()
            kernels.notify_connect(third)  # type: ignore[no-untyped-call]
            assert not await kernels.make_room(), "both are in use"
        finally:
            await kernels.end_all()
        assert second not in kernels

    run(scene())


# ---- Its beginning and its end --------------------------------------------------------------


def test_the_course_may_be_named_from_where_one_stands(course: Path, tmp_path: Path) -> None:
    named = os.path.relpath(course)
    with AppServer(tmp_path / "workspace", "--course", named) as server:
        home = server.get("/voila/render/home.ipynb", cookie(server)).text
        step = server.get("/voila/render/step-1-goals/step-1-goals.ipynb", cookie(server)).text
        assert 'id="pcn-end"' in home
        assert 'id="pcn-end"' in step
        assert str(server.workspace / ".pcn" / "server") in "".join(server.said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_cleanly(course: Path, tmp_path: Path, number: int) -> None:
    server = AppServer(tmp_path / "workspace", course=course).start()
    until(server.kernel_pids)
    assert server.connections.exists()
    assert server.stop(number) == 0
    until(lambda: "is closed" in "".join(server.said))
    assert "Traceback" not in "".join(server.said)
    assert not server.connections.exists()


def test_port_and_key_are_the_same_after_a_crash(course: Path, tmp_path: Path) -> None:
    with AppServer(tmp_path / "workspace", "--port=", course=course) as server:
        address = server.address
        server.kill9()
        server.start()
        assert server.key == address.partition("token=")[2]
        if not any("is in use" in line for line in server.said):
            assert server.address == address


def test_a_busy_port_is_told_without_a_traceback(course: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "pcn_course", "app", "--no-browser", "--port", port],
            cwd=tmp_path,
            env={**os.environ, "PCN_COURSE": str(course)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: Port {port} is in use")


def test_a_second_start_leads_to_the_first(course: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    with AppServer(workspace, course=course) as first:
        second = AppServer(workspace, course=course).start()
        assert "already open" in "".join(second.said)
        assert second.address == first.address
        assert second.stop() in (0, -signal.SIGTERM)


def test_the_browser_is_sent_a_word_that_works_once_and_not_the_key(
    course: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {said}.new && mv {said}.new {said}\n')
    browser.chmod(0o755)
    server = AppServer(tmp_path / "workspace", course=course, BROWSER=f"{browser} %s")
    server.flags = ()
    with server:
        until(said.exists)
        address = said.read_text()
        assert server.key not in address
        path = "/" + address.split("/", 3)[3]
        assert "Set-Cookie" in server.get(path).headers
        assert "Set-Cookie" not in server.get(path).headers

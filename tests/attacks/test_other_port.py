"""A page that another program serves on this machine, in the browser of a student who is signed in.

Cookies know no ports, so the browser sends it the student's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.notebooks import write_notebook
from tests.support.servers import AppServer, until

pytestmark = pytest.mark.browser

PAGE = "/voila/render/home.ipynb"
ATTEMPTS = """<!doctype html><title>Elsewhere</title><a href="{page}">To the course</a>
<img src="{page}?1"><iframe src="{page}?2"></iframe><object data="{page}?3"></object>
<link rel="stylesheet" href="{page}?4"><script src="{page}?5"></script>
<script>
const modes = ["no-cors", "cors"];
const ask = (mode, n) => fetch("{page}?" + (6 + n), {{ mode, credentials: "include" }});
const asked = modes.map(ask);
Promise.allSettled(asked).then(() => {{ document.title = "Done"; }});
</script>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    workspace = tmp_path_factory.mktemp("port") / "workspace"
    write_notebook(workspace / "home.ipynb", "# Home", "1", page="home")
    with AppServer(workspace) as server:
        yield server


@pytest.fixture
def elsewhere(server: AppServer) -> Iterator[str]:
    page = ATTEMPTS.format(page=server.url("home.ipynb")).encode()

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    other = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{other.server_port}/"
    other.shutdown()
    other.server_close()


def test_a_page_on_another_port_starts_no_kernel_and_a_link_in_it_works(
    context: BrowserContext, server: AppServer, elsewhere: str
) -> None:
    context.request.get(server.address, max_redirects=0)
    page = context.new_page()
    page.goto(elsewhere)
    expect(page).to_have_title("Done")
    until(lambda: server.log.count(f"GET {PAGE} ") == 7)
    assert server.log.count(f"GET {PAGE} 403") == 7
    page.get_by_role("link", name="To the course").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-pcn", "ready")

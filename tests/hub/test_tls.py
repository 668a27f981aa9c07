"""Behind TLS, with the web server and the proxy that stand before the hub in a real class."""

from __future__ import annotations

import shutil
import socket
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect
from urllib3.exceptions import InsecureRequestWarning

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import NAMES, STEP, Student, send
from tests.hub.test_nginx import start_nginx
from tests.support.servers import free_port, until

pytestmark = [needs_root, needs_proxy, pytest.mark.timeout(300)]

READ = "(url) => fetch(url, {credentials: 'include'}).then((a) => a.text(), () => '')"
ASK_AS_ITS_PAGES = """(url) => fetch(url, {
  headers: {"X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)[1]},
}).then((answer) => answer.status)"""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[str]:
    """A class behind nginx, and its address. The certificate is its own."""
    certificate = tmp_path / "hub.pem", tmp_path / "hub.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-out", certificate[0], "-keyout", certificate[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    port = int(free_port())
    address = f"https://127.0.0.1:{port}"
    with ClassServer(public_url=address, instructors=["prof"]) as hub:
        nginx = start_nginx(tmp_path, hub.settings.port, port, certificate)
        try:
            until(lambda: _listens(port))
            yield address
        finally:
            nginx.terminate()
            nginx.communicate(timeout=10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is missing"
)
def test_no_cookie_and_no_page_goes_without_tls(secure: str) -> None:
    address, heard = secure, list[requests.Response]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureRequestWarning)
        for name, home in (("ada", "/voila/render/home.ipynb"), ("prof", "/lab")):
            with requests.Session() as browser:
                browser.verify = browser.trust_env = False
                browser.hooks["response"].append(lambda answer, **_: heard.append(answer))

                def at_home(browser: requests.Session = browser, home: str = home) -> bool:
                    page = browser.get(f"{address}/hub/spawn")
                    return page.ok and page.url.endswith(home)

                login = f"{address}/hub/login"
                send(browser, login, username=name, password="a word")  # noqa: S106
                until(at_home, within=60)
    assert heard[0].url.startswith(address)
    cookies = [
        cookie
        for one in heard
        for cookie in one.raw.headers.getlist("Set-Cookie")
        if not cookie.partition(";")[0].endswith('=""')
    ]
    names = {one.partition("=")[0] for one in cookies}
    assert {
        "_xsrf",
        "jupyterhub-session-id",
        "jupyterhub-user-ada",
        "jupyterhub-user-prof",
    } <= names
    assert [one for one in cookies if "; secure" not in one.lower()] == []
    for one in heard:
        assert one.headers["Strict-Transport-Security"].startswith("max-age=31536000"), one.url
        assert one.headers.get("Location", "/").startswith(("/", address)), one.headers["Location"]


@pytest.mark.browser
def test_with_subdomains_a_page_reads_nothing_of_anothers_server(chromium: Browser) -> None:
    port = int(free_port())
    with ClassServer(port=port, subdomain_host=f"http://hub.localhost:{port}") as hub:
        ada, peer = (Student.log_in(hub, chromium, name) for name in (NAMES[0], NAMES[2]))
        hosts = {urlsplit(one.page.url).hostname for one in (ada, peer)}
        assert len({*hosts, "hub.localhost"}) == 3, hosts
        ada.open_step()
        ada.write("From a host of my own")
        ada.saved()
        # A page in a student's server that holds a script, with nothing to restrain it.
        tricked = ada.page.context.new_page()
        host = f"http://{urlsplit(ada.page.url).netloc}/user/ada/"
        tricked.route("**/script", lambda route: route.fulfill(body="<p>A script", status=200))
        tricked.goto(f"{host}script")
        there = f"http://{urlsplit(peer.page.url).netloc}/user/{peer.folder}"
        for what in (
            f"{there}/voila/render/home.ipynb", f"{hub.address}/hub/home",
            f"{hub.address}/hub/api/user",
        ):  # fmt: skip
            said = tricked.evaluate(
                READ,
                what,
            )
            assert said == "", what
        # The same script reads its own server, so it is no page that can read nothing.
        page = f"{host}voila/render/home.ipynb"
        assert tricked.evaluate(ASK_AS_ITS_PAGES, page) == 200
        expect(ada.page.locator(f"[data-step={STEP}], .pcn-field").first).to_be_visible()

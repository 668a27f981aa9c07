"""Logging in with the other side real: an OAuth provider, and an LMS that speaks LTI 1.3.

The hub is set up with the lines that its guide gives, and the other side's addresses in them.
"""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.guide import README
from tests.hub.other_side import CLIENT, SECRET, Platform, Provider, new_key

pytestmark = [needs_root, needs_proxy, pytest.mark.browser, pytest.mark.timeout(300)]


class Hub(ClassServer):
    """A class that logs in as its guide says for ``login``; ``changed`` are words put for others.

    ``more`` is what a technologist adds to the configuration beside that.
    """

    def __init__(self, login: str, changed: dict[str, str], more: str = "", **who: Any) -> None:
        super().__init__(anybody=False, login=login, **who)
        written = README.read_text().partition(f'- `"{login}"`')[2]
        block = re.search(r"(?:^      .+\n)+", written, re.MULTILINE)
        assert block
        self.more = textwrap.dedent(block[0])
        for one, other in {**changed, "https://hub.example.edu": self.address}.items():
            assert one in self.more or one.endswith("hub.example.edu"), one
            self.more = self.more.replace(one, other)
        self.more += more

    def _start(self, name: str, command: list[str], **settings: str) -> None:
        if name == "hub":
            with Path(command[-1]).open("a") as config:
                config.write(self.more)
        super()._start(name, command, **settings)


def at_home(page: Page, hub: ClassServer, name: str) -> None:
    """They see the course's home, from a server of their own."""
    expect(page.locator(".pcn-card")).to_have_count(len(hub.course.steps))
    assert urlsplit(page.url).path.startswith(f"/user/{name}/"), page.url


# ---- OAuth ---------------------------------------------------------------------------------------


class Oauth(NamedTuple):
    hub: Hub
    provider: Provider


@pytest.fixture(scope="module")
def oauth() -> Iterator[Oauth]:
    with Provider() as provider:
        changed = {
            'client_id = "…"': f'client_id = "{CLIENT}"',
            'client_secret = "…"': f'client_secret = "{SECRET}"',
            "https://login.example.edu": provider.address,
        }
        with Hub("oauth", changed) as hub:
            yield Oauth(hub, provider)


def enter(oauth: Oauth, browser: Browser, name: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(oauth.hub.address)
    page.get_by_role("button", name="Sign in with").click()
    page.get_by_label("Who are you?").fill(name)
    page.get_by_role("button", name="Let me in").click()
    return page


def test_oauth_leads_home_by_the_name_that_the_provider_gives(
    oauth: Oauth, chromium: Browser
) -> None:
    page = enter(oauth, chromium, "Ada.L@example.edu")
    at_home(page, oauth.hub, "ada.l@example.edu")
    account = oauth.hub.account("ada.l@example.edu")
    assert account.home == oauth.hub.settings.students / "ada.l@example.edu"


@pytest.mark.parametrize("name", ["../ada", "a/b", "é"])
def test_a_name_that_can_be_no_folder_is_not_let_in(
    oauth: Oauth, chromium: Browser, name: str
) -> None:
    page = enter(oauth, chromium, name)
    assert urlsplit(page.url).path == "/hub/oauth_callback"
    expect(page.locator("h1")).to_contain_text("403")


def test_what_the_provider_did_not_say_lets_nobody_in(oauth: Oauth) -> None:
    hub, provider = oauth
    with requests.Session() as session:
        login = session.get(f"{hub.address}/hub/oauth_login", allow_redirects=False)
        state = parse_qs(urlsplit(login.headers["Location"]).query)["state"][0]
        back = f"{hub.address}/hub/oauth_callback"
        provider.codes["right"] = "eve"
        # A code that the provider gave, brought by whom the hub did not send there.
        for query in ({"code": "right"}, {"code": "right", "state": "other"}):
            assert session.get(back, params=query).status_code == 400
        assert requests.get(back, {"code": "right", "state": state}, timeout=30).status_code == 400
    with requests.Session() as session:
        login = session.get(f"{hub.address}/hub/oauth_login", allow_redirects=False)
        state = parse_qs(urlsplit(login.headers["Location"]).query)["state"][0]
        made_up = session.get(back, params={"code": "made up", "state": state})
        assert made_up.status_code >= 400
        assert not [one for one in session.cookies if one.name == "jupyterhub-session-id"]
    assert not (hub.settings.students / "eve").exists()


# ---- LTI 1.3 -------------------------------------------------------------------------------------


class Lti(NamedTuple):
    hub: Hub
    platform: Platform


@pytest.fixture(scope="module")
def lti() -> Iterator[Lti]:
    with Platform() as platform:
        changed = {'{"…"}': f'{{"{CLIENT}"}}', "https://lms.example.edu": platform.address}
        with Hub("lti", changed, graders=["tutor"]) as hub:
            yield Lti(hub, platform)


def test_a_launch_from_the_lms_leads_home(lti: Lti, chromium: Browser) -> None:
    hub, platform = lti
    page = chromium.new_context(locale="en-US").new_page()
    page.goto(platform.course(hub.address, "u-17"))
    page.get_by_role("button", name="Open the course").click()
    # The LMS calls everybody an instructor here. Who is one is said in hub.toml, and nowhere else.
    at_home(page, hub, "u-17")
    assert hub.settings.role("u-17") == "student"
    assert page.context.request.get(f"{hub.address}/user/u-17/lab").status == 404
    file = hub.settings.students / "u-17"
    assert file.stat().st_uid == hub.account("u-17").uid
    page = chromium.new_context(locale="en-US").new_page()
    page.goto(platform.course(hub.address, "tutor"))
    page.get_by_role("button", name="Open the course").click()
    expect(page).to_have_url(f"{hub.address}/user/tutor/voila/render/marking.ipynb")


class Launch:
    """A launch by hand, up to where the platform has to say who somebody is."""

    def __init__(self, lti: Lti) -> None:
        self.session = requests.Session()
        self.hub = lti.hub
        said = self.session.post(
            f"{lti.hub.address}/hub/lti13/oauth_login",
            data=lti.platform.login(lti.hub.address, "ada"),
            allow_redirects=False,
        )
        assert said.status_code == 302, said.text
        asked = parse_qs(urlsplit(said.headers["Location"]).query)
        self.nonce, self.state = asked["nonce"][0], asked["state"][0]

    def answer(self, token: str, state: str | None = None) -> int:
        """The status when the hub is told ``token``."""
        with self.session as session:
            said = session.post(
                f"{self.hub.address}/hub/lti13/oauth_callback",
                data={"id_token": token, "state": self.state if state is None else state},
                allow_redirects=False,
            )
        entered = "jupyterhub-session-id" in said.cookies
        assert entered == (said.status_code == 302), said.status_code
        return said.status_code


def test_only_what_the_platform_signed_for_this_hub_lets_somebody_in(lti: Lti) -> None:
    platform = lti.platform
    refused: dict[str, int] = {}

    launch = Launch(lti)
    assert launch.answer(platform.token(launch.nonce, "ada")) == 302, "the right one comes in"

    launch = Launch(lti)
    forged = platform.token(launch.nonce, "tutor", key=new_key())
    refused["signed by another key"] = launch.answer(forged)
    launch = Launch(lti)
    head, _, rest = platform.token(launch.nonce, "tutor").partition(".")
    body = rest.partition(".")[0]
    refused["not signed"] = launch.answer(f"{head}.{body}.")
    now = int(time.time())
    wrong: dict[str, dict[str, Any]] = {
        "for another tool": {"aud": "another"},
        "of another LMS": {"iss": "https://other.example.edu"},
        "expired": {"exp": now - 1},
        "of long ago": {"iat": now - 3600},
    }
    for what, changes in wrong.items():
        launch = Launch(lti)
        refused[what] = launch.answer(platform.token(launch.nonce, "tutor", **changes))
    # What was said once is not said again, and not by another browser.
    first, second = Launch(lti), Launch(lti)
    said = platform.token(first.nonce, "tutor")
    refused["of another launch"] = second.answer(said)
    third = Launch(lti)
    refused["with another's state"] = third.answer(said, first.state)
    assert first.answer(said) == 302
    refused["used before"] = first.answer(said)
    print(refused)
    assert set(refused.values()) <= {400, 401}
    assert len(refused) == 9


def test_whoever_comes_without_the_lms_is_told_where_to_begin(lti: Lti, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(lti.hub.address)
    expect(page.get_by_role("heading", name="Open the course from your LMS")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)

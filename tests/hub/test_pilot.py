"""Sign-up in a pilot: a technologist's own click lets people in, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import send

pytestmark = [needs_root, needs_proxy, pytest.mark.timeout(300)]

PASSWORD = "long and unusual words"  # noqa: S105 (of nobody)
NOT_YET = "has not been authorized"
WRONG = "Invalid username or password"


@pytest.fixture(scope="module")
def hub() -> Iterator[ClassServer]:
    with ClassServer(
        anybody=False, login="pilot", instructors=["prof"], graders=["tutor"],
        technologists=["tech"],
    ) as running:  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def tech(hub: ClassServer) -> requests.Session:
    """The technologist's browser, logged in."""
    session = requests.Session()
    assert "/hub/token" in log_in(hub, "tech", hub.make_account("tech"), session).url
    return session


def sign_up(hub: ClassServer, name: str) -> str:
    """What the page says of a sign-up."""
    twice = {"signup_password": PASSWORD, "signup_password_confirmation": PASSWORD}
    page = f"{hub.address}/hub/signup"
    text = send(requests.Session(), page, username=name, **twice).text
    said = re.search(r'class="alert [^>]*>\s*<p>\s*(.+?)\s*</p>', text, re.DOTALL)
    assert said
    return said[1]


def log_in(
    hub: ClassServer, name: str, password: str = PASSWORD, session: requests.Session | None = None
) -> requests.Response:
    page = f"{hub.address}/hub/login?next=%2Fhub%2Ftoken"
    return send(session or requests.Session(), page, username=name, password=password)


def token_of(session: requests.Session, page: str) -> str:
    text = session.get(page).text
    found = re.search(r'name="_xsrf" value="([^"]+)"', text)
    assert found, text
    return found[1]


def test_nothing_but_a_technologists_click_lets_anybody_in(
    hub: ClassServer, tech: requests.Session
) -> None:
    area, eve = f"{hub.address}/hub/authorize", f"{hub.address}/hub/authorize/eve"
    assert "sent to the admin" in sign_up(hub, "eve")
    for method in ("GET", "HEAD", "PUT"):
        # A picture in a page that the technologist looks at, with all cookies.
        assert tech.request(method, eve).status_code in (403, 405), method
    assert tech.get(f"{hub.address}/hub/discard/eve").status_code == 405
    assert NOT_YET in log_in(hub, "eve").text
    # A form in such a page: without the hub's token, or with one that somebody else was given.
    stranger = requests.Session()
    other = token_of(stranger, f"{hub.address}/hub/login")
    for forged in ({}, {"_xsrf": other}):
        for act in ("authorize", "discard"):
            said = tech.post(f"{hub.address}/hub/{act}/eve", data={"admit": "yes", **forged})
            assert said.status_code == 403
    # Nor can she do it herself.
    assert stranger.post(eve, data={"admit": "yes", "_xsrf": other}).status_code == 403
    assert NOT_YET in log_in(hub, "eve").text
    # The technologist's own page can, as often as it is clicked.
    for _ in range(2):
        said = tech.post(eve, data={"admit": "yes", "_xsrf": token_of(tech, area)})
        assert said.ok
        assert said.url == area
        assert "/hub/token" in log_in(hub, "eve").url
    tech.post(eve, data={"admit": "no", "_xsrf": token_of(tech, area)})
    assert NOT_YET in log_in(hub, "eve").text
    tech.post(f"{hub.address}/hub/discard/eve", data={"_xsrf": token_of(tech, area)})
    assert WRONG in log_in(hub, "eve").text


def test_the_name_of_one_who_teaches_cannot_be_signed_up_with(
    hub: ClassServer,
) -> None:
    for name in ("prof", "tutor", "PROF", "tech"):
        assert "already in use" in sign_up(hub, name), name
        assert WRONG in log_in(hub, name).text
    for name in ("prof", "tutor"):
        password = hub.make_account(name)
        assert len(password) >= 20
        assert "/hub/token" in log_in(hub, name, password).url
        assert "already in use" in sign_up(hub, name)
    # Whoever has a name now loses it to the administrator's command, while the hub runs.
    again = hub.make_account("prof")
    assert WRONG in log_in(hub, "prof", password).text
    assert "/hub/token" in log_in(hub, "prof", again).url


def test_no_one_makes_tokens_that_open_their_lab(hub: ClassServer, tech: requests.Session) -> None:
    """Nobody here needs one, and whoever teaches would hand out a terminal with it."""
    page = requests.Session()
    password = hub.make_account("prof")
    log_in(hub, "prof", password, page)
    for session, name in ((page, "prof"), (tech, "tech")):
        for body in ({}, {"scopes": ["self"]}, {"roles": ["user"]}):
            said = session.post(
                f"{hub.address}/hub/api/users/{name}/tokens", json=body,
                headers={"X-XSRFToken": str(session.cookies.get("_xsrf", path="/hub/"))},
            )  # fmt: skip
            assert said.status_code == 403, (name, body, said.text)
    with_password = {"auth": {"username": "prof", "password": password}}
    said = requests.post(f"{hub.address}/hub/api/users/prof/tokens", json=with_password, timeout=30)
    assert said.status_code == 403
    assert page.get(f"{hub.address}/hub/home").ok

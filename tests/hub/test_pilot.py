"""Names and passwords in a pilot: the technologist's command lets people in, nothing else does."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests
from alembic import command as alembic
from alembic.config import Config as AlembicConfig
from jupyterhub import orm
from jupyterhub.dbutil import _temp_alembic_ini

from pcn_course.hub import pilot
from pcn_course.hub.pilot import WRONG_PASSWORDS, Passwords, PilotLogin, is_strong, make_account
from tests.hub.class_server import ClassServer, needs_proxy, needs_root
from tests.hub.people import send

pytestmark = [pytest.mark.timeout(300)]

PASSWORD = "long and unusual words"  # noqa: S105 (of nobody)
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


def log_in(
    hub: ClassServer, name: str, password: str = PASSWORD, session: requests.Session | None = None
) -> requests.Response:
    page = f"{hub.address}/hub/login?next=%2Fhub%2Ftoken"
    return send(session or requests.Session(), page, username=name, password=password)


def change(hub: ClassServer, session: requests.Session, old: str, new: str) -> str:
    """What the page for a new password says."""
    twice = {"new_password": new, "new_password_confirmation": new}
    text = send(session, f"{hub.address}/hub/change-password", old_password=old, **twice).text
    said = re.search(r'class="alert [^>]*>\s*(.+?)\s*</p>', text, re.DOTALL)
    assert said, text
    return said[1]


@needs_root
@needs_proxy
def test_nothing_but_the_command_lets_anybody_in(hub: ClassServer, tech: requests.Session) -> None:
    stranger = requests.Session()
    login = stranger.get(f"{hub.address}/hub/login").text
    token = re.search(r'name="_xsrf" value="([^"]+)"', login)
    assert token
    assert WRONG in log_in(hub, "eve").text
    twice = {"signup_password": PASSWORD, "signup_password_confirmation": PASSWORD}
    for session in (stranger, tech):
        for page in ("signup", "authorize", "authorize/eve", "discard/eve", "confirm/eve"):
            for method in ("GET", "HEAD", "POST", "PUT"):
                # A picture in a page that the technologist looks at, with all cookies; or a form.
                data = {"username": "eve", "admit": "yes", "_xsrf": token[1], **twice}
                said = session.request(method, f"{hub.address}/hub/{page}", data=data)
                assert said.status_code in (403, 404, 405), (method, page)
    assert WRONG in log_in(hub, "eve").text
    password = hub.make_account("eve")
    assert "/hub/token" in log_in(hub, "eve", password).url
    # A technologist's deleting somebody on the hub's page ends it.
    headers = {"X-XSRFToken": str(tech.cookies.get("_xsrf", path="/hub/"))}
    said = tech.delete(f"{hub.address}/hub/api/users/eve", headers=headers)
    assert said.status_code == 204, said.text
    assert WRONG in log_in(hub, "eve", password).text


@needs_root
@needs_proxy
def test_the_name_of_one_who_teaches_is_nobodys_who_comes_first(hub: ClassServer) -> None:
    for name in ("prof", "tutor", "PROF"):
        assert WRONG in log_in(hub, name).text
    for name in ("prof", "tutor"):
        password = hub.make_account(name)
        assert len(password) >= 20
        assert "/hub/token" in log_in(hub, name, password).url
        assert "/hub/token" in log_in(hub, name.upper(), password).url
    # Whoever has a name now loses it to the administrator's command, while the hub runs.
    again = hub.make_account("prof")
    assert WRONG in log_in(hub, "prof", password).text
    assert "/hub/token" in log_in(hub, "prof", again).url


@needs_root
@needs_proxy
def test_who_knows_the_old_password_chooses_a_new_one(hub: ClassServer) -> None:
    given, page = hub.make_account("ada"), requests.Session()
    address = f"{hub.address}/hub/change-password"
    assert "/hub/login" in page.get(address).url, "who has not logged in"
    log_in(hub, "ada", given, page)
    for bad in ("password123", "too short", "too long " * 9, "ada"):
        assert "at least 10 characters" in change(hub, page, given, bad)
    assert "old password is wrong" in change(hub, page, "another", PASSWORD)
    # A form in another page: without the hub's token, or with one that somebody else was given.
    other = re.search(r'name="_xsrf" value="([^"]+)"', requests.get(address, timeout=30).text)
    assert other
    fields = {"old_password": given, "new_password": PASSWORD}
    fields["new_password_confirmation"] = PASSWORD
    for forged in ({}, {"_xsrf": other[1]}):
        assert page.post(address, data={**fields, **forged}).status_code == 403
    page.get(address, params=fields)
    assert "/hub/token" in log_in(hub, "ada", given).url, "nothing has changed it"
    assert "changed successfully" in change(hub, page, given, PASSWORD)
    assert WRONG in log_in(hub, "ada", given).text
    assert "/hub/token" in log_in(hub, "ada").url
    with closing(sqlite3.connect(hub.settings.database)) as database:
        kept = dict(database.execute("SELECT username, password FROM users_info"))
    assert kept["ada"].startswith(b"$2b$12$")
    for file in hub.settings.state.iterdir():
        for secret in (given, PASSWORD):
            assert secret.encode() not in file.read_bytes()
    for secret in (given, PASSWORD):
        assert secret not in hub.log("hub")


@needs_root
@needs_proxy
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


@needs_root
@needs_proxy
def test_a_hub_of_an_earlier_version_goes_on_with_its_people() -> None:
    """JupyterHub 5's database, with the accounts that people had made with nativeauthenticator."""
    made = ClassServer(anybody=False, login="pilot")
    file = made.settings.database
    session = orm.new_session_factory(f"sqlite:///{file}")()
    session.add(orm.User(name="ada"))
    session.commit()
    session.close()
    with _temp_alembic_ini(f"sqlite:///{file}") as ini:
        alembic.downgrade(AlembicConfig(ini), "4621fec11365")  # that of 5.5
    passwords = Passwords(file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE users_info (id INTEGER NOT NULL, username VARCHAR(128) NOT NULL, "
            "password BLOB NOT NULL, is_authorized BOOLEAN, login_email_sent BOOLEAN, "
            "email VARCHAR(128), has_2fa BOOLEAN, otp_secret VARCHAR(16), PRIMARY KEY (id))"
        )
    for name in ("ada", "eve"):
        passwords.give(name, PASSWORD)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE users_info SET is_authorized = 0 WHERE username = 'eve'")
    with made as hub:
        assert "/hub/token" in log_in(hub, "ada").url
        assert WRONG in log_in(hub, "eve").text, "who was not admitted"
        assert "/hub/token" in log_in(hub, "eve", hub.make_account("eve")).url
        assert len([*hub.settings.state.glob("hub.sqlite.*")]) == 1, "a copy of the one before"


# ---- Without a hub -------------------------------------------------------------------------------


def run(coming: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, in a thread of its own: a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coming).result()


@pytest.fixture
def login(tmp_path: Path) -> PilotLogin:
    return PilotLogin(database=str(tmp_path / "hub.sqlite"))


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = bcrypt.gensalt
    monkeypatch.setattr(bcrypt, "gensalt", lambda: usual(4))


def test_who_guesses_gets_no_further_by_guessing_right(
    login: PilotLogin, cheap: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "ben"):
        login.passwords.give(name, PASSWORD)
    now = [1000.0]
    monkeypatch.setattr(pilot, "monotonic", lambda: now[0])

    async def come(name: str, password: str) -> str | None:
        return await login.authenticate(None, {"username": name, "password": password})

    async def class_day() -> None:
        assert await come("ADA", PASSWORD) == "ada"
        # Many at the same time are no way around.
        guesses = [come("ada", f"guess {number}") for number in range(WRONG_PASSWORDS + 3)]
        assert not any(await asyncio.gather(*guesses))
        assert await come("ada", PASSWORD) is None
        assert await come("ben", PASSWORD) == "ben", "others come in as ever"
        now[0] += pilot.WAIT_SECONDS + 1
        assert await come("ada", "wrong") is None
        assert await come("ada", PASSWORD) is None, "and the next wrong one counts at once"
        now[0] += pilot.WAIT_SECONDS + 1
        assert await come("ada", PASSWORD) == "ada"
        for _ in range(WRONG_PASSWORDS - 1):
            assert await come("ada", "wrong") is None
        assert await come("ada", PASSWORD) == "ada"
        for number in range(20):
            assert await come(f"nobody {number}", PASSWORD) is None
        assert len(login._failed) == 0, "names that nobody has are not kept"

    run(class_day())


def test_a_password_is_checked_while_the_hub_goes_on(
    login: PilotLogin, cheap: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    login.passwords.give("ada", PASSWORD)
    usual, go_on, most = bcrypt.checkpw, threading.Event(), [0, 0]
    two = threading.Semaphore(0)

    def slowly(password: bytes, kept: bytes) -> bool:
        most[0] += 1
        most[1] = max(most)
        two.release()
        assert go_on.wait(60)
        most[0] -= 1
        return usual(password, kept)

    monkeypatch.setattr(bcrypt, "checkpw", slowly)

    async def come() -> None:
        data = {"username": "ada", "password": PASSWORD}
        coming = [asyncio.ensure_future(login.authenticate(None, data)) for _ in range(6)]
        assert await asyncio.to_thread(two.acquire, timeout=60)
        assert await asyncio.to_thread(two.acquire, timeout=60)
        for _ in range(100):  # the loop turns
            await asyncio.sleep(0)
        go_on.set()
        assert set(await asyncio.gather(*coming)) == {"ada"}
        assert most[1] == 2, "never all processors"

    run(come())


@pytest.mark.parametrize(
    "password", ["", "wrong", "a\0b", "too long " * 9, "é" * 40, PASSWORD + "\n", PASSWORD.upper()]
)
@pytest.mark.parametrize("name", ["ada", "nobody", "", "' OR 1=1 --"])
def test_what_is_not_the_password_is_refused(
    login: PilotLogin, cheap: None, name: str, password: str
) -> None:
    login.passwords.give("ada", PASSWORD)
    # Of what is too long, nothing but its beginning would be the password.
    login.passwords.give("long", "long and unusual words " * 3 + "abc")
    data = {"username": name, "password": password}
    assert run(login.authenticate(None, data)) is None
    longer = "long and unusual words " * 3 + "abcd"
    assert not login.passwords.check("long", longer)


def test_usual_passwords_are_refused() -> None:
    for bad in (
        "password123",
        "qwertyuiop",
        "short words",
        "1234567890",
        "é" * 37,
        "ada.l@school.edu",
    ):
        assert is_strong(bad, "ada.l@school.edu") == (bad == "short words"), bad
    assert is_strong(PASSWORD, "ada")


def test_what_a_command_makes_is_random(tmp_path: Path, cheap: None) -> None:
    made = [make_account(tmp_path / "hub.sqlite", "ada") for _ in range(2)]
    assert made[0] != made[1]
    assert all(is_strong(one, "ada") for one in made)


@needs_root
def test_the_command_says_what_it_cannot_do(tmp_path: Path) -> None:
    made = ClassServer()
    try:
        for arguments, said in (
            ([], "Give the settings and names"),
            ([str(tmp_path / "none.toml"), "ada"], "No such file"),
            ([str(made.file), "a/b"], "can't be used here"),
        ):
            with pytest.raises(subprocess.CalledProcessError) as caught:
                made.run_logins(*arguments)
            assert said in caught.value.stderr
        made.settings.database.write_bytes(b"no database " * 100)
        with pytest.raises(subprocess.CalledProcessError) as caught:
            made.run_logins(str(made.file), "ada")
        assert "hub.sqlite can't be used: file is not a database" in caught.value.stderr
    finally:
        made.__exit__(None, None, None)

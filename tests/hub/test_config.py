"""What the settings say, and how people may log in."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from pcn_course.exchange import STUDENT_ID
from pcn_course.hub.accounts import AccountError, account_name
from pcn_course.hub.config import LOGINS, configure
from pcn_course.hub.settings import Settings, SettingsError, read_settings
from tests.hub.class_server import CHECKOUT, ClassServer, needs_proxy, needs_root
from tests.hub.people import send

DEPLOY = CHECKOUT / "deploy" / "server"
PASSWORD = "long and unusual words"  # noqa: S105 (of nobody)


def test_the_settings_that_come_with_it_can_be_read() -> None:
    assert read_settings(DEPLOY / "hub.toml") == Settings(public_url="https://hub.example.edu")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("login = 'anybody'", "Invalid enum value 'anybody'"),
        ("instructor = ['prof']", "unknown field `instructor`"),
        ("instructors = ['Prof']", "small letters here: Prof"),
        ("idle_minutes = ", "Invalid value"),
        ("public_url = 'hub.example.edu'", "Write it as https://hub.example.edu"),
        ("subdomain_host = 'https://hub.example.edu/a'", "without a path"),
    ],
)
def test_what_settings_can_not_mean_is_said(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    assert says in caught.value.plain


def test_settings_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        read_settings(tmp_path / "hub.toml")


@pytest.mark.parametrize("name", ["root", "teacher", "x-1", "a.b", "a_b", "a@b.org", "a" * 63])
def test_no_name_is_a_system_users_own(name: str) -> None:
    account = account_name(Settings(), name)
    assert account.startswith("pcn-")
    assert account != "pcn-teacher"
    assert len(account) <= 32


def test_two_names_are_two_accounts() -> None:
    names = ["a.b", "a_b", "a-b", "a@b", "x-1", "x.1", "teacher", "t.eacher"]
    assert len({account_name(Settings(), name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a+b", "-a", "a b", "a\n", "é", "a" * 64])
def test_a_name_that_could_lead_elsewhere_gets_no_account(name: str) -> None:
    with pytest.raises(AccountError):
        account_name(Settings(), name)


@pytest.fixture
def hub() -> Iterator[ClassServer]:
    made = ClassServer()
    yield made
    made.__exit__(None, None, None)


@needs_root
@pytest.mark.parametrize("login", ["lti", "oauth"])
def test_each_login_is_there_and_takes_our_names(hub: ClassServer, login: str) -> None:
    assert set(LOGINS) == {"lti", "oauth", "pilot"}
    file = hub.base / "hub.toml"
    file.write_text(f"{file.read_text()}login = '{login}'\n")
    c = Config()
    configure(c, file)
    chosen = import_item(c.JupyterHub.authenticator_class)
    made = chosen(username_pattern=c.Authenticator.username_pattern, config=Config())
    assert made.validate_username("ada")
    assert not made.validate_username("../ada")
    assert c.Authenticator.username_pattern == f"^{STUDENT_ID}$"


@needs_root
def test_laying_out_a_class_twice_changes_nothing(hub: ClassServer) -> None:
    def seen() -> dict[str, tuple[int, ...]]:
        paths = [hub.base, *hub.base.rglob("*")]
        stats = {str(path): path.lstat() for path in paths if path.name != "hub.toml"}
        return {name: (one.st_mode, one.st_uid, one.st_gid) for name, one in stats.items()}

    command = [sys.executable, "-P", "-m", "pcn_course.hub.config", str(hub.file)]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "is ready in" in first.stdout
    before = seen()
    subprocess.run(command, capture_output=True, check=True)
    assert seen() == before


@needs_root
def test_what_lies_in_the_way_is_said_and_left_alone(hub: ClassServer) -> None:
    folder = hub.settings.students
    folder.rmdir()
    folder.symlink_to("/")
    command = [sys.executable, "-P", "-m", "pcn_course.hub.config", str(hub.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{folder} is there already" in done.stderr
    assert Path("/").stat().st_uid == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_the_units_are_what_systemd_understands(tmp_path: Path) -> None:
    units: list[str] = []
    for unit in sorted(DEPLOY.glob("*.service")):
        copy = tmp_path / unit.name
        text = unit.read_text()
        assert "/opt/pcn/bin/" in text
        # It wants the programs to be there.
        copy.write_text(re.sub(r"/opt/pcn/bin/\w+", sys.executable, text))
        units.append(str(copy))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_and_the_settings_name_the_same_ports_and_files() -> None:
    proxy = (DEPLOY / "pcn-proxy.service").read_text()
    usual = Settings()
    for port in (usual.port, usual.proxy_api, usual.hub_port):
        assert str(port) in proxy
    assert str(usual.state / "proxy.env") in proxy
    guide = (DEPLOY / "README.md").read_text()
    for readme in (guide, (DEPLOY.parent / "kubernetes" / "README.md").read_text()):
        assert f"{usual.idle_minutes:g} minutes after the last page" in readme
        assert re.search(rf"{usual.forgotten_hours:g} hours after\s+the last word", readme)
    assert f"warns {usual.warning_minutes:g} minutes before" in guide
    assert f"http://127.0.0.1:{usual.port};" in (DEPLOY / "nginx.conf").read_text()
    for name in (
        "hub.toml", "jupyterhub_config.py", "nginx.conf", "pcn-hub.service", "pcn-proxy.service",
    ):  # fmt: skip
        assert name in guide
        assert (DEPLOY / name).is_file()


@needs_root
@needs_proxy
@pytest.mark.browser
def test_in_a_pilot_people_come_in_by_what_was_handed_out(chromium: Browser) -> None:
    with ClassServer(anybody=False, login="pilot", technologists=["tech"]) as hub:

        def log_in(name: str, password: str, page: Page | None = None) -> Page:
            page = page or chromium.new_context().new_page()
            page.goto(f"{hub.address}/hub/login?next=%2Fhub%2Ftoken")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            return page

        def refused(page: Page) -> None:
            expect(page.locator(".login_error")).to_contain_text("Invalid username or password")

        tech = log_in("tech", hub.make_account("tech"))
        expect(tech).to_have_url(f"{hub.address}/hub/token")
        given = hub.make_account("ada")
        ada = log_in("ada", PASSWORD)
        refused(ada)
        log_in("ada", given, ada)
        expect(ada).to_have_url(f"{hub.address}/hub/token")
        ada.goto(hub.address)
        expect(ada.locator(".pcn-card")).to_have_count(len(hub.course.steps))
        # She chooses one of her own.
        ada.goto(f"{hub.address}/hub/change-password")
        for label, password in (
            ("Old password", given),
            ("New password", PASSWORD),
            ("New password once more", PASSWORD),
        ):
            ada.get_by_label(label, exact=True).fill(password)
        ada.get_by_role("button", name="Change password").click()
        expect(ada.get_by_role("alert")).to_contain_text("changed successfully")
        page = log_in("ada", given)
        refused(page)
        log_in("ada", PASSWORD, page)
        expect(page).to_have_url(f"{hub.address}/hub/token")
        # Who forgot a password gets a new one from the technologist, and from nobody else.
        for method in ("GET", "POST"):
            asked = ada.context.request.fetch(
                f"{hub.address}/hub/change-password/tech", method=method
            )
            assert asked.status in (403, 404)
        another = hub.make_account("ada")
        log_in("ada", PASSWORD, page := chromium.new_context().new_page())
        refused(page)
        log_in("ada", another, page)
        expect(page).to_have_url(f"{hub.address}/hub/token")
        # Who guesses gets no further by guessing right at last; others come in as ever.
        login, guesser = f"{hub.address}/hub/login", requests.Session()
        right = hub.make_account("tech")
        for guess in ("a", "b", "c", "d", "too long " * 9, right):
            said = send(guesser, login, username="tech", password=guess)
            assert "Invalid username or password" in said.text, guess
        said = send(guesser, login, username="ada", password=another)
        assert "Invalid" not in said.text
        # The technologist looks after the hub, and enters nobody's pages.
        answer = tech.context.request.get(f"{hub.address}/user/ada/voila/render/home.ipynb")
        assert answer.status == 403
        assert tech.context.request.get(f"{hub.address}/hub/admin").status == 200

"""The page of commands in ``deploy/server/README.md``, run as it stands.

``scripts/try-server.sh`` makes a fresh Debian and calls this there: ``install ROOT`` with the
machine's network, then ``run ROOT`` in a network of its own, so that all ports are as the page
says. ``here FOLDER`` is for the tests: the same on the machine as it is, in namespaces of its own,
without what is fetched. What systemd would start is started as its units say; a browser comes from
outside.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.hub.class_server import CHECKOUT
from tests.hub.guide import commands, how, read_unit, upgrade
from tests.support.chromium import QUIET, executable
from tests.support.servers import until

NAME = "hub.example.edu"
# systemd's own; the tests' proxy may lie beside their Python.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/pcn/bin"
WORDS = "A referral pathway, tried on a server of its own"
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hub.example.edu "
    "-keyout /etc/ssl/private/hub.key -out /etc/ssl/hub.pem 2>/dev/null"
)
_ADDRESS = ("ADDRESS-OF-THIS-PROJECT", "file:///srv/project")
_PIP = "-q --dry-run --no-index --no-deps --no-build-isolation"


class Debian:
    """A Debian in a folder, in which commands run one after the other, as in one shell."""

    def __init__(self, root: Path, logs: Path) -> None:
        self.root = root
        self.logs = logs
        self.folder = "/"
        self.passwords: dict[str, str] = {}
        """Of the accounts that were made on the command line."""

    def inside(self, *command: str, **environment: str) -> list[str]:
        """A command that runs in there, with nothing of our own environment."""
        told = {"HOME": "/root", "TERM": "dumb", "LANG": "C.UTF-8", "PATH": PATH, **environment}
        network = {
            key: one for key, one in os.environ.items() if key in ("PIP_CERT", "PIP_INDEX_URL")
        }
        said = [f"{key}={one}" for key, one in {**network, **told}.items()]
        return ["chroot", str(self.root), "env", "-i", *said, *command]

    def has(self, program: str) -> bool:
        """Whether a program is there."""
        return (
            shutil.which(program, path=":".join(f"{self.root}{one}" for one in PATH.split(":")))
            is not None
        )

    def shell(self, line: str, *before: str) -> None:
        """Run a line of the page; where it changes the folder, the next one runs there."""
        began = time.monotonic()
        print(f"# {line}", flush=True)
        there = f"cd {self.folder} && {line}"
        command = self.inside("bash", "-c", there, DEBIAN_FRONTEND="noninteractive")
        subprocess.run([*before, *command], check=True)
        for changed in re.findall(r"\bcd (\S+)", line):
            self.folder = changed
        print(f"# … took {time.monotonic() - began:.1f} s", flush=True)

    def write_settings(self) -> None:
        """What a technologist writes with nano."""
        file = self.root / "etc/pcn/hub.toml"
        text = file.read_text()
        for key, name in (("instructors", "prof"), ("technologists", "tech")):
            text, found = re.subn(
                rf"^{key} = \[\]$", f'{key} = ["{name}"]', text, flags=re.MULTILINE
            )
            assert found == 1, key
        file.write_text(text)

    def make_accounts(self, line: str) -> None:
        """Make the accounts of a student and the technologist, and keep what is printed."""
        command = self.inside(*shlex.split(line.replace("NAME…", "ada tech")))
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        for one in done.stdout.splitlines():
            name, password = one.split("\t")
            self.passwords[name] = password

    @contextmanager
    def services(self) -> Iterator[None]:
        """Both units and nginx, ended in the end; what they said is in ``NAME.log``."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            yield
        finally:
            for process in self._running.values():
                process.terminate()
                process.wait(30)

    def start(self, unit: str) -> None:
        """Start a unit as systemd would, without the limits that only systemd can set."""
        if unit == "nginx":
            self._popen("nginx", ["nginx", "-g", "daemon off;"], "/", {})
            return
        if running := self._running.pop(unit, None):
            running.terminate()
            running.wait(30)
        about = read_unit(self.root / "etc/systemd/system" / f"{unit}.service")
        for before in about.before:
            subprocess.run(self.inside(*about.as_systemd(before)), check=True)
        command = about.as_systemd(about.command)
        self._popen(unit, command, about.folder, about.environment)

    def _popen(
        self, name: str, command: list[str], folder: str, environment: dict[str, str]
    ) -> None:
        there = f"cd {folder} && exec {shlex.join(command)}"
        with (self.logs / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                self.inside("sh", "-c", there, **environment), stdout=log, stderr=log
            )


def install(debian: Debian) -> None:
    """Everything up to the settings: packages, clone, Python, configuration."""
    lines = commands()
    _copy_checkout(debian.root / "srv/project")
    for line in lines[: lines.index(_first_settings())]:
        debian.shell(line.replace(*_ADDRESS))


def run(debian: Debian) -> None:
    """The settings, the start, and a class of one."""
    lines = commands()
    at = lines.index(_first_settings())
    debian.folder = re.findall(r"\bcd (\S+)", " ".join(lines[:at]))[-1]
    # What an earlier trial left.
    debian.shell("rm -rf /srv/pcn /etc/nginx/sites-enabled/pcn && cp hub.toml /etc/pcn/")
    debian.shell("for one in $(grep -o '^pcn-[^:]*' /etc/passwd); do userdel $one; done")
    debian.shell(CERTIFICATE)
    with debian.services():
        for line in lines[at:]:
            _do(debian, how(line), line)
        take_part(debian)
        # In mid-term there is a newer version of the package, and the answers stay.
        _git(debian.root / "srv/project", "commit", "-q", "--allow-empty", "-m", "Newer")
        for line in upgrade():
            if line.startswith("systemctl restart "):
                debian.start(line.split()[-1])
            else:  # over the machine's network, in which the first process still is
                debian.shell(line, "nsenter", "--net=/proc/1/ns/net")
        debian.shell(next(line for line in lines if line.startswith("curl ")))
        take_part(debian, again=True)


def here(debian: Debian) -> None:
    """All of it on this machine, but what would have to be fetched."""
    _copy_checkout(debian.root / "srv/project")
    debian.shell(CERTIFICATE)
    nginx = debian.has("nginx")
    with debian.services():
        for line in commands():
            reason = how(line).partition("not here: ")[2]
            if not nginx and ("nginx" in line) and line.split()[0] != "apt-get":
                reason = "nginx is not installed"
            if reason:
                print(f"# not here: {line}: {reason}")
                continue
            # What pip would install is here; whether it could is what is asked.
            changed = line.replace("pip install", f"pip install {_PIP}")
            _do(debian, how(line), changed.replace(*_ADDRESS))
            print(f"# done: {line}")
        if nginx:
            take_part(debian)


def _first_settings() -> str:
    """From here on nothing is fetched any more."""
    return next(line for line in commands() if how(line) == "settings")


def _do(debian: Debian, what: str, line: str) -> None:
    words = line.split()
    match what:
        case "settings":
            debian.write_settings()
        case "accounts":
            debian.make_accounts(line)
        case "nothing":
            pass  # the name and the certificate's place are as they come
        case "enable":
            units = [f"/etc/systemd/system/{unit}.service" for unit in words[3:]]
            debian.shell(f"systemd-analyze verify --man=no {' '.join(units)}")
            debian.shell(line.replace(" --now", ""))
            wanted = debian.root / "etc/systemd/system/multi-user.target.wants"
            for unit in words[3:]:
                assert (wanted / f"{unit}.service").is_symlink()
                debian.start(unit)
        case "nginx":
            debian.shell(line.partition(" && ")[0])
            debian.start("nginx")
        case _:
            debian.shell(line)


def take_part(debian: Debian, *, again: bool = False) -> None:
    """A student logs in over https by what she was handed; she writes, and it is on disk.

    Where she does so ``again``, she finds what she wrote.
    """
    began = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            args=[*QUIET, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"],
        )
        expect.set_options(timeout=60_000)

        def fill(page: Page, name: str, button: str) -> None:
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill(debian.passwords[name])
            page.get_by_role("button", name=button).click()

        def new_page() -> Page:
            return browser.new_context(ignore_https_errors=True, locale="en-US").new_page()

        ada = new_page()
        if not again:
            tech = new_page()
            tech.goto(f"https://{NAME}/hub/login?next=%2Fhub%2Fadmin")
            fill(tech, "tech", "Sign in")
            expect(tech).to_have_url(f"https://{NAME}/hub/admin")
        ada.goto(f"http://{NAME}/")  # from http to https by itself
        fill(ada, "ada", "Sign in")
        ada.locator(".pcn-card[data-step=step-1-goals] a").first.click()
        assert ada.url.startswith(f"https://{NAME}/user/ada/"), ada.url
        field = ada.locator('[data-key="live-project"] :is(textarea, input)')
        expect(field).to_have_value(WORDS if again else "")
        field.fill(WORDS + " again" * again)
        expect(ada.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))
        cookies = ada.context.cookies()
        assert cookies
        assert not [one["name"] for one in cookies if not one["secure"]]
        answers = debian.root / "srv/pcn/students/ada/workspace/step-1-goals/answers.json"
        until(lambda: WORDS in answers.read_text())
        browser.close()
    print(f"# a student's words came over https, {time.monotonic() - began:.1f} s", flush=True)


def _copy_checkout(to: Path) -> None:
    """A repository of what stands in the checkout, committed or not."""
    shutil.rmtree(to, ignore_errors=True)
    git = ("git", "-C", str(CHECKOUT), "ls-files", "-coz", "--exclude-standard")
    listed = subprocess.run(git, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if name and (CHECKOUT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, to / name)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "As it stands"]):
        _git(to, *command)


def _git(folder: Path, *command: str) -> None:
    who = ("-c", "user.name=trial", "-c", "user.email=trial@example.edu")
    subprocess.run(["git", "-C", str(folder), *who, *command], check=True)


if __name__ == "__main__":
    _folder = Path(sys.argv[2])
    if sys.argv[1] == "here":
        here(Debian(Path("/"), _folder))
    else:
        {"install": install, "run": run}[sys.argv[1]](Debian(_folder, _folder.parent))

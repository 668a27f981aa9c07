"""The page of commands in ``deploy/server/README.md``, and its units as systemd would run them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from tests.hub.class_server import CHECKOUT

DEPLOY = CHECKOUT / "deploy" / "server"
README = DEPLOY / "README.md"
BEGIN = "## From a root shell to a running class"


def page() -> str:
    """The part of the guide that leads from a root shell to a running class."""
    return README.read_text().partition(f"{BEGIN}\n")[2].partition("\n## ")[0]


def commands() -> list[str]:
    """The commands of the page, one for each line, without what is said about them."""
    return _commands(page())


def upgrade() -> list[str]:
    """The commands that bring a newer version of the package, in mid-term."""
    return _commands(README.read_text().partition("- **Upgrade** ")[2])


def _commands(text: str) -> list[str]:
    block = re.search(r"(?:^    .+\n)+", text, re.MULTILINE)
    assert block, "there are no commands"
    lines = [line.strip() for line in block[0].splitlines()]
    return [re.sub(r"\s{2,}#.*|\s+#\s.*", "", line) for line in lines]


KNOWN = {
    r"apt-get update && apt-get install -y [a-z0-9. -]+": "not here: it needs the network",
    r"git clone ADDRESS-OF-THIS-PROJECT /opt/pcn-course": "run",
    r"python3 -m venv /opt/pcn": "not here: the tests' own environment stands there",
    r"/opt/pcn/bin/pip install --compile -c \S+ '/opt/pcn-course\[hub\]'": "run",
    r"mkdir /etc/pcn && cd /opt/pcn-course/deploy/server": "run",
    r"cp [a-z._ -]+ /etc/\S+": "run",
    r"install -m 600 [a-z._ -]+ /etc/\S+": "run",
    r"nano /etc/pcn/hub.toml": "settings",
    r"nano /etc/nginx/sites-available/pcn": "nothing",
    r"/opt/pcn/bin/python -P -m pcn_course.hub.config /etc/pcn/hub.toml": "run",
    r"/opt/pcn/bin/python -P -m pcn_course.hub.logins /etc/pcn/hub.toml NAME…": "accounts",
    r"systemctl enable --now pcn-proxy pcn-hub": "enable",
    r"curl -fs [a-z0-9 -]+ http://127.0.0.1:8000/hub/health && echo ready": "run",
    r"ln -s ../sites-available/pcn /etc/nginx/sites-enabled/pcn": "run",
    r"nginx -t && systemctl reload nginx": "nginx",
}
"""What the trials do with each command of the page; one that is new there has to be told here."""


def how(command: str) -> str:
    """What the trials do with a command of the page.

    Raises:
        LookupError: nobody has said.
    """
    for pattern, what in KNOWN.items():
        if re.fullmatch(pattern, command):
            return what
    raise LookupError(f"{README} has a new command, and nobody says how it is tried: {command}")


class Unit(NamedTuple):
    """What of a unit file can be done without systemd."""

    name: str
    before: list[list[str]]
    command: list[str]
    environment: dict[str, str]
    folder: str
    closed: tuple[str, ...]

    def as_systemd(self, command: list[str]) -> list[str]:
        """A command of this unit that sees the file system as systemd would show it."""
        lines = [
            f"mount --bind {one} {one} && mount -o remount,bind,ro {one}" for one in self.closed
        ]
        return [
            "unshare",
            "--mount",
            "sh",
            "-euc",
            "\n".join([*lines, 'exec "$@"']),
            "sh",
            *command,
        ]


def read_unit(path: Path) -> Unit:
    """Read a unit; a setting that isn't known here is an error, so that none is overlooked."""
    before: list[list[str]] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    folder = "/"
    closed: tuple[str, ...] = ()
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if not equals or line.startswith("#"):
            continue
        if key == "ExecStartPre":
            before.append(shlex.split(value))
        elif key == "ExecStart":
            command = shlex.split(value.replace("$$", "$"))
        elif key == "Environment":
            for one in shlex.split(value):
                name, _, is_ = one.partition("=")
                environment[name] = is_
        elif key == "WorkingDirectory":
            folder = value
        elif key == "ProtectSystem":
            closed = {"no": (), "yes": ("/usr", "/boot"), "full": ("/usr", "/boot", "/etc")}[value]
        else:
            assert key in _SYSTEMDS_OWN, f"{path.name}: what does {key} do?"
    return Unit(path.stem, before, command, environment, folder, closed)


_SYSTEMDS_OWN = {
    *("Description", "After", "Wants", "WantedBy"),
    *("Restart", "RestartSec", "KillMode", "MemoryMax", "TasksMax", "OOMPolicy"),
    *("ProtectHome", "PrivateTmp", "OOMScoreAdjust", "Delegate"),
}
"""What only systemd itself can do: it is verified by ``systemd-analyze`` and tried nowhere here."""

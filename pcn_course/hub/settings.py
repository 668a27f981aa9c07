"""What a technologist chooses, in one small file: who teaches, how to log in, what is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from pcn_course.hub.roles import Role, role_of

_ADDRESS = re.compile(r"https?://[a-z0-9.-]+(:\d+)?")


class SettingsError(Exception):
    """The settings can't be used. ``plain`` says why and what to do."""

    def __init__(self, plain: str) -> None:
        super().__init__(plain)
        self.plain = plain


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``hub.toml``. Names are those by which people log in, in small letters.

    ``folder`` and the three ports stand in the unit files, too, and ``port`` in ``nginx.conf``:
    none of these reads this file.
    """

    folder: str = "/srv/pcn"
    """Below it lie ``course``, ``students``, ``exchange`` and ``hub``."""
    prefix: str = "pcn"
    """With what the names of all system users of the class begin."""
    port: int = 8000
    """Where the proxy listens, on this machine alone: a web server with TLS stands before it."""
    public_url: str = ""
    """The address that people open, as ``https://hub.example.edu``. With it, all cookies are marked
    Secure, whatever the web server says of the protocol."""
    subdomain_host: str = ""
    """The same address, to give each server a host name of its own below it: ``NAME.hub.…``. It
    needs those names in DNS and in the certificate."""
    proxy_api: int = 8001
    hub_port: int = 8081
    login: Literal["pilot", "lti", "oauth"] = "pilot"
    instructors: tuple[str, ...] = ()
    graders: tuple[str, ...] = ()
    technologists: tuple[str, ...] = ()
    idle_minutes: float = 20
    """For how long a student's server stays when no page is open."""
    forgotten_hours: float = 4
    """For how long a page may stay open without a word typed before its server is ended."""
    warning_minutes: float = 5
    """For how long such a page warns before."""
    logs: Literal["json", "plain"] = "json"
    """One JSON object a line, without a student's words; or plain, for a person, who finds a fault
    more easily by what an error says. That may quote."""
    memory_mib: int = 1024
    """What one process of a student may take."""
    all_memory_mib: int = 3072
    """What all processes of a student may take together; what is shared counts for each of them."""
    processes: int = 400
    """How many processes and threads a student may have."""
    tmp_mib: int = 64
    """How much a student's server may keep in ``/tmp``, ``/var/tmp`` and ``/dev/shm`` together. It
    is memory, and freed when the server ends."""
    file_mib: int = 256
    """How long one file of a student may become."""

    @property
    def address(self) -> str:
        """The address that people open; empty where the settings don't name it."""
        return self.public_url or self.subdomain_host

    @property
    def base(self) -> Path:
        """The folder of everything."""
        return Path(self.folder)

    @property
    def course(self) -> Path:
        """The course: its data, its notebooks, and the instructor's room."""
        return self.base / "course"

    @property
    def room(self) -> Path:
        """The instructor's room, with the gradebook."""
        return self.course / "assignments"

    @property
    def students(self) -> Path:
        """The students' homes."""
        return self.base / "students"

    @property
    def teachers(self) -> Path:
        """The home of the account with which all who teach work."""
        return self.base / "teachers"

    @property
    def exchange(self) -> Path:
        """nbgrader's exchange."""
        return self.base / "exchange"

    @property
    def state(self) -> Path:
        """What the hub keeps: its database and its secrets."""
        return self.base / "hub"

    @property
    def database(self) -> Path:
        """The hub's database; in a pilot it holds the passwords' hashes, too."""
        return self.state / "hub.sqlite"

    def role(self, name: str) -> Role:
        """What somebody is in this course."""
        return role_of(name, self.instructors, self.graders)

    @property
    def environment(self) -> dict[str, str]:
        """What a server is told: for how many seconds it stays, and how it logs."""
        return {
            "PCN_IDLE": f"{60 * self.idle_minutes:g}",
            "PCN_FORGOTTEN": f"{3600 * self.forgotten_hours:g}",
            "PCN_WARNING": f"{60 * self.warning_minutes:g}",
            "PCN_LOGS": self.logs,
        }


def read_settings(path: Path) -> Settings:
    """Read ``hub.toml``.

    Raises:
        SettingsError: it can't be read, or says what can't be meant.
    """
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise SettingsError(f"{path}: {error}") from error
    for key in ("public_url", "subdomain_host"):
        if (url := getattr(settings, key)) and not _ADDRESS.fullmatch(url):
            raise SettingsError(
                f"{path}: {key} is “{url}”. Write it as https://hub.example.edu, without a path."
            )
    names = (*settings.instructors, *settings.graders, *settings.technologists)
    if wrong := [name for name in names if name != name.lower()]:
        raise SettingsError(f"{path}: names are in small letters here: {', '.join(wrong)}")
    return settings

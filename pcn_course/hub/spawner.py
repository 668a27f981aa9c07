"""How the hub starts somebody's server: as their own system user, with limits, and lean.

A `LocalProcessSpawner`, and not systemd's: it is what can be tested with real processes on any
Linux, it needs no D-Bus, and servers outlive a restart of the hub with it. The limits that systemd
would set by control groups are set on the processes themselves; a limit for all together stands in
the hub's unit file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import random_port
from sqlalchemy.orm import object_session
from tornado import web

from pcn_course.course import Course
from pcn_course.hub.accounts import Account, account_name, owned_folder, teacher_account
from pcn_course.hub.confine import ORDER, Memory, needed
from pcn_course.hub.forkserver import ForkServer, ForkServerError, become
from pcn_course.hub.layout import welcome
from pcn_course.hub.roles import LIGHT, ONE_SERVER, Role, has_server
from pcn_course.hub.settings import Settings

_LAB = [sys.executable, "-P", "-m", "pcn_course.hub.lab_server"]
_LAB_WITHOUT = (
    "jupyter_lsp",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "notebook",
    "notebook_shim",
    "voila.server_extension",
)
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_MIB = 2**20
_memory = Memory(every=1.0)
_starting = threading.Lock()
# So many start at a time. The others wait for their turn, with the hub's page that says so: its own
# limit would send them away, to come back in a minute.
_turns = asyncio.Semaphore(max(4, 2 * (os.cpu_count() or 2)))


class CourseSpawner(LocalProcessSpawner):
    """Starts a server for a student, a grader or an instructor."""

    # Set by the hub's configuration, once for all.
    settings: Settings
    course: Course

    fork_server: ForkServer | None = None
    port: Any
    pid: Any
    ip: Any

    _account: Account | None = None

    def __init__(self, **about: Any) -> None:
        """Refuse a server that nobody has, which the hub would remember."""
        row = about["orm_spawner"]
        if row.name not in ("", LIGHT):
            # The hub has written it down already, and would keep each that was ever asked for.
            database: Any = object_session(row)
            database.delete(row)
            database.commit()
            raise web.HTTPError(403, ONE_SERVER)
        super().__init__(**about)

    def get_state(self) -> dict[str, Any]:
        """What is kept of a server that outlives the hub: its process, and which one that is."""
        state: dict[str, Any] = super().get_state()
        if self.pid:
            state["began"] = _began(self.pid)
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore the process id, unless another process has it now: after a reboot, or a move."""
        super().load_state(state)
        self.pid = self.pid_of(state)

    @staticmethod
    def pid_of(state: dict[str, Any]) -> int:
        """The process that a server was, if it is that one still; else 0."""
        pid = int(state.get("pid", 0))
        return pid if pid and state.get("began") == _began(pid) else 0

    @property
    def role(self) -> Role:
        """What this person is in the course."""
        return self.settings.role(self.user.name)

    async def start(self) -> Any:
        """Make what is missing of the account and its folders, then start the server."""
        if not has_server(self.role, self.name):
            raise web.HTTPError(403, ONE_SERVER)
        async with _turns:
            self._account = await asyncio.to_thread(self._prepare)
            if self._is_lab():
                self.cmd = _LAB
                return await super().start()
            self.port = self.port or random_port()
            self.pid = await asyncio.to_thread(self._split_off, self.get_env())
            await _listens(self.port, self.pid)
        return self.ip or "127.0.0.1", self.port

    async def poll(self) -> int | None:
        """Return the server's status, and end what goes beyond a student's share of memory.

        A process's own limits don't count several together: the largest of them is ended.
        """
        status: int | None = await super().poll()
        if status is None and self.role == "student":
            uid = pwd.getpwnam(account_name(self.settings, self.user.name)).pw_uid
            most = self.settings.all_memory_mib * _MIB
            if pid := await asyncio.to_thread(_memory.too_much, uid, most):
                self.log.warning(
                    "Ended a process of user %s: together they had too much memory", uid
                )
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return status

    def make_preexec_fn(self, name: str) -> Callable[[], None]:  # noqa: ARG002 (the hub's, not the system's)
        """Become the system user, for good."""
        user = self._system_user()
        return lambda: become(**user)

    def _split_off(self, env: dict[str, str]) -> int:
        user = self._system_user()
        request = {**user, "folder": str(user["folder"]), "env": env}
        cls = CourseSpawner
        with _starting:
            if cls.fork_server is None:
                cls.fork_server = ForkServer.start()
            fork_server = cls.fork_server
        try:
            return fork_server.ask(request)
        except ForkServerError:
            self.log.warning("The process from which servers come has ended; another is started")
            with _starting:
                if cls.fork_server is fork_server:
                    cls.fork_server = ForkServer.start()
                fork_server = cls.fork_server
            return fork_server.ask(request)

    def _system_user(self) -> dict[str, Any]:
        account = self._account
        assert account, "start() comes first"  # noqa: S101 (else it would run as root)
        return {
            "uid": account.uid,
            "gid": account.gid,
            "groups": os.getgrouplist(account.name, account.gid),
            "folder": self._folder(account),
            "umask": 0o077 if self.role == "student" else 0o022,
            "limits": {} if self._is_lab() else _limits(self.settings, self.role),
            "confined": confined(self.settings, self.role),
        }

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """What the server sees: of the hub's own environment nothing but the path and language."""
        account = self._account
        assert account, "start() comes first"  # noqa: S101
        settings = self.settings
        env.update(
            USER=account.name,
            LOGNAME=account.name,
            HOME=str(account.home),
            PCN_COURSE=str(settings.course),
            **settings.environment,
            # A file of the student's never stands in for a module, in no process that follows.
            PYTHONSAFEPATH="1",
            **dict.fromkeys(_THREADS, "1"),
        )
        if self.role == "student":
            env["PCN_EXCHANGE"] = str(settings.exchange)
        else:
            env["PCN_ROOM"] = str(settings.room)
            env["PCN_ONLY"] = "marking.ipynb" if self.role == "grader" else ""
        if self._is_lab():
            env.update(lab_settings(str(settings.room)))
        return env

    def get_args(self) -> list[str]:
        """What follows the command: the lab knows nbgrader's formgrader and our pages."""
        if not self._is_lab():
            return []
        cookies = {"xsrf_cookie_kwargs": {"secure": self.settings.address.startswith("https:")}}
        return [*lab_command()[len(_LAB) :], f"--ServerApp.tornado_settings={cookies}"]

    def _is_lab(self) -> bool:
        return self.role == "instructor" and self.name != LIGHT

    def _prepare(self) -> Account:
        if self.role == "student":
            return welcome(self.settings, self.course, self.user.name)
        teacher = teacher_account(self.settings)
        if not self._is_lab():
            owned_folder(self.settings.base, self._folder(teacher), 0o700, teacher.uid, teacher.gid)
        return teacher

    def _folder(self, account: Account) -> Path:
        """Where the server starts: a student's home; of those who teach, a folder for each.

        The lab starts in the room, where formgrader finds nbgrader's configuration.
        """
        if self._is_lab():
            return self.settings.room
        if self.role == "student":
            return account.home
        return account.home / f"{self.user.name}{'-' + self.name if self.name else ''}"


def lab_command() -> list[str]:
    """The whole command of an instructor's lab."""
    extensions = dict.fromkeys(_LAB_WITHOUT, False) | {
        "jupyterlab": True,
        "nbgrader.server_extensions.formgrader": True,
        "nbgrader.server_extensions.validate_assignment": True,
    }
    return [*_LAB, f"--ServerApp.jpserver_extensions={extensions}"]


def lab_settings(room: str) -> dict[str, str]:
    """What the lab's environment says besides: it works in the room, without settings of others."""
    return {
        "JUPYTERHUB_ROOT_DIR": room,
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
        "JUPYTERHUB_SINGLEUSER_APP": "jupyter-server",
        "JUPYTERHUB_DEFAULT_URL": "/lab",
    }


def _began(pid: int) -> str:
    """Which process of which boot has this number: a number alone is given out again."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # After the command, which may hold anything, the start time is field 22 of proc(5).
    return f"{boot} {about.rpartition(')')[2].split()[19]}"


async def _listens(port: int, pid: int) -> None:
    """Wait until a server can be reached; the hub looks with ever longer pauses.

    One that ended meanwhile is the hub's to report.
    """
    while True:
        try:
            _, line = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.03)
        else:
            line.close()
            return
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return


def confined(settings: Settings, role: Role) -> dict[str, Any]:
    """Return what `confine` takes for a role.

    Those who teach keep the machine's folders: they work with files of the whole class there.
    """
    if role != "student":
        return {"order": ORDER[role]}
    keep = [settings.folder, *needed()]
    return {"order": ORDER[role], "mib": settings.tmp_mib, "keep": keep}


def _limits(settings: Settings, role: Role) -> dict[int, int]:
    limits = {
        resource.RLIMIT_DATA: settings.memory_mib * _MIB,
        resource.RLIMIT_FSIZE: settings.file_mib * _MIB,
        resource.RLIMIT_NOFILE: 1024,
        resource.RLIMIT_CORE: 0,
    }
    if role == "student":
        # It counts for all of a system user's processes, and all who teach are one.
        limits[resource.RLIMIT_NPROC] = settings.processes
    return limits

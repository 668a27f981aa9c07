"""A class on a real JupyterHub with the real proxy, system users, and a home for each.

with ClassServer() as hub:
    page.goto(hub.address)
    as_user(hub.account("ada"), look_around)

It needs root, to be other users in turn. Users that were added are removed in the end.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

import pcn_course
from pcn_course.hub.accounts import Account, account_name
from pcn_course.hub.config import proxy_token
from pcn_course.hub.forkserver import become
from pcn_course.hub.layout import lay_out
from pcn_course.hub.settings import Settings, read_settings
from pcn_course.hub.spawner import _limits, confined
from tests.support.servers import free_port, until

CHECKOUT = Path(pcn_course.__file__).parents[1]
CONFIG = CHECKOUT / "deploy" / "server" / "jupyterhub_config.py"
# `scripts/more-programs.sh` puts it beside Python.
PROXY = shutil.which(
    "configurable-http-proxy", path=str(Path(sys.executable).parent)
) or shutil.which("configurable-http-proxy")

_TEACH = """
import os, sys
os.chdir(os.environ["PCN_ROOM"])
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
app = NbGrader()
app.initialize([])
api = NbGraderAPI(config=app.config)
for command in sys.argv[1:]:
    done = eval("api." + command)
    if done and not done["success"]:
        sys.exit(command + str(done))
"""

_NUMBERS = itertools.count()

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users in turn")
needs_proxy = pytest.mark.skipif(PROXY is None, reason="no proxy: sh scripts/more-programs.sh")


class ClassServer:
    """Hub and proxy, each a process of its own, as in ``deploy/server``."""

    def __init__(self, *, anybody: bool = True, **settings: Any) -> None:
        """Take what differs from the usual settings; ``anybody`` may log in, by any password."""
        self.anybody = anybody
        # Not pytest's folder: nobody but root may enter that one.
        self.base = Path(tempfile.mkdtemp(prefix="pcn-class-"))
        self.base.chmod(0o755)
        ports = {name: int(free_port()) for name in ("port", "proxy_api", "hub_port")}
        prefix = f"p{os.getpid()}n{next(_NUMBERS)}"  # so that each ends its own users alone
        chosen = {"folder": str(self.base), "prefix": prefix, **ports, **settings}
        self.file = self.base / "hub.toml"
        self.file.write_text("".join(f"{key} = {_toml(one)}\n" for key, one in chosen.items()))
        self.settings: Settings = read_settings(self.file)
        for part in ("data", "notebooks"):
            shutil.copytree(CHECKOUT / part, self.settings.course / part)
        self.course = lay_out(self.settings)
        self.inside = f"http://127.0.0.1:{self.settings.port}"
        self.address = self.settings.subdomain_host or self.inside
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start both."""
        try:
            self.start_proxy()
            self.start_hub()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything that runs, and remove users and folders."""
        for name in ("hub", "proxy"):
            self.stop(name)
        names = [
            one.pw_name
            for one in pwd.getpwall()
            if one.pw_name.startswith(f"{self.settings.prefix}-")
        ]
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        until(lambda: not self.pids(), 30)
        for name in names:
            subprocess.run(["userdel", name], check=False, capture_output=True)
        shutil.rmtree(self.base, ignore_errors=True)

    def start_proxy(self) -> None:
        """Start the proxy, as its unit file does."""
        assert PROXY
        one = self.settings
        self._start("proxy", [
            PROXY, "--ip", "127.0.0.1", "--port", str(one.port), "--api-ip", "127.0.0.1",
            "--api-port", str(one.proxy_api),
            "--error-target", f"http://127.0.0.1:{one.hub_port}/hub/error",
            *(["--host-routing"] if one.subdomain_host else []),
        ], CONFIGPROXY_AUTH_TOKEN=proxy_token(one))  # fmt: skip
        self._answers("/", 404)

    def start_hub(self) -> None:
        """Start the hub with the configuration of ``deploy/server``."""
        config = self.settings.state / "test_config.py"
        config.write_text(
            f"exec(compile({CONFIG.read_text()!r}, 'jupyterhub_config.py', 'exec'))\n"
            "c.JupyterHub.last_activity_interval = 2\n"
            + ("c.JupyterHub.authenticator_class = 'dummy'\n" if self.anybody else "")
        )
        hub = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
        self._start("hub", [*opened(self.base), *hub], PCN_HUB_SETTINGS=str(self.file))
        self._answers("/hub/health", 200)

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        """End the hub or the proxy; the students' servers go on."""
        if process := self.processes.pop(name, None):
            process.send_signal(number)
            process.wait(60)

    def log(self, name: str) -> str:
        """What the hub or the proxy has said; in the hub's are the servers' words, too."""
        return (self.base / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def account(self, name: str) -> Account:
        """The system user of somebody who has logged in."""
        found = pwd.getpwnam(account_name(self.settings, name))
        return Account(found.pw_name, found.pw_uid, found.pw_gid, Path(found.pw_dir))

    def workspace(self, name: str) -> Path:
        """A student's workspace."""
        return self.settings.students / name / "workspace"

    def teach(self, *commands: str) -> str:
        """Do nbgrader's own work in the room, as the account of those who teach.

        Each command is a call of nbgrader's API: ``release_assignment('step-1-goals')``.
        """
        teacher = pwd.getpwnam(f"{self.settings.prefix}-teacher")
        program = self.base / "teach.py"
        program.write_text(_TEACH)
        done = subprocess.run(
            [
                *opened(self.base),
                *("setpriv", "--reuid", str(teacher.pw_uid), "--regid", str(teacher.pw_gid)),
                *("--clear-groups", sys.executable, str(program), *commands),
            ],
            cwd="/", capture_output=True, text=True, check=False,
            env={**os.environ, "HOME": teacher.pw_dir, "PCN_ROOM": str(self.settings.room)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def make_account(self, name: str) -> str:
        """Make a pilot's account as the guide does; the password."""
        return self.run_logins(str(self.file), name).strip().partition("\t")[2]

    def run_logins(self, *arguments: str) -> str:
        """Run the guide's command that makes accounts; what it prints."""
        command = [sys.executable, "-P", "-m", "pcn_course.hub.logins", *arguments]
        done = subprocess.run(
            [*opened(self.base), *command], capture_output=True, text=True, check=True
        )
        return done.stdout

    def pids(self, name: str = "") -> list[int]:
        """The processes of one system user, or of all whom this class added."""
        begin = account_name(self.settings, name) if name else f"{self.settings.prefix}-"
        uids = {
            one.pw_uid
            for one in pwd.getpwall()
            if (one.pw_name == begin if name else one.pw_name.startswith(begin))
        }
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                status = (folder / "status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(status.partition("\nUid:\t")[2].split("\t")[0]) in uids:
                found.append(int(folder.name))
        return sorted(found)

    def server_of(self, name: str) -> int:
        """The process of somebody's server."""
        servers = [pid for pid in self.pids(name) if _parent(pid) not in self.pids(name)]
        assert len(servers) == 1, f"{name} has {len(servers)} servers"
        return servers[0]

    def kernels_of(self, name: str) -> list[int]:
        """The processes of the kernels of somebody's pages: their grandchildren."""
        server = self.server_of(name)
        pids = self.pids(name)
        return [pid for pid in pids if _parent(pid) in pids and _parent(pid) != server]

    def _start(self, name: str, command: list[str], **settings: str) -> None:
        environment = {**os.environ, **settings}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with (self.base / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd="/", start_new_session=True
            )

    def _answers(self, path: str, wanted: int, within: float = 60.0) -> None:
        end = time.monotonic() + within
        address, host = f"{self.inside}{path}", urlsplit(self.address).netloc
        while (status := status_of(address, host)) != wanted:
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{self.log(name)[-3000:]}"
            assert time.monotonic() < end, f"{address}: {status}, not {wanted}"
            time.sleep(0.1)


def _parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nPPid:\t")[2].split("\n")[0])


def status_of(address: str, host: str = "") -> int:
    """The status of a page, asked for by another ``host`` where given; 0: nothing listens there."""
    request = urllib.request.Request(address, headers={"Host": host} if host else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own server)
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def opened(base: Path) -> list[str]:
    """A command before another, so that other users can run this Python.

    Where it lies in a folder that only root may enter, the command sees that folder with nothing
    else in it. The machine itself stays as it is.
    """
    needed = {Path(sys.prefix), Path(sys.base_prefix).resolve(), CHECKOUT}
    closed = {path: found for path in needed if (found := _first_closed(path))}
    if not closed:
        return []
    lines = ["set -e"]
    for number, path in enumerate(closed):
        stage = base / "stage" / str(number)
        stage.mkdir(parents=True, exist_ok=True)
        lines.append(f"mount --bind '{path}' '{stage}'")
    lines += [f"mount -t tmpfs -o mode=755 none '{one}'" for one in sorted(set(closed.values()))]
    for number, path in enumerate(closed):
        lines += [f"mkdir -p '{path}'", f"mount --move '{base}/stage/{number}' '{path}'"]
    script = base / "opened.sh"
    script.write_text("\n".join([*lines, 'exec "$@"', ""]))
    return ["unshare", "--mount", "sh", str(script)]


def _first_closed(path: Path) -> Path | None:
    for folder in (*reversed(path.parents), path):
        if folder.stat().st_mode & 0o001 == 0:
            return folder
    return None


def as_user(account: Account, do: Callable[[], str]) -> str:
    """What ``do`` returns, or the name of its error, when it is done as another system user."""

    def changed() -> str:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
        return do()

    return _in_a_child(changed)


def _in_a_child(do: Callable[[], str]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = do()
        except BaseException as error:  # noqa: BLE001 (this is no test, and must not become one)
            said = type(error).__name__
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


def as_server(hub: ClassServer, name: str, do: Callable[[], str]) -> str:
    """The same, with all that a student's server may not do, as if a fault in it had led to it."""
    account, settings = hub.account(name), hub.settings

    def become_server() -> str:
        become(
            uid=account.uid, gid=account.gid, groups=[account.gid], folder=account.home,
            umask=0o077, limits=_limits(settings, "student"),
            confined=confined(settings, "student"),
        )  # fmt: skip
        return do()

    return _in_a_child(become_server)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value)

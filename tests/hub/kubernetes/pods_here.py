"""Pods without Kubernetes: what `pcn_course.hub.kubernetes.pods` sets of one is built for real.

A volume is a folder; a pod is a root of its own in which there is this machine's software, read
only, and of the volume what the pod mounts and nothing else; in it all run as one user, with no
rights, and see no other processes. Only root can build this.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import random_port

import pcn_course
from pcn_course.hub.kubernetes.pods import BASE, Pods, pod

CHECKOUT = Path(pcn_course.__file__).parents[1]
UID = 61_000
_SOFTWARE = ("/bin", "/lib", "/lib64", "/usr")


@dataclass(frozen=True)
class Container:
    """A container as a pod's manifest has it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mapping[str, Any], ...]
    folder: str = "/"

    def script(self, volume: Path, command: tuple[str, ...] = ()) -> str:
        """What a shell does as root, in mounts and processes of its own, to become it."""
        root = volume.parent / "root"  # a folder to mount on; each has its own things there
        lines = ["set -e", f"mkdir -p {root}", f"mount -t tmpfs -o mode=755 none {root}"]
        # Before the software, which may be below it: a checkout can be anywhere.
        lines += [
            f"mkdir {root}/tmp",  # noqa: S108 (a folder in the new root)
            f"mount -t tmpfs -o mode=1777,size=256m none {root}/tmp",  # noqa: S108 (as above)
        ]
        for path in {*_SOFTWARE, sys.prefix, str(Path(sys.base_prefix).resolve()), str(CHECKOUT)}:
            if Path(path).is_symlink():
                lines.append(f"ln -s {Path(path).readlink()} {root}{path}")
            else:
                lines += _bound(Path(path), f"{root}{path}", read_only=True)
        # The image has a name for its user; nbgrader asks for it. The machine's own list of users
        # can't be covered by a mount: who adds one there lays a new file in its place.
        lines += [
            f"mkdir {root}/etc",
            f"echo 'pcn:x:{UID}:{UID}::/:/usr/sbin/nologin' > {root}/etc/passwd",
            f"cp -a /etc/ld.so.cache /etc/alternatives {root}/etc/",
        ]
        for path in ("/proc", "/dev", "/run"):
            lines.append(f"mkdir -p {root}{path}")
        lines += [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        for mount in self.mounts:
            if mount["name"] == "pcn":
                source = volume / mount.get("subPath", "")
                lines += _bound(
                    source, root.as_posix() + mount["mountPath"], read_only="readOnly" in mount
                )
        inside = [
            *("chroot", str(root)),
            *("setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"),
            *("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"),
            *("env", "-i", f"--chdir={self.folder}"),
            *(f"{key}={value}" for key, value in self.environment.items()),
            *(command or self.command),
        ]
        lines.append(f"mount -o remount,ro {root}")
        lines.append(f"exec {shlex.join(inside)}")
        return "\n".join(lines)

    def start(self, volume: Path, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start it, or another command in it."""
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-c", self.script(volume, command)),
            ],
            text=True,
            **options,
        )

    def run(self, volume: Path, *command: str, given: str = "") -> str:
        """Run a command in it to its end; what it printed."""
        process = self.start(
            volume, *command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = process.communicate(given, timeout=120)
        assert process.returncode == 0, f"{command or self.command}\n{out}\n{err}"
        return out


@dataclass(frozen=True)
class PodHere:
    """Somebody's pod."""

    volume: Path
    first: Container
    main: Container

    @classmethod
    def of(cls, volume: Path, pods: Pods, name: str, server: str = "") -> PodHere:
        """What the hub would set for this person."""
        return cls.made(volume, pod(pods, name, server, image="image"), JUPYTERHUB_USER=name)

    @classmethod
    def made(cls, volume: Path, settings: Mapping[str, Any], **environment: str) -> PodHere:
        """From the settings of a spawner."""
        first = settings["init_containers"][0]
        plain = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
            "PYTHONPATH": str(CHECKOUT),
        }
        own = {key: value for key, value in settings["environment"].items() if _is_plain(value)}
        return cls(
            volume,
            Container(
                _here(first["command"]),
                {**plain, **{one["name"]: one["value"] for one in first["env"]}},
                tuple(first["volumeMounts"]),
            ),
            Container(
                _here(settings["cmd"]),
                {**plain, **own, **environment},
                tuple(settings["volume_mounts"]),
                settings["working_dir"],
            ),
        )

    def begin(self) -> PodHere:
        """Let the first container do its work."""
        self.first.run(self.volume)
        return self

    def python(self, program: str, *arguments: str) -> str:
        """Run a program where the pod's server would run; what it printed."""
        return self.main.run(self.volume, sys.executable, "-c", program, *arguments)

    def starts(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """The same, without waiting for it."""
        return self.main.start(
            self.volume, sys.executable, "-c", program, *arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@contextmanager
def volume_in(folder: Path, mib: int) -> Iterator[Path]:
    """A volume of a size of its own, which is full when it is full."""
    volume = folder / "volume"
    volume.mkdir()
    options = f"size={mib}m,mode=700,uid={UID},gid={UID}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", volume], check=True)
    try:
        lay_out(volume)
        yield volume
    finally:
        subprocess.run(["umount", "--lazy", volume], check=True)


def lay_out(volume: Path) -> None:
    """Make the class's folders, as the job before the class does."""
    first = PodHere.of(volume, Pods(), "nobody").first
    Container(
        (sys.executable, "-P", "-m", "pcn_course.hub.kubernetes.volume", "class", "pcn"),
        first.environment,
        ({"name": "pcn", "mountPath": BASE},),
    ).run(volume)


def _bound(source: Path, target: str, *, read_only: bool) -> list[str]:
    source = Path(shlex.quote(str(source)))
    lines = [f"mkdir -p {shlex.quote(target)}", f"mount --bind {source} {shlex.quote(target)}"]
    if read_only:
        lines.append(f"mount -o remount,bind,ro {shlex.quote(target)}")
    return lines


def _here(command: list[str]) -> tuple[str, ...]:
    """The image's Python is this one."""
    return (sys.executable, *command[1:])


def _is_plain(value: Any) -> bool:
    return isinstance(value, str)


class HereSpawner(LocalProcessSpawner):
    """In ``KubeSpawner``'s place: it has the same settings made, and builds the pod here."""

    volume: Path
    image = "image"
    extra_labels: ClassVar[dict[str, str]] = {}
    ip: Any
    port: Any
    proc: Any
    pid: Any

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Nobody here is a user of this machine's."""
        return env

    async def start(self) -> tuple[str, int]:
        """Let the first container make the folders, then start the pod's own."""
        self.ip, self.port = "0.0.0.0", self.port or random_port()  # noqa: S104 (as a pod does)
        told = {key: value for key, value in self.get_env().items() if _is_plain(value)}
        settings = {**vars(self), "environment": told}
        for name in ("init_containers", "cmd", "volume_mounts", "working_dir"):
            settings[name] = getattr(self, name)
        here = PodHere.made(self.volume, settings)
        await asyncio.to_thread(here.begin)
        self.proc = here.main.start(self.volume, start_new_session=True)
        self.pid = self.proc.pid
        return "127.0.0.1", self.port

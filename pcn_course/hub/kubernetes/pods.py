"""What each member's pod has, where a class runs on Kubernetes.

In containers all run under one user id, so what somebody may see is decided by what is mounted. On
the class's volume things lie as on one server, and each pod has its own part of them, at the same
path:

=============================  =======  =======  ==========
in ``/srv/pcn/``               student  grader   instructor
=============================  =======  =======  ==========
``students/NAME``              own      –        –
``teachers/NAME``              –        own      own
``course/data, notebooks``     read     write    write
``course/assignments``         –        write    write
``exchange/ID/outbound``       read     write    write
``exchange/ID/inbound/NAME``   own      all      all
``exchange/ID/feedback/NAME``  read     all      all
=============================  =======  =======  ==========

The chart's hub loads this file and :mod:`pcn_course.hub.roles`, as ``values.yaml`` says. Nothing
else of the course is installed there, so they import nothing but what that hub has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pcn_course.hub.roles import ONE_SERVER, Role, has_server, role_of

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
"""A name that is safe as a folder's, in a mount as in nbgrader. No capitals: not every file server
can tell ``Ada`` from ``ada``, and two people must not get one folder."""
BASE = "/srv/pcn"
_VOLUME = "pcn"
_NAMES = ("instructors", "graders")
_PYTHON = ["python", "-P", "-m"]


class PodError(Exception):
    """Somebody gets no pod, or the settings can't be used. The message says why."""


@dataclass(frozen=True)
class Pods:
    """What ``custom.pcn`` in the chart's values may say."""

    course: str = "pcn"
    """The course's id, as in ``data/course.toml``."""
    claim: str = "pcn"
    """The volume's claim; many pods on many machines write to it (ReadWriteMany)."""
    gradebook: str = "pcn-gradebook"
    """The secret whose ``url`` is the gradebook's database."""
    instructors: tuple[str, ...] = ()
    graders: tuple[str, ...] = ()
    idle_minutes: float | None = None
    """Where None, what :class:`pcn_course.hub.settings.Settings` has."""
    forgotten_hours: float | None = None
    """As ``idle_minutes``."""
    uid: int = 1000
    """The one user, and group, that everything runs as."""
    student_memory: tuple[str, str] = ("256M", "1G")
    """What is kept free for a student's pod, and what it may take at most."""
    grader_memory: tuple[str, str] = ("384M", "2G")
    instructor_memory: tuple[str, str] = ("768M", "4G")
    student_cpu: tuple[float, float] = (0.05, 1.0)
    teacher_cpu: tuple[float, float] = (0.1, 2.0)

    def role(self, name: str) -> Role:
        """What somebody is in this course."""
        return role_of(name, self.instructors, self.graders)


def read_pods(values: Mapping[str, Any] | None) -> Pods:
    """Read ``custom.pcn``.

    Raises:
        PodError: it says what can't be meant.
    """
    values = dict(values or {})
    if unknown := sorted(set(values) - {one.name for one in fields(Pods)}):
        raise PodError(f"custom.pcn has no setting {', '.join(unknown)}.")
    given: dict[str, Any] = {
        key: tuple(one) if isinstance(one, list) else one for key, one in values.items()
    }
    pods = Pods(**given)
    for name in (pods.course, *pods.instructors, *pods.graders):
        _folder(name)
    return pods


def pod(pods: Pods, name: str, server: str = "", *, image: str) -> dict[str, Any]:
    """What ``KubeSpawner`` is to set for somebody's server, by the names of its settings.

    Raises:
        PodError: this person, or this server of theirs, gets none.
    """
    role, folder = pods.role(name), _folder(name)
    if not has_server(role, server):
        raise PodError(ONE_SERVER)
    lab = role == "instructor" and not server
    home = f"students/{folder}" if role == "student" else f"teachers/{folder}"
    mounts = _mounts(pods, role, folder, home)
    environment = _environment(pods, role, home)
    if lab:
        environment["PCN_LAB"] = "1"
    memory = getattr(pods, f"{role}_memory") if role != "instructor" or lab else pods.grader_memory
    cpu = pods.student_cpu if role == "student" else pods.teacher_cpu
    return {
        "cmd": [*_PYTHON, "pcn_course.hub.kubernetes.container"],
        "args": [],
        "working_dir": f"{BASE}/{home}",
        "environment": environment,
        "extra_labels": {"pcn-role": "student" if role == "student" else "teacher"},
        "volumes": [
            {"name": _VOLUME, "persistentVolumeClaim": {"claimName": pods.claim}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        ],
        "volume_mounts": [*mounts, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 (its own)
        "init_containers": [_welcome(pods, role, folder, image)],
        "mem_guarantee": memory[0],
        "mem_limit": memory[1],
        "cpu_guarantee": cpu[0],
        "cpu_limit": cpu[1],
        # Nothing in a pod speaks with Kubernetes, becomes another user, or writes elsewhere.
        "service_account": None,
        "automount_service_account_token": False,
        "allow_privilege_escalation": False,
        "uid": pods.uid,
        "gid": pods.uid,
        "fs_gid": pods.uid,
        "container_security_context": _confined(),
        "pod_security_context": {
            "fsGroupChangePolicy": "OnRootMismatch",  # or each start would go through all files
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def configure(c: Any, values: Mapping[str, Any] | None) -> Pods:
    """Let the hub start these pods. For ``hub.extraConfig`` in the chart's values.

    Raises:
        PodError: the settings can't be used.
    """
    pods = read_pods(values)
    c.Authenticator.username_pattern = rf"^{NAME.pattern}$"
    c.KubeSpawner.pre_spawn_hook = _hook(pods)
    # Nobody chooses an image or mounts.
    c.KubeSpawner.profile_list = []
    c.KubeSpawner.options_form = ""
    return pods


def _hook(pods: Pods) -> Callable[[Any], None]:
    def prepare(spawner: Any) -> None:
        """Set what this person's pod has, whatever stood there before."""
        from tornado import web

        try:
            wanted = pod(pods, spawner.user.name, spawner.name, image=spawner.image)
        except PodError as error:
            refused = web.HTTPError(403, str(error))
            refused.jupyterhub_message = str(error)  # type: ignore[attr-defined] # its page says it
            raise refused from None
        # What the chart gives all pods stays: by a label they may speak with the hub.
        for setting in ("environment", "extra_labels"):
            wanted[setting] = {**getattr(spawner, setting), **wanted[setting]}
        for setting, value in wanted.items():
            setattr(spawner, setting, value)

    return prepare


def _folder(name: str) -> str:
    """The name as a folder's; the name itself, as no part of it can lead elsewhere."""
    if not NAME.fullmatch(name):
        raise PodError(
            f"“{name}” can't be used here: small letters, digits, dots, hyphens, underscores and @ "
            "can, 63 of them at most, beginning with a letter or digit."
        )
    return name


def _mounts(pods: Pods, role: str, folder: str, home: str) -> list[dict[str, Any]]:
    exchange = f"exchange/{pods.course}"
    if role == "student":
        return [
            _mount(home),
            _mount(f"{exchange}/inbound/{folder}"),
            _mount(f"{exchange}/feedback/{folder}", read_only=True),
            _mount(f"{exchange}/outbound", read_only=True),
            _mount("course/data", read_only=True),
            _mount("course/notebooks", read_only=True),
        ]
    return [_mount(home), _mount("course"), _mount("exchange")]


def _mount(path: str, *, read_only: bool = False) -> dict[str, Any]:
    mount = {"name": _VOLUME, "mountPath": f"{BASE}/{path}", "subPath": path}
    return {**mount, "readOnly": True} if read_only else mount


def _environment(pods: Pods, role: str, home: str) -> dict[str, Any]:
    environment: dict[str, Any] = {
        "HOME": f"{BASE}/{home}",
        "LANG": "C.UTF-8",
        "PCN_COURSE": f"{BASE}/course",
        "PCN_TELL_EVERY": "300",  # thousands of servers share one hub
        # A file of the student's never stands in for a module, in no process that follows.
        "PYTHONSAFEPATH": "1",
        **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    if pods.idle_minutes is not None:
        environment["PCN_IDLE"] = f"{60 * pods.idle_minutes:g}"
    if pods.forgotten_hours is not None:
        environment["PCN_FORGOTTEN"] = f"{3600 * pods.forgotten_hours:g}"
    if role == "student":
        return {**environment, "PCN_EXCHANGE": f"{BASE}/exchange"}
    return {
        **environment,
        "PCN_ROOM": f"{BASE}/course/assignments",
        "PCN_ONLY": "marking.ipynb" if role == "grader" else "",
        "PCN_GRADEBOOK": {
            "name": "PCN_GRADEBOOK",
            "valueFrom": {"secretKeyRef": {"name": pods.gradebook, "key": "url"}},
        },
    }


def _welcome(pods: Pods, role: str, folder: str, image: str) -> dict[str, Any]:
    """What runs before the pod's own container: it alone sees the whole volume, and makes folders.

    Kubernetes would make what is missing itself, as root's.
    """
    kind = "student" if role == "student" else "teacher"
    return {
        "name": "folders",
        "image": image,
        "command": [*_PYTHON, "pcn_course.hub.kubernetes.volume", kind, pods.course, folder],
        "env": [{"name": "PYTHONSAFEPATH", "value": "1"}],
        "volumeMounts": [{"name": _VOLUME, "mountPath": BASE}],
        "securityContext": {
            "runAsUser": pods.uid,
            "runAsGroup": pods.uid,
            "allowPrivilegeEscalation": False,
            **_confined(),
        },
        "resources": {
            "requests": {"memory": "64Mi", "cpu": "10m"},
            "limits": {"memory": "256Mi", "cpu": "1"},
        },
    }


def _confined() -> dict[str, Any]:
    return {"capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}

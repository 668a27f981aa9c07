"""A member's server as all that runs in a container; where it starts.

There is no fork server of the hub here, so all that the kernels of its pages need is loaded first,
and then shared by them. The environment has which server it is and for whom, as on one server; see
:mod:`pcn_course.hub.kubernetes.pods`.
"""

from __future__ import annotations

import importlib
import os
import resource

from pcn_course.hub.forkserver import FOR_KERNELS

_LONGEST_FILE = 256 * 2**20


def main() -> None:
    """Become the server that the environment says."""
    student = "PCN_ROOM" not in os.environ
    os.umask(0o077 if student else 0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if student:
        # What the volume holds is shared by all; memory and processes are the pod's to limit.
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LONGEST_FILE, _LONGEST_FILE))
    if os.environ.get("PCN_LAB"):
        _become_lab(os.environ["PCN_ROOM"])
    for name in FOR_KERNELS:
        importlib.import_module(name)
    from pcn_course.hub.singleuser import main as serve

    serve()


def _become_lab(room: str) -> None:
    from pcn_course.hub.spawner import lab_command, lab_settings

    command = lab_command()
    os.environ.update(lab_settings(room))
    os.chdir(room)
    os.execv(command[0], command)  # noqa: S606 (our own command, without a shell)


if __name__ == "__main__":
    main()

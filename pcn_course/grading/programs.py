"""The programs that nbgrader starts by their bare names."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path


def put_on_path() -> None:
    """Let nbgrader find ``alembic``, which it runs by name when it makes a gradebook.

    ``.venv/bin/pcn`` and ``.venv/bin/nbgrader`` work without activating anything, but what they
    start is looked up on the PATH. Another environment's alembic knows neither this one's nbgrader
    nor its driver for PostgreSQL, so this environment's own comes first.
    """
    scripts = Path(sysconfig.get_path("scripts"))
    own = shutil.which("alembic", path=str(scripts))
    if own and shutil.which("alembic") != own:
        os.environ["PATH"] = os.pathsep.join(filter(None, (str(scripts), os.environ.get("PATH"))))

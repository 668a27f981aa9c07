"""Write constraints.txt anew: the newest versions that fit pyproject.toml, with all they pull in.

Names and versions, nothing else. They are chosen for Python 3.11.0 whatever patch release runs
this: Debian 12 has 3.11.2, and some packages ask for a later one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
HEAD = """\
# The exact versions that the tests run with; pyproject.toml says what the course needs.
# Written by `make lock`.
"""


def main() -> None:
    """Ask pip what it would install into an empty environment, and write that down."""
    if sys.version_info[:2] != OLDEST:
        sys.exit("make lock needs Python 3.11: make lock PYTHON=/where/it/is/python3.11")
    versions = resolve(requirements(ROOT / "pyproject.toml"))
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")


def requirements(pyproject: Path) -> list[str]:
    """What the course needs to run, to be tested and to be built."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = content["project"]
    extras = project["optional-dependencies"].values()
    return [
        *project["dependencies"],
        *(requirement for extra in extras for requirement in extra),
        *content["build-system"]["requires"],
    ]


def resolve(wanted: list[str]) -> dict[str, str]:
    """The version of each package that pip would install for `wanted`, by normal name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
                *("--dry-run", "--ignore-installed", "--only-binary=:all:"),
                *("--python-version", "3.11.0", "--target", str(Path(folder, "target"))),
                *("--report", str(report), *wanted),
            ],
            check=True,
        )
        chosen = [item["metadata"] for item in json.loads(report.read_bytes())["install"]]
    return {re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"] for one in chosen}


if __name__ == "__main__":
    main()

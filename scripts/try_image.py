"""Run the Dockerfile's COPY and RUN steps in a plain folder, where there is no Docker.

    python scripts/try_image.py FOLDER

What it can't do there is left out, and said: steps that change the machine (apt-get, useradd), and
the base image, for which this machine's Python 3.11 stands in. Afterwards the command of the image
is looked at as the image's user would run it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

CHECKOUT = Path(__file__).resolve().parents[1]
HERE = CHECKOUT / "deploy" / "kubernetes"
_MACHINE = ("apt-get", "useradd")
_OWN = ("/src", "/opt/pcn")


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, as (``RUN``, command)."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), re.sub(r"\s+", " ", rest).strip()


def is_sent(path: str, ignored: str) -> bool:
    """Whether a file of the project's folder goes to Docker; the last rule that fits decides."""
    sent = True
    for line in ignored.splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            taken = rule.startswith("!")
            if _fits(PurePosixPath(path), rule.removeprefix("!")):
                sent = taken
    return sent


def _fits(path: PurePosixPath, rule: str) -> bool:
    """Whether a rule names a path or a folder above it; ``**`` stands for any folders."""
    whole = [path, *path.parents][:-1]
    return any(_matches(list(one.parts), rule.split("/")) for one in whole)


def _matches(parts: list[str], rule: list[str]) -> bool:
    if not rule:
        return not parts
    if rule[0] == "**":
        return any(_matches(parts[at:], rule[1:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], rule[0]) and _matches(parts[1:], rule[1:])


def copy(sources: list[str], target: Path) -> None:
    """What COPY does: files into a folder, and of a folder what is in it."""
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8")
    for name in sources:
        source = CHECKOUT / name
        files = (
            [source] if source.is_file() else [one for one in source.rglob("*") if one.is_file()]
        )
        for file in files:
            if is_sent(file.relative_to(CHECKOUT).as_posix(), ignored):
                place = target / (name if source.is_file() else file.relative_to(source))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)


def build(folder: Path) -> dict[str, str]:
    """Run the steps; what ENV has set."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    said: dict[str, str] = {}
    for name, rest in steps((HERE / "Dockerfile").read_text(encoding="utf-8")):
        begun = time.monotonic()
        if name == "COPY":
            *sources, target = rest.split()
            copy(sources, Path(f"{folder}{target}"))
        elif name == "RUN" and not rest.startswith(_MACHINE):
            command = rest
            for path in _OWN:
                command = re.sub(rf"(?<![\w./-]){path}\b", f"{folder}{path}", command)
            command = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", command)
            subprocess.run(["sh", "-euc", command], check=True, env=environment)  # noqa: S607
        elif name == "ENV":
            said |= dict(one.split("=", 1) for one in shlex.split(rest))
        else:
            print(f"not here: {name} {rest[:60]}")
            continue
        print(f"{time.monotonic() - begun:6.1f} s  {name} {rest[:60]}", flush=True)
    return {key: value.replace("/opt/pcn", f"{folder}/opt/pcn") for key, value in said.items()}


def look(folder: Path, environment: dict[str, str]) -> None:
    """Look at what was built, as the user of the image."""
    python = folder / "opt" / "pcn" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "check"], check=True)
    pinned = {
        line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2].split(";")[0]
        for line in (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for one in json.loads(listed):
        name = one["name"].lower().replace("_", "-")
        wanted = pinned.get(name, one["version"]).strip()
        assert one["version"] == wanted, f"{name} is {one['version']}, not {wanted}"  # noqa: S101
    packages = next((folder / "opt" / "pcn" / "lib").glob("python3*/site-packages"))
    sources = [one for one in packages.glob("pcn_course/**/*.py") if one.is_file()]
    bare = [one for one in sources if not list(one.parent.glob(f"__pycache__/{one.stem}.*.pyc"))]
    assert not bare, f"not compiled: {bare[:3]}"  # noqa: S101
    size = sum(one.stat().st_size for one in packages.rglob("*") if one.is_file())
    print(f"{len(json.loads(listed))} packages, {size / 2**20:.0f} MiB")
    program = (
        "import time; begun = time.monotonic()\n"
        "import psycopg, pcn_course.hub.singleuser\n"
        "import pcn_course.hub.kubernetes.container, pcn_course.hub.kubernetes.volume\n"
        "from pcn_course.course import load_course\n"
        "import os; print(f'user {os.getuid()}: {load_course().title!r} in', pcn_course.__file__,\n"
        "    f'loaded in {time.monotonic() - begun:.1f} s')"
    )
    user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"]
    as_root = os.geteuid() == 0 and folder.stat().st_mode & 0o001
    command = [*(user if as_root else []), str(python), "-P", "-c", program]
    subprocess.run(command, check=True, env={**environment, "HOME": "/nowhere"}, cwd="/")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name a folder that is empty or missing: try_image.py FOLDER")
    place = Path(sys.argv[1]).absolute()
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        sys.exit(f"{place} is not empty.")
    place.chmod(0o755)
    look(place, build(place))

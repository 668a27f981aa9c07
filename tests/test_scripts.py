"""The two scripts that look for what a fresh machine has."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = "/usr/bin:/bin"
BROWSERS = (
    *("chromium-headless-shell", "chromium", "chromium-browser", "microsoft-edge"),
    *("google-chrome", "google-chrome-stable"),
)


class Machine:
    """A machine whose programs are stubs, in a folder that comes first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.home = folder / "home"
        self.home.mkdir()

    def has(self, name: str, script: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def has_python(self, name: str, version: tuple[int, int]) -> Path:
        """A program that is this Python but for its version."""
        faked = f"import sys; sys.version_info = ({version[0]}, {version[1]}, 0)\n"
        (self.bin / f"{name}.py").write_text(
            faked + "exec(sys.argv[1])\n" if version >= (3, 11) else "raise SystemExit(1)\n",
            encoding="utf-8",
        )
        # called as: NAME -c CODE
        return self.has(name, f'exec {sys.executable} "{self.bin / name}.py" "$2"')

    def runs(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", ROOT / "scripts" / script],
            env={"PATH": f"{self.bin}:{BARE}", "HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_python3_is_taken_when_it_is_new_enough(machine: Machine, minor: int) -> None:
    machine.has_python("python3", (3, minor))
    assert machine.runs("find-python.sh").stdout == "python3\n"


def test_an_old_python3_is_passed_over(machine: Machine) -> None:
    machine.has_python("python3", (3, 9))
    machine.has_python("python", (2, 7))
    machine.has_python("python3.12", (3, 12))
    assert machine.runs("find-python.sh").stdout == "python3.12\n"


def test_a_version_that_the_tests_run_on_comes_before_a_newer_one(machine: Machine) -> None:
    machine.has_python("python3", (3, 15))
    machine.has_python("python", (3, 15))
    machine.has_python("python3.13", (3, 13))
    assert machine.runs("find-python.sh").stdout == "python3.13\n"


def test_a_command_that_only_looks_like_a_python_is_passed_over(machine: Machine) -> None:
    machine.has("python3", "echo 'python3: command not found' >&2; exit 127")
    machine.has("python", "exit 0")  # a stub that says yes to anything is believed last of all
    machine.has_python("python3.11", (3, 11))
    assert machine.runs("find-python.sh").stdout in {"python\n", "python3.11\n"}


def test_the_python_that_was_named_is_the_last_word(machine: Machine) -> None:
    machine.has_python("python3", (3, 12))
    mine = machine.has_python("mine", (3, 11))
    assert machine.runs("find-python.sh", PYTHON=str(mine)).stdout == f"{mine}\n"
    old = machine.has_python("old", (3, 10))
    refused = machine.runs("find-python.sh", PYTHON=str(old))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert f"PYTHON={old} is not a complete Python of version 3.11 or newer." in refused.stderr


def test_the_chromium_that_was_named_is_the_last_word(machine: Machine) -> None:
    mine = machine.has("mine", "echo Chromium 156")
    assert machine.runs("find-chromium.sh", PCN_CHROMIUM=str(mine)).stdout == f"{mine}\n"
    broken = machine.has("broken", "exit 1")
    refused = machine.runs("find-chromium.sh", PCN_CHROMIUM=str(broken))
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert f"PCN_CHROMIUM={broken} does not start." in refused.stderr


def test_a_pointer_to_a_browser_that_is_not_there_is_passed_over(machine: Machine) -> None:
    machine.has("chromium-headless-shell", "exit 1")
    machine.has("chromium", "echo 'install the snap first' >&2; exit 1")
    chrome = machine.has("google-chrome", "echo Google Chrome 156")
    assert machine.runs("find-chromium.sh").stdout == f"{chrome}\n"


def test_a_missing_chromium_is_installed_from_debian(machine: Machine) -> None:
    for name in BROWSERS:
        machine.has(name, "exit 1")
    machine.has("id", "echo 0")
    machine.has(
        "apt-get",
        f'echo "$@" >>{machine.home}/asked\n'
        f'case "$1" in install) printf "#!/bin/sh\\n" >{machine.bin}/chromium;; esac',
    )
    found = machine.runs("find-chromium.sh")
    assert found.stdout == f"{machine.bin}/chromium\n"
    asked = (machine.home / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[0].startswith("update")
    assert " chromium" in asked[1]


def test_where_nothing_can_be_installed_the_remedy_is_said(
    machine: Machine, tmp_path: Path
) -> None:
    for name in BROWSERS:
        machine.has(name, "exit 1")
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    copy = tmp_path / "checkout" / "scripts"  # beside no .venv, so that there is no Playwright
    copy.mkdir(parents=True)
    script = copy / "find-chromium.sh"
    script.write_bytes((ROOT / "scripts" / "find-chromium.sh").read_bytes())
    refused = subprocess.run(
        ["/bin/sh", script],
        env={"PATH": f"{machine.bin}:{BARE}", "HOME": str(machine.home)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "apt-get install chromium" in refused.stderr
    assert "make test PCN_CHROMIUM=" in refused.stderr


def test_the_makefile_says_what_it_can_do() -> None:
    said = subprocess.run(
        ["make", "-s", "-C", ROOT, "help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MAKEFLAGS": ""},
    )
    for target in ("app", "test", "check", "bench", "soak", "lock", "clean"):
        assert f"make {target} " in said.stdout


# ---- A folder that was moved or copied -----------------------------------------------------------


def course_with_venv(folder: Path, made_in: Path) -> Path:
    """A course's folder whose .venv says that it was made in ``made_in``."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("install.sh", "find-python.sh"):
        shutil.copy(ROOT / "scripts" / name, folder / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).touch()
    venv = folder / ".venv"
    venv.mkdir()
    config = f"version = 3.11.7\ncommand = /usr/bin/python3 -m venv --without-pip {made_in}/.venv\n"
    (venv / "pyvenv.cfg").write_text(config)
    for name in (".app-installed", ".dev-installed"):
        (venv / name).touch()
    return folder


def would(folder: Path, goal: str) -> tuple[str, str]:
    """What `make` would do, and what it says."""
    done = subprocess.run(
        ["make", "-n", goal], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("name", ["course", "a course [2027] (new)"])
def test_in_a_folder_that_was_renamed_make_makes_its_environment_again(
    tmp_path: Path, name: str
) -> None:
    folder = course_with_venv(tmp_path / name, tmp_path / "as it was called")
    done, said = would(folder, "app")
    assert "sh scripts/install.sh app" in done
    assert said.count("made in another folder") == 1
    assert not (folder / ".venv" / ".dev-installed").exists()


def test_a_copy_is_told_from_its_original_and_a_link_is_not_another_folder(tmp_path: Path) -> None:
    original = course_with_venv(tmp_path / "course", tmp_path / "course")
    copy = course_with_venv(tmp_path / "copy", original)
    assert "install.sh" in would(copy, "app")[0]
    link = tmp_path / "link"
    link.symlink_to(original)
    for folder in (original, link):
        done, said = would(folder, "app")
        assert "install.sh" not in done
        assert said == ""


def test_who_only_asks_for_help_changes_nothing(tmp_path: Path) -> None:
    folder = course_with_venv(tmp_path / "course", tmp_path / "elsewhere")
    would(folder, "help")
    assert (folder / ".venv" / ".app-installed").exists()


def test_a_moved_environment_is_not_used_again(tmp_path: Path, machine: Machine) -> None:
    folder = course_with_venv(tmp_path / "course", tmp_path / "elsewhere")
    machine.has("python3", f'echo "$@" >>{machine.home}/asked; exit 1')
    (folder / ".venv" / "bin").mkdir()
    (folder / ".venv" / "bin" / "python").symlink_to("/bin/true")  # it says yes to anything
    subprocess.run(
        ["/bin/sh", folder / "scripts" / "install.sh", "app"],
        env={"PATH": f"{machine.bin}:{BARE}", "HOME": str(machine.home), "PYTHON": "python3"},
        capture_output=True,
        check=False,
    )
    assert (machine.home / "asked").exists(), "another Python was looked for, to make it with"

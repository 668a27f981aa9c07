#!/bin/sh
# install.sh app|dev: makes .venv when it is missing and installs the course, as it stands here, with
# the versions of constraints.txt. "app" is what teaching needs; "dev" adds the tests' tools. "moved"
# only has them installed again where the folder was renamed, moved or copied since.
# A machine's own pip settings (a mirror, a certificate) are respected and written nowhere.
set -eu
cd "$(dirname "$0")/.."

case "${1:-app}" in
    app) what=. ;;
    dev) what=.[dev] ;;
    moved) ;;
    *) echo "install.sh: app, dev or moved, not $1" >&2; exit 2 ;;
esac

moved() { # was .venv made in another folder? its programs and its link to the course lead there
    [ -f .venv/pyvenv.cfg ] || return 1
    made=$(sed -n 's/^command = .* -m venv \(--[a-z-]* \)*//p' .venv/pyvenv.cfg)
    [ -n "$made" ] && [ "$(cd "$made" 2>/dev/null && pwd -P)" != "$(cd .venv && pwd -P)" ]
}

if [ "${1:-app}" = moved ]; then
    if moved && [ -e .venv/.app-installed ]; then
        echo "The environment in .venv was made in another folder. It is made again here." >&2
        rm -f .venv/.app-installed .venv/.dev-installed
    fi
    exit 0
fi

venv_python() { # the interpreter of .venv, on every system's layout
    if [ -x .venv/Scripts/python.exe ]; then echo .venv/Scripts/python.exe; else echo .venv/bin/python; fi
}

make_venv() {
    python=$(sh scripts/find-python.sh)
    echo "Making .venv with $("$python" --version) …"
    rm -rf .venv
    if "$python" -c 'import ensurepip' 2>/dev/null && "$python" -m venv .venv; then
        return
    fi
    # Debian keeps ensurepip in a package of its own; a pip that is there can do its work.
    rm -rf .venv
    "$python" -m venv --without-pip .venv
    if ! "$python" -m pip --python "$(venv_python)" install -qq --disable-pip-version-check pip; then
        rm -rf .venv
        echo "This Python can make no environment with pip in it. On Debian and Ubuntu:" >&2
        echo "  sudo apt-get install python3-venv     and then the same command again" >&2
        exit 1
    fi
}

fits() { # does the present .venv run, with a Python that is new enough, and has it pip?
    "$(venv_python)" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

install() {
    # --compile: without bytecode every Jupyter process takes two to three times as long to start.
    # PIP_USER off: that setting would put everything outside .venv.
    PIP_USER=0 PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
        "$(venv_python)" -m pip install -qq --disable-pip-version-check --no-input --compile \
        --constraint constraints.txt --editable "$what"
}

if moved || ! fits; then make_venv; fi
echo "Installing the course and what it stands on, which takes a minute or two …"
if ! install; then
    echo "That failed; trying once more, in case the network hiccuped …" >&2
    install
fi

"$(venv_python)" - <<'END'
# pip compiles; where a machine's settings kept it from doing so, this makes up for it.
import compileall
import importlib.util
import sys
from pathlib import Path

sys.dont_write_bytecode = False
voila = importlib.util.find_spec("voila.app")
if not Path(voila.cached).exists():
    compileall.compile_dir(Path(voila.origin).parents[1], quiet=2, workers=0)
compileall.compile_dir("pcn_course", quiet=2)
if not Path(voila.cached).exists():
    print("Note: no bytecode could be written; pages will open more slowly.", file=sys.stderr)
END

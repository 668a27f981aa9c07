#!/bin/sh
# Prints the Python that makes .venv: 3.11 or newer, with what Jupyter needs of the standard library.
# PYTHON=… names one and is the last word. A version that the tests run on comes before a newer one.
set -u

suits() { # $1: a command or path; $2: newest minor version that is welcome
    "$1" -c "
import sys
import ctypes, sqlite3, ssl, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $2))" </dev/null >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if suits "$PYTHON" 99; then
        echo "$PYTHON"
        exit 0
    fi
    echo "PYTHON=$PYTHON is not a complete Python of version 3.11 or newer." >&2
    exit 1
fi

for newest in 13 99; do
    for candidate in python3 python python3.13 python3.12 python3.11 python3.14 \
        /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3 \
        "$HOME"/.pyenv/versions/*/bin/python3; do
        if suits "$candidate" "$newest"; then
            echo "$candidate"
            exit 0
        fi
    done
done

cat >&2 <<'END'
No Python of version 3.11 or newer was found.
  Debian, Ubuntu:  sudo apt-get install python3 python3-venv
  Fedora:          sudo dnf install python3
  macOS:           brew install python
  Windows, or no rights to install:  conda env create -f environment.yml
If you have one in an unusual place:  make app PYTHON=/where/it/is/python3
END
exit 1

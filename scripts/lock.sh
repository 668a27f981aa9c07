#!/bin/sh
# Writes constraints.txt anew: the newest versions that pyproject.toml allows, with everything that they
# pull in, as names and versions and nothing else. Uses the oldest Python that the course supports, since
# what runs there runs on the newer ones too.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3.11}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || {
    echo "make lock needs Python 3.11: make lock PYTHON=/where/it/is/python3.11" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$python" -m venv "$work/tool"
"$work/tool/bin/python" -m venv --without-pip "$work/env" # empty, so that all that appears was asked for
"$work/tool/bin/python" -m pip --python "$work/env/bin/python" install -qq --no-compile \
    --disable-pip-version-check --editable '.[dev]'
"$work/tool/bin/python" -m pip --python "$work/env/bin/python" list --format=freeze \
    --disable-pip-version-check --exclude pcn-course --exclude pip >"$work/list"

{
    echo "# The exact versions that the tests run with; pyproject.toml says what the course needs."
    echo "# Written by \`make lock\`."
    tr '[:upper:]_' '[:lower:]-' <"$work/list" | LC_ALL=C sort
} >"$work/constraints.txt"
if grep -vE '^(#.*|[a-z0-9.-]+==[a-z0-9.!]+)$' "$work/constraints.txt"; then
    echo "make lock: the lines above are not a name and a version; constraints.txt is unchanged." >&2
    exit 1
fi
cp "$work/constraints.txt" constraints.txt
echo "constraints.txt: $(grep -c == constraints.txt) packages"

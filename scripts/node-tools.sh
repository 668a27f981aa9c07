#!/bin/sh
# Installs what checks and bundles the course's scripts (package.json) into node_modules, with the Node that
# pip brought into .venv. Nothing is done where all of it is there already. It fails with one line where no
# registry answers. "lock" writes package-lock.json anew, without the address of any registry or person.
set -u
cd "$(dirname "$0")/.."

npm=.venv/bin/npm
[ -x "$npm" ] || npm=.venv/Scripts/npm
kept="--ignore-scripts --no-audit --no-fund --omit-lockfile-registry-resolved"

if [ "${1:-}" = lock ]; then
    # shellcheck disable=SC2086 (several words are meant)
    "$npm" install --package-lock-only $kept || exit 1
    "${npm%npm}node" -e '
        const fs = require("node:fs"), path = "package-lock.json", lock = JSON.parse(fs.readFileSync(path));
        for (const one of Object.values(lock.packages)) { delete one.funding; delete one.resolved; }
        fs.writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");'
    exit
fi

[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
echo "Installing what checks and bundles the scripts …" >&2
# shellcheck disable=SC2086 (several words are meant)
"$npm" ci --silent $kept --fetch-timeout=20000 --fetch-retries=1 >/dev/null 2>&1 </dev/null && exit 0
rm -rf node_modules
echo "No package registry answers, so the scripts can be neither checked nor bundled here." >&2
exit 1

#!/bin/sh
# Checks the course's scripts and styles: layout and style (Biome), types (tsc), and that what is built of them
# is what stands in pcn_course/static. Where its tools can't be installed, that is said and nothing is checked;
# on a machine that judges a change (CI is set), that is a fault.
set -eu
cd "$(dirname "$0")/.."

if ! sh scripts/node-tools.sh; then [ -z "${CI:-}" ] && exit 0 || exit 1; fi
node=.venv/bin/node
[ -x "$node" ] || node=.venv/Scripts/node
"$node" node_modules/@biomejs/biome/bin/biome ci --colors=off --error-on-warnings .
for project in tsconfig.json tsconfig.strict.json; do
    "$node" node_modules/typescript/bin/tsc --project "$project"
done
"$node" scripts/bundle.mjs --check

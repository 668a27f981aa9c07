#!/bin/sh
# Checks that what is built of the course's scripts and styles
# is what stands in pcn_course/static. Where its tools can't be installed, that is said and nothing is
# checked; on a machine that judges a change (CI is set), that is a fault.
set -eu
cd "$(dirname "$0")/.."

sh scripts/node-tools.sh || exit "${CI:+1}"
node=.venv/bin/node
[ -x "$node" ] || node=.venv/Scripts/node
"$node" scripts/bundle.mjs --check

#!/bin/sh
# Installs what a few tests use where it is there, and skip where it is not: LibreOffice, which reads
# the Word files that we write, PostgreSQL, which can hold the gradebook, nginx, which stands before a
# hub, and the hub's proxy. Needs apt and root, and npm for the proxy; without them nothing happens,
# and the tests say what they left out.
set -u

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

cd "$(dirname "$0")/.."
if [ -x .venv/bin/python ] && ! command -v configurable-http-proxy >/dev/null 2>&1 &&
    [ ! -x .venv/bin/configurable-http-proxy ] && command -v npm >/dev/null 2>&1; then
    echo "Installing configurable-http-proxy …" >&2
    npm install --silent --global --prefix .venv configurable-http-proxy@5.3.0 >/dev/null </dev/null ||
        echo "It could not be installed: the tests of the hub are skipped." >&2
fi

wanted=""
command -v soffice >/dev/null 2>&1 || wanted="$wanted libreoffice-writer-nogui poppler-utils"
[ -d /usr/lib/postgresql ] || wanted="$wanted postgresql"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || wanted="$wanted nginx"
[ -n "$wanted" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || ! as_root true 2>/dev/null; then
    echo "Not installed, so a few tests are skipped:$wanted" >&2
    exit 0
fi
echo "Installing$wanted …" >&2
as_root apt-get update >/dev/null </dev/null
# shellcheck disable=SC2086 (several words are meant)
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $wanted >/dev/null </dev/null ||
    echo "They could not be installed: a few tests are skipped." >&2

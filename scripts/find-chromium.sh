#!/bin/sh
# Prints the Chromium that the browser tests drive, and installs one when there is none.
# PCN_CHROMIUM=… names one and is the last word.
set -u
cd "$(dirname "$0")/.."

works() { "$1" --version </dev/null >/dev/null 2>&1; }

if [ -n "${PCN_CHROMIUM:-}" ]; then
    works "$PCN_CHROMIUM" && echo "$PCN_CHROMIUM" && exit 0
    echo "PCN_CHROMIUM=$PCN_CHROMIUM does not start." >&2
    exit 1
fi

find_one() {
    for name in chromium google-chrome google-chrome-stable chromium-browser microsoft-edge \
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

find_one && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
    sudo -n true 2>/dev/null || as_root=none
fi
if command -v apt-get >/dev/null 2>&1 && [ "$as_root" != none ]; then
    echo "No Chromium here: installing Debian's, once …" >&2
    # Ubuntu's package of that name is a pointer to a snap, which find_one then refuses.
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core' \
        >/dev/null </dev/null
    find_one && exit 0
fi
echo "Trying Playwright's own copy …" >&2
.venv/bin/python -m playwright install chromium >&2 </dev/null && find_one && exit 0

cat >&2 <<'END'
The browser tests need Chromium or Chrome, and it could not be installed from here.
  Debian:  sudo apt-get update && sudo apt-get install chromium
  Ubuntu:  .venv/bin/python -m playwright install --with-deps chromium
  macOS:   brew install --cask chromium
Or, for one that you have:  make test PCN_CHROMIUM=/where/it/is/chromium
END
exit 1

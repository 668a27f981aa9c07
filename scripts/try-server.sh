#!/bin/sh
# try-server.sh FOLDER: makes a fresh Debian 12 in FOLDER, runs the page of commands of
# deploy/server/README.md in it as it stands, and lets a browser take part in the class. Needs root,
# debootstrap, the network, a .venv with the tests' tools, and a quarter of an hour; 3 GB in FOLDER.
# The machine itself stays as it is. A Debian that is in FOLDER already is used again.
set -eu
cd "$(dirname "$0")/.."

[ $# = 1 ] || { echo "Usage: sh scripts/try-server.sh FOLDER" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "try-server.sh: this needs root." >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "First: apt-get install debootstrap" >&2; exit 1; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$folder/root

if [ ! -e "$root/.made" ]; then
    rm -rf "$root"
    debootstrap --include=ca-certificates bookworm "$root"
    touch "$root/.made"
fi
# How this machine reaches its network: names, certificates, settings of apt and pip.
for one in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/apt/apt.conf.d/99*; do
    if [ -f "$one" ]; then cp -L "$one" "$root$one"; fi
done

PCN_CHROMIUM=$(sh scripts/find-chromium.sh)
export PCN_CHROMIUM TRIAL_ROOT="$root" TRIAL_PYTHON=.venv/bin/python
# Processes, mounts and, for the class, the network are the trial's own and end with it.
exec unshare --mount --pid --fork --kill-child --propagation private sh -euc '
    mount -t proc proc /proc
    mount --bind "$TRIAL_ROOT" "$TRIAL_ROOT"
    mount -t proc proc "$TRIAL_ROOT/proc"
    mount --rbind /dev "$TRIAL_ROOT/dev"
    mount -t tmpfs -o mode=755 run "$TRIAL_ROOT/run"
    mkdir "$TRIAL_ROOT/run/lock"
    if [ ! -e "$TRIAL_ROOT/.installed" ]; then
        "$TRIAL_PYTHON" -m tests.hub.try_server install "$TRIAL_ROOT"
        touch "$TRIAL_ROOT/.installed"
    fi
    # Not exec: this first process stays in the network of the machine, for what is fetched later.
    unshare --net sh -euc "
        ip link set lo up
        exec \"$TRIAL_PYTHON\" -m tests.hub.try_server run \"$TRIAL_ROOT\""
'

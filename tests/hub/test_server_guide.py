"""From a root shell to a running class, as the guide says, on the machine as it is.

`scripts/try-server.sh` does the same in a Debian that is fresh, with all that is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.class_server import CHECKOUT, needs_proxy, needs_root, opened
from tests.hub.guide import KNOWN, commands, how, page

_ALONE = """
mount -t proc proc /proc
ip link set lo up
# All that the page writes outside of the network is in folders of the trial's own.
cp -a /etc "$BASE/etc"
mount --bind "$BASE/etc" /etc
mkdir "$BASE/opt"
for one in /opt/*; do
    [ -d "$one" ] || continue
    mkdir "$BASE$one"
    mount --rbind "$one" "$BASE$one"
done
mkdir "$BASE/opt/pcn"
mount --bind "$VENV" "$BASE/opt/pcn"
mount --rbind "$BASE/opt" /opt
mount -t tmpfs -o mode=755 srv /srv
mount -t tmpfs -o mode=755 run /run
for one in /var/log/nginx /var/lib/nginx; do
    [ ! -d "$one" ] || mount -t tmpfs -o mode=755 log "$one"
done
exec "$@"
"""
_needs = [one for one in ("ip", "openssl", "systemd-analyze", "curl") if not shutil.which(one)]


def test_each_command_of_the_page_is_one_that_a_trial_knows() -> None:
    lines = commands()
    assert len(lines) > 10
    for line in lines:
        assert how(line)
    with pytest.raises(LookupError, match=r"new command.* rm -rf"):
        how("rm -rf /srv/pcn")
    assert len({how(line) for line in lines}) > 1
    assert page().count("\n") < 40, "one page"
    assert len(KNOWN) <= len(lines), "KNOWN has commands that the page has no more"


@pytest.fixture
def base() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pcn-guide-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@needs_root
@pytest.mark.skipif(bool(_needs), reason=f"not installed: {', '.join(_needs)}")
@pytest.mark.skipif(
    any(one.is_relative_to("/srv") for one in (CHECKOUT, Path(sys.prefix))), reason="/srv is in use"
)
@needs_proxy
@pytest.mark.browser
@pytest.mark.timeout(180)
def test_the_page_leads_to_a_running_class(base: Path) -> None:
    done = subprocess.run(
        [
            *opened(base),
            *("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"),
            *("sh", "-euc", _ALONE, "sh", sys.executable, "-m", "tests.hub.try_server"),
            *("here", str(base)),
        ],
        env={**os.environ, "BASE": str(base), "VENV": sys.prefix},
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip
    logs = "".join(f"\n== {one.name}\n{one.read_text()[-2000:]}" for one in base.glob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr[-3000:] + logs
    print(done.stdout)
    said = done.stdout.splitlines()
    assert "ready" in said
    for line in commands():
        left_out = any(one.startswith(f"# not here: {line}: ") for one in said)
        assert left_out or f"# done: {line}" in said, line
    if shutil.which("nginx"):
        assert any("a student's words came over https" in one for one in said)

"""What a process that others are split off from keeps of them, and what they get of each other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.memory import words_in

# Tokens are made in the process that asks, after the fork server was split off.
ASK = """
import json, os, secrets, sys, time
from pathlib import Path
from pcn_course.hub.forkserver import ForkServer
from tests.hub.memory import words_in

folder = Path(sys.argv[1])

def look(request):
    own = words_in(os.getpid(), rb"TOKEN-[0-9a-f]{32}")
    told = {"own": request["token"], "seen": own, "parent": os.getppid()}
    written = folder / f".{request['number']}"
    written.write_text(json.dumps(told))
    written.rename(folder / str(request["number"]))

fork_server = ForkServer.split_off(look, 2)
for number in range(3):
    token = "TOKEN-" + secrets.token_hex(16)
    pid = fork_server.ask({"number": number, "token": token, "more": "x" * 200_000})
    end = time.monotonic() + 60
    while not (folder / str(number)).exists():
        assert time.monotonic() < end, pid
        time.sleep(0.01)
parent = json.loads((folder / "0").read_text())["parent"]
(folder / "parent").write_text(json.dumps(words_in(parent, rb"TOKEN-[0-9a-f]{32}")))
"""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc")
def test_nothing_of_a_request_stays_in_the_fork_server_or_reaches_the_next_child(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    children = [json.loads((tmp_path / str(number)).read_text()) for number in range(3)]
    assert len({one["own"] for one in children}) == 3
    for child in children:
        assert child["seen"] == [child["own"]]
    assert json.loads((tmp_path / "parent").read_text()) == []


def test_memory_is_really_searched() -> None:
    word = "WORD-" + os.urandom(8).hex()
    assert word in words_in(os.getpid(), rb"WORD-[0-9a-f]{16}")
    assert re.fullmatch(r"WORD-[0-9a-f]{16}", word)

"""A look into the memory of a process: what of others is still in it."""

from __future__ import annotations

import re
from pathlib import Path


def words_in(pid: int, pattern: bytes) -> list[str]:
    """Return all different matches of ``pattern`` in what a process may read, sorted.

    Of what is shared with files nothing is read. It needs the rights of that user, or of root.
    """
    matches: set[str] = set()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *about = line.split(maxsplit=5)
            if rights[0] != "r" or (about[3:] and about[3].startswith("[v")):
                continue
            begin, end = (int(one, 16) for one in place.split("-"))
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
            matches.update(one.decode() for one in re.findall(pattern, content))
    return sorted(matches)

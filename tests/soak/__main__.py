"""``make soak``: break things at random moments while somebody types, and count what is lost.

Every round opens the real app in a real Chromium, types numbered words at a human pace, lets one
fault strike, waits until the page has recovered by itself, and compares what was typed with what
stands on disk and in the page. The exit status is 1 when a character was lost or came twice, or
when a page said "Saved" of something that was not.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests.soak.disk import NoSmallDiskError
from tests.soak.faults import FAULTS
from tests.soak.rounds import HEAD, Tally, play

RESULTS = Path("soak-results")


def main() -> int:
    """Play all faults, print the table; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of each fault; default: 20")
    parser.add_argument("--only", action="append", choices=list(FAULTS), help="may be repeated")
    parser.add_argument("--seed", type=int, help="for the same chances again")
    parser.add_argument("--jobs", type=int, default=2, help="faults at the same time; default: 2")
    parser.add_argument("--brisk", action="store_true", help="short cuts and pauses")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    names = options.only or list(FAULTS)
    print(f"seed {seed}, {options.rounds} rounds each of: {', '.join(names)}", flush=True)
    start = time.monotonic()
    tallies: list[Tally] = []
    skipped: list[str] = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(play, name, options.rounds, seed, brisk=options.brisk): name
            for name in names
        }
        for job in as_completed(jobs):
            try:
                tallies.append(job.result())
            except NoSmallDiskError as error:
                skipped.append(f"{jobs[job]}: skipped, {error}")
    tallies.sort(key=lambda tally: names.index(tally.fault))
    print("\n" + _table(tallies))
    for line in skipped:
        print(line)
    for tally in tallies:
        for words in [*tally.result.says, *tally.complaints]:
            print(f"  {tally.fault}: {words}")
    print(f"seed {seed}, {(time.monotonic() - start) / 60:.0f} minutes")
    _keep(tallies, seed)
    return 0 if all(tally.clean for tally in tallies) else 1


def _table(tallies: list[Tally]) -> str:
    rows = [HEAD, *(tally.row() for tally in tallies)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _keep(tallies: list[Tally], seed: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    rows = [dict(zip(HEAD, tally.row(), strict=True)) for tally in tallies]
    path = RESULTS / f"seed-{seed}.json"
    path.write_text(json.dumps({"seed": seed, "faults": rows}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())

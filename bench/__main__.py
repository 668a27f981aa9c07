"""``python -m bench``: measures what a visitor feels, beside what it would be without this course.

A bench is a module here with a ``SUMMARY`` and ``run(rounds, patience)``, named in `BENCHES`. It
prints a table and whether its goals are met, and returns its figures, which are kept in
``bench-results/``. Slowness fails nothing; the status is 1 when something did not work at all.

Without names all run but those in `ONLY_NAMED`, which take long or want root.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import signal
import sys
from types import ModuleType

import click

from bench import grading, hub, page, people, privacy
from bench import map as network_map
from bench.support import ROOT, BenchError, say
from bench.visit import PageFailedError

BENCHES: dict[str, ModuleType] = {
    "page": page,
    "map": network_map,
    "people": people,
    "privacy": privacy,
    "grading": grading,
    "hub": hub,
}
ONLY_NAMED = {"hub"}


@click.command(
    help=f"Run the named benches, or all but {', '.join(sorted(ONLY_NAMED))}:\n\n"
    + "\n\n".join(f"{name}: {bench.SUMMARY}" for name, bench in BENCHES.items())
)
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option(
    "--rounds",
    default=4,
    show_default=True,
    type=click.IntRange(min=2),
    help="How often each thing is measured.",
)
@click.option(
    "--patience",
    default=30.0,
    show_default=True,
    help="Seconds after which stock Voilà is given up on a slow line.",
)
@click.option(
    "--students",
    default=hub.STUDENTS,
    show_default=True,
    type=click.IntRange(min=6),
    help="hub: how many come, one every two seconds.",
)
@click.option(
    "--minutes",
    default=hub.MINUTES,
    show_default=True,
    help="hub: for how long they type; as long as the faults take, at least.",
)
def main(
    names: tuple[str, ...], rounds: int, patience: float, students: int, minutes: float
) -> None:
    """Run benches; see the module's text."""
    # Told to end, stop the servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    results = ROOT / "bench-results"
    failed = False
    hub.size = hub.Size(students, minutes)
    for name in names or [name for name in BENCHES if name not in ONLY_NAMED]:
        try:
            figures = BENCHES[name].run(rounds, patience)
        except (BenchError, PageFailedError) as error:
            say(f"\n{name} could not be measured: {error}")
            failed = True
            continue
        results.mkdir(exist_ok=True)
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
        about = {"when": now, "python": platform.python_version()}
        text = json.dumps({**about, "figures": figures}, indent=1, ensure_ascii=False)
        (results / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    sys.exit(failed)


main()

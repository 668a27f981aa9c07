"""How well the check before sharing does on drafts by writers whom it was not trained on.

The drafts are the labeled ones in ``tests/drafts``, a file a writer. Each is left out in turn: the
gates are trained on the others, thresholds and all, and the whole checker is judged by that
writer's drafts. By draft, recall is the part of identifying drafts that bring any remark, firm or
soft, and precision the part of drafts with a remark that identify someone; drafts that only vent
count in neither. Spans are reported apart: there only remarks on words count.

``python -m bench.privacy`` runs this one alone. It needs scikit-learn, which the ``dev`` extra has.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench.support import ROOT, say, table, warn_of_load
from pcn_course.privacy import Warning as Remark
from pcn_course.privacy import advise
from scripts.train import Draft, Figures, train, writers

SUMMARY = "the check before sharing: recall and precision, each writer's drafts left out in turn"

RECALL = 0.92
PRECISION = 0.88
MILLISECONDS = 5
MEGABYTES = 20
LONG = 60
"""Characters from which on a remark is on a draft and not on words."""
_FIGURES = ("recall", "precision", "span recall", "span precision", "venting")
_ALONE = """
import psutil
before = psutil.Process().memory_info().rss
from pcn_course.privacy import advise
advise("A client, 94, moved to Boise on May 4. Call 512-555-0147.")
print(psutil.Process().memory_info().rss - before)
"""


def judged(drafts: Sequence[Draft], remarks: Sequence[Sequence[Remark]]) -> dict[str, float]:
    """Return the figures of one writer's drafts with the remarks on each."""
    told = [
        (draft, any(one.kind != "venting" for one in on), any(one.kind == "venting" for one in on))
        for draft, on in zip(drafts, remarks, strict=True)
    ]
    right = sum(remarked for draft, remarked, _ in told if draft.person and not draft.venting)
    remarked = sum(remarked for draft, remarked, _ in told if not draft.venting)
    identifying = sum(draft.person and not draft.venting for draft in drafts)
    spans = found = on_words = correct = 0
    for draft, on in zip(drafts, remarks, strict=True):
        words = [(one.start, one.end) for one in on if not one.soft and len(one.words) <= LONG]
        marked = [(one.start, one.end) for one in draft.spans]
        spans += len(marked)
        on_words += len(words)
        found += sum(any(_hit(span, one) for one in words) for span in marked)
        correct += sum(any(_hit(span, one) for span in marked) for one in words)
    return {
        "recall": right / max(identifying, 1),
        "precision": right / max(remarked, 1),
        "span recall": found / max(spans, 1),
        "span precision": correct / max(on_words, 1),
        "venting": sum(vents for draft, _, vents in told if draft.venting)
        / max(sum(draft.venting for draft in drafts), 1),
    }


def run(rounds: int, patience: float = 30.0) -> dict[str, Any]:  # noqa: ARG001 (all benches alike)
    """Print and return recall and precision, and the time and memory of a draft."""
    by_writer = writers()
    each: dict[str, dict[str, float]] = {}
    for writer, drafts in by_writer.items():
        gates = train({name: rest for name, rest in by_writer.items() if name != writer})
        each[writer] = judged(drafts, [advise(draft.text, gates=gates) for draft in drafts])
    means = {name: Figures.of([one[name] for one in each.values()]) for name in _FIGURES}
    number = sum(map(len, by_writer.values()))
    say(f"\nThe check before sharing, on {number} synthetic drafts; each writer left out in turn\n")
    rows = [[writer, *(f"{one[name]:.2f}" for name in _FIGURES)] for writer, one in each.items()]
    rows.append(["mean", *(f"{means[name].mean:.2f}" for name in _FIGURES)])
    rows.append(["95%", *(f"{means[name].low:.2f}–{means[name].high:.2f}" for name in _FIGURES)])
    say(table(["writer", *_FIGURES], rows))
    met = means["recall"].mean >= RECALL and means["precision"].mean >= PRECISION
    say(f"\nGoal by draft: recall {RECALL}, precision {PRECISION}: {'met' if met else 'missed'}")
    warn_of_load()
    texts = [draft.text for drafts in by_writer.values() for draft in drafts]
    took = []
    for _ in range(rounds):
        for text in texts:
            start = time.process_time()  # its own time: other programs' is no cost of the checker
            advise(text)
            took.append(1000 * (time.process_time() - start))
    took.sort()
    memory = int(subprocess.check_output([sys.executable, "-c", _ALONE], cwd=ROOT)) / 1e6
    slow = took[int(0.95 * len(took))]
    say(f"A draft takes {statistics.median(took):.1f} ms, 19 of 20 at most {slow:.1f} ms")
    say(f"The checker takes {memory:.0f} MB")
    met = slow <= MILLISECONDS and memory <= MEGABYTES
    say(f"Goal: {MILLISECONDS} ms and {MEGABYTES} MB: {'met' if met else 'missed'}")
    return {
        "writers": each,
        "means": {name: one._asdict() for name, one in means.items()},
        "milliseconds": {"median": statistics.median(took), "95%": slow},
        "megabytes": memory,
    }


def _hit(span: tuple[int, int], words: tuple[int, int]) -> bool:
    """Return True if words cover half of a labeled span, or half of them lie in it."""
    both = min(span[1], words[1]) - max(span[0], words[0])
    return both > 0 and (both * 2 >= span[1] - span[0] or both * 2 >= words[1] - words[0])


if __name__ == "__main__":
    run(rounds=4)

"""How well the checker of drafts finds what points to somebody, and how often it cries wolf.

The drafts are the labelled ones in ``tests/drafts``: ``tune.toml``, which the checker was written
with, and ``held-out.toml``, which it was not, but whose author wrote the checker, too. On drafts
that were new to it it did far worse: the head of ``tune.toml`` has the figures. Recall is the part
of a kind's drafts in which it was found, precision the part of its warnings that the label asks
for; a draft counts once for a kind.

``python -m bench.privacy`` runs this one alone.
"""

from __future__ import annotations

import statistics
import time
import tomllib
from typing import Any, NamedTuple

from bench.support import ROOT, say, table
from pcn_course.privacy import KINDS, advise

SUMMARY = "the checker of drafts: recall and precision by kind, on labelled drafts"

DRAFTS = ROOT / "tests" / "drafts"
FILES = ("tune.toml", "held-out.toml")
RECALL = 0.9
PRECISION = 0.8


class Draft(NamedTuple):
    """A text, and the kinds that it should be warned of."""

    text: str
    kinds: frozenset[str]


class Score(NamedTuple):
    """Counts of drafts for one kind, or sums of them."""

    right: int = 0
    missed: int = 0
    wrong: int = 0

    def plus(self, other: Score) -> Score:
        """Both together."""
        return Score(*map(sum, zip(self, other, strict=True)))

    @property
    def recall(self) -> float:
        """Found of what should be found; 1 where there is nothing to find."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def precision(self) -> float:
        """Right of what was found; 1 where nothing was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


def drafts(*names: str) -> list[Draft]:
    """The labelled drafts of these files in `DRAFTS`."""
    made = []
    for name in names:
        content = tomllib.loads((DRAFTS / name).read_text(encoding="utf-8"))
        made += [Draft(one["text"], frozenset(one["kinds"])) for one in content["drafts"]]
    return made


def found(text: str) -> frozenset[str]:
    """The kinds that the checker warns of."""
    return frozenset(one.kind for one in advise(text))


def scores(labelled: list[Draft]) -> dict[str, Score]:
    """Each kind's score, and that of ``all`` kinds together."""
    made = dict.fromkeys(KINDS, Score())
    for draft in labelled:
        said = found(draft.text)
        for kind in KINDS:
            wanted, given = kind in draft.kinds, kind in said
            here = Score(wanted and given, wanted and not given, given and not wanted)
            made[kind] = made[kind].plus(here)
    total = Score()
    for one in made.values():
        total = total.plus(one)
    return {**made, "all": total}


def run(rounds: int, patience: float = 30.0) -> dict[str, Any]:  # noqa: ARG001 (all benches alike)
    """Print and return recall and precision, and the time for a draft."""
    figures: dict[str, Any] = {}
    parts = {"all drafts": FILES, "held out": ("held-out.toml",)}
    by_part = {part: scores(drafts(*names)) for part, names in parts.items()}
    lines = []
    for kind in (*KINDS, "all"):
        line = [kind]
        for part, by_kind in by_part.items():
            one = by_kind[kind]
            line += [str(one.right + one.missed), f"{one.recall:.2f}", f"{one.precision:.2f}"]
            figures.setdefault(part, {})[kind] = {**one._asdict(), "recall": one.recall}
            figures[part][kind]["precision"] = one.precision
        lines.append(line)
    labelled = drafts(*FILES)
    harmless = [draft for draft in labelled if not draft.kinds]
    quiet = sum(not found(draft.text) for draft in harmless)
    say(f"\nWarnings before sharing, on {len(labelled)} synthetic drafts\n")
    heads = ["kind", "drafts", "recall", "precision", "held out", "recall", "precision"]
    say(table(heads, lines))
    say(f"\nOf {len(harmless)} harmless drafts {quiet} bring no warning")
    met = all(
        one.recall >= RECALL and one.precision >= PRECISION
        for one in by_part["all drafts"].values()
    )
    say(
        f"Goal: recall {RECALL} and precision {PRECISION} by kind, on all: "
        f"{'met' if met else 'missed'}"
    )
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        for draft in labelled:
            advise(draft.text)
        took.append(1000 * (time.perf_counter() - start) / len(labelled))
    say(f"A draft takes {statistics.median(took):.1f} ms")
    return {**figures, "harmless": len(harmless), "quiet": quiet, "milliseconds": took}


if __name__ == "__main__":
    run(rounds=4)

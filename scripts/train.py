"""Train the gates of the checker of drafts: ``make train`` writes ``pcn_course/privacy/gate.*``.

The drafts are the synthetic ones in ``tests/drafts``: a file is a writer. The result is the same to
the byte wherever it is trained, as the fit is exact enough for the rounding to eight bits.

Three choices make so few drafts enough. Features are weighted by their log-count ratio between the
two classes before the fit (Wang & Manning 2012, "Baselines and bigrams", ACL). Each sentence with
labeled words is a draft of its own, as is each sentence of a harmless draft. And thresholds come
from scores of drafts whose writer was left out of the fit, never from drafts that were fitted.
"""

from __future__ import annotations

import json
import math
import re
import statistics
import tomllib
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix
from scipy.stats import t as student_t
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from pcn_course.privacy.gate import ABOUT, FEWEST, WEIGHTS, Gate, features

DRAFTS = Path(__file__).parents[1] / "tests" / "drafts"
OWN = ("tune.toml", "held-out.toml")
"""Drafts by the checker's own author: trained with, at half weight, and never judged by."""
ANSWERS = "answers.jsonl"
"""Harmless answers to the course's questions, so that the gates know what those sound like."""
HALF = 0.5
ANSWERS_WEIGH = {"person": 0.05, "venting": 0.5}
"""Weight of an answer beside a writer's draft: answers are another kind of text, and many."""
BUCKETS = {"person": 1 << 16, "venting": 1 << 14}
STRENGTH = 20.0  # inverse of the regularization
RECALL = 0.92  # of the drafts on which the person gate should open
WIDE = 0.97  # precision from which on the gate is wide open
VENTING = 0.99  # of drafts that don't vent, on which the gate stays shut
SEED = 0
_END = re.compile(r"[.!?…]+[\"”’)]*\s+|\n+")
_SHORTEST = 15  # characters of a sentence that is trained on


class Span(NamedTuple):
    """Labeled words."""

    kind: str
    start: int
    end: int


class Draft(NamedTuple):
    """A labeled draft."""

    text: str
    spans: tuple[Span, ...]
    person: bool
    venting: bool
    weight: float = 1.0

    @property
    def harmless(self) -> bool:
        """True if nothing should be remarked on."""
        return not self.person and not self.venting


class Fit(NamedTuple):
    """A gate as scikit-learn has it, before it is rounded."""

    weights: np.ndarray[Any, np.dtype[np.float64]]
    intercept: float

    def scores(self, drafts: Sequence[Draft]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The log-odds of each draft."""
        scores: np.ndarray[Any, np.dtype[np.float64]]
        scores = matrix(drafts, len(self.weights)) @ self.weights + self.intercept
        return scores

    def gate(self, opens: float, wide: float) -> Gate:
        """The gate as it runs, with weights of eight bits."""
        scale = float(np.abs(self.weights).max()) / 127**2
        roots = np.sign(self.weights) * np.sqrt(np.abs(self.weights) / scale)
        rounded = array("b", np.rint(roots).astype(np.int8).tolist())
        return Gate(rounded, *(float(f"{one:.6g}") for one in (scale, self.intercept, opens, wide)))


def writers() -> dict[str, list[Draft]]:
    """The labeled drafts by writer."""
    made = {}
    for path in sorted(DRAFTS.glob("writer-*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        made[path.stem.removeprefix("writer-")] = [
            Draft(
                row["text"],
                tuple(Span(one["kind"], one["start"], one["end"]) for one in row["spans"]),
                bool(row["spans"]),
                row["venting"],
            )
            for row in rows
        ]
    return made


@cache
def own(kind: str) -> list[Draft]:
    """The drafts of `OWN` and `ANSWERS` for the gate ``kind``, without spans."""
    lines = (DRAFTS / ANSWERS).read_text(encoding="utf-8").splitlines()
    answers = (json.loads(line)["text"] for line in lines)
    made = [Draft(text, (), False, False, ANSWERS_WEIGH[kind]) for text in answers]
    for name in OWN:
        for one in tomllib.loads((DRAFTS / name).read_text(encoding="utf-8"))["drafts"]:
            kinds = set(one["kinds"])
            made.append(Draft(one["text"], (), bool(kinds - {"venting"}), "venting" in kinds, HALF))
    return made


def model(
    drafts: Sequence[Draft], kind: str
) -> tuple[LogisticRegression, np.ndarray[Any, np.dtype[np.float64]]]:
    """The regression for ``kind`` (``person`` or ``venting``), and what buckets are scaled by.

    It is fitted to these drafts and to `own` ones.
    """
    drafts = [*drafts, *own(kind)]
    if kind == "person":
        drafts += [sentence for draft in drafts for sentence in _sentences(draft)]
    labels = np.array([getattr(draft, kind) for draft in drafts])
    counted = matrix(drafts, BUCKETS[kind])
    seen = (counted > 0).astype(np.float64)
    of, others = (np.asarray(seen[one].sum(axis=0)).ravel() + 1 for one in (labels, ~labels))
    ratio = np.abs(np.log(of / of.sum()) - np.log(others / others.sum()))
    regression = LogisticRegression(
        C=STRENGTH,
        solver="liblinear",
        tol=1e-9,  # so exact that another machine's rounding changes no weight
        max_iter=1000,
        class_weight="balanced" if kind == "venting" else None,
        random_state=SEED,
    )
    with threadpool_limits(1):  # vectors this short only wait for other threads
        regression.fit(counted.multiply(ratio).tocsr(), labels, [draft.weight for draft in drafts])
    return regression, ratio


def fit(drafts: Sequence[Draft], kind: str) -> Fit:
    """The gate ``kind``, before it is rounded."""
    regression, ratio = model(drafts, kind)
    return Fit(regression.coef_[0] * ratio, float(regression.intercept_[0]))


def left_out(by_writer: Mapping[str, Sequence[Draft]], kind: str) -> dict[str, list[float]]:
    """Each writer's scores by a gate that was fitted without that writer."""
    return {
        writer: fit(_others(by_writer, writer), kind).scores(drafts).tolist()
        for writer, drafts in by_writer.items()
    }


def train(by_writer: Mapping[str, Sequence[Draft]]) -> dict[str, Gate]:
    """Both gates, with thresholds from drafts by writers whom the fit had not seen."""
    made = {}
    for kind, thresholds in (("person", _person), ("venting", _venting)):
        scores = left_out(by_writer, kind)
        pairs = [
            (score, draft)
            for writer, drafts in by_writer.items()
            for score, draft in zip(scores[writer], drafts, strict=True)
        ]
        every = [draft for drafts in by_writer.values() for draft in drafts]
        made[kind] = fit(every, kind).gate(*thresholds(pairs))
    return made


class Figures(NamedTuple):
    """A figure's mean over the writers, and its 95% interval by Student's t."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figures:
        """From one value a writer."""
        mean = statistics.mean(values)
        half = student_t.ppf(0.975, len(values) - 1) * statistics.stdev(values)
        half /= math.sqrt(len(values))
        return cls(*(round(float(one), 3) for one in (mean, mean - half, min(mean + half, 1.0))))


def recall_and_precision(
    drafts: Sequence[Draft], remarked: Callable[[str], bool]
) -> tuple[float, float]:
    """By draft: remarked on of those that identify, and identifying of those remarked on.

    Drafts that vent count in neither.
    """
    told = [(draft.person, remarked(draft.text)) for draft in drafts if not draft.venting]
    right = sum(person and remark for person, remark in told)
    return right / sum(person for person, _ in told), right / max(sum(on for _, on in told), 1)


def judge() -> dict[str, Any]:
    """Recall and precision of the whole checker, each writer left out in turn."""
    from pcn_course.privacy import advise

    by_writer = writers()
    each = {}
    for writer, drafts in by_writer.items():
        others = {name: rest for name, rest in by_writer.items() if name != writer}
        gates = train(others)

        def remarked(text: str, gates: dict[str, Gate] = gates) -> bool:
            return any(one.kind != "venting" for one in advise(text, gates=gates))

        recall, precision = recall_and_precision(drafts, remarked)
        each[writer] = {"recall": round(recall, 3), "precision": round(precision, 3)}
    kinds = ("recall", "precision")
    means = {name: Figures.of([one[name] for one in each.values()])._asdict() for name in kinds}
    return {"writers": each, **means}


def write(folder: Path, figures: Mapping[str, Any]) -> None:
    """Train on all drafts, and write the gates and what is known about them into ``folder``."""
    gates = train(writers())
    about = {
        kind: {
            "buckets": len(gate.weights),
            **{key: getattr(gate, key) for key in ("scale", "intercept", "open", "wide")},
        }
        for kind, gate in gates.items()
    }
    (folder / WEIGHTS.name).write_bytes(b"".join(gate.weights.tobytes() for gate in gates.values()))
    text = json.dumps({"gates": about, "left_out": figures}, indent=1)
    (folder / ABOUT.name).write_text(text + "\n", encoding="utf-8", newline="\n")


def _person(pairs: Sequence[tuple[float, Draft]]) -> tuple[float, float]:
    """The score at which the gate opens, and that at which it is wide open."""
    judged = sorted(
        ((score, draft.person) for score, draft in pairs if not draft.venting), reverse=True
    )
    right = [score for score, person in judged if person]
    opens = right[math.ceil(RECALL * len(right)) - 1]
    wide, seen = right[0], 0
    for count, (score, person) in enumerate(judged, start=1):
        seen += person
        if seen / count >= WIDE:
            wide = score
    return opens, max(wide, opens)


def _venting(pairs: Sequence[tuple[float, Draft]]) -> tuple[float, float]:
    others = sorted(score for score, draft in pairs if not draft.venting)
    opens = others[math.ceil(VENTING * len(others))]
    return opens, opens


def _others(by_writer: Mapping[str, Sequence[Draft]], writer: str) -> list[Draft]:
    return [draft for name, rest in by_writer.items() if name != writer for draft in rest]


def _sentences(draft: Draft) -> list[Draft]:
    """The sentences whose label is known: all of a harmless draft, else the marked ones."""
    if draft.weight != 1 or (draft.person and not draft.spans):
        return []
    made = []
    ends = [*(found.end() for found in _END.finditer(draft.text)), len(draft.text)]
    for start, end in zip([0, *ends], ends, strict=False):
        marked = any(one.start < end and one.end > start for one in draft.spans)
        text = draft.text[start:end].strip()
        if len(text) > _SHORTEST and text != draft.text.strip() and marked == draft.person:
            made.append(Draft(text, (), marked, draft.venting, HALF))
    return made


@cache
def _features(text: str) -> tuple[int, ...]:
    return tuple(sorted(crc32(one.encode()) for one in features(text)))


def matrix(drafts: Sequence[Draft], buckets: int) -> csr_matrix:
    """Drafts by buckets; a text's features share the weight 1 / sqrt(their number)."""
    rows = [_features(draft.text) for draft in drafts]
    ends = np.cumsum([0, *map(len, rows)])
    values = np.concatenate(
        [np.full(len(row), 1 / math.sqrt(max(len(row), FEWEST))) for row in rows]
    )
    columns = np.concatenate([np.array(row, dtype=np.int64) & (buckets - 1) for row in rows])
    made = csr_matrix((values, columns, ends), shape=(len(drafts), buckets))
    made.sum_duplicates()
    return made


if __name__ == "__main__":
    write(ABOUT.parent, judge())

"""Two learned gates: is a draft about one particular person, and does it vent?

Logistic regression on hashed features, trained by ``make train`` (``scripts/train.py``) on the
drafts in ``tests/drafts``. A feature is a word, two adjacent words, or three or four adjacent
characters. Names, places, dates and numbers also count as their class, because a draft to come has
other names in it. The weights are 8-bit integers in ``gate.bin``; ``gate.json`` has what belongs to
them: scales, intercepts, thresholds, and the recall and precision on writers not trained on.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from pcn_course.privacy.words import COMMON, DOUBLE, STATE_CODES, WORDS, plain

LONGEST = 600
"""Characters judged together: about the longest draft that the gates were trained on."""
FEWEST = 100
"""Features below which a text counts as having so many: a few words prove little."""
WEIGHTS = Path(__file__).with_name("gate.bin")
ABOUT = Path(__file__).with_name("gate.json")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]")
_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_CLASS = {
    word: f"^{name}"
    for name in ("cities", "given", "states", "peoples", "days", "months")
    for word in WORDS[name] - (DOUBLE if name == "given" else frozenset())
}
"""Classes of words with a capital; the last of those that a word is in counts."""
_LOWER_CLASS = {
    word: f"^{name}"
    for name in ("condition", "calling", "persons", "person", "kin")
    for word in WORDS[name]
}


class Gate(NamedTuple):
    """One gate: weights for buckets of features, and the scores at which it opens.

    Most weights are small, so what is kept in eight bits is their root, with the weight's sign.
    """

    weights: array[int]
    scale: float
    intercept: float
    open: float
    wide: float

    def score(self, features: set[str]) -> float:
        """The log-odds that a text with these features is of the gate's kind."""
        last = len(self.weights) - 1
        roots = (self.weights[crc32(one.encode()) & last] for one in features)
        total = sum(root * abs(root) for root in roots)
        return self.intercept + self.scale * total / math.sqrt(max(len(features), FEWEST))


@cache
def about() -> dict[str, Any]:
    """What was recorded with the weights when they were trained."""
    content: dict[str, Any] = json.loads(ABOUT.read_text(encoding="utf-8"))
    return content


@cache
def gates() -> dict[str, Gate]:
    """The gates ``person`` and ``venting``; read when the first draft is judged."""
    weights = array("b", WEIGHTS.read_bytes())
    made, start = {}, 0
    for name, one in about()["gates"].items():
        end = start + one["buckets"]
        numbers = (one[key] for key in ("scale", "intercept", "open", "wide"))
        made[name] = Gate(weights[start:end], *numbers)
        start = end
    return made


def features(text: str) -> set[str]:
    """The features of a text that the gates know, before they are hashed."""
    tokens = _TOKEN.findall(text.replace("’", "'"))
    words = [token.lower() for token in tokens]
    classes = [_class(one, before) for one, before in zip(tokens, [".", *tokens], strict=False)]
    found = {*words, *classes}
    for row in (words, classes):
        found.update(f"{one} {other}" for one, other in pairwise(row))
    line = f" {' '.join(words)} "
    for size in (3, 4):
        found.update("~" + line[at : at + size] for at in range(len(line) - size + 1))
    return found


def pieces(text: str) -> list[tuple[int, int]]:
    """Where the parts of a text start and end that are judged each on its own.

    A draft of usual length is one; a long one is cut between sentences, so that one paragraph
    about a client isn't lost among many that are not.
    """
    made, start, last = [], 0, 0
    for end in [*(found.end() for found in _END.finditer(text)), len(text)]:
        if end - start > LONGEST:
            if last > start:
                made.append((start, last))
                start = last
            while end - start > LONGEST:
                made.append((start, start + LONGEST))
                start += LONGEST
        last = end
    return [*made, (start, len(text))]


def _class(token: str, before: str) -> str:
    """The class of a number, a word with a capital or a word for people; others as they are."""
    if token.isdigit():
        return f"#{min(len(token), 5)}"
    word = token.lower()
    if not token[0].isupper():
        return _LOWER_CLASS.get(word, word)
    if token in STATE_CODES:
        return "^states"
    if known := _CLASS.get(plain(token)):
        return known
    if before in ".!?:":
        return _LOWER_CLASS.get(word, word)
    if len(token) == 1:
        return "^initial"
    if token.isupper():
        return "^capitals"
    return "^common" if plain(token) in COMMON else "^name"

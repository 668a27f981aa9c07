"""Counts that say nothing of a few: small cells are hidden, and can't be found by subtracting.

Where the sum of a row is known, a single hidden count could be found by subtraction, so others are
hidden with it (complementary suppression with an audit by intervals; Hundepool et al. 2012,
Statistical Disclosure Control, chapter 4). Which ones is decided by their place, never by their
size: of somebody who knows the rule, a choice by size would tell the size.
"""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 5
"""Students that a count must be of, to be shown."""
FEWER = f"fewer than {LEAST}"
NOT_SHOWN = "not shown"

Cell = int | str
"""A count, or the words that stand in its place."""


def protect(counts: Sequence[int], least: int = LEAST) -> list[Cell]:
    """``counts`` of students who each are in exactly one of them, as they may be shown.

    The sum is taken as known to everybody, so counts are the parts of a whole: with a count goes
    the count of everybody else. A count below ``least``, 0 too, is "fewer than 5"; a count that
    would give one away by subtraction is "not shown", the last ones first. A whole of fewer than
    ``least`` for each of its parts is not split at all. Whoever knows all this still has four
    numbers or more to choose from for each hidden count.
    """
    if sum(counts) < least * len(counts):
        return [NOT_SHOWN for _ in counts]
    small = {at for at, count in enumerate(counts) if count < least}
    hidden = set(small)
    while hidden and not _safe(counts, small, hidden, least):
        hidden.add(max(at for at in range(len(counts)) if at not in hidden))
    words = {at: FEWER if at in small else NOT_SHOWN for at in hidden}
    return [words.get(at, count) for at, count in enumerate(counts)]


def _safe(counts: Sequence[int], small: set[int], hidden: set[int], least: int) -> bool:
    """Whether each small count could be anything below ``least``, for all that can be known.

    Hidden are ``small`` ones, from 0 to ``least - 1``, and others, of ``least`` or more.
    """
    total = sum(counts[at] for at in hidden)
    others = len(hidden) - len(small)
    at_least = others * least
    # One small count takes its largest value, all others their smallest; and the other way round.
    largest_fits = (least - 1) + at_least <= total
    smallest_fits = others > 0 or total <= (len(small) - 1) * (least - 1)
    # And all that is hidden, taken together, is not a few either.
    return largest_fits and smallest_fits and total >= least

"""How far a long run of autograding is, and how long it will still take."""

from __future__ import annotations

import bisect
import time
from typing import Any

EVERY = 5.0
"""Seconds between two lines of the log."""


class Progress:
    """One run over many submissions."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._begun = self._told = time.monotonic()
        self._graded = 0

    @classmethod
    def of(cls, converter: Any) -> Progress:
        """The progress of this converter's run; it begins with the first question."""
        found: Progress | None = converter.__dict__.get("_pcn_progress")
        if found is None:
            found = converter.__dict__["_pcn_progress"] = cls(sorted(converter.assignments))
        return found

    def begin(self, name: str) -> str:
        """The grading of a submission begins; what is to be told now, if anything.

        The estimate takes those that are left to be as long as those that were graded: such as
        nbgrader skips, because nothing is new, come by the way.
        """
        now = time.monotonic()
        done, self._graded = self._graded, self._graded + 1
        if not done or now - self._told < EVERY:
            return ""
        self._told = now
        before = bisect.bisect_left(self._names, name)
        left = (len(self._names) - before) * (now - self._begun) / done
        return f"{before} of {len(self._names)} submissions done, {_about(left)} left"


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} seconds"
    return f"about {round(seconds / 60)} minutes"

"""How second marking is told, in a terminal and on a page: names, figures, words, a table.

All figures are text here, with two decimals, as in the words beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pcn_course.course import Course, Criterion
from pcn_course.grading.agreement.calibration import is_calibration
from pcn_course.grading.agreement.figures import Agreement, Figure, describe
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.second_marks import Drift, Twice, agreements, differences
from pcn_course.instructor.marking_view import Json, handle
from pcn_course.spreadsheets import csv_bytes

FIGURES = {
    "exact": "The same points, share",
    "adjacent": "One point apart at most, share",
    "difference": "Second mark less the first, mean points",
    "kappa_linear": "Cohen’s kappa, linear weights",
    "kappa_quadratic": "Cohen’s kappa, quadratic weights",
    "alpha_ordinal": "Krippendorff’s alpha, ordered levels",
    "alpha_interval": "Krippendorff’s alpha, distances in points",
    "icc": "ICC(2,1), agreement of single marks",
}
"""The figures of an agreement by their fields, in the order in which they are told."""
NOTHING = "Nothing has been marked twice yet."
HOW = (
    "Somebody other than the first marker chooses “As: Second marker, blind” on the marking page, "
    "and marks a sample of the submissions, or all of them. The order there has nothing to do with "
    "who wrote what, so the first on the list are a fair sample."
)


ROUND = "Mark the synthetic answers on the marking page first; you see there no marks but your own."


def how(room: Room) -> str:
    """How something comes to be marked twice in a room."""
    return ROUND if is_calibration(room) else HOW


class Part(msgspec.Struct, frozen=True):
    """The agreement in one criterion. ``words`` say what its figures mean."""

    criterion: Criterion
    found: Agreement
    further: int = 0
    """Marks by third and further markers."""

    @property
    def figures(self) -> list[tuple[str, Figure]]:
        """All figures with what they are called."""
        return [(name, getattr(self.found, field)) for field, name in FIGURES.items()]

    @property
    def words(self) -> tuple[str, ...]:
        """What the figures mean, in sentences."""
        words = describe(self.found, [level.points for level in self.criterion.levels])
        if not self.further:
            return words
        more = (
            f"{self.further} marks by further markers count" if self.further > 1
            else "One mark by a further marker counts"
        )  # fmt: skip
        more += (
            " in Krippendorff’s alpha only: all other figures compare the first mark with the "
            "second mark that was given first."
        )
        return (*words, more)


def parts(course: Course, found: Iterable[Twice]) -> list[Part]:
    """The criteria of which something was marked twice, in the rubric's order."""
    found = list(found)
    figures = agreements(found)
    further: Counter[str] = Counter()
    for one in found:
        further[one.criterion] += len(one.seconds) - 1
    return [
        Part(one, figures[one.id], further[one.id])
        for one in course.rubric.criteria
        if one.id in figures
    ]


def table(course: Course, found: Sequence[Twice]) -> bytes:
    """One line for each criterion of each step, as CSV for a spreadsheet."""
    head = ["step", "criterion", "title", "marked_twice", "wait", "settled"]
    head += ["exact_by_chance", "adjacent_by_chance", "commonest_share"]
    for field in FIGURES:
        head += [field, f"{field}_low", f"{field}_high", f"{field}_note"]
    rows = [
        _row(step.id, part, [one for one in of_step if one.criterion == part.criterion.id])
        for step in course.steps
        for of_step in [[one for one in found if one.step == step.id]]
        for part in parts(course, of_step)
    ]
    return csv_bytes(head, rows)


def _row(step: str, part: Part, found: Sequence[Twice]) -> list[Any]:
    waits = sum(one.waits for one in found)
    settled = sum(one.settled is not None for one in found)
    of = part.found
    row: list[Any] = [step, part.criterion.id, part.criterion.title, of.n, waits, settled]
    row += map(_rounded, (of.exact_by_chance, of.adjacent_by_chance, of.commonest))
    for _, figure in part.figures:
        row += [*map(_rounded, (figure.value, figure.low, figure.high)), figure.why or None]
    return row


def report(course: Course, course_id: str, found: Sequence[Twice], moved: Sequence[Drift]) -> Json:
    """All of it for a page. Students go by handles that tell nothing of them."""
    done = [one for one in found if one.settled is not None]
    done.sort(key=lambda one: one.settled.at.timestamp() if one.settled else 0, reverse=True)
    return {
        "parts": [
            {
                "criterion": part.criterion.id,
                "n": part.found.n,
                "words": list(part.words),
                "figures": [[name, str(figure)] for name, figure in part.figures],
            }
            for part in parts(course, found)
        ],
        "waiting": [twice_json(course_id, one) for one in differences(found)],
        "settled": [twice_json(course_id, one) for one in done],
        "drifts": [drift_json(one) for one in moved],
    }


def twice_json(course_id: str, one: Twice) -> Json:
    """One criterion of one submission that was marked twice."""
    done = one.settled
    return {
        "step": one.step,
        "student": handle(course_id, one.step, one.student),
        "pseudonym": one.pseudonym,
        "criterion": one.criterion,
        "first": {"by": one.first_by, "points": one.first, "note": one.first_comment},
        "seconds": [{"by": it.marker, "points": it.points, "note": it.note} for it in one.seconds],
        "points": one.points,
        "settled": done
        and {
            "points": done.points,
            "reason": done.reason,
            "by": done.by,
            "at": done.at.isoformat(),
        },
    }


def drift_json(one: Drift) -> Json:
    """One marker's drift, as text."""
    return {
        "marker": one.marker,
        "n": one.n,
        "early": f"{one.early:.2f}",
        "late": f"{one.late:.2f}",
        "change": str(one.change),
        "words": drifted(one),
    }


def marked(points: float, criterion: Criterion) -> str:
    """Points with the name of their level: ``3 (Sound)``."""
    names = [level.name for level in criterion.levels if level.points == points]
    return f"{points:g} ({names[0]})" if names else f"{points:g}"


def drifted(drift: Drift) -> str:
    """What a marker's drift may mean, in a sentence."""
    change = drift.change
    value = change.value or 0.0
    if change.low is None or change.high is None:
        return f"No interval: {change.why}."
    if change.low <= 0 <= change.high:
        return "The interval holds 0, so it may be chance."
    return (
        f"Marks became {'higher' if value > 0 else 'lower'} while they were given. Submissions "
        "come in no order of their own, so look at the early ones again."
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

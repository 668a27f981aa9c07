"""How far markers agree: figures from pairs or a matrix of marks, and what they mean in words.

A matrix has one row for each submission and one column for each marker; a cell holds points, or
``None`` where a marker gave none. Nothing here reads a gradebook. Distances between marks are the
distances of their points, so half points count as half.

A figure that the marks can't give is no NaN: it has no value, and says why.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal, TypeGuard

import krippendorff
import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = Sequence[Sequence[float | None]]
Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of all intervals."""
DRAWS = 2000
"""Resamples behind an interval that is bootstrapped."""
SEED = 20_261
"""Of these resamples, fixed: the same marks give the same interval."""

NONE = "nothing was marked by both"
ONE = "it needs at least two submissions that both marked"
SAME = "all marks are the same"
NEVER = "the marks never differ, so nothing tells how often they would"
CONSTANT = "one marker gave the same points everywhere, so this is 0 whatever the other did"


class Figure(msgspec.Struct, frozen=True):
    """One figure with its interval of 95 %, from ``n`` submissions.

    ``why`` says why there is no value, or, beside a value, why there is no interval.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str = ""

    def __str__(self) -> str:
        """As it is read: ``0.63 (0.41 to 0.80)``."""
        if self.value is None:
            return f"not computed because {self.why}"
        if self.low is None or self.high is None:
            return f"{_number(self.value)} (no interval: {self.why})"
        return f"{_number(self.value)} ({_number(self.low)} to {_number(self.high)})"


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one set of marks.

    ``n`` counts the submissions that the first two markers both marked. Everything is about these
    two but the alphas, which take all markers in. ``difference`` is second minus first, in points.
    The shares by chance are what two markers would reach who gave the same marks as often as these
    did, but drew lots for whom. ``commonest`` is the share of the most frequent mark.
    """

    n: int
    exact: Figure
    adjacent: Figure
    exact_by_chance: float | None
    adjacent_by_chance: float | None
    commonest: float | None
    difference: Figure
    kappa_linear: Figure
    kappa_quadratic: Figure
    alpha_ordinal: Figure
    alpha_interval: Figure
    icc: Figure


def agreement(matrix: Matrix) -> Agreement:
    """All figures of a matrix of marks; the first two columns are the first and second mark."""
    pairs = both(matrix)
    seen = Counter(pairs.ravel().tolist())
    return Agreement(
        n=len(pairs),
        exact=exact(matrix),
        adjacent=adjacent(matrix),
        exact_by_chance=_by_chance(pairs, 0),
        adjacent_by_chance=_by_chance(pairs, 1),
        commonest=seen.most_common(1)[0][1] / pairs.size if seen else None,
        difference=mean(pairs[:, 1] - pairs[:, 0]),
        kappa_linear=kappa(matrix, "linear"),
        kappa_quadratic=kappa(matrix, "quadratic"),
        alpha_ordinal=alpha(matrix, "ordinal"),
        alpha_interval=alpha(matrix, "interval"),
        icc=icc([row[:2] for row in matrix]),
    )


def both(matrix: Matrix) -> Floats:
    """The first two columns where both have a mark, as an array of n × 2."""
    return _complete([(*row, None, None)[:2] for row in matrix], 2)


# ---- Shares and means ----------------------------------------------------------------------------


def exact(matrix: Matrix) -> Figure:
    """The share of submissions that the first two markers gave the same points."""
    return _share_within(matrix, 0)


def adjacent(matrix: Matrix) -> Figure:
    """The share of submissions whose first two marks are one point apart at most."""
    return _share_within(matrix, 1)


def share(hits: int, n: int) -> Figure:
    """A share with its interval.

    The interval is Wilson's (1927), Journal of the American Statistical Association, 22, 209–212:
    it holds for few cases, and for shares near 0 and 1, better than the usual one.
    """
    if n == 0:
        return Figure(why=NONE)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Figure(p, max(0.0, middle - half), min(1.0, middle + half), n)


def mean(values: Sequence[float] | Floats) -> Figure:
    """The mean of differences in points, with Student's interval."""
    from scipy import stats  # takes a third of a second to load, which a page needn't wait for

    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Figure(why=NONE)
    value = float(array.mean())
    if n == 1:
        return Figure(value, n=1, why="a single one has no spread")
    error = float(array.std(ddof=1)) / math.sqrt(n)
    # Sums of equal fractions may differ in their last binary digit.
    if error < 1e-12:
        return Figure(value, n=n, why="all differences are the same")
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * error
    return Figure(value, value - half, value + half, n)


def _share_within(matrix: Matrix, points: float) -> Figure:
    pairs = both(matrix)
    return share(int((np.abs(pairs[:, 0] - pairs[:, 1]) <= points).sum()), len(pairs))


def _by_chance(pairs: Floats, points: float) -> float | None:
    """The share of all possible pairings of the two markers' marks that are so close."""
    if not len(pairs):
        return None
    return float((np.abs(pairs[:, :1] - pairs[:, 1]) <= points).mean())


# ---- Weighted kappa ------------------------------------------------------------------------------


def kappa(matrix: Matrix, weights: Literal["linear", "quadratic"]) -> Figure:
    """Weighted kappa of the first two markers (Cohen 1968).

    A disagreement weighs as many points as it has (linear), or their square (quadratic).
    Cohen, J. (1968). Psychological Bulletin, 70(4), 213–220. https://doi.org/10.1037/h0026256
    """
    pairs = both(matrix)
    values, places = np.unique(pairs, return_inverse=True)
    counts = np.zeros((len(values), len(values)))
    places = places.reshape(pairs.shape)
    np.add.at(counts, (places[:, 0], places[:, 1]), 1)
    apart = np.abs(values[:, None] - values)
    return kappa_of(counts, apart if weights == "linear" else apart**2)


def kappa_of(counts: Floats, weights: Floats) -> Figure:
    """Weighted kappa of a square table.

    ``counts`` has the first marker's marks in its rows and the second's in its columns, ``weights``
    what each disagreement weighs, with 0 on its diagonal. The interval is the large-sample one of
    Fleiss, J. L., Cohen, J., & Everitt, B. S. (1969). Psychological Bulletin, 72(5), 323–327,
    equation 9: with few submissions it is rough.
    """
    n = int(counts.sum())
    if n < 2:
        return Figure(n=n, why=ONE if n else NONE)
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected = float(rows @ weights @ columns)
    if expected == 0:
        return Figure(n=n, why=SAME)
    value = 1 - float((weights * p).sum()) / expected
    # Whole counts: shares of them may sum to a hair less than 1.
    if max(counts.sum(axis=1).max(), counts.sum(axis=0).max()) == counts.sum():
        return Figure(0.0, n=n, why=CONSTANT)
    if value == 1:
        return Figure(1.0, n=n, why=NEVER)
    close = 1 - weights / weights.max()
    observed, chance = float((close * p).sum()), float(rows @ close @ columns)
    usual = (close @ columns)[:, None] + (rows @ close)
    spread = float((p * (close * (1 - chance) - usual * (1 - observed)) ** 2).sum())
    spread -= (observed * chance - 2 * chance + observed) ** 2
    error = math.sqrt(max(0.0, spread) / n) / (1 - chance) ** 2
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * error
    return Figure(value, max(-1.0, value - half), min(1.0, value + half), n)


# ---- Krippendorff's alpha ------------------------------------------------------------------------


def alpha(matrix: Matrix, metric: Literal["nominal", "ordinal", "interval"]) -> Figure:
    """Krippendorff's alpha over all markers; marks may be missing.

    Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    The interval is a percentile bootstrap over submissions, as Zapf, A., Castell, S., Morawietz,
    L., & Karch, A. (2016) advise. BMC Medical Research Methodology, 16, 93.
    """
    units = [[float(m) for m in row if _is_mark(m)] for row in matrix]
    # In an order of their own, so that the resamples don't depend on the order of the rows.
    units = sorted(unit for unit in units if len(unit) > 1)
    values = sorted({mark for unit in units for mark in unit})
    n = len(units)
    if n < 2:
        return Figure(n=n, why=ONE if n else NONE)
    if len(values) < 2:
        return Figure(n=n, why=SAME)
    counts = np.array([[unit.count(value) for value in values] for unit in units])
    value = krippendorff.alpha(
        value_counts=counts, value_domain=values, level_of_measurement=metric
    )
    if all(len(set(unit)) == 1 for unit in units):
        return Figure(1.0, n=n, why=NEVER)
    value = float(value)
    coincidences = _coincidences(counts)
    draws = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), DRAWS)
    drawn = _alphas(
        (draws @ coincidences.reshape(n, -1)).reshape(DRAWS, *coincidences.shape[1:]),
        np.array(values),
        metric,
    )
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < CONFIDENCE * DRAWS:
        return Figure(value, n=n, why="too few submissions differ from one another")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Figure(value, float(low), float(high), n)


def _coincidences(counts: NDArray[np.int_]) -> Floats:
    """Each unit's part of the coincidence matrix: from n × values to n × values × values."""
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    parts: Floats = pairs / (counts.sum(axis=1) - 1)[:, None, None]
    return parts


def _alphas(coincidences: Floats, values: Floats, metric: str) -> Floats:
    """Alpha of many coincidence matrices at once; NaN where all marks are the same.

    It is the library's own sum, over all resamples in one go: one by one they would take minutes.
    """
    often = coincidences.sum(axis=2)
    total = often.sum(axis=1)
    if metric == "ordinal":
        # Marks up to and with a level, less half of the level's own: differences of mid-ranks.
        ranks = np.cumsum(often, axis=1) - often / 2
        apart = (ranks[:, :, None] - ranks[:, None, :]) ** 2
    elif metric == "interval":
        apart = ((values[:, None] - values) ** 2)[None]
    else:
        apart = (values[:, None] != values).astype(float)[None]
    observed = (coincidences * apart).sum(axis=(1, 2))
    expected = (often[:, :, None] * often[:, None, :] * apart).sum(axis=(1, 2)) / (total - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(expected > 0, 1 - observed / expected, np.nan)
    return found


# ---- Intraclass correlation ----------------------------------------------------------------------


def icc(matrix: Matrix) -> Figure:
    """ICC(2,1): absolute agreement of single marks, submissions and markers both taken as random.

    Only submissions that all markers marked count. Value and interval are those of
    Shrout, P. E., & Fleiss, J. L. (1979). Psychological Bulletin, 86(2), 420–428, as corrected by
    McGraw, K. O., & Wong, S. P. (1996). Psychological Methods, 1(1), 30–46 (case 2, ICC(A,1)).
    """
    markers = max((len(row) for row in matrix), default=0)
    marks = _complete(matrix, markers)
    n, k = marks.shape
    if n < 2 or k < 2:
        return Figure(n=n, why=ONE if n and k > 1 else NONE)
    if np.ptp(marks) == 0:
        return Figure(n=n, why=SAME)
    middle = marks.mean()
    of_rows, of_columns = marks.mean(axis=1) - middle, marks.mean(axis=0) - middle
    left = marks - middle - of_rows[:, None] - of_columns
    bms = k * float((of_rows**2).sum()) / (n - 1)
    jms = n * float((of_columns**2).sum()) / (k - 1)
    # What is not zero only by rounding would pass for a disagreement.
    ems = max(0.0, float((left**2).sum()) / ((n - 1) * (k - 1)))
    ems = 0.0 if ems < 1e-12 else ems
    jms = 0.0 if jms < 1e-12 else jms
    below = bms + (k - 1) * ems + k * (jms - ems) / n
    if below < 1e-12:
        return Figure(n=n, why="the marks of these submissions cancel out")
    value = (bms - ems) / below
    if ems == 0 and jms == 0:
        return Figure(1.0, n=n, why=NEVER)
    low, high = _icc_interval(n, k, bms, jms, ems)
    if low is None or high is None:
        return Figure(value, n=n, why="too few submissions were marked")
    if not low <= value <= high:
        return Figure(value, n=n, why="the submissions differ less than the markers do")
    # With two or three submissions the estimate itself may lie below -1.
    return Figure(value, min(value, max(-1.0, low)), min(1.0, high), n)


def _icc_interval(
    n: int, k: int, bms: float, jms: float, ems: float
) -> tuple[float | None, float | None]:
    """The interval of ICC(2,1) from the mean squares of rows, columns and what is left."""
    from scipy import stats

    rho = (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n)
    # Shrout and Fleiss divide by EMS; multiplied out, this holds for EMS = 0, too.
    a, b = k * rho * jms, (n * (1 + (k - 1) * rho) - k * rho) * ems
    below = (n - 1) * a * a + b * b
    freedom = (k - 1) * (n - 1) * (a + b) ** 2 / below if below else 0.0
    if freedom <= 0:
        return None, None
    point = (1 + CONFIDENCE) / 2
    over, under = stats.f.ppf(point, n - 1, freedom), stats.f.ppf(point, freedom, n - 1)
    if not (math.isfinite(over) and math.isfinite(under)):
        return None, None
    rest = k * jms + (k * n - k - n) * ems
    low = n * (bms - over * ems) / (over * rest + n * bms)
    high = n * (under * bms - ems) / (rest + n * under * bms)
    return float(low), float(high)


# ---- Words ---------------------------------------------------------------------------------------


def describe(found: Agreement, levels: Sequence[float] = (0, 1, 2, 3, 4)) -> tuple[str, ...]:
    """What the figures mean, in sentences. No verdict: that depends on what the marks decide."""
    if found.n == 0:
        return ("No submission has two marks here yet, so there is nothing to compare.",)
    said = [_counted(found), _how_sure(found, len(levels))]
    said += [_direction(found)] if found.n > 1 else []
    said += _beyond_chance(found)
    said.append(
        "No figure says by itself whether this is enough: look at the marks that differ most, "
        "and at why."
    )
    return tuple(said)


def _counted(found: Agreement) -> str:
    same, near = found.exact.value or 0.0, found.adjacent.value or 0.0
    one = found.n == 1
    text = (
        f"{found.n} {'mark was' if one else 'marks were'} given twice. In {_of(same, found.n)} the "
        f"points are the same, in {_of(near, found.n)} they are one apart at most."
    )
    if found.n > 1 and found.exact_by_chance is not None and found.adjacent_by_chance is not None:
        text += (
            f" Two markers who gave the same marks as often, but by lot, would have the same in "
            f"{found.exact_by_chance:.0%} and one apart at most in {found.adjacent_by_chance:.0%}."
        )
    return text


def _how_sure(found: Agreement, levels: int) -> str:
    n = found.n
    if n < 10:
        return (
            f"With {n} there is hardly anything to say about agreement in general: a single mark "
            "changes every figure. Use them to find what to talk about."
        )
    if n < 30:
        return (
            f"With only {n}, and {levels} levels to choose from, most pairs of levels never occur "
            "and the intervals are wide. Read the interval first and the figure in front of it "
            "second; intervals of kappa and ICC are themselves rough below 30."
        )
    if n < 100:
        return (
            f"With {n} the figures show the size of things, not their second decimal: anything "
            "inside an interval goes with these marks."
        )
    return f"With {n} the intervals are narrower; anything inside them still goes with these marks."


def _direction(found: Agreement) -> str:
    difference = found.difference
    value = difference.value or 0.0
    if abs(value) < 0.005:
        return "On average neither mark is higher."
    way = "higher" if value > 0 else "lower"
    text = f"On average the second mark is {abs(value):.2f} points {way} than the first"
    if difference.low is None or difference.high is None:
        return f"{text}."
    text += f" ({_number(difference.low)} to {_number(difference.high)})"
    if difference.low <= 0 <= difference.high:
        return f"{text}; the interval holds 0, so it may be chance."
    return f"{text}: the two have different measures, and not only different views of one answer."


def _beyond_chance(found: Agreement) -> list[str]:
    said = []
    leading = found.alpha_ordinal
    if leading.value is None:
        said.append(
            f"Kappa, alpha and ICC compare agreement with chance; alpha is {leading}. "
            "That is not a fault of the marks."
        )
    elif leading.low is not None and leading.high is not None:
        text = (
            "1 is full agreement and 0 what lots would give. Krippendorff's alpha for ordered "
            f"levels is {leading}"
        )
        if leading.low <= 0:
            said.append(f"{text}: from these marks alone, agreement by chance can't be ruled out.")
        elif leading.high - leading.low > 0.4:
            said.append(f"{text}: too wide to tell weak agreement from strong.")
        else:
            said.append(f"{text}.")
    else:
        said.append(f"Krippendorff's alpha for ordered levels is {leading}.")
    bunched = found.commonest is not None and found.commonest >= 0.7
    if bunched and found.commonest is not None and leading.value is not None:
        said.append(
            f"{found.commonest:.0%} of all marks are the same one. Where marks are bunched like "
            "that, kappa, alpha and ICC come out low although few marks differ."
        )
    return said


# ---- Small things --------------------------------------------------------------------------------


def _is_mark(mark: float | None) -> TypeGuard[float]:
    return mark is not None and not math.isnan(mark)


def _complete(matrix: Matrix, columns: int) -> Floats:
    """The rows in which no mark is missing, as an array of n × columns."""
    full = [row for row in matrix if len(row) == columns and all(map(_is_mark, row))]
    return np.array(full, dtype=float).reshape(len(full), columns)


def _of(value: float, n: int) -> str:
    return f"{round(value * n)} of {n} ({value:.0%})"


def _number(value: float) -> str:
    """Two decimals, with a true minus, and no minus before a zero."""
    text = f"{abs(value):.2f}"
    return f"−{text}" if value < 0 and text != "0.00" else text  # noqa: RUF001 (a true minus)

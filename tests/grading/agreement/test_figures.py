"""Figures of agreement equal published examples and what an independent computation gives.

The independent computations here go another way than the module: pair by pair, in fractions, from
the definitions; the ICC through sums of squares of a two-way analysis of variance.
"""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pcn_course.grading.agreement import figures
from pcn_course.grading.agreement.figures import (
    Figure,
    Matrix,
    alpha,
    describe,
    icc,
    kappa,
    kappa_of,
)

# Krippendorff (2011), section D: four observers, twelve units, marks missing.
KRIPPENDORFF = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
# Shrout & Fleiss (1979), table 2: six targets, four judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]
]  # fmt: skip
# Cohen (1968): two psychiatrists, 200 patients, three diagnoses.
COHEN = np.array([[88, 10, 2], [14, 40, 6], [18, 10, 12]], dtype=float)
COHEN_WEIGHTS = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]], dtype=float)

MARKS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, 4.0]))
MATRICES = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(MARKS, min_size=k, max_size=k), min_size=1, max_size=14)
)


# ---- Published examples --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_equals_krippendorffs_example(metric: str, published: float) -> None:
    units = zip(*(line.split() for line in KRIPPENDORFF), strict=True)
    found = alpha([[None if m == "." else int(m) for m in unit] for unit in units], metric)  # type: ignore[arg-type]
    assert found.value is not None
    assert round(found.value, 3) == published
    assert found.n == 11  # the twelfth unit has one mark only
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high <= 1


def test_the_order_of_rows_changes_no_interval() -> None:
    matrix: Matrix = [[1, 2], [2, 2], [4, 3], [0, 0], [3, 1], [2, 3], [4, 4]]
    assert alpha(matrix, "ordinal") == alpha(matrix[::-1], "ordinal")


def test_icc_equals_shrout_and_fleiss() -> None:
    found = icc(SHROUT_FLEISS)
    assert found.value is not None
    assert round(found.value, 2) == 0.29
    # The interval as R's psych and irr print it for these data.
    assert found.low == pytest.approx(0.019, abs=0.001)
    assert found.high == pytest.approx(0.761, abs=0.001)


def test_weighted_kappa_equals_cohens_example() -> None:
    found = kappa_of(COHEN, COHEN_WEIGHTS)
    assert found.value is not None
    assert round(found.value, 3) == 0.348
    unweighted = kappa_of(COHEN, 1 - np.eye(3))
    assert unweighted.value is not None
    assert round(unweighted.value, 3) == 0.492


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857–872, table I: 81 of 263 and 15 of 148.
    for hits, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        found = figures.share(hits, n)
        assert found.low == pytest.approx(low, abs=5e-5)
        assert found.high == pytest.approx(high, abs=5e-5)
    assert figures.share(0, 20).low == 0
    assert figures.share(20, 20).high == 1


# ---- Independent computations --------------------------------------------------------------------


def by_hand_alpha(matrix: Matrix, metric: str) -> Fraction | None:
    """One minus observed over expected disagreement, from every single pair of marks."""
    units = [[Fraction(m) for m in row if m is not None] for row in matrix]
    units = [unit for unit in units if len(unit) > 1]
    every = [mark for unit in units for mark in unit]

    def apart(one: Fraction, other: Fraction) -> Fraction:
        if metric == "nominal":
            return Fraction(one != other)
        if metric == "interval":
            return (one - other) ** 2
        low, high = sorted((one, other))
        between = sum(low <= mark <= high for mark in every)
        ends = Fraction(every.count(low) + every.count(high), 2)
        return (between - ends) ** 2 if low != high else Fraction(0)

    observed = Fraction(0)
    for unit in units:
        for one, other in itertools.permutations(unit, 2):
            observed += apart(one, other) / (len(unit) - 1) / len(every)
    expected = Fraction(0)
    for one, other in itertools.permutations(every, 2):
        expected += apart(one, other) / (len(every) * (len(every) - 1))
    return 1 - observed / expected if expected else None


@settings(deadline=None, max_examples=150)
@given(MATRICES, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_alpha_is_what_its_definition_gives(matrix: Matrix, metric: str) -> None:
    found = alpha(matrix, metric)  # type: ignore[arg-type]
    if found.value is None:
        assert found.why
        assert found.n < 2 or by_hand_alpha(matrix, metric) is None
        return
    wanted = by_hand_alpha(matrix, metric)
    assert wanted is not None
    assert found.value == pytest.approx(float(wanted), abs=1e-9)


def by_hand_kappa(pairs: list[tuple[float, float]], power: int) -> Fraction | None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    observed = sum(abs(Fraction(a) - Fraction(b)) ** power for a, b in pairs) * len(pairs)
    expected = sum(abs(Fraction(a) - Fraction(b)) ** power for a in first for b in second)
    return 1 - Fraction(observed) / expected if expected else None


@settings(deadline=None, max_examples=150)
@given(MATRICES, st.sampled_from([("linear", 1), ("quadratic", 2)]))
def test_kappa_is_what_its_definition_gives(matrix: Matrix, how: tuple[str, int]) -> None:
    weights, power = how
    pairs = [(r[0], r[1]) for r in matrix if r[0] is not None and r[1] is not None]
    found = kappa(matrix, weights)  # type: ignore[arg-type]
    wanted = by_hand_kappa(pairs, power) if len(pairs) > 1 else None
    if found.value is None:
        assert wanted is None
        assert found.why
    else:
        assert wanted is not None
        assert found.value == pytest.approx(float(wanted), abs=1e-9)


def test_kappas_interval_is_near_what_resampling_gives() -> None:
    lots = random.Random(4)
    pairs = [
        (a := lots.randrange(5), min(4, max(0, a + lots.choice([-1, 0, 0, 0, 1, 2]))))
        for _ in range(200)
    ]
    found = kappa([[float(a), float(b)] for a, b in pairs], "quadratic")
    drawn = []
    for _ in range(500):
        first, second = np.array(lots.choices(pairs, k=200), dtype=float).T
        expected = ((first[:, None] - second) ** 2).mean()
        drawn.append(1 - ((first - second) ** 2).mean() / expected)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def by_hand_icc(marks: list[list[float]]) -> Fraction:
    """McGraw and Wong's ICC(A,1), from sums of squares as a textbook's two-way table has them."""
    n, k = len(marks), len(marks[0])
    x = [[Fraction(mark) for mark in row] for row in marks]
    correction = sum((mark for row in x for mark in row), Fraction(0)) ** 2 / (n * k)
    squares = sum((mark**2 for row in x for mark in row), Fraction(0)) - correction
    rows = sum((sum(row, Fraction(0)) ** 2 for row in x), Fraction(0)) / k - correction
    columns = sum((sum(c, Fraction(0)) ** 2 for c in zip(*x, strict=True)), Fraction(0)) / n
    columns -= correction
    msr, msc = rows / (n - 1), columns / (k - 1)
    mse = (squares - rows - columns) / ((n - 1) * (k - 1))
    return (msr - mse) / (msr + (k - 1) * mse + Fraction(k, n) * (msc - mse))


@settings(deadline=None, max_examples=100)
@given(MATRICES)
def test_icc_is_what_an_analysis_of_variance_gives(matrix: Matrix) -> None:
    full = [[m for m in row if m is not None] for row in matrix if None not in row]
    found = icc(matrix)
    assert found.n == len(full)
    if found.value is None:
        assert found.why
        return
    assert found.value == pytest.approx(float(by_hand_icc(full)), abs=1e-9)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value + 1e-9
        assert found.high >= found.value - 1e-9


def test_the_iccs_interval_holds_what_it_says_it_does() -> None:
    # Made with a true ICC of 1 / (1 + 0.25 + 0.5): 95 % of intervals should hold it.
    lots = np.random.default_rng(1)
    true, held, rounds = 1 / 1.75, 0, 400
    for _ in range(rounds):
        marks = (
            lots.normal(0, 1, (30, 1))
            + lots.normal(0, math.sqrt(0.25), (1, 6))
            + lots.normal(0, math.sqrt(0.5), (30, 6))
        )
        found = icc(marks.tolist())
        assert found.low is not None
        assert found.high is not None
        held += found.low <= true <= found.high
    print(f"{held} of {rounds} intervals hold the true value")
    assert stats.binomtest(held, rounds, 0.95).pvalue > 0.001


# ---- Where there is no figure --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([], "nothing was marked by both"),
        ([[1, None]], "nothing was marked by both"),
        ([[1, 2]], "at least two"),
        ([[2, 2], [2, 2]], "all marks are the same"),
    ],
)
def test_a_figure_that_the_marks_cannot_give_says_why(matrix: Matrix, why: str) -> None:
    for found in (
        alpha(matrix, "ordinal"), kappa(matrix, "linear"), kappa(matrix, "quadratic"), icc(matrix)
    ):  # fmt: skip
        assert found.value is None
        assert why in found.why
        assert str(found).startswith("not computed because")


def test_full_agreement_is_one_without_an_interval() -> None:
    matrix = [[1, 1], [2, 2], [4, 4]]
    for found in (alpha(matrix, "interval"), kappa(matrix, "linear"), icc(matrix)):
        assert found.value == 1
        assert found.low is None
        assert "never differ" in found.why
    assert str(Figure(-0.001, -0.2, 0.3, 5)) == "0.00 (−0.20 to 0.30)"  # noqa: RUF001


def test_a_marker_who_always_gives_the_same_gets_zero_and_a_reason() -> None:
    found = kappa([[2, 1], [2, 3], [2, 2]], "linear")
    # Here the shares of 1, 4 and 1 in 6 sum to less than 1.
    six = kappa([[3, 2], *[[3, 3]] * 4, [3, 4]], "quadratic")
    assert (six.value, six.low, six.why) == (0, None, found.why)
    assert found.value == 0
    assert "one marker gave the same points everywhere" in found.why


# ---- All together, and in words ------------------------------------------------------------------


def test_all_figures_of_two_markers() -> None:
    matrix: Matrix = [[1, 1], [2, 3], [4, 2], [0, 0], [3, 3], [2, None]]
    found = figures.agreement(matrix)
    assert found.n == 5
    assert found.exact.value == pytest.approx(3 / 5)
    assert found.adjacent.value == pytest.approx(4 / 5)
    assert found.difference.value == pytest.approx(-1 / 5)
    said = " ".join(describe(found))
    assert "3 of 5 (60%)" in said
    assert "4 of 5 (80%)" in said
    assert "hardly anything" in said  # at this n
    assert describe(figures.agreement([]))[0].startswith("No submission has two marks")


@pytest.mark.parametrize(
    ("n", "words"), [(5, "hardly"), (20, "With only 20"), (60, "second decimal"), (150, "narrower")]
)
def test_the_words_know_how_many_there_are(n: int, words: str) -> None:
    lots = random.Random(n)
    matrix = [[a := lots.randrange(5), min(4, a + lots.randrange(2))] for _ in range(n)]
    said = describe(figures.agreement(matrix))
    assert words in said[1]
    if n > 5:
        assert any("higher than the first" in one for one in said)


def test_bunched_marks_are_said_to_lower_the_figures() -> None:
    matrix: Matrix = [[3, 3]] * 18 + [[3, 2], [2, 3]]
    found = figures.agreement(matrix)
    assert found.exact.value == 0.9
    assert found.alpha_ordinal.value is not None
    assert found.alpha_ordinal.value < 0.1
    assert any("bunched" in one for one in describe(found))

"""Verdicts on published figures: what was printed, as data,
and the criterion that belongs to each kind of figure.

    judge(figure, measured) -> Finding(verdict, why)

Every criterion is a pure function with four ways out. It says *not reproduced* where what we measured
contradicts the figure at a stated false-alarm rate; *reproduced* where it does not, although half or twice
the figure would have been; *not contradicted* where these would mostly have passed as well; and *not
testable* where nothing that could have come out would have told. A write-up's figure that its source does not
print is *no such figure in the source*, whatever we measure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.replication.figure import (
    Attributed,
    Digits,
    Elsewhere,
    Fact,
    Mean,
    Measured,
    Order,
    Range,
    Rate,
    Side,
    plain,
)
from harness.statistics import claim_power, wilson

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_CONTRADICTED = "not contradicted"
NO_SUCH_FIGURE, NOT_TESTABLE = "no such figure in the source", "not testable"
VERDICTS = (REPRODUCED, NOT_CONTRADICTED, NOT_REPRODUCED, NO_SUCH_FIGURE, NOT_TESTABLE)

ALARM = 0.01  # probability of calling a true figure not reproduced
# the same for the figure of a single run, which lies outside the central 95 % of all runs so often
ONE_RUN = 0.05
POWER = 0.8  # against half or twice the figure, where it is called reproduced
FEWEST = 39  # replicas, of which the smallest and the largest span 95 % of what one more run may do
WIDEST = 0.3  # of the interval of a rate that may be called reproduced
ROUNDING = 1e-9  # of a probability
HAIR = 1.02  # on half a unit of the last digit: decimal fractions are not binary ones


class Finding(NamedTuple):
    """What a criterion says, and what it saw."""

    verdict: str
    why: str


@singledispatch
def judge(figure: Any, measured: Measured) -> Finding:
    """The verdict on a printed figure, by the criterion that belongs to its kind."""
    raise TypeError(f"there is no criterion for {figure!r}")


@judge.register
def _(figure: Order, measured: Measured) -> Finding:
    """Both samples from one distribution, of which the figure is the r-th of N: how many of our n lie at or
    below it is beta-binomial(n, r, N + 1 − r), whatever that distribution is; two-sided, ties counted on both
    sides.

    False alarm at most 1 %, and 5 % for a single run (the central 95 % of ours, failures at ∞, is a
    prediction interval). With n = N = 100 runs of a spread like that of the symmetry task a factor of three
    between the medians is missed less than 1 time in 10; an extreme says only that there is
    nothing beyond it, and a single run can only contradict by lying outside of nearly all of ours. So it is
    reproduced only if half the figure and twice of it would be contradicted, both. Replicas that were not
    watched long enough may lie on either side: the verdict stands only if it stands for both.
    """
    n, level = len(measured.least), ONE_RUN if figure.runs == 1 else ALARM
    if n < FEWEST:
        return Finding(NOT_TESTABLE, f"{n} replicas say too little about a distribution: {FEWEST} are needed")

    def p_of(value: float) -> tuple[float, float]:
        return order_p(value, figure.rank, figure.runs, measured.least, measured.most)

    p_least, p_most = p_of(figure.value)
    share = float(np.mean(measured.most <= figure.value))
    seen = f"{100 * share:.1f} % of ours lie at or below {plain(figure.value)}"
    if p_most <= level * (1 + ROUNDING):
        return Finding(NOT_REPRODUCED, f"{seen}, {_p(p_most)}")
    if p_least > level * (1 + ROUNDING):
        told = all(p_of(value)[1] <= level * (1 + ROUNDING) for value in _others(figure.value))
        return _not_contradicted(f"{seen}, {_p(p_least)}", told)
    return Finding(NOT_TESTABLE, f"{seen}, but the others were not watched long enough to tell")


def order_p(value: float, rank: int, runs: int, least: ArrayLike, most: ArrayLike) -> tuple[float, float]:
    """The two-sided p-value of an order statistic: the least and the most that it can be.

    `value` was the `rank`-th of somebody's `runs`; our replicas lie between `least` and `most` each. If both
    are draws from one distribution, how many of our n lie at or below `value` is beta-binomial. Where a
    replica was not watched to its end only bounds on that number are known, and so bounds on p.
    """
    low, high = np.asarray(least, float), np.asarray(most, float)
    unknown = low < high  # was watched up to `low` and had not come to it
    surely_at_most = int(np.sum(high <= value))
    perhaps_at_most = int(np.sum((low < value) | (high <= value)))
    surely_below = int(np.sum(high < value))
    perhaps_below = int(np.sum((low < value) & (unknown | (high < value))))
    law = len(low), rank, runs + 1 - rank
    return (
        _two_sided(surely_at_most, perhaps_below, law),
        _two_sided(perhaps_at_most, surely_below, law),
    )


def _two_sided(at_most: int, below: int, law: tuple[int, int, int]) -> float:
    """Twice the smaller tail of beta-binomial counts: P(≤ `at_most`) or P(≥ `below`)."""
    from scipy.stats import betabinom

    return float(2 * min(betabinom.cdf(at_most, *law), betabinom.sf(below - 1, *law)))


@judge.register
def _(figure: Rate, measured: Measured) -> Finding:
    """Two binomial samples with one rate: Fisher's exact test, two-sided.

    False alarm at most 1 %. *Reproduced* also needs our own 95 % Wilson interval to be no wider than .3 (ten
    replicas at the ends, forty in the middle), and as many of ours and theirs that a truth of half or twice
    the printed share would be contradicted in four of five cases (`claim_power`).
    """
    from scipy.stats import fisher_exact

    def p(hits: int) -> float:
        table = [[hits, measured.n - hits], [figure.hits, figure.n - figure.hits]]
        return float(fisher_exact(table)[1])

    sure, possible = int(measured.least.sum()), int(measured.most.sum())
    found = [p(hits) for hits in range(sure, possible + 1)]
    if max(found) <= ALARM:
        return Finding(NOT_REPRODUCED, f"two rates, {_p(max(found))}")
    if possible > sure and min(found) <= ALARM:
        return Finding(
            NOT_TESTABLE, f"{possible - sure} of {measured.n} replicas were not watched long enough to tell"
        )
    low, high = wilson(sure, measured.n)[0], wilson(possible, measured.n)[1]
    if high - low > WIDEST:
        return Finding(
            NOT_TESTABLE,
            f"the rate is known to {100 * (high - low):.0f} points only: more replicas are needed",
        )
    if min(p(0), p(measured.n)) > ALARM:
        return Finding(
            NOT_TESTABLE, f"{figure.n} published runs could not be contradicted by {measured.n} of ours"
        )
    power = claim_power(figure.hits, figure.n, measured.n, ALARM)
    return _not_contradicted(f"one rate, {_p(min(found))}", power >= POWER)


@judge.register
def _(figure: Mean, measured: Measured) -> Finding:
    """Two samples of one distribution with finite variance:
    z = (theirs − ours) / (s √(1/n + 1/N)) against t with n − 1 degrees.

    False alarm 1 % where means are near normal. Reproduced if half and twice of it would be contradicted.
    What was never reached has no mean.
    """
    from scipy.stats import t

    values = measured.least
    if len(values) < FEWEST or not np.isfinite(measured.most).all():
        return Finding(
            NOT_TESTABLE,
            f"{len(values)} replicas, of which all must come to it and {FEWEST} are needed for a mean",
        )
    error = float(values.std(ddof=1)) * math.sqrt(1 / len(values) + 1 / figure.runs)

    def p_of(value: float) -> float:
        gap = abs(value - float(values.mean()))
        return float(2 * t.sf(gap / error, len(values) - 1)) if error else float(gap == 0)

    gap, p = abs(figure.value - float(values.mean())), p_of(figure.value)
    seen = f"means differ by {gap:.3g} ± {error:.2g}, {_p(p)}"
    if p <= ALARM:
        return Finding(NOT_REPRODUCED, seen)
    return _not_contradicted(seen, all(p_of(value) <= ALARM for value in _others(figure.value)))


@judge.register
def _(figure: Digits, measured: Measured) -> Finding:
    """Equal to the printed digits: within half a unit of the last one. No chance in it, no false alarm."""
    if len(measured.digits) != len(figure.values):
        return Finding(
            NOT_TESTABLE, f"{len(figure.values)} numbers are printed and {len(measured.digits)} were computed"
        )
    gap = float(np.abs(np.subtract(measured.digits, figure.values)).max())
    same = gap <= figure.digit / 2 * HAIR
    return Finding(
        REPRODUCED if same else NOT_REPRODUCED,
        f"largest difference {gap:.2g}, half a digit is {figure.digit / 2:.2g}",
    )


@judge.register
def _(figure: Side, measured: Measured) -> Finding:
    """Our 99 % interval lies on one side of the bound.

    False alarm at most .5 %, one end of it; on both sides nothing is said.
    """
    side = "above" if figure.above else "below"
    low, high = (measured.low, measured.high) if figure.above else (-measured.high, -measured.low)
    bound = figure.bound if figure.above else -figure.bound
    if low > bound:
        return Finding(REPRODUCED, f"all of the interval is {side} {plain(figure.bound)}")
    if high < bound:
        return Finding(NOT_REPRODUCED, f"none of the interval is {side} {plain(figure.bound)}")
    return Finding(
        NOT_TESTABLE, f"the interval reaches to both sides of {plain(figure.bound)}: more replicas are needed"
    )


@judge.register
def _(figure: Range, measured: Measured) -> Finding:
    """Our 99 % interval lies within the printed range, or wholly outside.

    False alarm at most 1 % for a value inside of it.
    """
    if figure.low <= measured.low and measured.high <= figure.high:
        return Finding(REPRODUCED, "the interval lies within it")
    if measured.high < figure.low or figure.high < measured.low:
        return Finding(NOT_REPRODUCED, "the interval lies outside of it")
    return Finding(NOT_TESTABLE, "the interval reaches over an end of it: more replicas are needed")


@judge.register
def _(figure: Elsewhere, measured: Measured) -> Finding:
    """A figure of another setting than ours: nothing of ours speaks for it or against it."""
    return Finding(NOT_TESTABLE, figure.reason)


@judge.register
def _(figure: Attributed, measured: Measured) -> Finding:
    """Every assertion must stand in the source's own facts:
    the same quantity, of the same thing, with the same value.

    A comparison of texts as data, without chance. Only if all of them do is the figure judged by what we
    measured.
    """
    absent = [fact for fact in figure.asserted if not figure.source.prints(fact)]
    if absent:
        return Finding(NO_SUCH_FIGURE, f"{figure.source.name} has {_instead(figure, absent)}")
    if figure.then is None:
        return Finding(NOT_TESTABLE, f"{figure.source.name} prints it, and there is nothing to run")
    return judge(figure.then, measured)


def _instead(figure: Attributed, absent: Sequence[Fact]) -> str:
    """What a source prints where something else was attributed to it."""
    source = figure.source
    near = [own for fact in absent for own in source.nearest(fact)] + [*source.of(*figure.beside)]
    silent = [fact for fact in absent if not source.nearest(fact)]
    said_not = [f"no {fact}" if fact.value is True else f"no {fact.what} of {fact.of}" for fact in silent]
    return "; ".join([*map(str, dict.fromkeys(near)), *dict.fromkeys(said_not)])


def _others(value: float) -> tuple[float, float]:
    """Figures that a measurement which says anything of this one tells from it: half, and twice."""
    return value / 2, value * 2


def _not_contradicted(seen: str, told: bool) -> Finding:
    if told:
        return Finding(REPRODUCED, seen)
    return Finding(NOT_CONTRADICTED, f"{seen}; but so few do not tell it from half or twice of it")


def _p(p: float) -> str:
    return "p < 1e-6" if p < 1e-6 else f"p = {min(1.0, p):.2g}"

"""How many replicas does a question take, and would so many have told?

Planned before anything is run: n for an interval of a wished width, n for telling two rules apart, and the
chance that a comparison or a verdict sees a difference that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import Interval, check_level
from harness.statistics.censored import Replicas
from harness.statistics.paired import paired_difference
from harness.statistics.proportion import clopper_pearson, wilson

Array = Any
CELLS, RESAMPLES = 400, 400
ENUMERATED = 1000  # replicas a side; of more, the normal law is as good
IN_A_ROW = 10  # numbers of replicas that must all do: the power of an exact test rises in saw-teeth
DEVIATIONS = 9  # beyond so many of them a sum is as good as empty
ROUNDING = 1e-9  # of a probability; a level or a power is no nearer to 0 or 1
LARGEST = 100_000  # replicas a side, where each is simulated or every count of them is judged
HUGE = 1e6  # of a ratio, and of what is measured in means
NO_PLAN = 2**40  # replicas
STRICTEST = 0.999  # level of simulated intervals: it takes resamples in proportion
VERDICT = 0.01  # alarm of a verdict on a printed share


def replicas_for_width(rate: float, width: float, level: float = 0.95) -> int:
    """n for which Wilson's interval of a solved share is no wider than `width` where `rate` · n are solved.

    The larger root, rounded up, of width · (n + z²) = 2 z √(n p (1 − p) + z² / 4), which is the difference of
    the ends in `wilson`.

    Raises `InputError` for a rate not from 0 to 1 and a width or level not between 0 and 1.
    """
    _between("rate", rate, closed=True)
    _between("width", width)
    z = _normal(level)
    half = z * z * (2 * rate * (1 - rate) - width**2) / width**2
    root = half + sqrt(half**2 + z**4 * (1 - width**2) / width**2)
    return max(1, ceil(root * (1 - ROUNDING)))


def fisher_power(a: float, b: float, n: int, alarm: float = 0.05) -> float:
    """The chance that Fisher's exact test, two-sided, tells two solved shares apart with n replicas a side.

    By enumeration: Σ of the chances of all pairs of counts with p ≤ `alarm`. Among tables with m solved in
    all, a's count is hypergeometric and, the sides being as many, symmetric about m / 2: p is twice the
    smaller tail. The two share nothing: of pairs from the same starts, where these matter to both, McNemar's
    test sees more. Raises `InputError` for shares not from 0 to 1.
    """
    from scipy.special import gammaln
    from scipy.stats import binom

    _between("rates", a, closed=True)
    _between("rates", b, closed=True)
    _between("alarm", alarm)
    _replicas(n)
    k = np.arange(n + 1)
    spread = DEVIATIONS * (sqrt(n * (a * (1 - a) + b * (1 - b))) + 1)
    solved = np.arange(max(0, int(n * (a + b) - spread)), min(2 * n, ceil(n * (a + b) + spread)) + 1)
    other = solved[:, None] - k
    there = (other >= 0) & (other <= n)
    other = np.clip(other, 0, n)

    def ways(of: Any, some: Any) -> NDArray[np.float64]:
        return gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)

    own = ways(n, k)
    chance = np.where(there, np.exp(own + own[other] - ways(2 * n, solved)[:, None]), 0.0)
    low = there & (2 * np.cumsum(chance, axis=1) <= alarm * (1 + ROUNDING))
    of_a, of_b = binom.pmf(k, n, a), binom.pmf(k, n, b)
    return float(((of_a * of_b[other] + of_b * of_a[other]) * low).sum())


def replicas_for_two_rates(a: float, b: float, power: float = 0.8, alarm: float = 0.05) -> int:
    """n a side with which Fisher's exact test tells two solved shares apart in `power` of all cases.

    The smallest n such that it and the next nine have that power, by `fisher_power`. Beyond 1,000 a side it
    is that of the normal law with its correction, within 2 % of it for .9 against .95: Casagrande, Pike &
    Smith 1978, Biometrics 34:483-486.

    Raises `InputError` for equal shares, and for numbers that are no shares.
    """
    for name, value in (("power", power), ("alarm", alarm)):
        _between(name, value)
    for share in (a, b):
        _between("rates", share, closed=True)
    if abs(a - b) < 1 / HUGE:
        raise InputError(
            f"rates must be two that differ, by a millionth at least, but {a!r} and {b!r} were given"
        )
    normal = NormalDist()
    mean, gap = (a + b) / 2, abs(a - b)
    below = -normal.inv_cdf(alarm / 2) * sqrt(2 * mean * (1 - mean))
    above = normal.inv_cdf(power) * sqrt(a * (1 - a) + b * (1 - b))
    plain = max(below + above, 0.0) ** 2 / gap**2
    corrected = ceil(plain / 4 * (1 + sqrt(1 + 4 / max(plain * gap, ROUNDING))) ** 2)
    if corrected > ENUMERATED:
        return corrected
    n, row = max(1, int(0.8 * corrected)), 0
    while row < IN_A_ROW:
        row = row + 1 if fisher_power(a, b, n, alarm) >= power else 0
        n += 1
    return n - IN_A_ROW


def replicas_for_running_time(
    factor: float, rate: float, variation: float, failure: float, level: float = 0.95
) -> int:
    """n for which the interval of a running time reaches no further than from x to `factor` · x.

    Of `running_time`'s two intervals, laid over each other, at `rate` · n solved: what Clopper and Pearson
    allow, and for the bootstrap the normal law of ln ERT, whose variance is ÷ n that of

        spent / E[spent] − solved / rate

    Args:
        factor: upper ÷ lower end of the interval, above 1.
        rate: share of replicas that solve the task, above 0.
        variation: coefficient of variation (standard deviation ÷ mean) of what a solved replica spends.
        failure: what a replica that fails spends, in means of those that solve: budget ÷ mean time.
        level: of the interval.

    Returns:
        The number of replicas: a plan, not a promise; an interval is as wide as its replicas make it.
    """
    _running_time(rate, variation, failure)
    if not 1 < factor < np.inf:
        raise InputError(f"factor must be above 1, upper ÷ lower end, but {factor!r} was given")
    mean, z = rate + (1 - rate) * failure, _normal(level)
    of_solved = (1 / mean - 1 / rate) ** 2 + (variation / mean) ** 2
    variance = rate * of_solved + (1 - rate) * (failure / mean) ** 2

    def narrow(n: int) -> bool:
        least, most = (float(p) for p in clopper_pearson(rate * n, n, level))
        value, off = log(mean / rate), z * sqrt(variance / n)
        low = min(value - off, log(1 + failure * (1 - most) / most))
        high = max(value + off, log(1 + failure * (1 - least) / least) if least > 0 else np.inf)
        return high - low <= log(factor)

    return _first(narrow)


def running_time_power(
    ratio: float,
    n: int,
    rate: float,
    variation: float,
    failure: float,
    *,
    seed: int = 0,
    level: float = 0.95,
    cells: int = CELLS,
) -> Interval:
    """The chance that n replicas a side tell a ratio of two running times from 1, by simulation.

    Each of `cells` made-up comparisons has two rules that solve the task at `rate`, after lognormal times of
    this `variation`, or spend `failure`; all that one of them spends is `ratio` times as much. It is told
    where the interval of `paired_difference.log_ratio` excludes 1. The two share no luck: from the same
    starts, where these matter to both, the chance is better.

    Returns:
        The share of comparisons in which it is told, with its Wilson interval at 95 %.
    """
    _running_time(rate, variation, failure)
    check_level(level)
    _replicas(n)
    whole("cells", cells, 1)
    whole("seed", seed, 0)
    if level > STRICTEST:
        raise InputError(f"level must be at most {STRICTEST} for a simulation, but {level!r} was given")
    if not 1 / HUGE <= ratio <= HUGE:
        raise InputError(f"ratio must be above 0, from 1e-6 to a million, but {ratio!r} was given")
    rng, told = np.random.default_rng(seed), 0
    for cell in range(cells):
        sides = [_made_up(rng, n, rate, variation, failure, unit) for unit in (ratio, 1.0)]
        budgets = (_most(sides[0], ratio * failure), _most(sides[1], failure))
        found = paired_difference(*sides, seed=cell, budgets=budgets, level=level, resamples=_enough(level))
        told += found.log_ratio.low > 0 or found.log_ratio.high < 0
    return Interval(told / cells, *(float(end) for end in wilson(told, cells)))


def claim_power(hits: int, runs: int, n: int, alarm: float = VERDICT) -> float:
    """The chance that n of our replicas contradict a printed share if the truth is half or twice of it.

    The verdict on a `Rate` is *not reproduced* where Fisher's exact test of `hits` of `runs` beside ours has
    p ≤ `alarm`. Its power is summed over all counts that ours may come to, at half the printed share and,
    where that is a share, at twice; the smaller of the two. Of none in `runs` there is no half: then it is
    that of all of them, hits and misses exchanged. A figure that is not contradicted says *reproduced* only
    where this is high: else a share half as large would mostly not have been contradicted either.

    Args:
        hits: of the printed runs.
        runs: how many were printed.
        n: replicas of ours.
        alarm: false-alarm rate of the verdict.
    """
    from scipy.stats import binom, fisher_exact

    whole("hits", hits, 0)
    for name, number in (("runs", runs), ("n", n)):
        _replicas(number, name)
    if hits > runs:
        raise InputError(f"hits must be no more than runs, but {hits} of {runs} were given")
    _between("alarm", alarm)
    printed = hits or runs
    powers = []
    for share in {printed / runs / 2, 2 * printed / runs}:
        if share <= 1:
            chance = binom.pmf(np.arange(n + 1), n, share)
            some = np.flatnonzero(chance > ROUNDING / (n + 1))
            p = [fisher_exact([[k, n - k], [printed, runs - printed]])[1] for k in some.tolist()]
            powers.append(float(chance[some][np.array(p) <= alarm].sum()))
    return min(powers)


def _made_up(
    rng: np.random.Generator, n: int, rate: float, variation: float, failure: float, unit: float
) -> Replicas:
    """Replicas whose times of success are lognormal with mean 1, in this unit."""
    spread = sqrt(log(1 + variation**2))
    solved, time = rng.random(n) < rate, rng.lognormal(-(spread**2) / 2, spread, n)
    return Replicas(unit * np.where(solved, time, failure), solved)


def _most(side: Replicas, failure: float) -> float:
    """What a replica that fails spends, no less than any did."""
    return max(failure, float(np.max(side.time)))


def _enough(level: float) -> int:
    """Resamples, and swaps, with which a level can be reached."""
    return max(RESAMPLES, ceil(4 / (1 - level)))


def _first(does: Callable[[int], bool]) -> int:
    """The smallest n that does, where every larger one does."""
    high = 1
    while not does(high):
        if high >= NO_PLAN:
            raise InputError("it would take more than a trillion replicas: ask for less")
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if does(middle) else (middle, high)
    return high


def _running_time(rate: float, variation: float, failure: float) -> None:
    if not 0 < rate <= 1:
        raise InputError(f"rate must be a share above 0, at most 1, but {rate!r} was given")
    for name, value in (("variation", variation), ("failure", failure)):
        if not 0 <= value <= HUGE:
            raise InputError(f"{name} must be at least 0 and at most a million, but {value!r} was given")


def _replicas(n: int, name: str = "n") -> None:
    whole(name, n, 1)
    if n > LARGEST:
        raise InputError(f"{name} must be at most {LARGEST:,}, but {n:,} was given")


def _normal(level: float) -> float:
    """The normal quantile of (1 + level) / 2."""
    _between("level", level)
    return -NormalDist().inv_cdf((1 - level) / 2)


def _between(name: str, value: float, closed: bool = False) -> None:
    if not (0 <= value <= 1 if closed else ROUNDING <= value <= 1 - ROUNDING):
        allowed = "from 0 to 1" if closed else "above 0 and below 1, by a billionth at least"
        raise InputError(f"{name} must be {allowed}, but {value!r} was given")

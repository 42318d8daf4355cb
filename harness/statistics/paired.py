"""Two algorithms that started from the same initial weights: differences, replica by replica."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import (
    CHUNK,
    RESAMPLES,
    Interval,
    amounts,
    bias_corrected,
    check_level,
    draws,
    fates,
    in_order,
)
from harness.statistics.censored import Replicas, survival
from harness.statistics.proportion import clopper_pearson, tango
from harness.statistics.running_time import running_time
from harness.statistics.significance import Significance, mcnemar

Array = Any
ROUNDING = 1e-9  # of a difference: two orders of adding up the same pairs are a tie


@dataclass(frozen=True)
class PairedDifference:
    """What a does differently from b, with intervals over the pairs."""

    replicas: int
    rate: Interval
    """Solved rate of a − that of b."""
    restricted_mean: Interval
    """Mean time spent up to `until` by a − that by b,
    unsolved replicas counted as `until`: below 0, a is sooner.
    """
    until: float
    log_ratio: Interval
    """ln(ERT of a / ERT of b): below 0, a success is cheaper with a; ±∞ if one of them solves none; NaN, with
    an interval from −∞ to ∞, if neither does."""
    test: Significance
    """McNemar's exact test of equal rates."""


def paired_difference(
    a: Replicas,
    b: Replicas,
    *,
    seed: int,
    budgets: tuple[float, float] = (inf, inf),
    level: float = 0.95,
    resamples: int = RESAMPLES,
    until: float | None = None,
) -> PairedDifference:
    """How a differs from b, where replica i of both has the same initial weights,
    in one currency: the unit of `time`.

    `until` is the latest time to which both were watched, unless given; `budgets` are what a replica that
    fails spends, on either side: they count where a side shows no failure, and the ratio is open where they
    are not known. Three things make an interval:

    - Rates: Tango's score interval (`proportion.tango`), which is not a point where no two fates differ.
    - Restricted mean and ln ERT: bias-corrected percentiles (Efron 1987, J. Am. Stat. Assoc. 82:171-185) of
      resampled pairs, with both their fates, so that what the weights do to both cancels. They reach at least
      as far as the side that is to look worse would get if it failed alone as often as Clopper and Pearson
      allow, given the pairs in which it did (1934, Biometrika 26:404-413): none of 20 does not say never.
    - No interval excludes 0 where the exact test of *no difference* does not reject at its level: McNemar's
      of the rates; for the others swapping a and b within pairs at random, which changes nothing if the two
      are one rule (Fisher 1935, The Design of Experiments, section 21; all 2^R swaps, or `resamples` of
      them, and where these are too few for the level it does not reject). So one rule and its double are
      called different in at most 1 − `level` of all cases, at any n and level; resamples alone did so ten
      times as often at 99.8 %.

    Where resampling says nothing the interval is wide: all that is possible for a single pair; and if one
    side solves none, ln ERT's ends are made of `running_time`'s, each at half the error. A resample in which
    neither solves any counts as −∞ for the lower end and as ∞ for the upper one. docs/statistics.md says in
    how many cases the intervals cover the truth.
    """
    check_level(level)
    sides = [_checked(side) for side in (a, b)]
    n = len(sides[0][0])
    if n != len(sides[1][0]):
        raise InputError(
            f"paired replicas are as many on both sides, but {n} and {len(sides[1][0])} were given"
        )
    until = _until(sides, until)
    (_, a_solved, _), (_, b_solved, _) = sides
    test = mcnemar(a_solved, b_solved)
    only_a, only_b = int((a_solved & ~b_solved).sum()), int((b_solved & ~a_solved).sum())
    columns = in_order(np.column_stack([column for side in sides for column in side]))
    halves = columns[:, :3], columns[:, 3:]
    once = np.ones((1, n))
    values = (float(a_solved.mean() - b_solved.mean()), *_differences((once, once), halves, until)[0])
    ends = [tango(only_a, only_b, n, level), (-until, until), (-inf, inf)]
    if n > 1:
        drawn = np.concatenate([_differences((c, c), halves, until) for c in draws(n, resamples, seed)])
        a_worse = _failing_alone(halves[0], budgets[0], only_b, until, level)
        b_worse = _failing_alone(halves[1], budgets[1], only_a, until, level)
        mean = bias_corrected(values[1], drawn[:, 0], level)
        ratio = _log_ratio_ends(values[2], drawn[:, 1], halves, budgets, level, resamples, seed)
        ends[1:] = [
            _outer(value, end, less, more)
            for value, end, less, more in zip(values[1:], (mean, ratio), b_worse, a_worse, strict=True)
        ]
    p = [test.p, 1.0, 1.0]
    can_reject = min(resamples + 1, 2**n) * (1 - level) >= 1  # else swaps are too few to tell
    if can_reject and any(low > 0 or high < 0 for low, high in ends[1:]):
        p[1:] = _swapped(halves, values[1:], until, resamples, seed)
    ends = [
        (min(low, 0.0), max(high, 0.0)) if chance > 1 - level else (low, high)
        for (low, high), chance in zip(ends, p, strict=True)
    ]
    found = [Interval(float(value), *each) for value, each in zip(values, ends, strict=True)]
    return PairedDifference(n, found[0], found[1], until, found[2], test)


def _checked(side: Replicas) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    solved = fates(side.solved)
    return (
        amounts("time", side.time, len(solved)),
        solved,
        np.broadcast_to(np.asarray(side.diverged, bool), solved.shape),
    )


def _until(sides: list[Any], until: float | None) -> float:
    latest = min(*(survival(*side).until for side in sides), max(float(side[0].max()) for side in sides))
    if until is not None and not 0 <= until <= latest:
        raise InputError(
            f"until must be from 0 to the end of what both sides watched, {latest:g}, but {until!r} was given"
        )
    return latest if until is None else until


def _differences(
    counts: tuple[Array, Array], sides: tuple[Array, Array], until: float
) -> NDArray[np.float64]:
    """Differences in restricted mean and ln ERT (b, 2) of resamples of both sides, given as counts (b, R)."""
    spent, solved = ([count @ side[:, i] for count, side in zip(counts, sides, strict=True)] for i in (0, 1))
    means = [_restricted_means(count, side, until) for count, side in zip(counts, sides, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):  # ∞ − ∞ is NaN: neither solves any
        ratio = np.subtract(
            *(np.log(total) - np.log(count) for total, count in zip(spent, solved, strict=True))
        )
    ratio = np.where(
        (solved[0] == 0) & (solved[1] > 0), inf, np.where((solved[1] == 0) & (solved[0] > 0), -inf, ratio)
    )
    return np.column_stack([means[0] - means[1], ratio])


def _restricted_means(counts: Array, side: Array, until: float) -> NDArray[np.float64]:
    """∫ S(t) dt up to `until` (b,), of the product-limit curve of each resample:
    one factor a replica, in order of time.

    The factors of replicas solved at one time multiply to 1 − d / n, those of the censored, who come after
    them, are 1.
    """
    time, solved, diverged = side.T
    order = np.lexsort((1 - solved, np.where(diverged > 0, inf, time)))
    drawn, time, solved = counts[:, order], np.where(diverged > 0, inf, time)[order], solved[order]
    at_risk = np.cumsum(drawn[:, ::-1], axis=1)[:, ::-1]
    unsolved = np.cumprod(1 - drawn * solved / np.maximum(at_risk, 1), axis=1)
    widths = np.diff(np.minimum([0.0, *time, until], until))
    return widths[0] + unsolved @ widths[1:]


def _log_ratio_ends(
    value: float,
    drawn: NDArray[np.float64],
    sides: tuple[Array, Array],
    budgets: tuple[float, float],
    level: float,
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    if all(side[:, 1].any() for side in sides):
        return bias_corrected(value, drawn, level)
    each = (1 + level) / 2
    a, b = (
        running_time(side[:, 0], side[:, 1], seed=seed, budget=budget, level=each, resamples=resamples)
        for side, budget in zip(sides, budgets, strict=True)
    )
    return _ln(a.low) - _ln(b.high), _ln(a.high) - _ln(b.low)


def _failing_alone(side: Array, budget: float, seen: int, until: float, level: float) -> tuple[float, float]:
    """By how much a side's restricted mean and ln ERT rise if its share of pairs in which it fails alone,
    `seen` of n, is Clopper and Pearson's upper end; a failure costs what failures cost, or the budget.
    """
    n, (time, solved, _) = len(side), side.T
    if not solved.any():
        return 0.0, 0.0
    more = float(clopper_pearson(seen, n, level)[1]) - seen / n
    success = time[solved > 0]
    failure = float(time[solved == 0].mean()) if len(success) < n else budget
    rate = len(success) / n - more
    cost = float(success.mean()) + (1 - rate) / rate * failure if rate > 0 else inf
    before = float(time.sum()) / len(success)
    lost = more * (until - float(np.minimum(success, until).mean()))
    return lost, _ln(cost) - _ln(before) if cost > before else 0.0


def _outer(value: float, ends: tuple[float, float], less: float, more: float) -> tuple[float, float]:
    """Ends that reach at least `less` below and `more` above a value; those of an infinite value stay."""
    return (min(ends[0], value - less), max(ends[1], value + more)) if np.isfinite(value) else ends


def _swapped(
    sides: tuple[Array, Array], values: tuple[float, ...], until: float, resamples: int, seed: int
) -> list[float]:
    """p values (2,): how often sides swapped within pairs differ by as much as the `values` seen."""
    both, extreme, tried = np.concatenate(sides), np.zeros(2), 0
    for swap in swaps(len(sides[0]), resamples, seed):
        stay = 1 - swap
        drawn = _differences((np.hstack([stay, swap]), np.hstack([swap, stay])), (both, both), until)
        extreme += (~(np.abs(drawn) < np.abs(values) * (1 - ROUNDING))).sum(0)  # NaN is no evidence
        tried += len(swap)
    drawn_at_random = int(2 ** len(sides[0]) > resamples)  # then what was seen is one more of them
    return list((extreme + drawn_at_random) / (tried + drawn_at_random))


def swaps(pairs: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Which pairs are swapped, 0 or 1 (b, n), chunk after chunk: all 2ⁿ ways, or `resamples` random ones."""
    rng, rows = np.random.default_rng(seed), max(1, CHUNK // (2 * pairs))
    ways = min(2**pairs, resamples)
    for start in range(0, ways, rows):
        b = min(rows, ways - start)
        if ways < 2**pairs:
            yield rng.integers(2, size=(b, pairs)).astype(float)
        else:
            yield (np.arange(start, start + b)[:, None] >> np.arange(pairs) & 1).astype(float)


def _ln(x: float) -> float:
    return log(x) if 0 < x < inf else inf if x > 0 else -inf

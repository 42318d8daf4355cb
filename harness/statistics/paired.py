"""Two algorithms that started from the same initial weights: differences, replica by replica."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import (
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
from harness.statistics.running_time import running_time
from harness.statistics.significance import Significance, mcnemar

Array = Any


@dataclass(frozen=True)
class PairedDifference:
    """What a does differently from b, with paired bootstrap intervals."""

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
    level: float = 0.95,
    resamples: int = RESAMPLES,
    until: float | None = None,
) -> PairedDifference:
    """How a differs from b, where replica i of both has the same initial weights,
    in one currency: the unit of `time`.

    Pairs are resampled with both their fates, so what the weights do to both cancels. Intervals are
    bias-corrected percentiles (Efron 1987, J. Am. Stat. Assoc. 82:171-185); of 40 pairs, nominal 95 % cover
    the truth in 93 of 100 cases (tests/chance/test_comparisons.py). `until` is the latest time to which both
    were watched, unless given.

    Where resampling says nothing the interval is wide: all that is possible for a single pair; and if one
    side solves none, ln ERT's ends are made of `running_time`'s, each at half the error. A resample in which
    neither solves any counts as −∞ for the lower end and as ∞ for the upper one. A difference of rates where
    no two fates differ is 0 to 0: see `test` and n.
    """
    check_level(level)
    sides = [_checked(side) for side in (a, b)]
    n = len(sides[0][0])
    if n != len(sides[1][0]):
        raise InputError(
            f"paired replicas are as many on both sides, but {n} and {len(sides[1][0])} were given"
        )
    until = _until(sides, until)
    columns = in_order(np.column_stack([column for side in sides for column in side]))
    halves = columns[:, :3], columns[:, 3:]
    values = _differences(np.ones((1, n)), halves, until)
    if n == 1:
        ends = [(-1.0, 1.0), (-until, until), (-inf, inf)]
    else:
        drawn = np.concatenate([_differences(counts, halves, until) for counts in draws(n, resamples, seed)])
        ends = [bias_corrected(values[0, i], drawn[:, i], level) for i in (0, 1)]
        ends.append(_log_ratio_ends(values[0, 2], drawn[:, 2], halves, level, resamples, seed))
    rate, mean, ratio = (Interval(float(value), *each) for value, each in zip(values[0], ends, strict=True))
    return PairedDifference(n, rate, mean, until, ratio, mcnemar(sides[0][1], sides[1][1]))


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


def _differences(counts: Array, sides: tuple[Array, Array], until: float) -> NDArray[np.float64]:
    """Differences in rate, restricted mean and ln ERT (b, 3) of resamples given as counts (b, R)."""
    solved, spent = ([counts @ side[:, i] for side in sides] for i in (1, 0))
    means = [_restricted_means(counts, side, until) for side in sides]
    rate = (solved[0] - solved[1]) / counts.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):  # ∞ − ∞ is NaN: neither solves any
        ratio = np.subtract(
            *(np.log(total) - np.log(count) for total, count in zip(spent, solved, strict=True))
        )
    ratio = np.where(
        (solved[0] == 0) & (solved[1] > 0), inf, np.where((solved[1] == 0) & (solved[0] > 0), -inf, ratio)
    )
    return np.column_stack([rate, means[0] - means[1], ratio])


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
    level: float,
    resamples: int,
    seed: int,
) -> tuple[float, float]:
    if all(side[:, 1].any() for side in sides):
        return bias_corrected(value, drawn, level)
    each = (1 + level) / 2
    a, b = (
        running_time(side[:, 0], side[:, 1], seed=seed, level=each, resamples=resamples) for side in sides
    )
    return _ln(a.low) - _ln(b.high), _ln(a.high) - _ln(b.low)


def _ln(x: float) -> float:
    return log(x) if 0 < x < inf else inf if x > 0 else -inf

"""How exactly must a rate be set? The decades of it in which a success costs at most twice the least.

A rule that is cheap at one rate and never learns at three times that is worth less than its best cost says:
somebody has to find the rate. With the cost c of a success at rates η₁ < η₂ < …, two a decade or so,

    decades = length of {log₁₀ η : c(η) ≤ factor · min c},    ln c a straight line in ln η from rate to rate

all parts of it together where there are several. Between a rate that is never seen to solve the task, c = ∞,
and any other nothing counts, nor beyond the first and the last. The upper end of an interval knows of both:
what none of R replicas solved may yet be solved, and what lies beyond may be as cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import RESAMPLES, Interval, percentile
from harness.statistics.censored import Replicas
from harness.statistics.cutoff import FOLDS, restarted_cost
from harness.statistics.proportion import clopper_pearson
from harness.statistics.resampled import resampled_costs

Array = Any
FACTOR = 2.0
LOWEST, HIGHEST = "lowest", "highest"


class Sensitivity(NamedTuple):
    """How a rule's cost depends on its rate."""

    decades: Interval
    """Of the rate, in which a success costs at most `factor` times the least; NaN, from 0 to ∞, where no rate
    solves the task."""
    best: float
    """The rate of the least cost; NaN where none solves the task."""
    costs: NDArray[np.float64]
    """Of a success at each rate, with restarts at the best cutoff, in epochs (K,)."""
    edge: str
    """Where the best rate ends the grid, `lowest` or `highest`: there may be better ones beyond; else ''."""
    at_least: bool
    """Whether an end of the grid is among these decades, so that there are more of them beyond."""


def decades_within(
    rates: ArrayLike, costs: ArrayLike, factor: float = FACTOR, *, at_least: ArrayLike | None = None
) -> Array:
    """The decades of a rate in which a success costs at most `factor` times what it costs at the best rate.

    Args:
        rates: K ≥ 2 of them, ascending and above 0 (K,).
        costs: of a success at each (…, K), above 0; ∞ is never.
        factor: at least 1.
        at_least: what a success costs at the least at a rate that never showed one (K,); the answer is then
            the most decades there may be: ∞ where an end of the grid is within the limit.

    Returns:
        Decades (…,): the parts between neighbouring rates in which the straight line through their ln cost
        over ln rate is so low. NaN where all costs are infinite.

    Raises:
        InputError: for arguments that are none of these.
    """
    at, cost = _grid(rates), np.asarray(costs, float)
    if cost.shape[-1:] != at.shape or not (cost > 0).all():
        raise InputError(
            f"costs must be above 0, one for each of {len(at)} rates, ∞ where none is solved, "
            f"but {costs!r} was given"
        )
    if not factor >= 1:
        raise InputError(f"factor must be at least 1, but {factor!r} was given")
    least, bounds = cost.min(-1, keepdims=True), np.inf if at_least is None else np.asarray(at_least, float)
    with np.errstate(invalid="ignore", divide="ignore"):  # ∞ − ∞ where no rate solves it
        over = np.log(np.where(np.isinf(cost), bounds, cost)) - np.log(least) - np.log(factor)
        low, high = np.minimum(over[..., 1:], over[..., :-1]), np.maximum(over[..., 1:], over[..., :-1])
        crossed = -low / np.where(high > low, high - low, 1.0)  # 0 where the other end is ∞
    length = np.where(high <= 0, 1.0, np.where(low <= 0, crossed, 0.0)) @ np.diff(np.log10(at))
    if at_least is not None:
        length = np.where((over[..., 0] <= 0) | (over[..., -1] <= 0), np.inf, length)
    return np.where(np.isfinite(least[..., 0]), length, np.nan)[()]


def sensitivity(
    rates: ArrayLike,
    replicas: Sequence[Replicas],
    *,
    seed: int,
    factor: float = FACTOR,
    folds: int = FOLDS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Sensitivity:
    """The decades of a rate within `factor` of the best, from the replicas at each rate, with their interval.

    Costs are those with restarts at the best cutoff, cross-fitted (`restarted_cost`): a budget, which is
    somebody's choice, has no say in how dear a rate looks, but for what it never lets succeed.

    The interval is the percentile interval of resampled replicas: the same ones at each rate, since they
    start from the same weights, with cutoffs and the best rate found anew in each resample. For its upper end
    a rate without a success costs F (1 − p) / p, F what its replicas spent in the mean and p the upper end of
    Clopper and Pearson's interval of none of R, and an end of the grid within the limit is ∞ decades. That
    the cost is a straight line between two rates is taken as given. docs/statistics.md says in how many cases
    it covers.

    Args:
        rates: K ≥ 2 of them, ascending and above 0 (K,).
        replicas: what became of R networks at each of them, in epochs.
        seed: of the resamples.
        factor: at least 1.
        folds: at least 2.
        level: of the interval.
        resamples: of the bootstrap.

    Raises:
        InputError: for arguments that are none of these.
    """
    at = _grid(rates)
    if len(replicas) != len(at):
        raise InputError(f"replicas are given for each of {len(at)} rates, but for {len(replicas)} they were")
    costs = np.array([restarted_cost(some, folds=folds)[0] for some in replicas])
    drawn = np.column_stack(
        [resampled_costs(some, seed=seed, folds=folds, resamples=resamples) for some in replicas]
    )
    bounds = [_at_least(some, level) for some in replicas]
    value = float(decades_within(at, costs, factor))
    fewest, most = (decades_within(at, drawn, factor, at_least=b) for b in (None, bounds))
    low = percentile(np.nan_to_num(fewest, nan=0.0), level)[0]
    high = percentile(np.where(np.isnan(most), np.inf, most), level)[1]
    if np.isnan(value):
        return Sensitivity(Interval(np.nan, 0.0, np.inf), np.nan, costs, "", False)
    decades = Interval(value, min(low, value), max(high, value))
    best = int(np.argmin(costs))
    ends = costs[[0, -1]] <= factor * costs[best]
    return Sensitivity(
        decades,
        float(at[best]),
        costs,
        LOWEST if best == 0 else HIGHEST if best == len(at) - 1 else "",
        bool(ends.any()),
    )


def _at_least(replicas: Replicas, level: float) -> float:
    """What a success costs where it is as likely as none of so many still allows."""
    p = float(clopper_pearson(0, np.size(replicas.time), level)[1])
    return float(np.asarray(replicas.time, float).mean()) * (1 - p) / p


def _grid(rates: ArrayLike) -> NDArray[np.float64]:
    at = np.asarray(rates, float)
    if at.ndim != 1 or len(at) < 2 or not (np.isfinite(at) & (at > 0)).all() or not (np.diff(at) > 0).all():
        raise InputError(f"rates must be two or more numbers above 0, ascending, but {rates!r} was given")
    return at

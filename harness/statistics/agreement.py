"""Do tasks rank rules alike? Kendall's τ of two tasks, his W of all, and where one rule stands.

Costs of several tasks have only their order in common. A cost that was never reached, ∞, is the last, tied
with all others that were not; a rule that cannot do a task has no cost on it, NaN, and is left out there.
"""

from __future__ import annotations

from itertools import permutations
from math import lgamma, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.association import COUNTED, FEWEST, PERMUTATIONS, ROUNDING
from harness.statistics.bootstrap import Interval, bias_corrected, draws, percentile

Array = Any
CHUNK = 512  # resamples at once


class Concordance(NamedTuple):
    """Kendall's W."""

    w: float
    """0: the ranks of the tasks have nothing in common; 1: they are the same. NaN where none has an order."""
    p: float
    """The share of ways to deal ranks anew on each task in which it is as large."""
    rules: int
    """Those with a cost, be it infinite, on every task: the others do not count."""
    tasks: int


def tau_b(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's τ_b of n pairs: Σ s(x) s(y) / √(Σ s(x)² Σ s(y)²), s the signs of all differences.

    Kendall 1945, Biometrika 33:239-251. Pairs with a NaN are left out; ∞ is larger than any other and equal
    to itself. NaN where one of the two does not vary.
    """
    a, b = np.asarray(x, float), np.asarray(y, float)
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"x and y must be lists of one length, but have shapes {a.shape} and {b.shape}")
    there = ~np.isnan(a) & ~np.isnan(b)
    return float(_tau(a[there][None], b[there][None], np.ones((1, there.sum())))[0])


def tau_interval(
    x: ArrayLike,
    y: ArrayLike,
    drawn: tuple[ArrayLike, ArrayLike],
    *,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """τ_b of the costs of n rules on two tasks, with the interval over replicas and rules.

    In each of b draws the replicas of every cell are others, and so are the rules: n of them, drawn with
    replacement. The interval is the bias-corrected percentile interval (Efron 1987), and −1 to 1 where fewer
    than four rules have both costs. docs/statistics.md says in how many cases it covers.

    Args:
        x, y: costs (n,); NaN is left out, ∞ the last.
        drawn: costs of resampled replicas on either task (b, n), as `resampled_costs` makes them.
        seed: of the rules that are drawn.
        level: of the interval.

    Raises:
        InputError: for arguments that are none of these.
    """
    a, b = np.asarray(x, float), np.asarray(y, float)
    value = tau_b(a, b)
    there = ~np.isnan(a) & ~np.isnan(b)
    left, right = (np.asarray(some, float) for some in drawn)
    if left.shape != right.shape or left.shape[1:] != a.shape:
        raise InputError(
            f"drawn must be two tables of resamples × {len(a)} rules, but have shapes {left.shape} and "
            f"{right.shape}"
        )
    if there.sum() < FEWEST or np.isnan(value):
        return Interval(value, -1.0, 1.0)
    taus, start = [], 0
    for counts in draws(int(there.sum()), len(left), seed):
        for first in range(0, len(counts), CHUNK):
            w = counts[first : first + CHUNK]
            rows = slice(start, start + len(w))
            taus.append(_tau(left[rows][:, there], right[rows][:, there], w))
            start += len(w)
    low, high = bias_corrected(value, np.concatenate(taus), level)
    return Interval(value, max(low, -1.0), min(high, 1.0))


def concordance(costs: ArrayLike, *, seed: int = 0, most: int = PERMUTATIONS) -> Concordance:
    """Kendall's W of the costs of n rules on m tasks (n, m), and how often chance makes one as large.

        W = 12 Σ_i (R_i − R̄)² / (m² (n³ − n) − m Σ T),    T = Σ (t³ − t) over the ties of a task

    R_i the sum of the ranks of rule i. Kendall & Babington Smith 1939, Ann. Math. Stat. 10:275-287. p is over
    all ways to deal the ranks of each task anew, which is as if tasks had nothing to do with each other: gone
    through where there are no more than 8! of them, else `most` drawn ones and what was seen.

    Raises `InputError` for no such table, or fewer than two rules with a cost on all tasks.
    """
    from scipy.stats import rankdata

    table = np.asarray(costs, float)
    whole("most", most, 1)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError(f"costs must be a table of rules × two tasks or more, but have shape {table.shape}")
    table = table[~np.isnan(table).any(1)]
    n, m = table.shape
    if n < 2:
        raise InputError(f"{n} rules have a cost on all {m} tasks: to compare ranks there must be two")
    ranks = rankdata(table, axis=0) - (n + 1) / 2
    size = 12 * float((ranks**2).sum()) * m  # m² (n³ − n) − m Σ T: 12 Σ r² is n³ − n − T of a task
    if not size:
        return Concordance(np.nan, 1.0, n, m)
    seen = float((ranks.sum(1) ** 2).sum())
    counted = (m - 1) * lgamma(n + 1) <= log(COUNTED) + ROUNDING
    rng, sums = np.random.default_rng(seed), ranks[None, :, 0]
    for column in ranks.T[1:]:
        if counted:
            dealt = column[np.array(list(permutations(range(n))))]
            sums = (sums[:, None] + dealt).reshape(-1, n)
        else:
            sums = sums + rng.permuted(np.tile(column, (most, 1)), axis=1)
    extreme = (sums**2).sum(1) >= seen * (1 - ROUNDING)
    p = float(extreme.mean() if counted else (extreme.sum() + 1) / (most + 1))
    return Concordance(12 * seen / size, p, n, m)


def standing(costs: ArrayLike, drawn: ArrayLike, which: int, *, level: float = 0.95) -> Interval:
    """The rank, from 1, of one of n rules by its cost, with its interval over replicas.

    Ties share the mean of their ranks. The interval is the percentile interval of its ranks in costs of
    resampled replicas `drawn` (b, n). NaN is left out; a rule without a cost has no rank.

    Raises `InputError` where `drawn` is no such table.
    """
    cost, table = np.asarray(costs, float), np.asarray(drawn, float)
    if table.ndim != 2 or table.shape[1:] != cost.shape:
        raise InputError(
            f"drawn must be a table of resamples × {len(cost)} rules, but has shape {table.shape}"
        )
    if np.isnan(cost[which]):
        return Interval(np.nan, np.nan, np.nan)

    def rank(table: Array) -> NDArray[np.float64]:
        own = table[:, [which]]
        return np.asarray((table < own).sum(1) + ((table == own).sum(1) + 1) / 2)

    return Interval(float(rank(cost[None])[0]), *percentile(rank(table), level))


def _tau(x: Array, y: Array, w: Array) -> NDArray[np.float64]:
    """τ_b (b,) of samples x and y (b, n) in which pairs come so often (b, n)."""
    above, beyond = (
        (a[:, :, None] > a[:, None]).astype(float) - (a[:, :, None] < a[:, None]) for a in (x, y)
    )
    pairs = w[:, :, None] * w[:, None]
    both, one, other = (
        (pairs * a * b).sum((1, 2)) for a, b in ((above, beyond), (above, above), (beyond, beyond))
    )
    size = one * other
    return np.divide(both, np.sqrt(size), out=np.full(len(both), np.nan), where=size > 0)

"""The running time at the best of several settings: what a success costs a rule once its rate is known.

A rule that is run at nine rates looks as good as its luckiest one: the least of nine costs is below the
cost of the best by what chance makes of nine. So the setting, and with it the cutoff
(`harness.statistics.cutoff`), are chosen on some replicas, and what they cost is read from the others. Two
rules, or two optimisers of one, are compared so at the best of each, with as many settings and replicas on
both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import RESAMPLES, Interval, draws
from harness.statistics.censored import Replicas
from harness.statistics.cutoff import FOLDS, Side, best_cutoff, checked, cost_at, fold_cutoffs, shares
from harness.statistics.paired import ROUNDING, paired_difference, swaps
from harness.statistics.running_time import running_time

Array = Any


class Best(NamedTuple):
    """What a success costs at the best setting, and which that is."""

    time: Interval
    """In epochs × the price of one; ∞ is never."""
    chosen: NDArray[np.int64]
    """The setting that each fold was given, chosen on all other folds (folds,): a number from 0."""
    cutoffs: NDArray[np.float64]
    """And the cutoff, in epochs (folds,); ∞ where these solve nothing at any setting: the first counts."""
    best: int
    """The setting that is best over all replicas, which is the one to use; −1 where none solves anything."""
    side: Side
    """The replicas, each at the setting and the cutoff of its fold."""


def best_setting(
    settings: Sequence[Replicas],
    *,
    seed: int,
    price: float = 1.0,
    budget: ArrayLike = np.inf,
    folds: int = FOLDS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Best:
    """The running time of R replicas at the best of K settings and its best cutoff, cross-fitted.

    Replica i is in fold i mod `folds`. Each fold is run at the setting, and given up at the cutoff, that cost
    all others least, the first of several; the value is what the replicas spend so ÷ the number solved, both
    over all folds. It is that of a rule whose setting was chosen on (folds − 1) / folds · R replicas of each.

    The interval is `running_time`'s of the replicas so cut: it is about the cost at these choices; on other
    replicas they would be others. docs/statistics.md says in how many cases it covers.

    Args:
        settings: what became of the same R replicas at each of K settings, in epochs.
        seed: of the resamples.
        price: of an epoch, the same at each setting.
        budget: the most epochs a replica may run, a number or one of each (R,).
        folds: at least 2.
        level: of the interval.
        resamples: of the bootstrap.

    Raises:
        InputError: for arguments that are none of these.
    """
    sides = _checked(settings, price, budget)
    whole("folds", folds, 2)
    n = len(sides[0].time)
    fold = np.arange(n) % folds
    one = _choose(np.ones((1, n)), sides, fold, folds)
    at = one.setting[0][fold], np.arange(n)
    side = Side(*(np.stack(column)[at] for column in zip(*sides, strict=True))).cut(one.cutoff[0][fold])
    time = running_time(
        side.spent, side.solved, seed=seed, budget=side.failure, level=level, resamples=resamples
    )
    costs = [float(cost_at(some.time, some.solved, best_cutoff(*some))) for some in settings]
    best = int(np.argmin(costs)) if np.isfinite(costs).any() else -1
    return Best(time, one.setting[0], one.cutoff[0], best, side)


def best_ratio(
    a: Sequence[Replicas],
    b: Sequence[Replicas],
    *,
    seed: int,
    prices: tuple[float, float] = (1.0, 1.0),
    budgets: tuple[ArrayLike, ArrayLike] = (np.inf, np.inf),
    folds: int = FOLDS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The running time of a at the best of its settings ÷ that of b at the best of its own.

    Replica i of both has the same initial weights, and is in the same fold. The interval is that of
    `paired_difference.log_ratio` at the choices found. It does not exclude 1 where swapping a and b within
    pairs, *settings and cutoffs chosen anew*, makes a ratio as far from 1 in more than 1 − `level` of all
    ways, as in `paired_ratio`: so one rule and its double are called different in at most 1 − `level` of all
    cases, although their choices differ by chance.

    Args:
        a, b: what became of the same R replicas at each of K settings, in epochs.
        seed: of resamples and swaps.
        prices: of an epoch, on either side.
        budgets: on either side, the most epochs a replica may run.
        folds: at least 2.
        level: of the interval.
        resamples: of the bootstrap, and swaps where there are more ways than so many.

    Returns:
        ∞ where a alone solves nothing, 0 where b alone does; NaN, from 0 to ∞, where neither does.

    Raises:
        InputError: for arguments that are none of these.
    """
    sides = [_checked(*each) for each in zip((a, b), prices, budgets, strict=True)]
    sizes = [(len(some), len(some[0].time)) for some in sides]
    if sizes[0] != sizes[1]:
        raise InputError(
            "both sides must have as many settings and replicas, but "
            f"{' and '.join(f'{k} of {n}' for k, n in sizes)} were given"
        )
    found = [
        best_setting(*each, seed=seed, folds=folds, resamples=1, price=price, budget=budget)
        for *each, price, budget in zip((a, b), prices, budgets, strict=True)
    ]
    cut = [each.side for each in found]
    value, low, high = paired_difference(
        *(Replicas(side.spent, side.solved, ~side.solved) for side in cut),
        seed=seed,
        budgets=(float(cut[0].failure), float(cut[1].failure)),
        level=level,
        resamples=resamples,
    ).log_ratio
    if low > 0 or high < 0:
        p = _swapped(sides[0], sides[1], folds, abs(value), resamples, seed)
        low, high = (min(low, 0.0), max(high, 0.0)) if p > 1 - level else (low, high)
    return Interval(*(float(np.exp(x)) for x in (value, low, high)))


def resampled_best(found: Best, *, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """What a success costs in resamples of the replicas, at the choices found (resamples,); ∞ without one."""
    side = found.side
    totals = [(c @ side.spent, c @ side.solved) for c in draws(len(side.time), resamples, seed)]
    return _cost(*(np.concatenate(column) for column in zip(*totals, strict=True)))


class _Choice(NamedTuple):
    """Of b samples (b, folds): what was chosen for a fold, and what came of it there."""

    setting: Array
    cutoff: Array
    spent: Array
    hits: Array


def _checked(settings: Sequence[Replicas], price: float, budget: ArrayLike) -> list[Side]:
    if not settings:
        raise InputError("there must be replicas at one setting at least, but none were given")
    if not (np.isfinite(price) and price > 0):
        raise InputError(f"the price of an epoch must be above 0, but {price!r} was given")
    sides = [checked(some, price * np.asarray(some.time, float), budget) for some in settings]
    counts = sorted({len(side.time) for side in sides})
    if len(counts) > 1:
        raise InputError(
            f"replicas are as many at each setting, but from {counts[0]} to {counts[-1]} were given"
        )
    return sides


def _choose(count: Array, sides: Sequence[Side], fold: Array, folds: int) -> _Choice:
    """In samples in which replicas come so often (b, R), for each fold the setting and cutoff that cost the
    others least.
    """
    limits = np.stack([fold_cutoffs(count, side, fold, folds) for side in sides])  # (K, b, folds)
    parts, samples = [], np.arange(len(count))
    for f in range(folds):
        cost = np.stack([_cost(*each) for each in _spent(count * (fold != f), sides, limits[..., f])])
        which = cost.argmin(0)  # the first, where all are ∞
        there: Array = np.array(_spent(count * (fold == f), sides, limits[..., f]))
        spent, hits = there[which, :, samples].T
        parts.append((which, limits[which, samples, f], spent, hits))
    return _Choice(*(np.column_stack(column) for column in zip(*parts, strict=True)))


def _spent(count: Array, sides: Sequence[Side], limits: Array) -> list[tuple[Array, Array]]:
    """Of each side: what replicas spend (b,), and how many succeed, if given up at its limits (K, b)."""
    return [
        (
            (count * side.spent * shares(side.time, at)).sum(1),
            (count * (side.solved & (side.time <= at))).sum(1),
        )
        for side, limit in zip(sides, limits, strict=True)
        for at in [np.broadcast_to(limit[:, None], count.shape)]
    ]


def _cost(spent: Array, hits: Array) -> Array:
    return np.where(hits > 0, spent / np.maximum(hits, 1), np.inf)


def _swapped(
    a: Sequence[Side], b: Sequence[Side], folds: int, seen: float, resamples: int, seed: int
) -> float:
    """How often sides swapped within pairs, all chosen anew, have a ratio as far from 1 as was `seen`."""
    n = len(a[0].time)
    both = [
        Side(*(np.concatenate(column) for column in zip(*pair, strict=True)))
        for pair in zip(a, b, strict=True)
    ]
    fold, extreme, tried = np.tile(np.arange(n) % folds, 2), 0, 0
    for swap in swaps(n, resamples, seed):
        stay = 1 - swap
        costs = []
        for count in (np.hstack([stay, swap]), np.hstack([swap, stay])):
            chosen = _choose(count, both, fold, folds)
            costs.append(_cost(chosen.spent.sum(1), chosen.hits.sum(1)))
        with np.errstate(divide="ignore", invalid="ignore"):  # ∞ − ∞ is NaN: neither solves any
            gap = np.log(costs[0]) - np.log(costs[1])
        extreme += int((~(np.abs(gap) < seen * (1 - ROUNDING))).sum())  # NaN is no evidence
        tried += len(swap)
    drawn_at_random = int(2**n > resamples)  # then what was seen is one more of them
    return (extreme + drawn_at_random) / (tried + drawn_at_random)

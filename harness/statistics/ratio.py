"""How many times as dear is a success to one algorithm as to another, from the same starts?"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import RESAMPLES, Interval
from harness.statistics.censored import Replicas
from harness.statistics.cutoff import FOLDS, Side, checked, fold_cutoffs
from harness.statistics.paired import ROUNDING, paired_difference, swaps
from harness.statistics.resampled import costs_of

Array = Any


class PairedRatio(NamedTuple):
    """What a success costs a ÷ what it costs b, over the replicas that both have."""

    replicas: int
    """Pairs."""
    ratio: Interval
    """∞ where a alone solves none, 0 where b alone does; NaN, from 0 to ∞, where neither solves any."""
    cutoffs: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Of either side, in epochs, those that each fold was cut at (folds,): ∞, that none was."""


def paired_ratio(
    a: Replicas,
    b: Replicas,
    *,
    seed: int,
    spent: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
    budgets: tuple[ArrayLike, ArrayLike] = (inf, inf),
    folds: int | None = FOLDS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> PairedRatio:
    """The running time of a ÷ that of b, where replica i of both has the same initial weights.

    Of sides that differ in number the replicas that both have are compared, the first of each: a thousand on
    one side say nothing of how the other would have done on their starts. Each side is cut at its own best
    cutoffs, cross-fitted as in `restarted_time`, with the same replicas in a fold on both; or, with `folds`
    None, not cut: then it is the ratio of expected running times.

    The interval is that of `paired_difference.log_ratio`: replicas are resampled with both their fates, at
    the cutoffs found. It does not exclude 1 where swapping a and b within pairs, *cutoffs chosen anew*, makes
    a ratio as far from 1 in more than 1 − `level` of all ways (Fisher 1935, The Design of Experiments,
    section 21). So one rule and its double are called different in at most 1 − `level` of all cases,
    although their cutoffs differ by chance.

    Args:
        a, b: what became of the replicas, in epochs.
        seed: of resamples and swaps.
        spent: on either side, what each replica spent in all (R,), if not epochs.
        budgets: on either side, the most epochs a replica may run, a number or one of each (R,).
        folds: at least 2, or None for no cutoff.
        level: of the interval.
        resamples: of the bootstrap, and swaps where there are more ways than so many.

    Raises:
        InputError: for arguments that are none of these.
    """
    sides = [checked(*each) for each in zip((a, b), spent, budgets, strict=True)]
    n = min(len(side.time) for side in sides)
    sides = [side.first(n) for side in sides]
    if any(side.spent.ndim > 1 for side in sides):
        raise InputError("spent must be in one currency for a ratio, one number for each replica")
    fold, limits = np.arange(n), [np.full(1, inf)] * 2
    if folds is not None:
        whole("folds", folds, 2)
        fold = fold % folds
        limits = [fold_cutoffs(np.ones((1, n)), side, fold, folds)[0] for side in sides]
    cut = [side.cut(limit[fold % len(limit)]) for side, limit in zip(sides, limits, strict=True)]
    found = paired_difference(
        *(Replicas(side.spent, side.solved, ~side.solved) for side in cut),
        seed=seed,
        budgets=(float(cut[0].failure), float(cut[1].failure)),
        level=level,
        resamples=resamples,
    )
    value, low, high = found.log_ratio
    if folds is not None and (low > 0 or high < 0):
        p = _swapped((sides[0], sides[1]), fold, folds, abs(value), resamples, seed)
        low, high = (min(low, 0.0), max(high, 0.0)) if p > 1 - level else (low, high)
    return PairedRatio(n, Interval(*(float(np.exp(x)) for x in (value, low, high))), (limits[0], limits[1]))


def _swapped(
    sides: tuple[Side, Side], fold: Array, folds: int, seen: float, resamples: int, seed: int
) -> float:
    """How often sides swapped within pairs, and cut anew, have a ratio as far from 1 as was `seen`."""
    n = len(fold)
    both = Side(*(np.concatenate(column) for column in zip(*sides, strict=True)))
    folded, extreme, tried = np.concatenate([fold, fold]), 0, 0
    for swap in swaps(n, resamples, seed):
        stay = 1 - swap
        dealt = np.hstack([stay, swap]), np.hstack([swap, stay])
        with np.errstate(divide="ignore", invalid="ignore"):  # ∞ − ∞ is NaN: neither solves any
            gap = np.subtract(*(np.log(costs_of(count, both, folded, folds)) for count in dealt))
        extreme += int((~(np.abs(gap) < seen * (1 - ROUNDING))).sum())  # NaN is no evidence
        tried += len(swap)
    drawn_at_random = int(2**n > resamples)  # then what was seen is one more of them
    return (extreme + drawn_at_random) / (tried + drawn_at_random)

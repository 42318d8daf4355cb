"""What a success costs with restarts, in samples of the replicas: from these, intervals of what is made of
costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import whole
from harness.statistics.bootstrap import RESAMPLES, draws
from harness.statistics.censored import Replicas
from harness.statistics.cutoff import FOLDS, Side, checked, fold_cutoffs, shares

Array = Any


def costs_of(count: Array, side: Side, fold: Array, folds: int) -> NDArray[np.float64]:
    """Cost of a success (b,) of b samples in which the replicas come so often (b, R), cross-fitted."""
    limits = fold_cutoffs(count, side, fold, folds)[:, fold]
    hits = (count * (side.solved & (side.time <= limits))).sum(1)
    spent = (count * side.spent * shares(side.time, limits)).sum(1)
    return np.where(hits > 0, spent / np.maximum(hits, 1), np.inf)


def resampled_costs(
    replicas: Replicas, *, seed: int, folds: int = FOLDS, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """`restarted_cost` of resamples of R replicas with their fates, cutoffs chosen anew in each (resamples,).

    Two sets of as many replicas are resampled alike under one seed: replica i of both is drawn together. ∞
    where a resample has no success. Raises `InputError` for replicas that are none.
    """
    side = checked(replicas)
    whole("folds", folds, 2)
    fold = np.arange(len(side.time)) % folds
    return np.concatenate([costs_of(count, side, fold, folds) for count in draws(len(fold), resamples, seed)])

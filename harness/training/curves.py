"""Curves over training: at most 200 log-spaced epochs, quantiles over all replicas.

A point of a curve is the loss of all training patterns at the weights after so many sweeps. With full
batches it costs nothing, for the next update makes these outputs; with mini-batches they are made for the
curve alone. Where that is no small thing, there are fewer points: one for every ten sweeps, and both ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.core.task import Task
from harness.training.plan import Plan

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
POINTS = 200
WORK = 2**28  # patterns × weights from which on predicting them all is no small thing: hundredths of a second
SWEEPS = 10  # for each point, there


def curve_epochs(budget: int, points: int = POINTS) -> NDArray[np.int64]:
    """Epochs 0, 1, … `budget`, log-spaced, both ends included, at most so many."""
    spaced = np.round(np.geomspace(1, budget + 1, points)).astype(np.int64) - 1
    # they rise; `np.unique` would import NumPy's masked arrays, which takes longer than a small run
    return spaced[np.diff(spaced, prepend=-1) > 0]


def drawn_at(task: Task, plan: Plan) -> NDArray[np.int64]:
    """The epochs at which the curves of a run are drawn."""
    spec = task.spec()
    work = spec.patterns * max(spec.steps, 1) * task.network().size
    if not 0 < plan.batch < spec.patterns or work < WORK:
        return curve_epochs(plan.epochs)
    return curve_epochs(plan.epochs, min(POINTS, 2 + plan.epochs // SWEEPS))


def quantiles(curves: NDArray[np.floating]) -> NDArray[np.floating]:
    """Quantiles `QUANTILES` over replicas of curves (R, E), shape (E, len(QUANTILES)).

    Each is the value of one replica (no interpolation), so that a diverged one may stand at infinity.
    """
    return np.quantile(curves, QUANTILES, axis=0, method="inverted_cdf").T

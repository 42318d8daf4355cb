"""Curves over training: at most 200 log-spaced epochs, quantiles over all replicas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
POINTS = 200


def curve_epochs(budget: int) -> NDArray[np.int64]:
    """Epochs 0, 1, … `budget`, log-spaced, both ends included, at most `POINTS`."""
    spaced = np.round(np.geomspace(1, budget + 1, POINTS)).astype(np.int64) - 1
    # they rise; `np.unique` would import NumPy's masked arrays, which takes longer than a small run
    return spaced[np.diff(spaced, prepend=-1) > 0]


def quantiles(curves: NDArray[np.floating]) -> NDArray[np.floating]:
    """Quantiles `QUANTILES` over replicas of curves (R, E), shape (E, len(QUANTILES)).

    Each is the value of one replica (no interpolation), so that a diverged one may stand at infinity.
    """
    return np.quantile(curves, QUANTILES, axis=0, method="inverted_cdf").T

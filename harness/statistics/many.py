"""Many comparisons at once: p values that stay honest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p values of m comparisons (m,):
    to reject where one is ≤ α keeps the chance of *any* false alarm ≤ α.

        p'_(i) = max over j ≤ i of min(1, (m − j + 1) p_(j)),    p_(1) ≤ … ≤ p_(m)

    However the comparisons depend on each other. Holm 1979, Scand. J. Stat. 6:65-70.
    """
    values = np.asarray(p, float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"p must be a list of numbers from 0 to 1, but {p!r} was given")
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, np.arange(len(values), 0, -1) * values[order])
    return np.maximum.accumulate(steps)[np.argsort(order, kind="stable")]

"""The Pareto front: what is beaten by none in two costs at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError


def pareto_front(cost: ArrayLike, error: ArrayLike) -> NDArray[np.bool_]:
    """Which of n points (n,) are on the front:
    no other is at most as large in both `cost` and `error` and smaller in one.

    Equal points are on it together. Where either number is ∞ or NaN a point was never reached: it is not on
    the front, and beats none. Raises `InputError` if the two are not lists of one length.
    """
    c, e = np.asarray(cost, float), np.asarray(error, float)
    if c.ndim != 1 or c.shape != e.shape:
        raise InputError(
            f"cost and error must be lists of one length, but have shapes {c.shape} and {e.shape}"
        )
    there = np.isfinite(c) & np.isfinite(e)
    c, e = (np.where(there, a, np.inf) for a in (c, e))
    smaller = (c[None] < c[:, None]) | (e[None] < e[:, None])
    beaten = (c[None] <= c[:, None]) & (e[None] <= e[:, None]) & smaller
    return np.asarray(there & ~beaten.any(axis=1))

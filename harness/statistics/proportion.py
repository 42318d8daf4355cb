"""The share of replicas that solved their task, and Wilson's interval of it."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics.bootstrap import Interval, check_level, fates

Array = Any


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson's interval (low, high) of a proportion, element by element;
    n is 0 (nothing known: 0 to 1) or at least 1.

        (k + z²/2 ± z √(k (n − k) / n + z²/4)) / (n + z²),    z the normal quantile of (1 + level) / 2

    Unlike k/n ± z·s.e. it stays within 0 and 1 and is not of zero width at k = 0 or n.
    Wilson 1927, J. Am. Stat. Assoc. 22:209-212.
    """
    k, n = np.asarray(successes, float), np.asarray(n, float)
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * np.sqrt(k * (n - k) / np.maximum(n, 1) + z * z / 4)
    low, high = ((k + z * z / 2 + sign * half) / (n + z * z) for sign in (-1, 1))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def solved_rate(solved: ArrayLike, level: float = 0.95) -> Interval:
    """Solved ÷ all of R replicas (R,), with Wilson's interval."""
    is_solved = fates(solved)
    check_level(level)
    low, high = wilson(is_solved.sum(), len(is_solved), level)
    return Interval(float(is_solved.mean()), float(low), float(high))

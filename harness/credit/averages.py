"""The mean of many draws of a credit, beside the gradient:
standard errors, and what chance makes of so many weights.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from harness.credit.compare import align, mean_of

Array = Any


def z_scores(drawn: Array, gradient: Array) -> Array:
    """(mean − ∇) ÷ standard error of each weight for draws (D, n); NaN where all draws are the same."""
    error = standard_error(drawn)
    return np.where(error > 0, (mean_of(drawn) - gradient) / np.where(error > 0, error, 1.0), np.nan)


def standard_error(drawn: Array) -> Array:
    """Of the mean of draws (D, n); 0 where all are the same."""
    return np.sqrt(((drawn - mean_of(drawn)) ** 2).sum(axis=0) / (len(drawn) - 1) / len(drawn))


def largest(count: int, chance: float) -> float:
    """What the largest |z| of `count` normal numbers exceeds with this chance;
    correlated ones exceed it less often.

    Šidák 1967, JASA 62:626-633.
    """
    beyond = -math.expm1(math.log1p(-chance) / count)  # of one of them, both sides
    return -NormalDist().inv_cdf(beyond / 2)


def fitted_scale(drawn: Array, gradient: Array) -> float:
    """c of mean = c ∇ by least squares, each weight by its precision:
    one of little noise is not blamed for the noise of others.

    Where there is no c above 0, |mean| ÷ |∇|; without a gradient, 1.
    """
    mean, error = mean_of(drawn), standard_error(drawn)
    weight = np.where(error > 0, 1.0 / np.where(error > 0, error, 1.0) ** 2, 0.0)
    top, bottom = (weight * mean * gradient).sum(), (weight * gradient**2).sum()
    return float(top / bottom) if bottom > 0 and top > 0 else float(or_one(align(mean, gradient).ratio))


def or_one(ratio: Array) -> Array:
    """1 in the place of what is not above 0."""
    return np.where(ratio > 0, ratio, 1.0)

"""Shares of replicas and their intervals: Wilson's, Clopper and Pearson's, and Tango's of a difference."""

from __future__ import annotations

from math import copysign, inf, sqrt
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

    Its 95 % are those of rates drawn evenly from 0 to 1, not of every rate: just inside 0 and 1 it covers
    less, at worst 83.5 % at n = 10, 83.7 % at 20 and at 40, where rates are .018, .009 and .004 from either
    end; at .95 of 10, 91.4 %. Brown, Cai & DasGupta 2001, Stat. Sci. 16:101-133, recommend it all the same:
    what covers everywhere is wider everywhere. Where a bound must hold at every rate take `clopper_pearson`.
    Wilson 1927, J. Am. Stat. Assoc. 22:209-212.
    """
    k, n = np.asarray(successes, float), np.asarray(n, float)
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * np.sqrt(k * (n - k) / np.maximum(n, 1) + z * z / 4)
    low, high = ((k + z * z / 2 + sign * half) / (n + z * z) for sign in (-1, 1))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """The interval (low, high) of a proportion that covers at least `level` at every rate and n ≥ 1, element
    by element: the rates at which k or more, or k or fewer, are as rare as (1 − level) / 2.

        low  = the (1 − level) / 2 quantile of Beta(k, n − k + 1), 0 where k = 0
        high = the (1 + level) / 2 quantile of Beta(k + 1, n − k), 1 where k = n

    Clopper & Pearson 1934, Biometrika 26:404-413.
    """
    from scipy.special import betaincinv

    k, n = np.asarray(successes, float), np.asarray(n, float)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, (1 - level) / 2), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), (1 + level) / 2), 1.0)
    return low, high


def tango(only_a: int, only_b: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval (low, high) of a difference of rates, a's − b's, over n ≥ 1 pairs, of which a alone
    solves `only_a` and b alone `only_b`: all Δ for which

        |only_a − only_b − n Δ| ≤ z √(n (2 q + Δ (1 − Δ))),    z the normal quantile of (1 + level) / 2

    q the most likely share of pairs that b alone solves, given Δ. Where no pair differs it is
    ± z² / (n + z²), not 0 to 0: that none of 20 differed does not say that one of 20 would not.
    Tango 1998, Stat. Med. 17:891-908.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    gap = only_a - only_b

    def score(delta: float) -> float:
        """How many standard errors the difference seen is above `delta`; falls as `delta` rises."""
        b = (2 * n - gap) * delta - only_a - only_b
        q = (sqrt(max(b * b + 8 * n * only_b * delta * (1 - delta), 0.0)) - b) / (4 * n)
        off, variance = gap - n * delta, n * (2 * q + delta * (1 - delta))
        return off / sqrt(variance) if variance > 0 else copysign(inf, off) if off else 0.0

    def first_below(limit: float) -> float:
        low, high = -1.0, 1.0
        for _ in range(60):  # halvings: to the last bit
            middle = (low + high) / 2
            low, high = (middle, high) if score(middle) > limit else (low, middle)
        return (low + high) / 2

    return first_below(z), first_below(-z)


def solved_rate(solved: ArrayLike, level: float = 0.95) -> Interval:
    """Solved ÷ all of R replicas (R,), with Wilson's interval."""
    is_solved = fates(solved)
    check_level(level)
    low, high = wilson(is_solved.sum(), len(is_solved), level)
    return Interval(float(is_solved.mean()), float(low), float(high))

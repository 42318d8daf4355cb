"""Medians with intervals that assume no distribution, and what they say beside a number or another median.

Of n values, B ~ binomial(n, ½) lie below the median m of what they are drawn from. So with their order
statistics

    P(x_(k) > m) = P(B < k) = P(x_(n+1−k) < m)   ⇒   [x_(k), x_(n+1−k)] covers m with 1 − 2 P(B < k)

(Conover 1999, section 3.2). Of values that are known by their quantiles alone, two of these are the ends.
"""

from __future__ import annotations

from itertools import accumulate
from math import ceil, comb
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harness.answers.words import amount, brief
from harness.statistics import Interval

PAIRS = ((25, 75), (5, 95))
"""Quantiles, in per cent, that can be ends: the inner ones where they suffice."""
LESS, MORE, OPEN = "less", "more", "undecided"


def below(n: int, k: int) -> float:
    """P(B < k) for B ~ binomial(n, ½)."""
    return sum(comb(n, i) for i in range(k)) / 2**n


def of_values(values: ArrayLike, level: float = 0.95) -> Interval:
    """The median of some values, NaN left out,
    and the shortest such interval at `level`; −∞ to ∞ if they are too few.
    """
    there = np.sort(np.asarray(values, float).ravel())
    there = there[~np.isnan(there)]
    n = len(there)
    if not n:
        return Interval(np.nan, -np.inf, np.inf)
    tails = accumulate(comb(n, i) for i in range(n // 2))  # P(B < 1), P(B < 2), …, × 2ⁿ
    k = sum(2 * tail / 2**n <= 1 - level for tail in tails)
    low, high = (there[k - 1], there[n - k]) if k else (-np.inf, np.inf)
    return Interval(float(np.median(there)), float(low), float(high))


def of_quantiles(row: Any, level: float = 0.95) -> Interval:
    """The same from a row with the quantiles q05 to q95 (interpolated, as NumPy's) of `defined` values.

    An interpolated quantile lies at or below the order statistic that follows it, which counts in its place.
    """
    n = int(row.defined)
    if not n:
        return Interval(np.nan, -np.inf, np.inf)
    for low, high in PAIRS:
        if 2 * below(n, ceil((n - 1) * low / 100) + 1) <= 1 - level:
            return Interval(float(row.q50), *(float(getattr(row, f"q{q:02d}")) for q in (low, high)))
    return Interval(float(row.q50), -np.inf, np.inf)


def beside(interval: Interval, other: float | Interval) -> str:
    """`less` or `more` than a number, or than another median,
    where no interval reaches across; else `undecided`.
    """
    low, high = (other.low, other.high) if isinstance(other, Interval) else (other, other)
    return LESS if interval.high < low else MORE if interval.low > high else OPEN


def median(interval: Interval) -> str:
    """In words: 35.2 [33–37.4]; without ends where there are too few values for them."""
    return amount(interval) if np.isfinite(interval.low) else f"{brief(interval.value)} [too few]"

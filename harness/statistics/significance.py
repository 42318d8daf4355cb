"""Paired replicas' fates: do the two rates differ by more than chance?"""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from harness.core.errors import InputError
from harness.statistics.bootstrap import fates


class Significance(NamedTuple):
    """A test's statistic, and its two-sided p value."""

    statistic: float
    p: float


def mcnemar(solved_a: ArrayLike, solved_b: ArrayLike) -> Significance:
    """Are two rates equal, where replica i of both (R,) has the same initial weights? The statistic
    is the number that a alone solves, less the number that b alone solves.

        p = P(|X − m/2| ≥ |k − m/2|),    X ~ Binomial(m, 1/2): a's are k of the m that one alone solves

    Exact. McNemar 1947, Psychometrika 12:153-157.
    """
    from scipy.stats import binomtest

    a, b = fates(solved_a), fates(solved_b)
    if len(a) != len(b):
        raise InputError(f"paired replicas are as many on both sides, but {len(a)} and {len(b)} were given")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return Significance(float(only_a - only_b), p)

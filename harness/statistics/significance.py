"""Two algorithms' replicas: do they differ by more than chance? p values of the times, and of the fates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.core.errors import InputError
from harness.statistics.bootstrap import fates
from harness.statistics.censored import Replicas


class Significance(NamedTuple):
    """A test's statistic, and its two-sided p value."""

    statistic: float
    p: float


def logrank(a: Replicas, b: Replicas) -> Significance:
    """Are the times to criterion of two *independent* sets of replicas equally distributed?

        Z = Σ_j (d_aj − d_j n_aj / n_j) / √(Σ_j d_j n_aj n_bj (n_j − d_j) / (n_j² (n_j − 1))),  p = 2 Φ(−|Z|)

    over the times t_j at which d_j of the n_j at risk solve the task. Z > 0: a solves sooner. As in
    `survival`, a diverged replica stays at risk to the end of all. 0 and p = 1 where nothing can be said.
    Where shared initial weights make replicas alike the test is cautious, and `paired_difference` sees more.
    Mantel 1966, Cancer Chemother. Rep. 50:163-170.
    """
    from scipy import stats

    sides = [(np.asarray(s.time, float), fates(s.solved), np.asarray(s.diverged, bool)) for s in (a, b)]
    end = max(time.max() for time, _, _ in sides)
    samples = []
    for time, solved, diverged in sides:
        watched = np.where(diverged & ~solved, end, time)
        samples.append(stats.CensoredData(uncensored=watched[solved], right=watched[~solved]))
    # 0 / 0: no time at which either could have been first
    with np.errstate(divide="ignore", invalid="ignore"):
        found = stats.logrank(*samples)
    return (
        Significance(float(found.statistic), float(found.pvalue))
        if np.isfinite(found.statistic)
        else Significance(0.0, 1.0)
    )


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

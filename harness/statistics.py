"""Statistics that survive failures: every replica counts, also those that never solved their task.

A replica that fails has no time to criterion. Leaving it out (a mean or a median over the solved only) rewards
an algorithm for giving up wherever a task is hard. Instead it is *right-censored*: all that is known is that
its time is longer than it was watched. Three answers follow, none of which forgets it:

    rate            solved ÷ all, with Wilson's interval
    running time    ERT = Σ what every replica spent ÷ number solved: the cost of a success, failures paid for
    survival        the share still unsolved after each epoch; quantiles of the time to criterion are read from it

Pure functions of arrays; a time that is never reached is infinite. scipy, slow to import, is not needed here:
the tests hold these lines to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = Any
ROUNDING = 1e-9  # of a product of many fractions; the shares it has to tell apart are 1/replicas


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson's interval (low, high) of a proportion, element by element; n is 0 (nothing known: 0 to 1) or at least 1.

        (k + z²/2 ± z √(k (n − k) / n + z²/4)) / (n + z²),    z the normal quantile of (1 + level) / 2

    Unlike k/n ± z·s.e. it stays within 0 and 1 and is not of zero width at k = 0 or n.
    Wilson 1927, J. Am. Stat. Assoc. 22:209-212.
    """
    k, n = np.asarray(successes, float), np.asarray(n, float)
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * np.sqrt(k * (n - k) / np.maximum(n, 1) + z * z / 4)
    low, high = ((k + z * z / 2 + sign * half) / (n + z * z) for sign in (-1, 1))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def expected_running_time(spent: ArrayLike, solved: ArrayLike) -> float:
    """ERT = Σ `spent` over all replicas ÷ number `solved`, in the unit of `spent`; ∞ if none is solved.

    What a success costs if one starts afresh until there is one.
    Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, COCO, Optim. Methods Softw. 36:114-144.
    """
    count = int(np.count_nonzero(solved))
    return float(np.sum(spent)) / count if count else np.inf


@dataclass(frozen=True)
class Survival:
    """The share of replicas still unsolved, a step function: `unsolved[i]` holds from `time[i]` up to `time[i + 1]`."""

    time: NDArray[np.float64]
    """0, then every time at which a replica solved the task (T,), ascending."""
    unsolved: NDArray[np.float64]
    """Kaplan-Meier estimate of the share unsolved (T,)."""
    low: NDArray[np.float64]
    """Lower end of its pointwise interval (T,)."""
    high: NDArray[np.float64]
    until: float
    """Up to here something is known; ∞ if every replica solved the task or diverged."""

    def quantile(self, q: float) -> float:
        """The smallest time at which the share solved is at least `q` (0 < q ≤ 1); ∞ if it never is."""
        reached = self.unsolved <= 1 - q + ROUNDING
        return float(self.time[np.argmax(reached)]) if reached.any() else np.inf


def survival(time: ArrayLike, solved: ArrayLike, diverged: ArrayLike = False, level: float = 0.95) -> Survival:
    """The survival curve of the time to criterion over R replicas, with a pointwise interval.

        S(t) = Π over times t_j ≤ t of (1 − d_j / n_j),    d_j replicas solved at t_j, n_j at risk just before

    `time` (R,) is what each replica spent, in any unit. An unsolved one is censored when its budget ended, and
    leaves those at risk then. A diverged one stays at risk to the end: it will never solve the task, and *knowing*
    that is not the same as not having watched longer. Censored where it diverged, it would be taken to have the
    prospects of those that still learn, and the more of the hopeless diverge, the better an algorithm would look.

    While nothing is censored before t, S(t) is a plain count ÷ R and a quantile the order statistic with every
    failure at ∞; only budgets in seconds, which end chunks of replicas at different epochs, ask for the product.

    The interval is Wilson's for n_j / S(t_{j−1}) replicas, the number that would leave n_j at risk had all of them
    been watched (Peto et al. 1977, Br. J. Cancer 35:1-39): exactly R, and thus the interval of the solved rate,
    while nothing is censored. Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457-481.
    """
    spent, is_solved = np.asarray(time, float), np.asarray(solved, bool)
    never = np.broadcast_to(np.asarray(diverged, bool), spent.shape)
    watched = np.sort(np.where(never, np.inf, spent))
    when, count = np.unique(spent[is_solved], return_counts=True)
    at_risk = len(spent) - np.searchsorted(watched, when)  # what ends at t_j is still at risk at t_j
    unsolved = np.cumprod([1.0, *(1 - count / at_risk)])
    replicas = np.array([len(spent), *(at_risk / unsolved[:-1])])
    low, high = wilson(unsolved * replicas, replicas, level)
    until = float(spent[~never].max()) if (~is_solved & ~never).any() else np.inf
    return Survival(np.array([0.0, *when]), unsolved, low, high, until)

"""The survival curve: the share of replicas still unsolved, and what can be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import Interval
from harness.statistics.proportion import wilson

Array = Any
ROUNDING = 1e-9  # of a product of many fractions; the shares it has to tell apart are 1/replicas


class Replicas(NamedTuple):
    """What became of the R replicas of one cell: the arguments of `survival`."""

    time: ArrayLike
    """What each spent (R,), in one unit."""
    solved: ArrayLike
    diverged: ArrayLike = False


@dataclass(frozen=True)
class Survival:
    """The share of replicas still unsolved, a step function:
    `unsolved[i]` holds from `time[i]` up to `time[i + 1]`.
    """

    time: NDArray[np.float64]
    """0, then every time at which a replica solved the task (T,), ascending."""
    unsolved: NDArray[np.float64]
    """Kaplan-Meier estimate of the share unsolved (T,)."""
    low: NDArray[np.float64]
    """Lower end of its pointwise interval (T,)."""
    high: NDArray[np.float64]
    until: float
    """Up to here something is known; ∞ if every replica solved the task or diverged."""

    def at(self, time: ArrayLike) -> Array:
        """The share unsolved at each `time` ≥ 0, of its shape; beyond `until` it is the last one known."""
        return self.unsolved[np.searchsorted(self.time, time, side="right") - 1]

    def quantile(self, q: float) -> float:
        """The smallest time at which the share solved is at least `q` (0 < q ≤ 1); ∞ if it never is."""
        return self._first(self.unsolved, q)

    def quantile_interval(self, q: float) -> Interval:
        """The quantile, and the times at which the band reaches 1 − q:
        low end from the lower curve, high end from the upper.

        Its level is that of the band. Brookmeyer & Crowley 1982, Biometrics 38:29-41.
        """
        return Interval(*(self._first(share, q) for share in (self.unsolved, self.low, self.high)))

    def restricted_mean(self, until: float) -> float:
        """∫ S(t) dt from 0 to `until`: the mean time spent by then,
        with whatever is still unsolved counted as `until`.

        Raises `InputError` beyond what is known. Irwin 1949, J. Hyg. 47:188-189; Royston & Parmar 2013, BMC
        Med. Res. Methodol. 13:152.
        """
        if not 0 <= until < np.inf or until > self.until:
            raise InputError(
                "until must be from 0 to the end of what was watched, "
                f"{self.until:g}, but {until!r} was given"
            )
        edges = np.minimum([*self.time, until], until)
        return float(np.diff(edges) @ self.unsolved)

    def _first(self, share: NDArray[np.float64], q: float) -> float:
        reached = share <= 1 - q + ROUNDING
        return float(self.time[np.argmax(reached)]) if reached.any() else np.inf


def survival(
    time: ArrayLike, solved: ArrayLike, diverged: ArrayLike = False, level: float = 0.95
) -> Survival:
    """The survival curve of the time to criterion over R replicas, with a pointwise interval.

        S(t) = Π over times t_j ≤ t of (1 − d_j / n_j),    d_j replicas solved at t_j, n_j at risk just before

    `time` (R,) is what each replica spent, in any unit. An unsolved one is censored when its budget ended,
    and leaves those at risk then. A diverged one stays at risk to the end: it will never solve the task, and
    *knowing* that is not the same as not having watched longer. Censored where it diverged, it would be taken
    to have the prospects of those that still learn, and the more of the hopeless diverge, the better an
    algorithm would look.

    While nothing is censored before t, S(t) is a plain count ÷ R and a quantile the order statistic with
    every failure at ∞; only budgets in seconds, which end chunks of replicas at different epochs, ask for the
    product.

    The interval is Wilson's for n_j / S(t_{j−1}) replicas, the number that would leave n_j at risk had all of
    them been watched (Peto et al. 1977, Br. J. Cancer 35:1-39): exactly R, and thus the interval of the
    solved rate, while nothing is censored. Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457-481.
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

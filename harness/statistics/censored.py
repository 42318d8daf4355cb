"""The survival curve: the share of replicas still unsolved, and what can be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import Interval

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
    `unsolved[i]` holds from `time[i]` up to `time[i + 1]`, and so do the ends of its interval.
    """

    time: NDArray[np.float64]
    """0, then every time at which a replica solved the task, or was watched no longer while others were (T,),
    ascending."""
    unsolved: NDArray[np.float64]
    """Kaplan-Meier estimate of the share unsolved (T,)."""
    until: float
    """Up to here something is known; ∞ if every replica solved the task or diverged."""
    at_risk: NDArray[np.float64]
    """Replicas unsolved and watched just before each time (T,)."""
    count: NDArray[np.float64]
    """Replicas that solved the task at each time (T,)."""
    left: NDArray[np.float64]
    """Replicas unsolved and watched from each time on to the next (T,)."""
    level: float = 0.95

    @property
    def low(self) -> NDArray[np.float64]:
        """Lower end of the pointwise interval (T,)."""
        return self.band[0]

    @property
    def high(self) -> NDArray[np.float64]:
        """Upper end of the pointwise interval (T,)."""
        return self.band[1]

    @cached_property
    def band(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both ends of the pointwise interval: the beta product confidence procedure, see `survival`.

        Made when it is asked for: SciPy, which it needs, is slow to import, and a summary prints the curve
        alone.
        """
        from scipy.special import betaincinv

        error = (1 - self.level) / 2
        a, b = self.at_risk - self.count + 1, self.count
        low = betaincinv(*_product(a, b, np.maximum(self.left, 1), 1.0), error)
        known = np.cumsum(b) > 0  # before the first success the share may still be 1
        high = betaincinv(*(part[known] for part in _product(a, b, 1.0, 0.0)), 1 - error)
        return np.where(self.left > 0, low, 0.0), np.concatenate([np.ones(int(np.sum(~known))), high])

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
    algorithm would look. Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457-481.

    While nothing is censored before t, S(t) is a plain count ÷ R and a quantile the order statistic with
    every failure at ∞; only budgets in seconds, which end chunks of replicas at different epochs, ask for the
    product.

    The interval is the beta product confidence procedure: quantiles of

        high   Π over t_j ≤ t of Beta(n_j − d_j + 1, d_j)
        low    the same × Beta(m, 1), m replicas unsolved and watched beyond t; 0 where there are none

    It is Clopper and Pearson's, of the unsolved among R, while nothing is censored, and covers at least
    `level` at any n and S; a product that is no Beta itself is replaced by the one of its mean and variance.
    Fay, Brittain & Proschan 2013, Biostatistics 14:723-736. The solved *rate* keeps Wilson's narrower
    interval (`solved_rate`), which covers its level on average only.
    """
    spent, is_solved = np.asarray(time, float), np.asarray(solved, bool)
    never = np.broadcast_to(np.asarray(diverged, bool), spent.shape)
    censored = ~is_solved & ~never
    until = float(spent[~never].max()) if censored.any() else np.inf
    watched, finished = np.sort(np.where(never, np.inf, spent)), np.sort(spent[is_solved])
    events = np.sort(np.concatenate([finished, spent[censored & (spent < until)]]))
    when = events[np.diff(events, prepend=-1) > 0]  # as `np.unique`, which imports NumPy's masked arrays
    before, after = (len(spent) - np.searchsorted(watched, when, side) for side in ("left", "right"))
    count = np.searchsorted(finished, when, "right") - np.searchsorted(finished, when, "left")
    left = np.where(when < until, after, before - count)  # what is censored at the end was watched up to it
    return Survival(
        time=np.array([0.0, *when]),
        unsolved=np.cumprod([1.0, *(1 - count / before)]),
        until=until,
        at_risk=np.array([len(spent), *before], float),
        count=np.array([0, *count], float),
        left=np.array([np.sum(watched > 0), *left], float),
        level=level,
    )


def _product(a: Array, b: Array, last_a: Array, last_b: float) -> tuple[Array, Array]:
    """The parameters (T,) of the Beta that has mean and variance of
    Π_{i ≤ j} Beta(a_i, b_i) × Beta(last_a_j, last_b), for each j.

    Beta(a, 0) is 1; of a product of nothing else the parameters say nothing. From logarithms of the mean and
    of 1 + (deviation ÷ mean)², which add up and lose no digits; a product of consecutive Betas
    (a_i = a_{i+1} + b_{i+1}), as without censoring, is a Beta itself.
    """

    def log_mean(a: Array, b: Array) -> Array:
        return np.log1p(-b / (a + b))

    def log_spread(a: Array, b: Array) -> Array:
        return np.log1p(b / (a * (a + b + 1)))

    mean, spread = (np.cumsum(of(a, b)) + of(last_a, last_b) for of in (log_mean, log_spread))
    m, rest, v = np.exp(mean), -np.expm1(mean), np.expm1(spread)
    size = (rest - m * v) / np.where(v > 0, m * v, 1)
    return m * size, rest * size

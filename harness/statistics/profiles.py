"""Profiles: in what share of targets, or tasks, is an algorithm done by then?

Step functions, failures never done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import amounts

Array = Any


class Steps(NamedTuple):
    """A step function: `share[i]` (T,) holds from `x[i]` (T,) up to `x[i + 1]`,
    and 0 before `x[0]`; x ascends, T may be 0.
    """

    x: NDArray[np.float64]
    share: NDArray[np.float64]

    def at(self, x: ArrayLike) -> Array:
        """The share at each `x`, of its shape."""
        return np.concatenate([[0.0], self.share])[np.searchsorted(self.x, x, side="right")]


def steps(values: ArrayLike) -> Steps:
    """The share of all `values`, of any shape, that are at most x: the infinite ones never are."""
    numbers = np.asarray(values, float)
    x, count = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    return Steps(x, np.cumsum(count) / max(numbers.size, 1))


def restarted(reached: ArrayLike, spent: ArrayLike, *, seed: int, draws: int = 1000) -> NDArray[np.float64]:
    """Running times (draws, T) of an algorithm started afresh until it reaches each of T targets.

    `reached` (R, T) is when each replica reached each target, ∞ where it never did; `spent` (R,) is all that
    a replica spent, in the same unit. For every draw and target replicas are picked evenly, with replacement,
    until one that reached the target: what the failures before it spent + when it did. ∞ where none did.
    Their mean is the ERT of the target.

    Simulated restarts: Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, COCO, Optim. Methods Softw.
    36:114-144.
    """
    times = np.asarray(reached, float)
    if times.ndim != 2 or not len(times) or not (times >= 0).all():
        raise InputError(
            f"reached must be a table of replicas × targets with times ≥ 0 or ∞, but has shape {times.shape}"
        )
    whole("draws", draws, 1)
    total = amounts("spent", spent, len(times))
    if (np.isfinite(times) & (times > total[:, None])).any():
        raise InputError(
            "reached must not be later than what the replica spent in all, but for one replica it is"
        )
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [np.empty((draws, 0)), *(_restarts(column, total, rng, draws) for column in times.T)]
    )


def _restarts(reached: Array, spent: Array, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    hits, failures = np.sort(reached[np.isfinite(reached)]), np.sort(spent[~np.isfinite(reached)])
    if not len(hits):
        return np.full(draws, np.inf)
    last = rng.choice(hits, draws)
    if not len(failures):
        return last
    before = rng.geometric(len(hits) / len(reached), draws) - 1  # failures before the first success
    lost = rng.choice(failures, int(before.sum()))
    return last + np.bincount(np.repeat(np.arange(draws), before), weights=lost, minlength=draws)


def runtime_profile(
    reached: Sequence[ArrayLike], spent: Sequence[ArrayLike], *, seed: int, draws: int = 1000
) -> Steps:
    """The runtime ECDF of one algorithm:
    the share of (task, target) pairs reached within x, restarts simulated.

    `reached` has a table (R, T) for each task and `spent` its (R,), as `restarted` takes them; R and T may
    differ. Every target counts the same. The restarts of a failed run are paid for, so x goes beyond the
    budget of a single run. Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, COCO, Optim. Methods Softw.
    36:114-144.
    """
    if len(reached) != len(spent) or not reached:
        raise InputError(
            "reached and spent are given for the same tasks, "
            f"at least one, not for {len(reached)} and {len(spent)}"
        )
    seeds = np.random.SeedSequence(seed).generate_state(len(reached))
    tables = zip(reached, spent, seeds, strict=True)
    return steps(
        np.concatenate([restarted(*table, seed=int(own), draws=draws).ravel() for *table, own in tables])
    )


def performance_profile(cost: ArrayLike) -> tuple[Steps, ...]:
    """Of each of A algorithms, the share of P tasks on which its cost is
    at most x times the least of all: ρ_a(x), x ≥ 1.

        ρ_a(x) = |{p : t_{p,a} ≤ x · min over a' of t_{p,a'}}| / P

    `cost` (A, P) is positive, ∞ where an algorithm fails. ρ_a(1) is how often a is the best, its last share
    how often it succeeds; a task on which all fail counts for none, and in P. Dolan & Moré 2002, Math.
    Program. 91:201-213.
    """
    table = np.asarray(cost, float)
    if table.ndim != 2 or not table.size or not (table > 0).all():
        raise InputError(f"cost must be a table of algorithms × tasks, positive or ∞, but {cost!r} was given")
    least = table.min(0)
    possible = np.isfinite(table)
    ratio = np.where(possible, np.where(possible, table, 1) / np.where(np.isfinite(least), least, 1), np.inf)
    return tuple(steps(row) for row in ratio)

"""The running time at the best cutoff: what a success costs a rule that gives up in time and starts afresh.

A budget is somebody's choice, and what failures spend follows it: a rule that is stuck now and then looks
five times as dear at a budget of 5,000 epochs as at one of 1,000. A rule that may restart has a budget of its
own, the best one. With tries of at most T epochs, each afresh, a success costs

    E[min(t, T)] / P(t ≤ T)

t the time at which a try succeeds, and no other rule of when to give up costs less in the mean than the best
T does at every try. Luby, Sinclair & Zuckerman 1993, Inf. Process. Lett. 47:173-180.

The T that looks best on some replicas flatters them: it was chosen where they happened to be lucky. So it is
chosen on some of them, and what it costs is read from the others.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import RESAMPLES, Interval, amounts, fates
from harness.statistics.censored import Replicas
from harness.statistics.running_time import expected_running_time, failure_costs, running_time

Array = Any
FOLDS = 2
ROUNDING = 1e-12  # of a cost: two orders of adding up the same replicas are a tie
TINY = 1e-18  # chance of a history of failures that is not followed further


class Restarted(NamedTuple):
    """What a success costs with restarts at the best cutoff, and where that is."""

    time: Interval
    """Cost of a success: floats, or arrays (K,) of K currencies."""
    cutoff: float
    """The best cutoff over all replicas, in epochs: the one to use; ∞ where nothing is solved."""
    cutoffs: NDArray[np.float64]
    """The one that each fold was cut at, chosen on all other folds (folds,)."""


def cost_at(times: ArrayLike, solved: ArrayLike, cutoff: ArrayLike) -> Array:
    """E[min(t, T)] / P(t ≤ T) from R replicas: what a success costs if every try is given up after T epochs.

        Σ min(times, T) ÷ number solved by T

    At ∞ it is the expected running time. An unsolved replica was watched for its budget and no longer, so no
    try is: beyond the least of these budgets T stands for the lesser of T and each one's own, and the value
    is that of the tries as they were made, not of longer ones. A diverged replica costs what it spent, and
    fails at every T.

    Args:
        times: what each replica ran (R,), in epochs, solved or not.
        solved: whether it solved its task, at that time (R,).
        cutoff: T ≥ 0, of any shape.

    Returns:
        Epochs a success, of the shape of `cutoff`; ∞ where none was solved by then.

    Raises:
        InputError: for times or a cutoff that are no such numbers.

    Luby, Sinclair & Zuckerman 1993, Inf. Process. Lett. 47:173-180.
    """
    is_solved = fates(solved)
    time = amounts("times", times, len(is_solved))
    limit = _limits(cutoff)
    order = np.argsort(time)
    spent, hits = (np.concatenate([[0.0], np.cumsum(x[order])]) for x in (time, is_solved))
    done = np.searchsorted(time[order], limit, side="right")
    longer = len(time) - done
    total = spent[done] + longer * np.where(longer > 0, limit, 0.0)
    return np.where(hits[done] > 0, total / np.maximum(hits[done], 1), np.inf)[()]


def best_cutoff(times: ArrayLike, solved: ArrayLike, diverged: ArrayLike = False) -> float:
    """The T at which `cost_at` is least, the smallest of several; ∞ if none is solved.

    Between two times of success the cost only rises with T, so it is one of these; and none beyond the least
    budget of an unsolved replica that did not diverge (R,), up to which all that a cutoff asks is known.
    """
    side = checked(Replicas(times, solved, diverged))
    everyone, no_fold = np.ones((1, len(side.time))), np.ones(len(side.time))
    return float(fold_cutoffs(everyone, side, no_fold, 1)[0, 0])


def restarted_time(
    replicas: Replicas,
    *,
    seed: int,
    spent: ArrayLike | None = None,
    budget: ArrayLike = np.inf,
    folds: int = FOLDS,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Restarted:
    """The running time of R replicas at the best cutoff, cross-fitted, with its interval.

    Replica i is in fold i mod `folds`, whoever's it is, so that paired replicas are cut together. Each fold
    is cut at the best cutoff of all others. What the replicas would have spent by then ÷ the number solved by
    then, both over all folds, is the value: none is judged by a cutoff that it had a say in. It is that of a
    rule whose cutoff was chosen on (folds − 1) / folds · R replicas, so a little above the least there is;
    where others solve none, nothing is cut.

    The interval is `running_time`'s of the replicas cut so: the outer one of the bootstrap and of what
    Clopper and Pearson allow, with failures that cost the cutoff. It is about the cost at these cutoffs;
    chosen on other replicas they would be others. docs/statistics.md says in how many cases it covers.

    Args:
        replicas: what became of the R replicas, in epochs.
        seed: of the resamples.
        spent: what each spent in all (R,), or in each of K currencies (R, K), if not epochs. A replica's
            price of an epoch is its own; what it is cut to costs in proportion.
        budget: the most epochs a replica may run, a number or one of each (R,): what a failure costs where
            none is seen and no cutoff is known.
        folds: at least 2.
        level: of the interval.
        resamples: of the bootstrap.

    Raises:
        InputError: for arguments that are none of these.
    """
    side = checked(replicas, spent, budget)
    whole("folds", folds, 2)
    fold = np.arange(len(side.time)) % folds
    everyone = np.ones((1, len(fold)))
    (cutoffs,) = fold_cutoffs(everyone, side, fold, folds)
    cut = side.cut(cutoffs[fold])
    time = running_time(
        cut.spent, cut.solved, seed=seed, budget=cut.failure, level=level, resamples=resamples
    )
    return Restarted(time, best_cutoff(*replicas), cutoffs)


def restarted_cost(replicas: Replicas, *, folds: int = FOLDS) -> tuple[float, float]:
    """`restarted_time` without its interval, in epochs, and the best cutoff over all replicas: (cost, T)."""
    side = checked(replicas)
    whole("folds", folds, 2)
    fold = np.arange(len(side.time)) % folds
    (cutoffs,) = fold_cutoffs(np.ones((1, len(fold))), side, fold, folds)
    cut = side.cut(cutoffs[fold])
    return float(expected_running_time(cut.time, cut.solved)), best_cutoff(*replicas)


def restart_ecdf(times: ArrayLike, solved: ArrayLike, cutoff: float, at: ArrayLike) -> Array:
    """P(a success within x epochs in all) of a rule that gives up after T epochs and starts afresh.

    For tries drawn from the R replicas, exactly and without drawing any: with m(c) the chance that a try
    begins when c epochs are spent, m(0) = 1,

        P(x) = Σ over c of m(c) · #{i solved by T: t_i ≤ x − c} / R
        m(c) = Σ over failures f of m(c − f) / R

    where a failure costs T, or what it spent if that is less: a replica that diverged, or had a smaller
    budget. With failures of T alone it is 1 − (1 − p)^k (1 − G(x − k T)), p the share solved by T, G that
    solved by a time, k = ⌊x / T⌋. The mean of this law is `cost_at` T.

    Args:
        times: what each replica ran (R,), in epochs, solved or not.
        solved: whether it solved its task, at that time (R,).
        cutoff: T ≥ 0.
        at: x, of any shape.

    Returns:
        The share done by x, of its shape.
    """
    side = checked(Replicas(times, solved))
    cut = side.cut(np.broadcast_to(_limits(cutoff), side.time.shape))
    hits = np.sort(cut.time[cut.solved])
    x = np.asarray(at, float)
    if not len(hits):
        return np.zeros(x.shape)[()]
    failures, count = np.unique(cut.time[~cut.solved], return_counts=True)
    tries = len(cut.time) - count[failures == 0].sum()  # a failure that costs nothing changes nothing
    chances = [(f, c / tries) for f, c in zip(failures, count, strict=True) if f > 0]
    end = x[np.isfinite(x)].max(initial=0.0)
    slack = ROUNDING * end
    share, begun, waiting = np.zeros(x.shape), {0.0: 1.0}, [0.0]
    while waiting:
        start = heappop(waiting)
        chance = begun.pop(start)
        share += chance * np.searchsorted(hits, x - start + slack, side="right") / tries
        for failure, own in chances:
            later = start + failure
            if later > end or chance * own < TINY:
                continue
            if later not in begun:
                heappush(waiting, later)
            begun[later] = begun.get(later, 0.0) + chance * own
    return np.where(x == np.inf, 1.0, np.minimum(share, 1.0))[()]


def _limits(cutoff: ArrayLike) -> NDArray[np.float64]:
    limits = np.asarray(cutoff, float)
    if not (limits >= 0).all():
        raise InputError(f"cutoff must be at least 0, in epochs, but {cutoff!r} was given")
    return limits


class Side(NamedTuple):
    """Replicas, checked."""

    time: NDArray[np.float64]
    """Epochs (R,)."""
    solved: NDArray[np.bool_]
    censored: NDArray[np.bool_]
    """Watched no longer, and not known to fail for good (R,)."""
    spent: NDArray[np.float64]
    """(R,) or (R, K)"""
    budget: NDArray[np.float64]
    """Most epochs that each would have run (R,)."""

    def first(self, n: int) -> Side:
        """The first n of them."""
        return Side(self.time[:n], self.solved[:n], self.censored[:n], self.spent[:n], self.budget[:n])

    def cut(self, limit: NDArray[np.float64]) -> Side:
        """The same replicas, given up after `limit` epochs (R,); the price of an epoch is each one's own."""
        time, solved = np.minimum(self.time, limit), self.solved & (self.time <= limit)
        spent = (self.spent.T * shares(self.time, limit)).T
        return Side(time, solved, self.censored, spent, np.minimum(self.budget, limit))

    @property
    def failure(self) -> Array:
        """What a replica that fails spends, in each currency: ∞ where no budget is known."""
        known = np.isfinite(self.budget).all()
        return failure_costs(self.spent, self.time, self.budget) if known else np.inf


def checked(replicas: Replicas, spent: ArrayLike | None = None, budget: ArrayLike = np.inf) -> Side:
    """Replicas, what they spent and what they may run, as arrays; raises `InputError` for what is none."""
    solved = fates(replicas.solved)
    time = amounts("time", replicas.time, len(solved))
    never = np.broadcast_to(np.asarray(replicas.diverged, bool), solved.shape)
    limits = np.broadcast_to(np.asarray(budget, float), solved.shape)
    if not (limits >= time).all():
        raise InputError(
            "budget must be the most epochs that a replica may run, no fewer than any ran, "
            f"but {budget!r} was given"
        )
    price = time if spent is None else amounts("spent", spent, len(solved))
    return Side(time, solved, ~solved & ~never, price, limits)


def fold_cutoffs(count: Array, side: Side, fold: Array, folds: int) -> NDArray[np.float64]:
    """Cutoffs (b, folds) of b samples in which the R replicas come so often (b, R): for each fold, the best
    of all replicas outside of it; ∞ where these solve none.
    """
    order = np.argsort(side.time, kind="stable")
    count, fold, time, solved = count[:, order], fold[order], side.time[order], side.solved[order]
    horizon = np.where((count > 0) & side.censored[order], time, np.inf).min(1, keepdims=True)
    return np.column_stack([_best(count * (fold != k), time, solved, horizon) for k in range(folds)])


def shares(time: Array, limit: Array) -> NDArray[np.float64]:
    """The share of its epochs (…, R) that is left of a replica given up after `limit` (…, R) of them."""
    return np.divide(np.minimum(time, limit), time, out=np.ones(np.shape(limit)), where=time > 0)


def _best(count: Array, time: Array, solved: Array, horizon: Array) -> NDArray[np.float64]:
    """Where `cost_at` is least (b,) for replicas in order of time, no later than the `horizon` (b, 1)."""
    so_far = np.cumsum(count, axis=1)
    spent = np.cumsum(count * time, axis=1) + (so_far[:, -1:] - so_far) * time
    hits = np.cumsum(count * solved, axis=1)
    possible = (count > 0) & solved & (time <= horizon)
    cost = np.where(possible, spent / np.maximum(hits, 1), np.inf)
    least = cost.min(1)
    first = np.argmax(cost <= least[:, None] * (1 + ROUNDING), axis=1)
    return np.where(np.isfinite(least), time[first], np.inf)

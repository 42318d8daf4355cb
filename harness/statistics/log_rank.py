"""Two independent sets of replicas: do their times to criterion differ by more than chance?"""

from __future__ import annotations

from math import lgamma, prod

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import whole
from harness.statistics.bootstrap import CHUNK, fates
from harness.statistics.censored import Replicas, survival
from harness.statistics.significance import Significance

PERMUTATIONS = 20_000
COUNTED = 2**17  # choices of scores that are counted one by one, in a few hundredths of a second
DIGITS = 12  # of a score: to so many, equal times have equal ones


def logrank(a: Replicas, b: Replicas, *, seed: int = 0, permutations: int = PERMUTATIONS) -> Significance:
    """Are the times to criterion of two *independent* sets of replicas equally distributed?

        Z = U / √V,   U = Σ_j (d_aj − d_j n_aj / n_j),   V = Σ_j d_j n_aj n_bj (n_j − d_j) / (n_j² (n_j − 1))

    over the times t_j at which d_j of the n_j at risk solve the task (Mantel 1966, Cancer Chemother. Rep.
    50:163-170). Z > 0: a solves sooner. As in `survival`, a diverged replica stays at risk to the end. The
    two are compared up to the earlier end of their watches: beyond it one of them alone is seen.

    p is that of U given all times and fates, no normal law assumed: U is the sum over a's replicas of scores,
    [solved] − Σ over t_j ≤ t of d_j / n_j, and if the sets are alike, any replicas could have been a's (Peto
    & Peto 1972, J. R. Stat. Soc. A 135:185-207). So p is the share of all ways to choose them in which |U| is
    as large as here: counted, where that takes at most `COUNTED` steps; else of `permutations` drawn ones
    and what was seen, never below 1 / (permutations + 1). Where few solve, 2 Φ(−|Z|) is far off: 3 of 5
    against 0 of 5 is p = 1/6, not .049.

    Z = 0 and p = 1 where nothing can be said. Where shared initial weights make replicas alike the test is
    cautious, and `paired_difference` sees more.
    """
    whole("permutations", permutations, 1)
    time, solved, of_a = _together(a, b)
    when, count = np.unique(time[solved], return_counts=True)
    at_risk, a_at_risk = (len(some) - np.searchsorted(np.sort(some), when) for some in (time, time[of_a]))
    hazard = np.concatenate([[0.0], np.cumsum(count / at_risk)])
    score = solved - hazard[np.searchsorted(when, time, side="right")]
    share = a_at_risk / at_risk
    variance = np.sum(count * share * (1 - share) * (at_risk - count) / np.maximum(at_risk - 1, 1))
    if not variance > 0:
        return Significance(0.0, 1.0)
    u = float(score[of_a].sum())
    fewer = min(int(of_a.sum()), int((~of_a).sum()))  # the scores of both together add up to 0
    return Significance(u / float(np.sqrt(variance)), _as_large(score, fewer, abs(u), permutations, seed))


def _together(a: Replicas, b: Replicas) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Times and fates of both sets (n,), up to the end of what both watched, and which are a's."""
    times, fate = [], []
    for side in (a, b):
        solved = fates(side.solved)
        never = np.broadcast_to(np.asarray(side.diverged, bool), solved.shape) & ~solved
        times.append(np.where(never, np.inf, np.asarray(side.time, float)))
        fate.append(solved)
    end = min(survival(*side).until for side in (a, b))
    time, solved = np.concatenate(times), np.concatenate(fate)
    return np.minimum(time, end), solved & (time <= end), np.arange(len(time)) < len(times[0])


def _as_large(score: NDArray[np.float64], some: int, least: float, permutations: int, seed: int) -> float:
    """P(|sum| ≥ `least`) of `some` of the scores (n,), chosen evenly without replacement."""
    values, copies = np.unique(np.round(score, DIGITS), return_counts=True)
    least -= 10.0**-DIGITS * len(score)  # two orders of adding up are a tie
    order = np.argsort(copies, kind="stable")  # of the commonest score is chosen what is left to choose
    if prod((copies[order][:-1] + 1).tolist()) <= COUNTED:
        return min(1.0, _counted(values[order], copies[order], some, least))
    rng, rows, extreme = np.random.default_rng(seed), max(1, CHUNK // len(score)), 0
    for start in range(0, permutations, rows):
        table = np.tile(np.sort(score), (min(rows, permutations - start), 1))
        drawn = rng.permuted(table, axis=1)[:, :some].sum(1)
        extreme += int((np.abs(drawn) >= least).sum())
    return (extreme + 1) / (permutations + 1)


def _counted(values: NDArray[np.float64], copies: NDArray[np.int_], some: int, least: float) -> float:
    """The same over all choices: how many of each value, one value after the other."""
    chosen, total, log_ways = np.zeros(1, int), np.zeros(1), np.zeros(1)
    for value, m in zip(values[:-1], copies[:-1], strict=True):
        j = np.arange(m + 1)
        chosen = (chosen[:, None] + j).ravel()
        total = (total[:, None] + j * value).ravel()
        log_ways = (log_ways[:, None] + [_log_choose(m, i) for i in j]).ravel()
    rest, last = some - chosen, int(copies[-1])
    possible = (rest >= 0) & (rest <= last)
    rest, total, log_ways = rest[possible], total[possible], log_ways[possible]
    of_last = np.array([_log_choose(last, i) for i in range(last + 1)])
    weight = np.exp(log_ways + of_last[rest] - _log_choose(int(copies.sum()), some))
    return float(weight[np.abs(total + rest * values[-1]) >= least].sum())


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

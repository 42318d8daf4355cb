"""Populations of replicas of which it is known what a success costs at any cutoff."""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

import numpy as np
from scipy import special

from harness.statistics import Replicas


class Law(NamedTuple):
    """A replica is stuck with a chance and then spends its budget, else its time is lognormal."""

    stuck: float
    median: float
    spread: float  # of the logarithm of a time
    budget: float

    def spends(self, cutoff):
        """E[min(t, T)] and P(t ≤ T), T at most the budget."""
        until, free = min(cutoff, self.budget), 1 - self.stuck
        z = log(until / self.median) / self.spread
        hit = free * special.ndtr(z)
        below = self.median * exp(self.spread**2 / 2) * special.ndtr(z - self.spread)
        return np.array([free * below + until * (1 - hit), hit])

    def cost(self, cutoffs, n):
        """What a success costs if fold k of n replicas is cut at the k-th cutoff."""
        return cost_of([self] * len(cutoffs), cutoffs, n)

    def cell(self, luck, pace):
        """Replicas of so much luck and pace, both even from 0 to 1 (n,)."""
        time = self.median * np.exp(self.spread * special.ndtri(pace))
        solved = (luck >= self.stuck) & (time <= self.budget)
        return Replicas(np.where(solved, time, self.budget), solved)


def cost_of(laws, cutoffs, n):
    """What a success costs if fold k of n replicas has the k-th law and is cut at the k-th cutoff."""
    sizes = [len(range(k, n, len(cutoffs))) for k in range(len(cutoffs))]
    spent, hit = sum(size * law.spends(cut) for size, law, cut in zip(sizes, laws, cutoffs, strict=True))
    return spent / hit

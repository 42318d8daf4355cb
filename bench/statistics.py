"""The bootstrap of the expected running time against scipy's: measured in turn in one run."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from scipy import stats

from bench.compiled import quicker
from harness.statistics import RESAMPLES, running_time

REPLICAS, CURRENCIES = 100, 6


def lines(rounds: int = 5) -> Iterator[str]:
    """A table: intervals of the running time of R replicas in K currencies, seven in ten of them solved."""
    yield (
        "| resamples | R × K | scipy.stats.bootstrap (one by one), "
        "ms | running_time, ms | ratio (range) | promised |"
    )
    yield "|---|---|---|---|---|---|"
    rng = np.random.default_rng(0)
    spent, solved = rng.exponential(size=(REPLICAS, CURRENCIES)), rng.random(REPLICAS) < 0.7

    def scipys() -> float:
        start = perf_counter()
        for column in spent.T:
            stats.bootstrap(
                (column, solved),
                lambda s, k, axis: s.sum(axis) / k.sum(axis),
                paired=True,
                n_resamples=RESAMPLES,
                batch=1000,
                method="percentile",
                rng=np.random.default_rng(0),
            )
        return 1e3 * (perf_counter() - start)

    def ours() -> float:
        start = perf_counter()
        running_time(spent, solved, seed=0)
        return 1e3 * (perf_counter() - start)

    ours()  # once unwatched
    theirs, mine, ratio = quicker(scipys, ours, rounds)
    yield f"| {RESAMPLES:,} | {REPLICAS} × {CURRENCIES} | {theirs:,.0f} | {mine:.0f} | {ratio} | < 500 ms |"

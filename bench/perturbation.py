"""Finite differences against the forward passes that they are: measured in turn in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np

from algorithms.finite_differences import FiniteDifferences
from bench.compiled import quicker
from harness.core.algorithm import Batch
from harness.core.initial import initial
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.registry import tasks
from harness.training.train import keep_freed_memory

CASES = [("encoder", 100, "≤ 1.5"), ("xor", 100, ""), ("symmetry", 100, "")]  # task, replicas, promised ratio
TIMES = 20  # in one measurement: a single one takes milliseconds


def lines(rounds: int = 5) -> Iterator[str]:
    """A table: one central-difference gradient of R networks,
    and 2W forward passes of the same R networks at once.
    """
    yield "| task | R | W | 2W forward passes, ms | central differences | ratio (range) | promised |"
    yield "|---|---|---|---|---|---|---|"
    keep_freed_memory()
    for name, replicas, promised in CASES:
        yield row(name, replicas, promised, rounds)


def row(name: str, replicas: int, promised: str, rounds: int) -> str:
    """One task."""
    task, numbers = tasks()[name](), range(replicas)
    net = task.network()
    params = initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)
    batch = Batch(*task.data(Rand(0, numbers, SPLIT), np.float64)[:3], 0, task.objective)
    algorithm, rand = FiniteDifferences(), Rand(0, numbers, NOISE)

    def passes() -> None:
        for _ in range(2 * net.size):
            net.forward(params, batch.x)

    def milliseconds(work: Callable[[], object]) -> float:
        start = perf_counter()
        for _ in range(TIMES):
            work()
        return 1e3 * (perf_counter() - start) / TIMES

    both = [
        partial(milliseconds, work)
        for work in (partial(algorithm.credit, net, params, {}, batch, rand), passes)
    ]
    [measure() for measure in both]  # once unwatched: caches fill
    ours, theirs, ratio = quicker(both[0], both[1], rounds)
    return f"| {name} | {replicas:,} | {net.size} | {theirs:.2f} | {ours:.2f} | {ratio} | {promised} |"

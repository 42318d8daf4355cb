"""Replicas first in memory against replicas last: `python -m bench.layouts`, least CPU times, in turn.

Backpropagation by a criterion that nobody meets, so that every epoch costs all replicas.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time

import numpy as np
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from harness.cells.settings import Settings, resolve
from harness.core.lanes import Lanes
from harness.core.readings import Interpreted, read_by
from harness.core.registry import build_task
from harness.training.plan import Plan
from harness.training.train import Last, keep_freed_memory
from harness.training.trainer import Trainer

TASKS = ("xor", "encoder", "symmetry")
REPLICAS = {10: 1500, 100: 500, 1000: 150, 4000: 50}  # and epochs


def lines(rounds: int = 4) -> Iterator[str]:
    """A table: how many times as fast an epoch is with replicas last."""
    yield "| task | " + " | ".join(f"R = {replicas:,}" for replicas in REPLICAS) + " |"
    yield "|---" * (len(REPLICAS) + 1) + "|"
    for name in TASKS:
        ratios = []
        for replicas, epochs in REPLICAS.items():
            times = [[seconds(name, replicas, epochs, last) for last in (False, True)] for _ in range(rounds)]
            first, last = (min(column) for column in zip(*times, strict=True))
            ratios.append(f"{first / last:.2f}")
        yield f"| {name} | {' | '.join(ratios)} |"


def seconds(name: str, replicas: int, epochs: int, last: bool) -> float:
    """CPU seconds of a loop in one of the layouts."""
    task = build_task({"name": name, "criterion": "margin", "bound": 1e-9})
    rule, where, how = resolve(Backprop(), task, Settings(replicas=replicas, epochs=epochs))
    with np.errstate(all="ignore"), read_by(Lanes() if last else Interpreted()):
        trainer = (Last if last else Trainer)(rule, where, Plan.of(how), range(replicas), None)
        start = process_time()
        trainer.run(None)
        return process_time() - start


if __name__ == "__main__":
    keep_freed_memory()
    with threadpool_limits(1, user_api="blas"):
        for line in lines():
            print(line, flush=True)

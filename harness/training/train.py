"""Training a batch of replicas, interpreted, in the memory layout that suits the rule and the network.

`Trainer` has the loop. `Last` is the same loop with replicas last in memory (`harness.core.lanes`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.algorithm import Algorithm
from harness.core.lanes import FEWEST, Lanes, laid
from harness.core.readings import Interpreted, Reading, read_by
from harness.core.riding import kept
from harness.core.task import Task
from harness.core.tree import tree_map
from harness.training.layout import replicas_last
from harness.training.plan import Plan
from harness.training.snapshot import Checkpoint
from harness.training.trained import Trained
from harness.training.trainer import Trainer
from harness.training.watch import Watch

Array = Any


def train(
    algorithm: Algorithm,
    task: Task,
    plan: Plan,
    replicas: Sequence[int],
    tick: Callable[[int], None] | None = None,
    watch: Watch | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train `replicas` (their numbers decide their random streams). Never raises for divergence.

    `tick` hears of each epoch, `watch` sees those that it asks for; where there is a last `checkpoint` of
    these replicas, training goes on from there.
    """
    keep_freed_memory()
    with np.errstate(all="ignore"):
        trainer, reading = trainer_for(algorithm, task, plan, replicas, watch)
        with read_by(reading):
            trained = trainer.run(tick, checkpoint=checkpoint)
    return trained if len(trained.replica) == len(replicas) else alone(trained)


def trainer_for(
    algorithm: Algorithm, task: Task, plan: Plan, replicas: Sequence[int], watch: Watch | None = None
) -> tuple[Trainer, Reading]:
    """The trainer of a batch, and the reading that its layout is for."""
    if not replicas_last(algorithm, task, plan):
        return Trainer(algorithm, task, plan, replicas, watch), Interpreted()
    if len(replicas) < FEWEST:  # one lane alone would have its sums in another order
        algorithm, task, replicas = kept(algorithm, [0, 0]), kept(task, [0, 0]), [*replicas, *replicas]
    with read_by(Lanes()) as lanes:
        return Last(algorithm, task, plan, replicas, watch), lanes


def alone(trained: Trained) -> Trained:
    """The first of two replicas that are the same one."""
    credit, trained.credit = trained.credit, {}
    one = trained.rows(np.array([0]))
    one.seconds, one.credit = 2.0 * one.seconds, credit
    return one


class Last(Trainer):
    """A batch whose arrays have the replicas last in memory, and always two of them."""

    def placed(self, arrays: Any) -> Any:
        return tree_map(laid, arrays)

    def look(self, epoch: int) -> None:
        """Show the batch as everybody else has it, to whoever watches: without the second of the same."""
        if not (self.watch and epoch in self.watch.epochs):
            return
        mine = self.data, self.state, self.rows, self.running
        n = 1 if len(set(self.result.replica)) == 1 else len(self.rows)
        self.data, self.state = tree_map(lambda a: first(a, n), mine[:2])
        self.rows, self.running = self.rows[:n], self.running[:n]
        with read_by(Interpreted()):
            super().look(epoch)
        self.data, self.state, self.rows, self.running = mine

    def predicted(self, part: str, which: NDArray[np.int64]) -> Array:
        """Of a single one, as of two."""
        return super().predicted(part, np.resize(which, max(FEWEST, len(which))))[: len(which)]

    def staying(self) -> NDArray[np.bool_]:
        """Those that run, and one that does not where only one is left."""
        stays = self.running.copy()
        for i in np.flatnonzero(~stays)[: max(0, FEWEST - np.count_nonzero(stays))]:
            stays[i] = True
        return stays


def first(a: Array, n: int) -> Array:
    """The first n rows of an array, replicas first in memory."""
    return np.ascontiguousarray(a[:n]) if isinstance(a, np.ndarray) else a


def keep_freed_memory() -> None:
    """Tell glibc to reuse freed megabytes instead of handing them back to the kernel.

    A thousand replicas make temporaries of about a megabyte, which malloc would map and unmap at every
    operation, and touching fresh pages takes longer than the arithmetic. Elsewhere than on glibc nothing
    happens.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mmap_threshold, trim_threshold, gigabyte = -3, -1, 1 << 30
            mallopt(mmap_threshold, gigabyte)
            mallopt(trim_threshold, gigabyte)

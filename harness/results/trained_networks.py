"""The trained networks of a record, put together again: their weights, and what their units do.

    nets = trained_networks.of(results.records("local_minima")[0])
    nets.activities()["hidden"]         # (replicas, patterns, units)

For algorithms whose weights are those of the task's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core import registry
from harness.core.algorithm import Batch
from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.network import Key, Network
from harness.core.rand import SPLIT, Rand
from harness.core.task import Task
from harness.store.record import Record

Array = NDArray[Any]


@dataclass(frozen=True)
class Networks:
    """The final networks of a cell's replicas."""

    task: Task
    net: Network
    params: Mapping[Key, Array]
    """By edge and group, (R, rows, columns)."""
    replicas: Mapping[str, Array]
    """The per-replica columns of the record."""
    seed: int

    def __len__(self) -> int:
        return len(self.replicas["replica"])

    def chosen(self, mask: Array) -> Networks:
        """Those of the networks in `mask` (R,), a mask or numbers."""
        params = {key: w[mask] for key, w in self.params.items()}
        return replace(
            self, params=params, replicas={name: column[mask] for name, column in self.replicas.items()}
        )

    @cached_property
    def data(self) -> Data:
        """Training patterns, and those held out, of each replica."""
        return self.task.data(Rand(self.seed, self.replicas["replica"].tolist(), SPLIT), np.float64)

    def batch(self) -> Batch:
        """All training patterns as an update sees them."""
        return Batch.of(self.data, np.zeros(()), self.task.objective)

    def activities(self, x: Array | None = None) -> dict[str, Array]:
        """Activity (R, N, size) of every group by name for patterns x (N, input size);
        None: all patterns of the task.

        Patterns may be of each network's own, or (1, N, input size) as data share them. In time, (R, T, N,
        size) for sequences x (T, N, input size).
        """
        x = self.task.patterns().x if x is None else x
        with np.errstate(all="ignore"):  # of networks that diverged
            if not self.net.timed:
                return {group.name: a for group, a in self.net.forward(self.params, x).items()}
            steps = self.net.unrolled(self.params, x)
        return {group.name: np.stack([y[group] for y in steps], axis=-3) for group in self.net.groups}

    def outputs(self) -> Array:
        """Activity of the output group (R, N, outputs) for all patterns of the task."""
        return self.activities()[self.net.output.name]


def of(record: Record) -> Networks:
    """The networks of a finished cell;
    raises `InputError` where its weights are not those of the task's network.
    """
    task = registry.build_task(record.meta["task"])
    net, weights = task.network(), record.weights
    for key, shape in net.shapes.items():
        if key.name not in weights or weights[key.name].shape[1:] != shape:
            raise InputError(
                f"the weights of {record.id} are not those "
                f"of its task's network ({key.name!r} is missing or other)"
            )
    params = {key: weights[key.name].astype(np.float64) for key in net.shapes}
    return Networks(task, net, params, record.replicas, int(record.meta["run"]["seed"]))

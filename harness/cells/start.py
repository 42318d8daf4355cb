"""Where a cell starts: its network, patterns, first batch and initial state, for any of its replicas.

Training begins here, and everything that looks at untrained networks does: the cost sheet, the gradient
check, what is left of credit with depth. The weights are those that every algorithm on the same network and
seed starts from.

    at = start(cell.algorithm, cell.task, cell.settings, range(4))
    cell.algorithm.update(at.net, at.state, at.batch, at.noise)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from harness.cells.room import refuse, start_bytes
from harness.core.algorithm import Algorithm, Batch, State
from harness.core.data import Data, checked
from harness.core.initial import initial
from harness.core.network import Network, Params
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.task import Task


class Seeded(Protocol):
    """What decides the numbers of a start: `Settings` have both, and so has a training `Plan`."""

    @property
    def seed(self) -> int: ...
    @property
    def dtype(self) -> str: ...


class Start(NamedTuple):
    """R replicas of a cell before the first update; weights and state have a leading axis R."""

    net: Network
    data: Data
    """Training patterns, and those held out or kept for validation."""
    batch: Batch
    """The training patterns, or the first of them, as an update in sweep 0 sees them."""
    weights: Params
    """The initial weights that were handed to the algorithm."""
    state: State
    """What the algorithm made of them."""
    noise: Rand
    """The algorithm's own random numbers, as far as its `init` has drawn them."""


class Ground(NamedTuple):
    """What R replicas of a cell stand on before their algorithm has done anything."""

    net: Network
    data: Data
    batch: Batch
    weights: Params
    noise: Rand


def start(
    algorithm: Algorithm,
    task: Task,
    how: Seeded,
    replicas: Sequence[int],
    patterns: int | None = None,
) -> Start:
    """The start of some replicas of a cell.

    Args:
        algorithm, task: with all settings resolved.
        how: seed and precision.
        replicas: their numbers, which decide their random streams.
        patterns: how many are in the batch; None for all.

    Raises:
        InputError: if there is not enough memory for them.
    """
    needed = start_bytes(algorithm, task, how.dtype, len(replicas))
    refuse(needed, f"the start of {algorithm.name} on {task.name} with replicas={len(replicas)}")

    at = ground(task, how, replicas, patterns)
    return Start(*at[:4], algorithm.init(at.net, at.weights, at.noise), at.noise)


def ground(task: Task, how: Seeded, replicas: Sequence[int], patterns: int | None = None) -> Ground:
    """The start of some replicas, but for what their algorithm makes of it; arguments as of `start`."""

    def rand(purpose: int) -> Rand:
        return Rand(how.seed, replicas, purpose, how.dtype)

    net = task.network()
    data = checked(task.data(rand(SPLIT), how.dtype), task.name, net.input_size, net.output.size)
    some = Data(*(a[..., :patterns, :] for a in data[:3]))
    weights = initial(net, rand(WEIGHTS), task.init, task.initial_scale)
    batch = Batch.of(some, np.zeros((), how.dtype), task.objective)
    return Ground(net, data, batch, weights, rand(NOISE))

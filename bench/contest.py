"""What the contestants of the compiled loop are given, and what each of them hands back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.data import Data
from harness.core.initial import initial
from harness.core.network import Key
from harness.core.rand import SPLIT, WEIGHTS, Rand
from harness.core.registry import tasks
from harness.core.task import ROUNDING, Task

Weights = dict[Key, NDArray[Any]]
Contestant = Callable[[int], tuple[Weights, NDArray[np.int64]]]
"""Trains all networks from the start for so many epochs: weights (R, rows, columns) by parameter, and the
epoch at which each network met the criterion, −1 for none (R,)."""


class Start(NamedTuple):
    """The same start for everybody: R networks on a task, and what is done with their gradients."""

    task: Task
    params: Weights
    data: Data
    lr: float
    momentum: float

    @classmethod
    def of(
        cls, name: str, replicas: int, lr: float, momentum: float, seed: int = 0, **settings: Any
    ) -> Start:
        """What the harness starts from, too."""
        task = tasks()[name](**settings)
        numbers = range(replicas)
        params = initial(task.network(), Rand(seed, numbers, WEIGHTS), task.init, task.initial_scale)
        return cls(task, params, task.data(Rand(seed, numbers, SPLIT), np.float64), lr, momentum)

    @property
    def edge(self) -> float:
        """How far from the middle an output is on a side."""
        return float(ROUNDING * np.finfo(float).eps * (self.task.target_on - self.task.target_off))

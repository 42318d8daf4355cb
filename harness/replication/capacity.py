"""Observation: how many of its patterns a Hopfield network still gives back, against how many it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from algorithms.hopfield import Hopfield
from harness.core.algorithm import Batch
from harness.core.rand import NOISE, SPLIT, Rand
from harness.tasks.recall import Recall

Array = Any


def kept(units: int, stored: Sequence[int], states: str, replicas: int) -> dict[str, Array]:
    """`whole` (replicas, how many numbers of patterns): the share of its patterns that a network leaves as
    they are, one unit after another; `load` (how many): patterns over units."""
    rule, whole = Hopfield(states=states), []
    for count in stored:
        task = Recall(units=units, stored=count, flipped=0)
        net, data = task.network(), task.data(Rand(0, range(replicas), SPLIT), np.float64)
        (edge,) = net.edges
        start = {"params": {edge: np.zeros((replicas, *edge.shape))}}
        state = rule.update(net, start, Batch.of(data, 0, task.objective), Rand(0, [0], NOISE)).state
        whole.append((rule.predict(net, state, data.x) == data.x).all(axis=-1).mean(axis=-1))
    return {"whole": np.stack(whole, axis=1), "load": np.array(stored) / units}

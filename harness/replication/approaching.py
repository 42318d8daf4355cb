"""Observation: how far the credit of predictive coding is from backprop's, at initial weights,
and what it costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.predictive_coding import PredictiveCoding
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core.algorithm import Batch
from harness.core.initial import initial
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.cost.sheet import sheet
from harness.tasks.parity import Parity

Array = Any
RULES = {
    "settled": PredictiveCoding(steps=500),
    "weak": PredictiveCoding(steps=500, energy_weight=0.001),
    "z_il": PredictiveCoding(variant="z_il"),
    "fixed_prediction": PredictiveCoding(variant="fixed_prediction", steps=3, inference_rate=1.0),
}


def distances(replicas: int) -> dict[str, Array]:
    """Parity of 4 bits by three hidden layers of 8 tanh units, weights ±.5, all patterns at once:
    |credit − gradient| ÷ |gradient| over all weights, (R,) for each of `RULES`,

    and `work`, the FLOPs of an update of Z-IL in those of backprop's (1,).
    """
    task, numbers = Parity(hidden=8, layers=3, activation="tanh", scale=0.5).resolved(), range(replicas)
    net = task.network()
    batch = Batch.of(task.data(Rand(0, numbers, SPLIT), np.float64), np.zeros(()), task.objective)
    params = initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)

    def vector(rule: Any) -> Array:
        credit = rule.credit(net, params, {}, batch, Rand(0, numbers, NOISE)).gradient
        return np.concatenate([credit[key].reshape(replicas, -1) for key in net.shapes], axis=-1)

    exact = vector(Backprop())
    far = {
        name: np.linalg.norm(vector(rule) - exact, axis=-1) / np.linalg.norm(exact, axis=-1)
        for name, rule in RULES.items()
    }
    works = [
        sheet(Cell(*resolve(rule, task, Settings(replicas=1)))).update.work
        for rule in (RULES["z_il"], Backprop())
    ]
    return {**far, "work": np.array([works[0] / works[1]])}

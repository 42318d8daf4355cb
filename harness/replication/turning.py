"""Observation: how the credit of feedback alignment turns towards backprop's
on the linear task of Lillicrap et al. 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import FeedbackAlignment
from harness.core.algorithm import Batch
from harness.tasks.linear_map import LinearMap
from harness.training.plan import Plan
from harness.training.trainer import Trainer

Array = Any


def degrees(a: Array, b: Array) -> Array:
    """Angle between two credits of each replica (R, rows, columns)."""
    dot = (a * b).sum(axis=(1, 2)) / np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)))
    return np.degrees(np.arccos(dot))


def angles(replicas: int, sweeps: int = 2) -> dict[str, Array]:
    """30-20-10, η .001, W ±.01, B ±.5, one sample at a time;
    at the start and after each sweep of 1,000 samples (sweeps + 1, R):

    `angle` of the credit of input → hidden over all samples, and `unexplained`, the share of the squared
    targets not yet met.
    """
    task = LinearMap().resolved()
    rule: Any = FeedbackAlignment().resolved(task.usual)
    trainer = Trainer(rule, task, Plan(0, sweeps, np.inf, 1, True, "float64"), range(replicas))
    net, batch = task.network(), Batch.of(trainer.data, np.zeros(()), task.objective)
    first, found = net.edges[0], []
    for sweep in range(sweeps + 1):
        params, memory = trainer.state["params"], trainer.state["memory"]
        ours, exact = (a.credit(net, params, memory, batch, trainer.noise) for a in (rule, Backprop()))
        unexplained = ((ours.output - batch.target) ** 2).sum(axis=(1, 2)) / (batch.target**2).sum(
            axis=(1, 2)
        )
        found.append((degrees(ours.gradient[first], exact.gradient[first]), unexplained))
        if sweep < sweeps:
            trainer.state, _ = trainer.sweep(sweep)
    angle, unexplained = (np.array(rows) for rows in zip(*found, strict=True))
    return {"angle": angle, "unexplained": unexplained}

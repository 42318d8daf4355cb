"""What training leaves: the fate of each replica, its curves and its final weights, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Trained:
    """What became of each replica: arrays with one entry, or row, per replica."""

    replica: NDArray[np.int64]
    outcome: NDArray[np.object_]
    epochs: NDArray[np.int64]
    """Sweeps spent: to the solution, to the budget, or to where divergence was noticed."""
    updates: NDArray[np.int64]
    seconds: NDArray[np.float64]
    """Its share of the time spent in updates (time of each sweep ÷ replicas then running)."""
    reason: NDArray[np.object_]
    """Why it is not solved: budget of epochs or of seconds, or what diverged and where."""
    loss: NDArray[np.float64]
    right: NDArray[np.float64]
    """Share of training patterns right at the end."""
    validation_right: NDArray[np.float64]
    """Share of validation patterns right at the end; NaN where there are none."""
    held_right: NDArray[np.float64]
    """Share of held-out patterns right at the end; NaN where there are none."""
    validation_rmse: NDArray[np.float64]
    """√(2 E ÷ (patterns · outputs)) of the validation patterns at the end:
    an output's error, in the unit of the targets.
    """
    held_rmse: NDArray[np.float64]
    """The same of the held-out patterns; NaN where there are none."""
    loss_curve: NDArray[np.float64]
    """Loss at `curve_epochs` (R, E);
    finished replicas keep their last value, diverged ones stand at infinity.
    """
    right_curve: NDArray[np.float64]
    credit: dict[str, NDArray[np.float64]]
    """What the credit probe found, by 'quantity/edge' (R, its epochs)."""
    weights: dict[str, NDArray[np.floating]]
    """Final weights by parameter name (R, rows, columns)."""
    told: dict[str, NDArray[np.floating]] = field(default_factory=dict)
    """What the algorithm has to say of itself (`Algorithm.told`), by name (R,)."""
    ran: dict[str, Any] = field(default_factory=lambda: {"backend": "numpy"})
    """How it was run: `backend`, `device` and `compile_seconds` where it was compiled, or `why` it was not.
    """

    @classmethod
    def empty(cls, replicas: Sequence[int], points: int) -> Trained:
        """Room for the results of `replicas` on a curve of that many points."""
        n = len(replicas)
        text, counts, numbers = np.full(n, "", object), np.zeros(n, np.int64), np.full(n, np.nan)
        curve = np.full((n, points), np.nan)
        filled = {
            "outcome": text,
            "reason": text,
            "epochs": counts,
            "updates": counts,
            "loss_curve": curve,
            "right_curve": curve,
        }
        columns: dict[str, Any] = {
            f.name: filled.get(f.name, numbers).copy()
            for f in fields(cls)
            if f.name not in ("replica", "credit", "weights", "told", "ran")
        }
        return cls(replica=np.asarray(replicas, np.int64), credit={}, weights={}, **columns)

    def rows(self, which: NDArray[Any]) -> Trained:
        """What became of some of the replicas: a mask over them, or their places."""
        parts: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == "ran":
                parts[f.name] = dict(value)
            elif isinstance(value, dict):
                parts[f.name] = {name: a[which] for name, a in value.items()}
            else:
                parts[f.name] = value[which]
        return Trained(**parts)

"""RMSProp: every weight's step is its credit over the root of that credit's mean square.

    v ← ρ v + (1 − ρ) g²,      w ← w − ε g / (√v + 10⁻⁸)

Tieleman & Hinton 2012, Neural networks for machine learning, lecture 6.5 (Coursera).
"""

from dataclasses import dataclass

import numpy as np

from harness import Optimiser, setting


@dataclass(frozen=True)
class RmsStep(Optimiser):
    """RMSProp: steps of one size, whatever the size of the credit."""

    lr: float | None = setting(
        0.01, "Step size ε; None is the task's usual learning rate.", above=0, rate=True
    )
    rho: float = setting(0.9, "Decay ρ of the mean square, per update.", at_least=0, below=1)

    def init(self, params):
        return {"square": {key: np.zeros_like(w) for key, w in params.items()}}

    def step(self, params, credit, memory, epoch):
        new, square = dict(params), dict(memory["square"])
        for key, g in credit.items():  # weights without credit stay
            square[key] = self.rho * square[key] + (1 - self.rho) * g * g
            new[key] = params[key] - self.lr * g / (np.sqrt(square[key]) + 1e-8)
        return new, {"square": square}

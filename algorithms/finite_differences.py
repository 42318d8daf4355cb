"""Finite differences: change each weight a little and see what the loss does.

    forward    ∂E/∂w_i ≈ (E(w + h e_i) − E(w)) / h               h = √ε         W + 1 forward passes
    central    ∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h      h = ε^(1/3)    2W
    complex    ∂E/∂w_i ≈ Im E(w + i h e_i) / h                   h = 1e-20      W, in complex numbers

W weights cost O(W) forward passes, so one gradient costs O(W²): the price that backpropagation avoids.
A real step h balances truncation (∝ h forward, ∝ h² central) against rounding (∝ machine ε / h). A complex
one takes no difference, so that nothing cancels: any h whose square is nothing beside ε gives the gradient to
the last digits (1e-10 in float32, whose numbers end at 1e-38). It needs a loss that is analytic in the
weights. Counted costs take an operation on complex numbers as one.

Press et al. 2007, Numerical Recipes, section 5.7; Squire & Trapp 1998, SIAM Review 40:110-112.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.differences import SCHEMES, best_step, differences
from harness.core.setting import setting
from harness.core.units import UNITS


@dataclass(frozen=True)
class FiniteDifferences(CreditAlgorithm):
    """The gradient from W to 2W evaluations of the loss; knows nothing of slopes or of ways back."""

    scheme: str = setting(
        "central", "Difference quotient: forward, central, or the complex step.", one_of=SCHEMES
    )
    step: float | None = setting(
        None, "Perturbation h; None is the optimal one for scheme and precision.", above=0
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=0, global_scalar=True
    )
    paper: ClassVar[str] = (
        "Press et al. 2007, Numerical Recipes, section 5.7; Squire & Trapp 1998, SIAM Review 40:110-112"
    )
    equations: ClassVar[str] = "∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h, or Im E(w + i h e_i) / h"
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "backprop to the error of each scheme; 2W, W + 1 and W forward passes exactly"
    through_time: ClassVar[bool] = True

    def applies_to(self, task: Any) -> str | None:
        if self.scheme != "complex":
            return None
        net = task.network()
        for group in (*net.hidden, net.output):
            if not UNITS[group.activation].analytic:
                return (
                    "the complex step needs analytic units, "
                    f"and {group.activation} ({group.name!r}) is not: use scheme=central"
                )
        if task.margin is not None:
            return (
                "the complex step needs an analytic loss, "
                f"and one with margin={task.margin} is not: scheme=central"
            )
        return None

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return differences(
            net, params, batch, self.scheme, self.step or best_step(self.scheme, batch.target.dtype)
        )

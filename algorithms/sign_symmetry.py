"""Sign-symmetry: blame flows back over weights that share only their signs with the forward ones.

    δ_l = (B_l δ_{l+1}) ⊙ f'(x_l),   B = M ⊙ sign(Wᵀ)

    M = 1 (times `scale`)                           uniform     uSF    uniform sign-concordant feedback
    M random in (0, 1) (times `scale`), drawn once  frozen      frSF   fixed random magnitudes
    M random, drawn anew for every batch            batchwise   brSF   batchwise random magnitudes

Signs follow the forward weights at every update: one bit of weight transport. Its authors found that it needs
batch normalisation or a "Batch Manhattan" update, a step by the sign of the credit alone:
algorithm/optimiser=sign_step.

Liao, Leibo & Poggio 2016, How important is weight symmetry in backpropagation?, AAAI (arXiv:1510.05067);
Moskovitz, Litwin-Kumar & Abbott 2018, arXiv:1812.06488; Xiao, Chen, Liao & Poggio 2018, arXiv:1811.03567.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import ways_back
from harness.core.algorithm import Batch, Credit, Network, Params, Rand, State, Traits
from harness.core.setting import setting

MAGNITUDES = ("uniform", "frozen", "batchwise")


@dataclass(frozen=True)
class SignSymmetry(Backprop):
    """Backpropagation over the signs of the weights, with magnitudes of their own."""

    magnitude: str = setting(
        "uniform",
        "Magnitudes M of the feedback weights: uniform (all `scale`), "
        "frozen (random, drawn once), batchwise (for every batch).",
        one_of=MAGNITUDES,
    )
    scale: float = setting(
        1.0,
        "The magnitude of all, or the end of the interval from 0 that random ones are uniform in.",
        above=0,
        search=(0.1, 10),
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Liao, Leibo & Poggio 2016, AAAI, arXiv:1510.05067"
    equations: ClassVar[str] = "δ_l = (B_l δ_{l+1}) ⊙ f′(x_l), B = M ⊙ sign(Wᵀ)"
    promise: ClassVar[str] = "direction"
    oracle: ClassVar[str] = "backprop where all W are ±scale; signs of B and W always the same"

    def magnitudes(self, net: Network, rand: Rand) -> State:
        """M of every edge that blame flows back over, random in (0, scale], in the shape of its weights."""
        return {e.name: self.scale * (1.0 - rand.uniform(*e.shape)) for e in ways_back(net)}

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return self.magnitudes(net, rand) if self.magnitude == "frozen" else {}

    def feedback(self, net: Network, params: Params, memory: State) -> Params:
        return {e: memory.get(e.name, self.scale) * np.sign(params[e]) for e in ways_back(net)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        if self.magnitude == "batchwise":
            memory = self.magnitudes(net, rand)
        return super().credit(net, params, memory, batch, rand)

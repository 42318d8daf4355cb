"""Backpropagation: blame flows back over the weights that activity came over.

    δ_out = ∂E/∂y · f'(x)                                                   (eqs. 4, 5)
    δ_i   = f'(x_i) Σ_j w_ij δ_j                                            (eq. 7)
    ∂E/∂w_ij = Σ_patterns y_i δ_j                                           (eq. 6)

Blame returns over every edge by its adjoint (`Edge.back`): over a kernel to all places that saw a unit, over
shared weights to all who use them, over a delayed edge to the time step before. In a normalised network what
comes back also goes through the normalisation of its source. The loop itself, three lines, is
`harness.core.exact_gradient.backpropagated`: all rules of the feedback family walk it, each over its own
`feedback` weights.

Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, Nature 323:533-536;
through time: PDP vol. 1 ch. 8, pp. 354-361.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.exact_gradient import backpropagated


@dataclass(frozen=True)
class Backprop(CreditAlgorithm):
    """The exact gradient of the loss by one forward and one backward pass."""

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Rumelhart, Hinton & Williams 1986, Nature 323:533-536, eqs. 4-7"
    equations: ClassVar[str] = "δ_i = f′(x_i) Σ_j w_ij δ_j, ∂E/∂w_ij = Σ y_i δ_j"
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "central differences and complex step; published weights; PyTorch-counted work"
    through_time: ClassVar[bool] = True

    def feedback(self, net: Network, params: Params, memory: State) -> Params:
        """The weights that blame returns over, in the shape of the forward ones,
        for edges out of hidden groups: here, these.
        """
        return params

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return backpropagated(net, params, self.feedback(net, params, memory), batch)

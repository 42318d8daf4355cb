"""Backpropagation: blame flows back over the weights that activity came over.

    δ_out = ∂E/∂y · f'(x)                                                   (eqs. 4, 5)
    δ_i   = f'(x_i) Σ_j w_ij δ_j                                            (eq. 7)
    ∂E/∂w_ij = Σ_patterns y_i δ_j                                           (eq. 6)

In a normalised network what comes back over an edge goes through the normalisation of its source as well (`Network.back`).

Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, Nature 323:533-536.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.algorithm import Array, Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits, total
from harness.core.network import Edge


@dataclass(frozen=True)
class Backprop(CreditAlgorithm):
    """The exact gradient of the loss by one forward and one backward pass."""

    traits: ClassVar[Traits] = Traits(needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False)
    paper: ClassVar[str] = "Rumelhart, Hinton & Williams 1986, Nature 323:533-536, eqs. 4-7"
    equations: ClassVar[str] = "δ_i = f′(x_i) Σ_j w_ij δ_j, ∂E/∂w_ij = Σ y_i δ_j"
    oracle: ClassVar[str] = "central differences and complex step; published weights; PyTorch-counted work"

    def way_back(self, params: Params, memory: State, edge: Edge) -> Array:
        """What carries an error back over an edge (…, target size, source size): here, its own weights."""
        return params[edge].mT

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        delta = {net.output: batch.error(y[net.output]) * net.slope(net.output, y)}
        for group in reversed(net.hidden):
            blame = total(net.back(e, y, delta[e.target] @ self.way_back(params, memory, e)) for e in net.out_of(group))
            delta[group] = blame * net.slope(group, y)
        return Credit(net.outer(y, delta), y[net.output])

"""Shallow: hidden weights stay frozen at random, only the output group learns (by the delta rule).

    δ_out = ∂E/∂y · f'(x),   ∂E/∂w_ij = Σ_patterns y_i δ_j     for edges into the output
    Δw = 0                                                     for all others

The control of every comparison: what it solves needed no credit for hidden weights at all.
Delta rule for semilinear units: Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 322-324.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits


@dataclass(frozen=True)
class Shallow(CreditAlgorithm):
    """The exact gradient for weights into the output group; none for the rest."""

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "control; delta rule of PDP vol. 1 ch. 8, pp. 322-324"
    equations: ClassVar[str] = "∂E/∂w_ij = Σ y_i δ_j into the output, Δw = 0 elsewhere"
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "backprop on the last layer; frozen weights stay the same bits"

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        delta = {net.output: batch.delta(net, y)}
        return Credit(net.outer(y, delta), y[net.output])

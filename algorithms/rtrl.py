"""Real-time recurrent learning: the influence of every weight on the state is carried forwards.

    P_t = J_t P_{t−1} + M̄_t,      ∂E/∂w = Σ_t ∂E_t/∂s_t P_t

It is the gradient that backpropagation through time finds, without a step being kept: memory does not grow
with the length of a sequence, but with n units it holds O(n³) numbers and takes O(n⁴) products a step. The
recursion is `harness.core.tangent.movement`, its bookkeeping `algorithms._influence`; weights move once a
sequence.

Williams & Zipser 1989, A learning algorithm for continually running fully recurrent neural networks, Neural
Computation 1:270-280.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms._influence import Full, forwards, refusal
from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits


@dataclass(frozen=True)
class Rtrl(CreditAlgorithm):
    """The exact gradient through time, by influence carried forwards."""

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Williams & Zipser 1989, Neural Computation 1:270-280"
    equations: ClassVar[str] = "P_t = J_t P_{t−1} + M̄_t, ∂E/∂w = Σ_t ∂E_t/∂s_t P_t"
    promise: ClassVar[str] = "exact"
    oracle: ClassVar[str] = "backpropagation through time, for every kind of recurrent units"
    through_time: ClassVar[bool] = True

    def ways(self, net: Network) -> Full:
        """What of the influence is carried: here, all."""
        return Full()

    def held(self, net: Network) -> int:
        """The influence of every weight on every unit that remembers, of one sequence."""
        return net.size * sum(group.size for group in net.remembered)

    def applies_to(self, task: Any) -> str | None:
        return refusal(task)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return forwards(net, params, params, batch, self.ways(net))

"""E-prop: each weight has a trace of what it did to its own unit, and the error of the step says its worth.

    ε_ij(t) = (∂s_j(t)/∂s_j(t−1)) ε_ij(t−1) + ∂s_j(t)/∂w_ij         eligibility, in the shape of the weights
    ∂E/∂w_ij ≈ Σ_t L_j(t) ε_ij(t),   L_j(t) = Σ_k B_kj δ_k(t)

What a unit remembers by itself is in the trace: its leak, its gates, its weight to itself. What reaches it
over other units is left out. B is the transposed weights (symmetric) or fixed and random. These units do not
spike: f′ stands where the paper has a pseudo-derivative. Symmetric, it is real-time recurrent learning with
the diagonal of J, in O(n²): `snap` at reach 1 without its masked n³ entries where a unit has one state
(an lstm's has two, of which that drops what an output gate's weights did to the cell), and the exact gradient
where units remember themselves alone.

Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein & Maass 2020, A solution to the learning dilemma for
recurrent networks of spiking neurons, Nature Communications 11:3625, eqs. 1, 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms._influence import Own, forwards, refusal, upstream
from algorithms.feedback_alignment import random_matrix, ways_back
from harness.core.algorithm import Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.gates import Gate
from harness.core.network import Edge
from harness.core.paired import Paired
from harness.core.setting import setting

TRAITS = {
    "symmetric": Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    ),
    "random": Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    ),
}
KINDS = tuple(TRAITS)


def across(net: Network) -> str | None:
    """The first way of the state that a trace of own units cannot follow, by name; None if there is none."""
    inner = upstream(net)
    for e in (e for group in inner for e in net.into(group)):
        own = e.source not in inner or e.delay or type(e) is Paired
        sized = e.source not in inner or e.source.size == e.target.size
        if type(e) not in (Edge, Paired) or not own or not sized:
            return e.name
    odd = [gate.name for group in inner for gate in net.gates_into(group) if type(gate) is not Gate]
    if odd:
        return odd[0]
    return "its normalisation" if net.normalised else "its residuals" if net.residuals else None


def signal_weights(net: Network) -> list[Edge]:
    """The edges whose weights the error comes back over within a step."""
    return [e for e in ways_back(net) if not e.delay]


@dataclass(frozen=True)
class EProp(CreditAlgorithm):
    """Eligibility traces of own units, and an error that reaches them within the step."""

    feedback: str = setting(
        "symmetric", "What the error comes back over: the weights, or a random B.", one_of=KINDS
    )
    spread: float = setting(0.5, "Random feedback weights B are uniform in ±spread.", above=0)

    traits: ClassVar[Traits] = TRAITS["symmetric"]
    paper: ClassVar[str] = "Bellec et al. 2020, Nature Communications 11:3625, eqs. 1, 3 and 4"
    equations: ClassVar[str] = "ε_ij ← J_jj ε_ij + ∂s_j/∂w_ij, ∂E/∂w_ij ≈ Σ_t L_j ε_ij, L = B δ_out"
    oracle: ClassVar[str] = "snap at reach 1; backpropagation through time where the recurrence is diagonal"
    through_time: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "traits", TRAITS[self.feedback])  # the class's are those of what is usual

    def ways(self) -> Own:
        """What is carried: influence on own units."""
        return Own()

    def applies_to(self, task: Any) -> str | None:
        if said := refusal(task):
            return said
        if way := across(task.network()):
            return f"its traces follow units one by one, and {way!r} of the network of {task.name} does not"
        return None

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        if self.feedback == "symmetric":
            return {}
        return {e.name: random_matrix(self.spread, rand, *e.shape) for e in signal_weights(net)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        over: Params = {e: memory[e.name] for e in signal_weights(net)} if memory else params
        return forwards(net, params, over, batch, self.ways())

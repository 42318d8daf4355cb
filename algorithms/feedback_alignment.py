"""Feedback alignment: blame flows back over fixed random weights,
and the forward weights learn to make sense of it.

    δ_l = (B_l δ_{l+1}) ⊙ f'(x_l)   B_l drawn once, in place of W_{l+1}ᵀ     (feedback alignment)
    δ_l = (B_l e) ⊙ f'(x_l)         e = ∂E/∂x_out, the same for all groups   (direct feedback alignment)
    δ_l = (B_l y*) ⊙ f'(x_l)        y* the target's bits: no error at all    (direct random target projection)
    δ_out = e,  ∂E/∂w_ij ≈ Σ_patterns y_i δ_j                                (all three)

B_l comes in the shape of the weights it stands for: of a kernel that is shared, B is a kernel that is shared.
Backprop is B_l = W_{l+1}ᵀ. What is needed is eᵀ W B e > 0, a signal within 90° of backprop's: training turns
W towards it. In the third rule y* stands for the error because its bits tell the error's sign; as in its
authors' code it stands where ∂E/∂y_l would (B is as often negative as positive, so the sign is a convention).
It does not vanish when the error does: hidden units drift until they saturate.

The usual `spread` of B, ±.5, is that of the linear task of 2016 as run again here. On XOR and the encoder
anything from .25 to 2 solves about as many networks; a smaller one is slower, a larger one leaves more of
them stuck.

Lillicrap, Cownden, Tweed & Akerman 2016, Random synaptic feedback weights support error backpropagation for
deep learning, Nature Communications 7:13276; Nøkland 2016, Direct feedback alignment provides learning in
deep neural networks, NIPS 29; Frenkel, Lefebvre & Bol 2021, Learning without feedback, Frontiers in
Neuroscience 15:629892.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from algorithms.backprop import Backprop
from harness.core.algorithm import (
    Array,
    Batch,
    Credit,
    CreditAlgorithm,
    Key,
    Network,
    Params,
    Rand,
    State,
    Traits,
    added,
)
from harness.core.network import Edge, Group
from harness.core.readings import reading
from harness.core.setting import setting


def ways_back(net: Network) -> list[Edge]:
    """The edges whose weights blame flows back over: those that leave a hidden group, or, delayed, the
    output; and those that lend their weights to one that does.

    An edge stands there once for each group that hears over it: more than once where residuals are. Weights
    that are shared stand there once, in the name of the edge that lends them.
    """
    edges: list[Edge] = []
    told = (*net.hidden, net.output)
    for e in (e for group in told for e in net.out_of(group)):
        if e.weights == e or (e.weights not in edges and e.weights.source not in told):
            edges.append(e.weights)
    return edges


def random_matrix(spread: float, rand: Rand, rows: int, columns: int) -> Array:
    """Uniform in ±spread, (…, rows, columns)."""
    return spread * (2.0 * rand.uniform(rows, columns) - 1.0)


def random_feedback(net: Network, spread: float, rand: Rand) -> State:
    """B of every way back, by its edge's name, uniform in ±spread:
    transposed, (…, columns, rows) of the edge's weights.
    """
    return {e.name: random_matrix(spread, rand, *reversed(e.shape)) for e in ways_back(net)}


@cache
def way_back(output: Group, group: Group) -> Edge:
    """The edge over which a hidden group hears from the output itself, in no network's order."""
    return Edge(output, group)


@dataclass(frozen=True)
class FeedbackAlignment(Backprop):
    """Backpropagation with a fixed random matrix in the place of the transposed weights."""

    spread: float = setting(0.5, "Feedback weights B are uniform in ±spread.", above=0, search=(0.05, 5))

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Lillicrap et al. 2016, Nature Communications 7:13276"
    equations: ClassVar[str] = "δ_l = (B_l δ_{l+1}) ⊙ f′(x_l), B_l random and fixed"
    promise: ClassVar[str] = ""
    oracle: ClassVar[str] = "backprop where B = Wᵀ; its angle to backprop on the linear task; backprop's work"

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return random_feedback(net, self.spread, rand)

    def feedback(self, net: Network, params: Params, memory: State) -> Params:
        return {e: memory[e.name].mT for e in ways_back(net)}


@dataclass(frozen=True)
class DirectFeedbackAlignment(CreditAlgorithm):
    """Every hidden group hears the output's error itself, over a fixed random matrix of its own."""

    spread: float = setting(0.5, "Feedback weights B are uniform in ±spread.", above=0, search=(0.05, 5))

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = (
        "Nøkland 2016, NIPS 29, Direct feedback alignment provides learning in deep neural networks"
    )
    equations: ClassVar[str] = "δ_l = (B_l e) ⊙ f′(x_l), e = ∂E/∂x_out"
    oracle: ClassVar[str] = "feedback alignment where there is one hidden group; closed form of its work"

    def remember(self, net: Network, params: Params, rand: Rand) -> State:
        return {
            group.name: random_matrix(self.spread, rand, net.output.size, group.size) for group in net.hidden
        }

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.forward(params, batch.x)
        delta = {net.output: batch.delta(net, y)}
        for group in net.hidden:
            told = reading().send(way_back(net.output, group), memory[group.name], delta[net.output])
            delta[group] = net.pull(group, y, told)
        return Credit(net.outer(y, delta), y[net.output])


@dataclass(frozen=True)
class DirectRandomTargetProjection(DirectFeedbackAlignment):
    """Every hidden group hears the target's bits over a fixed random matrix;
    nothing flows back, error included.

    So no group waits for another, and activity is dropped once it has been passed on: memory does not grow
    with depth.
    """

    paper: ClassVar[str] = "Frenkel, Lefebvre & Bol 2021, Frontiers in Neuroscience 15:629892"
    equations: ClassVar[str] = "δ_l = (B_l y*) ⊙ f′(x_l), δ_out = e"
    oracle: ClassVar[str] = "a step by hand; the same hidden credit whatever the error"

    def applies_to(self, task: Any) -> str | None:
        if task.spec().kind == "numbers":
            return f"it projects targets that are bits, and those of {task.name} are numbers"
        return None

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        y = net.split(batch.x)
        gradient: dict[Key, Array] = {}
        heard = batch.wanted.astype(batch.x.dtype)
        for i, group in enumerate(net.free, len(net.inputs)):
            y[group] = net.activity(group, net.net_input(params, group, y))
            if group == net.output:
                delta = batch.delta(net, y)
            else:
                told = reading().send(way_back(net.output, group), memory[group.name], heard)
                delta = net.pull(group, y, told)
            gradient = added(gradient, net.outer(y, {group: delta}))
            ahead = net.groups[i + 1 :]
            y = {
                g: a for g, a in y.items() if g == net.output or any(e.target in ahead for e in net.out_of(g))
            }
        return Credit(gradient, y[net.output])

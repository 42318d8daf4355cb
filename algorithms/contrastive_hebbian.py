"""Contrastive Hebbian learning and GeneRec: settle alone, settle with the answer given, learn what differs.

    minus phase  y⁻    inputs held; at rest y_k = f(W_k y_{k−1} + b_k + γ W_{k+1}ᵀ y_{k+1})
    plus phase   y⁺    inputs and outputs held, the outputs at their targets d

    contrastive Hebbian   Δw_ij = η γ^{k−L} (y_i⁺ y_j⁺ − y_i⁻ y_j⁻)           w_ij into layer k of L
    GeneRec               Δw_ij = η y_i⁻ (y_j⁺ − y_j⁻)
      midpoint            Δw_ij = η ½ (y_i⁻ + y_i⁺) (y_j⁺ − y_j⁻)
      symmetric           … and the same with i and j exchanged, for weights between units that both settle

As γ → 0 contrastive Hebbian learning becomes backpropagation of the output error y − d, off by O(γ) (Xie &
Seung 2003). GeneRec, with midpoint and symmetric, is contrastive Hebbian learning at γ = 1, exactly (O'Reilly
1996). A layer's number is that of the edges to it from the inputs, by the longest way: over a shortcut of n
layers activity comes back by γⁿ. Weights that edges share are held to go up equally far.

The first layer hears of the answer γ^{L−1} as loudly, and its learning is divided by that. So the movement
that counts as rest in contrastive Hebbian learning is `tolerance` times γ^{L−1}.

Neither uses a slope: the difference of two states of rest has it in it. Both lower the output error y − d
whatever the task's loss, as cross-entropy would (with a margin all errors count here).

Movellan 1991, Contrastive Hebbian learning in the continuous Hopfield model; Xie & Seung 2003, Equivalence of
backpropagation and contrastive Hebbian learning in a layered network, Neural Computation 15:441-454; O'Reilly
1996, Biologically plausible error-driven learning using local activation differences, Neural Computation
8:895-938.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms._settling import Activities, Learnt, Settling, levels, spans
from harness.core.algorithm import Array, Batch, Network, Params, Traits, added
from harness.core.network import Key
from harness.core.setting import setting


@dataclass(frozen=True)
class ContrastiveHebbian(Settling):
    """Hebb's rule with the answer given, and its opposite without; blame comes back weakly, by γ."""

    gamma: float = setting(
        0.1, "Strength γ of the way back, in weights of the way up.", above=0, at_most=1, search=(0.01, 1)
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Xie & Seung 2003, Neural Computation 15:441-454, eq. 2.7"
    equations: ClassVar[str] = "Δw_ij = η γ^{k−L} (y_i⁺ y_j⁺ − y_i⁻ y_j⁻)"
    oracle: ClassVar[str] = "backprop of y − d as γ → 0, by the power of γ; mean field at γ = 1"

    def applies_to(self, task: Any) -> str | None:
        if refused := super().applies_to(task):
            return refused
        net = task.network()
        far = {e.weights: spans(net)[e.weights] for e in net.edges}
        for e in net.edges:
            if far[e.weights] != levels(net)[e.target] - levels(net)[e.source]:
                return f"edges of {task.name} that share weights go up unequally far, and γ weighs each layer"
        return None

    def at_rest(self, net: Network) -> float:
        return self.tolerance * self.gamma ** (net.depth - 1)

    def feedback(self, net: Network, params: Params) -> Params:
        return {key: self.gamma**n * params[key] for key, n in spans(net).items()}

    def learn(self, net: Network, params: Params, batch: Batch) -> Learnt:
        minus = self.rest(net, params, batch.x)
        wanted = {**minus.state, net.output: batch.target + 0.0 * minus.state[net.output]}
        plus = self.settled(net, params, wanted, wanted, self.steps_taught, self.reach(net), net.hidden)
        return Learnt(self.contrast(net, minus.state, plus.state), minus.state, (minus, plus))

    def contrast(self, net: Network, minus: Activities, plus: Activities) -> dict[Key, Array]:
        """The credit: what weights did alone, less what they do with the answer given."""
        level = levels(net)
        last = level[net.output]
        weigh = {g: self.gamma ** (level[g] - last) for g in net.free}
        alone = net.outer(minus, {g: weigh[g] * minus[g] for g in net.free})
        given = net.outer(plus, {g: weigh[g] * plus[g] for g in net.free})
        return {key: alone[key] - given[key] for key in alone}


@dataclass(frozen=True)
class Generec(Settling):
    """The delta rule between two states of rest: what a unit would be with the answer, less what it is."""

    midpoint: bool = setting(False, "Take the source half-way between the phases.")
    symmetric: bool = setting(False, "Add the same the other way round, for units that both settle.")

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "O'Reilly 1996, Neural Computation 8:895-938"
    equations: ClassVar[str] = "Δw_ij = η y_i⁻ (y_j⁺ − y_j⁻)"
    oracle: ClassVar[str] = "contrastive Hebbian learning at γ = 1 with midpoint and symmetric, exactly"

    def learn(self, net: Network, params: Params, batch: Batch) -> Learnt:
        minus = self.rest(net, params, batch.x)
        wanted = {**minus.state, net.output: batch.target + 0.0 * minus.state[net.output]}
        plus = self.settled(net, params, wanted, wanted, self.steps_taught, self.reach(net), net.hidden)
        return Learnt(self.contrast(net, minus.state, plus.state), minus.state, (minus, plus))

    def contrast(self, net: Network, minus: Activities, plus: Activities) -> dict[Key, Array]:
        """The credit: of every weight its source, times what its target would do less with the answer."""
        source = {g: 0.5 * (minus[g] + plus[g]) for g in net.groups} if self.midpoint else minus
        less = {g: minus[g] - plus[g] for g in net.free}
        credit = net.outer(source, less)
        if self.symmetric:
            for e in net.edges:
                if e.source in less:
                    credit = added(credit, {e.weights: e.outer(less[e.source], source[e.target])})
        return credit

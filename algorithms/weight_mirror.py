"""Learnt ways back: feedback weights B that come to mirror W, though no weight is transported.

    δ_l = (B_{l+1} δ_{l+1}) ⊙ f'(x_l)                                        (both, on the way back)

Kolen-Pollack: both matrices get the same local product of activity and blame, and the same decay λ,

    ΔW_{l+1} = −η_W δ_{l+1} y_lᵀ − λ W_{l+1}                                  (Akrout et al., eq. 16)
    ΔB_{l+1} = −η_W y_l δ_{l+1}ᵀ − λ B_{l+1}                                  (eq. 17)
    ⇒  W(t) − B(t)ᵀ = (1 − λ)^t (W(0) − B(0)ᵀ)

whatever the optimiser makes of the product, so long as it makes the same of both: here w ← (1 − λ)(w + step),
for weights, not for biases. So λ > 0 is the algorithm's own setting, and an optimiser's decay beside it is
refused.

Weight mirror: two modes take turns. In mirror mode noise drives each layer in turn, y_l ~ N(0, σ²), and
Hebb's rule transposes; in engaged mode the network learns.

    y_{l+1} = f(W_{l+1} y_l + b_{l+1})                          (mirror mode)
    ΔB_{l+1} = η_B y_l y_{l+1}ᵀ − λ_WM B_{l+1}                  (eq. 7, and a decay)
    E[y_l y_{l+1}ᵀ] = σ² Wᵀ_{l+1} for linear units; times E[f'] of each unit for others (Stein's lemma)

so B settles at (η_B σ² / λ_WM) E[f'] Wᵀ. Every update is preceded by one phase in mirror mode, as in the
authors' code; its product is the mean over `noise_patterns`, and over the connections that share a weight, so
that more of them make the mirror sharper, not larger. A group with several incoming edges is driven over one
at a time.

Akrout, Wilson, Humphreys, Lillicrap & Tweed 2019, Deep learning without weight transport, NeurIPS 32;
Kolen & Pollack 1994, Backpropagation without weight transport, IEEE International Conference on Neural
Networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import FeedbackAlignment, random_matrix, ways_back
from harness.core.algorithm import Algorithm, Batch, Credit, Network, Params, Rand, State, Traits, Update
from harness.core.errors import InputError
from harness.core.network import Edge
from harness.core.setting import setting


def back(edge: Edge) -> Any:
    """The key of an edge's feedback weights among the parameters:
    a name of their own, which the network does not know.
    """
    return f"{edge.name} back"


@dataclass(frozen=True)
class KolenPollack(Backprop):
    """Forward and feedback weights get the same changes
    and the same decay, and so become each other's mirror.
    """

    decay: float = setting(
        0.0001,
        "Fraction λ by which W and B shrink after each change; the optimiser has none beside it.",
        above=0,
        below=1,
        search=(1e-6, 0.1),
    )
    spread: float = setting(0.5, "Feedback weights B start uniform in ±spread.", above=0, search=(0.05, 5))

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Akrout et al. 2019, NeurIPS 32, eqs. 16, 17, after Kolen & Pollack 1994"
    equations: ClassVar[str] = "ΔW = −η δ_{l+1} y_lᵀ − λ W, ΔB = −η y_l δ_{l+1}ᵀ − λ B"
    promise: ClassVar[str] = ""
    oracle: ClassVar[str] = "W − Bᵀ shrinks as (1 − λ)^t exactly; backprop where B starts at Wᵀ"

    def __post_init__(self) -> None:
        super().__post_init__()
        if other := getattr(self.optimiser, "decay", None):
            raise InputError(
                f"the optimiser's decay={other} would come on top "
                f"of kolen_pollack's own decay={self.decay}: give that one alone"
            )

    def resolved(self, usual: Any) -> Algorithm:
        return super().resolved(usual._replace(decay=0.0))

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        # kept in the shape of the weights they mirror: then they get the very same credit
        feedback = {back(e): random_matrix(self.spread, rand, *e.shape) for e in ways_back(net)}
        return super().init(net, {**params, **feedback}, rand)

    def feedback(self, net: Network, params: Params, memory: State) -> Params:
        return {e: params[back(e)] for e in ways_back(net)}

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        gradient, output = super().credit(net, params, memory, batch, rand)
        return Credit({**gradient, **{back(e): gradient[e] for e in ways_back(net)}}, output)

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        new, output = super().update(net, state, batch, rand)
        weights = [*(k for k in net.shapes if isinstance(k, Edge)), *map(back, ways_back(net))]
        shrunk = {k: (1.0 - self.decay) * new["params"][k] for k in weights}
        return Update({**new, "params": {**new["params"], **shrunk}}, output)


@dataclass(frozen=True)
class WeightMirror(FeedbackAlignment):
    """Noise through each layer lets feedback weights find the transposed weights, between updates."""

    mirror_lr: float = setting(
        0.2, "Learning rate η_B of the feedback weights in mirror mode.", above=0, search=(0.01, 2)
    )
    mirror_decay: float = setting(
        0.05,
        "Fraction λ_WM by which the feedback weights shrink in each phase of mirror mode.",
        at_least=0,
        below=1,
    )
    sigma: float = setting(1.0, "Standard deviation σ of the noise, in units of an activity.", above=0)
    noise_patterns: int = setting(16, "Patterns of noise in a phase of mirror mode.", at_least=1)

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=False, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Akrout et al. 2019, NeurIPS 32, eq. 7"
    equations: ClassVar[str] = "mirror mode: ΔB = η_B y_l y_{l+1}ᵀ − λ_WM B with y_l ~ N(0, σ²)"
    oracle: ClassVar[str] = "E[ΔB] ∝ Wᵀ by a z-test; its angle to Wᵀ falls"
    through_time: ClassVar[bool] = False

    def held(self, net: Network) -> int:
        return max(net.size, self.noise_patterns * net.input_size)

    def mirror(self, net: Network, params: Params, memory: State, rand: Rand) -> State:
        """The feedback weights after a phase of mirror mode."""
        feedback = dict(memory)
        for e in ways_back(net):
            x = self.sigma * rand.normal(self.noise_patterns, e.source.size)
            y = alone(e).forward(params, x)[e.target]
            # the same for dense edges but for rounding: their records hold the first
            product = (
                y.mT @ x if type(e) is Edge else e.outer(x, y).mT / np.maximum(e.times.mT, 1).astype(x.dtype)
            )
            feedback[e.name] = (1.0 - self.mirror_decay) * memory[
                e.name
            ] + self.mirror_lr / self.noise_patterns * product
        return feedback

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        feedback = self.mirror(net, state["params"], state["memory"], rand)
        return super().update(net, {**state, "memory": feedback}, batch, rand)


@cache
def alone(edge: Edge) -> Network:
    """The layer that an edge makes by itself: its source clamped, every other silent."""
    return Network((edge.source, edge.target), (edge,))

"""Equilibrium propagation: a network settles, settles again with its output nudged; the difference teaches.

    E(y) = Σ_j ∫ f⁻¹(y_j) dy_j − Σ y_i w_ij y_j − Σ_j b_j y_j         the energy, whose least is y = f(u)
    F = E + β C                                                       C: the task's loss, at the outputs
    ∂C/∂w_ij at the free state of rest = d/dβ ∂F/∂w_ij at β = 0       (Scellier & Bengio 2017, theorem 1)
    credit of w_ij = −(1/N) Σ_k (1/β_k) (y_i^{β_k} y_j^{β_k} − y_i⁰ y_j⁰),      β_k = β e^{2πik/N}

With N = 1 `points` it is the one-sided estimate, off by O(β) (β < 0 pushes away from the targets: negative
learning); N = 2 is the centred one, O(β²) (Laborieux et al. 2021); N > 2 goes round a circle of complex
nudges, holomorphic equilibrium propagation, O(β^N) (Laborieux & Zenke 2022, eq. 8), for units and losses that
have a complex form. Points that are each other's conjugates settle once for both.

With `teach=clamp` the outputs are held at h + β (d − h) instead, where h is their free activity and d the
target: coupled learning (Stern et al. 2021), and at β = 1 contrastive learning (Movellan 1991). With two
points it is centred, as in Scellier et al. 2023, Energy-based learning algorithms: a comparative study.

The task's own network settles, its weights used both ways. With sigmoid, tanh or hard_sigmoid units at
`energy=hopfield` the state of rest is y = f(u) (Hopfield 1984; of hard_sigmoid units it is the model that the
authors trained). At `energy=scellier` it is s = f′(s) u, y = f(s), the least of their E = ½ Σ s² − Σ f(s_i)
w_ij f(s_j) − Σ b_j f(s_j) for whatever units; a hard unit's state stays within 0 and 1, where its slope is 1.

Scellier & Bengio 2017, Equilibrium propagation, Frontiers in Computational Neuroscience 11:24. Predictions
are the outputs of the free phase. Its credit is compared with the gradient of the loss at the free state of
rest, by implicit differentiation (Almeida 1987; Pineda 1987).
"""

from __future__ import annotations

from cmath import exp, pi
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._at_rest import gradient_at_rest
from algorithms._settling import Activities, Learnt, Settling, together
from harness.core.algorithm import Array, Batch, Network, Params, State, Traits
from harness.core.edges import Group
from harness.core.errors import InputError
from harness.core.losses import SquaredError
from harness.core.network import Key
from harness.core.setting import setting
from harness.core.settling import Settled
from harness.core.units import UNITS


@dataclass(frozen=True)
class EquilibriumPropagation(Settling):
    """Correlations at rest, nudged minus free; the way back is the way up."""

    beta: float = setting(
        0.2,
        "Nudge β of the outputs; below 0 it pushes them away.",
        at_least=-10,
        at_most=10,
        search=(0.01, 1),
    )
    points: int = setting(
        2,
        "Nudges N around the circle |β|: 1 is one-sided, 2 centred, more are complex.",
        at_least=1,
        at_most=64,
    )
    teach: str = setting(
        "nudge",
        "How outputs are taught: a `nudge` down the loss, or a `clamp` at h + β (d − h).",
        one_of=("nudge", "clamp"),
    )
    energy: str = setting(
        "hopfield",
        "What it settles to: y = f(u), or s = f′(s) u as in the paper.",
        one_of=("hopfield", "scellier"),
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Scellier & Bengio 2017, Frontiers in Computational Neuroscience 11:24"
    equations: ClassVar[str] = "∂C/∂w_ij ≈ −(1/β) (y_i^β y_j^β − y_i⁰ y_j⁰)"
    oracle: ClassVar[str] = "differences of the loss at rest, and the power of β; implicit differentiation"
    objective: ClassVar[str] = "the loss at the free state of rest, weights used both ways"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.beta:
            raise InputError(
                "beta is 0, and without a nudge nothing is learnt: it is a number from -10 to 10 other than 0"
            )

    def applies_to(self, task: Any) -> str | None:
        if refused := super().applies_to(task):
            return refused
        if self.points > 2:
            flat = [g for g in task.network().free if not UNITS[g.activation].analytic]
            if flat:
                return f"{self.points} points need complex activity, and {flat[0].activation} units have none"
            if self.teach == "nudge" and task.objective != SquaredError():
                return f"{self.points} points need a complex loss, and that of {task.name} has none"
        return None

    @property
    def nudges(self) -> bool:
        return self.teach == "nudge"

    def learn(self, net: Network, params: Params, batch: Batch) -> Learnt:
        free = self.rest(net, params, batch.x)
        at_rest = self.activities(net, free.state)
        change: dict[Key, Array] = {}
        taught = []
        # round a circle the shares of the free state add up to nothing
        before = together(net, at_rest) if self.points == 1 else {}
        for k in range(self.points // 2 + 1 if self.points > 1 else 1):
            turn = exp(2j * pi * k / self.points)
            alone = k == 0 or 2 * k == self.points  # no conjugate: β or −β itself
            beta = self.beta * (round(turn.real) if alone else turn)
            phase = self.taught(net, params, batch, free.state, beta)
            after = together(net, self.activities(net, phase.state))
            share = (1.0 if alone else 2.0) / self.points
            for key in after:
                part = share * ((after[key] - before[key] if before else after[key]) / beta).real
                change[key] = change[key] + part if key in change else part
            taught.append(phase)
        return Learnt({key: -a for key, a in change.items()}, at_rest, (free, *taught))

    def taught(self, net: Network, params: Params, batch: Batch, free: Activities, beta: Any) -> Settled:
        """The phase in which outputs are taught by β, from the free state of rest."""
        kind = np.result_type(batch.x.dtype, np.complex64) if isinstance(beta, complex) else batch.x.dtype
        start = {g: s.astype(kind) for g, s in free.items()}
        if self.teach == "clamp":
            h = self.shown(net, net.output, start[net.output])
            held = {**start, net.output: h + beta * (batch.target - h)}
            return self.settled(net, params, held, start, self.steps_taught, self.reach(net), net.hidden)

        def push(y: Array, beside: Any) -> Array:
            seen, nudge = beside
            return -nudge * seen.error(y)

        steps, least = self.steps_taught, self.reach(net)
        return self.settled(net, params, start, start, steps, least, None, push, (batch, beta))

    def shown(self, net: Network, group: Group, s: Array) -> Array:
        return s if self.energy == "hopfield" else net.activity(group, s)

    def drawn(self, net: Network, group: Group, s: Array, u: Array, epsilon: Array) -> Array:
        if self.energy == "hopfield":
            return super().drawn(net, group, s, u, epsilon)
        if group.activation == "hard_sigmoid":
            return np.clip(s + epsilon * (u - s), 0.0, 1.0)
        return s + epsilon * (net.pull(group, {group: net.activity(group, s)}, u) - s)

    def own_gradient(self, net: Network, state: State, batch: Batch) -> dict[str, Array] | None:
        return gradient_at_rest(self, net, state["params"], batch)

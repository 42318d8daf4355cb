"""Restricted Boltzmann machine, by contrastive divergence:
a step of Gibbs sampling away from the data tells enough.

    E(v, h) = −v·W h − b·v − c·h,     F(v) = −b·v − Σ_j log(1 + exp(c_j + (vW)_j)),     P(v) ∝ exp(−F(v))
    Δw_ij = ε (⟨v_i p(h_j = 1 | v)⟩⁰ − ⟨v_i p(h_j = 1 | v)⟩ᵏ)     averaged over patterns; v_i = 1 for c_j
    Δb_i = ε (⟨v_i⟩⁰ − ⟨v_i⟩ᵏ)

Inputs and outputs of a pattern together are the visible units v; every one of them is connected with every
hidden unit, and nothing else is. ⟨·⟩⁰ is an average over the patterns, ⟨·⟩ᵏ over what k steps of sampling h
given v and v given h make of them (CD-k). It learns inputs and outputs alike, and predicts outputs with the
inputs clamped: exactly, by the free energy F of every state of the outputs (of every label, if `one_hot`),
where hidden and output units are no more than 16 or outputs are labels; otherwise by sampling ten chains a
pattern, on random numbers drawn once at the start.

Its credit is compared with the exact gradient of −⟨ln P(v)⟩⁰, against which CD-k is biased.
Hinton 2002, Training products of experts by minimizing contrastive divergence, Neural Computation
14:1771-1800; Smolensky 1986, PDP vol. 1 ch. 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._annealing import CHAINS, Schedule, barriers, sampled
from algorithms._boltzmann_machine import FREE, Machine, refusal
from algorithms._likelihood import ENUMERATED, likelihood_gradient
from harness.core.algorithm import Algorithm, Array, Batch, Network, Params, Rand, State, Traits, Update
from harness.core.loops import repeat
from harness.core.setting import setting

RESTRICTED = ("input-hidden", "hidden-output")
ASKED = Schedule((20,), (1.0,), 20)  # time units before and while predictions are sampled


@dataclass(frozen=True)
class RestrictedBoltzmann(Algorithm):
    """Hidden units joined to visible ones only, taught by k steps of sampling from the data."""

    lr: float = setting(0.3, "Step size ε.", above=0, rate=True, search=(0.01, 10))
    k: int = setting(1, "Steps k of Gibbs sampling from the data.", at_least=1, at_most=10**6)
    one_hot: bool = setting(False, "Outputs are labels: in predictions exactly one of them is on.")

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=True, local=True, phases=2, global_scalar=False
    )
    paper: ClassVar[str] = "Hinton 2002, Neural Computation 14:1771-1800"
    equations: ClassVar[str] = "Δw_ij = ε (⟨v_i h_j⟩⁰ − ⟨v_i h_j⟩ᵏ)"
    oracle: ClassVar[str] = (
        "enumeration: CD-k's expected step from the transition matrix, and the likelihood's as k → ∞"
    )

    objective: ClassVar[str] = ENUMERATED

    def applies_to(self, task: Any) -> str | None:
        if not task.network().hidden:
            return f"it needs hidden units, and the network of {task.name} has none"
        return refusal(task, "restricted")

    def machine(self, net: Network) -> Machine:
        """Its units and connections."""
        return Machine(sum(g.size for g in net.hidden), net.output.size, net.input_size, RESTRICTED)

    def enumerates(self, machine: Machine) -> bool:
        """Whether predictions are exact."""
        return self.one_hot or machine.exact

    def init(self, net: Network, params: Params, rand: Rand) -> State:
        machine = self.machine(net)
        memory = {}
        if not self.enumerates(machine):
            memory["uniform"] = rand.uniform(ASKED.draws, machine.size(FREE[:2]), CHAINS)
        return {"params": machine.shared(net, params, rand), "memory": memory}

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        machine = self.machine(net)
        w = machine.matrix(state["params"])
        patterns = batch.x.shape[-2]
        u = rand.uniform(self.k, machine.units, patterns)
        seen = np.concatenate([batch.wanted.astype(u.dtype), batch.x], axis=-1).mT
        given = np.concatenate(
            [seen + np.zeros_like(u[..., 0, :1, :]), np.ones_like(u[..., 0, :1, :])], axis=-2
        )
        data = np.concatenate([np.zeros_like(u[..., 0, machine.place["hidden"], :]), given], axis=-2)

        def step(i: Array, s: Array) -> Array:
            barrier = barriers(u[..., i, :, :], 1.0)
            return machine.sweep(w, s, FREE, lambda part, net: net > barrier[..., part, :])

        dream = self.explained(machine, w, repeat(self.k, step, data.copy()))
        data = self.explained(machine, w, data)
        change = (data @ data.mT - dream @ dream.mT) * (self.lr / patterns)
        return Update({"params": machine.moved(state["params"], change), "memory": state["memory"]}, None)

    def explained(self, machine: Machine, w: Array, s: Array) -> Array:
        """The state `s`, which is written to, with each hidden unit at its probability."""
        return machine.sweep(w, s, FREE[:1], lambda part, net: 0.5 * (1.0 + np.tanh(0.5 * net)))

    def own_gradient(self, net: Network, state: State, batch: Batch) -> dict[str, Array] | None:
        return likelihood_gradient(self.machine(net), state["params"], batch, 1.0)

    def predict(self, net: Network, state: State, x: Array) -> Array:
        machine = self.machine(net)
        w = machine.matrix(state["params"])
        if self.enumerates(machine):
            return machine.completion(w, x, 1.0, np.eye(machine.output) if self.one_hot else None)
        return sampled(machine, w, x, state["memory"]["uniform"], ASKED)

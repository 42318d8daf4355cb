"""Hopfield's network: patterns are stored in symmetric weights, and a cue settles at the nearest of them.

    s_i ← sign(Σ_j w_ij s_j)                                  s_i ∈ {−1, +1}; a sum of 0 keeps the state

    hebb             w_ij = (1/N) Σ_μ ξ_i ξ_j                                             Hopfield 1982
    pseudo_inverse   W ← W + q qᵀ / q·q,   q = ξ − W ξ               Personnaz, Guyon & Dreyfus 1985
    storkey          w_ij ← w_ij + (1/N) (ξ_i ξ_j − ξ_i h_ji − h_ij ξ_j),   h_ij = Σ_{k≠i,j} w_ik ξ_k
                                                                                          Storkey 1997

A pattern ξ is stored after another, from W = 0; a bit b is the state 2b − 1. The pseudo-inverse rule ends as
the projection on all patterns, Ξ Ξ⁺, whatever their order; one that is a mixture of those before adds
nothing. Units have no weight to themselves, w_ii = 0, unless `diagonal` keeps what the rule gives them: that
holds every unit where it is, right or wrong.

With states `binary` units send (1 + s_j)/2, 0 or 1, and have thresholds of 0, as in Hopfield 1982: what is
heard of other patterns is √2 times as large beside the unit's own, and half as many patterns can be held.

Updates are asynchronous, one unit after another in a fixed order, and then the energy −½ Σ w_ij s_i s_j never
rises where w_ii ≥ 0; or synchronous, all at once, and then two states may take turns for ever. What is
predicted is the state after `sweeps` looks of every unit.

An update stores the patterns of its batch, and these only: given all of them, the weights are final after one
epoch, and further ones change nothing. Until then they are the task's initial weights.

Hopfield 1982, Neural networks and physical systems with emergent collective computational abilities, PNAS
79:2554-2558; Personnaz, Guyon & Dreyfus 1985, Information storage and retrieval in spin-glass like neural
networks, Journal de Physique Lettres 46:359-365; Storkey 1997, Increasing the capacity of a Hopfield network
without sacrificing functionality, ICANN, LNCS 1327:451-456.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import Algorithm, Array, Batch, Network, Rand, State, Traits, Update
from harness.core.loops import repeat
from harness.core.setting import setting

TIE = 100  # units of precision: a sum this close to 0 is 0, and the state stays


@dataclass(frozen=True)
class Hopfield(Algorithm):
    """Patterns stored at once in symmetric weights, and recalled from a cue by settling."""

    rule: str = setting("hebb", "How patterns make weights.", one_of=("hebb", "pseudo_inverse", "storkey"))
    updates: str = setting(
        "asynchronous",
        "Whether units look at the others one after another, or all at once.",
        one_of=("asynchronous", "synchronous"),
    )
    sweeps: int = setting(10, "Looks that every unit takes at the others.", at_least=1, at_most=10**6)
    diagonal: bool = setting(False, "Whether units keep the weight to themselves that the rule gives them.")
    states: str = setting(
        "bipolar",
        "What units send: −1 or +1 (bipolar), or 0 or 1 (binary, as in Hopfield 1982).",
        one_of=("bipolar", "binary"),
    )

    traits: ClassVar[Traits] = Traits(
        needs_derivative=False, transports_weights=False, local=True, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Hopfield 1982, PNAS 79:2554-2558"
    equations: ClassVar[str] = "w_ij = (1/N) Σ ξ_i ξ_j, w_ii = 0; s_i ← sign(Σ_j w_ij s_j)"
    oracle: ClassVar[str] = (
        "½ erfc(√(N/2P)); an energy that never rises; a projection; Storkey's fields by hand"
    )

    def applies_to(self, task: Any) -> str | None:
        net = task.network()
        if net.hidden:
            return f"nothing tells a hidden unit its state, and the network of {task.name} has hidden units"
        if task.spec().kind == "numbers":
            return f"its units are on or off, but the targets of {task.name} are numbers"
        if not task.meets(0.0, 1.0):
            return f"its units are 0 or 1, which never meet the criterion {task.criterion!r} of {task.name}"
        if not net.dense or len(net.edges) != 1 or net.output.bias:
            return (
                "all its units hear one another and have no thresholds, "
                f"and the network of {task.name} shares weights, leaves some out, or has biases"
            )
        x, wanted, *_ = task.patterns()
        if x.shape != wanted.shape or (x != wanted).any():
            return f"it gives back the pattern that it is given, and the outputs of {task.name} are others"
        return None

    def update(self, net: Network, state: State, batch: Batch, rand: Rand) -> Update:
        (edge,) = net.edges
        w = state["params"][edge]
        pattern = 2.0 * batch.wanted.astype(w.dtype) - 1.0

        def store(i: Array, w: Array) -> Array:
            return w + self.change(w, pattern[..., i, :, None])

        w = repeat(pattern.shape[-2], store, np.zeros_like(w))
        return Update({"params": {edge: w if self.diagonal else w * apart(w)}}, None)

    def change(self, w: Array, pattern: Array) -> Array:
        """What storing a pattern (…, N, 1) adds to the weights (…, N, N) that the ones before have made."""
        n = w.shape[-1]
        if self.rule == "pseudo_inverse":
            q = pattern - w @ pattern
            q = q - w @ q  # again: what rounding left of the patterns before
            size = (q * q).sum(axis=(-1, -2), keepdims=True)
            new = size > TIE * n * np.finfo(w.dtype).eps
            return np.where(new, q * q.mT / np.where(new, size, 1.0), 0.0).astype(w.dtype)
        if self.rule == "hebb":
            return pattern * pattern.mT / n
        others = w * apart(w)
        field = others @ pattern - others * pattern.mT  # h_ij, which hears neither i nor j
        return (pattern * pattern.mT - pattern * field.mT - field * pattern.mT) / n

    def predict(self, net: Network, state: State, x: Array) -> Array:
        (edge,) = net.edges
        return 0.5 * (1.0 + self.settled(state["params"][edge], 2.0 * x - 1.0))

    def settled(self, w: Array, s: Array) -> Array:
        """Where the states s (…, patterns, N), −1 or +1, have come after all sweeps."""
        n, rest = w.shape[-1], 1.0 if self.states == "binary" else 0.0  # 0 or 1, but for a factor of 2

        def together(_: Array, s: Array) -> Array:
            return decided((s + rest) @ w, s)

        def alone(i: Array, s: Array) -> Array:
            unit, sent = i % n, np.moveaxis(s + rest, 0, -2)
            s[unit] = decided((w.mT[..., unit, None, :] @ sent)[..., 0, :], s[unit])
            return s

        lead = np.broadcast_shapes(w.shape[:-2], s.shape[:-2])
        s = s + np.zeros_like(w, shape=(*lead, *s.shape[-2:]))
        if self.updates == "synchronous":
            return repeat(self.sweeps, together, s)
        return np.moveaxis(repeat(self.sweeps * n, alone, np.moveaxis(s, -1, 0).copy()), 0, -1)


def decided(field: Array, s: Array) -> Array:
    """The sign of what units hear; who hears nothing, up to rounding, stays as it is."""
    tie = TIE * np.finfo(s.dtype).eps
    return np.where(field > tie, 1.0, np.where(field < -tie, -1.0, s)).astype(s.dtype)


def apart(w: Array) -> Array:
    """1 where two different units are joined, 0 from a unit to itself: (N, N)."""
    return (1.0 - np.eye(w.shape[-1])).astype(w.dtype)

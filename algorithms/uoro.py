"""Unbiased online recurrent optimisation (UORO): influence as one product of two vectors, right on average.

    P_t ≈ ã_t b̃_tᵀ,   ã_t = ρ0 J_t ã_{t−1} + ρ1 ν,   b̃_t = b̃_{t−1} / ρ0 + νᵀ M̄_t / ρ1
    ρ0² = |b̃_{t−1}| / |J_t ã_{t−1}|,   ρ1² = |νᵀ M̄_t| / |ν|

ν are fair signs, one for each unit of the state, drawn anew at each step: E[ν νᵀ] = 1 makes the mean of ã b̃ᵀ
the P of real-time recurrent learning, whatever ρ0 and ρ1 are; these keep its variance low. Each sequence
has a pair of its own. J ã is one step of a tangent, νᵀ M̄ one of backpropagation: O(n²) numbers and products
a step; ν of all steps is drawn at once, T n numbers more.

Tallec & Ollivier 2018, Unbiased online recurrent optimization, ICLR, arXiv:1702.05043, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from algorithms._influence import refusal, remembering, signals, upstream
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
    total,
)
from harness.core.network import Group
from harness.core.tangent import tangent

TINY = 1e-7  # beside a norm and a ρ, as in the paper: nothing is divided by 0 at the first step


def apart(y: Mapping[Group, Array]) -> dict[Group, Array]:
    """Activities (…, N, size) with each pattern a batch of its own, (…, N, 1, size)."""
    return {g: a[..., None, :] for g, a in y.items()}


def norm(parts: Mapping[Any, Array]) -> Array:
    """The length of a vector in parts (…, N, rows, columns), for each pattern: (…, N, 1, 1)."""
    return np.sqrt(total((a * a).sum(axis=(-1, -2), keepdims=True) for a in parts.values()))


def told_to_weights(
    net: Network, params: Params, nu: Mapping[Group, Array], y: Mapping[Group, Array], before: Any
) -> dict[Key, Array]:
    """νᵀ M̄ of every parameter that influences the state, for each pattern: (…, N, rows, columns)."""
    delta: dict[Group, Array] = {}
    for group in reversed(upstream(net)):
        blame = net.blame(params, group, y, delta, before=before)
        delta[group] = net.pull(group, y, blame + nu[group] if group in nu else blame)
    found = net.outer(apart(y), apart(delta), None if before is None else apart(before))
    some = y[net.output]
    none = {  # at the first step delayed ways do nothing
        key: np.zeros_like(some, shape=(*some.shape[:-1], *net.shapes[key]))
        for key in remembering(net)
        if key not in found
    }
    return {key: found.get(key, none.get(key)) for key in remembering(net)}


@dataclass(frozen=True)
class Uoro(CreditAlgorithm):
    """The gradient through time on average, by a random product of two vectors carried forwards."""

    traits: ClassVar[Traits] = Traits(
        needs_derivative=True, transports_weights=True, local=False, phases=1, global_scalar=False
    )
    paper: ClassVar[str] = "Tallec & Ollivier 2018, ICLR, arXiv:1702.05043, algorithm 1"
    equations: ClassVar[str] = "ã ← ρ0 J ã + ρ1 ν, b̃ ← b̃ / ρ0 + νᵀ M̄ / ρ1, ∂E/∂w ≈ Σ_t (∂E_t/∂s · ã) b̃"
    promise: ClassVar[str] = "limit"
    oracle: ClassVar[str] = "its mean is the gradient: z of every weight over many draws"
    through_time: ClassVar[bool] = True

    def applies_to(self, task: Any) -> str | None:
        return refusal(task)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        steps, patterns = batch.x.shape[-3:-1]
        signs = {
            g: np.where(rand.uniform(steps, patterns, g.size) < 0.5, -1.0, 1.0).astype(batch.x.dtype)
            for g in net.remembered
            if g in net.free
        }
        gradient: dict[Key, Array] = {}
        a: dict[Group, Array] = {}
        b: dict[Key, Array] = {}
        before, outputs = None, []
        for t in range(steps):
            y = net.step(params, batch.x[..., t, :, :], before)
            nu = {g: s[..., t, :, :] for g, s in signs.items()}
            gone = tangent(net, params, {}, y, before, a) if a else {}
            direct = told_to_weights(net, params, nu, y, before)
            rho1 = np.sqrt(norm(direct) / (norm(apart(nu)) + TINY)) + TINY
            if a:
                ahead = {g: gone[g] for g in nu if g in gone}
                rho0 = np.sqrt(norm(b) / (norm(apart(ahead)) + TINY)) + TINY
                a = {
                    g: rho1[..., 0] * s + (rho0[..., 0] * ahead[g] if g in ahead else 0.0)
                    for g, s in nu.items()
                }
                b = {key: b[key] / rho0 + m / rho1 for key, m in direct.items()}
            else:
                a = {g: rho1[..., 0] * s for g, s in nu.items()}
                b = {key: m / rho1 for key, m in direct.items()}
            outputs.append(y[net.output])
            if told := batch.delta_at(net, y, t):
                state, behind = signals(net, params, y, told)
                gradient = added(gradient, net.outer(y, behind, before))
                worth = total((s * a[g]).sum(axis=-1)[..., None, None] for g, s in state.items())
                gradient = added(gradient, {key: (worth * each).sum(axis=-3) for key, each in b.items()})
            before = y
        return Credit(gradient, np.stack(outputs, axis=-3))

"""The exact gradient of a Boltzmann machine's likelihood, by enumeration:
what the family's weight changes are held to.

    G = Σ_v q(v) ln (q(v) / P(v)),     ∂G/∂w_ij = −(1/T) (p_ij − p'_ij)

q is how often each state v of the visible units is clamped, with every bit of a pattern flipped by its own
noise. With the input given, P(v) is q(x) P(y | x) for outputs y and inputs x, and G leaves the inputs' own
distribution alone. Visible states are gone through; hidden units, which see no other hidden unit, are summed
out, and their means stand in p_ij for their states. Ackley, Hinton & Sejnowski 1985, Cognitive Science
9:147-169, and its appendix.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from algorithms._boltzmann_machine import Machine, states
from harness.core.algorithm import Array, Batch

ENUMERATED = "the likelihood, by enumeration of states"
STATES = 2**16  # of the visible units of one machine, up to which they are gone through
PAIRS = 2**22  # of a pattern and an input that noise makes of it
ROUNDING = 2.0**-46  # a smaller difference of two correlations is what their sums have been rounded by
BLOCK = 2**22  # numbers in the states of the machines that are taken at once


def likelihood_gradient(
    machine: Machine,
    params: Mapping[str, Array],
    batch: Batch,
    temperature: float,
    given_input: bool = False,
    noise: tuple[float, float] = (0.0, 0.0),
    low: float = 0.0,
) -> dict[str, Array] | None:
    """∂G/∂w of every parameter (…, rows, columns),
    G averaged over the patterns; None where the states are too many.

    `noise` is the chance that an on-bit is clamped off, and an off-bit on; units are `low` (0 or −1) or 1.
    All 2^visible states count, or only those of the patterns' own inputs where these are given without noise.
    """
    patterns = batch.x.shape[-2]
    own_inputs = given_input and not any(noise)
    rows = patterns if own_inputs else 2**machine.input
    count = rows * 2**machine.output
    if count > STATES or (not own_inputs and rows * patterns > PAIRS):
        return None
    w = machine.matrix(params)
    q, visible = _clamped(machine, batch, None if own_inputs else states(machine.input), noise)
    on = np.ones_like(visible[..., :1])
    v = np.concatenate([low + (1.0 - low) * visible, on], axis=-1)
    if w.ndim == 2:
        change = _change(machine, w, v, q, temperature, given_input, low)
    else:
        size = max(1, BLOCK // (count * (machine.units + 1)))
        parts = []
        for start in range(0, len(w), size):
            some = slice(start, start + size)
            own_v, own_q = (a if a.ndim == 2 or len(a) == 1 else a[some] for a in (v, q))
            parts.append(_change(machine, w[some], own_v, own_q, temperature, given_input, low))
        change = np.concatenate(parts)
    return machine.moved(dict.fromkeys(machine.blocks, 0.0), change.astype(w.dtype))


def _clamped(
    machine: Machine, batch: Batch, inputs: Array | None, noise: tuple[float, float]
) -> tuple[Array, Array]:
    """q (…, X, Y) of X input and Y output states,
    and the states (…, X × Y, visible units), outputs before inputs.

    With no `inputs` to go through, each pattern has its own.
    """
    patterns, outputs = batch.x.shape[-2], states(machine.output)
    of_input = np.eye(patterns) if inputs is None else chances(batch.x, inputs, noise)
    x = batch.x.astype(float) if inputs is None else inputs
    q = of_input.mT @ chances(batch.wanted, outputs, noise) / patterns
    shape = (*x.shape[:-1], len(outputs))
    y = np.broadcast_to(outputs, (*shape, machine.output))
    both = np.concatenate([y, np.broadcast_to(x[..., None, :], (*shape, machine.input))], axis=-1)
    return q, both.reshape(*x.shape[:-2], -1, machine.output + machine.input)


def chances(patterns: Array, bits: Array, noise: tuple[float, float]) -> Array:
    """How likely noise makes each state of `bits` (S, units)
    of each of the `patterns` (…, N, units): (…, N, S).
    """
    off, on = noise
    p = np.where(patterns > 0.5, 1.0 - off, on)
    found = np.ones((*p.shape[:-1], len(bits)))
    for unit, bit in enumerate(bits.T):
        each = p[..., unit, None]
        found = found * np.where(bit > 0, each, 1.0 - each)
    return found


def _change(
    machine: Machine, w: Array, v: Array, q: Array, temperature: float, given_input: bool, low: float
) -> Array:
    """(p' − p) / T of all pairs but those of hidden units (…, units + 1, units + 1)."""
    hidden = machine.hidden
    net = v @ w[..., hidden:, :hidden] / temperature
    goodness = 0.5 * (v @ w[..., hidden:, hidden:] * v).sum(axis=-1) / temperature
    goodness = (goodness + np.logaddexp(net, low * net).sum(axis=-1)).reshape(
        *goodness.shape[:-1], *q.shape[-2:]
    )
    axes = (-1,) if given_input else (-2, -1)
    p = np.exp(goodness - goodness.max(axis=axes, keepdims=True))
    p = p / p.sum(axis=axes, keepdims=True) * q.sum(axis=axes, keepdims=True)
    half = 0.5 * (1.0 - low)
    means = 0.5 * (1.0 + low) + half * np.tanh(half * net)
    s = np.concatenate([means, np.broadcast_to(v, (*means.shape[:-1], v.shape[-1]))], axis=-1)
    difference = s.mT @ ((p - q).reshape(*p.shape[:-2], -1, 1) * s)
    return np.where(np.abs(difference) > ROUNDING, difference, 0.0) / temperature

"""Boltzmann machines by enumeration: every state, its probability, and what units do together in the mean."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from algorithms._boltzmann_machine import Machine
from harness.core.identity import Problem

Array = Any


def on_bits(p: Problem) -> Problem:
    """Patterns of all input states, with random bits as targets."""
    x = np.array(list(product((0.0, 1.0), repeat=p.net.input_size)))[None]
    wanted = np.random.default_rng(p.seed).random((1, x.shape[1], p.net.output.size)) < 0.5
    return p._replace(batch=p.batch._replace(x=x, target=wanted.astype(float), wanted=wanted))


def named(p: Problem, weights: float = 1.0, biases: float = 1.0) -> dict[str, Array]:
    """The problem's weights as the machines call them, scaled."""
    scale = {k.name: weights if "-" in k.name else biases for k in p.params}
    return {k.name: scale[k.name] * w for k, w in p.params.items()}


def everything(units: int, low: float = 0.0) -> Array:
    """All states of so many units, each with the unit that is always on."""
    return np.array([(*s, 1.0) for s in product((low, 1.0), repeat=units)])


def chances(w: Array, s: Array, temperature: float = 1.0) -> Array:
    """P ∝ exp(½ sᵀ w s / T) of states (S, units + 1)."""
    goodness = 0.5 * np.einsum("si,ij,sj->s", s, w, s) / temperature
    p: Array = np.exp(goodness - goodness.max())
    return p / p.sum()


def matrix(machine: Machine, params: dict[str, Array]) -> Array:
    """The symmetric matrix of one machine."""
    return machine.matrix({k: w[0] for k, w in params.items()})


def correlations(
    machine: Machine, w: Array, clamped: Array, first: int, temperature: float, low: float
) -> Array:
    """⟨s sᵀ⟩ by enumeration, in the mean over rows of what is `clamped` from unit `first` on."""
    s = everything(machine.units, low)
    total = np.zeros_like(w)
    for row in clamped:
        some = s[(s[:, first:-1] == row).all(axis=1)]
        p = chances(w, some, temperature)
        total += some.T @ (p[:, None] * some) / len(clamped)
    return total


def exact_change(machine: Machine, w: Array, p: Problem, temperature: float = 1.0, low: float = 0.0) -> Array:
    """⟨s sᵀ⟩ with the outputs clamped, less ⟨s sᵀ⟩ with them free, the input given."""
    x, y = (low + (1 - low) * a[0] for a in (p.batch.x, p.batch.wanted.astype(float)))
    taught = correlations(machine, w, np.concatenate([y, x], axis=1), machine.hidden, temperature, low)
    return taught - correlations(machine, w, x, machine.hidden + machine.output, temperature, low)


def blocks(machine: Machine, change: Array) -> dict[str, Array]:
    """A change of the matrix by parameter, with the replica axis."""
    return {name: change[None, a, b] for name, (a, b) in machine.blocks.items()}

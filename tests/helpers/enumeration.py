"""Boltzmann machines by brute force, for the tests of the family: every state, its energy, its
probability."""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._boltzmann_machine import Machine

Array = Any


def bits(units: int) -> Array:
    """All states of so many units, one a row."""
    return np.array(np.meshgrid(*[[0.0, 1.0]] * units, indexing="ij")).reshape(units, -1).T


def boltzmann_distribution(w: Array, temperature: float) -> Array:
    """P of every state of the free units, the last one always on; w is the whole symmetric matrix."""
    s = np.hstack([bits(len(w) - 1), np.ones((2 ** (len(w) - 1), 1))])
    energy = np.array([-sum(w[i, j] * row[i] * row[j] for i in range(len(w)) for j in range(i)) for row in s])
    p = np.exp(-(energy - energy.min()) / temperature)
    return p / p.sum()


def random_params(machine: Machine, scale: float, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    params = {
        n: scale * rng.normal(size=(a.stop - a.start, b.stop - b.start))
        for n, (a, b) in machine.blocks.items()
    }
    for name in ("input-input", "output-output"):
        if name in params:
            lower = np.tril(params[name], -1)
            params[name] = lower + lower.T
    return params


def index(s: Array) -> Array:
    """The number of a state (…, units, chains) in the order of `bits`."""
    units = s.shape[-2]
    return (s * 2.0 ** np.arange(units - 1, -1, -1)[:, None]).sum(axis=-2).astype(int)


def likelihood(machine: Machine, w: Array, q: Array, temperature: float, given_input: bool) -> float:
    """Σ q(v) ln P(v), or Σ q(x, y) ln P(y | x) with the input given."""
    p = boltzmann_distribution(w, temperature).reshape(2**machine.hidden, -1).sum(axis=0)
    log_p = np.log(p)
    if given_input:
        of_input = p.reshape(2**machine.output, -1).sum(axis=0)
        log_p = log_p - np.tile(np.log(of_input), 2**machine.output)
    return float(q @ log_p)


def correlations(
    machine: Machine, w: Array, q: Array, temperature: float, given_input: bool
) -> tuple[Array, Array]:
    """p and p' of all pairs, exactly: visible states distributed as q; all free, or all but the input."""
    p = boltzmann_distribution(w, temperature).reshape(2**machine.hidden, -1)
    clamped = (p / p.sum(axis=0) * q).ravel()
    free = p.ravel()
    if given_input:
        each = p.reshape(-1, 2**machine.input)
        of_input = q.reshape(-1, 2**machine.input).sum(axis=0)
        free = (each / each.sum(axis=0) * of_input).ravel()
    s = np.hstack([bits(machine.units), np.ones((len(free), 1))])
    return s.T @ (clamped[:, None] * s), s.T @ (free[:, None] * s)


def brute_force(w: Array, machine: Machine, x: Array, temperature: float) -> Array:
    """P(y_i = 1 | x): every state of every unit, no sum taken in closed form."""
    p = boltzmann_distribution(w, temperature)
    s = bits(machine.units)
    found = []
    for row in x:
        fits = (s[:, machine.place["input"]] == row).all(axis=1)
        found.append((p[fits, None] * s[fits][:, machine.place["output"]]).sum(axis=0) / p[fits].sum())
    return np.array(found)

"""Observation: when the Boltzmann encoders of Ackley, Hinton & Sejnowski 1985 have found their codes.

The paper counts a run as done when it has found *different codes*. Here that is the first cycle at which so
many patterns have a hidden state of their own, or all of them states two bits apart: of every pattern, the
most probable hidden state with the pattern clamped on both groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from algorithms._boltzmann_machine import Machine
from algorithms.boltzmann import Boltzmann
from harness.core.algorithm import Batch
from harness.core.rand import NOISE, Rand
from harness.tasks.encoder import Encoder

Array = Any
SEED = 1985


def hidden_states(size: int, hidden: int, noise_on: float, replicas: int, cycles: int) -> Array:
    """Hidden states of every pattern after every cycle, bits (cycles, replicas, patterns, hidden)."""
    task, algorithm = Encoder(size=size, hidden=hidden), Boltzmann("encoder", noise_on=noise_on)
    net, machine, rand = (
        task.network(),
        Machine.of(task.network(), "encoder"),
        Rand(SEED, range(replicas), NOISE),
    )
    state = algorithm.init(net, {}, rand)
    batch = Batch(*task.data(rand, "float64")[:3], 0)
    codes = np.zeros((cycles, replicas, size, hidden), bool)
    for cycle in range(cycles):
        state = algorithm.update(net, state, batch, rand).state
        p = state["params"]
        codes[cycle] = p["input-hidden"] + p["hidden-output"].mT + p["hidden"] > 0
    assert machine.units == 2 * size + hidden
    return codes


def distances(code: Array) -> Array:
    """Bits in which the hidden states of any two patterns differ (R, N, N); states are (R, N, hidden)."""
    return (code[:, :, None] != code[:, None]).sum(axis=-1)


def found(code: Array, different: int, bits_apart: int = 1) -> Array:
    """Who has so many different codes, any two of them (if not 1) so many bits apart:
    (R,) of states (R, N, hidden).
    """
    apart = distances(code) + code.shape[-1] * np.eye(code.shape[-2], dtype=int)
    first_of_its_kind = ~(np.tril(apart == 0, -1).any(axis=-1))
    return (first_of_its_kind.sum(axis=-1) >= different) & (
        (bits_apart == 1) | (apart.min(axis=(-1, -2)) >= bits_apart)
    )


def first_cycle(states: Array, different: int, bits_apart: int = 1) -> Array:
    """The first cycle at which each replica has found its codes,
    infinite if it has not: (R,) of (cycles, R, N, hidden).
    """
    met = np.array([found(code, different, bits_apart) for code in states])
    return np.where(met.any(axis=0), met.argmax(axis=0) + 1.0, np.inf)


def cycles_to_codes(size: int, hidden: int, noise_on: float, replicas: int, cycles: int) -> dict[str, Array]:
    """First cycle (R,) with `different_k` different codes, for k of all patterns and one less, and with all
    of them two bits `apart`; ∞ if it did not come in the `cycles` that were watched."""
    states = hidden_states(size, hidden, noise_on, replicas, cycles)
    times = {f"different_{k}": first_cycle(states, k) for k in (size - 1, size)}
    return times | {"apart": first_cycle(states, size, 2), "cycles": np.array(cycles)}

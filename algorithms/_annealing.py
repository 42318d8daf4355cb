"""Annealing the chains of a Boltzmann machine: the schedule, what is counted at its end, and predictions.

Ackley, Hinton & Sejnowski 1985, Cognitive Science 9:147-169.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from algorithms._boltzmann_machine import FREE, Machine
from harness.core.algorithm import Array
from harness.core.errors import InputError
from harness.core.loops import repeat

CHAINS = 10  # of each pattern, where predictions are sampled
Measure = Callable[[Array], Array]


class Schedule(NamedTuple):
    """An annealing: time units at each temperature,
    and those in which something is measured at the last one.
    """

    times: tuple[int, ...]
    temperatures: tuple[float, ...]
    statistics: int

    @property
    def draws(self) -> int:
        """Random numbers that a free unit takes: for its start, and for every time unit."""
        return 1 + sum(self.times) + self.statistics


def annealed(
    machine: Machine,
    w: Array,
    u: Array,
    groups: tuple[str, ...],
    given: Array,
    plan: Schedule,
    measure: Measure,
    total: Array,
    copies: int = 1,
) -> Array:
    """`total` and what `measure` makes of the state at the end of each time unit that counts.

    `groups` are free and start at random, below them in the row stand the units that are `given` (…, units,
    chains); u (…, plan.draws, free units, chains) are uniform random numbers, for so many `copies` of these
    chains.
    """
    heat = np.repeat([*plan.temperatures, plan.temperatures[-1]], [*plan.times, plan.statistics]).astype(
        u.dtype
    )
    heat = np.zeros_like(u, shape=heat.shape) + heat  # no constant: a loop that is compiled indexes it
    start = tiled((u[..., 0, :, :] < 0.5).astype(u.dtype), copies)
    s = np.concatenate([start, given, np.ones_like(start[..., :1, :])], axis=-2)

    def unit_of_time(i: Array, s: Array) -> Array:
        barrier = tiled(barriers(u[..., 1 + i, :, :], heat[i]), copies)
        return machine.sweep(w, s, groups, lambda part, net: net > barrier[..., part, :])

    def count(i: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        s = unit_of_time(sum(plan.times) + i, now[0])
        return s, now[1] + measure(s)

    return repeat(plan.statistics, count, (repeat(sum(plan.times), unit_of_time, s), total))[1]


def sampled(machine: Machine, w: Array, x: Array, u: Array, plan: Schedule) -> Array:
    """How often each output is on with x clamped (…, N, outputs):
    `CHAINS` chains a pattern, all patterns on the same u.

    u (…, plan.draws, hidden and output units, CHAINS) are uniform random numbers.
    """
    patterns, output = x.shape[-2], machine.place["output"]
    given = np.repeat(x.mT, CHAINS, axis=-1) + np.zeros_like(tiled(u[..., 0, :1, :], patterns))
    on = np.zeros_like(tiled(u[..., 0, output, :], patterns))
    on = annealed(machine, w, u, FREE[:2], given, plan, lambda s: s[..., output, :], on, patterns)
    return (on.reshape(*on.shape[:-1], patterns, CHAINS).sum(axis=-1) / (CHAINS * plan.statistics)).mT


def tiled(a: Array, copies: int) -> Array:
    """So many copies of the chains of `a` (…, units, chains), one after another."""
    return a if copies == 1 else np.concatenate([a] * copies, axis=-1)


def barriers(u: Array, temperature: Array) -> Array:
    """T log(u / (1 − u)) of uniform random numbers u: a unit whose input is above its own comes on.

    That is with probability P(u < 1 / (1 + exp(−input/T))) = 1 / (1 + exp(−input/T)): no exponential in a
    probe.
    """
    return temperature * np.log(u / (1.0 - u))


def check_schedule(settings: Any) -> None:
    """Raise `InputError` unless `times` and `temperatures` are a schedule."""
    if not settings.times:
        raise InputError("times must be a list of numbers, one for each temperature, but () was given")
    if len(settings.times) != len(settings.temperatures):
        given = f"times={settings.times} and temperatures={settings.temperatures}"
        raise InputError(f"every temperature must have its time, but {given} were given")

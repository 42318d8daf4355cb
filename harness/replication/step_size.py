"""Observation: which step of a finite difference comes closest to the gradient, network by network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from algorithms.backprop import Backprop
from algorithms.finite_differences import FiniteDifferences
from harness.core.initial import initial
from harness.core.rand import NOISE, WEIGHTS, Rand
from harness.replication.printed import batch_of
from harness.tasks.xor import Xor

Array = Any


def best(scheme: str, exponents: Sequence[int], replicas: int) -> dict[str, Array]:
    """`exponent` (R,): which power of ten as step gives the smallest error of the whole gradient, on XOR at
    initial weights ±1; `error` (R,), that error relative to the gradient."""
    task = Xor(scale=1.0)
    net, batch, rand = task.network(), batch_of(task), Rand(0, range(replicas), NOISE)
    params = initial(net, Rand(0, range(replicas), WEIGHTS), task.init, 1.0)
    exact = Backprop().credit(net, params, {}, batch, rand).gradient
    size = sum((g**2).sum(axis=(1, 2)) for g in exact.values())
    errors = []
    for exponent in exponents:
        found = (
            FiniteDifferences(scheme=scheme, step=10.0**exponent)
            .credit(net, params, {}, batch, rand)
            .gradient
        )
        errors.append(np.sqrt(sum(((found[k] - exact[k]) ** 2).sum(axis=(1, 2)) for k in exact) / size))
    error = np.array(errors)
    return {"exponent": np.array(exponents)[error.argmin(axis=0)], "error": error.min(axis=0)}

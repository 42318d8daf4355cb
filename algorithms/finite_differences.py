"""Finite differences: change each weight a little and see what the loss does.

    ∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h                            (central)

W weights cost 2W forward passes, so one gradient costs O(W²): the price that backpropagation avoids.
The step h balances truncation (∝ h²) against rounding (∝ machine ε / h): h = ε^(1/3), 6.1e-6 in float64.
Press et al. 2007, Numerical Recipes, section 5.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from harness.algorithm import Array, Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.errors import at_least
from harness.network import Key

WORKSPACE = 2**17  # perturbed activities held at once, in numbers: a few MB, whatever the network


@dataclass(frozen=True)
class FiniteDifferences(CreditAlgorithm):
    """The gradient from 2W evaluations of the loss; knows nothing of slopes or of ways back."""

    step: float | None = None
    """Perturbation h; None is the optimal one for the precision, ε^(1/3)."""

    traits: ClassVar[Traits] = Traits(needs_derivative=False, transports_weights=False, local=False, phases=0, global_scalar=True)
    paper: ClassVar[str] = "central differences; Press et al. 2007, Numerical Recipes, section 5.7"

    def __post_init__(self) -> None:
        if self.step is not None:
            at_least("step", self.step, 0, strict=True)

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        h = self.step or float(np.finfo(batch.target.dtype).eps) ** (1 / 3)
        flat = flatten(net, params)
        parts = []
        for directions in blocks(net, flat, batch):
            up, down = (batch.cost(net.forward(unflatten(net, flat + s * h * directions), batch.x)[net.output]) for s in (1, -1))
            parts.append((up - down) / (2 * h))
        gradient = np.moveaxis(np.concatenate(parts), 0, -1)
        return Credit(unflatten(net, gradient[..., None, :]), None)


def flatten(net: Network, params: Params) -> Array:
    """All parameters of a network in one row (…, 1, W)."""
    return np.concatenate([params[k].reshape(*params[k].shape[:-2], 1, -1) for k in net.shapes], axis=-1)


def unflatten(net: Network, flat: Array) -> dict[Key, Array]:
    """The inverse of `flatten`."""
    ends = np.cumsum([prod(shape) for shape in net.shapes.values()])
    return {
        k: flat[..., 0, end - prod(shape) : end].reshape(*flat.shape[:-2], *shape)
        for (k, shape), end in zip(net.shapes.items(), ends, strict=True)
    }


def blocks(net: Network, flat: Array, batch: Batch) -> Iterator[Array]:
    """The unit vectors e_i as (P, 1…, 1, W), P at a time: perturbations are one more leading axis."""
    replicas = prod(flat.shape[:-2])
    per_direction = replicas * max(batch.x.shape[-2] * sum(g.size for g in net.groups), net.size)
    count = max(1, WORKSPACE // per_direction)
    unit = np.eye(net.size, dtype=flat.dtype).reshape(net.size, *(1,) * (flat.ndim - 1), net.size)
    for start in range(0, net.size, count):
        yield unit[start : start + count]

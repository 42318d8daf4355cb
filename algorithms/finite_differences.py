"""Finite differences: change each weight a little and see what the loss does.

    forward    ∂E/∂w_i ≈ (E(w + h e_i) − E(w)) / h               h = √ε         W + 1 forward passes
    central    ∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h      h = ε^(1/3)    2W
    complex    ∂E/∂w_i ≈ Im E(w + i h e_i) / h                   h = 1e-20      W, in complex numbers

W weights cost O(W) forward passes, so one gradient costs O(W²): the price that backpropagation avoids.
A real step h balances truncation (∝ h forward, ∝ h² central) against rounding (∝ machine ε / h). A complex one
takes no difference, so that nothing cancels: any h whose square is nothing beside ε gives the gradient to the
last digits (1e-10 in float32, whose numbers end at 1e-38). It needs a loss that is analytic in the weights.
Counted costs take an operation on complex numbers as one.

Press et al. 2007, Numerical Recipes, section 5.7; Squire & Trapp 1998, SIAM Review 40:110-112.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from harness.core.algorithm import Array, Batch, Credit, CreditAlgorithm, Network, Params, Rand, State, Traits
from harness.core.errors import at_least, one_of
from harness.core.loops import repeat
from harness.core.network import Key

WORKSPACE = 2**17  # perturbed activities held at once, in numbers: a few MB, whatever the network
SCHEMES = ("forward", "central", "complex")
ANALYTIC = ("sigmoid", "tanh", "linear")


@dataclass(frozen=True)
class FiniteDifferences(CreditAlgorithm):
    """The gradient from W to 2W evaluations of the loss; knows nothing of slopes or of ways back."""

    scheme: str = "central"
    """Difference quotient: forward, central, or the complex step."""
    step: float | None = None
    """Perturbation h; None is the optimal one for scheme and precision."""

    traits: ClassVar[Traits] = Traits(needs_derivative=False, transports_weights=False, local=True, phases=0, global_scalar=True)
    paper: ClassVar[str] = "Press et al. 2007, Numerical Recipes, section 5.7; Squire & Trapp 1998, SIAM Review 40:110-112"
    equations: ClassVar[str] = "∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h, or Im E(w + i h e_i) / h"
    oracle: ClassVar[str] = "backprop to the error of each scheme; 2W, W + 1 and W forward passes exactly"

    def __post_init__(self) -> None:
        one_of("scheme", self.scheme, SCHEMES)
        if self.step is not None:
            at_least("step", self.step, 0, strict=True)

    def applies_to(self, task: Any) -> str | None:
        if self.scheme != "complex":
            return None
        net = task.network()
        for group in (*net.hidden, net.output):
            if group.activation not in ANALYTIC:
                return (
                    f"the complex step needs analytic units, and {group.activation} ({group.name!r}) is not: use scheme=central"
                )
        if task.margin is not None:
            return f"the complex step needs an analytic loss, and one with margin={task.margin} is not: scheme=central"
        return None

    def credit(self, net: Network, params: Params, memory: State, batch: Batch, rand: Rand) -> Credit:
        return differences(net, params, batch, self.scheme, self.step or best_step(self.scheme, batch.target.dtype))


def best_step(scheme: str, dtype: Any) -> float:
    """The step that errs least in a precision."""
    precision = np.finfo(dtype)
    if scheme == "complex":
        return 1e-20 if precision.minexp < -1000 else 1e-10
    return float(precision.eps) ** (1 / 2 if scheme == "forward" else 1 / 3)


def differences(net: Network, params: Params, batch: Batch, scheme: str, h: float) -> Credit:
    """The gradient by one of `SCHEMES`, each weight moved by h alone."""
    flat = flatten(net, params)
    output = net.forward(params, batch.x)[net.output] if scheme == "forward" else None
    here = None if output is None else batch.cost(output)

    def slopes(start: Array, count: int) -> Array:
        """∂E/∂w_i for `count` weights i from `start`: perturbations are one more leading axis."""
        unit = np.arange(net.size) == start + np.arange(count)[:, None]
        along = unit.astype(flat.dtype).reshape(count, *(1,) * (flat.ndim - 1), net.size)
        if scheme == "forward":
            return (loss_at(net, flat + h * along, batch) - here) / h
        if scheme == "complex":
            return (loss_at(net, flat + 1j * h * along, batch) * (-1j / h)).real  # the imaginary part ÷ h
        up, down = (loss_at(net, flat + s * h * along, batch) for s in (1, -1))
        return (up - down) / (2 * h)

    found = in_blocks(net.size, at_once(net, flat, batch), slopes, np.zeros_like(flat, shape=(0, *flat.shape[:-2])))
    return Credit(unflatten(net, in_a_row(found)), output)


def loss_at(net: Network, flat: Array, batch: Batch) -> Array:
    """E (…) at weights in a row (…, 1, W)."""
    return batch.cost(net.forward(unflatten(net, flat), batch.x)[net.output])


def in_blocks(total: int, count: int, of: Callable[[Array, int], Array], like: Array) -> Array:
    """`of(start, n)`, an array (n, …) for perturbations start … start + n − 1, for all of `total`, at most `count` at once.

    `like` (0, …) is an array of the same precision and shape, but for the first axis.
    """
    if total <= count:
        return of(0, total)
    whole, rest = divmod(total, count)

    def block(i: Array, found: Array) -> Array:
        found[i] = of(i * count, count)
        return found

    found = repeat(whole, block, np.zeros_like(like, shape=(whole, count, *like.shape[1:])))
    found = found.reshape(whole * count, *like.shape[1:])
    return np.concatenate([found, of(whole * count, rest)]) if rest else found


def in_a_row(found: Array) -> Array:
    """Numbers of P perturbations (P, …) as rows (…, 1, P), in order in memory: else products with them have other bits alone."""
    return np.moveaxis(found, 0, -1)[..., None, :].copy()


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


def at_once(net: Network, flat: Array, batch: Batch) -> int:
    """How many perturbed networks are held at once, so that what they need stays in the cache."""
    per_direction = prod(flat.shape[:-2]) * max(batch.x.shape[-2] * sum(g.size for g in net.groups), net.size)
    return max(1, WORKSPACE // per_direction)

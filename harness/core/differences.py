"""The gradient by differences of the loss, each weight moved alone:
what every other way to get it is held to.

    forward    ∂E/∂w_i ≈ (E(w + h e_i) − E(w)) / h               h = √ε         W + 1 forward passes
    central    ∂E/∂w_i ≈ (E(w + h e_i) − E(w − h e_i)) / 2h      h = ε^(1/3)    2W
    complex    ∂E/∂w_i ≈ Im E(w + i h e_i) / h                   h = 1e-20      W, in complex numbers

Press et al. 2007, Numerical Recipes, section 5.7; Squire & Trapp 1998, SIAM Review 40:110-112.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.algorithm import Batch, Credit
from harness.core.network import Network, Params
from harness.core.vectors import at_once, flatten, in_a_row, in_blocks, loss_at, unflatten

Array = Any
SCHEMES = ("forward", "central", "complex")


def best_step(scheme: str, dtype: Any) -> float:
    """The step that errs least in a precision."""
    precision = np.finfo(dtype)
    if scheme == "complex":
        return 1e-20 if precision.minexp < -1000 else 1e-10
    return float(precision.eps) ** (1 / 2 if scheme == "forward" else 1 / 3)


def differences(net: Network, params: Params, batch: Batch, scheme: str, h: float) -> Credit:
    """The gradient by one of `SCHEMES`, each weight moved by h alone."""
    flat = flatten(net, params)
    output = net.respond(params, batch.x) if scheme == "forward" else None
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

    found = in_blocks(
        net.size, at_once(net, flat, batch), slopes, np.zeros_like(flat, shape=(0, *flat.shape[:-2]))
    )
    return Credit(unflatten(net, in_a_row(found)), output)

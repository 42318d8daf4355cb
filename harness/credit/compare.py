"""How good a credit is, beside the exact gradient at the same weights and patterns.

For credit g and gradient ∇ of one network, over the weights of an edge or over all parameters:

    angle    between the two, in degrees: 0 the same direction, 90 no relation, 180 the opposite
    ratio    |g| / |∇|
    signs    share of the weights with a gradient for which the sign of the credit is the same

Where the gradient (or, for the angle, the credit) is zero there is no direction to compare: NaN, never 0
degrees. For a stochastic credit, over repeated draws: bias |E g − ∇| / |∇| and signal-to-noise |E g|² / E|g −
E g|².
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.exact_gradient import exact_gradient
from harness.core.losses import SquaredError
from harness.core.network import Edge, Key, Network, Params

Array = Any
Credits = Mapping[Key, Array]
TOTAL = "total"


class Alignment(NamedTuple):
    """Of a credit with the gradient; each (…), one number a network."""

    angle: Array
    ratio: Array
    signs: Array


def align(credit: Array, gradient: Array) -> Alignment:
    """Two sets of vectors (…, n), compared."""
    c, g = _norm(credit), _norm(gradient)
    u, v = _scaled(credit, c), _scaled(gradient, g)
    # exact near 0 and 180, where an arccos is not (Kahan 2006)
    angle = 2.0 * np.degrees(np.arctan2(_norm(u - v), _norm(u + v)))
    there = gradient != 0
    same = (np.sign(credit) == np.sign(gradient)) & there
    return Alignment(
        angle=np.where((c > 0) & (g > 0), angle, np.nan),
        ratio=_divide(c, g),
        signs=np.where(
            np.isfinite(c) & np.isfinite(g), _divide(same.sum(axis=-1), there.sum(axis=-1)), np.nan
        ),
    )


def spread(credits: Array, gradient: Array) -> tuple[Array, Array]:
    """Bias and signal-to-noise (…) of draws (D, …, n) of a stochastic credit; D ≥ 2.

    Both are corrected for the noise that a mean of D draws still has, and clipped at 0.
    """
    draws = len(credits)
    top = np.maximum(np.abs(credits).max(axis=(0, -1)), np.abs(gradient).max(axis=-1))
    credits, gradient = _scaled(credits, top), _scaled(gradient, top)
    mean = mean_of(credits)
    noise = added_up(((credits - mean) ** 2).sum(axis=-1)) / (draws - 1)
    bias = np.sqrt(np.maximum(((mean - gradient) ** 2).sum(axis=-1) - noise / draws, 0.0))
    signal = np.maximum((mean**2).sum(axis=-1) - noise / draws, 0.0)
    return _divide(bias, _norm(gradient)), _divide(signal, noise)


def added_up(draws: Array) -> Array:
    """Draws (D, …) in their order: NumPy's own depends on how many networks stand beside each other."""
    return reduce(np.add, draws)


def mean_of(draws: Array) -> Array:
    """The mean of draws (D, …), whatever stands beside; exact where all are the same."""
    return draws[0] + added_up(draws - draws[0]) / len(draws)


def size(credits: Array, gradient: Array) -> Array:
    """|E g| ÷ |∇| (…) of draws (D, …, n),
    the noise that a mean of D draws still has taken off; 1 where nothing is left.
    """
    draws, top = len(credits), np.abs(credits).max(axis=(0, -1))
    credits = _scaled(credits, top)
    mean = mean_of(credits)
    noise = added_up(((credits - mean) ** 2).sum(axis=-1)) / (draws - 1) / draws
    ratio = top * _divide(np.sqrt(np.maximum((mean**2).sum(axis=-1) - noise, 0.0)), _norm(gradient))
    return np.where(ratio > 0, ratio, 1.0)


def vectors(net: Network, credit: Credits) -> dict[str, Array]:
    """Credits as vectors (…, n): by name of the edge,
    and of all parameters together; what got none is zero.
    """
    some = next(iter(credit.values()))
    lead = some.shape[:-2]
    flat = {}
    for key, (rows, columns) in net.shapes.items():
        values = credit.get(key)
        flat[key] = (
            np.zeros((*lead, rows * columns), some.dtype) if values is None else values.reshape(*lead, -1)
        )
    return {e.name: a for e, a in flat.items() if isinstance(e, Edge)} | {
        TOTAL: np.concatenate(list(flat.values()), axis=-1)
    }


def exact(net: Network, params: Params, batch: Batch) -> Credits:
    """∂E/∂w of every parameter: the reference."""
    return exact_gradient(net, params, batch).gradient


def gauss_newton(net: Network, params: Params, batch: Batch) -> Array:
    """The Gauss–Newton step J⁺ (y − d) as vectors (R, W),
    J = ∂y/∂w by enumeration of all outputs and patterns.

    Minimises |J s − (y − d)|², the least such s where there are many (Björck 1996, ch. 9); outputs whose
    error counts as none are left out. For networks whose J (R, N × outputs, W) fits in memory. Raises
    `InputError` for another loss than squared error, and for sequences.
    """
    if not isinstance(batch.loss, SquaredError) or batch.time:
        raise InputError(
            "the Gauss–Newton step is that of squared errors of patterns, not of sequences or another loss"
        )
    x, replicas = batch.x, next(iter(params.values())).shape[0]
    patterns, outputs = x.shape[-2], net.output.size
    # every pattern is a batch of its own, every output an error of its own: two more leading axes (N,
    # outputs, R, 1, …)
    alone = np.broadcast_to(x, (replicas, *x.shape[-2:])).swapaxes(0, 1)[:, None, :, None, :]
    unit = np.broadcast_to(
        np.eye(outputs, dtype=x.dtype)[:, None, None, :], (patterns, outputs, replicas, 1, outputs)
    )
    slopes = exact(net, params, Batch(alone, unit, unit > 0, batch.epoch, _Outputs()))
    # where no way leads out of a group, its slopes are 0 for all outputs at once
    rows = (patterns, outputs, replicas)
    parts = [
        np.broadcast_to(slopes[key], (*rows, *shape)).reshape(*rows, -1) for key, shape in net.shapes.items()
    ]
    jacobian = np.concatenate(parts, axis=-1).reshape(patterns * outputs, replicas, -1).swapaxes(0, 1)
    rest = batch.error(net.forward(params, x)[net.output]).reshape(replicas, patterns * outputs, 1)
    if getattr(batch.loss, "margin", None) is not None:
        jacobian = np.where(rest != 0, jacobian, 0.0)
    fine = np.isfinite(jacobian).all(axis=(-1, -2), keepdims=True)  # the SVD of another raises
    # rtol=None is NumPy's own rule, size × ε; its stubs do not know it
    inverse: Array = np.linalg.pinv(np.where(fine, jacobian, 0.0), rtol=None)  # type: ignore[call-overload]  # stub
    return (inverse @ np.where(fine, rest, np.nan))[..., 0]


class _Outputs(SquaredError):
    """The outputs themselves for a loss: the error of each is handed in as its target."""

    def error(self, y: Array, target: Array, wanted: Array) -> Array:
        return target


def _norm(a: Array) -> Array:
    # by the largest first: squares of tiny credits would vanish
    top = np.abs(a).max(axis=-1, initial=0.0)
    return top * np.sqrt((_scaled(a, top) ** 2).sum(axis=-1))


def _scaled(a: Array, by: Array) -> Array:
    return a / np.where(by > 0, by, 1.0)[..., None]


def _divide(a: Array, b: Array) -> Array:
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), np.nan)

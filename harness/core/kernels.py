"""A few array operations, said the way NumPy does them fastest on many small matrices.

Each equals the plain expression of the same name in `harness.core.readings`: sums over patterns up to the
order of summation, the others bit for bit. Stacks of narrow matrices defeat NumPy's inner loops, which run
over the last axis: a sum over patterns is far slower as `.sum` than as a product with ones. The last three
are plain, for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Array = Any
NARROW = 4  # columns up to which a loop over columns beats broadcasting along them
EPSILON = 1e-5  # beside a variance: units that all do the same are at 0, not at 0 / 0


def add_bias(total: Array, bias: Array) -> Array:
    """`total + bias` for (…, N, k) and (…, 1, k); `total` may be written to: hand in an array you made."""
    if total.dtype != bias.dtype or not _fits(bias.shape, total.shape):
        return total + bias
    if total.shape[-1] > NARROW:
        return np.add(total, bias, out=total)
    for k in range(total.shape[-1]):
        total[..., k] += bias[..., k]
    return total


def _fits(bias: tuple[int, ...], total: tuple[int, ...]) -> bool:
    """Whether a bias of that shape goes into a total of that one: asked every epoch, and tuples are quick."""
    usual = bias[:-2] == total[:-2] and bias[-2:] == (1, total[-1])
    return usual or np.broadcast_shapes(total, bias) == total


def sigmoid(x: Array) -> Array:
    """`1 / (1 + exp(-x))`; of complex numbers the same by `tanh`, where `exp` would overflow into NaN."""
    if x.dtype.kind == "c":
        return 0.5 + 0.5 * np.tanh(0.5 * x)
    y = np.negative(x)
    np.exp(y, out=y)
    np.add(y, 1.0, out=y)
    return np.divide(1.0, y, out=y)


def toward(s: Array, goal: Array, share: Array) -> Array:
    """`s + share * (goal - s)`."""
    way = np.subtract(goal, s)
    if getattr(share, "ndim", 0) or way.dtype != s.dtype:
        return s + share * way
    np.multiply(way, share, out=way)
    return np.add(way, s, out=way)


def descend(
    weights: Array, velocity: Array, gradient: Array, lr: Array, momentum: Array
) -> tuple[Array, Array]:
    """`v = momentum * velocity - lr * gradient`, and `(weights + v, v)`."""
    if gradient.dtype != weights.dtype:
        v = momentum * velocity - lr * gradient
        return weights + v, v
    v, step = np.multiply(velocity, momentum), np.multiply(gradient, lr)
    np.subtract(v, step, out=v)
    return np.add(weights, v, out=step), v


def lessen(weights: Array, gradient: Array, lr: Array) -> Array:
    """`weights - lr * gradient`: where nothing has momentum, half of what `descend` goes through."""
    if gradient.dtype != weights.dtype:
        return weights - lr * gradient
    step = np.multiply(gradient, lr)
    return np.subtract(weights, step, out=step)


def sum_patterns(a: Array) -> Array:
    """`a.sum(axis=-2, keepdims=True)` for (…, N, k): the sum over patterns."""
    return np.matmul(np.ones((1, a.shape[-2]), a.dtype), a)


def sum_squares(a: Array) -> Array:
    """`(a * a).sum(axis=(-1, -2))` for (…, N, k): one number per network.

    Numbers that lie apart in memory are brought together first: NumPy would sum them in another order.
    """
    flat = np.ascontiguousarray(a).reshape(*a.shape[:-2], 1, -1)
    return np.matmul(flat, flat.mT)[..., 0, 0]


def total(terms: Iterable[Array]) -> Array:
    """`sum(terms)`, without beginning by adding the first of them to 0.

    Args:
        terms: arrays that can be added.

    Returns:
        Their sum; 0.0 if there are none.

    >>> total([1.0, 2.0, 3.0])
    6.0
    """
    each = iter(terms)
    result = next(each, 0.0)
    for term in each:
        result = result + term
    return result


def mean_units(a: Array) -> Array:
    """`a.mean(axis=-1, keepdims=True)` for (…, N, k): the mean over units.

    A product with ones is up to 3 times faster, but now and then says in float32 that something was invalid
    when nothing was.
    """
    return a.sum(axis=-1, keepdims=True) / a.shape[-1]


def standardised(s: Array) -> tuple[Array, Array]:
    """`z = (s - mean) / sigma`,
    `sigma = sqrt(((s - mean) ** 2).mean + EPSILON)` over the units of s (…, N, k): (z, sigma).

    Ba, Kiros & Hinton 2016, Layer normalization, arXiv:1607.06450, eq. 3 (there of net inputs, without the
    usual EPSILON).
    """
    centred = s - mean_units(s)
    sigma = np.sqrt(mean_units(centred * centred) + EPSILON)
    return centred / sigma, sigma

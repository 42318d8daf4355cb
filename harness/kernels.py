"""Three array operations, said the way NumPy does them fastest on many small matrices.

Each equals the plain expression in its docstring (`add_bias` bit for bit, the others up to the
order of summation). Stacks of narrow matrices defeat NumPy's inner loops, which run over the last
axis: measured on 1,000 × (64, 2), a sum over patterns takes 780 µs as `.sum`, 43 µs as a product
with ones. Duck arrays (counting, compiling) take the plain expression.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
NARROW = 4  # columns up to which a loop over columns beats broadcasting along them


def add_bias(total: Array, bias: Array) -> Array:
    """`total + bias` for (…, N, k) and (…, 1, k); `total` may be written to: hand in an array you made."""
    if type(total) is not np.ndarray or not 1 < total.shape[-1] <= NARROW or total.shape[-2] <= NARROW:
        return total + bias
    if np.broadcast_shapes(total.shape, bias.shape) != total.shape or total.dtype != bias.dtype:
        return total + bias
    for k in range(total.shape[-1]):
        total[..., k] += bias[..., k]
    return total


def sum_patterns(a: Array) -> Array:
    """`a.sum(axis=-2, keepdims=True)` for (…, N, k): the sum over patterns."""
    if type(a) is not np.ndarray:
        return a.sum(axis=-2, keepdims=True)
    return np.matmul(np.ones((1, a.shape[-2]), a.dtype), a)


def outer(source: Array, target: Array) -> Array:
    """`source.mT @ target` for (…, N, k) and (…, N, m): activity × blame, summed over patterns."""
    return source.mT @ target

"""Replicas last in memory: the layout in which NumPy is fastest on very narrow networks.

Where a layer has two or three units, NumPy's inner loops over a last axis of two or three are overhead.
With the same shapes (R, N, k), but the replicas next to each other in memory, every inner loop runs over all
replicas: one instruction does four or eight of them. Elementwise arithmetic keeps the layout of what it is
given; products with weights, here, do one multiplication after another for all replicas at once.

    laid(a)                 the same array, replicas last in memory
    with read_by(Lanes()):  products of weights that stay in that layout

A replica's sums are in one order however many others there are, but for one that is alone: with a single lane
NumPy would take another axis for its inner loop. So there are always two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.edges import Edge
from harness.core.readings import Interpreted

Array = Any
FEWEST = 2  # rows in this layout


class Lanes(Interpreted):
    """Dense edges over all replicas at a time; the arrays are `laid`."""

    def send(self, edge: Any, w: Array, y: Array) -> Array:
        return np.einsum("...ni,...ik->...nk", y, w)

    push = send

    def back(self, edge: Any, w: Array, blame: Array) -> Array:
        return np.einsum("...nk,...ik->...ni", blame, w)

    def outer(self, edge: Any, y: Array, blame: Array) -> Array:
        return np.einsum("...ni,...nk->...ik", y, blame)

    @staticmethod
    def add_bias(total: Array, bias: Array) -> Array:
        return np.add(total, bias, out=total) if total.dtype == bias.dtype else total + bias

    @staticmethod
    def sum_patterns(a: Array) -> Array:
        return a.sum(axis=-2, keepdims=True)

    @staticmethod
    def sum_squares(a: Array) -> Array:
        return (a * a).sum(axis=(-1, -2))


def laid(a: Array) -> Array:
    """An array (R, …), replicas last in memory; what all share (1, …) stays, and so does what is no array."""
    if not isinstance(a, np.ndarray) or a.ndim < 2 or len(a) == 1:
        return a
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)


def narrow(edges: Any, widest: int) -> bool:
    """Whether all edges are dense, and none has more than so many weights."""
    return all(type(e) is Edge and e.shape[0] * e.shape[1] <= widest for e in edges)

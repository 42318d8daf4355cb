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

    fewest = FEWEST

    @staticmethod
    def picked(a: Array, rows: Array) -> Array:
        return laid(a[rows])

    def send(self, edge: Any, w: Array, y: Array) -> Array:
        return laid(np.einsum("...ni,...ik->...nk", laid(y), laid(w)))

    def push(self, edge: Any, w: Array, change: Array) -> Array:
        return self.send(edge, w, change)

    def back(self, edge: Any, w: Array, blame: Array) -> Array:
        return laid(np.einsum("...nk,...ik->...ni", laid(blame), laid(w)))

    def outer(self, edge: Any, y: Array, blame: Array) -> Array:
        return laid(np.einsum("...ni,...nk->...ik", laid(y), laid(blame)))

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
    """An array (R, …), replicas last in memory; what all share (1, …) stays, and so does what is no array.

    What lies so already is handed back as it is. Where it matters it is asked for, and not hoped for: which
    layout NumPy gives a result is not settled where axes of length 1 are about.
    """
    if not isinstance(a, np.ndarray) or (shape := a.shape)[:1] in ((), (1,)) or len(shape) < 2:
        return a
    if len(shape) == 3:  # nearly all, and asked a score of times an epoch: without a loop
        (replicas, n, k), (first, middle, last), step = shape, a.strides, a.itemsize
        row = step * replicas
        if first == step and (k == 1 or last == row) and (n == 1 or middle == row * k):
            return a
    elif _lies(a):
        return a
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)


def _lies(a: Array) -> bool:
    """Whether the first axis is the last in memory, and the others are in their order."""
    step: int = a.itemsize
    for size, stride in zip((a.shape[0], *a.shape[:0:-1]), (a.strides[0], *a.strides[:0:-1]), strict=True):
        if size > 1 and stride != step:
            return False
        step *= size
    return True


def narrow(edges: Any, widest: int) -> bool:
    """Whether all edges are dense, and none has more than so many weights."""
    return all(type(e) is Edge and e.shape[0] * e.shape[1] <= widest for e in edges)

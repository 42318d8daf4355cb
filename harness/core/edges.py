"""Edges: one bilinear map from weights and activity to net input, and its two adjoints.

    send(w, y)       Σ_i y_i w_ij                 (…, N, source size) → (…, N, target size)
    back(w, δ)       Σ_j w_ij δ_j                 (…, N, target size) → (…, N, source size)
    outer(y, δ)      Σ_patterns y_i δ_j           → the shape of w

    ⟨send(w, y), δ⟩ = ⟨y, back(w, δ)⟩ = ⟨w, outer(y, δ)⟩     for all w, y, δ

That law is all that anybody may assume of an edge; a new kind is three methods and the shape of its weights.
Dense edges, here, have a weight for every pair of units; `harness.core.convolution` and `harness.core.summed`
have other kinds. Any edge may borrow the weights of another (`like`), or hear its source as it was one time
step before (`delay`).

Weights are (…, rows, columns) whatever the kind; activities stay flat, (…, N, height · width · channels) for
a map, channels last. Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from harness.core.errors import InputError, one_of, whole
from harness.core.units import UNITS

Array = Any


@dataclass(frozen=True)
class Group:
    """Some units of one kind: a layer, or a map of units for an image.

    Args:
        name: what it is called; unique in a network, and the name of its bias in records.
        shape: how many units, or the (height, width, channels) of a map.
        activation: the kind of unit, a name in `harness.core.units`: sigmoid, tanh, relu, linear, softmax, …
        bias: whether its units have a weight from an always-on unit: one for each unit, or on a map one for
            each channel.
        start: what its initial biases are drawn around, 0 unless units are to begin open or shut.

    Raises:
        InputError: for another number of lengths than 1 or 3, a length below 1, and an unknown activation.

    >>> Group("hidden", 3, "tanh").size, Group("image", (4, 4, 2)).size
    (3, 32)
    """

    name: str
    shape: int | tuple[int, ...]
    activation: str = "sigmoid"
    bias: bool = True
    start: float = 0.0
    size: int = field(init=False, compare=False)
    """How many units."""
    channels: int = field(init=False, compare=False)
    """Units that have a bias of their own: all, or the channels of a map."""

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        if len(shape) not in (1, 3):
            raise InputError(
                f"group {self.name!r} is a number of units "
                f"or a map (height, width, channels), but {self.shape} was given"
            )
        for length in shape:
            whole(f"size of group {self.name!r}", length, 1)
        one_of("activation", self.activation, UNITS)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "size", prod(shape))
        object.__setattr__(self, "channels", shape[-1])

    def __hash__(self) -> int:  # groups are looked up every epoch: hash one cached string, not all fields
        return hash(self.name)


@dataclass(frozen=True)
class Edge:
    """Full connections: a weight from every unit of `source` to every unit of `target`.

    Any kind of edge is three maps that are one another's adjoints, ⟨send(w, y), δ⟩ = ⟨y, back(w, δ)⟩ =
    ⟨w, outer(y, δ)⟩. Whatever asks an edge for anything may assume that law, and nothing else.

    Args:
        source, target: the groups that it joins.
        delay: 0, or 1 to hear the source as it was one time step before.
        like: an edge whose weights it has, instead of weights of its own.

    Raises:
        InputError: for another delay, and for a tie of edges of different kinds or shapes.

    >>> edge = Edge(Group("input", 2), Group("output", 3))
    >>> edge.name, edge.shape
    ('input-output', (2, 3))
    """

    source: Group
    target: Group
    delay: int = 0
    like: Edge | None = None
    name: str = field(init=False)
    """source-target, and :1 behind it where it is delayed."""
    weights: Edge = field(init=False, compare=False, repr=False)
    """The edge whose weights it has: the key of its parameter. Itself, unless it is tied."""

    def __post_init__(self) -> None:
        if self.delay not in (0, 1):
            raise InputError(
                f"delay must be 0 or 1 time steps, but {self.delay!r} was given: "
                "a longer way is a chain of groups"
            )
        object.__setattr__(self, "name", f"{self.source.name}-{self.target.name}{':1' if self.delay else ''}")
        object.__setattr__(self, "weights", self.like.weights if self.like else self)
        if self.like and (type(self) is not type(self.like) or self.shape != self.like.shape):
            raise InputError(
                f"tied edges need one kind and one shape of weights, but {self.name!r} is {kind_of(self)} "
                f"of {self.shape} and {self.like.name!r} {kind_of(self.like)} of {self.like.shape}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Of its weights, (rows, columns)."""
        return (self.source.size, self.target.size)

    @property
    def fans(self) -> tuple[int, int]:
        """Weights into a unit of the target, and out of a unit of the source
        that lies inside: what initial weights scale by.
        """
        return self.shape

    @cached_property
    def times(self) -> Array:
        """How many connections share each of its weights, (rows, columns): those that are there, so that of a
        kernel's corner, say, fewer are than of its middle where the source is padded.
        """
        return self.outer(np.ones((1, self.source.size)), np.ones((1, self.target.size)))

    @property
    def workspace(self) -> int:
        """Numbers that it holds for a pattern on the way, beside those that come in and go out."""
        return 0

    def send(self, w: Array, y: Array) -> Array:
        """Net input Σ_i y_i w_ij of the target: what activity does forwards.

        Args:
            w: weights (…, rows, columns), of the edge's `shape`.
            y: activity of the source (…, N, source size), for N patterns.

        Returns:
            Net input (…, N, target size).
        """
        return y @ w

    def back(self, w: Array, blame: Array) -> Array:
        """Σ_j w_ij δ_j, the adjoint of `send` in y: what blame does backwards.

        Args:
            w: weights (…, rows, columns); any of the edge's `shape`, not only the forward ones.
            blame: ∂E/∂x of the target (…, N, target size).

        Returns:
            Blame brought back to the source (…, N, source size).
        """
        return blame @ w.mT

    def outer(self, y: Array, blame: Array) -> Array:
        """Σ_patterns y_i δ_j, the adjoint of `send` in w: the credit of each weight.

        Args:
            y: activity of the source (…, N, source size).
            blame: ∂E/∂x of the target (…, N, target size).

        Returns:
            Credit in the shape of the weights (…, rows, columns), summed over patterns.
        """
        return y.mT @ blame

    def __hash__(self) -> int:
        return hash(self.name)


def kind_of(edge: Edge) -> str:
    """What an error message calls it."""
    known = {"Edge": "a dense edge", "Convolution": "a convolution", "Local": "a local edge"}
    return known.get(type(edge).__name__, type(edge).__name__)

"""Edges: one bilinear map from weights and activity to net input, and its two adjoints.

    send(w, y)       Σ_i y_i w_ij                 (…, N, source size) → (…, N, target size)
    back(w, δ)       Σ_j w_ij δ_j                 (…, N, target size) → (…, N, source size)
    outer(y, δ)      Σ_patterns y_i δ_j           → the shape of w

    ⟨send(w, y), δ⟩ = ⟨y, back(w, δ)⟩ = ⟨w, outer(y, δ)⟩     for all w, y, δ

That law is all that anybody may assume of an edge; a new kind is three methods and the shape of its weights. Dense edges
have a weight for every pair of units. Convolutional ones share a kernel among all places of a map, locally connected
ones have a kernel for each place; both gather what each place sees, forwards and backwards, and nothing is scattered: so
they are counted and compiled as they stand. Any edge may borrow the weights of another (`like`), or hear its source as it
was one time step before (`delay`).

Weights are (…, rows, columns) whatever the kind; activities stay flat, (…, N, height · width · channels) for a map,
channels last. LeCun et al. 1989, Neural Computation 1:541-551; Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, p. 348.
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
    """Some units of one kind. `bias` is a weight from an always-on unit: one for each unit, or for each channel of a map.

    `shape` is a number of units, or the (height, width, channels) of a map.
    """

    name: str
    shape: int | tuple[int, ...]
    activation: str = "sigmoid"
    bias: bool = True
    size: int = field(init=False, compare=False)
    """How many units."""

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        if len(shape) not in (1, 3):
            raise InputError(
                f"group {self.name!r} is a number of units or a map (height, width, channels), but {self.shape} was given"
            )
        for length in shape:
            whole(f"size of group {self.name!r}", length, 1)
        one_of("activation", self.activation, UNITS)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "size", prod(shape))

    @property
    def channels(self) -> int:
        """Units that have a bias of their own: all, or the channels of a map."""
        return self.shape[-1]  # type: ignore[index]  # a tuple since __post_init__

    def __hash__(self) -> int:  # groups are looked up every epoch: hash one cached string, not all fields
        return hash(self.name)


@dataclass(frozen=True)
class Edge:
    """Full connections: a weight from every unit of `source` to every unit of `target`.

    `delay` 1: hears its source as it was one time step before. `like`: has the weights of that edge, and none of its own.
    Raises `InputError` for another delay, and for a tie of edges of different kinds or shapes.
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
            raise InputError(f"delay must be 0 or 1 time steps, but {self.delay!r} was given: a longer way is a chain of groups")
        object.__setattr__(self, "name", f"{self.source.name}-{self.target.name}{':1' if self.delay else ''}")
        object.__setattr__(self, "weights", self.like.weights if self.like else self)
        if self.like and (type(self) is not type(self.like) or self.shape != self.like.shape):
            raise InputError(
                f"tied edges need one kind and one shape of weights, but {self.name!r} is {_kind(self)} of {self.shape} "
                f"and {self.like.name!r} {_kind(self.like)} of {self.like.shape}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Of its weights, (rows, columns)."""
        return (self.source.size, self.target.size)

    @property
    def fans(self) -> tuple[int, int]:
        """Weights into a unit of the target, and out of a unit of the source that lies inside: what initial weights scale by."""
        return self.shape

    @property
    def times(self) -> int:
        """At how many places each of its weights stands."""
        return 1

    @property
    def workspace(self) -> int:
        """Numbers that it holds for a pattern on the way, beside those that come in and go out."""
        return 0

    def send(self, w: Array, y: Array) -> Array:
        """Net input (…, N, target size) that the activity y (…, N, source size) makes over weights w (…, rows, columns)."""
        return y @ w

    def back(self, w: Array, blame: Array) -> Array:
        """`blame` (…, N, target size) brought back over weights w: (…, N, source size)."""
        return blame @ w.mT

    def outer(self, y: Array, blame: Array) -> Array:
        """Activity y times blame, summed over patterns, in the shape of the weights (…, rows, columns)."""
        return y.mT @ blame

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Convolution(Edge):
    """A kernel (height, width) that slides over the source's map, `stride` apart, with `padding` rows of zeros around it.

    Weights are (height · width · channels of the source, channels of the target), the same at every place. Raises
    `InputError` for groups that are no maps, a kernel larger than the padded source, and a target of another size.
    """

    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        for name, group in (("source", self.source), ("target", self.target)):
            if len(group.shape) != 3:  # type: ignore[arg-type]  # a tuple since its own __post_init__
                raise InputError(
                    f"{_kind(self)} joins maps (height, width, channels), but its {name} {group.name!r} has shape {group.shape}"
                )
        places = map_size(self.source.shape, self.kernel, self.stride, self.padding)  # type: ignore[arg-type]
        if self.target.shape[:2] != places:  # type: ignore[index]
            raise InputError(
                f"a kernel of {self.kernel} at stride {self.stride} and padding {self.padding} makes a map of {places} of "
                f"{self.source.name!r}, but the target {self.target.name!r} is {self.target.shape}"
            )
        super().__post_init__()

    @cached_property
    def seen(self) -> Array:
        """Which place of the source stands at each offset of the kernel: (places, offsets); one too many is the padding."""
        height, width, _ = self.source.shape  # type: ignore[misc]
        rows, columns = map_size(self.source.shape, self.kernel, self.stride, self.padding)  # type: ignore[arg-type]
        i = (np.arange(rows) * self.stride - self.padding)[:, None, None, None] + np.arange(self.kernel[0])[:, None]
        j = (np.arange(columns) * self.stride - self.padding)[:, None, None] + np.arange(self.kernel[1])
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        return np.where(inside, i * width + j, height * width).reshape(rows * columns, -1)

    @cached_property
    def heard(self) -> Array:
        """Where each place of the source is seen: (most times, places), numbers of `seen` in a row; one too many is nowhere."""
        times = [np.flatnonzero(self.seen.ravel() == place) for place in range(self.source.size // self.source.channels)]
        most = max(len(each) for each in times)
        return np.stack([np.pad(each, (0, most - len(each)), constant_values=self.seen.size) for each in times], axis=1)

    @property
    def shape(self) -> tuple[int, int]:
        return (self.kernel[0] * self.kernel[1] * self.source.channels, self.target.channels)

    @property
    def fans(self) -> tuple[int, int]:
        offsets = self.kernel[0] * self.kernel[1]
        return (offsets * self.source.channels, offsets * self.target.channels)

    @property
    def times(self) -> int:
        return len(self.seen)

    @property
    def workspace(self) -> int:
        return self.seen.size * self.source.channels

    def patches(self, y: Array) -> Array:
        """What each place sees of y (…, N, source size): (…, N, places, rows of a kernel)."""
        *lead, _ = y.shape
        y = y.reshape(*lead, -1, self.source.channels)
        if self.padding:
            y = np.concatenate([y, np.zeros_like(y[..., :1, :])], axis=-2)
        places, offsets = self.seen.shape
        return np.take(y, self.seen.ravel(), axis=-2).reshape(*lead, places, offsets * self.source.channels)

    def unpatched(self, patches: Array) -> Array:
        """The adjoint of `patches`: what each unit of the source is told, added up over the places that see it."""
        *lead, places, rows = patches.shape
        told = patches.reshape(*lead, places * rows // self.source.channels, self.source.channels)
        if (self.heard == self.seen.size).any():
            told = np.concatenate([told, np.zeros_like(told[..., :1, :])], axis=-2)
        most, units = self.heard.shape
        told = np.take(told, self.heard.ravel(), axis=-2).reshape(*lead, most, units * self.source.channels)
        return told.sum(axis=-2)

    def send(self, w: Array, y: Array) -> Array:
        patches = self.patches(y)
        *lead, patterns, places, rows = patches.shape
        x = patches.reshape(*lead, patterns * places, rows) @ w
        return x.reshape(*x.shape[:-2], patterns, -1)

    def back(self, w: Array, blame: Array) -> Array:
        *_, patterns, size = blame.shape
        places = size // self.target.channels
        told = blame.reshape(*blame.shape[:-2], patterns * places, self.target.channels) @ w.mT
        return self.unpatched(told.reshape(*told.shape[:-2], patterns, places, -1))

    def outer(self, y: Array, blame: Array) -> Array:
        patches = self.patches(y)
        patches = patches.reshape(*patches.shape[:-3], -1, patches.shape[-1])
        return patches.mT @ blame.reshape(*blame.shape[:-2], -1, self.target.channels)

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Local(Convolution):
    """Locally connected: every place has a kernel of its own. Weights are (places · rows of a kernel, channels)."""

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = super().shape
        return (len(self.seen) * rows, columns)

    @property
    def times(self) -> int:
        return 1

    def kernels(self, w: Array) -> Array:
        """The weights of each place, (…, places, rows, channels)."""
        return w.reshape(*w.shape[:-2], len(self.seen), -1, w.shape[-1])

    def each_place(self, blame: Array) -> Array:
        """Blame (…, N, target size) with places before patterns: (…, places, N, channels)."""
        return blame.reshape(*blame.shape[:-1], len(self.seen), self.target.channels).swapaxes(-2, -3)

    def send(self, w: Array, y: Array) -> Array:
        x = (self.patches(y).swapaxes(-2, -3) @ self.kernels(w)).swapaxes(-2, -3)
        return x.reshape(*x.shape[:-2], -1)

    def back(self, w: Array, blame: Array) -> Array:
        return self.unpatched((self.each_place(blame) @ self.kernels(w).mT).swapaxes(-2, -3))

    def outer(self, y: Array, blame: Array) -> Array:
        credit = self.patches(y).swapaxes(-2, -3).mT @ self.each_place(blame)
        return credit.reshape(*credit.shape[:-3], -1, credit.shape[-1])

    def __hash__(self) -> int:
        return hash(self.name)


def map_size(shape: tuple[int, ...], kernel: tuple[int, int], stride: int = 1, padding: int = 0) -> tuple[int, int]:
    """Places (rows, columns) of a kernel on a map (height, width, channels).

    Raises `InputError` for a kernel larger than the padded map, and numbers that are none.
    """
    for name, number, low in (("kernel", kernel[0], 1), ("kernel", kernel[1], 1), ("stride", stride, 1), ("padding", padding, 0)):
        whole(name, number, low)
    room = [length + 2 * padding - size for length, size in zip(shape, kernel, strict=False)]
    if min(room) < 0:
        raise InputError(
            f"a kernel must fit into its source, but {tuple(kernel)} was given for a map of {shape[:2]} with padding {padding}"
        )
    return (room[0] // stride + 1, room[1] // stride + 1)


def _kind(edge: Edge) -> str:
    return {"Edge": "a dense edge", "Convolution": "a convolution", "Local": "a local edge"}.get(
        type(edge).__name__, type(edge).__name__
    )

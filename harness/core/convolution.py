"""Edges between maps: a kernel that all places share, or a kernel for each place.

Both gather what each place sees, forwards and backwards, and nothing is scattered: so they are counted and
compiled as they stand. LeCun et al. 1989, Neural Computation 1:541-551; Rumelhart, Hinton & Williams 1986,
PDP vol. 1 ch. 8, p. 348.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from harness.core.edges import Edge, kind_of
from harness.core.errors import InputError, whole

Array = Any


@dataclass(frozen=True)
class Convolution(Edge):
    """A kernel that slides over the source's map: the same weights at every place.

    Weights are (height · width · channels of the source, channels of the target). LeCun et al. 1989, Neural
    Computation 1:541-551.

    Args:
        source, target, delay, like: as of `Edge`; both groups are maps.
        kernel: its (height, width).
        stride: places of the source from one place of the kernel to the next.
        padding: rows and columns of zeros around the source.

    Raises:
        InputError: for groups that are no maps, a kernel larger than the padded source, and a target of
            another size than the kernel makes.

    >>> from harness import Group
    >>> image, maps = Group("image", (4, 4, 1)), Group("maps", (2, 2, 3))
    >>> Convolution(image, maps, kernel=(3, 3)).shape
    (9, 3)
    """

    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        for name, group in (("source", self.source), ("target", self.target)):
            if len(group.shape) != 3:  # type: ignore[arg-type]  # a tuple since its own __post_init__
                raise InputError(
                    f"{kind_of(self)} joins maps (height, width, channels), "
                    f"but its {name} {group.name!r} has shape {group.shape}"
                )
        places = self._places()
        if self.target.shape[:2] != places:  # type: ignore[index]  # it has three
            raise InputError(
                f"a kernel of {self.kernel} at stride {self.stride} "
                f"and padding {self.padding} makes a map of {places} of {self.source.name!r}, "
                f"but the target {self.target.name!r} is {self.target.shape}"
            )
        super().__post_init__()

    def _places(self) -> tuple[int, int]:
        """(rows, columns) of the map that the kernel makes of the source."""
        shape: Any = self.source.shape
        return map_size(shape, self.kernel, self.stride, self.padding)

    @cached_property
    def seen(self) -> Array:
        """Which place of the source stands at each offset of the kernel:
        (places, offsets); one too many is the padding.
        """
        height, width, _ = self.source.shape  # type: ignore[misc]  # it has three
        rows, columns = self._places()
        i = (np.arange(rows) * self.stride - self.padding)[:, None, None, None] + np.arange(self.kernel[0])[
            :, None
        ]
        j = (np.arange(columns) * self.stride - self.padding)[:, None, None] + np.arange(self.kernel[1])
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        return np.where(inside, i * width + j, height * width).reshape(rows * columns, -1)

    @cached_property
    def heard(self) -> Array:
        """Where each place of the source is seen: (most times, places),
        numbers of `seen` in a row; one too many is nowhere.
        """
        times = [
            np.flatnonzero(self.seen.ravel() == place)
            for place in range(self.source.size // self.source.channels)
        ]
        most = max(len(each) for each in times)
        return np.stack(
            [np.pad(each, (0, most - len(each)), constant_values=self.seen.size) for each in times], axis=1
        )

    @property
    def shape(self) -> tuple[int, int]:
        return (self.kernel[0] * self.kernel[1] * self.source.channels, self.target.channels)

    @property
    def fans(self) -> tuple[int, int]:
        offsets = self.kernel[0] * self.kernel[1]
        return (offsets * self.source.channels, offsets * self.target.channels)

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
        """The adjoint of `patches`: what each unit of the source is told,
        added up over the places that see it.
        """
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
    """Locally connected: every place has a kernel of its own, nothing is shared.

    Weights are (places · rows of a kernel, channels of the target). LeCun et al. 1989.

    Args:
        source, target, delay, like, kernel, stride, padding: as of `Convolution`.

    Raises:
        InputError: as `Convolution`.

    >>> from harness import Group
    >>> image, maps = Group("image", (4, 4, 1)), Group("maps", (2, 2, 3))
    >>> Local(image, maps, kernel=(3, 3)).shape
    (36, 3)
    """

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = super().shape
        return (len(self.seen) * rows, columns)

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


def map_size(
    shape: tuple[int, ...], kernel: tuple[int, int], stride: int = 1, padding: int = 0
) -> tuple[int, int]:
    """Places (rows, columns) of a kernel on a map (height, width, channels).

    Raises `InputError` for a kernel larger than the padded map, and numbers that are none.
    """
    for name, number, low in (
        ("kernel", kernel[0], 1),
        ("kernel", kernel[1], 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
    ):
        whole(name, number, low)
    room = [length + 2 * padding - size for length, size in zip(shape, kernel, strict=False)]
    if min(room) < 0:
        raise InputError(
            f"a kernel must fit into its source, but {tuple(kernel)} was given "
            f"for a map of {shape[:2]} with padding {padding}"
        )
    return (room[0] // stride + 1, room[1] // stride + 1)

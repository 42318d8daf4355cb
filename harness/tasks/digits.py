"""Digits: which of ten is written in an image of 8 × 8 pixels? The smallest task of real data.

1,797 images by 13 people, bundled with scikit-learn: the test part of Kaynak & Alpaydin 1998, Optical
recognition of handwritten digits (UCI). A pixel is a number from 0 to 16, here divided by 16; ten outputs,
one for each digit.

1,197 images are learnt from, 300 are for validation and 300 for the test, the same ones for every replica.
They are taken in a fixed random order, so that all writers are in every part. *Solved* is a share of the
validation images right, by the largest output; the test images are looked at once, at the end (`held_right`),
and nothing is decided on them.

With `layout=shared` the network has the shape of LeCun et al. 1989 (Backpropagation applied to handwritten
zip code recognition, Neural Computation 1:541-551), scaled down: there 16 × 16 pixels, 12 maps of 8 × 8 and
12 of 4 × 4 by shared kernels of 5 × 5, 30 units, 10 outputs; here 8 × 8 pixels, M maps of 4 × 4 (kernels of 3
× 3, every second place) and M of 4 × 4 (every place) with a row of zeros around each, H units, 10 outputs.
Unlike there all maps hear all maps, and the places of a map share their bias too. With M = 8 and H = 30 it
has 4,844 weights and biases, 64-64-10 has 4,810. `local` has the same shape with a kernel of its own in every
place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from math import isqrt
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.convolution import Convolution, Local, map_size
from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.features import feature
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

CLASSES = 10
LAYOUTS = ("full", "shared", "local")
KERNEL, STRIDES, PADDING, MAPS = (3, 3), (2, 1), 1, 8
"""Of the two layers of maps: rows and columns of a kernel,
places from one to the next, rows of zeros; the usual maps.
"""
Images = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels (N, how many) and digits (N,)."""
BLOCK, HISTOGRAM, DIRECTIONS = 2, 4, 8
"""Rows and columns of pixels that are averaged, and whose gradients share a histogram of so many bins."""


@feature
def block_means(x: Any) -> Any:
    """The mean of each block of 2 × 2 pixels."""
    return blocks(image(x), BLOCK) / BLOCK**2


@feature
def gradient_histograms(x: Any) -> Any:
    """How much edge of each of eight directions is in each cell of 4 × 4 pixels.

    A pixel's gradient (half the difference of its neighbours, nothing beyond the rim) votes with its length
    for the one or two directions nearest to it, linearly in the angle: Dalal & Triggs 2005, Histograms of
    oriented gradients for human detection, CVPR:886-893, signed and without their normalisation.
    """
    pixels = image(x)
    down, right = pixels, pixels.mT
    down, right = (0.5 * (np.roll(a, -1, axis=-2) - np.roll(a, 1, axis=-2)) for a in (down, right))
    inside = np.ones(pixels.shape[-1], x.dtype)
    inside[[0, -1]] = 0.0
    down, right = down * inside[:, None], (right * inside[:, None]).mT
    length, angle = np.sqrt(down * down + right * right), np.arctan2(down, right) * (DIRECTIONS / (2 * np.pi))
    votes = []
    for direction in range(DIRECTIONS):
        away = np.abs(angle - direction)
        share = np.maximum(1.0 - np.minimum(away, np.abs(away - DIRECTIONS)), 0.0)
        votes.append(blocks(length * share, HISTOGRAM))
    return np.concatenate(votes, axis=-1)


@feature
def blocks_and_gradients(x: Any) -> Any:
    """Block means and gradient histograms, side by side."""
    return np.concatenate([block_means(x), gradient_histograms(x)], axis=-1)


def image(x: Any) -> Any:
    """Pixels (…, N, how many) as images (…, N, side, side)."""
    side = isqrt(x.shape[-1])
    return x.reshape(*x.shape[:-1], side, side)


def blocks(pixels: Any, size: int) -> Any:
    """Sums over blocks of so many rows and columns, row by row: (…, N, blocks)."""
    places = pixels.shape[-1] // size
    apart = pixels.reshape(*pixels.shape[:-2], places, size, places, size).sum(axis=(-1, -3))
    return apart.reshape(*apart.shape[:-2], places * places)


@dataclass(frozen=True)
class Digits(Task):
    """Which digit is in an image of 8 × 8 pixels, decided on validation images: 64-H-10, or 64-H-…-H-10."""

    criterion: str = "largest"
    share: float = setting(0.95, "The share of validation images that must be right.", above=0, at_most=1)
    init: str = "glorot"
    hidden: int = setting(64, "Units of a hidden layer.", at_least=1)
    layers: int = setting(1, "Hidden layers, each of `hidden` units.", at_least=1, at_most=1000)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)
    layout: str = setting(
        "full",
        "What comes before the hidden layers: nothing (full), "
        "or two layers of maps by shared kernels, or by local ones.",
        one_of=LAYOUTS,
    )
    maps: int | None = setting(
        None, "Maps in each of the two layers; None is 8. For the layouts shared and local.", at_least=1
    )

    pixels: ClassVar[int] = 64
    brightest: ClassVar[int] = 16
    parts: ClassVar[tuple[int, int, int]] = (1197, 300, 300)
    """Images for training, validation and test."""
    usual: ClassVar[Usual] = Usual(
        lr=0.1,
        momentum=0.0,
        scale=0.1,
        epochs=100,
        batch=16,
        features=("blocks_and_gradients", "block_means", "gradient_histograms"),
    )
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "the nearest of the 1,197 training images",
            "98.3 % of the test images right",
            "run by us",
            "computed",
        ),
        Published(
            "no hidden layer: logistic regression", "96.0 % of the test images right", "run by us", "computed"
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.maps is not None and self.layout == "full":
            raise InputError(
                f"maps={self.maps} would be ignored: "
                "they belong to layout shared or local, but full was given"
            )

    def resolved(self) -> Task:
        task = cast(Digits, super().resolved())
        return task if self.layout == "full" else replace(task, maps=self.maps or MAPS)

    def network(self) -> Network:
        chain = Network.chain(
            self.pixels,
            *[self.hidden] * self.layers,
            CLASSES,
            hidden=self.activation,
            output=self.output_unit,
        )
        return chain if self.layout == "full" else self._behind_maps(chain)

    def _behind_maps(self, chain: Network) -> Network:
        """The same network with two layers of maps between the image and the first hidden layer."""
        side = isqrt(self.pixels)
        groups, edges = [Group("input", (side, side, 1), "linear", bias=False)], []
        for i, stride in enumerate(STRIDES, 1):
            places = map_size(cast(tuple[int, ...], groups[-1].shape), KERNEL, stride, PADDING)
            groups.append(Group(f"maps{i}", (*places, self.maps or MAPS), self.activation))
            kind = Convolution if self.layout == "shared" else Local
            edges.append(kind(groups[-2], groups[-1], kernel=KERNEL, stride=stride, padding=PADDING))
        return Network((*groups, *chain.free), (*edges, Edge(groups[-1], chain.free[0]), *chain.edges[1:]))

    def spec(self) -> Spec:
        return Spec(patterns=self.parts[0], kind="labels", binary=False)

    def patterns(self) -> Patterns:
        """The training images, named by their digits."""
        images, digits = (a[self.split()[0]] for a in self.images())
        return Patterns(
            images / self.brightest, digits[:, None] == np.arange(CLASSES), tuple(map(str, digits))
        )

    def images(self) -> Images:
        """All images in the order of their source."""
        return bundled()

    def source(self) -> Images:
        return self.images()

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        images, digits = self.images()
        trained, validation, test = (self._part(images[rows], digits[rows], dtype) for rows in self.split())
        return trained._replace(validation=validation, held=test)

    def split(self) -> list[NDArray[np.intp]]:
        """Which images are for training, for validation and for the test."""
        order = shuffled(sum(self.parts))
        return [order[start:stop] for start, stop in pairwise(np.cumsum([0, *self.parts]))]

    def _part(self, images: NDArray[np.uint8], digits: NDArray[np.uint8], dtype: DTypeLike) -> Data:
        wanted = digits[:, None] == np.arange(CLASSES)
        target = np.where(wanted, self.target_on, self.target_off)
        return shared(images.astype(dtype) / self.brightest, target, wanted, dtype)


def shuffled(n: int) -> NDArray[np.intp]:
    """The numbers below n in an order that is always the same:
    ranks of raw bits, whose stream NumPy never changes.
    """
    return np.argsort(np.random.PCG64(1998).random_raw(n), kind="stable")


@cache
def bundled() -> Images:
    """scikit-learn's digits."""
    from sklearn.datasets import load_digits  # takes a second to import

    read = load_digits()
    return read_only(read.data.astype(np.uint8), read.target.astype(np.uint8))


def read_only(images: NDArray[np.uint8], digits: NDArray[np.uint8]) -> Images:
    """Both arrays, closed to writing:
    what is kept for all who ask stays as it was read, and is hashed once.
    """
    images.setflags(write=False)
    digits.setflags(write=False)
    return images, digits

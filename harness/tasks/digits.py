"""Digits: which of ten is written in an image of 8 × 8 pixels? The smallest task of real data.

1,797 images by 13 people, bundled with scikit-learn: the test part of Kaynak & Alpaydin 1998, Optical recognition of
handwritten digits (UCI). A pixel is a number from 0 to 16, here divided by 16; ten outputs, one for each digit.

1,197 images are learnt from, 300 are for validation and 300 for the test, the same ones for every replica. They are
taken in a fixed random order, so that all writers are in every part. *Solved* is a share of the validation images
right, by the largest output; the test images are looked at once, at the end (`held_right`), and nothing is
decided on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

CLASSES = 10
Images = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""Pixels (N, how many) and digits (N,)."""


@dataclass(frozen=True)
class Digits(Task):
    """Which digit is in an image of 8 × 8 pixels, decided on validation images: 64-H-10, or 64-H-…-H-10."""

    criterion: str = "largest"
    share: float = setting(0.95, "The share of validation images that must be right.", above=0, at_most=1)
    init: str = "glorot"
    hidden: int = setting(64, "Units of a hidden layer.", at_least=1)
    layers: int = setting(1, "Hidden layers, each of `hidden` units.", at_least=1)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    pixels: ClassVar[int] = 64
    brightest: ClassVar[int] = 16
    parts: ClassVar[tuple[int, int, int]] = (1197, 300, 300)
    """Images for training, validation and test."""
    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.1, epochs=100, batch=16)
    published: ClassVar[tuple[Published, ...]] = (
        Published("the nearest of the 1,197 training images", "98.3 % of the test images right", "run by us", "computed"),
        Published("no hidden layer: logistic regression", "96.0 % of the test images right", "run by us", "computed"),
    )

    def network(self) -> Network:
        return Network.chain(self.pixels, *[self.hidden] * self.layers, CLASSES, hidden=self.activation, output=self.output_unit)

    def spec(self) -> Spec:
        return Spec(patterns=self.parts[0], kind="labels", binary=False)

    def patterns(self) -> Patterns:
        """The training images, named by their digits."""
        images, digits = (a[self.split()[0]] for a in self.images())
        return Patterns(images / self.brightest, digits[:, None] == np.arange(CLASSES), tuple(map(str, digits)))

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
    """The numbers below n in an order that is always the same: ranks of raw bits, whose stream NumPy never changes."""
    return np.argsort(np.random.PCG64(1998).random_raw(n), kind="stable")


@cache
def bundled() -> Images:
    """scikit-learn's digits."""
    from sklearn.datasets import load_digits  # takes a second to import

    found = load_digits()
    return read_only(found.data.astype(np.uint8), found.target.astype(np.uint8))


def read_only(images: NDArray[np.uint8], digits: NDArray[np.uint8]) -> Images:
    """Both arrays, closed to writing: what is kept for all who ask stays as it was read, and is hashed once."""
    images.setflags(write=False)
    digits.setflags(write=False)
    return images, digits

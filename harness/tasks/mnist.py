"""MNIST: which of ten digits is in an image of 28 × 28 pixels? What most of the published figures are about.

70,000 images (LeCun, Cortes & Burges 1998), fetched from openml.org by scikit-learn when they are first asked
for, and kept in one file, data/mnist_784.npz in the user's cache folder (another place for data/:
HARNESS_DATA). The last 10,000 are the test, as everywhere; of the 60,000 before them 10,000, by a fixed
random order, are for validation. All else is as in `harness.tasks.digits`. What is usual here has not been
tuned: it is what does well on the small digits.
"""

from __future__ import annotations

import os
import uuid
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.data import Published, Usual
from harness.core.errors import InputError
from harness.core.folders import user_cache
from harness.tasks.digits import Digits, Images, read_only, shuffled

FF = "Hinton 2022, arXiv:2212.13345"


@dataclass(frozen=True)
class Mnist(Digits):
    """Which digit is in an image of 28 × 28 pixels,
    decided on validation images: 784-H-10, or 784-H-…-H-10.
    """

    hidden: int = 100

    pixels: ClassVar[int] = 784
    brightest: ClassVar[int] = 255
    parts: ClassVar[tuple[int, int, int]] = (50_000, 10_000, 10_000)
    usual: ClassVar[Usual] = Usual(
        lr=0.1, momentum=0.0, scale=0.05, epochs=20, batch=16, features=Digits.usual.features
    )
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "backprop, rectified units, 20 epochs", "about 1.4 % of the test images wrong", FF, "found"
        ),
        Published(
            "forward_forward, 784-2000-2000-2000-2000, 60 epochs",
            "1.36 % of the test images wrong",
            FF,
            "found",
        ),
        Published(
            "backprop and feedback alignment, 784-1000-10",
            "2.4 % and 2.1 % of the test images wrong",
            "Lillicrap et al. 2016, Nature Communications 7:13276",
            "memory",
        ),
    )

    def images(self) -> Images:
        return loaded(folder(), sum(self.parts), self.pixels)

    def split(self) -> list[NDArray[np.intp]]:
        train, validation, test = self.parts
        order = shuffled(train + validation)
        return [order[:train], order[train:], np.arange(train + validation, train + validation + test)]


def folder() -> Path:
    """Where data is kept."""
    return Path(os.environ.get("HARNESS_DATA") or user_cache("data"))


@cache
def loaded(place: Path, count: int, pixels: int) -> Images:
    """The images in `place`, put there from openml.org if need be.

    Raises `InputError` if that cannot be, or they are others.
    """
    kept = place / "mnist_784.npz"
    images, digits = read(kept) if kept.is_file() else fetched(place, kept)
    if images.shape != (count, pixels) or digits.shape != (count,):
        shapes = f"{images.shape} and {digits.shape}"
        raise InputError(
            f"{kept} should hold {count:,} images of {pixels} pixels, but has the shapes {shapes}: remove it"
        )
    return read_only(images, digits)


def read(kept: Path) -> Images:
    """Images and digits from our own file."""
    try:
        with np.load(kept, allow_pickle=False) as file:
            return file["images"], file["digits"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{kept} cannot be read ({error}): remove it") from error


def fetched(place: Path, kept: Path) -> Images:
    """Images and digits from openml.org,
    or from what scikit-learn has of it in `place`; kept in our own file.
    """
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings(action="ignore"):  # of tries that failed
            read = fetch_openml(
                "mnist_784",
                version=1,
                as_frame=False,
                parser="liac-arff",
                data_home=str(place),
                n_retries=1,
                delay=0.5,
            )
        images, digits = read.data.astype(np.uint8), read.target.astype(np.uint8)
        new = place / f".unfinished-{uuid.uuid4().hex}.npz"
        np.savez_compressed(new, allow_pickle=False, images=images, digits=digits)
        new.replace(kept)
    except (OSError, ValueError) as error:
        raise InputError(
            "MNIST is not on this machine, and it could not be fetched "
            f"from openml.org ({' '.join(str(error).split())}): run task=mnist once with a network, "
            f"or put {kept.name} of a machine where that was done into {place}"
        ) from error
    return images, digits

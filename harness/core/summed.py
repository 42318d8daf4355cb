"""An edge that hears what its source does in all places together,
not where: one weight for a channel of a map.

    x_j = Σ_c w_cj Σ_places y_(place, c)

It is a dense edge whose weights from all places of a channel are one weight, so it makes of a shared kernel a
network whose output does not depend on where a thing is. Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8,
pp. 348-352: every feature detector of the T-C network has the same effect on the output unit, whichever part
of the retina it looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.edges import Edge
from harness.core.errors import InputError

Array = Any


@dataclass(frozen=True)
class Summed(Edge):
    """Weights (channels of the source, target size), each the same from every place.

    Raises `InputError` for no map.
    """

    def __post_init__(self) -> None:
        if len(self.source.shape) != 3:  # type: ignore[arg-type]  # a tuple since its own __post_init__
            raise InputError(
                "a summed edge hears a map (height, width, channels), "
                f"but its source {self.source.name!r} has shape {self.source.shape}"
            )
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, int]:
        return (self.source.channels, self.target.size)

    @property
    def fans(self) -> tuple[int, int]:
        return (self.source.size, self.target.size)

    def everywhere(self, y: Array) -> Array:
        """What each channel does in all places together, (…, N, channels)."""
        return y.reshape(*y.shape[:-1], -1, self.source.channels).sum(axis=-2)

    def send(self, w: Array, y: Array) -> Array:
        return self.everywhere(y) @ w

    def back(self, w: Array, blame: Array) -> Array:
        return np.tile(blame @ w.mT, self.source.size // self.source.channels)

    def outer(self, y: Array, blame: Array) -> Array:
        return self.everywhere(y).mT @ blame

    def __hash__(self) -> int:
        return hash(self.name)

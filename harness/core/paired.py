"""An edge that joins each unit to the one at its place: a weight a unit, and nothing across.

    x_j = y_j w_j

It is a dense edge whose weights off the diagonal are not there. Delayed, from a group to itself, it is a
diagonal recurrence: units that remember themselves alone, as a diagonal state-space layer's do (Gupta, Gu &
Berant 2022, arXiv:2203.14343; Orvieto et al. 2023, arXiv:2303.06349, who draw weights near 1 to begin with).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.core.edges import Edge
from harness.core.errors import InputError

Array = Any


@dataclass(frozen=True)
class Paired(Edge):
    """Weights (1, size), one a unit.

    Args:
        source, target, delay, like: as of `Edge`; groups of one size.
        start: initial weights are uniform between these two, whatever the task's are; None: as the task's.

    Raises:
        InputError: for groups of two sizes.

    >>> from harness.core.edges import Group
    >>> state = Group("state", 4, "linear")
    >>> Paired(state, state, delay=1, start=(0.9, 0.999)).shape
    (1, 4)
    """

    start: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.source.size != self.target.size:
            raise InputError(
                "a paired edge joins groups of one size, "
                f"but {self.source.name} of {self.source.size} and {self.target.name} of {self.target.size} "
                "units were given"
            )
        super().__post_init__()

    @property
    def shape(self) -> tuple[int, int]:
        return (1, self.source.size)

    @property
    def fans(self) -> tuple[int, int]:
        return (1, 1)

    def send(self, w: Array, y: Array) -> Array:
        return y * w

    def back(self, w: Array, blame: Array) -> Array:
        return blame * w

    def outer(self, y: Array, blame: Array) -> Array:
        return (y * blame).sum(axis=-2, keepdims=True)

    def __hash__(self) -> int:
        return hash(self.name)

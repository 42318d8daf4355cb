"""What tasks in time have in common: a network with one layer of hidden units that remember, and sequences.

Sequences are arrays (steps T, sequences N, units); their targets are those of the last K steps. Where there
are too many to learn from all of them, each replica draws its own from its split stream, and as many new ones
that the criterion looks at: what is solved is the rule, not the sequences that were seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.core.data import Data, Patterns
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.rand import SPLIT, Rand
from harness.core.recurrent import KINDS, recurrent
from harness.core.setting import setting
from harness.core.task import Array, Task


@dataclass(frozen=True)
class InTime(Task):
    """A task whose patterns are sequences: inputs-H-outputs, hidden units that hear themselves a step later.

    Args:
        hidden: units of the hidden layer.
        units: their kind, one of `harness.core.recurrent.KINDS`.
    """

    hidden: int = setting(8, "Hidden units.", at_least=1)
    units: str = setting("tanh", "Kind of the hidden units.", one_of=KINDS)

    @property
    def sizes(self) -> tuple[int, int]:
        """Input units and output units."""
        raise InputError(f"{type(self).__name__} does not define its sizes")

    def network(self) -> Network:
        inputs, outputs = self.sizes
        return recurrent(inputs, self.hidden, outputs, self.units, self.output_unit)


class Drawn(NamedTuple):
    """Sequences of some replicas, with their targets at the last K steps."""

    x: Array
    """Inputs (R, T, N, input size)."""
    wanted: Array
    """Which outputs should be on, bool (R, K, N, outputs)."""
    target: Array | None = None
    """Targets (R, K, N, outputs) where they are numbers."""


@dataclass(frozen=True)
class DrawnInTime(InTime):
    """A task whose sequences are drawn, other ones for each replica.

    Args:
        sequences: how many a replica learns from, and how many others the criterion looks at.
    """

    share: float = 0.95
    sequences: int = setting(
        64,
        "Sequences that a replica learns from; the criterion looks at as many new ones.",
        at_least=1,
        at_most=4096,
    )

    def drawn(self, rand: Rand) -> Drawn:
        """`sequences` sequences for each replica, from its stream."""
        raise InputError(f"{type(self).__name__} does not say how its sequences are drawn")

    def patterns(self) -> Patterns:
        """Those that replica 0 learns from under seed 0."""
        x, wanted, target = self.drawn(Rand(0, [0], SPLIT))
        return Patterns(x[0], wanted[0], lines(x[0]), None if target is None else target[0])

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        """Sequences of its own for each replica, and new ones as validation patterns."""
        learnt, judged = (self._data(self.drawn(rand), dtype) for _ in range(2))
        return learnt._replace(validation=judged)

    def _data(self, drawn: Drawn, dtype: DTypeLike) -> Data:
        x, wanted, target = drawn
        if target is None:
            target = np.where(wanted, self.target_on, self.target_off)
        return Data(x.astype(dtype), target.astype(dtype), wanted)


def bits(rand: Rand, *shape: int, share: float = 0.5) -> Array:
    """Random bits, bool (R, *shape), each on with a probability."""
    return rand.uniform(*shape) < share


def lines(x: NDArray[np.float64]) -> tuple[str, ...]:
    """Sequences (T, N, units) as strings: a line of 0 and 1 for each unit."""
    rows: Sequence[NDArray[np.float64]] = list(np.moveaxis(x, 1, 0))
    return tuple("/".join("".join(str(int(b)) for b in unit) for unit in row.T) for row in rows)


def within(name: str, lag: int, length: int) -> None:
    """Raise `InputError` where a lag reaches back beyond all steps of a sequence."""
    if lag >= length:
        raise InputError(
            f"{name} must be below the length, or no step has another that long before it, "
            f"but {name}={lag} and length={length} were given"
        )

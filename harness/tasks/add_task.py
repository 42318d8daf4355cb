"""The add task: a probability that hangs on two bits of the past, one of them harder to find.

    x(t) = 0 or 1, each with probability ½         y(t) = ½ + ½ x(t − t1) − ¼ x(t − t2)

The output says y(t), and is trained by cross-entropy. Whoever knows nothing of the past can do no better
than say ⅝; whoever knows x(t − t1), or both bits, has a floor below that. The floors are entropies, exact in
nats a step (`floors`): .6616 with nothing learnt, .5192 with t1, .4545 with both. So the criterion is no
threshold of taste: it is solved when the mean loss of new sequences lies below the middle of the last two
floors.

Pitis 2016, Recurrent neural networks in TensorFlow I; Marschall, Cho & Savin 2020, A unified
framework of online learning algorithms for training recurrent neural networks, JMLR 21(135).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from harness.core.data import Data, Published, Spec, Usual
from harness.core.errors import InputError
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.task import Array
from harness.tasks._in_time import Drawn, DrawnInTime, bits, within

SURE, FIRST, SECOND = 0.5, 0.5, -0.25  # y without either bit, and what each of them adds


class Floors(NamedTuple):
    """The least cross-entropy, in nats a step, of whoever knows so much of the past."""

    nothing: float
    first: float
    """The bit t1 steps ago."""
    both: float


def floors() -> Floors:
    """The floors of the add task, from its four equally likely cases.

    >>> [round(floor, 4) for floor in floors()]
    [0.6616, 0.5192, 0.4545]
    """
    y = SURE + FIRST * np.array([0.0, 1.0])[:, None] + SECOND * np.array([0.0, 1.0])
    return Floors(*(float(entropy(known).mean()) for known in (y.mean(), y.mean(axis=1), y)))


def entropy(p: Array) -> Array:
    """−p ln p − (1 − p) ln(1 − p), in nats; 0 of what is certain."""
    p = np.asarray(p)
    sides = (np.where((q > 0) & (q < 1), q, 1.0) for q in (p, 1.0 - p))
    return -sum(q * np.log(q) for q in sides)


@dataclass(frozen=True)
class AddTask(DrawnInTime):
    """Say with what probability, given the bits t1 and t2 steps ago: 1-H-1, at all steps that have both."""

    criterion: str = "error"
    bound: float | None = setting(
        0.4869,
        "Criterion `error`: the mean loss a step, in nats, of new sequences; "
        "the default is the middle of the floors of one bit and of both.",
        at_least=0,
    )
    share: float = 1.0
    loss: str = "cross_entropy"
    hidden: int = 16
    t1: int = setting(3, "Steps since the bit that adds ½.", at_least=0)
    t2: int = setting(8, "Steps since the bit that takes ¼.", at_least=0)
    length: int = setting(20, "Steps of a sequence.", at_least=1, at_most=1000)

    usual: ClassVar[Usual] = Usual(lr=0.0005, momentum=0.9, scale=0.5, epochs=2000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("nothing learnt", "floor .6616 nats a step", "worked out by us", "computed"),
        Published("the first bit learnt", "floor .5192 nats a step", "worked out by us", "computed"),
        Published("both learnt", "floor .4545 nats a step", "worked out by us", "computed"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("t1", "t2"):
            within(name, getattr(self, name), self.length)
        if self.t1 == self.t2:
            raise InputError(f"t1 and t2 must be two lags, but both are {self.t1}")
        if self.criterion != "error" or self.loss != "cross_entropy":
            raise InputError(
                "targets of add_task are probabilities: criterion=error and loss=cross_entropy are for them, "
                f"but criterion={self.criterion} and loss={self.loss} were given"
            )

    @property
    def sizes(self) -> tuple[int, int]:
        return 1, 1

    @property
    def told(self) -> int:
        """Steps at the end that have both bits before them."""
        return self.length - max(self.t1, self.t2)

    def spec(self) -> Spec:
        return Spec(self.sequences, "probabilities", steps=self.length, asked=self.told)

    def drawn(self, rand: Rand) -> Drawn:
        x = bits(rand, self.length, self.sequences, 1).astype(float)
        first, second = (x[:, self.length - self.told - lag :][:, : self.told] for lag in (self.t1, self.t2))
        y = SURE + FIRST * first + SECOND * second
        return Drawn(x, y > self.middle, y)

    def met(self, y: Array, data: Data, among: Array = True) -> Array:
        return (self.cost(y, data) < self._most * data.target.shape[-2]) & among

    def right(self, y: Array, data: Data) -> Array:
        """The sequences whose own mean loss is below the bound."""
        parts = (a.swapaxes(-2, -3) for a in (data.asked(y), data.target, data.wanted))  # (…, N, K, outputs)
        return self.objective.of(*parts) < self._most

    @property
    def _most(self) -> float:
        """The loss of a sequence that the bound allows, in nats."""
        return float(self.bound or 0) * self.told

    def _least_error(self, off: float, on: float) -> float:
        return super()._least_error(off, on) / (self.sequences * max(self.told, 1))

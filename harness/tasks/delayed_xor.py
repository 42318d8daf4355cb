"""Delayed exclusive or: is this bit another than the one `lag` steps ago?

    x(t) = 0 or 1, each with probability ½         on when x(t) ≠ x(t − lag)

The bits between mean nothing for an answer, and each of them is part of one that is to come: a network must
keep `lag` bits in order. Asked at all steps that have a bit so long before them, or at the last `asked` of
these. The lag is how far back blame has to find its way.

Exclusive or in time: Williams & Zipser 1989, A learning algorithm for continually running fully recurrent
neural networks, Neural Computation 1:270-280 (pipelined XOR).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.data import Spec, Usual
from harness.core.errors import InputError
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.tasks._in_time import Drawn, DrawnInTime, bits, within


@dataclass(frozen=True)
class DelayedXor(DrawnInTime):
    """Output on when a bit is another than the one `lag` steps before: 1-H-1."""

    lag: int = setting(3, "Steps back to the bit that it is compared with.", at_least=1)
    length: int = setting(10, "Steps of a sequence.", at_least=1, at_most=1000)
    asked: int = setting(0, "Steps at the end that are asked; 0 for all that can be.", at_least=0)

    usual: ClassVar[Usual] = Usual(lr=0.001, momentum=0.9, scale=0.7, epochs=2000)

    def __post_init__(self) -> None:
        super().__post_init__()
        within("lag", self.lag, self.length)
        if self.asked > self.length - self.lag:
            raise InputError(
                f"asked must be at most length − lag, {self.length - self.lag}, but {self.asked} was given"
            )

    @property
    def sizes(self) -> tuple[int, int]:
        return 1, 1

    def spec(self) -> Spec:
        return Spec(self.sequences, "bits", steps=self.length, asked=self.asked or self.length - self.lag)

    def drawn(self, rand: Rand) -> Drawn:
        x = bits(rand, self.length, self.sequences, 1)
        other = x[:, self.lag :] != x[:, : -self.lag]
        return Drawn(x.astype(float), other[:, -self.asked :])  # −0 is all of them

"""Binary addition as a sequence: two numbers come in bit by bit, the least first, and so does their sum.

    a    1 1 0 ·         3
    b    1 0 1 ·         5        one step more than there are bits, for the last carry
    sum  0 0 0 1         8

The carry is one bit of memory, and all that has to be remembered: what `addition` finds in hidden units that
feed one another is here one network that is used again at each column. All pairs of numbers.

The recurrent view of Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 341-346 and 354-361.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Spec, Usual
from harness.core.setting import setting
from harness.tasks._in_time import InTime


@dataclass(frozen=True)
class BinaryAddition(InTime):
    """Bits of a and b in, the least first, the bit of a + b out at each step: 2-H-1."""

    bits: int = setting(3, "Bits of each number; all 4^bits pairs are there.", at_least=1, below=7)

    usual: ClassVar[Usual] = Usual(lr=0.01, momentum=0.9, scale=0.7, epochs=2000)

    @property
    def sizes(self) -> tuple[int, int]:
        return 2, 1

    def spec(self) -> Spec:
        return Spec(4**self.bits, "bits", steps=self.bits + 1)

    def patterns(self) -> Patterns:
        a, b = np.divmod(np.arange(4**self.bits), 2**self.bits)
        column = np.arange(self.bits + 1)[:, None]
        x, total = np.stack([a >> column & 1, b >> column & 1], axis=-1), (a + b) >> column & 1
        names = tuple(f"{i} + {j}" for i, j in zip(a.tolist(), b.tolist(), strict=True))
        return Patterns(x.astype(float), total[..., None] > 0, names)

"""A shift register: N units in a ring, whose pattern moves on by one unit at every step.

The first recurrent network of Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 355-357: input and
output units are one and the same, and there are no hidden units. A pattern is there at the start, and for
some steps the network is left to itself: y(t) = f(W y(t − 1) + b), y(0) the pattern. Each unit has to listen
to its neighbour alone.

Here the pattern comes in over edges that have the weights W as well, so that the first step of the network is
the source's second; and the error is told at every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs, bit_names
from harness.core.network import Edge, Group, Network
from harness.core.setting import setting
from harness.core.task import Task


@dataclass(frozen=True)
class ShiftRegister(Task):
    """A ring of N units, each of which does what the one before it did a step earlier; all 2^N patterns."""

    size: int = setting(3, "Units N of the ring.", at_least=2, at_most=10)
    length: int = setting(2, "Steps by which a pattern moves on.", at_least=1, at_most=1000)

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=0.5, epochs=1000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("N = 3 and 5, short sequences", "fewer than 200 sweeps, in most runs",
                  "PDP vol. 1 ch. 8 pp. 355-357", "memory"),
    )  # fmt: skip

    def network(self) -> Network:
        pattern = Group("pattern", self.size, "linear", bias=False)
        register = Group("register", self.size, self.output_unit)
        shift = Edge(pattern, register)
        return Network((pattern, register), (shift, Edge(register, register, delay=1, like=shift)))

    def spec(self) -> Spec:
        return Spec(2**self.size, "bits", steps=self.length)

    def patterns(self) -> Patterns:
        bits = binary_inputs(self.size)
        x = np.zeros((self.length, *bits.shape))
        x[0] = bits
        moved = np.stack([np.roll(bits, t + 1, axis=1) for t in range(self.length)])
        return Patterns(x, moved > 0, bit_names(bits))

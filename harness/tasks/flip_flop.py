"""Flip-flops: bits of memory, each set by one pulse and reset by another, that hold in between.

At each step a channel has a pulse with a probability, as likely one to set its bit as one to reset it; each
output says whether the bit of its channel is set, off at first, from the step of the pulse on. Channels know
nothing of one another: a network has to keep 2^channels states.

Sussillo & Barak 2013, Opening the black box, Neural Computation 25:626-649, where pulses and outputs are ±1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Spec, Usual
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.tasks._in_time import Drawn, DrawnInTime


@dataclass(frozen=True)
class FlipFlop(DrawnInTime):
    """Output on while its bit is set: 2C-H-C, a line to set and one to reset each of C bits."""

    channels: int = setting(2, "Bits of memory C.", at_least=1, at_most=64)
    length: int = setting(12, "Steps of a sequence.", at_least=1, at_most=1000)
    pulses: float = setting(0.25, "Probability of a pulse at a step of a channel.", above=0, at_most=1)

    usual: ClassVar[Usual] = Usual(lr=0.001, momentum=0.9, scale=0.5, epochs=2000)

    @property
    def sizes(self) -> tuple[int, int]:
        return 2 * self.channels, self.channels

    def spec(self) -> Spec:
        return Spec(self.sequences, "bits", steps=self.length)

    def drawn(self, rand: Rand) -> Drawn:
        u = rand.uniform(self.length, self.sequences, self.channels)
        sets, resets = u < 0.5 * self.pulses, (u >= 0.5 * self.pulses) & (u < self.pulses)
        held = np.zeros(u.shape, bool)
        for t in range(self.length):
            before = held[:, t - 1] if t else False
            held[:, t] = sets[:, t] | before & ~resets[:, t]
        return Drawn(np.concatenate([sets, resets], axis=-1).astype(float), held)

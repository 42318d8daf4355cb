"""Store and recall: keep a bit when told to, through others that mean nothing, and say it when asked.

    bit        0 1 1 0 0 1 0 …      a bit at every step, on two lines: one that says 0 and one that says 1
    store      · ! · · · · · …      the bit of this step is to be kept
    recall     · · · · · ! · …      say the kept one now; at all other steps the output is off

A cue comes at a step with a probability, and cues to store and to recall take turns, so that 1 / cues is how
long a bit is kept, on average. Bellec, Salaj, Subramoney, Legenstein & Maass 2018, Long short-term memory and
learning-to-learn in networks of spiking neurons, NeurIPS (store-recall).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Spec, Usual
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.tasks._in_time import Drawn, DrawnInTime, bits


@dataclass(frozen=True)
class StoreRecall(DrawnInTime):
    """Output on when a cue to recall comes and the bit that was stored is 1: 4-H-1."""

    cues: float = setting(0.3, "Probability of a cue at a step.", above=0, at_most=1)
    length: int = setting(12, "Steps of a sequence.", at_least=2, at_most=1000)

    usual: ClassVar[Usual] = Usual(lr=0.001, momentum=0.9, scale=0.3, epochs=2000)

    @property
    def sizes(self) -> tuple[int, int]:
        return 4, 1

    def spec(self) -> Spec:
        return Spec(self.sequences, "bits", steps=self.length)

    def drawn(self, rand: Rand) -> Drawn:
        shape = self.length, self.sequences, 1
        bit, cue = bits(rand, *shape), bits(rand, *shape, share=self.cues)
        turn = cue.cumsum(axis=1) % 2 == 1  # from a cue to store until the next one, to recall
        store, recall = cue & turn, cue & ~turn
        kept = np.zeros(bit.shape, bool)
        for t in range(self.length):
            kept[:, t] = np.where(store[:, t], bit[:, t], kept[:, t - 1] if t else False)
        return Drawn(np.concatenate([~bit, bit, store, recall], axis=-1).astype(float), kept & recall)

"""A task in time that only tests know: a bit compared with the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from harness.core.data import Data, Patterns, Spec, Usual, binary_inputs, bit_names, shared
from harness.core.edges import Edge, Group
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.recurrent import recurrent
from harness.core.task import Task

STEPS = 4


@dataclass(frozen=True)
class DelayedXor(Task):
    """At every step: is this bit another than the one before (at the first, than 0)? All 16 sequences of 4
    bits."""

    hidden: int = 4
    delayed: bool = True
    leaky: bool = False
    steps: int = STEPS
    kept_back: int = 0
    usual: ClassVar[Usual] = Usual(lr=0.3, momentum=0.9, scale=0.7, epochs=40)

    def network(self) -> Network:
        if self.leaky:
            return recurrent(1, self.hidden, 1, "leaky")
        x, h, y = (
            Group("input", 1, "linear", bias=False),
            Group("hidden", self.hidden, "tanh"),
            Group("output", 1),
        )
        own = (Edge(h, h, delay=1),) if self.delayed else ()
        return Network((x, h, y), (Edge(x, h), *own, Edge(h, y)))

    def spec(self) -> Spec:
        return Spec(patterns=16 - self.kept_back, kind="bits", steps=self.steps)

    def patterns(self) -> Patterns:
        bits = binary_inputs(STEPS)
        before = np.concatenate([np.zeros((16, 1)), bits[:, :-1]], axis=1)
        return Patterns(bits.T[..., None], (bits != before).T[..., None], bit_names(bits))

    def data(self, rand: Rand, dtype: Any) -> Data:
        x, wanted, *_ = self.patterns()
        whole = shared(x, wanted.astype(float), wanted, dtype, time=True)
        if not self.kept_back:
            return whole
        order = rand.permutation(16)
        held, kept = order[:, : self.kept_back], np.sort(order[:, self.kept_back :])
        trained, spared = (Data(*(a[0][:, rows].swapaxes(0, 1) for a in whole[:3])) for rows in (kept, held))
        return trained._replace(held=spared)

"""Recall: give back a stored pattern whole, from a cue in which some of its bits are flipped.

    ξ_μ ∈ {0, 1}ᴺ, every bit on with probability ½, μ = 1 … P        learnt: ξ_μ → ξ_μ
    cue = ξ_μ with round(share · N) of its bits flipped              judged: cue → ξ_μ

Every replica has patterns and cues of its own. Rules learn from the patterns as they are and never see a cue;
the criterion looks at the cues, which are the validation patterns. One layer of N by N weights without
biases, which are those of Hopfield's N units that all hear one another: any rule that can train a single
layer can do it as well.

Hopfield 1982, Neural networks and physical systems with emergent collective computational abilities, PNAS
79:2554-2558.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.data import Data, Patterns, Published, Spec, Usual, bit_names
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.rand import SPLIT, Rand
from harness.core.setting import setting
from harness.core.task import Array, Task


@dataclass(frozen=True)
class Recall(Task):
    """Random patterns of N bits, each to be given back from a cue with some bits flipped: N-N, no biases."""

    units: int = setting(50, "Units N, and bits of a pattern.", at_least=2, below=1025)
    stored: int = setting(5, "Patterns P.", at_least=1, below=1025)
    flipped: float = setting(
        0.1, "The share of a cue's bits that are flipped, rounded to whole bits.", at_least=0, below=0.5
    )

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.9, scale=0.1, epochs=500)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "Hebb's weights, N units one after another",
            "about .15 N patterns before error in recall is severe",
            "Hopfield 1982, PNAS 79:2554",
            "memory",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.flipped and not self.bits:
            raise InputError(
                f"flipped must be 0 or at least half a bit in {self.units} units, {0.5 / self.units:g}, "
                f"but {self.flipped:g} was given"
            )

    @property
    def bits(self) -> int:
        """Flipped bits of a cue."""
        return round(self.flipped * self.units)

    def network(self) -> Network:
        source = Group("input", self.units, "linear", bias=False)
        target = Group("output", self.units, self.output_unit, bias=False)
        return Network((source, target), (Edge(source, target),))

    def spec(self) -> Spec:
        return Spec(patterns=self.stored, kind="bits")

    def patterns(self) -> Patterns:
        """Those of replica 0 under seed 0, without their cues."""
        x = self._drawn(Rand(0, [0], SPLIT))[0][0]
        return Patterns(x, x > 0.5, bit_names(x))

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        """Patterns of its own for each replica, and as validation patterns a cue to each of them."""
        x, cue = self._drawn(rand)
        wanted = x > 0.5
        target = np.where(wanted, self.target_on, self.target_off).astype(dtype)
        judged = Data(cue.astype(dtype), target, wanted)
        return Data(x.astype(dtype), target, wanted, validation=judged)

    def _drawn(self, rand: Rand) -> tuple[Array, Array]:
        """Patterns and their cues, 0 or 1, (R, P, N) each."""
        x = (rand.uniform(self.stored, self.units) < 0.5).astype(float)
        place = rand.uniform(self.stored, self.units).argsort(axis=-1, kind="stable").argsort(axis=-1)
        return x, np.where(place < self.bits, 1.0 - x, x)

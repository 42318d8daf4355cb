"""Encoder: squeeze N patterns of a single on-unit through a narrow layer, and name each again behind it.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 335-338, after Ackley, Hinton & Sejnowski 1985. log2
N hidden units have just room for a binary code; backpropagation also uses values in between (.5 in four
of the eight codes of their Table 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Published, Spec, Usual, bit_names
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"


@dataclass(frozen=True)
class Encoder(Task):
    """Output unit i on when input unit i is, one of them at a time: N-H-N."""

    size: int = setting(8, "Input units N, and as many output units and patterns.", at_least=2, below=1025)
    hidden: int = setting(3, "Hidden units.", at_least=1)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.9, scale=0.5, epochs=5000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("8-3-8", "solved; no count of sweeps is printed", f"{PDP} pp. 335-338", "found"),
        Published(
            "8-3-8", "four of the eight codes have an intermediate value, .5", f"{PDP}, Table 5", "found"
        ),
    )

    def network(self) -> Network:
        return Network.chain(
            self.size, self.hidden, self.size, hidden=self.activation, output=self.output_unit
        )

    def spec(self) -> Spec:
        return Spec(patterns=self.size, kind="labels")

    def patterns(self) -> Patterns:
        x = np.eye(self.size)
        return Patterns(x, x > 0, bit_names(x))

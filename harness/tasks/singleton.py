"""Singleton: four patterns squeezed through one unit, which has to tell them apart by how active it is.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 338-340: two bits in, one of four units out, and
between them a single hidden unit and a layer that reads its four levels (Table 7 prints 0, .2, .6 and 1).
On-or-off units could not do this at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs, bit_names
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"


@dataclass(frozen=True)
class Singleton(Task):
    """Output unit i on for the number i in two bits: 2-1-H-4."""

    hidden: int = setting(4, "Units behind the single one.", at_least=1)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=0.5, epochs=5000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("2-1-4-4", "the single unit's four levels: 0, .2, .6, 1", f"{PDP}, Table 7", "found"),
    )

    def network(self) -> Network:
        return Network.chain(2, 1, self.hidden, 4, hidden=self.activation, output=self.output_unit)

    def spec(self) -> Spec:
        return Spec(patterns=4, kind="labels")

    def patterns(self) -> Patterns:
        x = binary_inputs(2)
        return Patterns(x, np.eye(4) > 0, bit_names(x))

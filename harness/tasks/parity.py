"""Parity: is the number of inputs that are on odd? Every pattern's nearest neighbours want the other answer.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 334-335. As many hidden units as bits are enough:
when hidden unit j comes on for j or more bits, whichever they are, the output need only add and subtract
them in turn (Fig. 6). Their network learned to count in that way. Two bits are exclusive or.

Just enough units is also where learning gets stuck: four in ten runs at the usual settings here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs, bit_names
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"


@dataclass(frozen=True)
class Parity(Task):
    """Output on when an odd number of bits is on: N-H-1, or N-H-…-H-1."""

    target_off: float = 0.1
    target_on: float = 0.9
    bits: int = setting(4, "Input bits N; patterns are all 2^bits words of them.", at_least=1, below=17)
    hidden: int = setting(4, "Units of a hidden layer.", at_least=1)
    layers: int = setting(1, "Hidden layers, each of `hidden` units.", at_least=1, at_most=1000)
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=1.0, epochs=10000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("4-4-1, η=.5", "2,825 presentations of the 16 patterns", f"{PDP} p. 335", "found"),
        Published("4-4-1", "hidden unit j comes on for j or more bits", f"{PDP} p. 335", "found"),
    )

    def network(self) -> Network:
        return Network.chain(
            self.bits, *[self.hidden] * self.layers, 1, hidden=self.activation, output=self.output_unit
        )

    def spec(self) -> Spec:
        return Spec(patterns=2**self.bits, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(self.bits)
        return Patterns(x, x.sum(axis=1, keepdims=True) % 2 == 1, bit_names(x))

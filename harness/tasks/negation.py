"""Negation: copy three bits, or turn all of them round when a fourth says so.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 346-348: three times exclusive or with a common
input, the flag. Direct input → output edges do most of the work, and each bit gets a hidden unit of its own
for the pattern they cannot do (Fig. 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs
from harness.core.network import Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"


@dataclass(frozen=True)
class Negation(Task):
    """Flag and three bits in, the three bits out,
    inverted if the flag is on: 4-H-3 with input → output edges.
    """

    target_off: float = 0.1
    target_on: float = 0.9
    hidden: int = setting(3, "Hidden units.", at_least=1)
    shortcut: bool = setting(True, "Whether input → output edges are there.")
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.25, momentum=0.9, scale=0.5, epochs=5000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("4-3-3 with input → output", "solved by a learned network", f"{PDP}, Fig. 12", "found"),
        Published(
            "4-3-3, the printed weights", "16 of 16 right, largest error .268", f"{PDP}, Fig. 12", "computed"
        ),
    )

    def network(self) -> Network:
        return Network.chain(
            4, self.hidden, 3, hidden=self.activation, output=self.output_unit, shortcut=self.shortcut
        )

    def spec(self) -> Spec:
        return Spec(patterns=16, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(4)
        flag, bits = x[:, :1], x[:, 1:]
        names = tuple(f"{'not ' if f else ''}{''.join(str(int(b)) for b in row)}" for f, *row in x)
        return Patterns(x, bits != flag, names)

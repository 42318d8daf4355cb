"""Exclusive or: the smallest task that no single layer can do.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 330-334: once with two hidden units, once with
one hidden unit and direct connections from input to output (task.hidden=1 task.shortcut=true).
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
class Xor(Task):
    """Output on when exactly one of two inputs is on: 2-H-1, optionally with input → output edges."""

    hidden: int = setting(2, "Hidden units.", at_least=1)
    shortcut: bool = setting(False, "Whether input → output edges are there.")
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.5, momentum=0.9, scale=0.5, epochs=5000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("2-1-1 with shortcut, η=.5", "558 sweeps", f"{PDP} p. 331", "found"),
        Published(
            "2-2-1, η=.25",
            "local minimum after 6,587 presentations of each pattern",
            f"{PDP} pp. 331-332",
            "found",
        ),
        Published("2-H-1", "280 − 33 log2 H presentations; 245 at H=2", f"{PDP} p. 333 (Chauvin)", "found"),
        Published("2-2-1", "local minimum in two cases of hundreds of runs", f"{PDP} p. 332", "found"),
    )

    def network(self) -> Network:
        return Network.chain(
            2, self.hidden, 1, hidden=self.activation, output=self.output_unit, shortcut=self.shortcut
        )

    def spec(self) -> Spec:
        return Spec(patterns=4, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(2)
        return Patterns(x, x.sum(axis=1, keepdims=True) == 1, bit_names(x))

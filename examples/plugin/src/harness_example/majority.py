"""Majority: on when more than half of the bits are.

One threshold unit can do it, so that it needs no hidden credit: a control for rules that may learn in the
last layer only.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness import InputError, Network, Patterns, Spec, Task, Usual, setting


@dataclass(frozen=True)
class Majority(Task):
    """Output on when most inputs are: n-H-1, softsign hidden units, log-cosh loss."""

    bits: int = setting(5, "Inputs, an odd number.", at_least=1, at_most=15)
    hidden: int = setting(3, "Hidden units.", at_least=1)
    loss: str = "log_cosh"

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.5, scale=0.5, epochs=1000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits % 2 == 0:
            raise InputError(f"bits must be odd, or there are ties, but {self.bits} was given")

    def network(self) -> Network:
        return Network.chain(self.bits, self.hidden, 1, hidden="softsign", output=self.output_unit)

    def spec(self) -> Spec:
        return Spec(patterns=2**self.bits, kind="bits")

    def patterns(self) -> Patterns:
        x = (np.arange(2**self.bits)[:, None] >> np.arange(self.bits)) & 1
        names = tuple("".join(map(str, row)) for row in x)
        return Patterns(x.astype(float), x.sum(axis=1, keepdims=True) > self.bits / 2, names)

"""Parity over time: is the number of bits that have come so far odd?

One bit has to be kept, and turned over whenever a bit is on: the smallest automaton that must not forget. All
sequences of a length, asked at every step, or at the last alone (task.every=false), where nothing is told
before all is over.

The sequential form of Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 334-335; as a problem of lags,
Hochreiter & Schmidhuber 1997, Neural Computation 9:1735-1780, after Bengio, Simard & Frasconi 1994.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.core.data import Patterns, Spec, Usual, binary_inputs, bit_names
from harness.core.setting import setting
from harness.tasks._in_time import InTime


@dataclass(frozen=True)
class ParityOverTime(InTime):
    """Output on while an odd number of bits has been on: 1-H-1, all sequences of a length."""

    length: int = setting(5, "Bits of a sequence; all 2^length are there.", at_least=1, below=13)
    every: bool = setting(True, "Whether it is asked at every step, or at the last alone.")

    usual: ClassVar[Usual] = Usual(lr=0.02, momentum=0.9, scale=0.7, epochs=2000)

    @property
    def sizes(self) -> tuple[int, int]:
        return 1, 1

    def spec(self) -> Spec:
        return Spec(
            2**self.length, "bits", steps=self.length, asked=0 if self.every or self.length == 1 else 1
        )

    def patterns(self) -> Patterns:
        x = binary_inputs(self.length)
        odd = x.cumsum(axis=1).T[..., None] % 2 == 1
        return Patterns(x.T[..., None], odd if self.every else odd[-1:], bit_names(x))

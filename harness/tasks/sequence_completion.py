"""Completing sequences: two letters are shown one after the other, and the digits that they stand for follow.

    A 12    B 23    C 31    D 21    E 13         A E · · · ·   →   · · 1 2 1 3

25 sequences of two letters, of which 20 are learnt and five held out (Table 11): the network has to find that
each letter has its digits, wherever it stands. Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp.
358-360: five letter units, thirty hidden units that hear one another, three units for digits.

Nothing is asked of the outputs while letters are shown. Before the first step all is at rest, at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.rand import Rand
from harness.tasks._in_time import InTime

PDP = "PDP vol. 1 ch. 8"
DIGITS = {"A": "12", "B": "23", "C": "31", "D": "21", "E": "13"}
PAIRS = tuple(map("".join, product(DIGITS, repeat=2)))
HELD = ("AD", "BE", "CA", "DB", "EC")
"""What Table 11 shows: sequences that the network was not trained with."""


@dataclass(frozen=True)
class SequenceCompletion(InTime):
    """The four digits that two letters stand for, one a step: 5-H-3, five of 25 sequences held out."""

    criterion: str = "largest"
    hidden: int = 30
    units: str = "sigmoid"

    usual: ClassVar[Usual] = Usual(lr=0.02, momentum=0.9, scale=0.5, epochs=2000)
    published: ClassVar[tuple[Published, ...]] = (
        Published("5-30-3, 20 sequences", "260 sweeps", f"{PDP} p. 359", "memory"),
        Published("the five held out", "the right digit is largest at all steps but one, a tie at .48",
                  f"{PDP}, Table 11", "memory"),
        Published("60 hidden units, letters and digits that last one step or two", "learnt as well",
                  f"{PDP} pp. 359-360", "memory"),
    )  # fmt: skip

    @property
    def sizes(self) -> tuple[int, int]:
        return len(DIGITS), 3

    def spec(self) -> Spec:
        return Spec(len(PAIRS) - len(HELD), "labels", steps=6, asked=4)

    def patterns(self) -> Patterns:
        """All 25, those held out as well."""
        letters = np.array([[list(DIGITS).index(letter) for letter in pair] for pair in PAIRS])
        said = ["".join(DIGITS[letter] for letter in pair) for pair in PAIRS]
        x = np.zeros((6, len(PAIRS), len(DIGITS)))
        x[:2] = np.eye(len(DIGITS))[letters.T]
        wanted = np.eye(3)[np.array([[int(d) - 1 for d in digits] for digits in said]).T] > 0
        return Patterns(x, wanted, tuple(map("".join, zip(PAIRS, said, strict=True))))

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        """The 20, and the five held out beside them, the same for all replicas."""
        held = np.isin(PAIRS, HELD)
        learnt, spared = (self._rows(rows, dtype) for rows in (~held, held))
        return learnt._replace(held=spared)

    def _rows(self, rows: np.ndarray, dtype: DTypeLike) -> Data:
        x, wanted = (a[:, rows] for a in self.patterns()[:2])
        return shared(x, np.where(wanted, self.target_on, self.target_off), wanted, dtype, time=True)

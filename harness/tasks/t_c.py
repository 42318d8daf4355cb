"""T or C? One kernel of 3 × 3 that looks everywhere on a retina has to find what tells the two letters apart.

    T  ▪▪▪    C  ▪▪
        ▪        ▪         five squares each, within 3 × 3, in four rotations
        ▪        ▪▪

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 348-352, after Minsky & Papert 1969. All hidden units
learn the same weights (their changes are added up), so what is learnt in one place is known in all: weight
sharing, which LeCun et al. 1989 took from here. With it the paper's hidden units became one of four
detectors: an on-centre off-surround, a vertical bar, a diagonal bar, or compactness (all weights alike).

What is not printed, or not read by us, is a setting. The output hears the *sum* over the map (`readout`), as
if the weights from all hidden units were one: that a T turns on 5 diagonal bars, and a C 3, tells it nothing
otherwise. Letters keep so far from the rim that every field that sees one of their squares is on the retina.
So all positions are the same pattern to a shared kernel with a summed output: the paper's eight patterns (a
retina of 7, one position) have the gradient of any number of positions, but for a factor. Gradient descent
finds the sum stiff: the more hidden units see nothing, the more often they push the output flat in one step
(of 40 networks 32 solve it on a retina of 7, and 9 on one of 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from harness.core.convolution import Convolution, Local
from harness.core.data import Data, Patterns, Published, Spec, Usual, shared
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.features import feature
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.setting import setting
from harness.core.summed import Summed
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"
LETTERS = {
    "T": np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
    "C": np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]),
}
TURNS = (0, 90, 180, 270)
KERNEL = 3
RIM = KERNEL - 1
"""Squares between a letter and the rim: a field that sees one square of it may reach so far beyond it."""
SMALLEST = KERNEL + 2 * RIM


@feature
def templates(x: Any) -> Any:
    """How many squares of each letter in each rotation are found, at most, wherever it is laid: eight
    numbers, of which the letter's own is 5, and no other letter's is.
    """
    side = isqrt(x.shape[-1])
    places = side - KERNEL + 1
    retina = x.reshape(*x.shape[:-1], side, side)
    best = []
    for squares in LETTERS.values():
        for i in range(len(TURNS)):
            on = np.argwhere(np.rot90(squares, i))
            found = sum(retina[..., row : row + places, column : column + places] for row, column in on)
            best.append(found.max(axis=(-1, -2)))
    return np.stack(best, axis=-1)


@dataclass(frozen=True)
class T_C(Task):
    """Output on for a T and off for a C, in four rotations,
    wherever it stands: shared kernels of 3 × 3 over a retina.
    """

    retina: int = setting(
        SMALLEST,
        "Rows and columns of the retina; letters keep two squares from its rim, "
        "so that 7 has one position and 9 has nine.",
        at_least=SMALLEST,
        at_most=32,
    )
    positions: str = setting(
        "all",
        "Where letters are learnt: in all positions, or in the middle one; then the others are held out.",
        one_of=("all", "middle"),
    )
    shared: bool = setting(True, "One kernel for all places; false: a kernel for each, the control.")
    features: int = setting(1, "Kernels, or with shared=false kernels for each place.", at_least=1)
    readout: str = setting(
        "sum",
        "What the output hears: the sum over the map (one weight a kernel), "
        "or a weight for each place (places).",
        one_of=("sum", "places"),
    )
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.03, momentum=0.9, scale=1.0, epochs=10000, features=("templates",))
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "shared 3 × 3 fields",
            "an on-centre off-surround detector, bars, or compactness",
            f"{PDP} pp. 350-352",
            "found",
        ),
        Published("compactness: units that are off", "21 for a T, 20 for a C", f"{PDP} pp. 350-352", "found"),
        Published("a diagonal bar: units that are on", "5 for a T, 3 for a C", f"{PDP} pp. 350-352", "found"),
        Published(
            "shared 3 × 3 fields",
            "5,000 to 10,000 presentations of the eight patterns",
            f"{PDP} pp. 350-352",
            "memory",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.positions == "middle" and self.side == 1:
            raise InputError(
                "positions=middle would be ignored: "
                f"a retina of {self.retina} has one position, give a larger one"
            )

    @property
    def side(self) -> int:
        """Rows and columns of positions."""
        return self.retina - SMALLEST + 1

    def network(self) -> Network:
        places = self.retina - KERNEL + 1
        retina = Group("input", (self.retina, self.retina, 1), "linear", bias=False)
        hidden = Group("hidden", (places, places, self.features), self.activation)
        output = Group("output", 1, self.output_unit)
        kernel = (Convolution if self.shared else Local)(retina, hidden, kernel=(KERNEL, KERNEL))
        return Network(
            (retina, hidden, output), (kernel, (Summed if self.readout == "sum" else Edge)(hidden, output))
        )

    def spec(self) -> Spec:
        return Spec(patterns=len(LETTERS) * len(TURNS) * len(self.learnt()), kind="bits")

    def patterns(self) -> Patterns:
        """Those that are learnt from, named by letter, turn and the row and column of their 3 × 3 squares."""
        return self.at(self.learnt())

    def learnt(self) -> list[tuple[int, int]]:
        """The positions that are learnt from:
        row and column of the first of the 3 × 3 squares, without the rim.
        """
        return self.everywhere() if self.positions == "all" else [(self.side // 2, self.side // 2)]

    def everywhere(self) -> list[tuple[int, int]]:
        """All positions, row by row."""
        return [(row, column) for row in range(self.side) for column in range(self.side)]

    def at(self, positions: list[tuple[int, int]]) -> Patterns:
        """Both letters in all rotations at these positions."""
        x, names = [], []
        for row, column in positions:
            for letter, squares in LETTERS.items():
                for i, turn in enumerate(TURNS):
                    image = np.zeros((self.retina, self.retina))
                    image[RIM + row :, RIM + column :][:KERNEL, :KERNEL] = np.rot90(squares, i)
                    x.append(image.ravel())
                    names.append(f"{letter} {turn}° at {row},{column}")
        return Patterns(np.array(x), np.array([[name[0] == "T"] for name in names]), tuple(names))

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
        trained = super().data(rand, dtype)
        rest = [position for position in self.everywhere() if position not in self.learnt()]
        if not rest:
            return trained
        x, wanted, *_ = self.at(rest)
        return trained._replace(
            held=shared(x, np.where(wanted, self.target_on, self.target_off), wanted, dtype)
        )

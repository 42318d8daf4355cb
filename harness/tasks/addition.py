"""Addition: two numbers of two bits in, their sum of three bits out. Hidden units have to find the carries.

Rumelhart, Hinton & Williams 1986, PDP vol. 1 ch. 8, pp. 341-346. With input → output edges, two hidden units
are enough by hand: one for the carry out of each column (Fig. 10, where the first carry also feeds the
second, task.lateral=true). Just enough is where learning gets stuck; a third hidden unit makes it easier.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from harness.core.data import Patterns, Published, Spec, Usual, binary_inputs
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.setting import setting
from harness.core.task import Task
from harness.core.units import UNITS

PDP = "PDP vol. 1 ch. 8"


@dataclass(frozen=True)
class Addition(Task):
    """Bits a1 a0 b1 b0 in, s2 s1 s0 = a + b out: 4-H-3, usually with input → output edges."""

    hidden: int = setting(3, "Hidden units.", at_least=1)
    shortcut: bool = setting(True, "Whether input → output edges are there.")
    lateral: bool = setting(False, "Whether each hidden unit also feeds those after it.")
    activation: str = setting("sigmoid", "Activation of the hidden units.", one_of=UNITS)

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.9, scale=0.5, epochs=5000)
    published: ClassVar[tuple[Published, ...]] = (
        Published(
            "4-2-3 by hand, threshold units",
            "two carries, weights 1 and −2, solve it",
            f"{PDP}, Fig. 10",
            "found",
        ),
        Published(
            "4-3-3",
            "solved by a learned network with hidden → hidden and input → output",
            f"{PDP}, Fig. 11",
            "found",
        ),
        Published("4-2-3 and 4-3-3", "two hidden units often get stuck, three do not", PDP, "memory"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lateral and self.hidden < 2:
            raise InputError(
                f"lateral=True would be ignored: it joins hidden units, and there is only {self.hidden}"
            )

    def network(self) -> Network:
        if not self.lateral:
            return Network.chain(
                4, self.hidden, 3, hidden=self.activation, output=self.output_unit, shortcut=self.shortcut
            )
        units = (Group(f"hidden{i}", 1, self.activation) for i in range(1, self.hidden + 1))
        groups = (Group("input", 4, "linear", bias=False), *units, Group("output", 3))
        ends = (groups[0], groups[-1])
        return Network(
            groups, tuple(Edge(*pair) for pair in combinations(groups, 2) if self.shortcut or pair != ends)
        )

    def spec(self) -> Spec:
        return Spec(patterns=16, kind="bits")

    def patterns(self) -> Patterns:
        x = binary_inputs(4)
        a, b = (x[:, columns] @ [2, 1] for columns in ([0, 1], [2, 3]))
        total = (a + b).astype(int)
        names = tuple(f"{int(i)} + {int(j)}" for i, j in zip(a, b, strict=True))
        return Patterns(x, (total[:, None] & [4, 2, 1]) > 0, names)

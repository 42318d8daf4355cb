"""Sparse n-step approximation (SnAp): of the influence, what a weight reaches within n steps.

    P_t = mask_n ⊙ (J_t P_{t−1} + M̄_t)

mask_n has the entries that are nonzero after n steps of the recursion, whatever the weights are: for n = 1
a weight and the unit that it leads to. Where every unit is reached it is real-time recurrent learning: with
dense recurrence from n = 2. Masked entries are held as zeros: what it would save is not saved here.

Menick, Elsen, Evci, Osindero, Simonyan & Graves 2021, Practical real time recurrent learning with a sparse
approximation, ICLR, arXiv:2006.07232, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from algorithms._influence import Full, Influence, influenced, remembering
from algorithms.rtrl import Rtrl
from harness.core.algorithm import Network
from harness.core.readings import Interpreted, read_by
from harness.core.setting import setting


@cache
def reached(net: Network, steps: int) -> Influence:
    """Which entries of P are nonzero after so many steps: the recursion itself, where nothing cancels.

    All weights are 1 and all activities ½, at which every kind of unit has a slope.
    """
    params = {key: np.ones(shape) for key, shape in net.shapes.items()}
    y = {g: np.full((1, g.size), 0.5) for g in net.groups}
    found: Influence = {key: {} for key in remembering(net)}
    with read_by(Interpreted()):
        for _ in range(steps):
            moved, before = influenced(net, params, found, y, y, Full()), found
            found = {key: {g: (p != 0).astype(float) for g, p in each.items()} for key, each in moved.items()}
            if _alike(found, before):  # all that can be reached is
                break
    groups = net.remembered
    return {
        key: {g: p.get(g, np.zeros((int(np.prod(net.shapes[key])), 1, g.size))) for g in groups}
        for key, p in found.items()
    }


def _alike(one: Influence, other: Influence) -> bool:
    """Whether two masks have the same entries."""
    return all(
        own.keys() == other[key].keys() and all(np.array_equal(own[g], other[key][g]) for g in own)
        for key, own in one.items()
    )


@dataclass(frozen=True)
class Snap(Rtrl):
    """Real-time recurrent learning with the influence of n steps' reach."""

    reach: int = setting(1, "Steps n: kept is the influence that a weight has within n of them.", at_least=1)

    paper: ClassVar[str] = "Menick et al. 2021, ICLR, arXiv:2006.07232"
    equations: ClassVar[str] = "P_t = mask_n ⊙ (J_t P_{t−1} + M̄_t), ∂E/∂w ≈ Σ_t ∂E_t/∂s_t P_t"
    promise: ClassVar[str] = ""
    oracle: ClassVar[str] = "e-prop for n = 1; real-time recurrent learning where every unit is reached"

    def ways(self, net: Network) -> Full:
        return Full(reached(net, self.reach))

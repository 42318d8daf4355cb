"""Random feedback local online learning (RFLO): traces that leak as the units do, and a random way back.

    p_ij(t) = (1 − 1/τ) p_ij(t−1) + (1/τ) f′(u_j(t)) y_i(t−1)
    ∂E/∂w_ij ≈ Σ_t [B δ_out(t)]_j p_ij(t)

for units h(t) = (1 − 1/τ) h(t−1) + (1/τ) f(u(t)). It is e-prop without a unit's weight to itself. Only units
that leak have such a trace, so that it asks for some; 1/τ is the leak of the network.

Murray 2019, Local online learning in recurrent networks with random feedback, eLife 8:e43299, eqs. 1-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms._influence import Leak
from algorithms.eprop import KINDS, TRAITS, EProp
from harness.core.algorithm import Traits
from harness.core.setting import setting


@dataclass(frozen=True)
class Rflo(EProp):
    """Traces that leak as the units do, and random feedback."""

    feedback: str = setting(
        "random", "What the error comes back over: the weights, or a random B.", one_of=KINDS
    )
    spread: float = setting(
        0.5, "Random feedback weights B are uniform in ±spread.", above=0, search=(0.05, 5)
    )

    traits: ClassVar[Traits] = TRAITS["random"]
    paper: ClassVar[str] = "Murray 2019, eLife 8:e43299"
    equations: ClassVar[str] = "p ← (1 − 1/τ) p + (1/τ) f′(u_j) y_i, ∂E/∂w_ij ≈ Σ_t [B δ_out]_j p_ij"
    oracle: ClassVar[str] = "its traces written out; e-prop where no unit has a weight to itself"

    def ways(self) -> Leak:
        return Leak()

    def applies_to(self, task: Any) -> str | None:
        if said := super().applies_to(task):
            return said
        leaks = any(
            g.delay and g.source == g.target and isinstance(g.by, float) for g in task.network().gates
        )
        return None if leaks else f"its traces leak as units do, and no unit of {task.name} leaks"

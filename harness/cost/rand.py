"""Random numbers that are counted as they are drawn."""

from __future__ import annotations

from math import prod
from typing import Any

from harness.core.rand import Rand
from harness.cost.arrays import Tracked
from harness.cost.ledger import Ledger


class TrackedRand(Rand):
    """Random streams whose numbers are counted, and counted with."""

    ledger: Ledger

    def uniform(self, *shape: int) -> Any:
        self.ledger.draws["uniform"] += int(prod(shape))
        return Tracked(super().uniform(*shape), self.ledger)

    def normal(self, *shape: int) -> Any:
        self.ledger.draws["normal"] += int(prod(shape))
        return Tracked(super().normal(*shape), self.ledger)

    def permutation(self, n: int) -> Any:
        self.ledger.draws["uniform"] += int(n)
        return Tracked(super().permutation(n), self.ledger)

    def zeros(self, *shape: int) -> Any:
        return Tracked(super().zeros(*shape), self.ledger)

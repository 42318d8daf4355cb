"""Two cells side by side, replica by replica: which of them makes a success cheaper, and by how much?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import fates
from harness.statistics import (
    PairedDifference,
    PairedRatio,
    Replicas,
    failure_costs,
    paired_difference,
    paired_ratio,
)

if TYPE_CHECKING:
    import pandas as pd


def beside(
    replicas: pd.DataFrame,
    cell: str,
    other: str,
    prices: tuple[float, float] | None = None,
    *,
    level: float = 0.95,
    resamples: int = 4000,
) -> PairedDifference:
    """What cell `cell` does differently from `other`,
    ids in the frame of `results.replicas`, over the replicas that both have.

    They are paired by number: the same initial weights where the networks are alike, chance where they are
    not, which costs power and nothing else. Spent are epochs or, with what an update costs of either
    (`prices`), updates × price.
    """
    sides = [replicas[replicas["id"] == name].set_index("replica") for name in (cell, other)]
    both = sides[0].index.intersection(sides[1].index)
    (a, budget_a), (b, budget_b) = (
        _spent(side.loc[both], price) for side, price in zip(sides, prices or (None, None), strict=True)
    )
    return paired_difference(a, b, seed=0, budgets=(budget_a, budget_b), level=level, resamples=resamples)


def work_beside(
    replicas: pd.DataFrame,
    cell: str,
    other: str,
    prices: tuple[float, float],
    *,
    level: float = 0.95,
    resamples: int = 4000,
) -> PairedRatio:
    """The work of a success of `cell` ÷ that of `other`, each with restarts at its own best cutoff: what
    tables call *work ÷ backprop's*, with its interval. Arguments as of `beside`.
    """
    sides = [replicas[replicas["id"] == name].sort_values("replica") for name in (cell, other)]
    (a, spent_a, budgets_a), (b, spent_b, budgets_b) = (
        _side(rows, price) for rows, price in zip(sides, prices, strict=True)
    )
    return paired_ratio(
        a,
        b,
        seed=0,
        spent=(spent_a, spent_b),
        budgets=(budgets_a, budgets_b),
        level=level,
        resamples=resamples,
    )


def _side(rows: pd.DataFrame, price: float) -> tuple[Replicas, NDArray[np.float64], NDArray[np.float64]]:
    """What became of replicas in epochs, what each spent, and its budget."""
    became, spent = fates(rows), _paid(rows, price)
    own = Replicas(rows["epochs"].to_numpy(float), became.solved, became.diverged)
    return own, spent, rows["budget_epochs"].to_numpy(float)


def _spent(rows: pd.DataFrame, price: float | None) -> tuple[Replicas, float]:
    """What became of replicas, and what one that fails spends."""
    became, epochs = fates(rows), rows["epochs"].to_numpy(float)
    spent = epochs if price is None else _paid(rows, price)
    budget = float(failure_costs(spent, epochs, rows["budget_epochs"]))
    return Replicas(spent, became.solved, became.diverged), budget


def _paid(rows: pd.DataFrame, price: float) -> NDArray[np.float64]:
    """What each replica spent at a price of an update."""
    spent: NDArray[np.float64] = price * rows["updates"].to_numpy(float)
    return spent

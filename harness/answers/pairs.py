"""Two cells side by side, replica by replica: which of them makes a success cheaper, and by how much?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.outcomes import fates
from harness.statistics import PairedDifference, Replicas, paired_difference

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
    a, b = (_spent(side.loc[both], price) for side, price in zip(sides, prices or (None, None), strict=True))
    return paired_difference(a, b, seed=0, level=level, resamples=resamples)


def _spent(rows: pd.DataFrame, price: float | None) -> Replicas:
    became = fates(rows)
    spent = rows["epochs"].to_numpy(float) if price is None else price * rows["updates"].to_numpy(float)
    return Replicas(spent, became.solved, became.diverged)

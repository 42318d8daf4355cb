"""The study `ablations` in three sentences: what matters, what momentum is worth, where replicas fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.answers.ablations import extremes, where
from harness.answers.conclusions import fitting
from harness.answers.words import counted, each, few, n_of, ratio
from harness.experiment.digits import number

if TYPE_CHECKING:
    import pandas as pd

MOMENTUM = "algorithm.optimiser.momentum"


def conclusions(changed: pd.DataFrame, on_map: pd.DataFrame) -> list[str]:
    """How many changes of the recipe make a success dearer or cheaper, what a run without momentum costs, and
    where on the map replicas fail.

    Args:
        changed: of `harness.answers.ablations.worth`.
        on_map: of `harness.answers.ablations.map_cells`.
    """
    found = [*_changes(changed), *_without_momentum(changed), *_map(on_map)]
    return found or ["Nothing is concluded: no cell of the recipe has one beside it."]


def _changes(changed: pd.DataFrame) -> list[str]:
    rows = sorted(each(changed), key=_size)
    if not rows:
        return []
    dearer, cheaper = ([_named(r) for r in rows if r.decided == word] for word in ("more", "less"))
    head = f"Of {len(rows)} changes of the 1986 recipe, one at a time, "
    rest = len(rows) - len(dearer) - len(cheaper)
    tail = f", and {rest} are not decided by their 95 % interval ({n_of(r.pairs for r in rows)} pairs)."

    def said(most: int) -> str:
        more = counted(dearer, most, " make a success dearer in epochs")
        return f"{head}{more}, {counted(cheaper, most, ' cheaper')}{tail}"

    return [fitting(said)]


def _size(row: Any) -> float:
    """The largest effects come first; that of what never solves the task is no number, and comes last."""
    effect = abs(float(row.log_ratio.value))
    return -effect if np.isfinite(effect) else 0.0


def _named(row: Any) -> str:
    return f"{where(row)} ×{ratio(row.log_ratio)}"


def _without_momentum(changed: pd.DataFrame) -> list[str]:
    rows = [r for r in each(changed) if r.what.setting == MOMENTUM and r.value == 0]
    parts = [f"{ratio(r.log_ratio)} times the epochs on {r.task} (n = {number(r.pairs)} pairs)" for r in rows]
    return [f"Without momentum a success takes {few(parts)} [95 %]."] if parts else []


def _map(some: pd.DataFrame) -> list[str]:
    if len(some) < 2:
        return []
    diverged = f"{number(some['diverged'].sum())} of {number(some['replicas'].sum())} replicas diverged"
    return [f"Of {len(some)} rates and scales of initial weights {extremes(some)}; {diverged}."]

"""When each replica reached each of several targets: a ladder of losses, and the criterion at its top.

A verdict on one threshold hangs on that threshold. Targets of a task are the same for all rules: its loss
before training, in the median over all replicas of all cells, divided by 2, 5 and 10, and the criterion. A
replica that meets the criterion is trained no further, so it counts as having climbed the whole ladder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import fates
from harness.results.gathering import Source, chosen, stacked
from harness.store.record import Record

if TYPE_CHECKING:
    import pandas as pd

DIVISORS = (2, 5, 10)
SOLVED = "solved"


def targets(
    study: str | None = None, source: Source = None, *, where: Mapping[str, Any] | None = None, **equal: Any
) -> pd.DataFrame:
    """One row per target and replica of every finished cell whose histories are there.

    Losses are known at the epochs at which curves are drawn, so a loss is reached at one of those.

    Args:
        study: its name; None for everything there is.
        source: where it is kept: a store or its folder, or an MLflow tracking URI, which has no histories;
            None for HARNESS_STORE, or else ./results.
        where: filters by column, as `equal`, for names with dots.
        equal: keep the rows in which a column has this value, or one of several.

    Returns:
        A frame with the columns `KEYS`, replica, target (`loss ÷ 2`, …, `solved`), reached (epochs, ∞ for
        never) and spent (epochs in all).

    Raises:
        InputError: for a study, source, column, task or algorithm that is not there, by its name.

    >>> sorted(set(targets("first_light")["target"]))
    ['loss ÷ 10', 'loss ÷ 2', 'loss ÷ 5', 'solved']
    """
    wanted = {**(where or {}), **equal}
    some, _, _ = chosen(study, source, {})
    before: dict[str, list[NDArray[np.float64]]] = {}
    for found, record in some:
        if (losses := _losses(record)) is not None:
            before.setdefault(str(found.keys["task"]), []).append(losses[:, 0])
    start = {task: float(np.median(np.concatenate(each))) for task, each in before.items()}
    tasks = {str(record.id): str(found.keys["task"]) for found, record in some}
    return stacked(
        study, source, wanted, lambda record: _reached(record, start.get(tasks.get(record.id, "")))
    )


def _losses(record: Record) -> NDArray[np.float64] | None:
    """Loss of each replica at the curve epochs (R, E); None where they were not kept."""
    try:
        return np.asarray(record.histories["loss"], float)
    except (OSError, KeyError, AttributeError, ValueError):
        return None


def _reached(record: Record, start: float | None) -> Mapping[str, Any]:
    losses = _losses(record)
    if losses is None or start is None:
        return {}
    columns = record.replicas
    spent, solved = np.asarray(columns["epochs"], float), fates(columns).solved
    at = np.minimum(np.asarray(record.curves["epoch"], float), spent[:, None])
    top = np.where(solved, spent, np.inf)
    when = {}
    for divisor in DIVISORS:
        there = np.where(losses <= start / divisor, at, np.inf).min(axis=1)
        when[f"loss ÷ {divisor}"] = np.minimum(there, top)
    when[SOLVED] = top
    return {
        "replica": np.tile(np.asarray(columns["replica"]), len(when)),
        "target": np.repeat(np.array([*when], object), len(spent)),
        "reached": np.concatenate([*when.values()]),
        "spent": np.tile(spent, len(when)),
    }

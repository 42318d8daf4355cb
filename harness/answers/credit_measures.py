"""What a cell's credit is, in one number of each kind, beside what came of the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.answers.credit_and_cost import ALL, LATE
from harness.answers.words import each

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {
    "before": "angle before training",
    "along": "angle along the run",
    "late": "angle late",
    "first": "angle into the first hidden group",
    "last": "angle into the outputs",
    "mean": "angle of the mean draw",
    "noise": "noise ÷ signal of a draw",
    "bias": "bias of noisy credits",
}
"""All weights together where no group is named: medians over replicas and, but for *before* and *late*, over
all looks along the run. *Late* is the last look at which at least half of the replicas that had something to
compare were still in training. A credit without noise is its own mean, and has noise 0."""


def points(cells: pd.DataFrame, credit: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    """A row for each finished cell, the first of each rule and task.

    Columns task, rule, id, elsewhere (whether its credit is of another loss), epochs and flops (of a success
    with restarts at the best cutoff), loss (median), weights, depth, and the `MEASURES`, NaN where there is
    none.
    """
    import pandas as pd

    some = cells[cells["replicas"] > 0].drop_duplicates(["task", "algorithm_name"])
    looks = {str(i): rows for i, rows in credit.groupby("id", sort=False)} if len(credit) else {}
    sheet = cost.set_index("id")
    of_another = some["ran.reference"].notna() if "ran.reference" in some else np.zeros(len(some), bool)
    rows = []
    for row, elsewhere in zip(each(some), of_another, strict=True):
        about = {
            "task": row.task,
            "rule": row.algorithm_name,
            "id": row.id,
            "elsewhere": bool(elsewhere),
            "epochs": float(row.restart_epochs),
            "flops": float(row.restart_flops),
            "loss": float(row.loss_median),
            "weights": float(sheet["weights"].get(row.id, np.nan)),
            "depth": float(sheet["depth"].get(row.id, np.nan)),
        }
        rows.append(about | measures(looks.get(row.id)))
    return pd.DataFrame(rows)


def measures(looks: pd.DataFrame | None) -> dict[str, float]:
    """The `MEASURES` of a cell from its rows of the frame of credit; NaN where there is none."""
    none = dict.fromkeys(MEASURES, np.nan)
    if looks is None:
        return none
    there = looks[looks["defined"] > 0].sort_values("epoch", kind="stable")
    edges = [edge for edge in dict.fromkeys(looks["edge"]) if edge != ALL and "-" in str(edge)]
    angle = _of(there, "angle", ALL)
    if not len(angle):
        return none
    last = angle[angle["defined"] >= LATE * angle["defined"].iloc[0]]
    noisy = len(_of(there, "snr", ALL)) > 0
    with np.errstate(divide="ignore"):  # a signal that was not seen
        noise = float(1 / np.float64(_along(_of(there, "snr", ALL)))) if noisy else 0.0
    return {
        "before": float(angle["q50"].iloc[0]) if not angle["epoch"].iloc[0] else np.nan,
        "along": _along(angle),
        "late": float(last["q50"].iloc[-1]),
        "first": _along(_of(there, "angle", edges[0])) if edges else np.nan,
        "last": _along(_of(there, "angle", edges[-1])) if edges else np.nan,
        "mean": _along(_of(there, "mean_angle", ALL)) if noisy else _along(angle),
        "noise": noise,
        "bias": _along(_of(there, "bias", ALL)) if noisy else np.nan,
    }


def _of(looks: pd.DataFrame, quantity: str, edge: str) -> pd.DataFrame:
    return looks[(looks["quantity"] == quantity) & (looks["edge"] == edge)]


def _along(rows: pd.DataFrame) -> float:
    """The median over looks of the medians over replicas."""
    return float(rows["q50"].median()) if len(rows) else float("nan")

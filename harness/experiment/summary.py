"""One cell in numbers.

Needs neither pandas nor scipy, which take long to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.core.outcomes import fates
from harness.experiment.digits import number, percent
from harness.statistics import Replicas, expected_running_time, restarted_cost, survival, wilson

Array = Any


@dataclass(frozen=True)
class Summary:
    """The numbers of one cell, over *all* its replicas: a time that failures put out of reach is ∞."""

    replicas: int
    solved: int
    unsolved: int
    """Replicas whose budget ended first."""
    diverged: int
    rate: float
    """Solved ÷ replicas, with the ends of its 95 % Wilson interval."""
    rate_low: float
    rate_high: float
    epochs_q1: float
    """Epochs to criterion: quartiles and median of the survival curve."""
    epochs_median: float
    epochs_q3: float
    ert_epochs: float
    """Expected running time: what all replicas spent ÷ number solved."""
    ert_updates: float
    ert_seconds: float
    seconds: float
    """Time spent in updates by all replicas together."""
    seconds_per_1000_replica_epochs: float
    loss_median: float
    """Of the final loss E; a diverged replica's is ∞."""
    right_median: float
    """Of the share of training patterns right at the end."""
    validation_right_mean: float
    """Mean share of validation patterns right at the end; NaN where there are none."""
    held_right_mean: float
    """Mean share of held-out patterns right at the end; NaN where there are none."""
    held_rmse_median: float = np.nan
    """Of the root mean squared error on held-out patterns; a diverged replica's is ∞.

    NaN where there are none.
    """
    unsettled_mean: float = np.nan
    """Of rules that settle the mean share of phases that had not come to rest when their steps were spent."""
    settling_steps_mean: float = np.nan
    """Of rules that settle the mean number of steps of a phase."""
    restart_epochs: float = np.nan
    """Running time with restarts at the best cutoff, cross-fitted (`harness.statistics.cutoff`)."""
    cutoff_epochs: float = np.nan
    """That cutoff, the best over all replicas."""
    epoch_flops: float = np.nan
    """FLOPs of an epoch of one network; NaN, like the next, where they were not counted."""
    restart_flops: float = np.nan
    """`restart_epochs` in FLOPs."""
    angle_degrees: float = np.nan
    """Angle of the credit to the exact gradient, all weights together: the median over the epochs that were
    looked at of the median over the replicas then in training. NaN without a probe, and where there is no
    direction to compare."""
    update_flops: float = np.nan
    """FLOPs of one update of one network, counted from the code; NaN, like all below, where it was not."""
    update_forward_passes: float = np.nan
    """The same in forward passes of the task's network."""
    update_span_operations: float = np.nan
    """Array operations on the longest chain of an update."""
    peak_bytes: float = np.nan
    """Peak workspace of an update, per network."""
    ert_flops: float = np.nan
    """Expected running time in FLOPs of updates, in forward passes,
    dependent array operations and random numbers.
    """
    ert_forward_passes: float = np.nan
    ert_span_operations: float = np.nan
    ert_random_numbers: float = np.nan


def summarise(
    columns: Mapping[str, Array],
    cost: Mapping[str, Any] | None = None,
    credit: Mapping[str, Array] | None = None,
) -> Summary:
    """The numbers of a cell from its per-replica columns (`Result.columns()`, `Record.replicas`),
    `Record.cost` and `.credit`.

    Running times in counted currencies are those in updates × the count of one update.
    """
    epochs, seconds = (np.asarray(columns[name]) for name in ("epochs", "seconds"))
    solved, unsolved, diverged = fates(columns)
    n, count = len(solved), int(solved.sum())
    low, high = wilson(count, n)
    curve = survival(epochs, solved, diverged)
    q1, median, q3 = (curve.quantile(q) for q in (0.25, 0.5, 0.75))
    held_rmse = columns.get("held_rmse", np.full(n, np.nan))
    loss = np.where(diverged | np.isnan(columns["loss"]), np.inf, columns["loss"])
    spent = float(epochs.sum())
    return Summary(
        replicas=n,
        solved=count,
        unsolved=int(unsolved.sum()),
        diverged=int(diverged.sum()),
        rate=count / n,
        rate_low=float(low),
        rate_high=float(high),
        epochs_q1=q1,
        epochs_median=median,
        epochs_q3=q3,
        ert_epochs=expected_running_time(epochs, solved),
        ert_updates=expected_running_time(columns["updates"], solved),
        ert_seconds=expected_running_time(seconds, solved),
        seconds=float(seconds.sum()),
        seconds_per_1000_replica_epochs=1000 * float(seconds.sum()) / spent if spent else np.nan,
        loss_median=_median(loss),
        right_median=_median(columns["right"]),
        # records of before have none
        validation_right_mean=float(np.mean(columns.get("validation_right", np.nan))),
        held_right_mean=float(np.mean(columns["held_right"])),
        held_rmse_median=np.nan
        if np.isnan(held_rmse).all()
        else _median(np.where(diverged, np.inf, held_rmse)),
        unsettled_mean=float(np.mean(columns.get("unsettled", np.nan))),
        settling_steps_mean=float(np.mean(columns.get("settling_steps", np.nan))),
        **_restarts(columns, cost or {}),
        angle_degrees=_angle(credit or {}),
        **_costs(cost or {}, expected_running_time(columns["updates"], solved)),
    )


def _restarts(columns: Mapping[str, Array], cost: Mapping[str, Any]) -> dict[str, float]:
    epochs, (solved, _, diverged) = np.asarray(columns["epochs"]), fates(columns)
    restart, cutoff = restarted_cost(Replicas(epochs, solved, diverged))
    each = float(np.sum(columns["updates"])) / float(epochs.sum()) if epochs.any() else np.nan  # of an epoch
    flops = each * cost.get("update.work", np.nan)
    return {
        "restart_epochs": restart,
        "cutoff_epochs": cutoff,
        "epoch_flops": flops,
        "restart_flops": restart * flops,
    }


def _angle(credit: Mapping[str, Array]) -> float:
    if not credit:
        return np.nan
    chosen = (credit["quantity"] == "angle") & (credit["edge"] == "total") & (credit["defined"] > 0)
    return float(np.median(credit["q50"][chosen])) if chosen.any() else np.nan


def _costs(cost: Mapping[str, Any], ert_updates: float) -> dict[str, float]:
    if "update.work" not in cost:
        return {}
    passes = cost["update.work"] / cost["forward.work"]
    per_update = {
        "flops": cost["update.work"],
        "forward_passes": passes,
        "span_operations": cost["update.span"],
    }
    spent = {f"ert_{name}": ert_updates * value for name, value in per_update.items()}
    # none is none, however often
    random = ert_updates * cost["update.random"] if cost["update.random"] else 0.0
    return (
        {f"update_{name}": value for name, value in per_update.items()}
        | spent
        | {
            "ert_random_numbers": random,
            "peak_bytes": cost["peak_bytes"],
        }
    )


def rate_text(s: Summary) -> str:
    """Solved rate and its interval in per cent: 95.1 % [93.6–96.3]."""
    return f"{percent(s.rate)} [{100 * s.rate_low:.1f}–{100 * s.rate_high:.1f}]"


def median_text(s: Summary) -> str:
    """Median and quartiles of the epochs to criterion: 519 [389–812]."""
    return f"{number(s.epochs_median)} [{number(s.epochs_q1)}–{number(s.epochs_q3)}]"


def _median(values: Array) -> float:
    # the value of one replica: between a finite loss and ∞ there is no mean; NumPy's takes ten times as long
    ordered = np.sort(values)
    return float(ordered[-1] if np.isnan(ordered[-1]) else ordered[(len(ordered) - 1) // 2])

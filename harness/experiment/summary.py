"""One cell in numbers, and in words: what `print(result)` shows.

Needs neither pandas nor scipy, which take long to import.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.cells.environment import made_elsewhere
from harness.cells.settings import FULL
from harness.cells.words import flat, in_brackets, setting_text, unusual
from harness.core.outcomes import SOLVED, fates
from harness.statistics import expected_running_time, survival, wilson

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
        angle_degrees=_angle(credit or {}),
        **_costs(cost or {}, expected_running_time(columns["updates"], solved)),
    )


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


class Facts(NamedTuple):
    """What is told of a finished cell, wherever it comes from:
    a `Result` in memory or a `Record` in a store.
    """

    algorithm: Mapping[str, Any]
    """Name and settings."""
    task: Mapping[str, Any]
    run: Mapping[str, Any]
    columns: Mapping[str, Array]
    """Per replica, as `Result.columns`."""
    cost: Mapping[str, Any]
    """`CostSheet.numbers`; empty where nothing was counted."""
    credit: Mapping[str, Array]
    """`Result.credit_columns`; empty without a probe."""
    ran: Mapping[str, Any]
    """How it was run, as `Trained.ran`."""
    versions: Mapping[str, str] = {}
    """What a record was made with (`cells.environment`); empty for what was made here and now."""


def describe(facts: Facts) -> str:
    """A cell in a few lines: who on what, how many solved it, what that cost, what became of the others."""
    algorithm, task, run, columns, cost, credit, ran, versions = facts
    s = summarise(columns, cost)
    batch = {FULL: "full batch", 1: "online"}.get(run["batch"], f"batches of {run['batch']}")
    budget = f"{number(run['epochs'])} epochs" + (
        f" or {run['seconds']:g} s" if run["seconds"] is not None else ""
    )
    lines = [
        f"{algorithm['name']} on {in_brackets(task['name'], unusual(task))}: "
        f"{number(s.replicas)} replicas, seed {run['seed']}",
        f"settings  {', '.join([*_in_words(algorithm), batch, f'budget {budget}'])}",
        f"solved    {number(s.solved)} of {number(s.replicas)} = {rate_text(s)}, 95 % Wilson interval",
        f"epochs    median {median_text(s)} to the criterion, with quartiles, unsolved replicas at ∞",
        f"          expected running time {number(s.ert_epochs)} = epochs of all replicas ÷ number solved",
    ]
    failures = zip(columns["outcome"], columns["reason"], strict=True)
    reasons = Counter((str(outcome), str(reason)) for outcome, reason in failures if outcome != SOLVED)
    if reasons:
        common = reasons.most_common(3)
        said = [f"{number(count)} {outcome} ({reason})" for (outcome, reason), count in common]
        rest = s.replicas - s.solved - sum(count for _, count in common)
        lines.append(f"failed    {', '.join(said + [f'{number(rest)} others'] * bool(rest))}")
    parts = (("validation", s.validation_right_mean), ("held-out", s.held_right_mean))
    means = "".join(
        f"; {name} patterns right: mean {percent(share)}" for name, share in parts if not np.isnan(share)
    )
    lines.append(
        f"loss      median {s.loss_median:.3g}; training patterns right: "
        f"median {percent(s.right_median)}{means}"
    )
    per_epoch = f"{significant(s.seconds_per_1000_replica_epochs)} s per 1,000 replica-epochs"
    lines.append(f"time      {significant(s.seconds)} s of updates, {per_epoch}")
    if run.get("probe"):
        lines.append(f"credit    {_credit(credit, ran)}")
        if ran.get("probe_seconds"):
            part = percent(ran["probe_seconds"] / (ran["probe_seconds"] + s.seconds))
            lines.append(f"probe     {part} of the time of updates and probe together")
    if "earlier" in ran:
        lines.append(
            f"earlier   {number(ran['earlier']['replicas'])} replicas are those of {ran['earlier']['cell']}"
        )
    if run.get("backend", "numpy") != "numpy":
        lines.append(f"backend   {_backend(ran)}")
    if not np.isnan(s.update_flops):
        passes = f"{number(s.update_flops)} FLOPs an update = {s.update_forward_passes:.3g} forward passes"
        criterion = f"to the criterion {number(s.ert_forward_passes)} forward passes"
        lines.append(f"cost      {passes}, span {number(s.update_span_operations)}; {criterion}")
    elif "reason" in cost:
        lines.append(f"cost      not counted: {cost['reason']}")
    if versions and (elsewhere := made_elsewhere(versions)):
        lines.append(f"made      with {elsewhere}")
    return "\n".join(lines)


def _credit(columns: Mapping[str, Array], ran: Mapping[str, Any]) -> str:
    """The median angle of all weights' credit to the gradient where the probe first and last had one."""
    if "not_probed" in ran:
        return f"not compared with the gradient: {ran['not_probed']}"
    if not columns:
        return "nothing to compare"
    chosen = (columns["quantity"] == "angle") & (columns["edge"] == "total") & (columns["defined"] > 0)
    if not chosen.any():
        return "no direction to compare: the gradient or the credit was zero"
    at = np.flatnonzero(chosen)[[0, -1]]
    said = [
        f"{columns['q50'][i]:.0f}° at epoch {number(columns['epoch'][i])} (n = {columns['defined'][i]})"
        for i in at
    ]
    of = f" of {ran['reference']}" if "reference" in ran else ""
    return f"angle to the exact gradient{of}; median: {', '.join(said)}"


def _backend(ran: Mapping[str, Any]) -> str:
    """`jax on cpu, compiled in 0.52 s (why)`."""
    how = (
        f"jax on {ran['device']}, compiled in {significant(ran['compile_seconds'])} s"
        if ran["backend"] == "jax"
        else "numpy"
    )
    return how + (f" ({ran['why']})" if "why" in ran else "")


def number(x: float) -> str:
    """A count, for people: 1,234; ∞ where it is never reached, – where there is none."""
    if not np.isfinite(x):
        return "–" if np.isnan(x) else "∞"
    return f"{x:,.0f}"


def significant(x: float) -> str:
    """Two significant digits: 0.00031; – where there is none."""
    return f"{x:.2g}" if abs(x) < 10 else number(x)


def percent(share: float) -> str:
    """0.951 → 95.1 %; – where there is none."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


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


def _in_words(algorithm: Mapping[str, Any]) -> list[str]:
    """The settings of an algorithm that are not off (None or 0)."""
    return [
        setting_text(k, v) for k, v in flat(algorithm).items() if v is not None and (v != 0 or v is False)
    ]

"""One cell in words: what `print(result)` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from harness.cells.environment import made_elsewhere
from harness.cells.settings import FULL
from harness.cells.words import flat, in_brackets, setting_text, unusual
from harness.core.outcomes import SOLVED
from harness.experiment.digits import number, percent, significant
from harness.experiment.summary import median_text, rate_text, summarise

Array = Any


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
    if not np.isnan(s.unsettled_mean):
        never = int(np.count_nonzero(np.asarray(columns["unsettled"]) > 0))
        lines.append(
            f"settling  {significant(s.settling_steps_mean)} steps a phase, mean; not at rest after them: "
            f"{percent(s.unsettled_mean)} of phases, of {number(never)} of {number(s.replicas)} replicas"
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


def _in_words(algorithm: Mapping[str, Any]) -> list[str]:
    """The settings of an algorithm that are not off (None or 0)."""
    return [
        setting_text(k, v) for k, v in flat(algorithm).items() if v is not None and (v != 0 or v is False)
    ]

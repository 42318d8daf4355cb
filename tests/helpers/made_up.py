"""Frames as `harness.results` makes them, of cells that never ran: for figures and what else reads frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.core.outcomes import DIVERGED, SOLVED, UNSOLVED
from harness.statistics import expected_running_time, wilson
from harness.training.curves import curve_epochs

S, U, D = SOLVED, UNSOLVED, DIVERGED
BUDGET = 100


class Frames(NamedTuple):
    replicas: pd.DataFrame
    curves: pd.DataFrame
    cells: pd.DataFrame


def frames(*cells: Frames) -> Frames:
    """Several cells in one of each."""
    return Frames(*(pd.concat(parts, ignore_index=True) for parts in zip(*cells, strict=True)))


def cell(
    algorithm: str,
    task: str = "xor",
    outcome: Sequence[str] = (S,),
    epochs: Sequence[int] = (10,),
    *,
    loss: float | Sequence[float] = 0.1,
    flops: float = np.nan,
    budget: int = BUDGET,
    **settings: object,
) -> Frames:
    """A cell whose update costs `flops`; its curves are the final loss throughout (∞ for a diverged
    replica)."""
    n, fate, spent = len(outcome), np.array(outcome), np.array(epochs)
    plain = {"task_name": task.split(" (")[0], "algorithm_name": algorithm.split(" (")[0]}
    about = {"id": f"{task}-{algorithm}", "task": task, "algorithm": algorithm} | plain
    replicas = {
        "replica": range(n),
        "outcome": fate,
        "epochs": spent,
        "updates": 2 * spent,
        "seconds": 0.5 * spent,
    }
    at = curve_epochs(budget)
    curves: dict[str, object] = {"epoch": at}
    for name, values in (
        ("loss", np.where(fate == D, np.inf, loss)),
        ("right", np.where(fate == S, 1.0, 0.25)),
    ):
        for q in (5, 25, 50, 75, 95):
            curves[f"{name}_q{q:02d}"] = np.full(len(at), np.quantile(values, q / 100, method="inverted_cdf"))
    k = int((fate == S).sum())
    low, high = wilson(k, n)
    numbers = {"replicas": n, "solved": k, "rate": k / n, "rate_low": float(low), "rate_high": float(high)}
    prices = {"epochs": 1.0, "updates": 2.0, "seconds": 0.5, "flops": 2 * flops, "span_operations": 2 * flops}
    for currency, each in prices.items():
        numbers[f"ert_{currency}"] = expected_running_time(each * spent, fate == S)
    numbers |= {"update_flops": flops, "update_span_operations": flops, "peak_bytes": flops}
    return Frames(
        pd.DataFrame(replicas).assign(**about, budget_epochs=budget),
        pd.DataFrame(curves).assign(**about, budget_epochs=budget),
        pd.DataFrame([about | numbers | settings]),
    )


def credit(
    algorithm: str, edges: dict[str, Sequence[float]], task: str = "xor", defined: Sequence[int] = (20, 20, 5)
) -> pd.DataFrame:
    """Median angles at epochs 0, 10 and 100, with quartiles 10 degrees to either side."""
    rows = []
    for edge, angles in edges.items():
        for epoch, angle, n in zip((0, 10, 100), angles, defined, strict=True):
            quantiles = {f"q{q:02d}": angle + 0.4 * (q - 50) if n else np.nan for q in (5, 25, 50, 75, 95)}
            rows.append({"quantity": "angle", "edge": edge, "epoch": epoch, "defined": n} | quantiles)
    return pd.DataFrame(rows).assign(id=f"{task}-{algorithm}", task=task, algorithm=algorithm)

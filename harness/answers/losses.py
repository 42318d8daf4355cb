"""The study `losses` in words: squared error and cross-entropy,
replica by replica from the same initial weights.

`cells` and `replicas` are the frames of `harness.results`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from harness.answers.pairs import beside
from harness.answers.shares import points
from harness.answers.words import decided, each, rate, ratio
from harness.experiment.digits import number

if TYPE_CHECKING:
    import pandas as pd

LR = "algorithm.optimiser.lr"
SQUARED, CROSS = "squared_error", "cross_entropy"
SIMILAR = 4.0
"""Cross-entropy is said to be like squared error at so many times the rate:
the slope of a sigmoid is at most a quarter.
"""


def table(cells: pd.DataFrame) -> pd.DataFrame:
    """A row of texts for each cell: task, loss, rate, how many solved it, and at what cost in epochs."""
    import pandas as pd

    some = cells[cells["replicas"].notna()]
    rows = [
        {
            "task": task,
            "loss": loss.replace("_", "-" if loss == CROSS else " "),
            "rate": f"{lr:g}",
            "solved [95 %]": rate(row),
            "median epochs": number(row.epochs_median),
        }
        for row, task, loss, lr in zip(
            each(some), *(some[c] for c in ("task_name", "task.loss", LR)), strict=True
        )
    ]
    return pd.DataFrame(rows)


def pairs(cells: pd.DataFrame) -> Iterator[tuple[str, float, str, str]]:
    """Task, rate and ids of cross-entropy and squared error, wherever both were run at one rate."""
    some = cells[cells["replicas"].notna()]
    for key, rows in some.groupby(["task_name", LR], sort=False):
        task, lr = cast(tuple[str, float], key)
        by = dict(zip(rows["task.loss"], rows["id"], strict=True))
        if {SQUARED, CROSS} <= by.keys():
            yield task, float(lr), by[CROSS], by[SQUARED]


def said(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[str]:
    """For each task and rate: whether cross-entropy solves more
    or fewer replicas, and what a success costs beside.
    """
    return [
        f"**{task}**, rate {lr:g}: cross-entropy solves {_difference(replicas, cross, squared)}."
        for task, lr, cross, squared in pairs(cells)
    ]


def at_four_times(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[str]:
    """Cross-entropy beside squared error at four times its rate, wherever both were run."""
    some = cells[cells["replicas"].notna()]
    squared = some[some["task.loss"] == SQUARED]
    sentences = []
    for task, lr, cross, _ in pairs(cells):
        match = squared[(squared["task_name"] == task) & (abs(squared[LR] - SIMILAR * lr) < 1e-9)]
        for other in match["id"]:
            sentences.append(
                f"**{task}**, cross-entropy at {lr:g} beside squared error at {SIMILAR * lr:g}: it solves "
                f"{_difference(replicas, cross, other)}."
            )
    return sentences


def _difference(replicas: pd.DataFrame, cross: str, squared: str) -> str:
    pair: Any = beside(replicas, cross, squared)
    gap = pair.rate
    word = "**more**" if gap.low > 0 else "**fewer**" if gap.high < 0 else "not decidedly more or fewer"
    cost = {"less": "cheaper", "more": "dearer", "undecided": "not decidedly cheaper or dearer"}[
        decided(pair.log_ratio)
    ]
    return (
        f"{word}, {points(gap)}, and a success is {cost} in epochs, "
        f"{ratio(pair.log_ratio)} times squared error's (pairs of replicas: {number(pair.replicas)})"
    )

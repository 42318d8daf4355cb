"""What one update of one network costs, in words:
work, span, memory and random numbers, counted from the code.

`cost` is the frame of `harness.results.cost`. There is no chance in a count, so it has no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.answers.middle import LESS, MORE, OPEN
from harness.answers.words import brief, each, listed, several

if TYPE_CHECKING:
    import pandas as pd

COUNTS = {
    "update_forward_passes": "work, in forward passes",
    "update_span_operations": "span, in operations",
    "peak_kb": "peak kB",
    "update_random_numbers": "random numbers",
}
AS_MUCH = {"update_forward_passes": 0.01, "update_span_operations": 0.0, "peak_kb": 0.1}
"""What is set beside backprop's, and how far off, as a share,
still is as much: Python's own objects are in peaks.
"""


def texts(cost: pd.DataFrame) -> pd.DataFrame:
    """One update of one network: a row for each algorithm,
    in each column its counts on the tasks, in their order.
    """
    import pandas as pd

    tasks = list(dict.fromkeys(cost["task"]))
    rows = []
    for algorithm, some in _counted(cost).groupby("algorithm", sort=False):
        of = {row.task: row for row in each(some)}
        texts = {
            word: " · ".join(brief(float(getattr(of[task], name))) if task in of else "–" for task in tasks)
            for name, word in COUNTS.items()
        }
        rows.append({"algorithm": algorithm} | texts)
    return pd.DataFrame(rows)


def tasks(cost: pd.DataFrame) -> str:
    """The tasks in the order of the columns of `texts`."""
    return " · ".join(dict.fromkeys(cost["task"]))


def cheaper(cost: pd.DataFrame) -> list[str]:
    """For every task and count, whose updates take less than backprop's,
    whose as much, whose more: without interval.
    """
    said = []
    for task, rows in _counted(cost).groupby("task", sort=False):
        base = next((row for row in each(rows) if row.algorithm == "backprop"), None)
        if base is None:
            continue
        parts = []
        for name, apart in AS_MUCH.items():
            price = float(getattr(base, name))
            groups: dict[str, list[tuple[float, str]]] = {LESS: [], OPEN: [], MORE: []}
            for row in each(rows[rows["algorithm"] != "backprop"]):
                ratio = float(getattr(row, name)) / price
                groups[OPEN if abs(ratio - 1) <= apart else LESS if ratio < 1 else MORE].append(
                    (ratio, row.algorithm)
                )
            parts.append(f"**{COUNTS[name]}**, {brief(price)}: {_sides(groups)}")
        said.append(listed(f"**{task}**, an update beside backprop's", parts))
    return said


def _sides(groups: Mapping[str, Sequence[tuple[float, str]]]) -> str:
    words = {LESS: "less", OPEN: "as much", MORE: "more"}
    texts = []
    for word, some in groups.items():
        names = [name + (f" ×{brief(ratio)}" if word != OPEN else "") for ratio, name in sorted(some)]
        if word == MORE and len(names) > 3:
            names = [f"{len(names)} others, from {names[0]} to {names[-1]}"]
        texts += [f"{words[word]} {several(names)}"] if names else []
    return "; ".join(texts) or "nobody else was counted"


def _counted(cost: pd.DataFrame) -> pd.DataFrame:
    some = cost[cost["not_counted"] == ""]
    return some.assign(
        update_forward_passes=some["update_flops"] / some["forward_flops"],
        peak_kb=some["peak_bytes"].astype(float) / 1000,
    )

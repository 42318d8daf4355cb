"""The study `memory_accuracy` in words:
the points of `harness.answers.memory`, and its answer for each task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.answers import memory
from harness.answers.provenance import not_run
from harness.answers.words import amount, brief, each
from harness.core.errors import InputError
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def points(cells: pd.DataFrame, replicas: pd.DataFrame) -> pd.DataFrame:
    """Those of `harness.answers.memory`, with errors as they are told (`unit`);
    none if the study is not there.
    """
    import pandas as pd

    if not len(cells):
        return pd.DataFrame(columns=["task", "error"])
    found = memory.points(cells, replicas)
    factor = np.where([memory.error_is_share(task) for task in found["task"]], 100.0, 1.0)
    told = {f"told_{name}": factor * found[name] for name in ("error", "error_low", "error_high")}
    return found.assign(unit=[memory.UNITS[memory.error_is_share(task)] for task in found["task"]], **told)


def answers(points: pd.DataFrame) -> list[str]:
    """At equal accuracy, does anything beat backprop's memory? A sentence for each task."""
    if not len(points):
        return [not_run(memory.STUDY)]
    return [_answer(points, str(task)) for task in points["task"].unique()]


def _answer(points: pd.DataFrame, task: str) -> str:
    try:
        return memory.answer(points, task).sentence
    except InputError as error:
        return f"On {task} nothing is answered: {error}."


def texts(points: pd.DataFrame) -> pd.DataFrame:
    """The table for people, each task from the least error on."""
    import pandas as pd

    rows = []
    for row in each(points.sort_values(["task", "error"], kind="stable")):
        error = Interval(row.told_error, row.told_error_low, row.told_error_high)
        rows.append(
            {
                "algorithm and network": row.label + (" *" if row.front else ""),
                "task": row.task,
                "error [95 %]": amount(error),
                "n": row.replicas,
                "peak kB": brief(row.peak_bytes / 1000),
                "forward passes an update": brief(row.update_forward_passes),
                "rate": "–" if np.isnan(row.lr) else f"{row.lr:g} of {row.rates}",
            }
        )
    return pd.DataFrame(rows)


def figure(points: pd.DataFrame, task: str) -> Figure | Any:
    """Error against peak memory on a task; the sentence that it was not run, if so."""
    from harness.answers.words import say
    from harness.plots import pareto_figure

    some = points[points["task"] == task]
    if not len(some):
        return say([not_run(memory.STUDY)])
    return pareto_figure(
        some.assign(kb=some["peak_bytes"] / 1000),
        "kb",
        "told_error",
        low="told_error_low",
        high="told_error_high",
        interval="95 % t interval over networks",
        detail="network",
        among=list(points["algorithm"].unique()),
        x_label="peak memory of an update, kB",
        y_label=some["unit"].iloc[0],
        title=f"Error against memory: {task}",
    )

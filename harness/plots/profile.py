"""On what share of the tasks is an algorithm nearly the best? Performance profiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError, one_of
from harness.drawing.cell import Drawn
from harness.drawing.frames import drawn, panels
from harness.drawing.page import page
from harness.drawing.style import BEHIND, logarithmic
from harness.plots.ert import CURRENCIES, Currency
from harness.statistics import Steps, performance_profile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def profile_figure(cells: pd.DataFrame, currency: Currency = "epochs") -> Figure:
    """On what share of the tasks an algorithm's running time is at most τ times the least, against τ.

    A task that an algorithm never solves, cannot do or was not run on counts as one on which it fails.
    Dolan & Moré 2002, Math. Program. 91:201-213.

    Args:
        cells: the frame of `results.cells`, where an algorithm has one label on all tasks.
        currency: what running time is paid in (`CURRENCIES`).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no task was solved, or if an algorithm has two cells on one.

    >>> import pandas as pd
    >>> row = {"id": "a", "task": "xor", "task_name": "xor", "algorithm_name": "backprop"}
    >>> figure = profile_figure(pd.DataFrame([{**row, "algorithm": "backprop", "ert_epochs": 300.0}]))
    """
    one_of("currency", currency, CURRENCIES)
    name = f"ert_{currency}"
    drawn(cells, name)  # says what is missing
    tasks, algorithms = (list(dict.fromkeys(cells[column])) for column in ("task", "algorithm"))
    twice = cells[cells.duplicated(["task", "algorithm"])]
    if len(twice):
        raise InputError(
            f"{twice['algorithm'].iloc[0]} has two cells on {twice['task'].iloc[0]}: choose one of them"
        )
    cost = cells.pivot(index="algorithm", columns="task", values=name).loc[algorithms, tasks].to_numpy(float)
    cost = np.where(np.isnan(cost), np.inf, cost)
    if not np.isfinite(cost).any():
        raise InputError(
            f"no task was solved by any algorithm, or none was counted in {currency}: there is no least cost"
        )
    profiles = performance_profile(_positive(cost))
    first = cells.assign(task="all tasks", id=cells["algorithm"]).drop_duplicates("algorithm")
    some, columns, _ = panels(
        drawn(first), partial(_draw, profiles=dict(zip(algorithms, profiles, strict=True)), tasks=len(tasks))
    )
    caption = (
        f"Performance profile over n = {len(tasks)} tasks: {', '.join(tasks)}. Cost: expected running time "
        f"in {currency} over "
        "all replicas, failures paid for. At 1: on what share an algorithm is the cheapest; at the right: on "
        "what share it "
        "succeeds at all. What was not run counts as failed. A count over these tasks, not an estimate: it "
        "has no interval." + (" Grey: the other algorithms." if columns else "")
    )
    return page("How often nearly the cheapest", caption, some, columns=columns)


def _positive(cost: np.ndarray) -> np.ndarray:
    """A cost of 0, of what was solved before it began,
    counts as the least above 0 (or 1): a ratio to 0 says nothing.
    """
    above = cost[np.isfinite(cost) & (cost > 0)]
    return np.maximum(cost, above.min() if len(above) else 1.0)


def _draw(
    ax: Axes, *, shown: list[Drawn], others: list[Drawn], profiles: dict[str, Steps], tasks: int
) -> None:
    furthest = max((steps.x[-1] for steps in profiles.values() if len(steps.x)), default=1.0)
    right = max(10.0, 2 * furthest)
    for i, d in enumerate((*shown, *others)):
        steps = profiles[d.algorithm]
        x = np.array([1.0, *steps.x, right])
        y = steps.at(x)
        if i >= len(shown):
            ax.plot(x, y, drawstyle="steps-post", **BEHIND)
            continue
        solved = round(float(y[-1]) * tasks)
        ax.plot(
            x,
            y,
            drawstyle="steps-post",
            label=f"{d.algorithm}   {solved} of {tasks} tasks",
            clip_on=False,
            **d.look,
        )
    logarithmic(ax, "x", 1.0, right)
    ax.set(ylim=(-0.02, 1.02), ylabel="share of tasks", xlabel="at most so many times the least cost")

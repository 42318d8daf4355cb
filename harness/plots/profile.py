"""On what share of the tasks is an algorithm nearly the best? Performance profiles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError, one_of
from harness.drawing.facets import Block, Row, facets
from harness.drawing.frames import drawn
from harness.drawing.style import COLOURS, REFERENCE, logarithmic, look
from harness.plots.ert import CURRENCIES, UNITS, Currency
from harness.plots.families import BESIDE
from harness.plots.titles import alike, many
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
    profiles = dict(zip(algorithms, performance_profile(_positive(cost)), strict=True))
    caption = (
        f"Performance profile over n = {len(tasks)} tasks: {', '.join(tasks)}. Cost: expected running time "
        f"in {currency} over all replicas, failures paid for. At 1: on what share an algorithm is the "
        "cheapest; at the right: on what share it succeeds at all; beside its name on how many. A count over "
        "the tasks that were chosen: it has no interval."
    )
    panel = Row("", [partial(_draw, profiles=profiles, tasks=len(tasks))])
    return facets(_title(profiles, len(tasks), currency), caption, [Block([""], [panel])])


def _title(profiles: Mapping[str, Steps], tasks: int, currency: Currency) -> str:
    """Who is the cheapest on the most tasks, and who solves the most."""
    wins, solved = (
        {name: round(float(steps.at(tau)) * tasks) for name, steps in profiles.items()}
        for tau in (1.0, np.inf)
    )
    first, able = ([name for name, n in some.items() if n == max(some.values())] for some in (wins, solved))
    said = (
        f"In {UNITS.get(currency, currency)} {alike(first)} {'is' if len(first) == 1 else 'are each'} the "
        f"cheapest on {max(wins.values())} of {many(tasks, 'task')}"
    )
    if BESIDE in wins and BESIDE not in first:
        said += f", {BESIDE} on {wins[BESIDE] or 'none'}"
    return f"{said}; {alike(able)} solve{'s' * (len(able) == 1)} the most, {max(solved.values())}"


def _positive(cost: np.ndarray) -> np.ndarray:
    """A cost of 0, of what was solved before it began,
    counts as the least above 0 (or 1): a ratio to 0 says nothing.
    """
    above = cost[np.isfinite(cost) & (cost > 0)]
    return np.maximum(cost, above.min() if len(above) else 1.0)


def _draw(ax: Axes, *, profiles: Mapping[str, Steps], tasks: int) -> None:
    furthest = max((steps.x[-1] for steps in profiles.values() if len(steps.x)), default=1.0)
    right = max(10.0, 2 * furthest)
    lines = {}
    for name, steps in profiles.items():
        x = np.array([1.0, *steps.x, right])
        lines[name] = x, steps.at(x)
    order = sorted(lines, key=lambda name: (lines[name][1][-1], lines[name][1].mean()))  # as at the ends
    others = (i for i in count() if i % len(COLOURS) != len(COLOURS) - 1)
    for name in sorted(order, key=lambda name: name == BESIDE):
        x, y = lines[name]
        own = look(REFERENCE if name == BESIDE else next(others)) | {"marker": "", "markevery": None}
        solved = round(float(y[-1]) * tasks)
        text = f"{name}   {solved} / {tasks}"
        ax.plot(x, y, drawstyle="steps-post", label=text, clip_on=False, **own)
    logarithmic(ax, "x", 1.0, right)
    ax.set(ylim=(-0.02, 1.02), ylabel="share of tasks", xlabel="at most so many times the least cost")

"""Where an algorithm works: the share of replicas that solved, or failed, over two settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.core.errors import InputError, one_of
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.experiment.digits import number
from harness.plots.grid import draw, values_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {"solved": "solved the task", "failed": "failed"}


def failure_map(
    cells: pd.DataFrame,
    x: str = "algorithm.optimiser.lr",
    y: str = "task.scale",
    share: Literal["solved", "failed"] = "failed",
) -> Figure:
    """Per task and algorithm, the per cent of replicas that failed (or solved) at every pair of two settings.

    Args:
        cells: the frame of `results.cells`.
        x, y: two of its settings, by dotted name.
        share: what is counted, failed or solved.

    Returns:
        A matplotlib figure; a place without a finished cell stays empty.

    Raises:
        InputError: if no cell is finished, or two differ in other settings than these.

    >>> from harness import results
    >>> figure = failure_map(results.cells("first_light", algorithm="backprop"))
    """
    one_of("share", share, WORDS)
    if len(cells):
        needs(cells, "task_name", "algorithm_name", "replicas", "rate", "rate_low", "rate_high", x, y)
        cells = cells[cells["replicas"].to_numpy(float) > 0]
    if not len(cells):
        raise InputError("there is no finished cell to draw")
    panels = []
    for (task, algorithm), rows in cells.groupby(["task_name", "algorithm_name"], sort=False):
        twice = rows[rows.duplicated([x, y])]
        if len(twice):
            at = f"{x}={twice[x].iloc[0]} and {y}={twice[y].iloc[0]}"
            raise InputError(
                f"{algorithm} has several cells on {task} at {at}: "
                "choose those that differ in these settings only"
            )
        panels.append(
            Panel(
                f"{algorithm} on {task}",
                partial(_draw, rows=rows, x=x, y=y, share=share),
                0.4 * max(rows[y].nunique(), 2),
            )
        )
    n = sorted(set(cells["replicas"].astype(int)))
    half = 50 * float((cells["rate_high"] - cells["rate_low"]).max())
    caption = (
        f"Per cent of n = {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} replicas that {WORDS[share]}, "
        f"at every point. Its 95 % Wilson interval reaches at most ± {half:.0f} per cent. "
        "A dash: no such cell was finished."
    )
    return page(_title(cells), caption, panels)


def _title(cells: pd.DataFrame) -> str:
    """At how many places all replicas fail, or none."""
    rates = cells["rate"].to_numpy(float)
    every, none = number((rates == 1).sum()), number((rates == 0).sum())
    places = f"{number(len(rates))} setting{'s' * (len(rates) != 1)}"
    who = cells["algorithm_name"].iloc[0] + " on " + cells["task_name"].iloc[0]
    start = (
        f"{who}: of {places}"
        if len(set(zip(cells["algorithm_name"], cells["task_name"], strict=True))) == 1
        else f"Of {places}"
    )
    return f"{start} all replicas succeed at {every}, and all fail at {none}"


def _draw(ax: Axes, *, rows: pd.DataFrame, x: str, y: str, share: str) -> None:
    columns, lines = values_of(rows[x]), values_of(rows[y])
    values = np.full((len(lines), len(columns)), np.nan)
    for across, up, rate in zip(rows[x], rows[y], rows["rate"].to_numpy(float), strict=True):
        values[lines.index(up), columns.index(across)] = 100 * (rate if share == "solved" else 1 - rate)
    draw(ax, values, columns, lines)
    ax.set(xlabel=x, ylabel=y)

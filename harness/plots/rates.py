"""What a success costs against the rate, rule by rule: how wide is the valley, and where does it lie?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import COLOURS, MARKERS, logarithmic
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, WIDTH, HEIGHT = 4, 1.6, 1.5  # panels side by side; inches of each
ROOM = 40.0  # above the dearest: for what is never
THICK = 4.0  # points: of a line where a success costs little more than the least


def rate_figure(points: pd.DataFrame, factor: float = 2.0) -> Figure:
    """A panel for each rule: cost of a success against the rate, on logarithmic axes, a line for each task.

    Thick is where it costs at most `factor` times the least. Rules that solve no task at any rate are named
    in the caption.

    Args:
        points: a row for each rule, task and rate: rule, task, rate, cost (epochs, ∞ is never), n (replicas).
        factor: at least 1.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no rule solves a task.

    >>> import pandas as pd
    >>> row = {"rule": "backprop", "task": "xor", "n": 20}
    >>> some = [row | {"rate": rate, "cost": cost} for rate, cost in ((0.1, 900.0), (1, 200.0), (10, 1e9))]
    >>> figure = rate_figure(pd.DataFrame(some))
    """
    needs(points, "rule", "task", "rate", "cost", "n")
    able = points.groupby("rule", sort=False)["cost"].transform("min").to_numpy(float)
    shown = points[np.isfinite(able)]
    if not len(shown):
        raise InputError("no rule solves a task at any rate: there is no cost to draw")
    never = list(dict.fromkeys(points.loc[~np.isfinite(able), "rule"]))
    tasks, finite = list(dict.fromkeys(shown["task"])), shown["cost"][np.isfinite(shown["cost"])]
    limits = (float(finite.min()) / 2, float(finite.max()) * ROOM)
    n = sorted(set(shown["n"].astype(int)))
    caption = (
        "Epochs of a success with restarts at the best cutoff, "
        f"n = {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} networks at each rate, failures included. "
        f"Thick: at most {factor:g} times the least, straight from rate to rate. An open triangle at the top "
        "is never: not one network solved the task in its budget, and no line leads there."
        + (f" At no rate any task: {', '.join(never)}." if never else "")
    )
    panels = [
        Panel(
            str(rule).replace("_", " "),  # words are where a title may be broken
            partial(_draw, rows=rows, tasks=tasks, limits=limits, factor=factor, named=i == 0),
            HEIGHT,
        )
        for i, (rule, rows) in enumerate(shown.groupby("rule", sort=False))
    ]
    return page(
        _title(shown, factor), caption, panels, columns=min(COLUMNS, len(panels)), width=WIDTH, left=0.55
    )


def _title(shown: pd.DataFrame, factor: float) -> str:
    """At how many rates the least and the most particular rule cost little more than at their best."""
    near: dict[str, float] = {}
    for rule, rows in shown.groupby("rule", sort=False):
        least = rows.groupby("task")["cost"].transform("min").astype(float)
        within = (rows["cost"] <= factor * least)[np.isfinite(least)]
        near[str(rule)] = float(within.groupby(rows["task"]).sum().median())
    n = int(shown.groupby(["rule", "task"]).size().max())
    widest, narrowest = max(near, key=lambda rule: near[rule]), min(near, key=lambda rule: near[rule])
    lead = f"In the median task {widest} costs at most {factor:g} times its least"
    return f"{lead} at {near[widest]:g} of {many(n, 'rate')}" + (
        f", {narrowest} at {near[narrowest]:g}" if near[narrowest] < near[widest] else ""
    )


def _draw(
    ax: Axes,
    *,
    rows: pd.DataFrame,
    tasks: list[str],
    limits: tuple[float, float],
    factor: float,
    named: bool,
) -> None:
    top: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
    rates = rows["rate"].to_numpy(float)
    logarithmic(ax, "x", rates.min() / 1.6, rates.max() * 1.6)
    logarithmic(ax, "y", *limits)
    for i, task in enumerate(tasks):
        own = rows[rows["task"] == task].sort_values("rate")
        if not len(own):
            continue
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        x, y = own["rate"].to_numpy(float), own["cost"].to_numpy(float)
        never = np.isinf(y)
        y = np.where(never, np.nan, y)
        ax.plot(x, y, color=colour, linewidth=1.0, marker=marker, markersize=3)
        above = 1 - 0.065 * i  # a row for each task, clear of the lines
        ax.plot(
            x[never], np.full(never.sum(), above), "^",
            color=colour, markerfacecolor="white", markersize=4, **top,
        )  # fmt: skip
        if not never.all():
            ax.plot(*_valley(x, y, factor), color=colour, linewidth=THICK, alpha=0.45, solid_capstyle="butt")
        if named:
            ax.text(0.04, 0.05 + 0.12 * i, task, transform=ax.transAxes, color=colour, fontsize=8)
    ax.set_xticks([0.001, 0.1, 10] if rates.max() < 100 else [0.1, 10, 1000])
    ax.set_xlim(rates.min() / 1.6, rates.max() * 1.6)
    ax.tick_params(labelsize=7)
    ax.set_xlabel("rate", fontsize=7)


def _valley(x: Any, y: Any, factor: float) -> tuple[Any, Any]:
    """The parts of the line through (x, y), straight on logarithmic axes, up to `factor` times its least."""
    fine = np.linspace(0, 1, 41)
    limit, parts = np.log(factor * np.nanmin(y)), []
    for i in range(len(x) - 1):
        a, b = np.log(x[i : i + 2]), np.log(y[i : i + 2])
        heights = b[0] + fine * (b[1] - b[0])
        parts.append((a[0] + fine * (a[1] - a[0]), np.where(heights <= limit + 1e-9, heights, np.nan)))
    along, up = (np.exp(np.concatenate(part)) for part in zip(*parts, strict=True))
    return along, up

"""What a success costs each rule with plain steps, with momentum and with Adam, each at its own best rate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import LETTER, Panel, page
from harness.drawing.style import COLOURS, MARKERS, PALE, logarithmic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, WIDTH = 0.34, 3.0  # inches of a rule, and of a panel
APART = 0.24  # of a row: between the optimisers of a rule


def optimiser_figure(points: pd.DataFrame) -> Figure:
    """A panel for each task, a row for each rule, in it a mark for each optimiser: the work of a success.

    Rules stand in the order of what their cheapest optimiser costs on the first task.

    Args:
        points: a row for each rule, task and optimiser: rule, task, optimiser, cost (FLOPs, ∞ is never) with
            its ends low and high, n (replicas).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no rule solves a task.

    >>> import pandas as pd
    >>> row = {"rule": "backprop", "task": "xor", "cost": 1e6, "low": 5e5, "high": 2e6, "n": 40}
    >>> figure = optimiser_figure(pd.DataFrame([row | {"optimiser": name} for name in ("plain", "Adam")]))
    """
    needs(points, "rule", "task", "optimiser", "cost", "low", "high", "n")
    if not np.isfinite(points["cost"].to_numpy(float)).any():
        raise InputError("no rule solves a task with any optimiser: there is no cost to draw")
    tasks, optimisers = (list(dict.fromkeys(points[name])) for name in ("task", "optimiser"))
    first = points[points["task"] == tasks[0]].groupby("rule", sort=False)["cost"].min()
    rules = sorted(dict.fromkeys(points["rule"]), key=lambda rule: (first.get(rule, np.inf), rule))
    n = sorted(set(points["n"].astype(int)))
    caption = (
        "FLOPs of a success with restarts, each optimiser at its best rate: rate and cutoff are chosen on "
        f"one half of n = {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} networks at each rate and read "
        "from the other, failures included. Lines: 95 % intervals at these choices, to the edge where they "
        "have no upper end. An open triangle at the right edge is never."
    )
    panels = [
        Panel(
            task,
            partial(
                _draw, own=points[points["task"] == task], rules=rules, optimisers=optimisers, named=i == 0
            ),
            ROW * len(rules) + 0.2,
        )
        for i, task in enumerate(tasks)
    ]
    left = 0.2 + LETTER * max(map(len, rules))
    return page("Optimisers, each at its best rate", caption, panels, columns=2, width=WIDTH, left=left)


def _draw(ax: Axes, *, own: pd.DataFrame, rules: list[str], optimisers: list[str], named: bool) -> None:
    known = own[["cost", "low", "high"]].to_numpy(float)
    finite = known[np.isfinite(known) & (known > 0)]
    left, right = (finite.min() / 1.6, finite.max() * 1.6) if len(finite) else (1.0, 10.0)
    for row in range(len(rules)):
        ax.axhline(row, color=PALE, linewidth=0.4, zorder=0.5)
    for i, optimiser in enumerate(optimisers):
        rows = own[own["optimiser"] == optimiser]
        y = np.array([rules.index(rule) for rule in rows["rule"]]) + APART * (i - (len(optimisers) - 1) / 2)
        cost, low, high = rows[["cost", "low", "high"]].to_numpy(float).T
        never = np.isinf(cost)
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        for at, start, end, dashed in zip(y, low, high, never, strict=True):
            ends, dash = [max(start, left), min(end, right)], (0, (2, 2)) if dashed else "-"
            ax.plot(ends, [at, at], color=colour, linewidth=1.2, linestyle=dash)
        label = optimiser if named else None
        ax.plot(cost[~never], y[~never], marker, color=colour, markersize=4.5, label=label)
        ax.plot(
            np.ones(never.sum()), y[never], ">", color=colour, markersize=4.5, markerfacecolor="white",
            transform=ax.get_yaxis_transform(), clip_on=False,
        )  # fmt: skip
    logarithmic(ax, "x", left, right)
    ax.grid(visible=False, axis="y")
    ax.set(ylim=(len(rules) - 0.4, -0.6), xlabel="FLOPs of a success")
    ax.set_yticks(range(len(rules)), rules, fontsize=8)
    ax.tick_params(axis="y", length=0)

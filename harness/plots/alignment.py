"""Does a credit that points along the gradient make a task cheap? Correlations, and the rules behind them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.labels import write
from harness.drawing.page import Panel, page
from harness.drawing.style import BLUE, COLOURS, DIM, MARKERS, VERMILION, logarithmic
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.42  # inches: a measure
SIZE, ABOVE = (6.6, 4.4), 0.35  # inches: the axes of rules, and what is free above them


def association_figure(found: pd.DataFrame) -> Figure:
    """A row for each measure: its rank correlation with each outcome, as a mark with its interval.

    Args:
        found: a row for each measure and outcome, with their names, rho, low, high, and n.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"measure": "angle", "outcome": "epochs", "rho": 0.5, "low": 0.1, "high": 0.8, "n": "9 × 3"}
    >>> figure = association_figure(pd.DataFrame([row]))
    """
    needs(found, "measure", "outcome", "rho", "low", "high", "n")
    if not len(found):
        raise InputError("there is no correlation to draw")
    measures = list(dict.fromkeys(found["measure"]))
    caption = (
        "Spearman's ρ within tasks; line: its interval over rules, at a level at which one of all of them "
        "misses in 5 % of studies. Right of 0: the farther from the gradient, or the noisier, the dearer. "
        "Beside the names: rules × tasks."
    )
    panel = Panel("", partial(_correlations, found=found, measures=measures), ROW * len(measures) + 0.3)
    return page(_goes_with(found), caption, [panel], width=4.6, left=2.6)


def _goes_with(found: pd.DataFrame) -> str:
    """The largest correlation, and how many are told from 0."""
    known = found[np.isfinite(found["rho"].to_numpy(float))]
    if not len(known):
        return "No correlation is defined"
    row = known.loc[known["rho"].astype(float).abs().idxmax()]
    apart = int(((known["low"] > 0) | (known["high"] < 0)).sum())
    rho = f"{float(row['rho']):.2f}".replace("-", "−")
    intervals = f"{apart or 'none'} of {many(len(known), 'interval')} exclude{'s' * (apart <= 1)} 0"
    measure = str(row["measure"])
    return f"{measure[:1].upper()}{measure[1:]} goes most with {row['outcome']}, ρ = {rho}; {intervals}"


def _correlations(ax: Axes, *, found: pd.DataFrame, measures: list[str]) -> None:
    outcomes = list(dict.fromkeys(found["outcome"]))
    for i, outcome in enumerate(outcomes):
        rows = found[found["outcome"] == outcome]
        y = np.array([measures.index(m) for m in rows["measure"]]) + 0.22 * (i - (len(outcomes) - 1) / 2)
        low, rho, high = (rows[name].to_numpy(float) for name in ("low", "rho", "high"))
        ax.hlines(y, low, high, color=COLOURS[i], linewidth=1.4)
        ax.plot(rho, y, linestyle="none", color=COLOURS[i], marker=MARKERS[i], markersize=5, label=outcome)
    n = dict(zip(found["measure"], found["n"], strict=True))
    ax.axvline(0, color=DIM, linewidth=1.0, linestyle=(0, (2, 2)))
    ax.set_yticks(range(len(measures)), [f"{m}   {n[m]}" for m in measures], fontsize=8)
    ax.set(ylim=(len(measures) - 0.4, -0.6), xlim=(-1.02, 1.02), xlabel="rank correlation ρ")


def alignment_figure(rules: pd.DataFrame, x: str = "angle of the credit to the gradient") -> Figure:
    """A point for each rule: its angle, and what a success costs it beside the cheapest rule, over tasks.

    Args:
        rules: a row for each rule: rule, angle (degrees, the median over tasks), cost (the median over tasks
            of its cost ÷ the least on the task, ∞ is never), solved (tasks on which it has a cost that is
            finite), tasks (on which it has an angle).
        x: what the angle is.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no rule.

    >>> import pandas as pd
    >>> row = {"rule": "backprop", "angle": 0.0, "cost": 1.2, "solved": 3, "tasks": 3}
    >>> figure = alignment_figure(pd.DataFrame([row]))
    """
    needs(rules, "rule", "angle", "cost", "solved", "tasks")
    if not len(rules):
        raise InputError("there is no rule to draw")
    caption = (
        "One point a rule: medians over the tasks on which it has an angle; beside its name the tasks it "
        "solves at all, of those. Cost: work of a success with restarts at the best cutoff, ÷ that of the "
        "cheapest rule on the task. An open triangle at the edge: never, on most tasks."
    )
    panel = Panel("", partial(_rules, rules=rules, x=x), SIZE[1])
    return page(_cheapest(rules), caption, [panel], width=SIZE[0])


def _cheapest(rules: pd.DataFrame) -> str:
    """Where the cheapest rule points, and how many solve most tasks this side of 90° and beyond."""
    angle, cost = rules["angle"].to_numpy(float), rules["cost"].to_numpy(float)
    able = np.isfinite(cost)
    if not able.any():
        return f"None of {many(len(rules), 'rule')} has a cost on most of its tasks"
    at = int(np.argmin(np.where(able, cost, np.inf)))
    said = f"The cheapest rule, {rules['rule'].iloc[at]}, is at {angle[at]:.0f}°"
    sides = [
        f"{(able & side).sum() or 'none'} of {side.sum()} {words}"
        for words, side in (("below 90°", angle < 90), ("from 90° on", angle >= 90))
        if side.any()
    ]
    return f"{said}; most tasks are solved by {' and '.join(sides)}"


def _rules(ax: Axes, *, rules: pd.DataFrame, x: str) -> None:
    angle, cost = rules["angle"].to_numpy(float), rules["cost"].to_numpy(float)
    never, finite = np.isinf(cost), cost[np.isfinite(cost)]
    bottom, top = (finite.min() / 1.5, finite.max() * 2.5) if len(finite) else (0.5, 10.0)
    logarithmic(ax, "y", bottom, top)
    ax.set(
        xlim=(-4, max(94.0, float(angle.max()) + 4)),
        xlabel=f"{x}, in degrees",
        ylabel="work of a success ÷ the cheapest rule's",
    )
    ax.axvline(90, color=DIM, linewidth=1.0, linestyle=(0, (2, 2)))
    y = np.where(never, top, cost)
    ax.plot(angle[~never], y[~never], "o", color=BLUE, markersize=5.5)
    ax.plot(
        angle[never], y[never], "^", color=VERMILION, markerfacecolor="white", markersize=7, clip_on=False
    )
    names = [f"{r} {s}/{t}" for r, s, t in zip(rules["rule"], rules["solved"], rules["tasks"], strict=True)]
    write(ax, angle, y, names, SIZE, ABOVE)

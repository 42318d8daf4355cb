"""Do tasks rank rules alike? Kendall's τ of every two tasks, and the places of every rule."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import COLOURS, REFERENCE, look
from harness.plots.families import BESIDE
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES = "PuOr_r"  # told apart by the colour-blind; white where there is no agreement
LIGHT = 0.75  # |τ| up to which black words are read on it
SQUARE, ROW = 0.85, 0.24  # inches: a pair of tasks, and a rule
NEVER: dict[str, Any] = {"marker": "^", "markerfacecolor": "white", "markersize": 6}


def agreement_figure(found: pd.DataFrame) -> Figure:
    """A square for each pair of tasks: τ of how they rank rules, with its interval and n.

    Args:
        found: a row for each pair: one, other (tasks), tau, low, high, n (rules on both); NaN is no order.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no pair.

    >>> import pandas as pd
    >>> row = {"one": "xor", "other": "encoder", "tau": 0.5, "low": 0.1, "high": 0.8, "n": 12}
    >>> figure = agreement_figure(pd.DataFrame([row]))
    """
    needs(found, "one", "other", "tau", "low", "high", "n")
    if not len(found):
        raise InputError("there is no pair of tasks to draw")
    tasks = list(dict.fromkeys([*found["one"], *found["other"]]))
    caption = (
        "Kendall's τ between the work of a success on two tasks, over the rules on both (n), never as the "
        "last rank. In brackets its interval over replicas and rules, at a level at which one of all of them "
        "misses in 5 % of studies."
    )
    side = SQUARE * (len(tasks) - 1)
    panel = Panel("", partial(_squares, found=found, tasks=tasks), side)
    return page(_agreed(found), caption, [panel], width=1.15 * side, left=1.6)


def _agreed(found: pd.DataFrame) -> str:
    """How many pairs of tasks agree by their whole interval, and which the most."""
    known = found[np.isfinite(found["tau"].to_numpy(float))]
    if not len(known):
        return "No pair of tasks has rules enough for an order"
    alike, apart = int((known["low"] > 0).sum()), int((known["high"] < 0).sum())
    row = known.loc[known["tau"].astype(float).idxmax()]
    tau = f"{float(row['tau']):.2f}".replace("-", "−")
    contrary = f", {apart} rank them contrarily" if apart else ""
    return (
        f"{alike or 'None'} of {many(len(known), 'pair')} of tasks rank{'s' * (alike == 1)} rules alike by "
        f"the whole interval{contrary}; most {row['one']} and {row['other']}, τ = {tau}"
    )


def _squares(ax: Axes, *, found: pd.DataFrame, tasks: list[str]) -> None:
    grid = np.full((len(tasks) - 1, len(tasks) - 1), np.nan)
    for row in found.itertuples(index=False):
        across, down = sorted((tasks.index(str(row.one)), tasks.index(str(row.other))))
        at, tau = (down - 1, across), float(row.tau)  # type: ignore[arg-type]  # a row has no types
        grid[at] = tau
        text = (
            f"{tau:.2f}\n[{row.low:.2f} to {row.high:.2f}]\nn = {row.n}" if tau == tau else f"–\nn = {row.n}"
        )
        ax.text(
            across, down - 1, text.replace("-", "−"), ha="center", va="center", fontsize=7,
            color="white" if abs(tau) > LIGHT else "black",
        )  # fmt: skip
    ax.imshow(grid, cmap=SHADES, vmin=-1, vmax=1, aspect="auto")
    ax.set_xticks(range(len(tasks) - 1), [_folded(t) for t in tasks[:-1]], fontsize=8)
    ax.set_yticks(range(len(tasks) - 1), [_folded(t) for t in tasks[1:]], fontsize=8)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(visible=False)


def ranks_figure(places: pd.DataFrame) -> Figure:
    """A line for each rule through its places on the tasks, the cheapest on top.

    Args:
        places: a row for each rule and task that it has a rank on: rule, task, rank, never.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> rows = [{"rule": "backprop", "task": t, "rank": 1.0, "never": False} for t in ("xor", "encoder")]
    >>> figure = ranks_figure(pd.DataFrame(rows))
    """
    needs(places, "rule", "task", "rank", "never")
    if not len(places):
        raise InputError("there is no rank to draw")
    most = int(places.groupby("task")["rule"].count().max())
    tasks = list(dict.fromkeys(places["task"]))
    caption = (
        "Places by the work of a success with restarts at the best cutoff, the cheapest first. An open "
        "triangle is never: those of a task are tied, and stand in the order of their mean rank. Where a "
        "line ends or is broken the rule cannot do the task, or was not run on it."
    )
    panel = Panel("", partial(_places, places=places, tasks=tasks), ROW * most + 0.3)
    return page(_first(places), caption, [panel], width=1.0 * max(3, len(tasks)), left=2.2, right=2.1)


def _first(places: pd.DataFrame) -> str:
    """Who has the best mean rank, and who the worst, of the rules on the most tasks."""
    by_rule = places.groupby("rule", sort=False)["rank"]
    tasks = by_rule.count()
    mean = by_rule.mean()[tasks == tasks.max()].astype(float)
    said = f"Of {many(len(mean), 'rule')} on {many(int(tasks.max()), 'task')}"
    if mean.nunique() == 1:
        return f"{said} all have the same mean rank, {mean.iloc[0]:.1f}"
    best, worst = f"{mean.idxmin()} has the best mean rank, {mean.min():.1f}", mean.idxmax()
    return f"{said} {best}, {worst} the worst, {mean.max():.1f}"


def _places(ax: Axes, *, places: pd.DataFrame, tasks: list[str]) -> None:
    mean = places.groupby("rule")["rank"].mean()
    ordered = places.assign(mean=places["rule"].map(mean)).sort_values(["rank", "mean"], kind="stable")
    ordered["place"] = ordered.groupby("task").cumcount() + 1
    colours = (i for i in count() if i % len(COLOURS) != len(COLOURS) - 1)  # black is backprop's
    for rule in mean.sort_values(kind="stable").index:
        own = ordered[ordered["rule"] == rule].set_index("task")
        y = np.array([float(own["place"].get(task, np.nan)) for task in tasks])
        never = np.array([bool(own["never"].get(task, False)) for task in tasks])
        style = look(REFERENCE if rule == BESIDE else next(colours)) | {"markevery": None, "linewidth": 1.2}
        x = np.arange(len(tasks))
        ax.plot(x, np.where(np.isnan(y), np.nan, y), **(style | {"marker": ""}))
        ax.plot(
            x[~never], y[~never], linestyle="none", **{k: style[k] for k in ("color", "marker")}, markersize=5
        )
        ax.plot(x[never], y[never], linestyle="none", color=style["color"], **NEVER)
        there = np.flatnonzero(~np.isnan(y))
        begins, ends = there[0] == 0, there[-1] == len(tasks) - 1
        for named, end, way, align in (
            (begins, there[0], -1, "right"),
            (ends or not begins, there[-1], 1, "left"),
        ):
            if named:
                ax.annotate(
                    str(rule), (end, y[end]), (8 * way, 0), textcoords="offset points",
                    ha=align, va="center", fontsize=7.5, color=style["color"], annotation_clip=False,
                )  # fmt: skip
    ax.set_xticks(range(len(tasks)), [_folded(t) for t in tasks], fontsize=8)
    ax.set(xlim=(-0.1, len(tasks) - 0.9), ylim=(ordered["place"].max() + 0.6, 0.4), yticks=[])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(visible=False, axis="y")


def _folded(task: str) -> str:
    """A task with its settings below it."""
    name, _, settings = task.partition(" (")
    return name + (f"\n({settings.replace(', ', chr(10))}" if settings else "")

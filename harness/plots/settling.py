"""What settling costs: the error that is left in a credit against a setting of its rule, and the steps of a
phase against the size of the network, on logarithmic axes, where a power is a straight line.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import DIM, logarithmic, look
from harness.experiment.digits import several
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 1.4  # times the least and the largest value: where an axis ends
STEPS = "T"
COLUMNS = "series", "x", "low", "value", "high", "n", "power", "low_power", "high_power"


def error_figure(points: pd.DataFrame, near: float = 0.1) -> Figure:
    """A panel for each setting: the error of the credit against its values, a line for each rule.

    Beside each name the power that was fitted, and the one that theory states, drawn as a dashed line; of
    steps (T) the factor of a step.

    Args:
        points: a row for each line and value: setting (its symbol), panel (the same in words), series, x,
            value (median of |g − ∇| ÷ |∇|), low and high (quartiles), n (networks), fitted (whether the power
            is fitted there), power with its ends low_power and high_power, stated (NaN for none).
        near: a power is the stated one where its whole interval is within so much of it.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"setting": "β", "panel": "nudge β", "series": "one-sided", "n": 30, "fitted": True}
    >>> row |= {"stated": 1.0, "power": 1.0, "low_power": 0.99, "high_power": 1.01}
    >>> some = [row | {"x": x, "low": x / 2, "value": x, "high": 2 * x} for x in (0.001, 0.01, 0.1)]
    >>> figure = error_figure(pd.DataFrame(some))
    """
    needs(points, "setting", "panel", "fitted", "stated", *COLUMNS)
    if not len(points):
        raise InputError("there is no error to draw")
    known = points[np.isfinite(points["value"]) & (points["value"] > 0)]
    limits = float(known["low"][known["low"] > 0].min()) / EDGE, float(known["high"].max()) * EDGE
    panels = [
        Panel(
            str(rows["panel"].iloc[0]),
            partial(_errors, points=rows, setting=str(setting), limits=limits),
        )
        for setting, rows in points.groupby("setting", sort=False)
    ]
    caption = (
        f"Before training, all weights together; line: median of n = {_n(points)} networks, band: quartiles. "
        "∝: the slope of each network over the filled points, its median and interval; dashed: the power "
        "that theory states, through the middle one of them. Over steps: the factor of a step. Of all "
        "intervals one misses, 5 % at most."
    )
    return page(_near(points, near), caption, panels, columns=2)


def _near(points: pd.DataFrame, near: float) -> str:
    """How many powers are the stated ones."""
    lines = points[points["stated"].notna()].drop_duplicates(["setting", "series"])
    fitted = lines[lines["power"].notna()]
    if not len(fitted):
        return "No error has a power to fit"
    alike = (fitted["stated"] - fitted["low_power"] <= near) & (
        fitted["high_power"] - fitted["stated"] <= near
    )
    return (
        f"The error of a credit falls as the power that theory states, to within {near:g}, in {alike.sum()} "
        f"of {many(len(lines), 'line')}"
    )


def _errors(ax: Axes, *, points: pd.DataFrame, setting: str, limits: tuple[float, float]) -> None:
    for i, (name, rows) in enumerate(points.groupby("series", sort=False)):
        rows = rows.sort_values("x")
        x, value, low, high = (rows[c].to_numpy(float) for c in ("x", "value", "low", "high"))
        inside, style = rows["fitted"].to_numpy(bool), look(i) | {"markevery": None}
        said = _raised(rows.iloc[0], setting)
        ax.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
        ax.plot(x, value, label=f"{name}   {said}".rstrip(), **style)
        ax.plot(
            x[~inside], value[~inside], linestyle="none", marker=style["marker"], color=style["color"],
            markerfacecolor="white",
        )  # fmt: skip
        stated = float(rows["stated"].iloc[0])
        if inside.any() and not np.isnan(stated):
            at = np.flatnonzero(inside)[inside.sum() // 2]
            ax.plot(x, value[at] * (x / x[at]) ** stated, color=DIM, linewidth=0.8, linestyle=(0, (2, 2)))
    ends = points["x"].to_numpy(float)
    logarithmic(ax, "x", ends.min() / EDGE, ends.max() * EDGE)
    logarithmic(ax, "y", *limits)
    ax.set(xlabel=setting, ylabel="|g − ∇| ÷ |∇|")


def _raised(row: Any, setting: str) -> str:
    if np.isnan(row["power"]):
        return ""
    power, low, high = (f"{row[c]:.2f}".replace("-", "−") for c in ("power", "low_power", "high_power"))
    if setting == STEPS:
        return f"× {power} [{low}–{high}] a step"
    return f"∝ {setting}^{power} [{low}–{high}], stated {row['stated']:g}"


def steps_figure(points: pd.DataFrame) -> Figure:
    """A panel for each size: the steps that a phase takes against its values, a line for each rule.

    Args:
        points: a row for each line and value: size (its symbol), panel (the same in words), series, x, value
            (median over networks of the mean steps of a phase), low and high (its interval), n, power of the
            size with its ends low_power and high_power, cap (steps at the most), unsettled (share of the
            phases that ended there).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"size": "L", "panel": "hidden layers", "series": "a", "n": 30, "cap": 200, "unsettled": 0.0}
    >>> row |= {"power": 1.0, "low_power": 0.9, "high_power": 1.1}
    >>> some = [row | {"x": x, "low": 3.0 * x, "value": 4.0 * x, "high": 5.0 * x} for x in (1, 2, 4)]
    >>> figure = steps_figure(pd.DataFrame(some))
    """
    needs(points, "size", "panel", "cap", "unsettled", *COLUMNS)
    if not len(points):
        raise InputError("there are no steps to draw")
    ends = points[["low", "value", "high"]].to_numpy(float)
    ends = ends[np.isfinite(ends)]
    limits = float(ends.min()) / EDGE, float(ends.max()) * EDGE
    panels = [
        Panel(str(rows["panel"].iloc[0]), partial(_steps, points=rows, size=str(size), limits=limits))
        for size, rows in points.groupby("size", sort=False)
    ]
    caption = (
        f"Mean steps of a phase, median of n = {_n(points)} networks; bars: its 95 % interval. A phase that "
        f"is not at rest after {int(points['cap'].max()):,} steps counts as so many: at most "
        f"{100 * points['unsettled'].max():.1f} % of those of a point. ∝: the slope over networks of one "
        "number, its median and interval; of these intervals one misses, 5 % at most."
    )
    return page(_most(points), caption, panels, columns=2)


def _most(points: pd.DataFrame) -> str:
    """Whose steps grow most with each size."""
    grow: dict[str, list[str]] = {}
    for size, rows in points.groupby("size", sort=False):
        row = rows.iloc[int(rows["power"].to_numpy(float).argmax())]
        power = f"{size}^{row['power']:.2f}".replace("-", "−")
        grow.setdefault(str(row["series"]), []).append(f"{power} with {row['panel']}")
    parts = [f"{several(texts)} ({name})" for name, texts in grow.items()]
    return f"The steps of a phase grow at most as {' and as '.join(parts)}"


def _steps(ax: Axes, *, points: pd.DataFrame, size: str, limits: tuple[float, float]) -> None:
    for i, (name, rows) in enumerate(points.groupby("series", sort=False)):
        rows = rows.sort_values("x")
        x, value, low, high = (rows[c].to_numpy(float) for c in ("x", "value", "low", "high"))
        style, row = look(i) | {"markevery": None}, rows.iloc[0]
        power, *ends = (f"{row[c]:.2f}".replace("-", "−") for c in ("power", "low_power", "high_power"))
        ax.vlines(x, np.maximum(low, limits[0]), np.minimum(high, limits[1]), color=style["color"])
        ax.plot(x, value, label=f"{name}   ∝ {size}^{power} [{ends[0]} to {ends[1]}]", **style)
    values = np.unique(points["x"].to_numpy(float))
    logarithmic(ax, "x", values.min() / EDGE, values.max() * EDGE)
    logarithmic(ax, "y", *limits)
    ax.set_xticks(values, [f"{v:g}" for v in values])
    ax.set(xlabel=f"{points['panel'].iloc[0]} {size}", ylabel="steps of a phase")


def _n(points: pd.DataFrame) -> str:
    n = sorted(set(points["n"].astype(int)))
    return f"{n[0]:,}" + (f" to {n[-1]:,}" if len(n) > 1 else "")

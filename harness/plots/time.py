"""Through time: who learns how many steps back, what is left of blame there, and what history is worth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import DIM, logarithmic, look, looks
from harness.experiment.digits import several, significant
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 1.3  # times the least and the largest value: where an axis ends
APART = 1.035  # times: between lines, so that the intervals of several can be seen
FLOOR = 1e-4  # of blame: below it no line is drawn
ENDS = "low", "value", "high"


def lag_figure(points: pd.DataFrame) -> Figure:
    """Two panels for each kind of unit over the lag: solved, and expected running time; a line for each rule.

    Args:
        points: a row for each kind of unit, rule and lag: units, series, control (whether its blame goes no
            step back: then it is drawn thin and dotted), x, n, rate, rate_low, rate_high (Wilson's), ert,
            ert_low, ert_high (epochs).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"units": "tanh", "series": "backprop", "control": False, "n": 20, "rate": 1.0}
    >>> row |= {"rate_low": 0.8, "rate_high": 1.0, "ert": 90.0, "ert_low": 80.0, "ert_high": 99.0}
    >>> figure = lag_figure(pd.DataFrame([row | {"x": lag} for lag in (1, 2, 4)]))
    """
    shares, costs = ("rate_low", "rate", "rate_high"), ("ert_low", "ert", "ert_high")
    needs(points, "units", "series", "control", "x", "n", *shares, *costs)
    if not len(points):
        raise InputError("no rule was run at any lag: there is nothing to draw")
    styles = _styles(points)
    known = points[list(costs)].to_numpy(float)
    known = known[np.isfinite(known) & (known > 0)]
    limits = (known.min() / EDGE, known.max() * EDGE) if len(known) else (1.0, 10.0)
    panels = []
    for units, rows in points.groupby("units", sort=False):
        panels += [
            Panel(f"{units}: solved", partial(_shares, points=rows, styles=styles)),
            Panel(f"{units}: cost of a success", partial(_costs, points=rows, styles=styles, limits=limits)),
        ]
    n = sorted(set(points["n"].astype(int)))
    caption = (
        f"Each point: n = {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} networks, failures included. "
        "Left: share that solved the task, 95 % Wilson interval. Right: expected running time, what all "
        "networks spent ÷ number solved, 95 % interval; an open triangle at the top is never. Thin and "
        "dotted: the control, whose blame goes no step back."
    )
    return page(_farthest(points), caption, panels, columns=2)


def _styles(points: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """One look a rule, the same with every kind of unit."""
    names = dict.fromkeys(map(str, points["series"]))
    styles = {name: style | {"markevery": None} for name, style in looks(names).items()}
    for name in points.loc[points["control"].astype(bool), "series"].unique():
        styles[str(name)] |= {"color": DIM, "linestyle": ":", "linewidth": 1.0}
    return styles


def _farthest(points: pd.DataFrame) -> str:
    """How many rules most networks learn the longest lag by, with each kind of unit."""
    last = points["x"].max()
    parts = []
    for units, rows in points[points["x"] == last].groupby("units", sort=False):
        parts.append(
            f"{(rows['rate_low'] > 0.5).sum()} of {many(rows['series'].nunique(), 'rule')} with {units}"
        )
    return f"A lag of {last:g} is learnt by more than half of the networks by {several(parts)}"


def _shares(ax: Axes, *, points: pd.DataFrame, styles: dict[str, dict[str, Any]]) -> None:
    for x, rows, style, _ in _lines(ax, points, styles):
        low, value, high = (100 * rows[c].to_numpy(float) for c in ("rate_low", "rate", "rate_high"))
        ax.vlines(x, low, high, color=style["color"], linewidth=0.8)
        ax.plot(x, value, **style)
    ax.set(ylim=(-3, 103), ylabel="per cent of networks")


def _costs(
    ax: Axes, *, points: pd.DataFrame, styles: dict[str, dict[str, Any]], limits: tuple[float, float]
) -> None:
    for i, (x, rows, style, name) in enumerate(_lines(ax, points, styles)):
        low, value, high = (rows[c].to_numpy(float) for c in ("ert_low", "ert", "ert_high"))
        never = np.isinf(value)
        inside = ~never
        ax.vlines(
            x[inside], np.maximum(low, limits[0])[inside], np.minimum(high, limits[1])[inside],
            color=style["color"], linewidth=0.8,
        )  # fmt: skip
        ax.plot(x, np.where(never, np.nan, value), label=name, **style)
        ax.plot(
            x[never], np.full(never.sum(), 1 - 0.03 * i), "^", color=style["color"], markerfacecolor="white",
            markersize=5, transform=ax.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
    logarithmic(ax, "y", *limits)
    ax.set_ylabel("epochs (sweeps over the sequences)")


def _lines(
    ax: Axes, points: pd.DataFrame, styles: dict[str, dict[str, Any]]
) -> list[tuple[Any, pd.DataFrame, dict[str, Any], str]]:
    """The rules of a panel, each a little to the right of the one before."""
    _sizes(ax, points["x"].to_numpy(float), "lag, steps")
    made = []
    for i, (name, rows) in enumerate(points.groupby("series", sort=False)):
        rows = rows.sort_values("x")
        x = rows["x"].to_numpy(float) * APART ** (i - points["series"].nunique() / 2)
        made.append((x, rows, styles[str(name)], str(name)))
    return made


def _sizes(ax: Axes, x: Any, name: str) -> None:
    """A logarithmic axis with the values that were run on it."""
    values = np.unique(x)
    logarithmic(ax, "x", values.min() / EDGE, values.max() * EDGE)
    ax.set_xticks(values, [f"{v:g}" for v in values])
    ax.set_xlabel(name)


def blame_figure(points: pd.DataFrame) -> Figure:
    """What is left of the last step's blame at each lag, a line for each kind of unit.

    Args:
        points: a row for each kind of unit and lag: series, x, value (median over networks), low and high
            (quartiles), n, factor of a step with its ends low_factor and high_factor.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"series": "tanh", "n": 200, "factor": 0.8, "low_factor": 0.7, "high_factor": 0.9}
    >>> some = [row | {"x": k, "low": 0.7**k, "value": 0.8**k, "high": 0.9**k} for k in range(4)]
    >>> figure = blame_figure(pd.DataFrame(some))
    """
    needs(points, "series", "x", *ENDS, "n", "factor", "low_factor", "high_factor")
    if not len(points):
        raise InputError("no blame was looked at: there is nothing to draw")
    caption = (
        f"|∂E_T/∂s_T−k| ÷ |∂E_T/∂s_T| before training. Line: median of n = {int(points['n'].max()):,} "
        "networks; band: quartiles. ×: the factor of a step, median of the networks' slopes and its "
        f"interval; of all intervals one misses, 5 % at most. Below {FLOOR:g} nothing is drawn."
    )
    return page(_kept(points), caption, [Panel("blame left", partial(_blame, points=points), 4.2)], width=6.4)


def _kept(points: pd.DataFrame) -> str:
    """What the kinds of unit leave that leave the most, and the least."""
    of = points.drop_duplicates("series").sort_values("factor")
    ends = [
        f"×{significant(float(factor))} with {name} units"
        for name, factor in zip(of["series"].iloc[[0, -1]], of["factor"].iloc[[0, -1]], strict=True)
    ]
    return f"A step back leaves of blame {' to '.join(dict.fromkeys(ends))}"


def _blame(ax: Axes, *, points: pd.DataFrame) -> None:
    for i, (name, rows) in enumerate(points.groupby("series", sort=False)):
        rows = rows.sort_values("x")
        x, low, value, high = (rows[c].to_numpy(float) for c in ("x", *ENDS))
        style, row = look(i) | {"markevery": 4}, rows.iloc[0]
        factor, *ends = (significant(float(row[c])) for c in ("factor", "low_factor", "high_factor"))
        ax.fill_between(x, low, high, color=style["color"], alpha=0.12, linewidth=0)
        ax.plot(x, value, label=f"{name}   ×{factor} [{ends[0]}–{ends[1]}] a step", **style)
    logarithmic(ax, "y", FLOOR, max(2.0, EDGE * float(points["high"].max())))
    ax.set(xlabel="steps back k", ylabel="of the last step's blame", xlim=(0, points["x"].max()))


def history_figure(points: pd.DataFrame) -> Figure:
    """The error of a forecast against the hours of history, a line for each kind of unit.

    Args:
        points: a row for each kind of unit and window: series, x (hours), value (median over networks), low
            and high (its interval), n.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"series": "tanh", "n": 20, "low": 0.1, "value": 0.12, "high": 0.13}
    >>> figure = history_figure(pd.DataFrame([row | {"x": hours} for hours in (1, 3, 6)]))
    """
    needs(points, "series", "x", *ENDS, "n")
    if not len(points):
        raise InputError("no forecast was learnt: there is nothing to draw")
    caption = (
        f"Root mean squared error on the validation weeks, median of n = {int(points['n'].min()):,} networks "
        "at each point; bars: its interval; of all of them one misses, 5 % at most."
    )
    return page(_best(points), caption, [Panel("error", partial(_errors, points=points), 4.2)], width=6.4)


def _best(points: pd.DataFrame) -> str:
    """Which kind of unit has the least error, with how much history."""
    row = points.iloc[int(points["value"].to_numpy(float).argmin())]
    least = f"{significant(float(row['value']))}, of {row['series']} at {row['x']:g} hours"
    return f"The least error of a forecast is {least}"


def _errors(ax: Axes, *, points: pd.DataFrame) -> None:
    kinds: Sequence[Any] = list(points.groupby("series", sort=False))
    for i, (name, rows) in enumerate(kinds):
        rows = rows.sort_values("x")
        style = look(i) | {"markevery": None}
        x = rows["x"].to_numpy(float) * APART ** (i - len(kinds) / 2)
        low, value, high = (rows[c].to_numpy(float) for c in ENDS)
        there = np.isfinite(low) & np.isfinite(high)
        ax.vlines(x[there], low[there], high[there], color=style["color"], linewidth=0.8)
        ax.plot(x, value, label=str(name), **style)
    _sizes(ax, points["x"].to_numpy(float), "history, hours")
    ax.set_ylabel("validation error, standard deviations")

"""Two costs at once, such as error and memory: which algorithms are beaten by none in both?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.errors import InputError
from harness.pareto import pareto_front
from harness.plots.frames import needs
from harness.plots.page import headed
from harness.plots.style import BLUE, VERMILION, logarithmic, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAR = (0.022, 0.04)  # of the width and height: closer points share their number
KEY = 0.19  # inches a line


def pareto_figure(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    low: str,
    high: str,
    interval: str,
    n: str = "replicas",
    label: str = "algorithm",
    x_label: str = "",
    y_label: str = "",
    title: str = "",
) -> Figure:
    """A point for each row at costs `x` (on a logarithmic axis) and `y`, with its interval in y; a step line is the front.

    All arguments but the last three and `interval`, which says what `low` to `high` is, are columns of the frame; smaller is
    better in both. Points have numbers; the names stand beside, the front's first. Rows without two finite numbers, or with
    a cost of 0 or less, are named in the caption. Raises `InputError` if no row has them.
    """
    from matplotlib.figure import Figure

    needs(frame, x, y, low, high, n, label)
    cost, error = (frame[column].to_numpy(float) for column in (x, y))
    there = np.isfinite(cost) & np.isfinite(error) & (cost > 0)
    if not there.any():
        raise InputError(f"no row has both {x} above 0 and {y} to draw")
    left_out = ", ".join(str(name) for name in frame[label][~there])
    frame, cost, error = frame[there], cost[there], error[there]
    front = pareto_front(cost, error)
    order = np.lexsort((error, cost, ~front))  # the front first, from cheap to dear
    frame, cost, error, front = frame.iloc[order], cost[order], error[order], front[order]
    counts = sorted(set(frame[n].astype(int)))
    caption = (
        f"Filled, and first beside: the Pareto front, beaten by none in both; the line is what it reaches. Bars: {interval}; "
        f"n = {counts[0]:,}{f' to {counts[-1]:,}' if len(counts) > 1 else ''} {n}."
        + (f" Without both numbers, and so not drawn: {left_out}." if left_out else "")
    )
    with styled():
        figure = Figure(figsize=(10.0, max(5.0, 1.4 + KEY * (len(frame) + 2))), layout="constrained")
        ax, key = figure.subplots(1, 2, width_ratios=(2.0, 1.0))
        _draw(ax, cost, error, front, [frame[column].to_numpy(float) for column in (low, high)])
        ax.set(xlabel=x_label or x, ylabel=y_label or y)
        _names(key, [str(name) for name in frame[label]], int(front.sum()))
        headed(figure, title or f"{y_label or y} against {x_label or x}", caption)
    return figure


Numbers = NDArray[np.float64]


def _draw(ax: Axes, cost: Numbers, error: Numbers, front: NDArray[np.bool_], ends: list[Numbers]) -> None:
    left, right = cost.min() / 1.6, cost.max() * 1.6
    finite = np.concatenate([error, *(end[np.isfinite(end)] for end in ends)])
    room = 0.06 * (np.ptp(finite) or abs(finite[0]) or 1.0)
    bottom, top = finite.min() - room, finite.max() + room
    colours = [VERMILION if on else BLUE for on in front]
    low, high = (np.clip(np.where(np.isnan(end), error, end), bottom, top) for end in ends)
    ax.vlines(cost, low, high, colors=colours, linewidth=1.0, alpha=0.8)
    at = np.argsort(cost[front])
    steps_x, steps_y = cost[front][at], error[front][at]
    ax.plot([steps_x[0], *steps_x, right], [top, *steps_y, steps_y[-1]], drawstyle="steps-post", color=VERMILION, linewidth=1.2)
    for mask, face in ((front, VERMILION), (~front, "white")):
        ax.plot(
            cost[mask],
            error[mask],
            linestyle="",
            marker="o",
            markersize=6,
            color=VERMILION if face != "white" else BLUE,
            markerfacecolor=face,
        )
    logarithmic(ax, "x", left, right)
    ax.set_ylim(bottom, top)
    places = np.column_stack([np.log(cost / left) / np.log(right / left), (error - bottom) / (top - bottom)])
    for group in _neighbours(places):
        text = ", ".join(str(i + 1) for i in group)
        ax.annotate(text, (cost[group[0]], error[group[0]]), (5, 4), textcoords="offset points", fontsize=8)


def _neighbours(places: Numbers) -> list[list[int]]:
    """Points (n, 2) in groups so close that their numbers would overlap."""
    groups: list[list[int]] = []
    for i, place in enumerate(places):
        near = next((g for g in groups if (np.abs(places[g[0]] - place) < NEAR).all()), None)
        if near is None:
            groups.append([i])
        else:
            near.append(i)
    return groups


def _names(ax: Axes, names: list[str], on_front: int) -> None:
    """The key: numbers and names, those on the front in bold."""
    ax.set_axis_off()
    figure = ax.get_figure()
    assert figure is not None
    for i, name in enumerate(names):
        weight = "bold" if i < on_front else "normal"
        text = f"{i + 1}  {name}"
        ax.annotate(
            text,
            (0, 1),
            (0, -72 * KEY * (i + 1)),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
            weight=weight,
        )

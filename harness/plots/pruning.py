"""What a trained network errs with fewer and fewer of its weights: a panel for each cell."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import look
from harness.plots.titles import many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def pruning_figure(points: pd.DataFrame) -> Figure:
    """A panel for each cell: per cent of patterns wrong against weights left, a line for each way to choose
    them.

    Args:
        points: a row for each line and share: cell, n, way, when (`cut` is drawn dashed, anything else is
        not),
            left (a share), value (of the patterns wrong, mean over networks) with its ends low and high.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"cell": "xor", "n": 9, "way": "random", "when": "cut", "value": 0.5, "low": 0.4, "high": 0.6}
    >>> figure = pruning_figure(pd.DataFrame([row | {"left": left} for left in (1.0, 0.5)]))
    """
    needs(points, "cell", "n", "way", "when", "left", "value", "low", "high")
    if not len(points):
        raise InputError("there is no cut to draw")
    panels = [
        Panel(f"{name}, n = {int(rows['n'].iloc[0]):,}", partial(_lines, points=rows))
        for name, rows in points.groupby("cell", sort=False)
    ]
    caption = (
        "Mean over n networks that solved their task, band: its 95 % interval. Dashed: cut alone; whole "
        "lines: "
        "trained on with what is left, deleted weights held at 0. Biases stay, and do not count."
    )
    return page(_title(points), caption, panels, columns=2)


def _title(points: pd.DataFrame) -> str:
    """Where saliency is below magnitude, of cuts alone."""
    cut = points[(points["when"] == "cut") & (points["left"] < 1)]
    by_way = cut.pivot_table(index=["cell", "left"], columns="way", values="value")
    if not {"saliency", "magnitude"} <= set(by_way):
        return "What trained networks err with fewer weights"
    fewer = int((by_way["saliency"] < by_way["magnitude"]).sum())
    return (
        f"Cut by saliency, fewer patterns are wrong in the mean than by magnitude in {fewer} of "
        f"{many(len(by_way), 'cut')}"
    )


def _lines(ax: Axes, *, points: pd.DataFrame) -> None:
    for i, (way, of_way) in enumerate(points.groupby("way", sort=False)):
        for when, rows in of_way.groupby("when", sort=False):
            rows = rows.sort_values("left")
            x, value, low, high = (100 * rows[c].to_numpy(float) for c in ("left", "value", "low", "high"))
            dashes = (0, (3, 2)) if when == "cut" else "solid"
            style = look(i) | {"markevery": None, "linestyle": dashes}
            ax.fill_between(x, low, high, color=style["color"], alpha=0.12, linewidth=0)
            ax.plot(x, value, label=f"{way}, {when}", **style)
    ax.set(xlabel="weights left, %", ylabel="patterns wrong, %", ylim=(-3, 103))

"""How memory and work of an update grow with the steps of a sequence and with its units, beside theory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import logarithmic, looks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 1.4  # times the least and the largest value: where an axis ends
NAMES = {"memory": "peak, bytes", "work": "FLOPs of an update", "T": "steps T", "n": "units n"}
NEAR = 0.25


def scaling_figure(points: pd.DataFrame) -> Figure:
    """A panel for each quantity and size, on logarithmic axes, a line for each rule.

    Args:
        points: a row for each rule, quantity, size and its value: quantity (memory or work), size (T or n),
            series, x, value, power with its ends low_power and high_power, stated (NaN for none).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no row.

    >>> import pandas as pd
    >>> row = {"quantity": "work", "size": "T", "series": "rtrl", "power": 1.0, "stated": 1}
    >>> row |= {"low_power": 1.0, "high_power": 1.0}
    >>> figure = scaling_figure(pd.DataFrame([row | {"x": t, "value": 5.0 * t} for t in (64, 128, 256)]))
    """
    needs(points, "quantity", "size", "series", "x", "value", "power", "low_power", "high_power", "stated")
    if not len(points):
        raise InputError("nothing was counted: there is nothing to draw")
    panels = [
        Panel(f"{quantity} with {size}", partial(_draw, points=rows, quantity=str(quantity), size=str(size)))
        for (quantity, size), rows in points.groupby(["quantity", "size"], sort=False)
    ]
    caption = (
        "Of one sequence of delayed exclusive or, counted and measured on the code; n = 1 network a point. "
        "∝: the slope by least squares, its interval, and the power that theory states. No chance is in it: "
        "terms of lower order bend a line."
    )
    return page(_near(points), caption, panels, columns=2)


def _near(points: pd.DataFrame) -> str:
    """How many powers are the stated ones."""
    lines = points.drop_duplicates(["quantity", "size", "series"])
    lines = lines[lines["stated"].notna()]
    near = np.abs(lines["power"].to_numpy(float) - lines["stated"].to_numpy(float)) <= NEAR
    return (
        f"Memory and work grow as theory states, to within {NEAR:g}, in {near.sum()} of {len(lines)} powers"
    )


def _draw(ax: Axes, *, points: pd.DataFrame, quantity: str, size: str) -> None:
    styles = looks(dict.fromkeys(map(str, points["series"])))
    for name, rows in points.groupby("series", sort=False):
        rows, row = rows.sort_values("x"), rows.iloc[0]
        power, low, high = (f"{row[c]:.2f}".replace("-", "−") for c in ("power", "low_power", "high_power"))
        theory = "" if np.isnan(row["stated"]) else f", theory {row['stated']:g}"
        said = f"{name}   ∝ {size}^{power} [{low} to {high}]{theory}"
        ax.plot(rows["x"], rows["value"], label=said, **(styles[str(name)] | {"markevery": None}))
    for which, column in (("x", "x"), ("y", "value")):
        ends = points[column].to_numpy(float)
        logarithmic(ax, "x" if which == "x" else "y", ends.min() / EDGE, ends.max() * EDGE)
    ax.set(xlabel=NAMES.get(size, size), ylabel=NAMES.get(quantity, quantity))

"""A map over two settings: a colour at every pair of values, and its number where there is room for one."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.drawing.style import DIM, PALE, plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHADES = "cividis"  # from dark to light also for the colour-blind, and in print
ROOM = 12  # numbers that have room side by side; with more values there is a colour bar
TALL = 3.6  # inches of a map without numbers
BAR = 0.75  # inches right of it for its colour bar


def crowded(columns: Sequence[Any], lines: Sequence[Any]) -> bool:
    """Whether there is no room for a number at every pair of values."""
    return max(len(columns), len(lines)) > ROOM


def draw(
    ax: Axes, grid: np.ndarray, columns: Sequence[Any], lines: Sequence[Any], *, price: bool = False
) -> None:
    """Fill a panel.

    Args:
        ax: its axes.
        grid: per cent, or with `price` costs on a logarithmic scale (lines, columns); light is good where it
            is a price. NaN: not there. ∞: never, in grey.
        columns, lines: the values of both settings.
        price: whether it holds costs.
    """
    import matplotlib as mpl
    from matplotlib.colors import LogNorm, Normalize

    known = grid[np.isfinite(grid)]
    ends = (known.min(), max(known.max(), 1.01 * known.min())) if len(known) else (1.0, 10.0)
    norm = LogNorm(*ends) if price else Normalize(0, 100)
    shades = mpl.colormaps[SHADES + ("_r" if price else "")].with_extremes(over=PALE, bad="white")
    colours = np.where(np.isposinf(grid), 10 * ends[1], grid)  # ∞ would be no number to the scale, as NaN is
    image = ax.imshow(colours, cmap=shades, norm=norm, origin="lower", aspect="auto")
    many = crowded(columns, lines)
    for (i, j), value in np.ndenumerate(grid):
        if np.isnan(value):
            ax.text(j, i, "–", ha="center", va="center", color=DIM, fontsize=6 if many else None)
        elif not many:
            light = float(np.dot(image.cmap(norm(colours[i, j]))[:3], (0.299, 0.587, 0.114))) > 0.5
            text = (
                f"{value:.0f}" if not price else plain(float(f"{value:.2g}")) if np.isfinite(value) else "∞"
            )
            ax.text(j, i, text, ha="center", va="center", fontsize=8, color="black" if light else "white")
    ticks(ax, "x", columns)
    ticks(ax, "y", lines)
    ax.grid(visible=False)
    if many:
        _bar(ax, image, price)


def _bar(ax: Axes, image: Any, price: bool) -> None:
    from matplotlib.ticker import LogLocator

    figure, beside = ax.get_figure(), ax.inset_axes((1.02, 0, 0.04, 1))
    assert figure is not None
    bar = figure.colorbar(image, cax=beside)
    beside.grid(visible=False)
    if price:
        low, high = image.norm.vmin, image.norm.vmax
        steps = LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)).tick_values(low, high)
        within = [x for x in steps if low <= x <= high]
        bar.set_ticks(within, labels=list(map(plain, within)), minor=False)
        bar.minorticks_off()


def ticks(ax: Axes, which: str, values: Sequence[Any]) -> None:
    """A tick at the values of a setting, at every so many of them where their names would touch."""
    every = 1 if len(values) <= ROOM else ceil(len(values) / (10 if which == "x" else 20))
    names = [text_of(value) for value in values[::every]]
    getattr(ax, f"set_{which}ticks")(range(0, len(values), every), names)


def values_of(column: pd.Series[Any]) -> list[Any]:
    """The values of a setting in their order: that of numbers, or of the frame."""
    values = list(dict.fromkeys(column))
    numbers = all(isinstance(value, int | float | np.number) for value in values)
    return sorted(values) if numbers else values


def text_of(value: Any) -> str:
    """A value below an axis."""
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)

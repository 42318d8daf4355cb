"""What one setting does: how often the task is solved, and what a success costs, against its values."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import DIM, logarithmic, look
from harness.experiment.digits import brief, several
from harness.plots.grid import text_of, ticks, values_of
from harness.plots.titles import NAMED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 0.06  # of the space between two values: so that the intervals of several series can be seen


def setting_figure(points: pd.DataFrame, name: str, reference: str = "") -> Figure:
    """Two panels over the values of a setting: solved rate, and expected running time, with intervals.

    Args:
        points: a row for each series and value: series, x, n, rate, rate_low, rate_high (Wilson's), ert,
            ert_low, ert_high (in epochs) and, where there is a `reference`, line.
        name: of the setting.
        reference: the name of a line to draw; "" for none.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no point.

    >>> import pandas as pd
    >>> rate, ert = dict(rate=0.8, rate_low=0.7, rate_high=0.9), dict(ert=90.0, ert_low=80.0, ert_high=99.0)
    >>> figure = setting_figure(pd.DataFrame([{"series": "xor", "x": 2, "n": 50, **rate, **ert}]), "H")
    """
    needs(
        points,
        "series",
        "x",
        "n",
        "rate",
        "rate_low",
        "rate_high",
        "ert",
        "ert_low",
        "ert_high",
        *(["line"] if reference else []),
    )
    if not len(points):
        raise InputError("there is no finished cell to draw")
    return page(_title(points, name), caption(points), over(points, name, reference))


def _title(points: pd.DataFrame, name: str) -> str:
    """At which value a success costs the least, by series."""
    best: dict[str, str] = {}
    for series, rows in points.groupby("series", sort=False):
        able = rows[np.isfinite(rows["ert"].to_numpy(float))]
        if len(able):
            row = able.loc[able["ert"].astype(float).idxmin()]
            best[str(series)] = f"{text_of(row['x'])} ({brief(float(row['ert']))} epochs)"
    if not best:
        return f"No replica succeeds at any {name}"
    lead = f"A success costs the least at {name} = "
    if points["series"].nunique() == 1:
        return lead + next(iter(best.values()))
    if len(best) > NAMED:
        value = Counter(text.partition(" ")[0] for text in best.values()).most_common(1)[0]
        return f"{lead}{value[0]} in {value[1]} of {points['series'].nunique()} series"
    return lead + several([f"{text} for {series}" for series, text in best.items()])


def over(points: pd.DataFrame, name: str, reference: str = "") -> list[Panel]:
    """The two panels of `setting_figure`."""
    rates = partial(_rates, points=points, name=name)
    costs = partial(_costs, points=points, name=name, reference=reference)
    return [Panel("solved", rates), Panel("cost of a success", costs)]


def caption(points: pd.DataFrame) -> str:
    """What stands below them."""
    n = sorted(set(points["n"].astype(int)))
    return (
        f"Each point: n = {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} replicas, failures included. "
        "Left: share that solved the task, 95 % Wilson interval. Right: "
        "expected running time, what all replicas spent ÷ number solved, 95 % interval; "
        "an open triangle at the edge is never, and a line that leaves through the top has no upper end."
    )


def _rates(ax: Axes, *, points: pd.DataFrame, name: str) -> None:
    for x, rows, style, _ in _series(ax, points, name):
        low, rate, high = (100 * rows[c].to_numpy(float) for c in ("rate_low", "rate", "rate_high"))
        ax.vlines(x, low, high, color=style["color"])
        ax.plot(x, rate, **style)
    ax.set(ylim=(-3, 103), ylabel="per cent of replicas")


def _costs(ax: Axes, *, points: pd.DataFrame, name: str, reference: str) -> None:
    columns = ["ert", "ert_low", "ert_high", *(["line"] if reference else [])]
    known = points[columns].to_numpy(float)
    known = known[np.isfinite(known) & (known > 0)]
    bottom, top = (known.min() / 1.5, known.max() * 1.5) if len(known) else (1.0, 10.0)
    for x, rows, style, label in _series(ax, points, name):
        ert, low, high = (rows[c].to_numpy(float) for c in ("ert", "ert_low", "ert_high"))
        ax.vlines(x, np.maximum(low, bottom), np.minimum(high, 10 * top), color=style["color"])
        ax.plot(x, np.where(np.isfinite(ert), ert, np.nan), label=label, **style)
        never = np.isinf(ert)
        # y in shares of the panel
        edge: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot(
            x[never],
            np.ones(never.sum()),
            "^",
            markerfacecolor="white",
            markersize=7,
            color=style["color"],
            **edge,
        )
    if reference:
        values = values_of(points["x"])
        line = points.drop_duplicates("x").set_index("x")["line"]
        ax.plot(
            range(len(values)),
            [float(line[v]) for v in values],
            color=DIM,
            linestyle=(0, (2, 2)),
            label=reference,
        )
    logarithmic(ax, "y", bottom, top)
    ax.set_ylabel("epochs (sweeps over the patterns)")


def _series(ax: Axes, points: pd.DataFrame, name: str) -> list[tuple[Any, pd.DataFrame, dict[str, Any], str]]:
    values = values_of(points["x"])
    ticks(ax, "x", values)
    ax.set(xlabel=name, xlim=(-0.4, len(values) - 0.6))
    series = []
    for i, (label, rows) in enumerate(points.groupby("series", sort=False)):
        x = np.array([values.index(v) for v in rows["x"]]) + APART * i
        series.append((x, rows, look(i) | {"markevery": None}, str(label)))
    return series

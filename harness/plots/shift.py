"""Whether sharp minima lose more when data change: a panel for each change, a mark for each network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import Panel, page
from harness.drawing.style import logarithmic, looks
from harness.experiment.digits import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE = 1.2  # times the least and the largest value: where an axis ends


def shift_figure(points: pd.DataFrame) -> Figure:
    """A panel for each change: what a network's error rises by against its sharpness, a colour for each rule.

    Args:
        points: a row for each network and change: shift (its name), rule, sharpness (largest eigenvalue of
        the
            Hessian of E a pattern), lost (rise of the NRMSE).

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no row has a positive sharpness.

    >>> import pandas as pd
    >>> row = {"shift": "level", "rule": "backprop", "lost": 0.1}
    >>> figure = shift_figure(pd.DataFrame([row | {"sharpness": s} for s in (1.0, 2.0)]))
    """
    needs(points, "shift", "rule", "sharpness", "lost")
    some = points[(points["sharpness"] > 0) & np.isfinite(points["lost"])]
    if not len(some):
        raise InputError("there is no minimum with a positive curvature to draw")
    panels = [
        Panel(str(name), partial(_marks, points=rows)) for name, rows in some.groupby("shift", sort=False)
    ]
    networks = number(len(some) // len(panels))
    rules = some["rule"].nunique()
    caption = (
        f"n = {networks} networks of {number(rules)} rules, small marks; large: the median of a rule. "
        f"Sharpness: "
        "the largest eigenvalue of the Hessian of E a pattern where training ended. "
        f"Not drawn, without a positive one: {number(len(points) - len(some))} marks."
    )
    return page(_title(some), caption, panels, columns=2)


def _title(some: pd.DataFrame) -> str:
    """How far the sharpest rule is from the flattest."""
    middle = some.groupby("rule", sort=False)["sharpness"].median()
    return (
        f"Where {middle.idxmin()} ends the loss is flattest, where {middle.idxmax()} ends sharpest, by a "
        f"factor of "
        f"{middle.max() / middle.min():.3g} in the median"
    )


def _marks(ax: Axes, *, points: pd.DataFrame) -> None:
    styles = looks(dict.fromkeys(map(str, points["rule"])))
    for rule, rows in points.groupby("rule", sort=False):
        x, y = (rows[c].to_numpy(float) for c in ("sharpness", "lost"))
        own = styles[str(rule)]
        style = {"color": own["color"], "marker": own["marker"], "linestyle": "none"}
        ax.plot(x, y, markersize=2.5, alpha=0.5, **style)
        ax.plot(
            [np.median(x)], [np.median(y)], markersize=8, markeredgecolor="black", label=str(rule), **style
        )
    ends = points["sharpness"].to_numpy(float)
    logarithmic(ax, "x", ends.min() / EDGE, ends.max() * EDGE)
    ax.set(xlabel="largest eigenvalue", ylabel="rise of the NRMSE")

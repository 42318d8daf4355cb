"""Lines with fewer points: what is left out would move nothing by as much as can be seen.

A curve of a thousand replicas has a thousand steps, and a figure of many such curves megabytes, while an inch
of paper shows some hundreds of them.
"""

from __future__ import annotations

from math import asin, atan2, hypot, pi, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]
FINE = 1 / 200
"""Inches: less than a pixel of a figure as it is written, a quarter of the width of a line."""


def thinned(ax: Axes, x: Numbers, y: Numbers, fine: float = FINE) -> Numbers:
    """Points (m, 2) of a line through x (n,), ascending, and y (n,) on axes whose size, scales and limits are
    set, without those that move it by less than `fine` inches.
    """
    points = np.column_stack([x, y])
    figure = ax.get_figure()
    assert figure is not None
    across, up = (ax.transData.transform(points) / figure.dpi).T
    return points[line(across, up, fine)]


def band(ax: Axes, x: Numbers, low: Numbers, high: Numbers, colour: Any, alpha: float) -> None:
    """Fill what is between two lines over x (n,); where they break, from end to end of what is there."""
    from matplotlib.collections import PolyCollection

    ends = np.diff(np.concatenate([[0], np.isfinite(low) & np.isfinite(high), [0]])).nonzero()[0]
    parts = [slice(start, end) for start, end in ends.reshape(-1, 2)]
    around = [
        np.concatenate([thinned(ax, x[part], low[part]), thinned(ax, x[part], high[part])[::-1]])
        for part in parts
    ]
    ax.add_collection(PolyCollection(around, facecolor=colour, alpha=alpha, linewidth=0), autolim=False)


def staircase(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """The corners (2 n − 1,) of a step function that has y (n,) from x (n,) on."""
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def line(x: Numbers, y: Numbers, fine: float = FINE) -> list[int]:
    """Which points of a line through x (n,), ascending, and y (n,), in inches, stay: straight from one of
    them to the next, the line leaves out no point by more than `fine` inches.

    From a point on, all directions are kept in which the line passes by every point since; where there is
    none left, or the line turns back, the point before is the next one. Williams 1978, Comput. Graph. Image
    Process. 8:286-293.
    """
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return list(range(len(x)))
    fine /= sqrt(2)  # across, and as much along where the line turns back: together what is allowed
    at = list(zip(x.tolist(), y.tolist(), strict=True))
    kept, seen = [0], ANYWHERE
    for i in range(1, len(at)):
        further = _past(at[kept[-1]], at[i], seen, fine)
        if further is None:
            kept.append(i - 1)
            further = _past(at[i - 1], at[i], ANYWHERE, fine)
        seen = further or ANYWHERE
    return kept if len(at) == 1 else [*kept, len(at) - 1]


class _Seen(NamedTuple):
    """From a point: the directions that pass by all points since, and how far off the farthest is."""

    low: float
    high: float
    far: float


ANYWHERE = _Seen(-pi, pi, 0.0)


def _past(start: tuple[float, float], point: tuple[float, float], seen: _Seen, fine: float) -> _Seen | None:
    """What is seen from `start` with one more point; None if no line to that passes by those before."""
    right, up = point[0] - start[0], point[1] - start[1]
    away = hypot(right, up)
    if away < seen.far - fine:
        return None
    far = max(away, seen.far)
    if away <= fine:
        return _Seen(seen.low, seen.high, far)
    towards, reach = atan2(up, right), asin(fine / away)
    if not seen.low <= towards <= seen.high:
        return None
    return _Seen(max(seen.low, towards - reach), min(seen.high, towards + reach), far)

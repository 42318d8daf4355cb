"""Where names stand beside their points, so that no two of them lie on each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.drawing.style import DIM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]
POINTS = 72.0  # in an inch
FONT, LETTER, LINE = 7.5, 0.059, 0.13  # points; inches of one letter, and of a line
AWAY, DOT = 0.07, 0.05  # inches from a point to its name, and the reach of a point
STEPS = 8  # lines by which a name may be pushed up or down


def places(at: Numbers, sizes: Numbers, inside: tuple[float, float]) -> Numbers:
    """The lower left corners (n, 2) of boxes of some `sizes` (n, 2) beside points (n, 2), in one unit.

    Each is put right of its point, else left, else higher or lower by lines, at the first place that is free
    of points and of the boxes before it and within (0, 0) to `inside`; the topmost points choose first. Where
    there is none it stands right of its point.
    """
    taken = [np.concatenate([p - DOT, p + DOT]) for p in at]
    corners = at + np.array([AWAY, 0.0]) - sizes * np.array([0.0, 0.5])
    for i in np.lexsort((at[:, 0], -at[:, 1])):
        for lift in sorted(range(-STEPS, STEPS + 1), key=abs):
            for way in (AWAY, -AWAY - sizes[i, 0]):
                corner = at[i] + np.array([way, (lift - 0.5) * sizes[i, 1]])
                box = np.concatenate([corner, corner + sizes[i]])
                within = (box[:2] >= 0).all() and (box[2:] <= inside).all()
                if within and not any(_overlap(box, other) for other in taken):
                    break
            else:
                continue
            corners[i] = corner
            taken.append(box)
            break
    return np.asarray(corners)


def _overlap(a: Numbers, b: Numbers) -> bool:
    return bool((a[:2] < b[2:]).all() and (b[:2] < a[2:]).all())


def write(
    ax: Axes, x: Numbers, y: Numbers, names: Sequence[str], size: tuple[float, float], above: float = 0.0
) -> None:
    """Names beside the points of axes `size` inches wide and tall, whose limits and scales are set, and on
    some inches `above` them; a thin line leads to a point that its name is not beside.
    """
    shares = ax.transData.transform(np.column_stack([x, y]))
    shares = ax.transAxes.inverted().transform(shares)
    at = shares * size
    boxes = np.array([(LETTER * len(name), LINE) for name in names]).reshape(-1, 2)
    for point, corner, box, name, place in zip(
        at, places(at, boxes, (size[0], size[1] + above)), boxes, names, zip(x, y, strict=True), strict=True
    ):
        offset = (corner + np.array([0.0, box[1] / 2]) - point) * POINTS
        lead = {"arrowstyle": "-", "linewidth": 0.5, "color": DIM, "shrinkA": 0, "shrinkB": 3}
        ax.annotate(
            name, place, offset, textcoords="offset points", fontsize=FONT, va="center", ha="left",
            arrowprops=lead if abs(offset[1]) > POINTS * LINE / 2 else None,
        )  # fmt: skip

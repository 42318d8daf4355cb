"""Who is still unsolved after how many epochs?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import fates
from harness.drawing import thin
from harness.drawing.cell import Drawn
from harness.drawing.crowd import behind
from harness.drawing.style import GOES_ON, logarithmic
from harness.statistics import Survival, survival

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("outcome", "epochs", "budget_epochs")
"""What `draw` reads in the frame of replicas."""
FEW = 10  # replicas: with fewer of them left a curve says little
FADED: dict[str, Any] = {"linewidth": 0.9, "linestyle": (0, (1, 1.6)), "marker": "", "markevery": None}
CAPTION = (
    "Kaplan-Meier estimate; band: 95 % interval (beta product). Beside each name: "
    "replicas solved / n. Failures stay in the count: "
    "unsolved replicas are right-censored at the end of their budget, diverged ones never solve. "
    f"Thin and dotted: fewer than {FEW} replicas are left unsolved and watched."
)


class Line(NamedTuple):
    """The curve of a cell, as it is drawn."""

    curve: Survival
    until: float
    """Epochs: where it ends."""
    budget: float
    """The most epochs of its replicas."""

    @classmethod
    def of(cls, d: Drawn) -> Line:
        """That of a cell."""
        became, budget = fates(d.rows), float(d.column("budget_epochs").max())
        curve = survival(d.column("epochs"), became.solved, became.diverged)
        return cls(curve, min(curve.until, budget), budget)


def lines(cells: Iterable[Drawn]) -> dict[str, Line]:
    """The curves of some cells, by id."""
    return {d.id: Line.of(d) for d in cells}


def limits(some: Iterable[Line]) -> tuple[float, float]:
    """The ends of an axis of epochs on which each of some curves can be seen."""
    curves = list(some)
    first = [line.curve.time[1] for line in curves if len(line.curve.time) > 1]
    shortest = min(line.budget for line in curves) / 2
    left = 10 ** np.floor(np.log10(max(1.0, min([*first, shortest]) - 1)))
    return float(left), float(max(*(line.budget for line in curves), 2 * left))


def draw(
    ax: Axes,
    *,
    shown: list[Drawn],
    others: list[Drawn],
    known: Mapping[str, Line] | None = None,
    within: tuple[float, float] | None = None,
) -> None:
    """Fill a panel, given the curves that are `known`, `within` the ends of its axis of epochs."""
    curves = lines([*shown, *others]) if known is None else known
    left, right = within or limits(curves[d.id] for d in (*shown, *others))
    logarithmic(ax, "x", left, right)
    ax.set(ylim=(-0.02, 1.02), ylabel="share still unsolved", xlabel="epochs (sweeps over the patterns)")
    behind(ax, [(_times(curves[d.id], left), _on(curves[d.id].curve.unsolved)) for d in others], steps=True)
    for d in shown:
        _curve(ax, d, curves[d.id], left, alpha=min(0.15, 1 / len(shown)))


def _curve(ax: Axes, d: Drawn, line: Line, left: float, alpha: float) -> None:
    curve, x, solved = line.curve, _times(line, left), fates(d.rows).solved
    unsolved, low, high = (thin.staircase(x, _on(y)) for y in (curve.unsolved, curve.low, curve.high))
    thin.band(ax, low[0], low[1], high[1], d.look["color"], alpha)
    few = np.flatnonzero(curve.left < FEW)
    faint = 2 * int(few[0]) if len(few) else 2 * len(x)
    name = f"{d.algorithm}   {solved.sum():,} / {len(solved):,}"
    for part, style in ((slice(faint + 1), {}), (slice(faint, None), FADED)):
        if len(unsolved[0][part]) > 1:
            x, y = (each[part] for each in unsolved)
            points = thin.thinned(ax, x, y)
            ax.plot(*points.T, label=name, **(d.look | style))
            name = GOES_ON


def _times(line: Line, left: float) -> NDArray[np.float64]:
    """When a curve steps, and where it ends; on a logarithmic axis, which has no 0."""
    return np.maximum([*line.curve.time, line.until], left)


def _on(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What holds at the last time holds on."""
    return np.append(y, y[-1])

"""Who is still unsolved after how many epochs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import fates
from harness.drawing.cell import Drawn
from harness.drawing.crowd import behind, expected
from harness.drawing.frames import drawn, panels
from harness.drawing.page import page
from harness.drawing.style import logarithmic
from harness.statistics import Survival, survival

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("outcome", "epochs", "budget_epochs")
"""What `draw` reads in the frame of replicas."""
CAPTION = (
    "Kaplan-Meier estimate; band: 95 % interval (beta product). Beside each name: "
    "replicas solved / n. Failures stay in the count: "
    "unsolved replicas are right-censored at the end of their budget, diverged ones never solve."
)


def survival_figure(replicas: pd.DataFrame) -> Figure:
    """Per task, the share of replicas still unsolved against epochs: Kaplan-Meier curves with 95 % intervals.

    Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457-481.

    Args:
        replicas: the frame of `results.replicas`.

    Returns:
        A matplotlib figure, one panel or more a task.

    Raises:
        InputError: if no cell is finished.

    >>> from harness import results
    >>> figure = survival_figure(results.replicas("first_light"))
    """
    cells = drawn(replicas, *COLUMNS)
    some, columns, grey = panels(cells, draw, expected(cells))
    return page("Replicas still unsolved", CAPTION + grey, some, columns=columns)


def draw(ax: Axes, *, shown: list[Drawn], others: list[Drawn]) -> None:
    """Fill a panel."""
    curves = {d.id: _curve(d) for d in (*shown, *others)}
    budgets = {d.id: float(d.column("budget_epochs").max()) for d in (*shown, *others)}
    first = [curve.time[1] for curve in curves.values() if len(curve.time) > 1]
    shortest = min(budgets.values()) / 2  # so that each line can be seen
    left = 10 ** np.floor(np.log10(max(1.0, min([*first, shortest]) - 1)))
    ends = {i: np.maximum([*curve.time, min(curve.until, budgets[i])], left) for i, curve in curves.items()}
    behind(ax, [(ends[d.id], _on(curves[d.id].unsolved)) for d in others], steps=True)
    for d in shown:
        curve, x = curves[d.id], ends[d.id]
        unsolved, low, high = map(_on, (curve.unsolved, curve.low, curve.high))
        solved = fates(d.rows).solved
        ax.fill_between(
            x, low, high, step="post", color=d.look["color"], alpha=min(0.15, 1 / len(shown)), linewidth=0
        )
        text = f"{d.algorithm}   {solved.sum():,} / {len(solved):,}"
        ax.plot(x, unsolved, drawstyle="steps-post", label=text, **d.look)
    logarithmic(ax, "x", left, max(*budgets.values(), 2 * left))
    ax.set(ylim=(-0.02, 1.02), ylabel="share still unsolved", xlabel="epochs (sweeps over the patterns)")


def _on(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What holds at the last time holds on."""
    return np.append(y, y[-1])


def _curve(d: Drawn) -> Survival:
    became = fates(d.rows)
    return survival(d.column("epochs"), became.solved, became.diverged)

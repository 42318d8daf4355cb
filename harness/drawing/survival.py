"""Who is still unsolved after how many epochs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import fates
from harness.drawing.frames import Drawn, drawn, panels
from harness.drawing.page import page
from harness.drawing.style import BEHIND, logarithmic
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
    some, columns, grey = panels(drawn(replicas, *COLUMNS), draw)
    return page("Replicas still unsolved", CAPTION + grey, some, columns=columns)


def draw(ax: Axes, *, shown: list[Drawn], others: list[Drawn]) -> None:
    """Fill a panel."""
    curves = {d.id: _curve(d) for d in (*shown, *others)}
    budgets = {d.id: float(d.column("budget_epochs").max()) for d in (*shown, *others)}
    first = [curve.time[1] for curve in curves.values() if len(curve.time) > 1]
    shortest = min(budgets.values()) / 2  # so that each line can be seen
    left = 10 ** np.floor(np.log10(max(1.0, min([*first, shortest]) - 1)))
    for i, d in enumerate((*shown, *others)):
        curve = curves[d.id]
        x = np.maximum([*curve.time, min(curve.until, budgets[d.id])], left)
        unsolved, low, high = (np.append(y, y[-1]) for y in (curve.unsolved, curve.low, curve.high))
        if i >= len(shown):
            ax.plot(x, unsolved, drawstyle="steps-post", **BEHIND)
            continue
        solved = fates(d.rows).solved
        ax.fill_between(
            x, low, high, step="post", color=d.look["color"], alpha=min(0.15, 1 / len(shown)), linewidth=0
        )
        text = f"{d.algorithm}   {solved.sum():,} / {len(solved):,}"
        ax.plot(x, unsolved, drawstyle="steps-post", label=text, **d.look)
    logarithmic(ax, "x", left, max(*budgets.values(), 2 * left))
    ax.set(ylim=(-0.02, 1.02), ylabel="share still unsolved", xlabel="epochs (sweeps over the patterns)")


def _curve(d: Drawn) -> Survival:
    became = fates(d.rows)
    return survival(d.column("epochs"), became.solved, became.diverged)

"""What loss, or share of right patterns, did during training: quantiles over the replicas."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import one_of
from harness.core.outcomes import Fates, fates
from harness.drawing.cell import Drawn
from harness.drawing.crowd import behind, expected
from harness.drawing.frames import drawn, panels
from harness.drawing.page import page
from harness.drawing.style import DIM, logarithmic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Quantity = Literal["loss", "right"]
QUARTILES = (25, 50, 75)
TITLES = {"loss": "Loss during training", "right": "Training patterns right during training"}
ENDS = {
    "loss": (
        "A replica that solved the task keeps its last loss, one that diverged is at infinity: "
        "where half of them are, the line leaves through the top. A loss of 0 lies on the lower edge."
    ),
    "right": "A replica that solved the task, or diverged, keeps its last share.",
}


def curve_figure(curves: pd.DataFrame, replicas: pd.DataFrame, quantity: Quantity = "loss") -> Figure:
    """Per task, the median over all replicas of the loss against epochs, and its quartiles.

    Args:
        curves: the frame of `results.curves`.
        replicas: the frame of `results.replicas`; it says how many there are and what became of them.
        quantity: loss, or right, the share of patterns right.

    Returns:
        A matplotlib figure, one panel or more a task.

    Raises:
        InputError: if no cell is finished.

    >>> from harness import results
    >>> figure = curve_figure(results.curves("first_light"), results.replicas("first_light"))
    """
    one_of("quantity", quantity, TITLES)
    cells = drawn(curves, *columns_of(quantity))
    ends = drawn(replicas, "outcome", "epochs")
    became = {d.id: fates(d.rows) for d in ends}
    some, columns, grey = panels(cells, partial(draw, quantity=quantity, became=became), expected(ends))
    return page(TITLES[quantity], caption_of(quantity) + grey, some, columns=columns)


def columns_of(quantity: Quantity) -> list[str]:
    """What `draw` reads in the frame of curves."""
    return ["epoch", "budget_epochs", *(f"{quantity}_q{q}" for q in QUARTILES)]


def caption_of(quantity: Quantity) -> str:
    """What the lines of a panel are."""
    return f"Line: median over all n replicas; band: quartiles (25–75 %). {ENDS[quantity]}"


def draw(
    ax: Axes, *, shown: list[Drawn], others: list[Drawn], quantity: Quantity, became: dict[str, Fates]
) -> None:
    """Fill a panel, given what `became` of the replicas of each cell, by its id."""
    known = {d.id: _quartiles(d, quantity) for d in (*shown, *others)}
    bottom, top = (
        _limits(ax, [y for _, *quartiles in known.values() for y in quartiles])
        if quantity == "loss"
        else (0.0, 1.0)
    )
    # ∞ goes beyond the top, 0 to the bottom edge, NaN stays undrawn
    known = {
        i: [x, *(np.clip(y, bottom, 10 * top) for y in quartiles)] for i, (x, *quartiles) in known.items()
    }
    behind(ax, [(known[d.id][0], known[d.id][2]) for d in others])
    for d in shown:
        x, low, median, high = known[d.id]
        ax.fill_between(x, low, high, color=d.look["color"], alpha=min(0.15, 1 / len(shown)), linewidth=0)
        n, diverged = len(became[d.id].solved), np.count_nonzero(became[d.id].diverged)
        text = f"{d.algorithm}   n = {n:,}" + (f", {diverged:,} diverged" if diverged else "")
        markers: dict[str, Any] = (
            {} if np.isfinite(median).any() else {"markevery": None}
        )  # matplotlib cannot space them on nothing
        ax.plot(x, median, label=text, **(d.look | markers))
    logarithmic(ax, "x", 1, max(2, *(float(d.column("budget_epochs").max()) for d in (*shown, *others))))
    if quantity == "loss":
        logarithmic(ax, "y", bottom, top)
    else:
        ax.set_ylim(-0.02, 1.02)
    ax.set(
        ylabel="loss E" if quantity == "loss" else "share of patterns right",
        xlabel="epochs (sweeps over the patterns)",
    )


def _quartiles(d: Drawn, quantity: Quantity) -> list[NDArray[np.float64]]:
    later = d.column("epoch") >= 1  # a logarithmic axis has no 0
    return [d.column(name)[later] for name in ("epoch", *(f"{quantity}_q{q}" for q in QUARTILES))]


def _limits(ax: Axes, quartiles: list[NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate(quartiles)
    values = values[np.isfinite(values) & (values > 0)]
    if len(values):
        top = 1.3 * values.max()
        return max(values.min() / 1.3, 1e-6 * top), top
    ax.text(0.5, 0.5, "no finite loss above 0", transform=ax.transAxes, ha="center", color=DIM)
    return 0.1, 10.0

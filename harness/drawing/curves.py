"""What loss, or share of right patterns, did during training: quantiles over the replicas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.outcomes import Fates
from harness.drawing import thin
from harness.drawing.cell import Drawn
from harness.drawing.crowd import behind
from harness.drawing.style import DIM, logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Quantity = Literal["loss", "right"]
QUARTILES = (25, 50, 75)
ENDS = {
    "loss": (
        "A replica that solved the task keeps its last loss, one that diverged is at infinity: "
        "where half of them are, the line leaves through the top. A loss of 0 lies on the lower edge."
    ),
    "right": "A replica that solved the task, or diverged, keeps its last share.",
}


class Limits(NamedTuple):
    """Of the axes of a panel."""

    right: float
    """Epochs."""
    bottom: float
    top: float
    known: bool = True
    """Whether there is anything to see between them."""


def columns_of(quantity: Quantity) -> list[str]:
    """What `draw` reads in the frame of curves."""
    return ["epoch", "budget_epochs", *(f"{quantity}_q{q}" for q in QUARTILES)]


def caption_of(quantity: Quantity) -> str:
    """What the lines of a panel are."""
    return f"Line: median over all n replicas; band: quartiles (25–75 %). {ENDS[quantity]}"


def limits(quantity: Quantity, cells: Iterable[Drawn]) -> Limits:
    """The ends of the axes on which the curves of some cells can be seen."""
    some = list(cells)
    right = max(2.0, *(float(d.column("budget_epochs").max()) for d in some))
    if quantity == "right":
        return Limits(right, -0.02, 1.02)
    values = np.concatenate([y for d in some for y in _quartiles(d, quantity)[1:]])
    values = values[np.isfinite(values) & (values > 0)]
    top = 1.3 * float(values.max()) if len(values) else 10.0
    return Limits(
        right, max(float(values.min()) / 1.3, 1e-6 * top) if len(values) else 0.1, top, len(values) > 0
    )


def draw(
    ax: Axes,
    *,
    shown: list[Drawn],
    others: list[Drawn],
    quantity: Quantity,
    became: Mapping[str, Fates],
    within: Limits | None = None,
) -> None:
    """Fill a panel, given what `became` of the replicas of each cell, by its id, `within` these ends."""
    ends = within or limits(quantity, [*shown, *others])
    logarithmic(ax, "x", 1, ends.right)
    if quantity == "loss":
        logarithmic(ax, "y", ends.bottom, ends.top)
    else:
        ax.set_ylim(ends.bottom, ends.top)
    if not ends.known:
        ax.text(0.5, 0.5, "no finite loss above 0", transform=ax.transAxes, ha="center", color=DIM)
    ax.set(
        ylabel="loss E" if quantity == "loss" else "share of patterns right",
        xlabel="epochs (sweeps over the patterns)",
    )
    # ∞ goes beyond the top, 0 to the bottom edge, NaN stays undrawn
    low, high = (ends.bottom, 10 * ends.top) if quantity == "loss" else (0.0, 1.0)
    known = {}
    for d in (*shown, *others):
        x, *quartiles = _quartiles(d, quantity)
        known[d.id] = x, [np.clip(y, low, high) for y in quartiles]
    behind(ax, [(x, median) for x, (_, median, _) in (known[d.id] for d in others)])
    for d in shown:
        x, (first, median, third) = known[d.id]
        thin.band(ax, x, first, third, d.look["color"], min(0.15, 1 / len(shown)))
        n, diverged = len(became[d.id].solved), np.count_nonzero(became[d.id].diverged)
        text = f"{d.algorithm}   n = {n:,}" + (f", {diverged:,} diverged" if diverged else "")
        markers: dict[str, Any] = (
            {} if np.isfinite(median).any() else {"markevery": None}
        )  # matplotlib cannot space them on nothing
        ax.plot(*thin.thinned(ax, x, median).T, label=text, **(d.look | markers))


def _quartiles(d: Drawn, quantity: Quantity) -> list[NDArray[np.float64]]:
    later = d.column("epoch") >= 1  # a logarithmic axis has no 0
    return [d.column(name)[later] for name in ("epoch", *(f"{quantity}_q{q}" for q in QUARTILES))]

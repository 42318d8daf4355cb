"""What loss, or share of right patterns, did during training. Tasks and families of rules, as survival is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import one_of
from harness.core.outcomes import fates
from harness.drawing.cell import Drawn
from harness.drawing.crowd import expected
from harness.drawing.curves import Quantity, caption_of, columns_of, draw, limits
from harness.drawing.facets import facets
from harness.drawing.frames import Draw, drawn
from harness.experiment.digits import brief, percent
from harness.plots.families import BESIDE, arranged, key_of
from harness.plots.titles import Best, costs_of, over_tasks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def curve_figure(curves: pd.DataFrame, replicas: pd.DataFrame, quantity: Quantity = "loss") -> Figure:
    """Per task and family of rules, the median over all replicas of the loss against epochs, and quartiles.

    Args:
        curves: the frame of `results.curves`.
        replicas: the frame of `results.replicas`; it says how many there are and what became of them.
        quantity: loss, or right, the share of patterns right.

    Returns:
        A matplotlib figure, arranged as `survival_figure`.

    Raises:
        InputError: if no cell is finished.

    >>> from harness import results
    >>> figure = curve_figure(results.curves("first_light"), results.replicas("first_light"))
    """
    one_of("quantity", quantity, ("loss", "right"))
    cells = drawn(curves, *columns_of(quantity))
    ends = drawn(replicas, "outcome", "epochs")
    became = {d.id: fates(d.rows) for d in ends}

    def draw_of(some: Sequence[Drawn]) -> Draw:
        return partial(draw, quantity=quantity, became=became, within=limits(quantity, some))

    blocks, grey = arranged(cells, draw_of, expected(ends))
    title, own = _title(cells, quantity), quantity == "loss"
    return facets(title, caption_of(quantity) + grey, blocks, key_of(cells), own=own)


def _title(cells: Sequence[Drawn], quantity: Quantity) -> str:
    """Whose median is the lowest, or highest, at its end, on each task."""
    low = quantity == "loss"
    sign = 1.0 if low else -1.0
    last = {d.id: sign * float(d.column(f"{quantity}_q50")[-1]) for d in cells}
    best: dict[str, Best | None] = {}
    ends = costs_of(cells, last)
    for task, own in ends.items():
        finite = {name: x for name, x in own.items() if np.isfinite(x)}
        least = min(finite.values(), default=0.0)
        names = [name for name, x in finite.items() if x == least]
        best[task] = Best(names, brief(least) if low else percent(-least)) if names else None
    also = BESIDE if any(BESIDE in own for own in ends.values()) else ""
    lead = "The median loss ends lowest" if low else "The median share of right patterns ends highest"
    return over_tasks(lead, "for", best, "no loss is finite at its end on", also)

"""How the cost of an update grows with the network:
lines on logarithmic axes, their slopes the fitted exponents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.cost.growth import AXES, DRAWN, QUANTITIES, exponent, varying
from harness.cost.sheet import CostSheet
from harness.drawing.frames import GREY_ARE, TOGETHER
from harness.drawing.page import Panel, page
from harness.drawing.style import BEHIND, logarithmic, look
from harness.experiment.digits import brief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def growth_figure(task: str, sheets: Mapping[str, Sequence[CostSheet]]) -> Figure:
    """What one update costs one network as the network grows: one panel a quantity, one line an algorithm.

    Args:
        task: what the title names.
        sheets: counted costs (`harness.cost.sheet.sheet`) of networks of several sizes, by algorithm.

    Returns:
        A matplotlib figure, log against log, with the fitted exponent beside each name.

    >>> from harness.cells.cell import Cell
    >>> from harness.cost.sheet import sheet
    >>> cells = [Cell.of({"name": "backprop"}, {"name": "xor", "hidden": h}, {}) for h in (2, 4)]
    >>> figure = growth_figure("xor", {"backprop": [sheet(cell) for cell in cells]})
    """
    axes = varying([s for some in sheets.values() for s in some]) or ["W"]
    axis = "depth" if "depth" in axes else axes[0]
    names = list(sheets)
    size = -(-len(names) // -(-len(names) // TOGETHER))
    parts = [names[i : i + size] for i in range(0, len(names), size)]
    panels = [
        Panel(
            quantity + f", part {i} of {len(parts)}" * (len(parts) > 1),
            partial(_draw, quantity, axis, sheets, shown),
        )
        for quantity in DRAWN
        for i, shown in enumerate(parts, 1)
    ]
    caption = (
        f"Counted from the code; n = {sum(map(len, sheets.values()))} networks. There is no chance "
        "in a count, so it has no interval. Exponents: slopes by least squares. An amount of 0 is not drawn."
        + GREY_ARE
        * (len(parts) > 1)
    )
    return page(
        _title(task, axis, sheets),
        caption,
        panels,
        columns=min(len(parts), 4) if parts[1:] else None,
    )


def _title(task: str, axis: str, sheets: Mapping[str, Sequence[CostSheet]]) -> str:
    """The least and the largest exponent of work; where there is none, the least work."""
    powers = {name: _power(axis, "work", some) for name, some in sheets.items()}
    known = {name: p for name, p in powers.items() if not np.isnan(p)}
    if known:
        ends = dict.fromkeys(
            (min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name]))
        )
        said = [f"{axis}^{known[name]:.2f} for {name}".replace("-", "−") for name in ends]
        return f"{task}: the work of an update grows as {' and as '.join(said)}"
    work = {name: min(s.update.work for s in some) for name, some in sheets.items()}
    least = min(work, key=lambda name: work[name])
    among = f", the least of {len(work)} rules" if len(work) > 1 else ""
    return f"{task}: an update of {least} takes {brief(work[least])} FLOPs{among}"


def _power(axis: str, quantity: str, some: Sequence[CostSheet]) -> float:
    x, y = ([float(of(s)) for s in some] for of in (AXES[axis], QUANTITIES[quantity]))
    return exponent(x, y) if len(set(x)) > 1 else np.nan


def _draw(
    quantity: str, axis: str, sheets: Mapping[str, Sequence[CostSheet]], shown: Sequence[str], ax: Axes
) -> None:
    amounts = []
    for i, (name, some) in enumerate(sheets.items()):
        x, y = ([float(of(s)) for s in some] for of in (AXES[axis], QUANTITIES[quantity]))
        power = _power(axis, quantity, some)
        fitted = "" if np.isnan(power) else f"   ∝ {axis}^{power:.2f}".replace("-", "−")
        style = {**look(i), "markevery": None, "label": name + fitted} if name in shown else BEHIND
        ax.plot(x, np.where(np.array(y) > 0, y, np.nan), **style)
        amounts += [v for v in y if v > 0]
    sizes = [float(AXES[axis](s)) for some in sheets.values() for s in some]
    logarithmic(ax, "x", min(sizes) / 1.3, max(sizes) * 1.3)
    bottom = min(amounts, default=1.0) / 1.3
    logarithmic(ax, "y", bottom, max(max(amounts, default=10.0) * 1.3, 5 * bottom))
    ax.set_xlabel(axis)

"""Where credit points during training: its angle to the exact gradient, edge by edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError, one_of
from harness.drawing.cell import Drawn
from harness.drawing.frames import by_task, drawn, needs, panels
from harness.drawing.page import Panel, page
from harness.drawing.style import BEHIND, DIM, logarithmic, look
from harness.plots.families import BESIDE
from harness.plots.titles import Best, many, over_tasks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
QUANTILES = ("q25", "q50", "q75")
TOTAL = "total"  # all weights together, as `harness.credit.compare` calls it
QUANTITIES = {
    "angle": "Late in training credit is nearest the exact gradient",
    "mean_angle": "Late in training the mean of several draws of credit is nearest the exact gradient",
    "newton": "Late in training credit is nearest the Gauss–Newton step",
}
"""The angles, and what is said of the least."""
LEFT = 0.6  # of the axis of epochs


def credit_figure(
    credit: pd.DataFrame, by: Literal["edge", "algorithm"] = "edge", quantity: str = "angle"
) -> Figure:
    """The angle of credit to the gradient over training, in degrees: 90° is as good as chance.

    Median and quartiles over the replicas in which both have a direction; how many have is in the legend.

    Args:
        credit: the frame of `results.credit`.
        by: edge, a panel for each edge and a line an algorithm; or algorithm, turned round.
        quantity: one of the angles.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if nothing was compared.

    >>> from harness import results
    >>> figure = credit_figure(results.credit("first_light"))
    """
    one_of("by", by, ("edge", "algorithm"))
    one_of("quantity", quantity, QUANTITIES)
    if len(credit):
        needs(credit, "quantity", "edge", "epoch", "defined", *QUANTILES)
        credit = credit[(credit["quantity"] == quantity) & (credit["defined"] > 0)].sort_values(
            "epoch", kind="stable"
        )
    if not len(credit):
        raise InputError("no credit was compared with a gradient: run with run.probe=8 or so")
    cells = drawn(credit)
    tasks, last = by_task(cells), float(credit["epoch"].max())
    some, columns, grey = _by_edge(tasks, last) if by == "edge" else (_by_algorithm(tasks, last), None, "")
    caption = (
        f"{', '.join(tasks)}. 0°: the same direction; 90°, the dashed line: as good as chance. Line: "
        "median over the replicas in training that have both directions, their n at the first "
        "and last epoch beside the name; band: quartiles (25–75 %). Epoch 0 stands at the left edge."
    )
    return page(
        _title(cells, quantity),
        caption + grey,
        [panel._replace(height=2.5) for panel in some],
        columns=columns,
    )


def _title(cells: Sequence[Drawn], quantity: str) -> str:
    """Whose median angle is the least, of all weights or else of the first edge, at each one's last look with
    half of its replicas or more.
    """
    best: dict[str, Best | None] = {}
    edge = _edges(cells)[0]
    for task, some in by_task(cells).items():
        angle = {d.algorithm: x for d in some if np.isfinite(x := _late(_of_edge(d, edge)))}
        if angle:
            least = min(angle.values())
            among = f", of {many(len(angle), 'rule')}" if len(angle) > 1 else ""
            best[task] = Best([name for name, x in angle.items() if x == least], f"{least:.0f}°{among}")
    also = BESIDE if any(d.algorithm == BESIDE for d in cells) else ""
    return over_tasks(f"{QUANTITIES[quantity]} ({_name(edge)})", "for", best, "", also)


def _late(d: Drawn) -> float:
    n = d.column("defined")
    return float(d.column("q50")[n >= n.max() / 2][-1]) if len(n) else np.nan


def _by_edge(tasks: Mapping[str, list[Drawn]], last: float) -> tuple[list[Panel], int | None, str]:
    some: list[Panel] = []
    columns, grey = None, ""
    for task, cells in tasks.items():
        for edge in _edges(cells):
            parts, wide, word = panels(
                [d for d in (_of_edge(d, edge) for d in cells) if len(d.rows["edge"])],
                partial(_draw, last=last),
            )
            for i, part in enumerate(parts, 1):
                words = (
                    [task] * (len(tasks) > 1)
                    + [_name(edge)]
                    + [f"part {i} of {len(parts)}"] * (len(parts) > 1)
                )
                some.append(part._replace(title=", ".join(words)))
            columns, grey = columns or wide, grey or word
    return some, columns, grey


def _by_algorithm(tasks: Mapping[str, list[Drawn]], last: float) -> list[Panel]:
    cells = [d for some in tasks.values() for d in some]
    titles = [d.algorithm + (f" on {d.task}" if len(tasks) > 1 else "") for d in cells]
    return [
        Panel(title, partial(_draw_edges, cell=d, last=last)) for title, d in zip(titles, cells, strict=True)
    ]


def _of_edge(d: Drawn, edge: str) -> Drawn:
    of_edge = d.rows["edge"] == edge
    return d._replace(rows={name: values[of_edge] for name, values in d.rows.items()})


def _name(edge: str) -> str:
    return "all weights" if edge == TOTAL else edge


def _edges(cells: Sequence[Drawn]) -> list[str]:
    """The edges in the order in which they come, all together first."""
    edges = dict.fromkeys(edge for d in cells for edge in d.rows["edge"])
    return sorted(edges, key=lambda edge: edge != TOTAL)


def _draw(ax: Axes, *, shown: list[Drawn], others: list[Drawn], last: float) -> None:
    for d in others:
        ax.plot(_x(d), d.column("q50"), **BEHIND)
    for d in shown:
        _line(ax, d, d.algorithm, d.look, alpha=min(0.15, 1 / len(shown)))
    _axes(ax, last, [*shown, *others])


def _draw_edges(ax: Axes, *, cell: Drawn, last: float) -> None:
    for i, edge in enumerate(_edges([cell])):
        _line(ax, _of_edge(cell, edge), _name(edge), look(i), alpha=0.12)
    _axes(ax, last, [cell])


def _line(ax: Axes, d: Drawn, name: str, style: dict[str, Any], alpha: float) -> None:
    low, median, high = (d.column(q) for q in QUANTILES)
    n = d.column("defined")
    text = f"{name}   n = {n[0]:,.0f}" + (f" to {n[-1]:,.0f}" if n[-1] != n[0] else "")
    ax.fill_between(_x(d), low, high, color=style["color"], alpha=alpha, linewidth=0)
    ax.plot(_x(d), median, label=text, **(style | {"markevery": None}))


def _x(d: Drawn) -> Numbers:
    return np.maximum(d.column("epoch"), LEFT)  # a logarithmic axis has no 0


def _axes(ax: Axes, last: float, cells: Sequence[Drawn]) -> None:
    top = max(float(d.column(QUANTILES[-1]).max()) for d in cells)
    ax.axhline(90, color=DIM, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1.8)
    logarithmic(ax, "x", LEFT, max(2.0, 1.2 * last))
    ax.set_yticks(range(0, 181, 45), [f"{angle}°" for angle in range(0, 181, 45)])
    ax.set(ylim=(-4, 184 if top > 135 else 139), ylabel="angle", xlabel="epochs (sweeps over the patterns)")

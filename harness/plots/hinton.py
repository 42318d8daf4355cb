"""Hinton diagrams: the weights of one trained network, each a square, white for positive, black for negative.

The area of a square is proportional to the weight's size, on one scale for the whole diagram. A panel holds
the weights into one group of units, a column for each unit; its rows are the units they come from, with the
bias last. As in Rumelhart, Hinton & Williams 1986, Nature 323:533-536, fig. 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.experiment.summary import number
from harness.plots.style import DIM, styled
from harness.results.labels import labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.store.record import Record

Array = Any
GREY = "#999999"
CELL_MIN, CELL_MAX, WIDE = 0.05, 0.42, 13.0  # inches: a square's place, and the whole
LEFT, LETTER, GAP = 0.5, 0.067, 0.5  # inches left of a panel; inches a letter; squares between blocks of a panel


class Panel(NamedTuple):
    """The weights into one group, from top to bottom."""

    target: str
    blocks: list[tuple[str, Array]]
    """Name and weights (source size, target size) of each source group; the bias (1, target size) last."""

    @property
    def rows(self) -> float:
        """Height in squares."""
        return sum(len(w) for _, w in self.blocks) + GAP * (len(self.blocks) - 1)

    @property
    def columns(self) -> int:
        """Width in squares."""
        return int(self.blocks[0][1].shape[1])


def hinton_figure(record: Record, replica: int | None = None) -> Figure:
    """The weights of one replica of a cell: `replica`, or the first that solved the task.

    Raises `InputError` if there is no such replica, none is solved, or the cell has no weights by edges.
    """
    row = row_of(record, replica)
    panels = _panels_of({name: w[row] for name, w in record.weights.items()})
    if not panels:
        raise InputError(f"{record.id} has no weights by edges to draw")
    with styled():
        return _draw(panels, *words(record, row))


def has_hidden_weights(record: Record) -> bool:
    """Whether some group that weights lead to has weights leading on."""
    edges = [name.partition("-") for name in record.weights if "-" in name]
    return any(target == source for _, _, target in edges for source, _, _ in edges)


def row_of(record: Record, replica: int | None) -> int:
    """The row of a replica, or of the first that solved the task. Raises `InputError` if there is none."""
    columns = record.replicas
    rows = np.flatnonzero(fates(columns).solved if replica is None else columns["replica"] == replica)
    if not len(rows):
        raise InputError(f"{record.id} has {'no solved replica' if replica is None else f'no replica {replica}'} to draw")
    return int(rows[0])


def words(record: Record, row: int) -> tuple[str, str]:
    """What the diagram is of: title and subtitle."""
    columns, label = record.replicas, labels([record.meta])[0]
    solved = fates(columns).solved
    n, epoch = len(solved), number(columns["epochs"][row])
    fate = f"solved at epoch {epoch}" if solved[row] else f"{columns['outcome'][row]} after {epoch} epochs"
    counts = f"{number(solved.sum())} of n = {number(n)} replicas solved the task"
    return f"Weights learned by {label.algorithm} on {label.task}", f"replica {columns['replica'][row]}, {fate}; {counts}"


def _panels_of(weights: Mapping[str, Array]) -> list[Panel]:
    """Panels in the order activity reaches the groups; parameters that are not an edge or its bias are left out."""
    panels: dict[str, Panel] = {}
    for name, w in weights.items():
        source, _, target = name.partition("-")
        if target and w.ndim == 2:
            panels.setdefault(target, Panel(target, [])).blocks.append((source, w))
    for panel in panels.values():
        bias = weights.get(panel.target)
        if bias is not None and bias.shape == (1, panel.columns):
            panel.blocks.append(("bias", bias))
    return list(panels.values())


def _draw(panels: list[Panel], title: str, subtitle: str) -> Figure:
    from matplotlib.figure import Figure

    # laid out in inches: a square is of one size in all panels
    columns = sum(p.columns for p in panels)
    cell = float(np.clip((WIDE - 0.9 * len(panels)) / columns, CELL_MIN, CELL_MAX))
    left = [LEFT + LETTER * max(0 if _upright(name, w, cell) else len(name) for name, w in p.blocks) for p in panels]
    sizes = np.concatenate([np.abs(w).ravel() for p in panels for _, w in p.blocks])
    biggest = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    caption = f"white: positive, black: negative; area ∝ |weight|, the largest is {biggest:.3g}"
    content = sum(left) + cell * columns + 0.3
    width = max(content, LETTER * max(len(title) * 1.5, len(subtitle), len(caption)) + 0.3)
    tall = cell * max(p.rows for p in panels)
    height = tall + 1.75
    figure = Figure(figsize=(width, height))
    figure.text(0.15 / width, 1 - 0.15 / height, title, fontsize=11, fontweight="bold", va="top")
    figure.text(0.15 / width, 1 - 0.4 / height, subtitle, fontsize=9, va="top")
    figure.text(0.15 / width, 0.12 / height, caption, fontsize=8, color=DIM, va="bottom")
    x = (width - content) / 2
    for panel, margin in zip(panels, left, strict=True):
        x += margin
        wide, high = cell * panel.columns, cell * panel.rows
        box = (x / width, (height - 1.25 - high) / height, wide / width, high / height)
        _draw_panel(figure.add_axes(box), panel, cell, biggest)
        x += wide
    return figure


def _upright(name: str, weights: Array, cell: float) -> bool:
    """Whether a block is high enough for its name to stand beside it."""
    return len(weights) * cell >= LETTER * len(name)


def _draw_panel(ax: Axes, panel: Panel, cell: float, biggest: float) -> None:
    """One unit of the axes is one square; rows go down."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    ax.set(xlim=(0, panel.columns), ylim=(panel.rows, 0), aspect="equal")
    ax.set_axis_off()
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if step * cell >= 0.15)  # numbers must not touch
    top = 0.0
    squares: dict[str, list[Rectangle]] = {"white": [], "black": []}
    for name, weights in panel.blocks:
        rows, columns = weights.shape
        ax.add_patch(Rectangle((0, top), columns, rows, facecolor=GREY, linewidth=0))
        for (i, j), w in np.ndenumerate(weights):
            side = 0.9 * np.sqrt(abs(w) / biggest) if biggest > 0 and np.isfinite(w) else 0.0
            corner = (j + (1 - side) / 2, top + i + (1 - side) / 2)
            squares["white" if w > 0 else "black"].append(Rectangle(corner, side, side))
        if rows == 1:
            ax.text(-0.08 / cell, top + 0.5, name, ha="right", va="center", fontsize=8)
        else:
            for i in range(0, rows, every):
                ax.text(-0.05 / cell, top + i + 0.5, str(i + 1), ha="right", va="center", fontsize=7, color=DIM)
            turn = 90 if _upright(name, weights, cell) else 0
            ax.text(-0.22 / cell, top + rows / 2, name, ha="right", va="center", fontsize=8, rotation=turn)
        top += rows + GAP
    for colour, patches in squares.items():
        ax.add_collection(PatchCollection(patches, facecolor=colour, linewidth=0))
    if panel.columns > 1:
        for j in range(0, panel.columns, every):
            ax.text(j + 0.5, -0.04 / cell, str(j + 1), ha="center", va="bottom", fontsize=7, color=DIM)
    ax.text(panel.columns / 2, -0.2 / cell, f"→ {panel.target}", ha="center", va="bottom", fontsize=8, fontweight="bold")

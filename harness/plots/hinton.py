"""Hinton diagrams: the weights of one trained network, each a square, white for positive, black for negative.

The area of a square is proportional to the weight's size, on one scale for the whole diagram. A panel holds
the weights into one group of units, a column for each unit; its rows are the units they come from, with the
bias last. As in Rumelhart, Hinton & Williams 1986, Nature 323:533-536, fig. 4.

Between maps a kernel is drawn in its own shape, a row of kernels for each channel it sees and a column for
each it makes; where every place has a kernel of its own, they stand as the places do. What is heard a time
step later is marked (t − 1), and weights that several edges share are drawn once, with the names of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.cells.labels import labels
from harness.core import registry
from harness.core.convolution import Convolution, Local
from harness.core.edges import Edge
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.outcomes import SOLVED, UNSOLVED, fates
from harness.drawing.style import DIM, styled
from harness.experiment.digits import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.store.record import Record

Array = Any
GREY = "#999999"
CELL_MIN, CELL_MAX, WIDE = 0.05, 0.42, 13.0  # inches: a square's place, and the whole
# inches left of a panel; inches a letter; squares between blocks of a panel
LEFT, LETTER, GAP = 0.5, 0.067, 0.5


class Block(NamedTuple):
    """The weights of an edge, as they are drawn."""

    name: str
    weights: Array
    """(rows, columns); NaN where there is no square."""
    tile: tuple[int, int] = (1, 1)
    """Squares (high, wide) of a unit, or of all kernels between two channels."""
    kernel: tuple[int, int] = (0, 0)
    """Squares of one kernel; 0 where there is none."""


class Panel(NamedTuple):
    """The weights into one group, from top to bottom."""

    target: str
    blocks: list[Block]
    """Of each source group; the bias, one row, last."""

    @property
    def rows(self) -> float:
        """Height in squares."""
        return sum(len(b.weights) for b in self.blocks) + GAP * (len(self.blocks) - 1)

    @property
    def columns(self) -> int:
        """Width in squares."""
        return max(int(b.weights.shape[1]) for b in self.blocks)

    @property
    def wide(self) -> int:
        """Squares that a unit or channel is wide."""
        return max(b.tile[1] for b in self.blocks)


def hinton_figure(record: Record, replica: int | None = None) -> Figure:
    """The weights of one replica of a cell, as squares of their size (a Hinton diagram).

    Args:
        record: a finished cell (`results.records`).
        replica: its number; None for the first that solved the task.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no such replica, none is solved, or the cell has no weights by edges.

    >>> from harness import results
    >>> figure = hinton_figure(results.records("first_light")[0], replica=0)
    """
    row = row_of(record, replica)
    panels = panels_of({name: w[row] for name, w in record.weights.items()}, network_of(record))
    if not panels:
        raise InputError(f"{record.id} has no weights by edges to draw")
    with styled():
        return _draw(panels, *words(record, row))


def has_hidden_weights(record: Record) -> bool:
    """Whether some group that weights lead to has weights leading on."""
    edges = [name.partition(":")[0].partition("-") for name in record.weights if "-" in name]
    return any(target == source for _, _, target in edges for source, _, _ in edges)


def row_of(record: Record, replica: int | None) -> int:
    """The row of a replica, or of the first that solved the task. Raises `InputError` if there is none."""
    columns = record.replicas
    rows = np.flatnonzero(fates(columns).solved if replica is None else columns["replica"] == replica)
    if not len(rows):
        raise InputError(
            f"{record.id} has {'no solved replica' if replica is None else f'no replica {replica}'} to draw"
        )
    return int(rows[0])


def words(record: Record, row: int) -> tuple[str, str]:
    """What the diagram is of: title and subtitle."""
    columns, label = record.replicas, labels([record.meta])[0]
    solved = fates(columns).solved
    n, epoch = len(solved), number(columns["epochs"][row])
    fate = f"solved at epoch {epoch}" if solved[row] else f"{columns['outcome'][row]} after {epoch} epochs"
    counts = f"{number(solved.sum())} of n = {number(n)} replicas solved the task"
    return (
        _title(label.algorithm, label.task, columns["outcome"][row], epoch),
        f"replica {columns['replica'][row]}, {fate}; {counts}",
    )


def _title(algorithm: str, task: str, outcome: str, epoch: str) -> str:
    if outcome == SOLVED:
        return f"Weights with which {algorithm} solved {task} at epoch {epoch}"
    return f"Weights of {algorithm}, which " + (
        f"left {task} unsolved after {epoch} epochs"
        if outcome == UNSOLVED
        else f"diverged on {task} after {epoch} epochs"
    )


def network_of(record: Record) -> Network | None:
    """The network of a record's task; None where that task is not there any more."""
    try:
        return registry.build_task(record.meta["task"]).network()
    except InputError:
        return None


def panels_of(weights: Mapping[str, Array], net: Network | None = None) -> list[Panel]:
    """Panels in the order activity reaches the groups;
    parameters that are not an edge or its bias are left out.
    """
    edges = {e.name: e for e in (net.edges if net else ())}
    panels: dict[str, Panel] = {}
    for name, w in weights.items():
        source, _, target = name.partition(":")[0].partition("-")
        if target and w.ndim == 2:
            edge = edges.get(name)
            label = source + (" (t − 1)" if ":" in name else "")
            label += "".join(
                f", {e.name}" for e in edges.values() if e.name != name and e.weights.name == name
            )
            block = Block(label, w) if edge is None or edge.shape != w.shape else _block(label, edge, w)
            panels.setdefault(target, Panel(target, [])).blocks.append(block)
    for panel in panels.values():
        bias = weights.get(panel.target)
        if bias is not None and bias.shape == (1, panel.columns // panel.wide):
            row = np.full((1, panel.columns), np.nan)
            row[0, panel.wide // 2 :: panel.wide] = bias[0]
            panel.blocks.append(Block("bias", row, (1, panel.wide)))
    return list(panels.values())


def _block(label: str, edge: Edge, w: Array) -> Block:
    """The weights of an edge; between maps in the shape of their kernels,
    an image for each pair of channels.
    """
    if not isinstance(edge, Convolution):
        return Block(label, w)
    high, wide = edge.kernel
    shape: Any = edge.target.shape
    down, along = shape[:2] if isinstance(edge, Local) else (1, 1)
    each = w.reshape(down, along, high, wide, edge.source.channels, edge.target.channels)
    tile = (down * high, along * wide)
    drawn = each.transpose(4, 0, 2, 5, 1, 3).reshape(
        edge.source.channels * tile[0], edge.target.channels * tile[1]
    )
    return Block(label, drawn, tile, edge.kernel)


def _draw(panels: list[Panel], title: str, subtitle: str) -> Figure:
    from harness.drawing.picture import Picture

    # laid out in inches: a square is of one size in all panels
    columns = sum(p.columns for p in panels)
    cell = float(np.clip((WIDE - 0.9 * len(panels)) / columns, CELL_MIN, CELL_MAX))
    left = [LEFT + LETTER * max(0 if _upright(b, cell) else len(b.name) for b in p.blocks) for p in panels]
    sizes = np.concatenate([np.abs(b.weights).ravel() for p in panels for b in p.blocks])
    biggest = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    caption = f"white: positive, black: negative; area ∝ |weight|, the largest is {biggest:.3g}"
    content = sum(left) + cell * columns + 0.3
    width = max(content, LETTER * max(len(title) * 1.5, len(subtitle), len(caption)) + 0.3)
    tall = cell * max(p.rows for p in panels)
    height = tall + 1.75
    figure = Picture(figsize=(width, height))
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


def _upright(block: Block, cell: float) -> bool:
    """Whether a block is high enough for its name to stand beside it."""
    return len(block.weights) * cell >= LETTER * len(block.name)


def _draw_panel(ax: Axes, panel: Panel, cell: float, biggest: float) -> None:
    """One unit of the axes is one square; rows go down."""
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Rectangle

    ax.set(xlim=(0, panel.columns), ylim=(panel.rows, 0), aspect="equal")
    ax.set_axis_off()
    top = 0.0
    squares: dict[str, list[Rectangle]] = {"white": [], "black": []}
    for block in panel.blocks:
        rows, columns = block.weights.shape
        ax.add_patch(Rectangle((0, top), columns, rows, facecolor=GREY, linewidth=0))
        for (i, j), w in np.ndenumerate(block.weights):
            side = 0.9 * np.sqrt(abs(w) / biggest) if biggest > 0 and np.isfinite(w) else 0.0
            corner = (j + (1 - side) / 2, top + i + (1 - side) / 2)
            squares["white" if w > 0 else "black"].append(Rectangle(corner, side, side))
        if all(block.kernel):
            high, wide = block.kernel
            between = [((j, top), (j, top + rows)) for j in range(wide, columns, wide)]
            between += [((0, top + i), (columns, top + i)) for i in range(high, rows, high)]
            ax.add_collection(LineCollection(between, colors="white", linewidths=0.5))
        if rows == 1:
            ax.text(-0.08 / cell, top + 0.5, block.name, ha="right", va="center", fontsize=8)
        else:
            for i, middle in _numbered(rows, block.tile[0], cell):
                ax.text(-0.05 / cell, top + middle, i, ha="right", va="center", fontsize=7, color=DIM)
            turn = 90 if _upright(block, cell) else 0
            ax.text(
                -0.22 / cell, top + rows / 2, block.name, ha="right", va="center", fontsize=8, rotation=turn
            )
        top += rows + GAP
    for colour, patches in squares.items():
        ax.add_collection(PatchCollection(patches, facecolor=colour, linewidth=0))
    if panel.columns > 1:
        for j, middle in _numbered(panel.columns, panel.wide, cell):
            ax.text(middle, -0.04 / cell, j, ha="center", va="bottom", fontsize=7, color=DIM)
    ax.text(
        panel.columns / 2,
        -0.2 / cell,
        f"→ {panel.target}",
        ha="center",
        va="bottom",
        fontsize=8,
        fontweight="bold",
    )


def _numbered(squares: int, tile: int, cell: float) -> list[tuple[str, float]]:
    """Number and middle of the tiles that so many squares make; only of some where numbers would touch."""
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100) if step * tile * cell >= 0.15)
    return [(str(i + 1), (i + 0.5) * tile) for i in range(0, squares // tile, every)]

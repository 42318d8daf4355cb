"""What figures read in the frames of `harness.results`: the rows of each cell, and how the cell is drawn.

Seven lines a panel can be told apart. Where a task has more, it gets several panels: each shows seven
algorithms, the same ones on every task, and all others in grey behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError
from harness.drawing.page import Panel
from harness.drawing.style import COLOURS, look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Array = Any
TOGETHER = len(COLOURS)
GREY_ARE = " Grey: the other algorithms on the task."


class Draw(Protocol):
    """Fills axes with the cells to show, and in grey those behind them."""

    def __call__(self, ax: Axes, *, shown: list[Drawn], others: list[Drawn]) -> None: ...


class Drawn(NamedTuple):
    """A cell in a figure."""

    id: str
    task: str
    algorithm: str
    rows: pd.DataFrame
    """Its rows of the frame."""
    place: int
    """Of its algorithm in the order in which algorithms first come in the frame."""

    @property
    def look(self) -> dict[str, Any]:
        """Colour, line style and markers: the same for one algorithm in all panels."""
        return look(self.place)

    def column(self, name: str) -> NDArray[np.float64]:
        """A column of numbers."""
        return self.rows[name].to_numpy(float)


def drawn(frame: pd.DataFrame, *columns: str) -> list[Drawn]:
    """The cells of a frame, in its order.

    Raises `InputError` if it is empty or lacks one of the `columns`.
    """
    if not len(frame):
        raise InputError("there is no finished cell to draw")
    needs(frame, "id", "task", "algorithm", *columns)
    order = list(dict.fromkeys(frame["algorithm"]))
    cells = []
    for name, rows in frame.groupby("id", sort=False):
        task, algorithm = (str(rows[column].iloc[0]) for column in ("task", "algorithm"))
        cells.append(Drawn(str(name), task, algorithm, rows, order.index(algorithm)))
    return cells


def needs(frame: pd.DataFrame, *columns: str) -> None:
    """Raise `InputError` unless the frame has these columns."""
    for name in columns:
        if name not in frame:
            raise InputError(
                f"the frame has no column {name!r}: give one of harness.results, with {', '.join(columns)}"
            )


def by_task(cells: Sequence[Drawn]) -> dict[str, list[Drawn]]:
    """The cells of each task."""
    return {task: [d for d in cells if d.task == task] for task in dict.fromkeys(d.task for d in cells)}


def panels(cells: Sequence[Drawn], draw: Draw) -> tuple[list[Panel], int | None, str]:
    """The panels of all tasks: one each, or several where a task is crowded.

    With them, how many stand side by side (None: as many as fit), and a word on what is grey.
    """
    parts = _parts(cells)
    of_task = {task: _panels_of(task, some, parts, draw) for task, some in by_task(cells).items()}
    every = [panel for some in of_task.values() for panel in some]
    if len(every) == len(of_task):
        return every, None, ""
    return every, min(max(parts.values()) + 1, 4), GREY_ARE


def _panels_of(task: str, cells: Sequence[Drawn], parts: dict[int, int], draw: Draw) -> list[Panel]:
    """The panels of a task: each shows one part of its algorithms, and the others in grey."""
    if len(cells) <= TOGETHER:
        return [Panel(task, partial(draw, shown=list(cells), others=[]))]
    there = sorted({parts[d.place] for d in cells})
    every = []
    for i, part in enumerate(there, 1):
        shown = [d for d in cells if parts[d.place] == part]
        others = [d for d in cells if parts[d.place] != part]
        title = f"{task}, part {i} of {len(there)}" if len(there) > 1 else task
        every.append(Panel(title, partial(draw, shown=shown, others=others)))
    return every


def _parts(cells: Sequence[Drawn]) -> dict[int, int]:
    """Which part of the panels of a crowded task each algorithm is in, by its place."""
    places = max(d.place for d in cells) + 1
    size = -(-places // -(-places // TOGETHER))
    return {place: place // size for place in range(places)}

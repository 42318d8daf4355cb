"""What figures read in the frames of `harness.results`: the rows of each cell, and how the cell is drawn.

Seven lines a panel can be told apart. Where a task has more, it gets several panels: each shows seven
algorithms, the same ones on every task, and all others in grey behind them. Where it has so many that nobody
reads all their names, it is a crowd (`harness.drawing.crowd`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harness.core.errors import InputError
from harness.drawing import crowd
from harness.drawing.cell import Drawn
from harness.drawing.page import Panel
from harness.drawing.style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Array = Any
TOGETHER = len(COLOURS)
LABELS = ("task", "algorithm", "task_name", "algorithm_name")
GREY_ARE = " Grey: the other algorithms on the task."


class Draw(Protocol):
    """Fills axes with the cells to show, and in grey those behind them."""

    def __call__(self, ax: Axes, *, shown: list[Drawn], others: list[Drawn]) -> None: ...


class _Together(dict[str, Array]):
    """The columns of a frame, each made an array when it is asked for, the rows of a cell together."""

    def __init__(self, frame: pd.DataFrame, order: Array) -> None:
        self.frame, self.order = frame, order

    def __missing__(self, name: str) -> Array:
        self[name] = self.frame[name].to_numpy()[self.order]
        return self[name]


class _Rows(Mapping[str, Array]):
    """Those of a cell."""

    def __init__(self, together: _Together, which: slice) -> None:
        self.together, self.which = together, which

    def __getitem__(self, name: str) -> Array:
        return self.together[name][self.which]

    def __iter__(self) -> Iterator[str]:
        return map(str, self.together.frame)

    def __len__(self) -> int:
        return self.together.frame.shape[1]


def drawn(frame: pd.DataFrame, *columns: str) -> list[Drawn]:
    """The cells of a frame, in its order.

    Raises `InputError` if it is empty or lacks one of the `columns`.
    """
    import pandas as pd

    if not len(frame):
        raise InputError("there is no finished cell to draw")
    needs(frame, "id", "task", "algorithm", *columns)
    codes, names = pd.factorize(frame["id"])
    together = _Together(frame, np.argsort(codes, kind="stable"))
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    first = together.order[[0, *ends[:-1]]]
    labels = {name: frame[name].iloc[first].astype(str).tolist() for name in LABELS if name in frame}
    of_cell = [dict(zip(labels, row, strict=True)) for row in zip(*labels.values(), strict=True)]
    places = {name: place for place, name in enumerate(dict.fromkeys(labels["algorithm"]))}
    return [
        Drawn(id=str(name), rows=_Rows(together, slice(start, end)), place=places[of["algorithm"]], **of)
        for name, start, end, of in zip(names, [0, *ends[:-1]], ends, of_cell, strict=True)
    ]


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


def panels(
    cells: Sequence[Drawn], draw: Draw, cost: Mapping[str, float] | None = None
) -> tuple[list[Panel], int | None, str]:
    """The panels of all tasks: one each, or several where a task is crowded.

    With them, how many stand side by side (None: as many as fit), and a word on what is grey. Given what a
    success costs each cell, by its id, a few of a crowd are named.
    """
    calm, crowds = crowd.apart(cells) if cost is not None else (list(cells), {})
    if crowds:  # those who were in it leave no gaps
        left = list(dict.fromkeys(d.algorithm for d in calm))
        calm = [d._replace(place=left.index(d.algorithm)) for d in calm]
    parts = _parts(calm)
    of_task = {task: _panels_of(task, some, parts, draw) for task, some in by_task(calm).items()}
    every = [panel for some in of_task.values() for panel in some]
    columns, words = None, ""
    if len(every) > len(of_task):
        columns, words = min(max(parts.values()) + 1, 4), GREY_ARE
    for task, some in crowds.items():
        assert cost is not None
        chosen, title = crowd.named(some, cost), crowd.title(task, some, cost)
        every += _panels_of(title, chosen, _parts(chosen), draw, some)
    return every, columns, words + (crowd.RULE if crowds else "")


def _panels_of(
    task: str, cells: Sequence[Drawn], parts: dict[int, int], draw: Draw, every: Sequence[Drawn] = ()
) -> list[Panel]:
    """The panels of a task: each shows one part of its cells, and the others in grey, of `every` one."""
    every = every or cells
    part_of = parts if len(cells) > TOGETHER else dict.fromkeys(parts, 0)
    there = sorted({part_of[d.place] for d in cells})
    made = []
    for i, part in enumerate(there, 1):
        shown = [d for d in cells if part_of[d.place] == part]
        names = {d.id for d in shown}
        title = f"{task}, part {i} of {len(there)}" if len(there) > 1 else task
        others = [d for d in every if d.id not in names]
        made.append(Panel(title, partial(draw, shown=shown, others=others)))
    return made


def _parts(cells: Sequence[Drawn]) -> dict[int, int]:
    """Which part of the panels of a crowded task each algorithm is in, by its place."""
    return parts_of(max((d.place for d in cells), default=0) + 1, TOGETHER)


def parts_of(count: int, size: int) -> dict[int, int]:
    """Which part each of so many is in, where no part has more than `size`, and all are about as large."""
    each = -(-count // max(1, -(-count // size)))
    return {i: i // each for i in range(count)}

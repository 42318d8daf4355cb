"""A bar over the cells of a study, whoever runs them: what is finished is seen in the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.cells.cell import Cell
from harness.experiment.bar import bar
from harness.store.store import Store
from harness.studies.attempt import expected_work
from harness.studies.progress import over, watching


@contextmanager
def cells_bar(
    store: Store, cells: Sequence[Cell], *, shown: bool = True, stays: bool = False
) -> Iterator[None]:
    """A bar over the work of all cells, with how many are over, in the order they are begun in.

    Before it stands the first of them that is not finished, which is the one longest at work, and behind it
    the time left if the rest of the work goes as fast as what is done. Work is what a cell costs if no
    replica ends before its budget.
    """
    work = {cell.id: expected_work(cell) for cell in cells}
    waiting = dict(work)
    names = {cell.id: f"{cell.task.name} by {cell.algorithm.name}" for cell in cells}
    total = len(work)
    with bar(next(iter(names.values())), sum(work.values()), shown=shown, stays=stays) as at:
        at.note = f"0/{total}"

        def tell(cell_id: str) -> None:
            at.done += waiting.pop(cell_id)
            at.title = names[next(iter(waiting), cell_id)]
            at.note = f"{total - len(waiting)}/{total}"

        try:
            with watching(store, list(names), tell):
                yield
        finally:
            finished = over(store, list(names))
            at.title, at.note, at.done = "cells", f"{len(finished)}/{total}", sum(work[i] for i in finished)

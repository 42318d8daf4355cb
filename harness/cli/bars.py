"""Something to look at while it runs, on a terminal; nothing where output is not watched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

from harness.cells.cell import Cell
from harness.store.store import Store
from harness.studies.attempt import expected_work
from harness.studies.progress import over, watching

PATIENCE = 0.5  # seconds before a bar appears: short runs need none


@contextmanager
def epochs_bar(cell: Cell) -> Iterator[Callable[[int], None] | None]:
    """A bar over the epochs of one cell; yields what to tell each epoch to."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(
            f"{cell.task.name} {cell.algorithm.name}", total=cell.settings.epochs, visible=False
        )
        start = shown = monotonic()

        def tick(epoch: int) -> None:
            nonlocal shown
            if (now := monotonic()) - shown > 0.1:
                shown = now
                progress.update(bar, completed=epoch, visible=now - start > PATIENCE)

        yield tick


@contextmanager
def cells_bar(store: Store, cells: Sequence[Cell]) -> Iterator[None]:
    """A bar that counts finished cells in the store, in the order they are begun in.

    Beside it stand the first of them that is not finished, which is the one longest at work, and the time
    left if the rest of the work goes as fast as what is done. Work is what a cell costs if no replica ends
    before its budget.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    works = {cell.id: expected_work(cell) for cell in cells}
    names = {cell.id: f"{cell.task.name} by {cell.algorithm.name}" for cell in cells}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    begun, done = monotonic(), 0.0
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(next(iter(names.values())), total=len(names), left="")

        def tell(cell_id: str) -> None:
            nonlocal done
            done += works.pop(cell_id)
            running = names[next(iter(works), cell_id)]
            progress.update(
                bar, advance=1, description=running, left=time_left(monotonic() - begun, done, works)
            )

        try:
            with watching(store, list(names), tell):
                yield
        finally:
            progress.update(bar, completed=len(over(store, list(names))), description="cells", left="")


def time_left(seconds: float, done: float, waiting: Mapping[str, float]) -> str:
    """In words, if the work that is waiting goes as fast as what was `done` in so many seconds."""
    if not (waiting and done):
        return ""
    minutes = math.ceil(seconds * sum(waiting.values()) / done / 60)
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min left" if hours else f"about {rest} min left"

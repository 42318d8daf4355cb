"""Something to look at while it runs, on a terminal; nothing where output is not watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from harness.cells.cell import Cell
from harness.store.record import Store
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
def cells_bar(store: Store, cell_ids: list[str]) -> Iterator[None]:
    """A bar that counts finished cells in the store."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("cells", total=len(cell_ids))

        def tell(cell_id: str) -> None:
            progress.update(bar, advance=1, description=cell_id.rpartition("-")[0].replace("-", " by "))

        try:
            with watching(store, cell_ids, tell):
                yield
        finally:
            progress.update(bar, completed=len(over(store, cell_ids)), description="cells")

"""How far a study is, for whoever watches: a bar in a terminal or a notebook, in a log a line a minute."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.cells.cell import Cell
from harness.experiment.bar import bar, in_words, watched
from harness.store.store import Store
from harness.studies.progress import Progress, Standing, watching
from harness.studies.rates import Spent

MINUTE = 60.0  # seconds between two lines where there is no terminal
NAMES = 4  # of what runs now in a line


@contextmanager
def cells_bar(
    store: Store,
    cells: Sequence[Cell],
    *,
    shown: bool = True,
    stays: bool = False,
    known: dict[str, Spent | None] | None = None,
) -> Iterator[None]:
    """A bar over the expected time of all cells, with how many cells and replicas are over.

    Before it stands what runs now, or else the first cell that is not over; behind it the time left, as far
    as records say how long such cells take. Where nobody watches, a line a minute on stderr says the same.

    Args:
        store: where the cells are kept.
        cells: those that are run, in the order in which they are begun.
        shown: False for neither bar nor lines.
        stays: whether a terminal keeps the bar as it was at the end.
        known: what records say of their time, where some were asked already (`rates.measured`).
    """
    if not shown:
        yield
        return
    progress = Progress(store, cells, known)
    if not watched():
        with watching(progress, _say, MINUTE):
            yield
        return
    first = next(iter(progress.cells.values()))
    with bar(f"{first.task.name} by {first.algorithm.name}", 1.0, stays=stays) as at:
        at.note = f"0/{len(progress.cells)}"

        def tell(now: Standing) -> None:
            more = f" +{len(now.running) - 1}" if len(now.running) > 1 else ""
            at.title = f"{now.running[0]}{more}" if now.running else now.waiting or at.title
            at.note = f"{now.over:,}/{now.cells:,} cells, {now.replicas_over:,}/{now.replicas:,} replicas"
            at.done, at.seconds_left = now.share, now.left

        try:
            with watching(progress, tell):
                yield
        finally:
            over, total = len(progress.over()), len(progress.cells)
            at.title, at.note, at.seconds_left = "cells", f"{over:,}/{total:,}", None
            at.done = 1.0 if over == total else at.done


def line(now: Standing) -> str:
    """How far a study is, in one line of a log."""
    said = [
        f"{now.over:,} of {now.cells:,} cells are over, {now.replicas_over:,} of {now.replicas:,} replicas"
    ]
    if now.running:
        others = len(now.running) - NAMES
        said.append(f"now {', '.join(now.running[:NAMES])}{f' and {others} others' if others > 0 else ''}")
    if now.left is not None and now.over < now.cells:
        said.append(in_words(now.left))
    return "; ".join(said)


def _say(now: Standing) -> None:
    print(f"harness: {line(now)}", file=sys.stderr, flush=True)

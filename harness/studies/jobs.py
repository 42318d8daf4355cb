"""Cells as jobs of several processes: what can share a batch is one job, and a lost job is taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.cells.cell import Cell
from harness.experiment.together import groups
from harness.store.parts import together
from harness.store.store import Store
from harness.studies.attempt import attempt_text
from harness.studies.pool import Lost, each


def in_jobs(cells: Sequence[Cell], store: Store, processes: int) -> list[list[Cell]]:
    """Cells without a record in jobs, each of cells that share a batch; one that was begun is one again."""
    left = {cell.id: cell for cell in cells}
    begun = []
    for ids in together(store.path):
        if left.keys() >= set(ids):
            begun.append([left.pop(i) for i in ids])
    rest = list(left.values())
    return [*begun, *([rest[i] for i in group.places] for group in groups(rest, processes))]


def run_jobs(cells: Sequence[Cell], store: Store, processes: int) -> dict[str, str]:
    """Run cells and keep what becomes of them.

    A job whose process was killed is run again cell by cell: it may have been one of them.

    Args:
        cells: those without a record.
        store: where records are kept.
        processes: at a time.

    Returns:
        By id, why a cell has no record; those whose code failed are noted in the store.
    """
    jobs = in_jobs(cells, store, processes)
    lost: dict[str, str] = {}
    while jobs:
        texts = ["\n".join(cell.text() for cell in job) for job in jobs]
        done = each(partial(attempt_text, str(store.path)), texts, processes)
        ended = [(job, of.reason) for job, of in zip(jobs, done, strict=True) if isinstance(of, Lost)]
        jobs = [[c] for job, _ in ended if len(job) > 1 for c in job if not store.has(c.id)]
        lost |= {job[0].id: why for job, why in ended if len(job) == 1}
    return lost

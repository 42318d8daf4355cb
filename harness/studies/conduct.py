"""Conducting a study: run the cells that have no record yet, then say what came of all of them.

A study killed at any moment loses no finished cell; run again, it does what is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from omegaconf import DictConfig

from harness.cells.cell import Cell
from harness.cli.app import follow_up
from harness.core.errors import InputError
from harness.store.record import Store
from harness.studies.progress import cells_bar


class Job(NamedTuple):
    """A cell and the Hydra overrides that describe it."""

    cell: Cell
    overrides: list[str]


def conduct(cfg: DictConfig, jobs: list[Job], launch: Callable[[list[Job]], Any]) -> None:
    """Launch the jobs whose cells are not recorded; print the table, write it and the figures, tell MLflow.

    Exits with code 1 if a cell failed or was lost; what is finished is kept, and shown first.
    """
    if not jobs:
        raise InputError(f"the study {cfg.study.name!r} has no cells")
    store = Store.at(cfg.store).prepare()
    cells = {job.cell.id: job for job in jobs}
    name = cfg.study.name
    folder = store.write_study(name, cfg.study.question, cells, small=cfg.small)
    for cell_id, job in cells.items():
        if job.cell.not_applicable and not store.has(cell_id):
            store.write(job.cell, None)
    missing = [job for cell_id, job in cells.items() if not store.has(cell_id)]
    missing.sort(key=lambda job: -expected_work(job.cell))  # long cells first, so that workers end together
    trouble = ""
    if missing:
        with cells_bar(store, [job.cell.id for job in missing]):
            try:
                launch(missing)
            except Exception as error:  # a worker was killed: what the others finished is on disk
                trouble = f"{type(error).__name__}: {error}".splitlines()[0]
    report(store, name, fresh=bool(missing))
    follow_up(store, name, cfg.tracking)
    print(f"table and figures: {os.path.relpath(folder)}")
    if cfg.tracking.enabled:
        print("dashboard: python -m harness.dashboard")
    lost = [cell_id for cell_id in cells if not store.has(cell_id)]
    if lost:
        failures = store.failures(lost)
        for cell_id in lost:
            what = f"failed: {failures[cell_id]['reason']}" if cell_id in failures else f"was lost: {trouble or 'no record'}"
            print(f"harness: {cell_id} {what}", file=sys.stderr)
        sys.exit(1)


def expected_work(cell: Cell) -> float:
    """Roughly what a cell costs if every replica spends its budget: weights × patterns × forward passes."""
    size = cell.task.network().size
    passes = cell.algorithm.traits.phases or 2 * size
    return float(cell.settings.replicas) * float(cell.settings.epochs or 0) * cell.task.training_patterns * size * passes


def report(store: Store, name: str, *, fresh: bool) -> None:
    """Print a study's table; write it and the figures where they are missing or cells are new."""
    from harness.results import table

    rows = table.build(store, name)
    folder = store.path / "studies" / name
    table.show(rows)
    made_for = folder / "figures_of.txt"
    cells = "\n".join(store.study(name)["cells"])
    if fresh or not made_for.is_file() or made_for.read_text(encoding="utf-8") != cells:
        from harness import plots
        from harness.core.files import write_atomically

        table.write(rows, folder, store.study(name)["question"])
        plots.write_figures(store, name)
        write_atomically(made_for, cells)

"""Conducting a study: run the cells that have no record yet, then say what came of all of them.

A study killed at any moment loses no finished cell; run again, it does what is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from harness.cells.cell import Cell
from harness.cli.bars import cells_bar
from harness.store.record import Store
from harness.studies.attempt import expected_work
from harness.studies.order import in_turn
from harness.studies.request import Request, Tracking


class Job(NamedTuple):
    """A cell and the Hydra overrides that describe it."""

    cell: Cell
    overrides: list[str]


def conduct(asked: Request, jobs: list[Job], launch: Callable[[list[Job]], Mapping[str, str]]) -> None:
    """Launch the jobs whose cells are not recorded; print the table, write it and the figures, tell MLflow.

    `launch` may say, by id, why cells were lost. Exits with code 1 if a cell failed or was lost; what is
    finished is kept, and shown first.
    """
    store = Store.at(asked.store).prepare()
    cells = {job.cell.id: job for job in jobs}
    name = asked.study.name
    folder = store.write_study(name, asked.study.question, cells, small=asked.small)
    for cell_id, job in cells.items():
        if job.cell.not_applicable and not store.has(cell_id):
            store.write(job.cell, None)
    missing = [job for cell_id, job in cells.items() if not store.has(cell_id)]
    missing = [missing[i] for i in in_turn([expected_work(job.cell) for job in missing])]
    reasons: Mapping[str, str] = {}
    trouble = ""
    if missing:
        with cells_bar(store, [job.cell for job in missing]):
            try:
                reasons = launch(missing)
            except Exception as error:  # a worker was killed: what the others finished is on disk
                trouble = f"{type(error).__name__}: {error}".splitlines()[0]
    report(store, name, fresh=bool(missing), figures=asked.figures)
    follow_up(store, name, asked.tracking)
    print(f"{'table and figures' if asked.figures else 'table'}: {os.path.relpath(folder)}")
    if asked.tracking.enabled:
        print("dashboard: python -m harness.dashboard")
    lost = [cell_id for cell_id in cells if not store.has(cell_id)]
    if lost:
        failures = store.failures(lost)
        for cell_id in lost:
            why = reasons.get(cell_id) or trouble or "no record"
            what = f"failed: {failures[cell_id]['reason']}" if cell_id in failures else f"was lost: {why}"
            print(f"harness: {cell_id} {what}", file=sys.stderr)
        sys.exit(1)


def report(store: Store, name: str, *, fresh: bool, figures: bool, shown: bool = True) -> None:
    """Print a study's table; write it and the figures where they are missing or cells are new.

    Without `figures` none are drawn, and those of other cells are no longer taken for current.
    """
    from harness.results import table

    rows = table.build(store, name)
    folder = store.path / "studies" / name
    if shown:
        table.show(rows)
    made_for = folder / "figures_of.txt"
    cells = "\n".join(store.study(name)["cells"])
    if fresh or not made_for.is_file() or made_for.read_text(encoding="utf-8") != cells:
        table.write(rows, folder, store.study(name)["question"])
        made_for.unlink(missing_ok=True)
        if figures:
            from harness import plots
            from harness.core.files import write_atomically

            plots.write_figures(store, name)
            write_atomically(made_for, cells)


def follow_up(store: Store, study: str, tracking: Tracking) -> None:
    """Send what is new to MLflow, unless tracking is off."""
    if tracking.enabled:
        from harness.store.mlflow_send import sync

        sync(store, study, tracking.uri)

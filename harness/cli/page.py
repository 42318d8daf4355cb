"""The pages of a study in a store: what they are made of, gathered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import pages
from harness.answers.study import sentences
from harness.results.gathering import found_in
from harness.results.row import Row
from harness.results.running_times import running_times
from harness.store.mlflow_note import Note, tracking_uri
from harness.store.store import Store

SERVED = "http://127.0.0.1:5000"  # where python -m harness.dashboard serves the store's own database


def write_page(
    store: Store,
    name: str,
    rows: Sequence[Row],
    *,
    figures: bool,
    command: str = "",
    tracker: str | None = None,
) -> Path:
    """Write the pages of a study into its folder, unless they are there already; the path of the first.

    Args:
        store: where the study is kept, whatever of it is finished.
        name: of the study.
        rows: its table.
        figures: whether the figures in its folder are of the study as it is.
        command: what makes it again; empty where no command line did.
        tracker: MLflow's tracking URI; None for the database inside the store.
    """
    found = found_in(name, store)
    times = running_times(rows, {cell.row.id: cell.record for cell in found if cell.record})
    study = pages.Study(
        name=name,
        question=store.study(name)["question"],
        said=sentences(rows, times),
        command=command,
        rows=rows,
        times=times,
        cells=found,
        figures=figures,
        runs=_runs(store, name, tracker),
    )
    return pages.write(study, store.study_folder(name))


def _runs(store: Store, name: str, tracker: str | None) -> dict[str, str]:
    """Addresses of the runs in MLflow that are known to hold the cells, by their ids."""
    uri = tracking_uri(store, tracker)
    note = Note.of(store, name, uri)
    if note is None:
        return {}
    server = uri.rstrip("/") if uri.startswith("http") else SERVED
    return {i: f"{server}/#/experiments/{note.experiment}/runs/{run}" for i, run in note.runs.items()}

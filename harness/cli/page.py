"""The pages of a study in a store: what they are made of, gathered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import pages
from harness.answers.study import sentences
from harness.pages.markup import SERVED
from harness.results.gathering import found_in
from harness.results.row import Row
from harness.results.running_times import running_times
from harness.store import said
from harness.store.mlflow_note import Note, tracking_uri
from harness.store.store import Store


def write_page(
    store: Store,
    name: str,
    rows: Sequence[Row],
    *,
    figures: bool,
    command: str = "",
    tracker: str | None = None,
) -> Path:
    """Write the pages of a study into its folder, unless they are there already, and keep what they say for
    whoever tells of it; the path of the first.

    Args:
        store: where the study is kept, whatever of it is finished.
        name: of the study.
        rows: its table.
        figures: whether the figures in its folder are of the study as it is.
        command: what makes it again; empty where no command line did.
        tracker: MLflow's tracking URI; None for the database inside the store.
    """
    found = found_in(name, store, numbers=False)  # the rows have them
    times = running_times(rows, {cell.row.id: cell.record for cell in found if cell.record})
    answers = sentences(rows, times)
    said.keep(store, name, said.Said(tuple(answers), command))
    run_table, runs = _in_mlflow(store, name, tracker)
    study = pages.Study(
        name=name,
        question=store.study(name)["question"],
        said=answers,
        command=command,
        rows=rows,
        times=times,
        cells=found,
        figures=figures,
        runs=runs,
        run_table=run_table,
    )
    return pages.write(study, store.study_folder(name))


def _in_mlflow(store: Store, name: str, tracker: str | None) -> tuple[str, dict[str, str]]:
    """Addresses in MLflow of the table of a study's runs, and of those of its cells by their ids.

    They are told of the study later than its page is written. So the addresses are the dashboard's, which
    knows the runs when it is asked; on a server of one's own they are those of the runs once they are known.
    """
    uri, served = tracking_uri(store, tracker), f"{SERVED}/studies/{name}/runs"
    note = Note.of(store, name, uri)
    if note and uri.startswith("http"):
        there = f"{uri.rstrip('/')}/#/experiments/{note.experiment}/runs"
        return there, {i: f"{there}/{run}" for i, run in note.runs.items()}
    return served, {i: f"{served}/{i}" for i in store.study(name)["cells"] if store.has(i)}

"""Cells by launchers of Hydra's that know nothing of cells: joblib, submitit, and whatever else is installed.

They are handed overrides, a list for each job; ours name the store and a file of cells, so that nothing is
composed again. Nobody but the study itself tells MLflow, prints, or draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobStatus

from harness.cells.cell import Cell
from harness.cells.command import text
from harness.store.store import Store
from harness.studies.named import whole_names
from harness.studies.packing import job_files, packs, text_of
from harness.studies.pool import cores


def run_by(launcher: Any, cells: Sequence[Cell], store: Store, study: str, minutes: float) -> dict[str, str]:
    """Run cells by a launcher of Hydra's.

    Args:
        launcher: as Hydra has set it up.
        cells: those without a record.
        store: where records are kept.
        study: its name.
        minutes: of a job (`harness.studies.packing.packs`).

    Returns:
        By id, why a cell has no record; those whose code failed are noted in the store.

    Raises:
        InputError: for what SLURM does not take.
    """
    if getattr(launcher, "_EXECUTOR", "") == "slurm":  # that of submitit
        from harness.studies.slurm import run_on_slurm

        return run_on_slurm(cells, store, minutes, launcher.params)
    jobs = packs(cells, store, minutes, _processes(launcher))
    common = [f"store={text(str(store.path))}", f"plugins={text(whole_names())}", "tracking.enabled=false"]
    with job_files(store, study, [text_of(job) for job in jobs]) as paths:
        done = launcher.launch([[*common, f"cells={text(str(path))}"] for path in paths], initial_job_idx=0)
    # what a job raised is held by Hydra, and raised again by `return_value`
    return {
        cell.id: str(of._return_value).partition("\n")[0]
        for job, of in zip(jobs, done, strict=False)  # some launchers say nothing of their jobs
        if of.status == JobStatus.FAILED
        for batch in job
        for cell in batch
    }


def _processes(launcher: Any) -> int | None:
    """Processes of this machine that a launcher uses, where that is known."""
    kind = type(launcher).__name__
    if kind == "JoblibLauncher":
        asked = launcher.joblib.get("n_jobs") or 1
        return int(asked) if asked > 0 else cores()
    return 1 if kind == "BasicLauncher" else None

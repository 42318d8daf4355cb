"""Hydra's launchers for cells; `hydra/launcher=processes` is what sweeps use unless another is chosen.

They are handed cells, composed once, and pass them on as text. Any other of Hydra's launchers is handed
overrides, which name a file of such text for each job (`harness.studies.packing`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher

if TYPE_CHECKING:
    from harness.cells.cell import Cell


class CellLauncher(Launcher):
    """A launcher that is handed cells."""

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Keep what Hydra hands over."""
        self.hydra_context, self.config = hydra_context, config

    @abstractmethod
    def run(self, cells: Sequence[Cell]) -> dict[str, str]:
        """Run the cells and keep what becomes of them; by id, why some were lost."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """For other sweepers than ours, which know nothing of cells."""
        from harness.store.store import Store
        from harness.studies.compose import compose_cells

        loader = self.hydra_context.config_loader
        cells, _ = compose_cells(
            job_overrides, loader, lambda options: loader.load_sweep_config(self.config, options)
        )
        Store.at(self.config.store).prepare()
        self.run(cells)
        return [JobReturn(overrides=list(job), status=JobStatus.COMPLETED) for job in job_overrides]


class ProcessLauncher(CellLauncher):
    """Runs cells in processes of this machine;
    a process that is killed loses the cell it was at, and no other.
    """

    def __init__(self, n_jobs: int = -1) -> None:
        """`n_jobs`: processes at a time; -1 for as many as there are cores."""
        self.n_jobs = n_jobs

    def run(self, cells: Sequence[Cell]) -> dict[str, str]:
        """Run the cells and keep what becomes of them; by id, why some were lost."""
        from harness.store.store import Store
        from harness.studies.jobs import run_jobs
        from harness.studies.pool import cores

        processes = cores() if self.n_jobs < 1 else self.n_jobs
        return run_jobs(cells, Store.at(self.config.store), processes)

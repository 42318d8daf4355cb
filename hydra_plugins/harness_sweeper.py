"""Hydra's sweeper for studies: `python -m harness -m …`.

A study lists blocks of overrides and sweeps (`conf/study/*.yaml`); its jobs are all combinations of each
block, one block after another. What is `common` and what the user adds on the command line holds for every
block. A sweep without a named study is one block. Only cells without a record are launched: as cells by our
own launchers and on SLURM, as files of cells by any other of Hydra's.
"""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from hydra_plugins.harness_launcher import CellLauncher, ProcessLauncher


def refuse(name: str) -> Any:
    """Say that a study has no small form."""
    from harness.core.errors import InputError

    raise InputError(
        "small=true was given, "
        f"but study {name!r} has no small form (`small_cells` in conf/study/{name}.yaml)"
    )


class StudySweeper(BasicSweeper):
    """Expands a study into jobs, has `harness.cli.conduct` conduct it, and launches what is missing."""

    def sweep(self, arguments: list[str]) -> Any:
        """Conduct the study that `arguments` (the user's overrides) ask for."""
        from harness.cli.conduct import Job, conduct
        from harness.experiment.run import check_room
        from harness.store.store import Store
        from harness.studies.compose import compose_cells, expand
        from harness.studies.others import run_by
        from harness.studies.request import Request

        config, launcher = self.config, self.launcher
        assert config is not None
        assert launcher is not None
        assert self.hydra_context is not None
        loader = self.hydra_context.config_loader
        asked = Request.of(config)
        study = asked.study
        blocks = [*study.cells, *study.more] or [[]]
        if asked.small:
            blocks = list(study.small_cells) or refuse(study.name)
        added = [*self._parse_config(), *arguments]
        overrides = expand([[*study.common, *block, *added] for block in blocks], loader)
        cells, _ = compose_cells(
            overrides, loader, lambda options: loader.load_sweep_config(config, options), spare=True
        )
        jobs = [Job(cell, job) for cell, job in zip(cells, overrides, strict=True)]
        if isinstance(launcher, ProcessLauncher):  # others may run them on machines with more
            store = Store.at(asked.store)
            for cell in cells:
                if not (cell.broken or store.has(cell.id)):
                    check_room(cell)

        def launch(missing: list[Job]) -> dict[str, str]:
            cells = [job.cell for job in missing]
            if isinstance(launcher, CellLauncher):
                return launcher.run(cells)
            return run_by(launcher, cells, Store.at(asked.store), asked.study.name, asked.jobs.minutes)

        return conduct(asked, jobs, launch, arguments)

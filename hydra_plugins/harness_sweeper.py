"""Hydra's sweeper for studies: `python -m harness -m …`, with any launcher.

A study lists blocks of overrides and sweeps (`conf/study/*.yaml`); its jobs are all combinations of each
block, one block after another. What the user adds on the command line holds for every block. A sweep
without a named study is one block. Only cells without a record are launched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf


class StudySweeper(BasicSweeper):
    """Expands a study into jobs, has `harness.study` conduct it, and launches what is missing."""

    def sweep(self, arguments: list[str]) -> Any:
        """Conduct the study that `arguments` (the user's overrides) ask for."""
        from harness.app import cell_of
        from harness.study import Job, conduct

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader = self.hydra_context.config_loader
        blocks = OmegaConf.to_container(self.config.study.cells, resolve=True) or [[]]
        jobs = []
        for overrides in self._combinations([[*block, *self._parse_config(), *arguments] for block in blocks]):  # type: ignore[misc]
            jobs.append(Job(cell_of(loader.load_sweep_config(self.config, overrides)), overrides))
        launcher = self.launcher
        return conduct(self.config, jobs, lambda missing: launcher.launch([j.overrides for j in missing], initial_job_idx=0))

    def _combinations(self, blocks: Sequence[list[str]]) -> list[list[str]]:
        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        return [job for block in blocks for job in self.split_arguments(parser.parse_overrides(block), None)[0]]

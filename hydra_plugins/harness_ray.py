"""Hydra's launcher for Ray: `hydra/launcher=ray` (harness/studies/on_ray.py).

Hydra has a launcher for Ray of its own, which asks for a version of cloudpickle that joblib has left behind.
Where it is installed nevertheless, `ray` is that one: two configurations of one name are two that Hydra would
hold to each other, so ours is registered as its is, and gives way.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from hydra.core.config_store import ConfigStore

from hydra_plugins.harness_launcher import CellLauncher

if TYPE_CHECKING:
    from harness.cells.cell import Cell


class RayLauncher(CellLauncher):
    """Runs cells as tasks of Ray, packed into jobs."""

    def __init__(self, address: str | None = None, num_cpus: int = -1, max_retries: int = 2) -> None:
        """Which Ray, and how.

        Args:
            address: of a cluster that runs (ray://…, host:port, auto); None starts Ray on this machine.
            num_cpus: cores of this machine's; -1 for as many as there are.
            max_retries: how often a job whose worker was killed is tried again.
        """
        self.address, self.num_cpus, self.max_retries = address, num_cpus, max_retries

    def run(self, cells: Sequence[Cell]) -> dict[str, str]:
        """Run the cells and keep what becomes of them; by id, why some were lost."""
        from harness.cli.messages import to_install
        from harness.core.errors import InputError
        from harness.store.store import Store
        from harness.studies.on_ray import Cluster, run_on_ray
        from harness.studies.pool import cores

        if find_spec("ray") is None:
            raise InputError(to_install("hydra/launcher=ray", "ray"))
        cluster = Cluster(self.address, cores() if self.num_cpus < 1 else self.num_cpus, self.max_retries)
        return run_on_ray(cells, Store.at(self.config.store), self.config.jobs.minutes, cluster)


ConfigStore.instance().store(
    group="hydra/launcher",
    name="ray",
    node={
        "_target_": "hydra_plugins.harness_ray.RayLauncher",
        "address": None,
        "num_cpus": -1,
        "max_retries": 2,
    },
    provider="harness",
)

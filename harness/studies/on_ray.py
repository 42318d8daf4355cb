"""Jobs of cells on Ray: a cluster that runs, or one of this machine's cores for the time of a study.

Ray starts half a dozen processes, prints much, and leaves some of them behind when it is killed as it starts.
So whoever talks to Ray is a process of its own (`harness.studies.pool`), which leads a group: whatever ends
the study ends the group, and Ray's own processes with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from harness.cells.cell import Cell
from harness.core import registry
from harness.core.errors import InputError
from harness.store.store import Store
from harness.studies.apart import End, run_apart
from harness.studies.named import whole_names
from harness.studies.packing import packs, run_text
from harness.studies.pool import Lost, each


class Cluster(NamedTuple):
    """Which Ray."""

    address: str | None
    """Of one that runs; None for one of this machine's."""
    cpus: int
    """Of this machine's, at a time."""
    retries: int
    """How often a job whose worker was killed is tried again."""


def run_on_ray(cells: Sequence[Cell], store: Store, minutes: float, cluster: Cluster) -> dict[str, str]:
    """Run cells as jobs of Ray.

    Args:
        cells: those without a record.
        store: where records are kept, on a disk that all machines share.
        minutes: of a job (`harness.studies.packing.packs`).
        cluster: where.

    Returns:
        By id, why a cell has no record; those whose code failed are noted in the store.

    Raises:
        InputError: where Ray does not start, or there is none at the address.
    """

    def launch(texts: list[str]) -> list[End]:
        with TemporaryDirectory(prefix="ray-", dir=_short()) as folder:
            work = partial(_drive, str(store.path), whole_names(), cluster, folder)
            (done,) = each(work, [texts], 1)
        if isinstance(done, Lost):
            where = f"at {cluster.address}" if cluster.address else "on this machine"
            raise InputError(f"Ray {where} ran no jobs: {done.reason.splitlines()[0]}")
        return [End(why) for why in done]

    return run_apart(packs(cells, store, minutes, None if cluster.address else cluster.cpus), store, launch)


def _drive(store: str, plugins: list[str], cluster: Cluster, folder: str, texts: list[str]) -> list[str]:
    """Have Ray run jobs; what ended each, or ''. In a process of its own."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # of Ray's processes, too
        os.dup2(nowhere, stream)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    import ray

    if cluster.address:
        ray.init(address=cluster.address, log_to_driver=False)
    else:
        ray.init(
            address="local",
            num_cpus=cluster.cpus,
            include_dashboard=False,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
    work = ray.remote(num_cpus=1, max_retries=cluster.retries)(_work)
    waiting = [work.remote(store, plugins, text) for text in texts]
    try:
        return [_why(job) for job in waiting]
    finally:
        ray.shutdown()


def _work(store: str, plugins: list[str], text: str) -> None:
    registry.add_plugins(*plugins)
    run_text(store, text)


def _why(job: Any) -> str:
    import ray

    try:
        ray.get(job)
    except ray.exceptions.RayTaskError as error:
        return f"{type(error.cause).__name__}: {error.cause}".splitlines()[0]
    except ray.exceptions.WorkerCrashedError:
        return "its worker was killed, as often as it was tried"
    except ray.exceptions.RayError as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def _short() -> str | None:
    """Where temporary files are, by a path that is short enough for a socket's."""
    return "/tmp" if Path("/tmp").is_dir() else None

"""What the harness takes beside training, a cell of a study: CPU of a whole command less that of `run_cell`.

A cell is one XOR network trained for one epoch: next to nothing, so that what is measured is composing,
naming, sending, counting, keeping, watching, the table, the figures and the page. Cells that differ in seeds
are trained one by one, those that differ in rates in batches. Everything is on one core, the command's
workers among it, and so is what is taken off: for seeds `run_cell` of each cell, for rates `run_together`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from time import perf_counter, process_time

from harness import results
from harness.cells.cell import Cell
from harness.experiment.run import run_cell
from harness.experiment.together import groups, run_together
from harness.studies.compose import cells_of

PROMISED, READ, SPEEDUP = 6.0, 4.0, 1.7  # ms a cell; s for the frame of 10,000; two workers beside one
CELL = ("task=xor", "run.replicas=1", "run.epochs=1")
MANY, FEW, TRIED = 10_000, 1_000, 200  # cells; and how many are trained here to see what training takes


def lines(rounds: int = 5) -> Iterator[str]:
    """A table: CPU a cell, into a fresh store and into one that holds many; a frame of them all; two workers.

    One round is a small form: a tenth of a hundredth of the cells.
    """
    many, few, tried = (MANY, FEW, TRIED) if rounds > 1 else (20, 10, 4)
    yield "| cells of one XOR network and one epoch | CPU, ms a cell | of it training | overhead | promised |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as scratch:
        seeds, store = count(), Path(scratch) / "store"
        sweep(Path(scratch) / "warm", seeded(seeds, 2))
        for cells, where, at in (
            (few, "a fresh store", Path(scratch) / "few"),
            (many, "a fresh store", store),
            (few, f"a store of {many:,}", store),
        ):
            yield row(f"{cells:,} seeds into {where}", at, seeded(seeds, cells), cells, tried)
        yield row(f"{few:,} rates into {where}", store, rated(few), few, few)
        start, cpu = perf_counter(), process_time()
        held = len(results.cells(source=store))
        spent = process_time() - cpu
        yield ""
        yield (
            f"- `results.cells` of {held:,} cells: {spent:.1f} s of CPU, {perf_counter() - start:.1f} s "
            f"(promised: ≤ {READ:g} s of 10,000)"
        )
        yield workers_line(Path(scratch), 12 if rounds > 1 else 2, 1.0 if rounds > 1 else 0.1)


def row(name: str, store: Path, overrides: Sequence[str], cells: int, tried: int) -> str:
    """A row: cells of a command, of which as many as are `tried` are trained here, too."""
    whole = 1e3 * sweep(store, overrides) / cells
    training = 1e3 * trained(cells_of([*CELL, *overrides])[0][:tried])
    return f"| {name} | {whole:.1f} | {training:.1f} | **{whole - training:.1f}** | ≤ {PROMISED:g} |"


def seeded(seeds: Iterator[int], cells: int) -> list[str]:
    """So many seeds that nobody had yet."""
    return [f"run.seed={','.join(str(next(seeds)) for _ in range(cells))}"]


def rated(cells: int) -> list[str]:
    """So many learning rates."""
    return [f"algorithm.optimiser.lr={','.join(f'{(i + 1) / 1000:.3f}' for i in range(cells))}"]


def sweep(store: Path, overrides: Sequence[str], *more: str) -> float:
    """CPU seconds of a command, its workers among it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "harness", "-m", *CELL, *overrides, "tracking.enabled=false", *more]
    environment = os.environ | {"HARNESS_STORE": str(store)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def trained(cells: Sequence[Cell]) -> float:
    """CPU seconds a cell that training takes, after one that nobody watches."""
    run_cell(cells[0].algorithm, cells[0].task, cells[0].settings)
    jobs = [[cells[i] for i in group.places] for group in groups(cells)]
    start = process_time()
    for job in jobs:
        if len(job) > 1:
            run_together(job)
        else:
            run_cell(job[0].algorithm, job[0].task, job[0].settings)
    return (process_time() - start) / len(cells)


def workers_line(scratch: Path, cells: int, seconds: float) -> str:
    """How much sooner two workers are done than one, with cells that take about so long each."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    there = os.cpu_count() or 1
    if not cores or there < 2:
        return "- Two workers beside one: this machine has one core"
    os.sched_setaffinity(0, range(there))  # of all that we are let have
    try:
        epochs = int(3000 * seconds)
        walls = []
        for workers in (1, 2):
            start = perf_counter()
            seeds = ",".join(map(str, range(cells)))
            long = [f"run.seed={seeds}", "run.replicas=2000", f"run.epochs={epochs}"]
            sweep(scratch / f"workers {workers}", long, f"hydra.launcher.n_jobs={workers}", "figures=false")
            walls.append(perf_counter() - start)
    finally:
        os.sched_setaffinity(0, cores)
    return (
        f"- {cells} cells of about {seconds:g} s, whole command: {walls[0]:.1f} s with one worker, "
        f"{walls[1]:.1f} s with two, **{walls[0] / walls[1]:.2f}×** (promised: ≥ {SPEEDUP:g}×)"
    )


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # one core, for everybody
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for line in lines():
        print(line, flush=True)

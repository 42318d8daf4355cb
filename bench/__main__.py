"""Run all measurements and write bench/RESULTS.md, which the README quotes."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from time import perf_counter

import numpy as np
from hydra import compose, initialize_config_dir
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from bench import (
    auto,
    boltzmann,
    convolution,
    feedback,
    larger,
    overhead,
    perturbation,
    results,
    settling,
    through_time,
    tuning,
)
from bench.plain import train_one
from bench.statistics import lines as statistics_lines
from harness.cells.cell import Cell
from harness.core.initial import initial
from harness.core.optimisers import GradientDescent
from harness.core.rand import SPLIT, WEIGHTS, Rand
from harness.core.registry import tasks
from harness.core.task import Task
from harness.experiment.run import run
from harness.store.store import Store
from harness.studies.attempt import attempt
from harness.studies.compose import cells_of
from harness.studies.conf import CONF, VERSION_BASE

REPLICAS = 1000
ROUNDS = 3
NEEDED = {"xor": 60, "encoder": 20, "symmetry": 9, "family_tree": 1.8}  # ratios this project promises
EPOCHS = {"xor": 1000, "encoder": 500, "symmetry": 500, "family_tree": 400}
# networks the plain loop trains; it is linear in them
PLAIN = {"xor": 100, "encoder": 100, "symmetry": 100, "family_tree": 50}
SLOW, MOMENTUM = 1e-4, 0.9  # a rate at which no network finishes: every epoch costs all R


def main() -> None:
    """Print and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument(
        "--quick", action="store_true", help="one round and fewer replicas: does it run? (writes nothing)"
    )
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):  # one core, for everybody
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    lines = [
        f"Measured by `make bench` on one {platform.machine()} core: "
        f"Python {platform.python_version()}, NumPy {np.__version__}, float64.",
        "",
        f"Backpropagation, R = {100 if quick else REPLICAS:,}, "
        "whole training loop with criterion test and bookkeeping; "
        f"µs per epoch for all replicas, medians of {1 if quick else ROUNDS} rounds taken in turn.",
        "",
        "| task | plain loop over networks | harness | ratio (range) | promised |",
        "|---|---|---|---|---|",
    ]
    with threadpool_limits(1, user_api="blas"):
        for name, needed in NEEDED.items():
            lines.append(loop_row(name, needed, 100 if quick else REPLICAS, 1 if quick else ROUNDS))
            print(lines[-1], flush=True)
        lines += ["", *whole_runs(quick), "", *start_up(), ""]
        print("\n".join(lines[8:]), flush=True)
        if not quick:  # what is measured is kept, whatever ends what follows
            Path(__file__).with_name("RESULTS.md").write_text("\n".join(lines), encoding="utf-8")
        families = list(family_lines(quick))
        if not quick:
            Path(__file__).with_name("FAMILIES.md").write_text("\n".join(families), encoding="utf-8")
        readings = list(reading_lines(quick))
    if readings and not quick:
        Path(__file__).with_name("COMPILED.md").write_text("\n".join(readings), encoding="utf-8")


def reading_lines(quick: bool) -> Iterator[str]:
    """What the compiled reading promises, and what `auto` takes."""
    if not find_spec("jax"):
        print("JAX is not installed: the compiled reading is left out (make bench installs it)")
        return
    from bench import compiled

    yield f"Measured by `make bench` on one core: JAX {version('jax')}, NumPy {np.__version__}, float64."
    yield ""
    for section in (
        compiled.lines(1 if quick else ROUNDS, 0.02 if quick else 1.0),
        auto.lines(1 if quick else ROUNDS, 2 if quick else auto.TRIALS),
    ):
        for line in chain(section, ("",)):
            print(line, flush=True)
            yield line


def family_lines(quick: bool) -> Iterator[str]:
    """What the families, the statistics and the frames promise, each beside its yardstick."""
    yield "Measured by `make bench` on one core, the sides of each table in turn in one run."
    yield ""
    for section in (
        larger.lines,
        perturbation.lines,
        feedback.lines,
        convolution.lines,
        boltzmann.lines,
        settling.lines,
        through_time.lines,
        statistics_lines,
        results.lines,
        tuning.lines,
        overhead.lines,
    ):
        for line in section(1 if quick else 5):
            print(line, flush=True)
            yield line
        yield ""


def loop_row(name: str, needed: float, replicas: int, rounds: int) -> str:
    """One task: the plain loop (over a few networks, scaled to R)
    and the harness in turn, with the same final weights.
    """
    task: Task = tasks()[name]()
    epochs, few = EPOCHS[name], PLAIN[name]
    net = task.network()
    numbers = range(replicas)
    params = initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)
    data = task.data(Rand(0, numbers, SPLIT), np.float64)
    plain_times, our_times = [], []
    for _ in range(rounds):
        start = perf_counter()
        for i in range(few):
            x, wanted = (a[0 if len(a) == 1 else i] for a in (data.x, data.wanted))
            theirs = train_one(
                net, {k: v[i] for k, v in params.items()}, task, x, wanted, epochs, SLOW, MOMENTUM
            )
        plain_times.append((perf_counter() - start) / epochs * 1e6 * replicas / few)
        start = perf_counter()
        result = run(
            Backprop(GradientDescent(lr=SLOW, momentum=MOMENTUM, decay=0.0)),
            task,
            replicas=replicas,
            epochs=epochs,
            progress=False,
        )
        our_times.append((perf_counter() - start) / epochs * 1e6)
        for key, weights in theirs.items():
            np.testing.assert_allclose(weights, result.trained.weights[key][few - 1], rtol=1e-9, atol=1e-12)
    ratios = sorted(a / b for a, b in zip(plain_times, our_times, strict=True))
    plain, ours = statistics.median(plain_times), statistics.median(our_times)
    ratio = f"**{statistics.median(ratios):.1f}** ({ratios[0]:.1f}–{ratios[-1]:.1f})"
    return f"| {name} | {plain:,.0f} | {ours:,.0f} | {ratio} | ≥ {needed:g} |"


def whole_runs(quick: bool) -> list[str]:
    """10,000 XOR networks to the end, and what keeping a study's cells costs beside training them."""
    many = 100 if quick else 10_000
    start = perf_counter()
    run(
        Backprop(GradientDescent(lr=0.5, momentum=0.9)),
        tasks()["xor"](scale=0.5),
        replicas=many,
        epochs=5000,
        progress=False,
    )
    seconds = perf_counter() - start
    lines = [f"- {many:,} XOR networks (η .5, α .9, ±.5, budget 5,000 epochs) to the end: {seconds:.1f} s"]
    cells = study_cells("run.epochs=20") if quick else study_cells()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.at(folder).prepare()
        wall = updates = 0.0
        for cell in cells:
            start = perf_counter()
            record = attempt(cell, store)
            wall += perf_counter() - start
            assert record is not None
            updates += float(record.replicas["seconds"].sum())
    share = 100 * (1 - updates / wall)
    return [
        *lines,
        f"- the {len(cells)} cells of *first light*, one after another: {wall:.0f} s, "
        f"of which {share:.1f} % are not updates but criterion tests, curves, set-up and records",
    ]


def study_cells(*overrides: str) -> list[Cell]:
    """The cells of first light."""
    with initialize_config_dir(CONF, **VERSION_BASE):
        study = compose("config", overrides=["study=first_light"]).study
    return cells_of(*([*study.common, *block, *overrides] for block in study.cells))[0]


def start_up() -> list[str]:
    """From the command to the printed result,
    with tracking off and with an existing MLflow store; and the catalog.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # somebody may be telling MLflow
        env = os.environ | {"HARNESS_STORE": str(Path(folder) / "store")}

        def seconds(*command: str) -> float:
            start = perf_counter()
            subprocess.run([sys.executable, "-m", *command], env=env, check=True, capture_output=True)
            return perf_counter() - start

        one = ("harness", "task=xor", "run.replicas=10")
        seconds(*one, "run.seed=99")  # makes the store
        off = statistics.median(seconds(*one, f"run.seed={i}", "tracking.enabled=false") for i in range(3))
        on = statistics.median(seconds(*one, f"run.seed={i}") for i in range(10, 13))
        catalog = statistics.median(seconds("harness.cli.catalog") for _ in range(3))
    return [
        "- `python -m harness task=xor run.replicas=10`, start to printed result: "
        f"{off:.1f} s with tracking off, {on:.1f} s with an existing MLflow store",
        f"- `python -m harness.catalog`: {catalog:.2f} s",
    ]


if __name__ == "__main__":
    main()

"""Whether `backend=auto` takes the faster back end, in 40 trials while three other processes are busy.

Each trial asks it about a cell, then trains that cell in either way, in turn, and takes the least processor
time of an epoch of each. At a rate so small no network finishes: every epoch costs all replicas.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from time import process_time

from bench.compiled import LONG, MOMENTUM, SLOW
from harness.cells.settings import Settings
from harness.core.algorithm import Algorithm
from harness.core.registry import build_algorithm, tasks
from harness.core.task import Task
from harness.experiment.choose_backend import choose
from harness.experiment.run import run
from harness.training.plan import Plan

BUSY, TRIALS = 3, 40
ROUNDS, SECONDS = 3, 0.15  # of training in either way, and how long each is to take
RULES = ("backprop", "feedback_alignment", "node_perturbation", "finite_differences")
CELLS = [
    *itertools.product(("xor", "encoder", "symmetry"), RULES, (1, 30, 1000)),
    *(("family_tree", "backprop", replicas) for replicas in (1, 4, 16, 64)),
]
PROMISED = 1.2
"""How many times slower than the other the back end that is taken may be."""


def lines(rounds: int, trials: int = TRIALS) -> Iterator[str]:
    """A sentence on all trials, and a row for each in which the slower back end was taken."""
    if not find_spec("jax"):
        yield "JAX is not installed: there is nothing to choose from."
        return
    with busy():
        ratios = {cell: ratio(*cell, rounds=min(rounds, ROUNDS)) for cell in CELLS[:trials]}
    slower = {cell: value for cell, (_, value) in ratios.items() if value > 1}
    taken = [backend for backend, _ in ratios.values()]
    yield (
        f"`auto`, {len(ratios)} trials beside {BUSY} busy processes: the compiled loop taken "
        f"{taken.count('jax')} times, the slower back end {len(slower)} times, at worst "
        f"{max([1.0, *slower.values()]):.2f} times slower than the other (promised ≤ {PROMISED}), "
        "in processor time of an epoch."
    )
    for (task, rule, replicas), value in sorted(slower.items(), key=lambda one: -one[1]):
        yield f"- {task} {rule} R = {replicas:,}: {value:.2f}"


def ratio(name: str, rule: str, replicas: int, rounds: int) -> tuple[str, float]:
    """The back end that `auto` takes, and its processor time ÷ that of the other."""
    optimiser = {"name": "gradient_descent", "lr": SLOW, "momentum": MOMENTUM, "decay": 0.0}
    algorithm, task = build_algorithm({"name": rule, "optimiser": optimiser}), tasks()[name]()
    settings = Settings(epochs=LONG, replicas=replicas, batch="full")
    taken, _ = choose(algorithm, task, [(Plan.of(settings), list(range(replicas)))])
    epochs = dict.fromkeys(("jax", "numpy"), 20)
    for backend in epochs:  # so many that set-up does not count
        while seconds(algorithm, task, replicas, epochs[backend], backend) * epochs[backend] < SECONDS:
            epochs[backend] *= 3
    times: dict[str, list[float]] = {backend: [] for backend in epochs}
    for _ in range(rounds):
        for backend, some in times.items():
            some.append(seconds(algorithm, task, replicas, epochs[backend], backend))
    other = "numpy" if taken == "jax" else "jax"
    return taken, min(times[taken]) / min(times[other])


def seconds(algorithm: Algorithm, task: Task, replicas: int, epochs: int, backend: str) -> float:
    """Processor time of an epoch, set-up included; the first one compiled is that of the program, too."""
    before = process_time()
    how = {"replicas": replicas, "epochs": epochs, "backend": backend, "batch": "full", "unchecked": True}
    result = run(algorithm, task, progress=False, **how)
    spent = process_time() - before - result.trained.ran.get("compile_seconds", 0.0)
    return max(spent, 1e-6) / epochs


@contextmanager
def busy(count: int = BUSY) -> Iterator[None]:
    """Other processes that count as fast as they can."""
    others = [
        multiprocessing.get_context("spawn").Process(target=_count, args=(os.getpid(),), daemon=True)
        for _ in range(count)
    ]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def _count(parent: int) -> None:
    if hasattr(os, "sched_setaffinity"):  # on all cores, wherever this one was told to stay
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    while os.getppid() == parent:  # and no longer: whoever measures may be killed
        pass


if __name__ == "__main__":
    for line in lines(ROUNDS):
        print(line, flush=True)

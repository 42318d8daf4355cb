"""`backend=auto`: which reading of the source promises to be done first, found by trying.

A run that is expected to take no longer than compiling does is not compiled. Otherwise a few epochs of the
first chunk are run in either way, and the faster one does the rest. Both are judged by the same clock: the
least processor time of an epoch in several slices, which other processes on the machine hardly touch, where
they stretch a wall clock's mean at will. What was chosen depends on the machine: it is kept in the record,
beside what came of it, and a run that others should repeat names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from time import process_time

import numpy as np
from threadpoolctl import threadpool_limits

from harness.core.algorithm import Algorithm
from harness.core.readings import read_by
from harness.core.task import Task
from harness.training.plan import Plan
from harness.training.train import trainer_for
from harness.training.trained import Trained
from harness.training.trainer import Trainer

COMPILING = 1.0  # seconds that importing JAX and compiling take, about; in time, half as many for each step
SPENT = 0.5  # of its budget a cell is expected to spend
TRIAL = 0.1  # seconds for which each reading is tried
SLICES = 10  # in which the time of the compiled one is taken


def choose(algorithm: Algorithm, task: Task, jobs: Sequence[tuple[Plan, list[int]]]) -> tuple[str, str]:
    """The back end for these chunks, and why."""
    plan, replicas = jobs[0]
    plan = plan._replace(seconds=np.inf)
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        trainer, reading = trainer_for(algorithm, task, plan, replicas)
        with read_by(reading):
            interpreted = _least_seconds(lambda: _epoch(trainer))
        expected = SPENT * interpreted * plan.epochs * len(jobs)
        if expected < COMPILING * max(1.0, 0.5 * task.spec().steps):
            return "numpy", f"auto: about {expected:.1f} s of work, less than compiling takes"
        if find_spec("jax") is None:
            return "numpy", "auto: JAX is not installed"
        from harness.compiling.behind import CannotCompile
        from harness.compiling.driver import Driver, program_of

        trainer = Trainer(algorithm, task, plan, replicas)
        try:
            program = program_of(trainer)
            driver = Driver(trainer, program)
            few = max(1, int(TRIAL / SLICES / interpreted))
            slices = iter(
                [few * 2**i for i in range(2 * SLICES + 1)]
            )  # the first compiles, and curves are there

            def advance() -> int:
                first = driver.epoch
                if driver.epoch < plan.epochs and trainer.running.any():
                    driver.advance(next(slices))
                return driver.epoch - first

            compiled = _least_seconds(advance)
        except CannotCompile as reason:
            return "numpy", f"auto: not compiled: {reason}"
    if not np.isfinite(compiled):
        return "jax", "auto: solved while it was tried"
    said = (
        f"auto: expected {1e6 * compiled:,.0f} µs an epoch compiled (in {program.seconds:.1f} s), "
        f"{1e6 * interpreted:,.0f} interpreted"
    )
    return ("jax" if compiled < interpreted else "numpy"), said


def came(why: str, parts: Sequence[Trained]) -> str:
    """`why`, and what the chunks took in the end beside what was expected."""
    if "expected" not in why:
        return why
    epochs = sum(int(part.epochs.max()) for part in parts)
    return f"{why}; came to {1e6 * sum(part.seconds.sum() for part in parts) / max(epochs, 1):,.0f}"


def _epoch(trainer: Trainer) -> int:
    _, output = trainer.sweep(0)
    trainer.met(output)
    return 1


def _least_seconds(some: Callable[[], int]) -> float:
    """Processor time of an epoch, the least of several slices, each as many as it says; inf for none."""
    some()
    spent, least = 0.0, np.inf
    for _ in range(2 * SLICES):
        start = process_time()
        epochs = some()
        took = process_time() - start
        spent += took
        if not epochs:
            break
        least = min(least, took / epochs)
        if spent > TRIAL:
            break
    return float(least)

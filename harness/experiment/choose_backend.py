"""`backend=auto`: which reading of the source promises to be done first, found by trying.

A run that is expected to take no longer than compiling does is not compiled. Otherwise a few epochs of the
first chunk are run in either way, and the faster one does the rest. What was chosen depends on the machine:
it is kept in the record, and a run that others should repeat names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from harness.core.algorithm import Algorithm
from harness.core.task import Task
from harness.training.plan import Plan
from harness.training.trainer import Trainer

COMPILING = 1.0  # seconds that importing JAX and compiling take, about
SPENT = 0.5  # of its budget a cell is expected to spend
TRIAL = 0.1  # seconds for which each reading is tried


def choose(algorithm: Algorithm, task: Task, jobs: Sequence[tuple[Plan, list[int]]]) -> tuple[str, str]:
    """The back end for these chunks, and why."""
    plan, replicas = jobs[0]
    plan = plan._replace(seconds=np.inf)
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        trainer = Trainer(algorithm, task, plan, replicas)
        interpreted = _seconds_per_epoch(lambda: _epoch(trainer))
        expected = SPENT * interpreted * plan.epochs * len(jobs)
        if expected < COMPILING:
            return "numpy", f"auto: about {expected:.1f} s of work, less than compiling takes"
        if find_spec("jax") is None:
            return "numpy", "auto: JAX is not installed"
        from harness.compiling.behind import CannotCompile
        from harness.compiling.driver import Driver, program_of

        try:
            program = program_of(trainer)
            driver = Driver(trainer, program)
            few = max(1, int(TRIAL / interpreted))
            driver.advance(few)
            before, first = trainer.clock, driver.epoch
            while driver.epoch < plan.epochs and trainer.running.any() and trainer.clock - before < TRIAL:
                driver.advance(few)
        except CannotCompile as reason:
            return "numpy", f"auto: not compiled: {reason}"
    if driver.epoch == first:
        return "jax", "auto: solved while it was tried"
    compiled = (trainer.clock - before) / (driver.epoch - first)
    said = (
        f"auto: {1e6 * compiled:,.0f} µs an epoch compiled (in {program.seconds:.1f} s), "
        f"{1e6 * interpreted:,.0f} interpreted"
    )
    return ("jax" if compiled < interpreted else "numpy"), said


def _epoch(trainer: Trainer) -> None:
    _, output = trainer.sweep(0)
    trainer.met(trainer.outputs() if output is None else output)


def _seconds_per_epoch(epoch: Callable[[], None]) -> float:
    epoch()
    times: list[float] = []
    while sum(times) < TRIAL and len(times) < 20:
        start = perf_counter()
        epoch()
        times.append(perf_counter() - start)
    return float(np.median(times))

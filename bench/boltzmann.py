"""Sampling Boltzmann machines: what one unit's update costs,
random numbers and learning included, NumPy and compiled.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from importlib.util import find_spec
from time import perf_counter

from algorithms.boltzmann import Boltzmann
from harness.experiment.run import run
from harness.tasks.encoder import Encoder

REPLICAS = 100
PROMISED = 25  # nanoseconds


def lines(rounds: int, share: float = 1.0) -> Iterator[str]:
    """The section on sampling; `share` of the cycles, for a quick look."""
    yield (
        "The 8-3-8 encoder by sampling (Ackley, Hinton & Sejnowski's settings), "
        f"R = {REPLICAS}: nanoseconds a unit update,"
    )
    yield (
        "the whole learning cycle ÷ the probes in it, random numbers, "
        "statistics and steps included (range); in compiled code"
    )
    yield "also the criterion, exact probabilities of all 256 states of the outputs:"
    yield ""
    yield "| back end | ns a unit update | cycles of 100 networks a second | promised |"
    yield "|---|---|---|---|"
    cycles = max(20, int(300 * share))
    for backend in ("numpy", "jax") if find_spec("jax") else ("numpy",):
        measure(backend, cycles)  # compiles, and warms caches
        found = sorted(measure(backend, cycles) for _ in range(rounds))
        median = statistics.median(found)
        each = f"**{median:.1f}** ({found[0]:.1f}–{found[-1]:.1f})"
        promise = f"≤ {PROMISED}" if backend == "numpy" else "reported"
        yield f"| {backend} | {each} | {1e9 / (median * probes()):.0f} | {promise} |"


def probes() -> int:
    """Unit updates in a cycle of all replicas: free chains,
    every unit in every time unit; clamped ones, hidden units.
    """
    task, algorithm = Encoder(), Boltzmann("encoder")
    units = sum(g.size for g in task.network().groups)
    chains = REPLICAS * algorithm.presentations * task.size
    return chains * (
        units * (sum(algorithm.times) + algorithm.statistics) + task.hidden * algorithm.statistics
    )


def measure(backend: str, cycles: int) -> float:
    """Nanoseconds a unit update: seconds of updates alone for the interpreter,
    those of whole chunks where compiled.
    """
    task = Encoder(criterion="error", bound=1e-9)  # which nobody ever meets: every cycle costs all R
    start = perf_counter()
    result = run(
        Boltzmann("encoder", noise_on=0.02),
        task,
        replicas=REPLICAS,
        epochs=cycles,
        backend=backend,
        progress=False,
    )
    seconds = float(result.trained.seconds.sum())
    assert seconds <= perf_counter() - start
    return 1e9 * seconds / (cycles * probes())

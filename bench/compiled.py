"""Compiled against interpreted, against JAX by hand,
and what compiling costs: one table, measured in turn in one run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from algorithms.backprop import Backprop
from bench import handwritten
from harness.core.initial import initial
from harness.core.optimisers import GradientDescent
from harness.core.rand import WEIGHTS, Rand
from harness.core.registry import tasks
from harness.experiment.result import Result
from harness.experiment.run import run

SLOW, MOMENTUM = 1e-4, 0.9  # a rate at which no network finishes: every epoch costs all R
CASES = [  # task, replicas, epochs, promised ratio
    ("xor", 1, 30_000, "≥ 40"),
    ("xor", 100, 20_000, "≥ 8"),
    ("xor", 1000, 5000, "≥ 4"),
    ("encoder", 100, 2000, "≥ 2"),
    ("encoder", 1000, 300, ""),
    ("symmetry", 100, 2000, "≥ 2"),
    ("symmetry", 1000, 200, ""),
    ("family_tree", 64, 150, "reported"),
]
BY_HAND = [("xor", 100, 20_000), ("xor", 1000, 5000), ("encoder", 100, 2000), ("symmetry", 100, 2000)]
FIRST_LIGHT = [
    ("xor", "backprop"),
    ("encoder", "backprop"),
    ("symmetry", "backprop"),
    ("xor", "finite_differences"),
]
FIRST_LIGHT += [
    ("symmetry", "finite_differences"),
    ("encoder", "shallow"),
    ("symmetry", "perceptron"),
    ("family_tree", "backprop"),
]


def lines(rounds: int, share: float) -> Iterator[str]:
    """The section on the compiled reading; `share` of the epochs, for a quick look."""
    yield (
        "Backpropagation, the whole training loop with its set-up, "
        "`run.backend=jax` against `numpy`, and what `auto` chooses:"
    )
    yield ""
    yield "| task | R | interpreted, µs an epoch | compiled | ratio (range) | promised | auto |"
    yield "|---|---|---|---|---|---|---|"
    for name, replicas, epochs, promised in CASES:
        yield against_interpreted(name, replicas, max(20, int(share * epochs)), promised, rounds)
    yield ""
    yield (
        "Against `jit(vmap(grad))` written by hand "
        "for one task (`bench/handwritten.py`), the same final weights:"
    )
    yield ""
    yield "| task | R | by hand, µs an epoch | harness | speed ÷ by hand (range) | promised |"
    yield "|---|---|---|---|---|---|"
    for name, replicas, epochs in BY_HAND:
        yield against_hand(name, replicas, max(20, int(share * epochs)), rounds)
    yield ""
    yield ten_thousand(share)
    yield compiling()


def quicker(theirs: Callable[[], float], ours: Callable[[], float], rounds: int) -> tuple[float, float, str]:
    """Medians of two times taken in turn, and their ratio with its range."""
    pairs = [(theirs(), ours()) for _ in range(rounds)]
    ratios = sorted(a / b for a, b in pairs)
    ratio = f"**{statistics.median(ratios):.3g}** ({ratios[0]:.3g}–{ratios[-1]:.3g})"
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


def train(name: str, replicas: int, epochs: int, backend: str) -> tuple[float, Result]:
    """Microseconds an epoch, compiling left out, and the result."""
    start = perf_counter()
    algorithm = Backprop(GradientDescent(lr=SLOW, momentum=MOMENTUM, decay=0.0))
    result = run(
        algorithm, tasks()[name](), replicas=replicas, epochs=epochs, backend=backend, progress=False
    )
    seconds = perf_counter() - start - result.trained.ran.get("compile_seconds", 0.0)
    return 1e6 * seconds / epochs, result


def against_interpreted(name: str, replicas: int, epochs: int, promised: str, rounds: int) -> str:
    """One row of the first table."""
    train(name, replicas, epochs, "jax")  # compiles
    both = [lambda b=b: train(name, replicas, epochs, b)[0] for b in ("numpy", "jax")]
    interpreted, compiled, ratio = quicker(both[0], both[1], rounds)
    budget = max(epochs, int(5e6 / interpreted))  # long enough for auto to think about it
    auto = train(name, replicas, budget, "auto")[1].trained.ran["backend"]
    return f"| {name} | {replicas:,} | {interpreted:,.3g} | {compiled:,.3g} | {ratio} | {promised} | {auto} |"


def against_hand(name: str, replicas: int, epochs: int, rounds: int) -> str:
    """One row of the second table."""
    task = tasks()[name]()
    net, (x, wanted, *_) = task.network(), task.patterns()
    start = initial(net, Rand(0, range(replicas), WEIGHTS), task.init, task.initial_scale)
    layers = [(start[e], start[e.target]) for e in net.edges]
    target = np.where(wanted, task.target_on, task.target_off)
    by_hand = handwritten.prepared(layers, x, target, epochs, SLOW, MOMENTUM)
    _, result = train(name, replicas, epochs, "jax")
    for e, (w, _) in zip(net.edges, by_hand(), strict=True):
        np.testing.assert_allclose(w, result.trained.weights[e.name], rtol=1e-9, atol=1e-12)

    def theirs() -> float:
        before = perf_counter()
        by_hand()
        return 1e6 * (perf_counter() - before) / epochs

    hand, ours, ratio = quicker(theirs, lambda: train(name, replicas, epochs, "jax")[0], rounds)
    return f"| {name} | {replicas:,} | {hand:,.3g} | {ours:,.3g} | {ratio} | ≥ 0.8 |"


def ten_thousand(share: float) -> str:
    """10,000 XOR networks to the end."""
    many = max(100, int(10_000 * share))
    algorithm, task = Backprop(GradientDescent(lr=0.5, momentum=0.9)), tasks()["xor"](scale=0.5)
    run(algorithm, task, replicas=many, epochs=5000, backend="jax", progress=False)
    start = perf_counter()
    run(algorithm, task, replicas=many, epochs=5000, backend="jax", progress=False)
    seconds = perf_counter() - start
    what = f"{many:,} XOR networks (η .5, α .9, ±.5, budget 5,000 epochs) to the end"
    return f"- {what}, after compilation: {seconds:.1f} s (promised ≤ 3)"


def compiling() -> str:
    """Seconds to compile the first program of a cell:
    with an empty cache, and in a second process with a full one.
    """
    code = (
        "import sys; from harness.core.registry import algorithms, tasks; from harness.experiment.run import "
        "run\n"
        "for pair in sys.argv[1:]:\n"
        "    task, algorithm = pair.split(':')\n"
        "    r = run(algorithms()[algorithm](), tasks()[task](), replicas=100, epochs=20, backend='jax')\n"
        "    print(r.trained.ran['compile_seconds'])\n"
    )
    command = [sys.executable, "-c", code, *(f"{task}:{algorithm}" for task, algorithm in FIRST_LIGHT)]
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"XDG_CACHE_HOME": folder}
        fresh, cached = (
            [
                float(s)
                for s in subprocess.run(
                    command, env=env, check=True, capture_output=True, text=True
                ).stdout.split()
            ]
            for _ in range(2)
        )
    seconds, slowest = max(zip(fresh, FIRST_LIGHT, strict=True))
    return (
        f"- compiling a cell of *first light*: {statistics.median(fresh):.1f} s, "
        f"at most {seconds:.1f} s of {len(FIRST_LIGHT)} ({slowest[1]} on {slowest[0]}; promised ≤ 2); "
        f"in another process, cached: {statistics.median(cached):.2f} s"
    )

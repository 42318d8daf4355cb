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
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from algorithms.backprop import Backprop
from bench import handwritten, kernel
from bench.contest import Contestant, Start
from harness.cells.settings import Settings
from harness.core.optimisers import GradientDescent
from harness.core.registry import tasks
from harness.experiment.choose_backend import choose
from harness.experiment.result import Result
from harness.experiment.run import run
from harness.training.plan import Plan

SLOW, MOMENTUM = 1e-4, 0.9  # a rate at which no network finishes: every epoch costs all R
RULE = Backprop(GradientDescent(lr=SLOW, momentum=MOMENTUM, decay=0.0))
LONG = 10**6  # epochs
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
CONTEST = [  # task, replicas, epochs, promised: harness ÷ C
    ("xor", 1000, 20_000, "≤ 1.3"),
    ("encoder", 1000, 3000, "≤ 1.9"),
    ("symmetry", 1000, 2000, "≤ 1.3"),
    ("family_tree", 64, 300, ""),
]
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
        "Against loops written by hand, all of which test the criterion and note who met it when: "
        "C, SIMD over replicas (`bench/kernel.c`, -O3 -march=native, no -ffast-math), and JAX with replicas "
        "on the first axis and on the last (`bench/handwritten.py`). Processor time in turn, µs an epoch, "
        "least (and most); the same final weights:"
    )
    yield ""
    yield (
        "| task | R | C | JAX, first | JAX, last | harness | harness ÷ C | promised "
        "| harness ÷ best JAX | promised |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, replicas, epochs, promised in CONTEST:
        yield against_hand(name, replicas, max(20, int(share * epochs)), promised, rounds)
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
    result = run(RULE, tasks()[name](), replicas=replicas, epochs=epochs, backend=backend, progress=False)
    seconds = perf_counter() - start - result.trained.ran.get("compile_seconds", 0.0)
    return 1e6 * seconds / epochs, result


def against_interpreted(name: str, replicas: int, epochs: int, promised: str, rounds: int) -> str:
    """One row of the first table."""
    train(name, replicas, epochs, "jax")  # compiles
    both = [lambda b=b: train(name, replicas, epochs, b)[0] for b in ("numpy", "jax")]
    interpreted, compiled, ratio = quicker(both[0], both[1], rounds)
    # of a budget so long that compiling would be worth its time
    plan = Plan.of(Settings(epochs=LONG, replicas=replicas, batch="full"))
    auto, _ = choose(RULE, tasks()[name](), [(plan, list(range(replicas)))])
    return f"| {name} | {replicas:,} | {interpreted:,.3g} | {compiled:,.3g} | {ratio} | {promised} | {auto} |"


def against_hand(name: str, replicas: int, epochs: int, promised: str, rounds: int) -> str:
    """One row of the second table."""
    start = Start.of(name, replicas, SLOW, MOMENTUM)
    hands: dict[str, Contestant] = {
        "first": handwritten.replicas_first(start),
        "last": handwritten.replicas_last(start),
    }
    with tempfile.TemporaryDirectory() as folder:
        if (why := kernel.missing(start)) is None:
            hands["c"] = kernel.prepared(start, Path(folder))
        else:
            print(f"{name}: no kernel in C, {why}", flush=True)
        _, result = train(name, replicas, epochs, "jax")
        for hand in hands.values():
            for key, w in hand(epochs)[0].items():
                ours = result.trained.weights[getattr(key, "name", key)]
                np.testing.assert_allclose(w, ours, rtol=1e-9, atol=1e-12)
        everybody: dict[str, Callable[[int], object]] = {
            **hands,
            "harness": lambda n: train(name, replicas, n, "jax"),
        }
        times: dict[str, list[float]] = {who: [] for who in everybody}
        for _ in range(rounds):
            for who, run_it in everybody.items():
                before = process_time()
                run_it(epochs)
                times[who].append(1e6 * (process_time() - before) / epochs)
    least = {who: min(some) for who, some in times.items()}
    shown = {who: f"{min(some):,.3g} ({max(some):,.3g})" for who, some in times.items()}
    by_c = f"**{least['harness'] / least['c']:.2f}**" if "c" in least else ""
    by_jax = least["harness"] / min(least["first"], least["last"])
    return (
        f"| {name} | {replicas:,} | {shown.get('c', '')} | {shown['first']} | {shown['last']} | "
        f"{shown['harness']} | {by_c} | {promised} | **{by_jax:.2f}** | < 1 |"
    )


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

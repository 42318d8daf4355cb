"""An accelerator against one core: `python -m bench.gpu`, on whatever JAX finds.

XOR with 100,000 networks, digits by a fully connected network, and digits by maps with shared kernels. The
same cells, compiled, on one core of this machine and on its accelerator, in turn; seconds of updates, without
compiling. The rate is so small that no network finishes: every epoch costs all replicas.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from harness.core.registry import build_algorithm, build_task
from harness.experiment.run import run

SLOW = {
    "name": "backprop",
    "optimiser": {"name": "gradient_descent", "lr": 1e-7, "momentum": 0.9, "decay": 0.0},
}
CASES = {  # task, replicas, epochs
    "XOR": ({"name": "xor"}, 100_000, 500),
    "digits, 64-64-10": ({"name": "digits"}, 64, 5),
    "digits by maps": ({"name": "digits", "layout": "shared", "hidden": 16}, 16, 2),
}


def accelerator() -> str | None:
    """The platform of the first device that JAX has beside the processor; None if there is none."""
    if not find_spec("jax"):
        return None
    import jax

    return next((d.platform for d in jax.devices() if d.platform != "cpu"), None)


def lines(device: str, rounds: int = 3, share: float = 1.0) -> Iterator[str]:
    """A table, a row a case; `share` of the replicas, for a quick look."""
    yield "| case | R | one core, ms an epoch | accelerator | ratio (range) |"
    yield "|---|---|---|---|---|"
    for name, (task, replicas, epochs) in CASES.items():
        count = max(1, int(share * replicas))
        pairs = [
            tuple(1e3 * seconds(task, count, epochs, where) / epochs for where in ("cpu", device))
            for _ in range(rounds)
        ]
        core, fast = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(a / b for a, b in pairs)
        yield (
            f"| {name} | {count:,} | {core:.3g} | {fast:.3g} | **{statistics.median(ratios):.1f}** "
            f"({ratios[0]:.1f}–{ratios[-1]:.1f}) |"
        )


def seconds(task: dict[str, object], replicas: int, epochs: int, device: str) -> float:
    """Seconds of updates of a cell."""
    how = {"replicas": replicas, "epochs": epochs, "backend": "jax", "device": device, "unchecked": True}
    result = run(build_algorithm(SLOW), build_task(task), progress=False, **how)
    return float(result.trained.seconds.sum())


if __name__ == "__main__":
    found = accelerator()
    if found is None:
        sys.exit("bench.gpu: JAX has no accelerator here: nothing was measured")
    if hasattr(os, "sched_setaffinity"):  # one core, for everybody
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for line in lines(found):
        print(line, flush=True)

"""Equilibrium propagation against the loops that one writes: XOR network by network, and digits in batches.

Every side settles in the same way, groups in turn, and ends at the same weights, which is checked. On XOR the
loop stops each network as soon as it is at rest, as the harness does; on digits all take 20 free steps and 10
nudged ones. Plain NumPy and PyTorch do their updates alone, the harness looks at criterion, curves and
divergence besides.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from time import process_time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from algorithms.equilibrium_propagation import EquilibriumPropagation
from bench.larger import ratio
from bench.plain import sigmoid
from harness.core.initial import initial
from harness.core.optimisers import GradientDescent
from harness.core.rand import ORDER, SPLIT, WEIGHTS, Rand
from harness.experiment.run import run
from harness.tasks.digits import Digits
from harness.tasks.xor import Xor

SLOW = GradientDescent(lr=1e-3, momentum=0.0, decay=0.0)  # no network finishes: every epoch costs all
MANY, FEW, EPOCHS = 1000, 20, 200  # networks of XOR; those that the plain loop trains; epochs
FREE, NUDGED, BATCH = 20, 10, 64
RULE = EquilibriumPropagation(SLOW)
FIXED = EquilibriumPropagation(SLOW, tolerance=0.0, steps=FREE, steps_taught=NUDGED, points=1)
Layers = list[np.ndarray]
"""Weights into the hidden units and the outputs, and their biases."""


def lines(rounds: int = 5) -> Iterator[str]:
    """The tables: CPU time of an epoch, medians and range of rounds taken in turn."""
    yield (
        f"Equilibrium propagation (centred, at rest within {RULE.tolerance:g}) on {MANY:,} XOR networks, "
        "an epoch of all of them, CPU time:"
    )
    yield ""
    yield "| | plain loop over networks, µs | harness | plain ÷ harness (range) | promised |"
    yield "|---|---|---|---|---|"
    with threadpool_limits(1, user_api="blas"):
        for backend, promised in (("numpy", "≥ 3"), ("jax", "≥ 20")):
            if backend == "numpy" or find_spec("jax"):
                yield xor_row(backend, promised, rounds)
        yield ""
        yield (
            f"On digits, 64-64-10 in float32, {FREE} free and {NUDGED} nudged steps, batches of {BATCH}, "
            "an epoch of a network; the harness looks at the validation images besides; CPU time:"
        )
        yield ""
        yield (
            "| R | plain NumPy, ms | harness | harness ÷ plain (range) | promised "
            "| PyTorch eager | PyTorch ÷ harness (range) | promised |"
        )
        yield "|---|---|---|---|---|---|---|---|"
        for replicas in (1, 8):
            yield digits_row(replicas, rounds)


def xor_row(backend: str, promised: str, rounds: int) -> str:
    """One reading: a plain loop over a few of the networks, scaled to all."""
    task, numbers = Xor(), range(MANY)
    params = initial(task.network(), Rand(0, numbers, WEIGHTS), task.init, task.initial_scale)
    x, target = (a[0] for a in task.data(Rand(0, numbers, SPLIT), np.float64)[:2])
    starts = [[a[i] for a in params.values()] for i in range(FEW)]

    def ours(epochs: int) -> dict[str, np.ndarray]:
        result = run(RULE, task, replicas=MANY, epochs=epochs, backend=backend, progress=False)
        return result.trained.weights

    ours(EPOCHS)  # compiled once, if it is
    theirs, own = [], []
    for _ in range(rounds):
        before = process_time()
        ends = [centred(layers, x, target, EPOCHS) for layers in starts]
        theirs.append(1e6 * (process_time() - before) / EPOCHS * MANY / FEW)
        before = process_time()
        weights = ours(EPOCHS)
        own.append(1e6 * (process_time() - before) / EPOCHS)
        same(ends[-1], [a[FEW - 1] for a in weights.values()], 1e-6)
    cells = ["compiled" if backend == "jax" else "interpreted", f"{statistics.median(theirs):,.0f}"]
    return f"| {' | '.join([*cells, f'{statistics.median(own):,.0f}', ratio(theirs, own), promised])} |"


def digits_row(replicas: int, rounds: int) -> str:
    """Epochs of digits, by everybody from the same weights in the same order."""
    task, epochs, numbers = Digits(), 10, range(replicas)
    params = initial(task.network(), Rand(0, numbers, WEIGHTS, "float32"), task.init, task.initial_scale)
    x, target = (a[0] for a in task.data(Rand(0, numbers, SPLIT, "float32"), np.float32)[:2])
    rand = Rand(0, numbers, ORDER, "float32")
    orders = [rand.permutation(len(x)) for _ in range(epochs)]
    starts = [[a[i] for a in params.values()] for i in numbers]

    def ours() -> Layers:
        result = run(
            FIXED, task, replicas=replicas, epochs=epochs, batch=BATCH, dtype="float32", progress=False
        )
        return [a[-1] for a in result.trained.weights.values()]

    def loop(train: Callable[..., Layers]) -> Layers:
        return [train(start, x, target, [o[i] for o in orders]) for i, start in enumerate(starts)][-1]

    contestants: list[Callable[[], Layers]] = [partial(loop, one_sided), ours]
    if find_spec("torch"):
        contestants.append(partial(loop, in_torch))
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds):
        ends = []
        for each, contestant in zip(times, contestants, strict=True):
            before = process_time()
            ends.append(contestant())
            each.append(1e3 * (process_time() - before) / epochs / replicas)
        for other in ends[1:]:
            same(ends[0], other, 1e-3)
    theirs, own, *torch = times
    cells = [f"{replicas}", f"{statistics.median(theirs):.0f}", f"{statistics.median(own):.0f}"]
    cells += [ratio(own, theirs), "≤ 1.2"]
    cells += [f"{statistics.median(torch[0]):.0f}", ratio(torch[0], own), "> 1"] if torch else ["", "", ""]
    return f"| {' | '.join(cells)} |"


def same(some: Layers, others: Layers, tolerance: float) -> None:
    """Fail unless both are the same weights."""
    for a, b in zip(some, others, strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


def centred(layers: Layers, x: np.ndarray, target: np.ndarray, epochs: int) -> Layers:
    """Two nudges, one network, as one writes it: a phase ends when nothing moves any further."""
    w1, w2, b1, b2 = (a.copy() for a in layers)
    beta, lr, rest, step = RULE.beta, SLOW.lr or 0.0, RULE.tolerance, RULE.epsilon

    def settled(h: np.ndarray, y: np.ndarray, nudge: float, most: int) -> tuple[np.ndarray, np.ndarray]:
        into = x @ w1 + b1
        for _ in range(most):
            h_new = h + step * (sigmoid(into + y @ w2.T) - h)
            u = h_new @ w2 + b2
            if nudge:
                u = u - nudge * (y - target)
            y_new = y + step * (sigmoid(u) - y)
            moved = max(abs(h_new - h).max(), abs(y_new - y).max())
            h, y = h_new, y_new
            if moved <= rest:
                break
        return h, y

    for _ in range(epochs):
        h = sigmoid(x @ w1 + b1)
        h, y = settled(h, sigmoid(h @ w2 + b2), 0.0, RULE.steps)
        (hp, yp), (hm, ym) = (settled(h, y, nudge, RULE.steps_taught) for nudge in (beta, -beta))
        w1 += lr * (x.T @ (hp - hm)) / (2 * beta)
        w2 += lr * (hp.T @ yp - hm.T @ ym) / (2 * beta)
        b1 += lr * (hp - hm).sum(axis=0) / (2 * beta)
        b2 += lr * (yp - ym).sum(axis=0) / (2 * beta)
    return [w1, w2, b1, b2]


def one_sided(layers: Layers, x: np.ndarray, target: np.ndarray, orders: list[np.ndarray]) -> Layers:
    """One nudge, in batches, all steps taken, as one writes it."""
    w1, w2, b1, b2 = (a.copy() for a in layers)
    beta, lr, step = np.float32(FIXED.beta), np.float32(SLOW.lr or 0.0), np.float32(FIXED.epsilon)
    for order in orders:
        for first in range(0, len(x), BATCH):
            rows = order[first : first + BATCH]
            seen, wanted = x[rows], target[rows]
            into = seen @ w1 + b1
            h = sigmoid(into)
            y = sigmoid(h @ w2 + b2)
            for _ in range(FREE):
                h = h + step * (sigmoid(into + y @ w2.T) - h)
                y = y + step * (sigmoid(h @ w2 + b2) - y)
            free_h, free_y = h, y
            for _ in range(NUDGED):
                h = h + step * (sigmoid(into + y @ w2.T) - h)
                y = y + step * (sigmoid(h @ w2 + b2 - beta * (y - wanted)) - y)
            w1 += lr / beta * (seen.T @ (h - free_h))
            w2 += lr / beta * (h.T @ y - free_h.T @ free_y)
            b1 += lr / beta * (h - free_h).sum(axis=0)
            b2 += lr / beta * (y - free_y).sum(axis=0)
    return [w1, w2, b1, b2]


def in_torch(layers: Layers, x: np.ndarray, target: np.ndarray, orders: list[np.ndarray]) -> Layers:
    """The same in PyTorch, eager, on one thread."""
    torch: Any = import_module("torch")

    torch.set_num_threads(1)
    w1, w2, b1, b2 = (torch.tensor(a) for a in layers)
    patterns, targets = torch.tensor(x), torch.tensor(target)
    beta, lr, step = FIXED.beta, SLOW.lr or 0.0, FIXED.epsilon
    with torch.no_grad():
        for order in map(torch.tensor, orders):
            for rows in order.split(BATCH):
                seen, wanted = patterns[rows], targets[rows]
                into = seen @ w1 + b1
                h = torch.sigmoid(into)
                y = torch.sigmoid(h @ w2 + b2)
                for _ in range(FREE):
                    h = h + step * (torch.sigmoid(into + y @ w2.T) - h)
                    y = y + step * (torch.sigmoid(h @ w2 + b2) - y)
                free_h, free_y = h, y
                for _ in range(NUDGED):
                    h = h + step * (torch.sigmoid(into + y @ w2.T) - h)
                    y = y + step * (torch.sigmoid(h @ w2 + b2 - beta * (y - wanted)) - y)
                w1 += lr / beta * (seen.T @ (h - free_h))
                w2 += lr / beta * (h.T @ y - free_h.T @ free_y)
                b1 += lr / beta * (h - free_h).sum(dim=0)
                b2 += lr / beta * (y - free_y).sum(dim=0)
    return [a.numpy() for a in (w1, w2, b1, b2)]


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)

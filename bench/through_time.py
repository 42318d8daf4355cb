"""Backpropagation through time against the loops that one writes, and real-time recurrent learning against
BLAS.

Delayed exclusive or, 1-8-1 with tanh units and sequences of 20 steps, asked at the last: a plain NumPy loop
over the networks, and the same step differentiated by JAX, one `scan` for all networks at once. All sides end
at the same weights, which is checked. The harness looks at criterion, curves, divergence and its validation
sequences besides. RTRL's yardstick is a product of matrices of its own sizes, and nothing else.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from time import process_time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from algorithms.rtrl import Rtrl
from bench.larger import ratio
from bench.plain import sigmoid
from harness.core.algorithm import Batch
from harness.core.initial import initial
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.core.recurrent import recurrent
from harness.experiment.run import run
from harness.tasks.delayed_xor import DelayedXor
from harness.training.train import keep_freed_memory

LR = 1e-4  # no network finishes: every epoch costs all
SLOW = Backprop(GradientDescent(lr=LR, momentum=0.0, decay=0.0))
MANY, FEW, STEPS, HIDDEN, EPOCHS = 1000, 10, 20, 8, 50
WIDE, LONG = 64, 20  # units and steps of RTRL's network
Layers = list[np.ndarray]
"""Weights into the hidden units, among them and into the output, and the biases of both."""


def lines(rounds: int = 5) -> Iterator[str]:
    """The tables: CPU time of an epoch, medians and range of rounds taken in turn."""
    yield (
        f"Backpropagation through time on {MANY:,} networks of {HIDDEN} units, sequences of {STEPS} steps "
        "(delayed_xor), an epoch of all of them, CPU time:"
    )
    yield ""
    yield "| sequences | reading | by hand | its ms | harness, ms | ratio (range) | promised |"
    yield "|---|---|---|---|---|---|---|"
    with threadpool_limits(1, user_api="blas"):
        for sequences in (4, 32):
            yield row(sequences, "numpy", rounds)
            if find_spec("jax"):
                yield row(sequences, "jax", rounds)
        yield ""
        yield (
            f"Real-time recurrent learning, one network of {WIDE} units over {LONG} steps, one sequence, "
            "beside its own products of matrices alone, CPU time:"
        )
        yield ""
        yield "| products, ms | update, ms | update ÷ products (range) | promised |"
        yield "|---|---|---|---|"
        yield influence_row(rounds)


def row(sequences: int, backend: str, rounds: int) -> str:
    """One reading beside what one writes by hand for it."""
    task = DelayedXor(length=STEPS, lag=STEPS - 2, asked=1, sequences=sequences, hidden=HIDDEN)
    numbers = range(MANY)
    params = list(initial(task.network(), Rand(0, numbers, WEIGHTS), task.init, task.initial_scale).values())
    x, target = task.data(Rand(0, numbers, SPLIT), np.float64)[:2]
    starts: list[Layers] = [[a[i] for a in params] for i in range(FEW)]

    def ours() -> list[Any]:
        result = run(SLOW, task, replicas=MANY, epochs=EPOCHS, backend=backend, progress=False)
        return list(result.trained.weights.values())

    def loop() -> list[Any]:
        return [plain(start, x[i], target[i, 0], EPOCHS) for i, start in enumerate(starts)][-1]

    theirs: Callable[[], list[Any]] = loop if backend == "numpy" else scanned(params, x, target[:, 0])
    scale = MANY / FEW if backend == "numpy" else 1.0
    theirs()
    ours()  # compiled once, if they are
    by_hand, own = [], []
    for _ in range(rounds):
        before = process_time()
        there = theirs()
        by_hand.append(1e3 * (process_time() - before) / EPOCHS * scale)
        before = process_time()
        here = ours()
        own.append(1e3 * (process_time() - before) / EPOCHS)
        for a, b in zip(there, here, strict=True):
            last = np.asarray(a) if backend == "numpy" else np.asarray(a)[FEW - 1]
            np.testing.assert_allclose(b[FEW - 1], last, rtol=1e-8, atol=1e-10)
    kind, how, said, promised = (
        ("interpreted", "loop over networks", ratio(by_hand, own), "≥ 50")
        if backend == "numpy"
        else ("compiled", "JAX `scan`", ratio(own, by_hand), "≤ 1.5")
    )
    which = "by hand ÷ harness" if backend == "numpy" else "harness ÷ by hand"
    times = f"{statistics.median(by_hand):.1f} | {statistics.median(own):.1f}"
    return f"| {sequences} | {kind} | {how} | {times} | {which} {said} | {promised} |"


def plain(layers: Layers, x: np.ndarray, target: np.ndarray, epochs: int) -> Layers:
    """Backpropagation through time, one network, as one writes it."""
    w, u, v, bh, bo = (a.copy() for a in layers)
    for _ in range(epochs):
        h = [np.zeros((x.shape[1], HIDDEN))]
        for seen in x:
            h.append(np.tanh(seen @ w + h[-1] @ u + bh))
        y = sigmoid(h[-1] @ v + bo)
        told = (y - target) * y * (1.0 - y)
        dw, du, dbh = np.zeros_like(w), np.zeros_like(u), np.zeros_like(bh)
        back = told @ v.T
        for t in reversed(range(len(x))):
            delta = back * (1.0 - h[t + 1] * h[t + 1])
            dw += x[t].T @ delta
            du += h[t].T @ delta
            dbh += delta.sum(axis=0)
            back = delta @ u.T
        v -= LR * (h[-1].T @ told)
        bo -= LR * told.sum(axis=0)
        w -= LR * dw
        u -= LR * du
        bh -= LR * dbh
    return [w, u, v, bh, bo]


def scanned(params: Layers, x: np.ndarray, target: np.ndarray) -> Callable[[], list[Any]]:
    """The same step written for JAX: a scan over time, its gradient, all networks by `vmap`."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(layers: Any, seen: Any, wanted: Any) -> Any:
        w, u, v, bh, bo = layers

        def step(h: Any, now: Any) -> Any:
            return jnp.tanh(now @ w + h @ u + bh), None

        h, _ = jax.lax.scan(step, jnp.zeros((seen.shape[1], HIDDEN)), seen)
        return 0.5 * ((jax.nn.sigmoid(h @ v + bo) - wanted) ** 2).sum()

    gradient = jax.vmap(jax.grad(loss))

    @jax.jit
    def train(layers: Any, seen: Any, wanted: Any) -> Any:
        def epoch(_: Any, now: Any) -> Any:
            return [a - LR * g for a, g in zip(now, gradient(now, seen, wanted), strict=True)]

        return jax.lax.fori_loop(0, EPOCHS, epoch, layers)

    start, seen, wanted = [jnp.asarray(a) for a in params], jnp.asarray(x), jnp.asarray(target)
    return lambda: [a.block_until_ready() for a in train(start, seen, wanted)]


def influence_row(rounds: int) -> str:
    """One update of RTRL, and its products of matrices alone: influences (K, n) @ (n, n) at each step."""
    keep_freed_memory()  # as every run does
    net, rule = recurrent(1, WIDE, 1), Rtrl(GradientDescent(lr=LR, momentum=0.0, decay=0.0))
    params = initial(net, Rand(0, [0], WEIGHTS), "uniform", 0.1)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (1, LONG, 1, 1)).astype(float)
    target = rng.integers(0, 2, (1, 1, 1, 1)).astype(float)
    batch = Batch(x, target, target > 0.5, np.zeros(()), time=True)
    noise = Rand(0, [0], NOISE)
    numbers = [w.size for key, w in params.items() if getattr(key, "target", key) == net.hidden[0]]
    influence, weights = rng.normal(size=(sum(numbers), WIDE)), rng.normal(size=(WIDE, WIDE))

    def products() -> None:
        for _ in range(LONG - 1):
            influence @ weights

    def update() -> None:
        rule.credit(net, params, {}, batch, noise)

    products()
    update()
    alone, whole = [], []
    for _ in range(rounds):
        for each, some in ((alone, products), (whole, update)):
            before = process_time()
            for _ in range(5):
                some()
            each.append(1e3 * (process_time() - before) / 5)
    times = f"{statistics.median(alone):.1f} | {statistics.median(whole):.1f}"
    return f"| {times} | {ratio(whole, alone)} | ≤ 2 |"


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)

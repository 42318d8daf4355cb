"""A larger network in mini-batches, 784-256-256-10, against plain NumPy, and PyTorch where it is installed.

Both are the loop that most people would write, one network at a time, and do nothing but their updates: no
criterion, no curves, no outcome. The harness does all of that. The same weights come out, which is checked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from time import process_time
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from bench.plain import sigmoid
from harness.core.data import Data, Patterns, Spec, Usual, shared
from harness.core.initial import initial
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import ORDER, WEIGHTS, Rand
from harness.core.task import Task
from harness.experiment.run import run

SIZES = (784, 256, 256, 10)
PATTERNS, BATCH, SWEEPS = 3200, 64, 20
SLOW = 1e-4  # a rate at which no network finishes
CASES = [("float32", 1), ("float32", 8), ("float64", 1), ("float64", 8)]
Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Clouds(Task):
    """Ten clouds of points in 784 dimensions: as large as MNIST's images, and nothing to fetch."""

    usual: ClassVar[Usual] = Usual(lr=0.1, momentum=0.0, scale=0.05, epochs=SWEEPS, batch=BATCH)

    def network(self) -> Network:
        return Network.chain(*SIZES)

    def spec(self) -> Spec:
        return Spec(PATTERNS, "labels", binary=False)

    def patterns(self) -> Patterns:
        return clouds()

    def data(self, rand: Rand, dtype: object) -> Data:
        x, wanted, *_ = clouds()
        return shared(x, wanted, wanted, dtype)


@cache
def clouds() -> Patterns:
    """Points about ten middles, all of them in [0, 1]."""
    rng = np.random.default_rng(0)
    label = rng.integers(10, size=PATTERNS)
    x = 0.5 * rng.random((10, SIZES[0]))[label] + 0.5 * rng.random((PATTERNS, SIZES[0]))
    return Patterns(x, label[:, None] == np.arange(10), tuple(map(str, label)))


def lines(rounds: int = 3) -> Iterator[str]:
    """The table: CPU time of an update of one network, medians and range of rounds taken in turn."""
    yield (
        f"A larger network, {'-'.join(map(str, SIZES))}, {PATTERNS:,} patterns in batches of {BATCH}, "
        f"{SWEEPS} sweeps, one BLAS thread; CPU time. Plain NumPy and PyTorch do their updates alone, "
        "the harness looks at criterion, curves and divergence besides:"
    )
    yield ""
    yield (
        "| precision | R | plain NumPy, µs an update and network | harness | harness ÷ plain (range) "
        "| promised | PyTorch eager | PyTorch ÷ harness (range) | promised |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    with threadpool_limits(1, user_api="blas"):
        for dtype, replicas in CASES:
            yield row(dtype, replicas, rounds)
    if not find_spec("torch"):
        yield ""
        yield "PyTorch is not installed here: its columns are left out."


def row(dtype: str, replicas: int, rounds: int) -> str:
    """One precision and number of networks."""
    numbers = range(replicas)
    net = Clouds().network()
    start = initial(net, Rand(0, numbers, WEIGHTS, dtype), "uniform", Clouds.usual.scale)
    networks: list[Layers] = [[(start[e][i], start[e.target][i, 0]) for e in net.edges] for i in numbers]
    rand = Rand(0, numbers, ORDER, dtype)
    orders = [rand.permutation(PATTERNS) for _ in range(SWEEPS)]
    x, target = (a[0] for a in Clouds().data(rand, dtype)[:2])

    def loop(train: Callable[..., Layers]) -> Layers:
        return [train(layers, x, target, [o[i] for o in orders]) for i, layers in enumerate(networks)][-1]

    contestants: list[Callable[[], Layers]] = [partial(loop, plain), partial(ours, dtype, replicas)]
    if find_spec("torch"):
        contestants.append(partial(loop, in_torch))
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds):
        ends = []
        for each, contestant in zip(times, contestants, strict=True):
            before = process_time()
            ends.append(contestant())
            each.append(1e6 * (process_time() - before) / (SWEEPS * replicas * -(-PATTERNS // BATCH)))
        for other in ends[1:]:
            for (w, b), (v, c) in zip(ends[0], other, strict=True):
                tolerance = 1e-9 if dtype == "float64" else 1e-3
                np.testing.assert_allclose(v, w, rtol=tolerance, atol=tolerance)
                np.testing.assert_allclose(c, b, rtol=tolerance, atol=tolerance)
    theirs, own, *torch = times
    cells = [dtype, f"{replicas}", f"{statistics.median(theirs):,.0f}", f"{statistics.median(own):,.0f}"]
    cells += [ratio(own, theirs), "≤ 1.15"]
    cells += [f"{statistics.median(torch[0]):,.0f}", ratio(torch[0], own)] if torch else ["", ""]
    return f"| {' | '.join([*cells, '≥ 2.2' if replicas == 1 else ''])} |"


def ratio(above: list[float], below: list[float]) -> str:
    """The median of ratios of rounds, with its range."""
    each = sorted(a / b for a, b in zip(above, below, strict=True))
    return f"**{statistics.median(each):.2f}** ({each[0]:.2f}–{each[-1]:.2f})"


def ours(dtype: str, replicas: int) -> Layers:
    """The harness; the last of its networks."""
    rule = Backprop(GradientDescent(lr=SLOW, momentum=0.0, decay=0.0))
    task = Clouds()
    weights = run(task=task, algorithm=rule, replicas=replicas, dtype=dtype, progress=False).trained.weights
    return [(weights[e.name][-1], weights[e.target.name][-1, 0]) for e in task.network().edges]


def plain(layers: Layers, x: np.ndarray, target: np.ndarray, orders: list[np.ndarray]) -> Layers:
    """Backpropagation in mini-batches, one network, as one writes it."""
    w, b = [w.copy() for w, _ in layers], [b.copy() for _, b in layers]
    for order in orders:
        for first in range(0, len(x), BATCH):
            rows = order[first : first + BATCH]
            y = [x[rows]]
            for k in range(len(w)):
                y.append(sigmoid(y[-1] @ w[k] + b[k]))
            delta = (y[-1] - target[rows]) * y[-1] * (1 - y[-1])
            for k in reversed(range(len(w))):
                back = delta @ w[k].T if k else None
                w[k] -= SLOW * (y[k].T @ delta)
                b[k] -= SLOW * delta.sum(axis=0)
                if back is not None:
                    delta = back * y[k] * (1 - y[k])
    return list(zip(w, b, strict=True))


def in_torch(layers: Layers, x: np.ndarray, target: np.ndarray, orders: list[np.ndarray]) -> Layers:
    """The same by `torch.nn.Sequential` and `torch.optim.SGD`, eager, on one thread."""
    import torch

    torch.set_num_threads(1)
    parts: list[torch.nn.Module] = []
    for w, b in layers:
        linear = torch.nn.Linear(*w.shape)
        linear.weight.data, linear.bias.data = torch.tensor(w.T.copy()), torch.tensor(b)
        parts += [linear, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*parts)
    descent = torch.optim.SGD(model.parameters(), lr=SLOW)
    patterns, targets = torch.tensor(x), torch.tensor(target)
    for order in map(torch.tensor, orders):
        for rows in order.split(BATCH):
            descent.zero_grad()
            (0.5 * ((model(patterns[rows]) - targets[rows]) ** 2).sum()).backward()
            descent.step()
    linears = model[::2]
    return [(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in linears]


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)

"""A larger network in mini-batches, 784-256-256-10, against plain NumPy, and PyTorch where it is installed.

Both are the loop that most people would write, one network at a time, and do nothing but their updates: no
criterion, no curves, no outcome. The harness does all of that. The same weights come out, which is checked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from time import process_time
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike
from threadpoolctl import threadpool_limits

from algorithms.backprop import Backprop
from algorithms.evolution_strategies import EvolutionStrategies
from algorithms.weight_perturbation import WeightPerturbation
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
PAIRS, SHAKES = 25, 10
STILL = GradientDescent(lr=SLOW, momentum=0.0, decay=0.0)
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

    def data(self, rand: Rand, dtype: DTypeLike) -> Data:
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
    yield ""
    yield (
        "Rules that shake all its weights, R = 1, each side draws its noise: weight perturbation for "
        f"{SHAKES} sweeps, evolution strategies with {PAIRS} pairs for one:"
    )
    yield ""
    yield "| rule | precision | plain NumPy, µs an update | harness | harness ÷ plain (range) | promised |"
    yield "|---|---|---|---|---|---|"
    with threadpool_limits(1, user_api="blas"):
        for dtype in ("float32", "float64"):
            yield shaken_row(WeightPerturbation(STILL), dtype, rounds)
            yield shaken_row(EvolutionStrategies(STILL, pairs=PAIRS), dtype, rounds)


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


def shaken_row(rule: WeightPerturbation | EvolutionStrategies, dtype: str, rounds: int) -> str:
    """One rule that shakes weights, in one precision."""
    x, target = (a[0] for a in Clouds().data(Rand(0, [0], ORDER), dtype)[:2])
    theirs, own, sweeps = [], [], SHAKES if isinstance(rule, WeightPerturbation) else 1
    for _ in range(rounds):
        for times, contestant in (
            (theirs, partial(shaken, rule, x, target, sweeps)),
            (own, partial(run, rule, Clouds(), replicas=1, epochs=sweeps, dtype=dtype, progress=False)),
        ):
            before = process_time()
            contestant()
            times.append(1e6 * (process_time() - before) / (sweeps * -(-PATTERNS // BATCH)))
    cells = [rule.name, dtype, f"{statistics.median(theirs):,.0f}", f"{statistics.median(own):,.0f}"]
    return f"| {' | '.join([*cells, ratio(own, theirs), '≤ 1.3'])} |"


def shaken(
    rule: WeightPerturbation | EvolutionStrategies, x: np.ndarray, target: np.ndarray, sweeps: int
) -> np.ndarray:
    """The same rule, one network, as one writes it."""
    rng, size = np.random.default_rng(0), Clouds().network().size
    w = (0.1 * rng.random(size) - 0.05).astype(x.dtype)
    orders = np.concatenate([rng.permutation(len(x)) for _ in range(sweeps)])
    for first in range(0, len(orders), BATCH):
        rows = orders[first : first + BATCH]
        seen, wanted = x[rows], target[rows]
        if isinstance(rule, WeightPerturbation):
            noise = rng.standard_normal(size).astype(x.dtype)
            slope = (loss(w + rule.sigma * noise, seen, wanted) - loss(w, seen, wanted)) / rule.sigma
            w = w - SLOW * slope * noise
        else:
            many = rng.standard_normal((rule.pairs, size)).astype(x.dtype)
            ends = [
                loss(w + rule.sigma * e, seen, wanted) - loss(w - rule.sigma * e, seen, wanted) for e in many
            ]
            w = w - SLOW * (np.array(ends, x.dtype) @ many) / (2 * rule.pairs * rule.sigma)
    return w


def loss(row: np.ndarray, x: np.ndarray, target: np.ndarray) -> np.floating:
    """E of a network whose parameters are one row."""
    at = 0
    for rows, columns in pairwise(SIZES):
        w, at = row[at : at + rows * columns].reshape(rows, columns), at + rows * columns
        b, at = row[at : at + columns], at + columns
        x = sigmoid(x @ w + b)
    return 0.5 * ((x - target) ** 2).sum()


def ratio(above: list[float], below: list[float]) -> str:
    """The median of ratios of rounds, with its range."""
    each = sorted(a / b for a, b in zip(above, below, strict=True))
    return f"**{statistics.median(each):.2f}** ({each[0]:.2f}–{each[-1]:.2f})"


def ours(dtype: str, replicas: int) -> Layers:
    """The harness; the last of its networks."""
    task = Clouds()
    weights = run(Backprop(STILL), task, replicas=replicas, dtype=dtype, progress=False).trained.weights
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
    torch = import_module("torch")

    torch.set_num_threads(1)
    parts: list[Any] = []
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

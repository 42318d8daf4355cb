"""Observation: what noise costs on the linear perceptron of Werfel,
Xie & Seung 2005, where all of it is known in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from algorithms.backprop import Backprop
from algorithms.node_perturbation import NodePerturbation
from algorithms.weight_perturbation import WeightPerturbation
from harness.core.algorithm import Batch, CreditAlgorithm
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, Rand

Array = Any
RULES: dict[str, CreditAlgorithm] = {
    "gradient": Backprop(),
    "node": NodePerturbation(sigma=1e-6),
    "weight": WeightPerturbation(sigma=1e-6),
}


AT_ONCE = 10000  # trials
SEED = 7


def linear(inputs: int, outputs: int) -> Network:
    """A linear perceptron without biases."""
    groups = Group("input", inputs, "linear", bias=False), Group("output", outputs, "linear", bias=False)
    return Network(groups, (Edge(*groups),))


def steps(rule: str, inputs: int, outputs: int, n: int, seed: int) -> tuple[Array, Array]:
    """W·g / |W|² and |g|² / |W|² for the estimate g on one fresh pattern,
    at weights W from the teacher: (n,) each.
    """
    net, rng = linear(inputs, outputs), np.random.default_rng(seed)
    (edge,) = net.edges
    w, x = rng.normal(size=(n, inputs, outputs)), rng.normal(size=(n, 1, inputs))
    rows = np.zeros((n, 1, outputs))
    g = (
        RULES[rule]
        .credit(net, {edge: w}, {}, Batch(x, rows, rows > 0, 0), Rand(seed, range(n), NOISE))
        .gradient[edge]
    )
    norm = (w**2).sum(axis=(1, 2))
    return (w * g).sum(axis=(1, 2)) / norm, (g**2).sum(axis=(1, 2)) / norm


class Price(NamedTuple):
    """How many times slower than by the gradient,
    each at its fastest rate, and the relative standard error of that.
    """

    times: float
    error: float


def price(rule: str, inputs: int, outputs: int, n: int) -> Price:
    """The fastest rate is η = E W·g / E |g|²; learning takes a time in proportion to 1/η."""
    # on the same patterns
    (u, v), (towards, size) = (_trials(each, inputs, outputs, n) for each in ("gradient", rule))
    deviation = u / u.mean() - v / v.mean() - towards / towards.mean() + size / size.mean()
    return Price(
        float(u.mean() / v.mean() * size.mean() / towards.mean()), float(deviation.std() / math.sqrt(n))
    )


def _trials(rule: str, inputs: int, outputs: int, n: int) -> tuple[Array, Array]:
    """`steps` of n trials, so many at once that they fit the memory."""
    parts = [
        steps(rule, inputs, outputs, min(AT_ONCE, n - start), SEED + start) for start in range(0, n, AT_ONCE)
    ]
    along, size = (np.concatenate(each) for each in zip(*parts, strict=True))
    return along, size


def slope(x: Any, prices: Any) -> Price:
    """The least-squares slope of log price against log x, and its standard error."""
    from_mean = np.log(x) - np.log(x).mean()
    weights = from_mean / (from_mean**2).sum()
    return Price(
        float(weights @ np.log([p.times for p in prices])),
        float(np.hypot.reduce(weights * [p.error for p in prices])),
    )


def growth(rule: str, what: str, other: int, sizes: Sequence[int], n: int) -> dict[str, Array]:
    """The `power` of the number of outputs, or inputs (`what`),
    with which the price grows, and its standard `error`.
    """
    shapes = [(other, size) if what == "outputs" else (size, other) for size in sizes]
    power = slope(list(sizes), [price(rule, inputs, outputs, n) for inputs, outputs in shapes])
    return {"power": np.array(power.times), "error": np.array(power.error), "n": np.array(n)}


def towards(rule: str, inputs: int, outputs: int, n: int) -> dict[str, Array]:
    """`along` (n,): W·g / |W|², by which a step
    of a small rate η shrinks the squared distance to the teacher, ÷ 2η.
    """
    return {"along": steps(rule, inputs, outputs, n, 3)[0]}

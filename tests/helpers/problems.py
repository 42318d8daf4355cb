"""Random small networks with weights and patterns, and the derivatives of their loss by moving one weight at
a time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from harness.core.algorithm import Batch
from harness.core.network import Edge, Group, Network
from harness.core.rand import NOISE, Rand

SMOOTH = ("sigmoid", "tanh", "linear")


class Problem(NamedTuple):
    net: Network
    params: dict[Any, Any]
    batch: Batch


@st.composite
def networks(draw: st.DrawFn, hidden: tuple[str, ...] = SMOOTH, output: tuple[str, ...] = SMOOTH) -> Network:
    """1-3 input and 0-3 hidden groups; every other group hears a random choice of those before it."""
    size, bias = st.integers(1, 5), st.booleans()
    groups = [Group(f"in{i}", draw(size), "linear", draw(bias)) for i in range(draw(st.integers(1, 3)))]
    edges: list[Edge] = []
    count = draw(st.integers(0, 3))
    for i in range(count + 1):
        kinds, label = (hidden, f"hidden{i}") if i < count else (output, "out")
        group = Group(label, draw(size), draw(st.sampled_from(kinds)), draw(bias))
        sources = draw(st.lists(st.sampled_from(groups), min_size=1, unique=True))
        edges += [Edge(source, group) for source in sources]
        groups.append(group)
    return Network(tuple(groups), tuple(draw(st.permutations(edges))))


def problem(
    net: Network, n: int, seed: int, lead: tuple[int, ...] = (), dtype: str = "float64", own: bool = False
) -> Problem:
    """Weights scaled so that no unit saturates; patterns shared by all networks of the stack, or each its
    `own`."""
    rng = np.random.default_rng(seed)
    params = {}
    for key, shape in net.shapes.items():
        target = key.target if isinstance(key, Edge) else key
        fan_in = 1 + sum(e.source.size for e in net.into(target))
        params[key] = (rng.uniform(-1, 1, (*lead, *shape)) / math.sqrt(fan_in)).astype(dtype)
    each = lead if own else ()
    x = rng.uniform(-1, 1, (*each, n, net.input_size)).astype(dtype)
    target = rng.uniform(0, 1, (*each, n, net.output.size)).astype(dtype)
    return Problem(net, params, Batch(x, target, target > 0.5, 0))


@st.composite
def problems(draw: st.DrawFn, hidden: tuple[str, ...] = SMOOTH, output: tuple[str, ...] = SMOOTH) -> Problem:
    return problem(draw(networks(hidden, output)), draw(st.integers(1, 6)), draw(st.integers(0, 2**32 - 1)))


def squared(y: Any, batch: Batch) -> Any:
    return 0.5 * ((y - batch.target) ** 2).sum()


def derivatives(p: Problem, step: complex, energy: Any = squared) -> dict[Any, np.ndarray]:
    """∂E/∂w of one network, one parameter at a time; a complex step needs no second evaluation."""
    net, params, batch = p
    gradient = {}
    for key, value in params.items():
        gradient[key] = np.empty(value.shape)
        for index in np.ndindex(value.shape):

            def at(h: complex, key: Any = key, index: tuple[int, ...] = index) -> Any:
                moved = params[key].astype(type(h))
                moved[index] += h
                return energy(net.forward({**params, key: moved}, batch.x)[net.output], batch)

            if isinstance(step, complex):
                gradient[key][index] = at(step).imag / step.imag
            else:
                gradient[key][index] = (at(step) - at(-step)) / (2 * step)
    return gradient


def flat(values: Any, keys: Any) -> np.ndarray:
    return np.concatenate([np.ravel(values[k]) for k in keys])


def error(credit: Any, truth: Any) -> float:
    """‖credit − truth‖ / ‖truth‖ over all parameters, the same ones in the same shapes; ‖credit‖ where the
    truth is zero."""
    assert {k: c.shape for k, c in credit.items()} == {k: t.shape for k, t in truth.items()}
    a, b = flat(credit, truth), flat(truth, truth)
    return float(np.linalg.norm(a - b) / (np.linalg.norm(b) or 1.0))


def credit_of(algorithm: Any, p: Problem) -> Any:
    # products of tiny matrices in float32 now and then say that something was invalid when nothing was; what
    # is not a number is seen in what is compared
    with np.errstate(invalid="ignore"):
        return algorithm.credit(p.net, p.params, {}, p.batch, Rand(0, [0], NOISE)).gradient

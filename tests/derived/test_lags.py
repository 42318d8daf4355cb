"""What is left of blame k steps back: powers of a scalar weight, of a leak and of a gate, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.algorithm import Batch
from harness.core.edges import Edge, Group
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.recurrent import recurrent
from harness.credit.lags import factor, left_by_lag

Array = Any


def last_step(net: Network, steps: int, seed: int = 0, patterns: int = 3) -> Batch:
    rng = np.random.default_rng(seed)
    target = rng.uniform(size=(1, 1, patterns, net.output.size))
    x = rng.normal(size=(1, steps, patterns, net.input_size))
    return Batch(x, target, target > 0.5, np.zeros(()), time=True)


@given(w=st.floats(0.05, 2.0), steps=st.integers(1, 8))
def test_of_one_linear_unit_it_is_a_power_of_its_weight(w: float, steps: int) -> None:
    x, h, y = (
        Group("input", 1, "linear", bias=False),
        Group("hidden", 1, "linear"),
        Group("output", 1, "linear"),
    )
    net = Network((x, h, y), (Edge(x, h), Edge(h, h, delay=1), Edge(h, y)))
    params = {k: np.full((2, *shape), 0.3) for k, shape in net.shapes.items()}
    params[net.edges[1]] = np.array([w, -w]).reshape(2, 1, 1)
    left = left_by_lag(net, params, last_step(net, steps))
    np.testing.assert_allclose(left, np.broadcast_to(w ** np.arange(steps), (2, steps)), rtol=1e-9)
    if steps > 1:
        assert factor(left) == pytest.approx(w, rel=1e-9)


def test_of_units_that_hear_nothing_of_themselves_but_their_leak_it_is_a_power_of_what_stays() -> None:
    net = recurrent(1, 4, 1, "leaky", leak=0.25)
    params = {k: np.full((1, *shape), 0.4) for k, shape in net.shapes.items()}
    params[next(e for e in net.edges if e.delay)] = np.zeros((1, 4, 4))
    np.testing.assert_allclose(
        left_by_lag(net, params, last_step(net, 6))[0], 0.75 ** np.arange(6), rtol=1e-12
    )


def test_it_is_the_differences_of_the_last_loss() -> None:
    """Of an Elman network: the state of k steps ago is shaken, and the rest run on from there. What earlier
    steps are told is no part of it."""
    net, steps = recurrent(2, 3, 1, "tanh"), 5
    rng = np.random.default_rng(1)
    params = {k: rng.normal(size=(1, *shape)) for k, shape in net.shapes.items()}
    batch = last_step(net, steps)
    h = net.hidden[0]

    def loss(at: int, state: Array) -> float:
        y = {h: state}
        for t in range(at + 1, steps):
            y = net.step(params, batch.x[:, t], y)
        out = net.activity(net.output, net.net_input(params, net.output, y))
        return float(0.5 * ((out - batch.target[:, 0]) ** 2).sum())

    norms = []
    for at in reversed(range(steps)):
        state = net.unrolled(params, batch.x)[at][h]
        slope = np.zeros(state.shape)
        for index in np.ndindex(state.shape):
            up, down = state.copy(), state.copy()
            up[index] += 1e-5
            down[index] -= 1e-5
            slope[index] = (loss(at, up) - loss(at, down)) / 2e-5
        norms.append(np.sqrt((slope**2).sum()))
    told = rng.uniform(size=(1, steps, *batch.target.shape[2:]))
    told[:, -1:] = batch.target
    for each in (batch, batch._replace(target=told, wanted=told > 0.5)):
        np.testing.assert_allclose(left_by_lag(net, params, each)[0], np.array(norms) / norms[0], rtol=1e-6)


def test_a_network_without_time_has_no_lags() -> None:
    net = Network.chain(1, 2, 1)
    params = {k: np.zeros((1, *shape)) for k, shape in net.shapes.items()}
    with pytest.raises(InputError, match="no lags in a network without time"):
        left_by_lag(net, params, last_step(net, 3))

"""PEPITA held to a step by hand, to its first order in F, and to what it says where there is no F."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.pepita import Pepita
from algorithms.shallow import Shallow
from harness.core.algorithm import Batch
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from helpers.problems import Problem, problem, problems

Array = Any


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def credit(p: Problem, f: Array) -> Any:
    return Pepita().credit(p.net, p.params, {"F": f}, p.batch, Rand(0, [0], NOISE)).gradient


def test_a_step_by_hand() -> None:
    """One unit after the other, two patterns, in scalars: h − h_err with the modulated input, e h_err."""
    net = Network.chain(1, 1, 1, 1, output="linear")
    w, b, f = (0.8, -1.1, 0.6), (0.1, 0.2, -0.3), 0.7
    params = {e: np.array([[[v]]]) for e, v in zip(net.edges, w, strict=True)}
    params |= {g: np.array([[[v]]]) for g, v in zip(net.free, b, strict=True)}
    patterns, targets = (0.5, -1.5), (1.0, -0.4)
    expected = np.zeros((3, 2))
    for x, d in zip(patterns, targets, strict=True):
        h1 = sigma(w[0] * x + b[0])
        h2 = sigma(w[1] * h1 + b[1])
        e = w[2] * h2 + b[2] - d
        x_err = x - f * e
        h1_err = sigma(w[0] * x_err + b[0])
        h2_err = sigma(w[1] * h1_err + b[1])
        told, came = (h1 - h1_err, h2 - h2_err, e), (x_err, h1_err, h2_err)
        expected += [(t * c, t) for t, c in zip(told, came, strict=True)]
    target = np.array(targets)[:, None]
    batch = Batch(np.array(patterns)[:, None], target, target > 0, np.zeros(()))
    found = credit(Problem(net, params, batch), np.array([[[f]]]))
    for e, g, (weight, bias) in zip(net.edges, net.free, expected, strict=True):
        assert found[e].item() == pytest.approx(weight, rel=1e-12)
        assert found[g].item() == pytest.approx(bias, rel=1e-12)


def test_with_softmax_and_cross_entropy_the_error_is_the_papers() -> None:
    """e = y − d: the output's bias gets its sum over patterns, its weights e h_errᵀ."""
    net = Network.chain(3, 4, 3, output="softmax")
    p = problem(net, 5, 1, (1,))
    wanted = np.arange(3) == np.arange(5)[:, None] % 3
    batch = p.batch._replace(target=wanted.astype(float), wanted=wanted, loss=CrossEntropy())
    f = np.random.default_rng(2).uniform(-1, 1, (1, 3, 3))
    found = credit(p._replace(batch=batch), f)
    e = net.respond(p.params, batch.x) - batch.target
    modulated = net.forward(p.params, batch.x - e @ f)
    np.testing.assert_allclose(found[net.output], e.sum(axis=-2, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(
        found[net.edges[-1]], np.einsum("rni,rnj->rij", modulated[net.hidden[0]], e), rtol=1e-12
    )


@given(problems())
def test_without_f_no_hidden_weight_gets_credit_in_any_network(p: Problem) -> None:
    found = credit(p, np.zeros((p.net.output.size, p.net.input_size)))
    expected = Shallow().credit(p.net, p.params, {}, p.batch, Rand(0, [0], NOISE)).gradient
    for key, g in found.items():
        np.testing.assert_allclose(g, expected.get(key, np.zeros_like(g)), rtol=1e-12, atol=1e-15)


def test_hidden_credit_is_a_slope_to_first_order_in_f() -> None:
    """(h − h_err) / |F| → f′ ⊙ (F e W_1): a tenth of F, a tenth of the distance to it."""
    net = Network.chain(3, 5, 2)
    p = problem(net, 4, 3, (1,))
    f = np.random.default_rng(4).uniform(-1, 1, (1, 2, 3))
    y = net.forward(p.params, p.batch.x)
    h, e = y[net.hidden[0]], p.batch.delta(net, y)
    slope = (h * (1 - h) * (e @ f @ p.params[net.edges[0]])).sum(axis=-2, keepdims=True)
    apart = [np.abs(credit(p, s * f)[net.hidden[0]] / s - slope).max() for s in (1e-2, 1e-3, 1e-4)]
    assert apart[0] / apart[1] == pytest.approx(10, rel=0.1)
    assert apart[1] / apart[2] == pytest.approx(10, rel=0.1)


@given(spread=st.floats(0.01, 5.0), inputs=st.integers(1, 9))
def test_f_is_drawn_once_within_its_spread_for_each_replica(spread: float, inputs: int) -> None:
    """Uniform in ±spread √(6 / inputs), of both signs; of 300 numbers the largest is beyond nine tenths but
    in 2e-14 of all draws."""
    net = Network.chain(inputs, 2, 300)
    f = Pepita(spread=spread).remember(net, {}, Rand(0, [0, 1], NOISE))["F"]
    limit = spread * math.sqrt(6 / inputs)
    assert f.shape == (2, 300, inputs)
    assert 0.9 * limit < np.abs(f).max() <= limit
    assert f.min() < 0 < f.max()
    assert not np.array_equal(f[0], f[1])

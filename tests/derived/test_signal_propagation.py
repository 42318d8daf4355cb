"""Signal propagation held to a step by hand, and to differences of each loss as it is written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from algorithms.shallow import Shallow
from algorithms.signal_propagation import SignalPropagation, signal
from harness.core.algorithm import Batch
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.tasks.addition import Addition
from harness.tasks.encoder import Encoder
from harness.tasks.linear_map import LinearMap
from harness.tasks.xor import Xor
from helpers.problems import Problem, problem

Array = Any


def noise() -> Rand:
    return Rand(0, [0], NOISE)


def started(p: Problem) -> Problem:
    """With the signals of labels among the weights."""
    return p._replace(params=SignalPropagation().init(p.net, p.params, noise())["params"])


def credit(p: Problem) -> Any:
    return SignalPropagation().credit(p.net, p.params, {}, p.batch, noise()).gradient


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_step_by_hand() -> None:
    """One unit in each of two hidden layers, one pattern of label 1 of two, in scalars."""
    net = Network.chain(1, 1, 1, 1)
    w, b, s = (0.8, -1.1, 0.6), (0.1, 0.2, -0.3), (0.7, -0.4)
    x = 0.5
    h1, t1 = sigma(w[0] * x + b[0]), [sigma(v) for v in s]
    h2, t2 = sigma(w[1] * h1 + b[1]), [sigma(w[1] * t + b[1]) for t in t1]
    y = sigma(w[2] * h2 + b[2])
    wrong = []
    for h, t in ((h1, t1), (h2, t2)):
        p1 = math.exp(h * t[1]) / (math.exp(h * t[0]) + math.exp(h * t[1]))
        wrong.append((1 - p1, p1 - 1))
    d1 = sum(g * t for g, t in zip(wrong[0], t1, strict=True)) * h1 * (1 - h1)
    of_s = [g * h1 * t * (1 - t) for g, t in zip(wrong[0], t1, strict=True)]
    d2 = sum(g * t for g, t in zip(wrong[1], t2, strict=True)) * h2 * (1 - h2)
    tau = [g * h2 * t * (1 - t) for g, t in zip(wrong[1], t2, strict=True)]
    out = (y - 1) * y * (1 - y)
    first, second = net.hidden
    expected = {
        net.edges[0]: d1 * x,
        net.edges[1]: d2 * h1 + tau[0] * t1[0] + tau[1] * t1[1],
        net.edges[2]: out * h2,
        first: d1,
        second: d2 + tau[0] + tau[1],
        net.output: out,
    }
    params: dict[Any, Any] = {e: np.array([[[v]]]) for e, v in zip(net.edges, w, strict=True)}
    params |= {g: np.array([[[v]]]) for g, v in zip(net.free, b, strict=True)}
    params[signal(first)] = np.array([[[s[0]], [s[1]]]])
    batch = Batch(np.array([[x]]), np.array([[1.0]]), np.array([[True]]), np.zeros(()))
    found = dict(credit(Problem(net, params, batch)))
    np.testing.assert_allclose(found.pop(signal(first))[0, :, 0], of_s, rtol=1e-12)
    assert {k: g.item() for k, g in found.items()} == pytest.approx(expected, rel=1e-12)


def test_credit_is_the_slope_of_each_layers_own_loss() -> None:
    """Central differences of −Σ log softmax(h · t)_label, with what comes from below held."""
    net, h = Network.chain(3, 4, 5, 3, hidden="tanh"), 1e-5
    p = problem(net, 6, 5, (1,))
    labels = np.arange(6) % 3
    wanted = np.arange(3) == labels[:, None]
    p = started(p._replace(batch=p.batch._replace(target=wanted.astype(float), wanted=wanted)))
    found, (first, second) = credit(p), net.hidden
    y = net.forward(p.params, p.batch.x)[first]
    t = np.tanh(p.params[signal(first)])

    def loss(h: Array, t: Array) -> float:
        scores = np.einsum("ni,ki->nk", h[0], t[0])
        likely = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return -float(np.log(likely[np.arange(6), labels]).sum())

    def lower(params: Any) -> float:
        here = np.tanh(p.batch.x @ params[net.edges[0]] + params[first])
        return loss(here, np.tanh(params[signal(first)]))

    def upper(params: Any) -> float:
        here, there = (np.tanh(a @ params[net.edges[1]] + params[second]) for a in (y, t))
        return loss(here, there)

    for of, keys in ((lower, (net.edges[0], first, signal(first))), (upper, (net.edges[1], second))):
        for key in keys:
            for at in np.ndindex(p.params[key].shape[-2:]):
                step = np.zeros_like(p.params[key])
                step[(0, *at)] = h
                up, down = (of({**p.params, key: p.params[key] + s * step}) for s in (1, -1))
                assert found[key][(0, *at)] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-8)


def test_the_output_learns_as_shallows() -> None:
    p = problem(Network.chain(3, 4, 5, 2), 6, 8, (1,))
    expected = Shallow().credit(p.net, p.params, {}, p.batch, noise()).gradient
    found = credit(started(p))
    for key, g in expected.items():
        np.testing.assert_array_equal(found[key], g)


def test_there_is_a_signal_for_every_label_within_the_spread() -> None:
    """Two of a single output. Of 60 numbers the largest is beyond nine tenths but in 2e-3 of all draws."""
    for outputs, count in ((1, 2), (4, 4)):
        net = Network.chain(3, 30, outputs)
        drawn = SignalPropagation(spread=2.0).init(net, {}, noise())["params"][signal(net.hidden[0])]
        assert drawn.shape == (1, count, 30)
        assert 1.8 < np.abs(drawn).max() <= 2.0


def test_what_it_cannot_do_is_one_sentence() -> None:
    rule = SignalPropagation()
    assert "targets of linear_map are numbers" in str(rule.refusal(LinearMap()))
    assert "addition wants any number of outputs on" in str(rule.refusal(Addition()))
    assert rule.refusal(Encoder()) is None
    assert rule.refusal(Xor(shortcut=True)) is None  # the output hears the input, no other hidden group

"""Local losses and Mono-Forward held to steps by hand, to differences of each layer's loss written with
NumPy's correlation coefficients, and to backprop in each one-layer network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.local_losses import (
    LocalLosses,
    MonoForward,
    head,
    head_bias,
    likeness,
    mismatch,
    pairs,
)
from algorithms.shallow import Shallow
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.core.rand import NOISE, Rand
from harness.experiment.run import run
from harness.tasks.deep_chain import DeepChain
from harness.tasks.linear_map import LinearMap
from helpers.problems import Problem, problem

Array = Any
DEEP = Network.chain(3, 4, 5, 2)


def noise() -> Rand:
    return Rand(0, [0], NOISE)


def started(rule: Any, p: Problem) -> Problem:
    """With the rule's own parameters among the weights."""
    return p._replace(params=rule.init(p.net, p.params, noise())["params"])


def credit(rule: Any, p: Problem) -> Any:
    return rule.credit(p.net, p.params, {}, p.batch, noise()).gradient


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_step_of_predictions_by_hand() -> None:
    """One unit after the other, in scalars: every hidden unit has the error of its own head."""
    net = Network.chain(1, 1, 1, 1, output="linear")
    w, b, a, c = (0.8, -1.1, 0.6), (0.1, 0.2, -0.3), (0.5, -0.9), (0.2, 0.4)
    params: dict[Any, Any] = {e: np.array([[[v]]]) for e, v in zip(net.edges, w, strict=True)}
    params |= {g: np.array([[[v]]]) for g, v in zip(net.free, b, strict=True)}
    params |= {head(g): np.array([[[v]]]) for g, v in zip(net.hidden, a, strict=True)}
    params |= {head_bias(g): np.array([[[v]]]) for g, v in zip(net.hidden, c, strict=True)}
    x, d = 0.5, 1.0
    h1 = sigma(w[0] * x + b[0])
    h2 = sigma(w[1] * h1 + b[1])
    e1, e2, e = a[0] * h1 + c[0] - d, a[1] * h2 + c[1] - d, w[2] * h2 + b[2] - d
    d1, d2 = e1 * a[0] * h1 * (1 - h1), e2 * a[1] * h2 * (1 - h2)
    first, second = net.hidden
    expected = {
        **dict(zip(net.edges, (d1 * x, d2 * h1, e * h2), strict=True)),
        **dict(zip(net.free, (d1, d2, e), strict=True)),
        **{head(first): e1 * h1, head_bias(first): e1, head(second): e2 * h2, head_bias(second): e2},
    }
    batch = Batch(np.array([[x]]), np.array([[d]]), np.array([[True]]), np.zeros(()))
    found = credit(LocalLosses(loss="pred"), Problem(net, params, batch))
    assert {k: g.item() for k, g in found.items()} == pytest.approx(expected, rel=1e-12)
    mono = credit(MonoForward(), Problem(net, params, batch))
    e1 = a[0] * h1 - d  # no bias
    d1, d2 = e1 * a[0] * h1 * (1 - h1), e * w[2] * h2 * (1 - h2)
    expected = {
        **dict(zip(net.edges, (d1 * x, d2 * h1, e * h2), strict=True)),
        **dict(zip(net.free, (d1, d2, e), strict=True)),
        head(first): e1 * h1,
    }
    assert {k: g.item() for k, g in mono.items()} == pytest.approx(expected, rel=1e-12)


def similarity_loss(z: Array, target: Array) -> float:
    """Σ (r(z) − r(target))² / N with NumPy's correlation coefficients of patterns over their units."""
    return float(((np.corrcoef(z) - np.corrcoef(target)) ** 2).sum() / len(z))


@given(st.integers(2, 6), st.integers(3, 6), st.integers(3, 5), st.integers(0, 2**32 - 1))
def test_the_mismatch_is_the_slope_of_its_loss(n: int, size: int, outputs: int, seed: int) -> None:
    """Central differences of the loss as it is written in the paper, of cosines by `np.corrcoef`."""
    rng = np.random.default_rng(seed)
    z, target = rng.normal(size=(n, size)), rng.normal(size=(n, outputs))
    if min(np.std(z, axis=1).min(), np.std(target, axis=1).min()) < 0.2:
        return  # near where a pattern has no direction, differences are of little worth
    found, h = mismatch(z, target), 1e-5
    for i in range(n):
        for j in range(size):
            step = np.zeros_like(z)
            step[i, j] = h
            slope = (similarity_loss(z + step, target) - similarity_loss(z - step, target)) / (2 * h)
            assert found[i, j] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_similarities_reach_the_weights_of_their_own_layer() -> None:
    """Differences of each layer's loss by its weights, its bias and what stands before the similarities."""
    rule, h = LocalLosses(loss="sim"), 1e-5
    net = Network.chain(3, 4, 5, 3)
    p = started(rule, problem(net, 6, 5, (1,)))
    found, y = credit(rule, p), net.forward(p.params, p.batch.x)
    for group in net.hidden:
        (edge,) = net.into(group)
        own = edge, group, likeness(group)

        def loss(params: Any, edge: Any = edge, group: Any = group, own: Any = own) -> float:
            a = net.activity(group, y[edge.source] @ params[edge] + params[group])
            return similarity_loss((a @ params[own[2]])[0], p.batch.target)

        for key in own:
            for at in np.ndindex(p.params[key].shape[-2:]):
                step = np.zeros_like(p.params[key])
                step[(0, *at)] = h
                up, down = (loss({**p.params, key: p.params[key] + s * step}) for s in (1, -1))
                assert found[key][(0, *at)] == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-6)


def test_a_pattern_alone_and_patterns_without_a_direction_teach_no_similarity() -> None:
    rng = np.random.default_rng(0)
    alone = mismatch(rng.normal(size=(1, 4)), rng.normal(size=(1, 3)))
    np.testing.assert_allclose(alone, 0, atol=1e-7)
    for dtype in ("float32", "float64"):
        same = mismatch(np.full((5, 4), 0.3, dtype), rng.normal(size=(5, 3)).astype(dtype))
        assert np.isfinite(same).all()


def test_a_single_target_is_compared_with_its_opposite() -> None:
    """Two values, whatever they are: like patterns are at 1, unlike ones at −1."""
    target = np.array([[0.9], [0.1], [0.9]])
    np.testing.assert_allclose(np.corrcoef(pairs(target)), [[1, -1, 1], [-1, 1, -1], [1, -1, 1]], atol=1e-12)
    many = np.eye(3)
    assert pairs(many) is many


@pytest.mark.parametrize("loss", [None, CrossEntropy()], ids=["squared_error", "cross_entropy"])
def test_predictions_are_backprop_in_each_one_layer_network(loss: Any) -> None:
    output = "softmax" if loss else "sigmoid"
    net = Network.chain(3, 4, 5, 2, output=output)
    p = problem(net, 6, 7, (2,))
    p = p._replace(batch=p.batch._replace(loss=loss or p.batch.loss))
    for rule in (LocalLosses(loss="pred"), MonoForward()):
        q = started(rule, p)
        found, y = credit(rule, q), net.forward(p.params, p.batch.x)
        for group in (g for g in net.hidden if head(g) in q.params):
            (edge,) = net.into(group)
            alone = Network.chain(edge.source.size, group.size, 2, output=output)
            bias = q.params.get(head_bias(group), np.zeros((2, 1, 2)))
            params = dict(zip(alone.edges, (q.params[edge], q.params[head(group)]), strict=True)) | {
                alone.hidden[0]: q.params[group],
                alone.output: bias,
            }
            expected = (
                Backprop().credit(alone, params, {}, p.batch._replace(x=y[edge.source]), noise()).gradient
            )
            for key, own in zip((*alone.edges, alone.hidden[0]), (edge, head(group), group), strict=True):
                np.testing.assert_allclose(found[own], expected[key], rtol=1e-12, atol=1e-15)


def test_mono_forward_with_one_hidden_layer_learns_what_backprop_learns() -> None:
    """The same bits after some sweeps; with two hidden layers, others."""
    for depth, same in ((1, True), (2, False)):
        weights = [
            run(rule, DeepChain(depth=depth), replicas=2, epochs=3, progress=False).weights
            for rule in (Backprop(), MonoForward())
        ]
        assert all(w.tobytes() == weights[1][k].tobytes() for k, w in weights[0].items()) == same


def test_both_losses_share_a_layer_by_beta() -> None:
    """(1 − β) pred + β sim over the same heads; β is .99 unless it is said."""
    for rule, beta in ((LocalLosses(), 0.99), (LocalLosses(beta=0.3), 0.3)):
        p = started(rule, problem(DEEP, 6, 9, (1,)))
        pred, sim = (credit(LocalLosses(loss=word), p) for word in ("pred", "sim"))
        for key, g in credit(rule, p).items():
            if p.net.output in (key, getattr(key, "target", None)):
                continue
            expected = (1 - beta) * pred.get(key, 0.0) + beta * sim.get(key, 0.0)
            np.testing.assert_allclose(g, expected, rtol=1e-10, atol=1e-14)


def test_the_output_learns_as_shallows() -> None:
    p = problem(DEEP, 6, 8, (1,))
    expected = credit(Shallow(), p)
    for word in ("pred", "sim", "predsim"):
        found = credit(rule := LocalLosses(loss=word), started(rule, p))
        for key, g in expected.items():
            np.testing.assert_array_equal(found[key], g)


def test_each_loss_has_the_heads_that_it_needs() -> None:
    p = problem(DEEP, 6, 8, (1,))
    first, last = p.net.hidden
    own = {word: set(started(LocalLosses(loss=word), p).params) - set(p.params) for word in ("pred", "sim")}
    assert own["pred"] == {head(first), head_bias(first), head(last), head_bias(last)}
    assert own["sim"] == {likeness(first), likeness(last)}
    assert set(started(LocalLosses(), p).params) - set(p.params) == own["pred"] | own["sim"]
    assert set(started(MonoForward(), p).params) - set(p.params) == {head(first)}


def test_what_cannot_be_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"beta=0.5 would be ignored: it belongs to loss predsim, but pred"):
        LocalLosses(loss="pred", beta=0.5)
    single = LinearMap(outputs=1)
    assert "has a single number" in str(LocalLosses().refusal(single))
    assert LocalLosses(loss="pred").refusal(single) is None
    assert LocalLosses().refusal(LinearMap()) is None

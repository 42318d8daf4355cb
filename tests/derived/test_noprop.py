"""NoProp held to Gaussian conditioning, complex steps of each block's loss, and predictions in scalars."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.noprop import Noprop, block, read_out
from harness.core.algorithm import Batch
from harness.core.network import Network
from harness.core.optimisers import Adam, GradientDescent
from harness.core.rand import NOISE, Rand
from harness.experiment.run import run
from harness.tasks.addition import Addition
from harness.tasks.encoder import Encoder
from harness.tasks.linear_map import LinearMap
from harness.tasks.xor import Xor

Array = Any
RULES = st.builds(lambda t, s: Noprop(blocks=t, offset=s), st.integers(1, 40), st.floats(0.001, 1.0))
every_schedule = settings(deadline=None, derandomize=True, max_examples=60)
DEEP = Network.chain(3, 4, 5, 3, hidden="tanh")


def noise(replicas: int = 1) -> Rand:
    return Rand(0, range(replicas), NOISE)


def labelled(net: Network, patterns: int = 6) -> Batch:
    """Random inputs, and one label on of each pattern; a single output is on of every other one."""
    k = net.output.size
    on = np.arange(patterns)[:, None] % max(k, 2)
    wanted = on == (np.arange(k) if k > 1 else np.ones(1))
    x = np.random.default_rng(5).uniform(-1, 1, (1, patterns, net.input_size))
    return Batch(x, wanted[None].astype(float), wanted[None], np.zeros(()))


def spread(rule: Noprop, net: Network, seed: int = 2) -> dict[Any, Array]:
    """Weights of all blocks and of the read-out, none of them 0."""
    draw = np.random.default_rng(seed)
    drawn = rule.init(net, {}, noise())["params"]
    return {k: draw.normal(size=w.shape) / 2 for k, w in drawn.items()}


@every_schedule
@given(RULES)
def test_the_schedule_is_the_cosine_from_noise_to_almost_the_label(rule: Noprop) -> None:
    kept, s = rule.schedule()[0], rule.offset
    left = [1 - t / rule.blocks for t in range(rule.blocks + 1)]
    expected = [math.cos((tau + s) / (1 + s) * math.pi / 2) ** 2 for tau in left]
    np.testing.assert_allclose(kept, expected, rtol=1e-12, atol=1e-15)
    assert kept[0] == 0, "z_0 knows nothing of the label, and the divergence from N(0, I) is 0"
    assert (np.diff(kept) > 0).all()
    assert kept[-1] < 1


@every_schedule
@given(RULES)
def test_the_steps_are_those_of_gaussian_conditioning(rule: Noprop) -> None:
    """z_t ~ N(√ᾱ_t u, 1 − ᾱ_t) and z_{t−1} = √α z_t + √(1 − α) ε: of z_t, given z_{t−1} and u."""
    kept, (a, b, c) = rule.schedule()[0], rule.steps()
    for t in range(1, rule.blocks + 1):
        alpha, variance = kept[t - 1] / kept[t], 1 - kept[t]
        together = math.sqrt(alpha) * variance
        before = alpha * variance + 1 - alpha
        slope = together / before
        shift = math.sqrt(kept[t]) - slope * math.sqrt(alpha * kept[t])
        found = [each[0, t - 1] for each in (a, b, c)]
        expected = [shift, slope, variance - slope * together]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)


@every_schedule
@given(RULES)
def test_steps_toward_the_label_keep_mean_and_variance_of_noised_labels(rule: Noprop) -> None:
    """From N(0, 1), with û = u in every block: the marginals of all z_t, one after the other."""
    kept, mean, variance = rule.schedule()[0], 0.0, 1.0
    for t, (a, b, c) in enumerate(zip(*(each[0] for each in rule.steps()), strict=True), 1):
        mean, variance = a + b * mean, b**2 * variance + c
        assert mean == pytest.approx(math.sqrt(kept[t]), rel=1e-12)
        assert variance == pytest.approx(1 - kept[t], rel=1e-9)


def test_noised_labels_are_the_label_and_noise_by_their_shares() -> None:
    rule, u = Noprop(blocks=4, offset=0.1), np.eye(3)[None]
    kept = rule.schedule()[0]
    draws = np.random.default_rng(0).normal(size=(1, 5, 3, 3))
    z = rule.noised(u, draws)
    for t in range(5):
        expected = math.sqrt(kept[t]) * u[0] + math.sqrt(1 - kept[t]) * draws[0, t]
        np.testing.assert_allclose(z[0, t], expected, rtol=1e-15)
    assert z[0, 0].tobytes() == draws[0, 0].tobytes(), "the first block hears noise alone"


def test_credit_is_the_slope_of_each_blocks_own_loss() -> None:
    """Complex steps of (η / 2) (SNR(t) − SNR(t−1)) ‖û − u‖², and of −log p, as they are written."""
    rule, h = Noprop(blocks=3, offset=0.2, eta=0.7), 1e-30
    batch, params = labelled(DEEP), spread(rule, DEEP)
    own, read = block(DEEP), read_out(DEEP)
    u = batch.wanted.astype(float)
    z = rule.noised(u, np.random.default_rng(4).normal(size=(1, 4, 6, 3)))
    found = rule.credit(DEEP, params, batch, u, z)
    assert set(found) == set(params)
    kept = rule.schedule()[0]
    snr = kept / (1 - kept)
    x, (first, second), out = batch.x[0], own.hidden, own.output
    names = {e.name: e for e in own.edges}

    def softmax(into: Array) -> Array:
        e = np.exp(into)
        return e / e.sum(axis=1, keepdims=True)

    def loss(t: int, w: dict[Any, Array]) -> complex:
        there = x @ w[names["input-hidden1"]] + z[0, t] @ w[names["z-hidden1"]] + w[first]
        above = np.tanh(np.tanh(there) @ w[names["hidden1-hidden2"]] + w[second])
        gap = softmax(above @ w[names["hidden2-label"]] + w[out]) - u[0]
        return 0.7 / 2 * (snr[t + 1] - snr[t]) * (gap * gap).sum()

    def surprise(w: dict[Any, Array]) -> complex:
        (edge,) = read.edges
        return -(u[0] * np.log(softmax(z[0, 3] @ w[edge] + w[read.output]))).sum()

    for t in range(3):
        here = {k: params[k][0, t].astype(complex) for k in own.shapes}
        for k in own.shapes:
            for at in np.ndindex(here[k].shape):
                step = here[k].copy()
                step[at] += 1j * h
                slope = loss(t, {**here, k: step}).imag / h
                assert found[k][(0, t, *at)] == pytest.approx(slope, rel=1e-10, abs=1e-13)
    here = {k: params[k][0].astype(complex) for k in read.shapes}
    for k in read.shapes:
        for at in np.ndindex(here[k].shape):
            step = here[k].copy()
            step[at] += 1j * h
            slope = surprise({**here, k: step}).imag / h
            assert found[k][(0, *at)] == pytest.approx(slope, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_no_block_hears_of_another(changed: int) -> None:
    """An update with one block's weights changed moves all others, and the read-out, to the same bits."""
    rule = Noprop(GradientDescent(lr=0.1, momentum=0.0, decay=0.0), blocks=3)
    batch, state = labelled(DEEP), rule.init(DEEP, {}, noise())
    other = {k: w.copy() for k, w in state["params"].items()}
    for k in block(DEEP).shapes:
        other[k][:, changed] *= -3.0
    plain, moved = (
        rule.update(DEEP, {**state, "params": each}, batch, noise()).state["params"]
        for each in (state["params"], other)
    )
    for k, w in plain.items():
        mine = np.delete(w, changed, axis=1) if w.ndim == 4 else w
        theirs = np.delete(moved[k], changed, axis=1) if w.ndim == 4 else moved[k]
        assert mine.tobytes() == theirs.tobytes()
        assert (mine != (np.delete(other[k], changed, axis=1) if w.ndim == 4 else other[k])).any()


def test_predictions_in_scalars() -> None:
    """One input, no hidden unit, two blocks, two labels of a single output."""
    net, rule = Network.chain(1, 1), Noprop(blocks=2, offset=0.3)
    params, x = spread(rule, net), 0.8
    (from_x, from_z), out = block(net).edges, block(net).output
    (last,), label = read_out(net).edges, read_out(net).output
    drawn = np.random.default_rng(8).normal(size=(1, 3, 1, 2))
    kept = [math.cos((tau + 0.3) / 1.3 * math.pi / 2) ** 2 for tau in (1, 0.5, 0)]
    z = [float(v) for v in drawn[0, 0, 0]]
    for t in (0, 1):
        wx, wz, b = (params[k][0, t] for k in (from_x, from_z, out))
        into = [x * wx[0, k] + z[0] * wz[0, k] + z[1] * wz[1, k] + b[0, k] for k in (0, 1)]
        said = [math.exp(v) / sum(map(math.exp, into)) for v in into]
        alpha, before, after = kept[t] / kept[t + 1], kept[t], kept[t + 1]
        to_said = math.sqrt(after) * (1 - alpha) / (1 - before)
        to_z = math.sqrt(alpha) * (1 - after) / (1 - before)
        to_noise = math.sqrt((1 - after) * (1 - alpha) / (1 - before))
        z = [to_said * said[k] + to_z * z[k] + to_noise * drawn[0, t + 1, 0, k] for k in (0, 1)]
    w, b = params[last][0], params[label][0]
    into = [z[0] * w[0, k] + z[1] * w[1, k] + b[0, k] for k in (0, 1)]
    found = rule.predict(net, {"params": params, "memory": {"noise": drawn}}, np.array([[[x]]]))
    assert found.shape == (1, 1, 1)
    assert found.item() == pytest.approx(math.exp(into[1]) / sum(map(math.exp, into)), rel=1e-12)


def test_predictions_are_probabilities_and_the_same_again() -> None:
    rule = Noprop()
    state, x = rule.init(DEEP, {}, noise(2)), labelled(DEEP).x
    state = {**state, "params": {k: w + 0.1 for k, w in state["params"].items()}}
    likely = rule.predict(DEEP, state, x)
    np.testing.assert_allclose(likely.sum(axis=-1), 1.0, rtol=1e-12)
    assert likely.tobytes() == rule.predict(DEEP, state, x).tobytes()
    np.testing.assert_allclose(rule.predict(DEEP, state, x[:, 2:3]), likely[:, 2:3], rtol=1e-12)
    after = rule.update(DEEP, state, labelled(DEEP), noise(2)).state
    assert after["memory"]["noise"].tobytes() == state["memory"]["noise"].tobytes()


def test_a_block_is_the_tasks_network_beside_a_noised_label() -> None:
    """With shortcuts kept, and the label at every group that hears the input."""
    own = block(Network.chain(4, 3, 1, hidden="tanh", shortcut=True))
    assert [(g.name, g.size, g.activation) for g in own.groups] == [
        ("input", 4, "linear"),
        ("z", 2, "linear"),
        ("hidden", 3, "tanh"),
        ("label", 2, "softmax"),
    ]
    assert {e.name for e in own.edges} == {
        "input-hidden",
        "hidden-label",
        "input-label",
        "z-hidden",
        "z-label",
    }
    for rule in (Noprop(), Noprop(blocks=1)):
        assert rule.held(DEEP) == rule.blocks * block(DEEP).size


def test_first_weights_are_within_the_root_of_their_fan_in() -> None:
    """Of 120 numbers and more the largest is beyond nine tenths but in 4e-6 of all draws."""
    drawn = Noprop(blocks=4).init(DEEP, {}, noise(10))["params"]
    for key, size in ((block(DEEP).edges[0], 6), (block(DEEP).edges[1], 4), (block(DEEP).output, 5)):
        limit = 1 / math.sqrt(size)
        assert 0.9 * limit < np.abs(drawn[key]).max() <= limit
    assert not any(drawn[k].any() for k in read_out(DEEP).shapes)


@pytest.mark.parametrize("blocks", [1, 5])
def test_it_learns_the_encoder(blocks: int) -> None:
    """Eight labels: most of 10 replicas are there within 1,000 sweeps at a rate of .03."""
    result = run(Noprop(Adam(lr=0.03), blocks=blocks), Encoder(), replicas=10, epochs=1000)
    assert result.solved.sum() >= 5


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (LinearMap(), "numbers"),
        (Addition(), "any number of outputs on"),
    ],
)
def test_what_has_no_labels_is_refused_in_a_sentence(task: Any, why: str) -> None:
    said = Noprop().applies_to(task)
    assert said is not None
    assert why in said
    assert task.name in said
    assert "\n" not in said


def test_labels_and_one_bit_are_taken() -> None:
    assert Noprop().applies_to(Encoder()) is None
    assert Noprop().applies_to(Xor()) is None

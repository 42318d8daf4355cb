"""Noise in units, held to sums written out, to all states of a small network, and to the learning curves of
Werfel et al.

All z-tests of this file together raise a false alarm with probability 1e-4 (split evenly, two-sided); they
are seeded.
"""

from __future__ import annotations

import math
from itertools import pairwise, product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from algorithms.node_perturbation import NodePerturbation, Reinforce
from harness.core.algorithm import Batch
from harness.core.data import Data
from harness.core.errors import InputError
from harness.core.network import Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, SPLIT, Rand
from harness.experiment.run import run, run_cell
from harness.replication.price import RULES, Price, linear, price, slope, steps
from harness.studies.compose import cell_of
from harness.studies.conf import CONF, VERSION_BASE
from harness.tasks.linear_perceptron import LinearPerceptron
from harness.tasks.xor import Xor
from helpers.averages import estimates, off
from helpers.costs import cost_of, task_of
from helpers.problems import problem

TINY = Network.chain(2, 2, 1)  # 9 weights, 2³ states
SHAPES = [(3, 4), (5, 2), (1, 6)]  # (N, M) of linear perceptrons
WIDE = (8, 16, 32, 64)  # outputs, or inputs, over which the price of a method grows
TESTS = 2 * (TINY.size + 1) + 2 * len(RULES) * len(SHAPES) + len(RULES) * 3 + 2 + 7 + 2
BEYOND = NormalDist().inv_cdf(1 - 1e-4 / TESTS / 2)  # 4.8 standard errors


def noise_dimension(rule: str, inputs: int, outputs: int) -> int:
    """K, by which E‖g‖² exceeds that of the gradient: E(ξ·e)² ‖ξ‖² = (d + 2) ‖e‖² for normal ξ in d
    dimensions."""
    return {"gradient": 1, "node": outputs + 2, "weight": inputs * outputs + 2}[rule]


@pytest.mark.parametrize("sigma", [0.01, 1.0])
@pytest.mark.parametrize("draws", [1, 3])
def test_on_a_linear_net_it_is_the_sum_over_noise(sigma: float, draws: int) -> None:
    """E_p(ξ) − E_p(0) = σ ξ·e + σ²/2 |ξ|² exactly, of which the antithetic pair keeps the first term only."""
    p = problem(linear(3, 2), 4, 0)
    (edge,) = p.net.edges
    gap = p.batch.x @ p.params[edge] - p.batch.target
    xi = Rand(0, range(50), NOISE).normal(4, draws, 2)
    along = np.einsum("rpdm,pm->rpd", xi, gap)
    for antithetic, change in ((False, along + 0.5 * sigma * (xi**2).sum(axis=-1)), (True, along)):
        blame = np.einsum("rpd,rpdm->rpm", change, xi) / draws
        expected = np.einsum("pn,rpm->rnm", p.batch.x, blame)
        found = estimates(NodePerturbation(sigma=sigma, antithetic=antithetic, draws=draws), p, 50)
        np.testing.assert_allclose(found, expected.reshape(50, -1), rtol=1e-8, atol=1e-9)


def test_the_pattern_that_was_shaken_is_the_one_that_is_credited() -> None:
    """Noise is drawn anew for each pattern: what a unit did to one says nothing of another, and is not in its
    credit."""
    p = problem(Network.chain(2, 3, 2), 2, 0)
    blank = p._replace(batch=p.batch._replace(x=np.vstack([p.batch.x[:1], np.zeros((1, 2))])))
    without = p._replace(batch=Batch(*(a[:1] for a in blank.batch[:3]), 0))
    one, both = estimates(NodePerturbation(), without, 5), estimates(NodePerturbation(), blank, 5)
    assert not np.allclose(one, both)
    inputs = slice(0, 6)  # a blank pattern brings nothing to weights from the input, in any draw
    np.testing.assert_allclose(both[:, inputs], np.stack([_first(blank, i) for i in range(5)]), rtol=1e-9)


def _first(p: Any, replica: int) -> np.ndarray:
    """Credit of the input weights, one draw written out: forward passes with the noise of pattern 0 put in by
    hand."""
    xi = Rand(0, [replica], NOISE).normal(2, 1, 5)[0, 0, 0]
    (first, second), (hidden, output) = p.net.edges, p.net.groups[1:]

    def loss(noise: np.ndarray) -> float:
        h = 1 / (1 + np.exp(-(p.batch.x[0] @ p.params[first] + p.params[hidden][0] + noise[:3])))
        y = 1 / (1 + np.exp(-(h @ p.params[second] + p.params[output][0] + noise[3:])))
        return float(0.5 * ((y - p.batch.target[0]) ** 2).sum())

    change = (loss(1e-3 * xi) - loss(0 * xi)) / 1e-3
    return (p.batch.x[0][:, None] * change * xi[:3]).ravel()


def expected_gradient(p: Any) -> np.ndarray:
    """∇ of the mean over all states of ½ Σ (y − d)², by complex steps through the sum over states (W,)."""
    (first, second), (hidden, output) = p.net.edges, p.net.groups[1:]

    def loss(row: np.ndarray) -> Any:
        w, b, v, c = row[:4].reshape(2, 2), row[4:6], row[6:8], row[8]
        total: Any = 0.0
        for x, d in zip(p.batch.x, p.batch.target[:, 0], strict=True):
            on = 1 / (1 + np.exp(-(x @ w + b)))
            for h in product((0, 1), repeat=2):
                chance = np.prod([q if s else 1 - q for q, s in zip(on, h, strict=True)])
                q = 1 / (1 + np.exp(-(np.array(h) @ v + c)))
                total += chance * 0.5 * (q * (1 - d) ** 2 + (1 - q) * d**2)
        return total

    order = (first, hidden, second, output)
    row = np.concatenate([p.params[k].ravel() for k in order]).astype(complex)
    slopes = [loss(row + 1e-20j * unit).imag / 1e-20 for unit in np.eye(9)]
    places = dict(zip(order, np.split(np.array(slopes), [4, 6, 8]), strict=True))
    return np.concatenate([places[k] for k in p.net.shapes])


@pytest.mark.parametrize(("draws", "baseline"), [(1, 0.0), (2, -0.4)])
def test_reinforce_is_on_average_the_gradient_of_the_expected_loss(draws: int, baseline: float) -> None:
    """n = 20,000 trials against the enumeration of all states; whatever the baseline is, as long as it was
    there before."""
    p, n = problem(TINY, 3, 2), 20_000
    params = {k: np.broadcast_to(3 * w, (n, *w.shape)) for k, w in p.params.items()}
    p = p._replace(params={k: 3 * w for k, w in p.params.items()})
    memory = {"baseline": np.full((n, 1, 1), baseline)}
    found = Reinforce(draws=draws).credit(p.net, params, memory, p.batch, Rand(5, range(n), NOISE)).gradient
    samples = np.concatenate([found[k].reshape(n, -1) for k in p.net.shapes], axis=1)
    truth = expected_gradient(p)
    assert off(samples, truth) < BEYOND
    assert off(samples @ truth / (truth @ truth), 1.0) < BEYOND


def test_the_baseline_is_the_running_mean_of_rewards_before() -> None:
    """b ← γ r + (1 − γ) b from 0; with units that are certain, r is the same every time: b = r (1 − (1 −
    γ)^t)."""
    p = problem(TINY, 4, 0, (3,))
    sure = {k: np.full_like(w, 1e4 if k in TINY.groups else 0.0) for k, w in p.params.items()}
    reward = -0.5 * ((1 - p.batch.target) ** 2).mean()  # every unit is on
    reinforce = Reinforce(GradientDescent(lr=1e-9, momentum=0.0, decay=0.0), gamma=0.25)
    rand = Rand(0, range(3), NOISE)
    state = reinforce.init(TINY, sure, rand)
    assert not state["memory"]["baseline"].any()
    for t in range(1, 5):
        new = reinforce.update(TINY, state, p.batch, rand)
        assert new.output is None, (
            "what came out was random: the criterion is for what the net says without noise"
        )
        state = new.state
        np.testing.assert_allclose(state["memory"]["baseline"], reward * (1 - 0.75**t), rtol=1e-12)


def test_reinforce_steps_by_what_was_expected_before() -> None:
    """Δw = α (r − b) (y − p) x with the old b, and by hand: one unit, one pattern."""
    net = Network.chain(1, 1)
    (edge,), output = net.edges, net.output
    params = {edge: np.full((200, 1, 1), 0.3), output: np.full((200, 1, 1), -0.2)}
    batch = Batch(np.array([[2.0]]), np.array([[0.9]]), np.array([[True]]), 0)
    reinforce = Reinforce(GradientDescent(lr=0.7, momentum=0.0, decay=0.0), gamma=0.5)
    state = reinforce.init(net, params, Rand(0, range(200), NOISE))
    state["memory"] = {"baseline": np.full((200, 1, 1), -0.1)}
    new = reinforce.update(net, state, batch, Rand(0, range(200), NOISE)).state
    p = 1 / (1 + math.exp(-0.4))
    y = (Rand(0, range(200), NOISE).uniform(1, 1) < p).astype(float)
    assert 0 < y.mean() < 1
    r = -0.5 * (y - 0.9) ** 2
    np.testing.assert_allclose(new["params"][edge], 0.3 + 0.7 * (r + 0.1) * (y - p) * 2.0, rtol=1e-12)
    np.testing.assert_allclose(new["params"][output], -0.2 + 0.7 * (r + 0.1) * (y - p), rtol=1e-12)
    np.testing.assert_allclose(new["memory"]["baseline"], 0.5 * r - 0.05, rtol=1e-12)


def test_reinforce_is_for_units_that_are_on_with_a_probability() -> None:
    assert Reinforce().applies_to(Xor()) is None
    assert "'hidden' is tanh" in str(Reinforce().applies_to(Xor(activation="tanh")))
    assert "'output' is linear" in str(Reinforce().applies_to(LinearPerceptron()))
    assert NodePerturbation().applies_to(LinearPerceptron()) is None


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("sizes", [(2, 2, 1), (5, 6, 7, 2)])
def test_what_noise_in_units_costs(sizes: tuple[int, ...], draws: int) -> None:
    """Forward passes, whose first layer all draws share (noise comes after it), the products y_i δ_j, 2 per
    number of noise."""
    net, n = Network.chain(*sizes), 5
    outer, units = 2 * n * sum(a * b for a, b in pairwise(sizes)), sum(sizes[1:])
    for antithetic in (False, True):
        s = cost_of(NodePerturbation(draws=draws, antithetic=antithetic), task_of(net, n))
        sides, shared = 2 if antithetic else 1, 2 * n * sizes[0] * sizes[1]
        forward = s.forward.flops["contraction"]
        passes = forward + sides * (shared + draws * (forward - shared))
        assert s.update.flops["contraction"] == passes + outer + 2 * n * draws * units
        assert s.update.flops["transcendental"] == (1 + sides * draws) * s.forward.flops["transcendental"]
        assert s.update.draws == {"normal": n * draws * units}
    s = cost_of(Reinforce(draws=draws), task_of(net, n))
    assert s.update.flops["contraction"] == draws * (s.forward.flops["contraction"] + outer)
    assert s.update.flops["transcendental"] == draws * s.forward.flops["transcendental"]
    assert s.update.flops["comparison"] == s.update.draws["uniform"] == n * draws * units


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
@pytest.mark.parametrize("rule", RULES)
def test_one_step_towards_the_teacher(rule: str, inputs: int, outputs: int) -> None:
    """E|W − ηg|² = |W|² (1 − 2η + η² (N + 2) K): the learning curve of Werfel et al., for every rate η at
    once (n = 20,000)."""
    towards, size = steps(rule, inputs, outputs, 20_000, 3)
    assert off(towards, 1.0) < BEYOND
    assert off(size, (inputs + 2) * noise_dimension(rule, inputs, outputs)) < BEYOND


@pytest.mark.parametrize(
    ("n", "wide", "sure"),
    [(6_000, WIDE, 0.06), pytest.param(10_000, (*WIDE, 128), 0.04, marks=pytest.mark.slow)],
)
def test_the_price_of_noise_grows_with_its_dimension(n: int, wide: tuple[int, ...], sure: float) -> None:
    """Against the gradient: node perturbation ∝ M, weight perturbation ∝ M N, up to the 2 in M + 2 and MN +
    2.

    That 2 makes the slope over M = 8 … 64 come out .09 and .03 below 1 against M itself. `sure`: standard
    errors of all slopes.
    """
    node, weight = ([price(rule, 4, m, n) for m in wide] for rule in ("node", "weight"))
    by_inputs = [price("weight", k, 8, n) for k in wide]
    for x, prices, expected, room in (
        ([m + 2 for m in wide], node, 1, 0),
        ([4 * m + 2 for m in wide], weight, 1, 0),
        ([8 * k + 2 for k in wide], by_inputs, 1, 0),
        (wide, node, 1, 0.1),
        (wide, weight, 1, 0.1),
        (wide, by_inputs, 1, 0.1),
        (wide, [price("node", k, 8, n) for k in wide], 0, 0),  # inputs cost node perturbation nothing more
    ):
        found = slope(x, prices)
        assert abs(found.times - expected) < BEYOND * found.error + room
        assert found.error < sure


def learnt(
    rule: str, inputs: int, outputs: int, rate: float, updates: int, n: int, seed: int = 0
) -> np.ndarray:
    """|W|² after each update (updates, n), fresh patterns, from |W|² = 1."""
    net, rng, rand = linear(inputs, outputs), np.random.default_rng(seed), Rand(seed, range(n), NOISE)
    (edge,) = net.edges
    w = rng.normal(size=(n, inputs, outputs))
    algorithm = type(RULES[rule])(GradientDescent(lr=rate, momentum=0.0, decay=0.0))
    state = algorithm.init(net, {edge: w / np.sqrt((w**2).sum(axis=(1, 2), keepdims=True))}, rand)
    rows, curve = np.zeros((n, 1, outputs)), np.empty((updates, n))
    for t in range(updates):
        batch = Batch(rng.normal(size=(n, 1, inputs)), rows, rows > 0, 0)
        state = algorithm.update(net, state, batch, rand).state
        curve[t] = (state["params"][edge] ** 2).sum(axis=(1, 2))
    return curve


@pytest.mark.parametrize("rule", RULES)
def test_the_learning_curve_at_the_fastest_rate(rule: str) -> None:
    """Mean |W|² = (1 − 1/((N + 2) K))^t, for t up to (N + 2) K / 2 and at three times on the way (n =
    1,000)."""
    scale = 5 * noise_dimension(rule, 3, 2)
    updates = max(3, scale // 2)
    curve = learnt(rule, 3, 2, 1 / scale, updates, 1000)
    for t in (1, updates // 2, updates):
        assert off(curve[t - 1], (1 - 1 / scale) ** t) < BEYOND


def test_beyond_the_largest_rate_there_is_no_learning() -> None:
    """η = 2 / ((N + 2) K) leaves the mean where it is; a little over it grows, where the gradient still
    learns fast."""
    largest = 2 / (5 * noise_dimension("node", 3, 6))
    _, size = steps("node", 3, 6, 20_000, 9)
    for share, sign in ((0.8, -1), (1.2, 1)):
        growth = 1 - 2 * share * largest + (share * largest) ** 2 * size
        assert sign * (growth.mean() - 1) > 0
        assert off(growth, 1 + sign * 0.2 * share * 2 * largest) < BEYOND
    assert learnt("gradient", 3, 6, 1.2 * largest, 60, 200)[-1].mean() < 0.1


@pytest.mark.slow
def test_the_time_to_learn_grows_with_the_outputs() -> None:
    """Updates until the mean |W|² is 1/e, each at its own fastest rate (n = 1,000): log(1/e) / log(1 − 1/((N
    + 2) K))."""
    times = {}
    for rule in RULES:
        for m in (2, 4, 8, 16, 32):
            scale = 4 * noise_dimension(rule, 2, m)
            mean = learnt(rule, 2, m, 1 / scale, 2 * scale, 1000).mean(axis=1)
            times[rule, m] = Price(int(np.argmax(mean < math.exp(-1))) + 1, 0.0)
            assert times[rule, m].times == pytest.approx(-1 / math.log(1 - 1 / scale), rel=0.2, abs=1)
    for rule in ("node", "weight"):
        found = slope(
            [noise_dimension(rule, 2, m) for m in (4, 8, 16, 32)], [times[rule, m] for m in (4, 8, 16, 32)]
        )
        assert found.times == pytest.approx(1, abs=0.1)


def test_every_replica_of_the_task_has_its_own_linear_teacher() -> None:
    task = LinearPerceptron(inputs=4, outputs=3, size=30)
    data = task.data(Rand(1, range(5), SPLIT), "float32")
    assert [a.shape for a in data[:3]] == [(5, 30, 4), (5, 30, 3), (5, 30, 3)]
    assert data.x.dtype == data.target.dtype == np.float32
    alone = task.data(Rand(1, [3], SPLIT), "float32")
    assert alone.x.tobytes() == data.x[3].tobytes()
    teachers = [
        np.linalg.lstsq(x, d)[:2]
        for x, d in zip(data.x.astype(float), data.target.astype(float), strict=True)
    ]
    assert all((residual < 1e-10).all() for _, residual in teachers)
    assert len({w.tobytes() for w, _ in teachers}) == 5
    drawn = LinearPerceptron(size=2).data(Rand(0, range(10_000), SPLIT), "float64")
    assert off(drawn.x[:, 0, 0] ** 2, 1.0) < BEYOND
    assert off(drawn.target[:, 1, 2] ** 2, 1.0) < BEYOND, "targets of variance 1, whatever N"
    replica = task.data(Rand(0, [0], SPLIT), "float64")
    assert task.patterns().x.tobytes() == replica.x[0].tobytes()
    assert task.spec().patterns == len(task.patterns().x) == 30
    assert not task.spec().binary


def test_its_criterion_is_a_share_of_the_loss_of_zero_weights() -> None:
    task = LinearPerceptron(bound=0.25)
    target = np.array([[[3.0, 4.0]]])
    data = Data(None, target, target > 0)
    assert task.met(target * 0.51, data).tolist() == [True]  # what is left is .49² = .2401
    assert task.met(target * 0.49, data).tolist() == [False]
    assert task.met(target * 0.51, data, np.array([False])).tolist() == [False]
    two = Data(
        None, np.array([[3.0], [5.0]]), np.array([[True], [True]])
    )  # 17 on average, a quarter of it 4.25
    assert task.right(np.array([[1.0], [2.9]]), two).tolist() == [True, False]
    near = LinearPerceptron(criterion="margin", bound=0.5)
    assert near.met(target + 0.49, data).tolist() == [True]
    assert near.met(target - 0.51, data).tolist() == [False]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"inputs": 0}, "inputs"),
        ({"outputs": 1.5}, "outputs"),
        ({"size": 0}, "size"),
        ({"criterion": "side"}, "criterion"),
    ],
)
def test_a_bad_setting_of_the_task_gets_one_sentence(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named) as caught:
        LinearPerceptron(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", RULES)
def test_all_three_learn_the_task_at_its_usual_rate(rule: str) -> None:
    algorithm = type(RULES[rule])()
    whole = run(algorithm, LinearPerceptron(), replicas=6)
    assert whole.solved.all()
    alone = run(algorithm, LinearPerceptron(), replicas=6, only=[4])
    for name, w in alone.trained.weights.items():
        assert w[0].tobytes() == whole.trained.weights[name][4].tobytes()


def test_the_preset_is_stable_and_learns() -> None:
    """Its rate is 1 / ((N + 2)(M + 2)), to two digits."""
    with initialize_config_dir(CONF, **VERSION_BASE):
        cell = cell_of(compose("config", overrides=["experiment=werfel2005/linear", "run.replicas=8"]))
    task: Any = cell.task
    assert cell.algorithm.optimiser.lr == pytest.approx(
        1 / ((task.inputs + 2) * (task.outputs + 2)), rel=0.01
    )  # type: ignore[attr-defined]
    assert run_cell(cell.algorithm, cell.task, cell.settings).solved.all()
    assert Path(CONF, "experiment", "werfel2005", "linear.yaml").is_file()

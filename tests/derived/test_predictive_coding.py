"""Predictive coding held to linear algebra (the closed equilibrium of linear networks), to differences of its
settled energy, to backpropagation where a theorem says so, and to counts by hand."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.predictive_coding import PredictiveCoding
from algorithms.shallow import Shallow
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.core.algorithm import Batch
from harness.core.errors import InputError, NotApplicable
from harness.core.exact_gradient import exact_gradient
from harness.core.losses import CrossEntropy
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import Adam, GradientDescent
from harness.core.rand import NOISE, Rand
from harness.cost.sheet import sheet
from harness.experiment.run import run
from harness.tasks.deep_chain import DeepChain
from harness.tasks.family_tree import FamilyTree
from harness.tasks.parity import Parity
from harness.tasks.xor import Xor
from helpers.kinds import KINDS, network_of
from helpers.problems import SMOOTH, Problem, credit_of, error, networks, problem, problems

Array = Any
some = settings(deadline=None, derandomize=True, max_examples=40)
few = settings(some, max_examples=15)
IN_ONE_PASS = {
    "fixed_prediction": lambda net: PredictiveCoding(
        variant="fixed_prediction", inference_rate=1.0, steps=max(1, len(net.hidden))
    ),
    "z_il": lambda net: PredictiveCoding(variant="z_il"),
}
OTHER = {
    **{kind: lambda kind=kind: network_of(kind, "tanh", "softmax") for kind in KINDS},
    "shortcut": lambda: Network.chain(3, 4, 3, 2, hidden="tanh", shortcut=True),
    "residual": lambda: Network.chain(3, 4, 4, 4, 2, hidden="tanh", residual=True),
    "normalised": lambda: Network.chain(3, 8, 8, 2, hidden="tanh", residual=True, normalised=True),
}
every_net = pytest.mark.parametrize("name", OTHER)


def other(name: str) -> Problem:
    """A network that is no plain chain; with softmax outputs of one right label, and cross-entropy."""
    p = problem(OTHER[name](), 5, 3)
    if p.net.output.activation != "softmax":
        return p
    label = np.eye(p.net.output.size)[np.arange(5) % p.net.output.size]
    return p._replace(batch=p.batch._replace(target=label, wanted=label > 0, loss=CrossEntropy()))


def gradient(p: Problem) -> Any:
    return exact_gradient(p.net, p.params, p.batch).gradient


# Backpropagation, to rounding


@some
@given(problems(), st.sampled_from(list(IN_ONE_PASS)), st.sampled_from([0.01, 1.0, 7.0]))
def test_fixed_predictions_and_z_il_are_backprop(p: Problem, variant: str, weight: float) -> None:
    """Whatever λ, which is divided out; over shortcuts and where groups lead nowhere, too."""
    rule = IN_ONE_PASS[variant](p.net)
    rule = PredictiveCoding(
        variant=variant, steps=rule.steps, inference_rate=rule.inference_rate, energy_weight=weight
    )
    assert error(credit_of(rule, p), gradient(p)) <= 1e-12


@every_net
@pytest.mark.parametrize("variant", IN_ONE_PASS)
def test_they_are_backprop_in_networks_of_all_kinds(variant: str, name: str) -> None:
    p = other(name)
    assert error(credit_of(IN_ONE_PASS[variant](p.net), p), gradient(p)) <= 1e-12


@pytest.mark.parametrize(("side", "nudge"), [("negative", 0.5), ("centred", 0.1), ("positive", 2.0)])
def test_a_nudge_is_divided_out_of_them(side: str, nudge: float) -> None:
    """They are linear in the output's error: of squared error, and of cross-entropy with softmax."""
    for name in ("shortcut", "convolution"):
        p = other(name)
        rule = PredictiveCoding(variant="z_il", nudge=nudge, side=side)
        assert error(credit_of(rule, p), gradient(p)) <= 1e-12


def test_one_step_of_fixed_predictions_less_than_layers_is_not() -> None:
    p = problem(Network.chain(3, 4, 4, 4, 2), 5, 0)
    rule = PredictiveCoding(variant="fixed_prediction", inference_rate=1.0, steps=2)
    credit, first = credit_of(rule, p), p.net.edges[0]
    assert not credit[first].any()
    assert np.abs(gradient(p)[first]).max() > 0


def test_z_il_is_song_s_loop_step_by_step() -> None:
    """All groups infer at every step, at γ = 1, and the weights t layers below the output learn at step t;
    here the loop as printed, of a chain."""
    p = problem(Network.chain(3, 5, 4, 6, 2, hidden="tanh", output="linear"), 7, 1)
    weights = [(p.params[e], p.params[e.target]) for e in p.net.edges]
    x = [p.batch.x]
    for i, (w, b) in enumerate(weights):
        x.append(np.tanh(x[-1] @ w + b) if i < 3 else x[-1] @ w + b)
    x[-1] = p.batch.target
    found = {}
    for t in range(4):
        mu = [np.tanh(a @ w + b) for a, (w, b) in zip(x[:-1], weights, strict=True)]
        mu[-1] = x[-2] @ weights[-1][0] + weights[-1][1]
        e = [a - m for a, m in zip(x[1:], mu, strict=True)]
        local = [-each * (1 - m * m) for each, m in zip(e[:-1], mu, strict=False)] + [-e[-1]]
        layer = 3 - t
        found[p.net.edges[layer]] = x[layer].T @ local[layer]
        x[1:-1] = [x[i] - (e[i - 1] + local[i] @ weights[i][0].T) for i in range(1, 4)]
    credit = credit_of(PredictiveCoding(variant="z_il"), p)
    for edge, expected in found.items():
        np.testing.assert_allclose(credit[edge], expected, rtol=1e-11, atol=1e-14)


# Backpropagation, in the limit


@pytest.mark.parametrize("variant", ["converged", "error_based", "incremental"])
def test_a_small_weight_of_the_loss_is_backprop_to_its_first_power(variant: str) -> None:
    p = problem(Network.chain(4, 6, 5, 3, hidden="tanh"), 7, 0)
    off = [
        error(credit_of(PredictiveCoding(variant=variant, energy_weight=weight, steps=300), p), gradient(p))
        for weight in (1.0, 0.1, 0.01, 0.001, 0.0001)
    ]
    assert all(a > b for a, b in pairwise(off))
    assert off[0] > 0.05
    assert math.log10(off[2] / off[3]) == pytest.approx(1, abs=0.02)
    assert math.log10(off[3] / off[4]) == pytest.approx(1, abs=0.02)


def jacobians(p: Problem) -> list[Array]:
    """∂y_out/∂y_l (N, size, outputs) of the hidden layers of a tanh chain with linear outputs."""
    y, found = p.net.forward(p.params, p.batch.x), []
    for at in range(len(p.net.hidden)):
        j: Array = np.eye(p.net.hidden[at].size)[None]
        for edge in p.net.edges[at + 1 :]:
            slope = 1.0 if edge.target == p.net.output else 1 - y[edge.target][:, None] ** 2
            j = (j @ p.params[edge]) * slope
        found.append(j)
    return found


@pytest.mark.parametrize(("side", "power"), [("positive", 1), ("negative", 1), ("centred", 2)])
def test_a_small_nudge_is_backprop_of_what_hidden_groups_leave(side: str, power: int) -> None:
    """min ½ Σ |ε_l|² + ½ λ |Σ ε_l J_l + β e|² leaves the output β (1 + λ Σ J Jᵀ)⁻¹ e: linear algebra, a
    pattern at a time."""
    weight, p = 2.0, problem(Network.chain(3, 5, 4, 2, hidden="tanh", output="linear"), 6, 2)
    y = p.net.forward(p.params, p.batch.x)[p.net.output]
    gain = np.eye(2) + weight * sum(j.mT @ j for j in jacobians(p))
    left = np.linalg.solve(gain, (y - p.batch.target)[..., None])[..., 0]
    limit = gradient(p._replace(batch=p.batch._replace(target=y - left)))
    off = []
    for beta in (0.1, 0.03, 0.01):
        rule = PredictiveCoding(nudge=beta, side=side, energy_weight=weight, steps=800)
        off.append(error(credit_of(rule, p), limit))
    slopes = [math.log(a / b) / math.log(r) for (a, b), r in zip(pairwise(off), (10 / 3, 3), strict=True)]
    assert slopes == pytest.approx([power, power], abs=0.1)
    assert error(gradient(p), limit) > 0.1, "it would be no other limit"


# The equilibrium


def test_one_unit_after_another_in_numbers() -> None:
    """x = w₁ = w₂ = 1, target 2: s = 1½, so that credits are −½ and −¾; backprop's are −1 and −1."""
    a, b, c = (Group(n, 1, "linear", bias=False) for n in "abc")
    net = Network((a, b, c), (Edge(a, b), Edge(b, c)))
    one = np.ones((1, 1))
    p = Problem(net, dict.fromkeys(net.edges, one), Batch(one, 2 * one, one > 0, 0))
    credit = credit_of(PredictiveCoding(steps=100), p)
    assert [float(credit[e][0, 0]) for e in net.edges] == pytest.approx([-0.5, -0.75], rel=1e-12)
    assert [float(g[0, 0]) for g in gradient(p).values()] == [-1.0, -1.0]


def residuals(p: Problem, s: dict[Group, Array], weight: float) -> Array:
    """All errors of a linear network side by side (N, units): F is half the sum of their squares."""
    mu = {
        g: sum(s[e.source] @ p.params[e] for e in p.net.into(g)) + (p.params[g] if g.bias else 0.0)
        for g in p.net.free
    }
    hidden = [s[g] - mu[g] for g in p.net.hidden]
    return np.concatenate([*hidden, math.sqrt(weight) * (p.batch.target - mu[p.net.output])], axis=-1)


def system(p: Problem, weight: float) -> tuple[Array, Array, Any]:
    """A and b of the residuals s A + b, and what cuts stacked activities into groups."""
    sizes, n = [g.size for g in p.net.hidden], len(p.batch.x)

    def cut(flat: Array) -> dict[Group, Array]:
        parts = np.split(flat, np.cumsum(sizes)[:-1], axis=-1) if sizes else []
        return {**p.net.split(p.batch.x), **dict(zip(p.net.hidden, parts, strict=True))}

    b = residuals(p, cut(np.zeros((n, sum(sizes)))), weight)
    unit = [(residuals(p, cut(np.tile(row, (n, 1))), weight) - b)[0] for row in np.eye(sum(sizes))]
    return np.array(unit).reshape(sum(sizes), b.shape[-1]), b, cut


linear_networks = networks(("linear",), ("linear",)).filter(lambda net: net.hidden)
seeds = st.integers(0, 2**32 - 1)


@few
@given(
    linear_networks, seeds, st.sampled_from([0.1, 1.0, 5.0]), st.sampled_from(["converged", "error_based"])
)
def test_a_linear_network_comes_to_the_equilibrium_of_linear_algebra(
    net: Network, seed: int, weight: float, variant: str
) -> None:
    """Least squares for the activities; from them each weight's credit by hand: input times error."""
    p = problem(net, 4, seed)
    a, b, cut = system(p, weight)
    s = cut(np.linalg.lstsq(a.T, -b.T)[0].T)
    left = residuals(p, s, weight)
    ends = np.cumsum([g.size for g in net.free])
    delta = {g: -left[:, end - g.size : end] for g, end in zip(net.free, ends, strict=True)}
    delta[net.output] = math.sqrt(weight) * delta[net.output]
    expected = {e: s[e.source].T @ delta[e.target] / weight for e in net.edges}
    expected |= {g: delta[g].sum(axis=0, keepdims=True) / weight for g in net.free if g.bias}
    if variant == "converged":
        curvature = np.linalg.eigvalsh(a @ a.T)
    else:  # of the errors, of which the residuals of hidden groups are all there is, and the output follows
        inner = np.linalg.solve(a[:, : len(a)], a[:, len(a) :])
        curvature = np.linalg.eigvalsh(np.eye(len(a)) + inner @ inner.T)
    low, high = curvature[0], curvature[-1]
    shrinks = max((high - low) / (high + low), 0.5)
    rule = PredictiveCoding(
        variant=variant,
        energy_weight=weight,
        inference_rate=2 / (high + low),
        steps=math.ceil(math.log(1e-14) / math.log(shrinks)),
    )
    assert error(credit_of(rule, p), expected) <= 1e-9


def energy(p: Problem, s: Any, weight: float) -> float:
    """F as the page says it."""
    mu = {g: p.net.activity(g, p.net.net_input(p.params, g, s)) for g in p.net.free}
    hidden = sum(0.5 * ((s[g] - mu[g]) ** 2).sum() for g in p.net.hidden)
    return float(hidden + weight * p.batch.cost(mu[p.net.output]))


@some
@given(linear_networks, seeds, st.sampled_from([0.1, 1.0, 5.0]))
def test_energy_never_rises_below_the_step_of_two_over_the_largest_curvature(
    net: Network, seed: int, weight: float
) -> None:
    """From activities anywhere; beyond that step it does, from the direction of that curvature."""
    p = problem(net, 4, seed)
    a, _, cut = system(p, weight)
    curvature, directions = np.linalg.eigh(a @ a.T)
    rng = np.random.default_rng(seed)
    for share, start in (
        (0.98, rng.normal(size=(4, len(a)))),
        (1.05, 1e6 * directions[:, -1] * np.ones((4, 1))),
    ):
        rule = PredictiveCoding(energy_weight=weight, inference_rate=share * 2 / curvature[-1])
        s, seen = cut(start), []
        for _ in range(12):
            seen.append(energy(p, s, weight))
            s = {**s, **rule.moved(net, p.params, s, *rule.errors(net, p.params, s, p.batch))}
        rises = [after > before * (1 + 1e-12) for before, after in pairwise(seen)]
        assert any(rises) == (share > 1)


@every_net
def test_credit_is_the_slope_of_the_settled_energy(name: str) -> None:
    """Central differences of F at its equilibrium, found anew for each moved weight; and inference by errors
    comes to the same credit."""
    # normalisation bends F sharply: there, small errors and small steps
    weight, rate, steps = (0.02, 0.1, 1500) if name == "normalised" else (0.7, 0.25, 600)
    p, settles = other(name), {"energy_weight": weight, "inference_rate": rate, "steps": steps}
    rule = PredictiveCoding(**settles)

    def settled(params: Any) -> float:
        q = p._replace(params=params)
        y = q.net.forward(params, q.batch.x)
        return energy(q, rule.inferred(q.net, params, y, q.batch)[0], weight)

    credit, rng, step = credit_of(rule, p), np.random.default_rng(0), 1e-4
    size = max(np.abs(c).max() for c in credit.values())
    for key, w in p.params.items():
        index = tuple(rng.integers(0, w.shape))
        ends = []
        for h in (step, -step):
            moved = w.copy()
            moved[index] += h
            ends.append(settled({**p.params, key: moved}))
        slope = (ends[0] - ends[1]) / (2 * step) / weight
        assert credit[key][index] == pytest.approx(slope, rel=1e-5, abs=1e-6 * size), key
    by_errors = PredictiveCoding(variant="error_based", **settles)
    assert error(credit_of(by_errors, p), credit) <= 1e-7


@few
@given(problems(SMOOTH, SMOOTH))
def test_no_error_no_credit(p: Problem) -> None:
    """A target that is the feed-forward output leaves every activity where it was: why that pass predicts."""
    y = p.net.respond(p.params, p.batch.x)
    p = p._replace(batch=p.batch._replace(target=y))
    for variant in ("converged", "error_based", "fixed_prediction", "z_il"):
        assert all(not c.any() for c in credit_of(PredictiveCoding(variant=variant), p).values())


def test_an_error_goes_down_one_layer_a_step() -> None:
    """L layers of weights: those k below the output get their first credit at step k, exactly none before."""
    p = problem(Network.chain(3, *[4] * 4, 2, hidden="tanh"), 5, 0)
    for steps in range(1, 6):
        credit = credit_of(PredictiveCoding(steps=steps), p)
        told = [bool(credit[e].any()) for e in p.net.edges]
        assert told == [4 - i <= steps for i in range(5)]
    by_errors = credit_of(PredictiveCoding(variant="error_based", steps=1), p)
    assert all(by_errors[e].any() for e in p.net.edges)


# Weights that step with the activities


def changed(rule: PredictiveCoding, p: Problem) -> Any:
    state = rule.init(p.net, p.params, Rand(0, [0], NOISE))
    return rule.update(p.net, state, p.batch, Rand(0, [0], NOISE)).state["params"]


def test_incremental_is_two_steps_by_hand() -> None:
    """The same errors move activities and weights: x = w₁ = w₂ = 1, target 2, γ = ½, η = .1.

    Step 1: ε = 0, δ_out = −1: s = 1½, w₂ = 1.1. Step 2: ε = ½, δ_out = 1.65 − 2 = −.35: w₁ = 1.05, w₂ = 1.1 +
    .1 · 1½ · .35 = 1.1525.
    """
    a, b, c = (Group(n, 1, "linear", bias=False) for n in "abc")
    net = Network((a, b, c), (Edge(a, b), Edge(b, c)))
    one = np.ones((1, 1))
    p = Problem(net, dict.fromkeys(net.edges, one), Batch(one, 2 * one, one > 0, 0))
    plain = GradientDescent(lr=0.1, momentum=0.0, decay=0.0)
    found = changed(PredictiveCoding(plain, variant="incremental", steps=2, inference_rate=0.5), p)
    assert [float(w[0, 0]) for w in found.values()] == pytest.approx([1.05, 1.1525], rel=1e-14)


def test_one_incremental_step_is_the_delta_rule_of_the_output() -> None:
    """At the feed-forward activities no hidden group has an error."""
    p, plain = problem(Network.chain(3, 4, 2), 5, 0), GradientDescent(lr=0.1, momentum=0.0, decay=0.0)
    found = changed(PredictiveCoding(plain, variant="incremental", steps=1), p)
    credit = credit_of(Shallow(), p)
    for key, w in p.params.items():
        np.testing.assert_allclose(found[key], w - 0.1 * credit.get(key, np.zeros_like(w)), rtol=1e-14)


# Depth scaling


def test_depth_scaling_is_written_as_a_w_and_the_optimiser_sees_w() -> None:
    """a of a residual chain by hand; a step of gradient descent on w is one of a² η on a w, Adam's of a η."""
    net = Network.chain(9, 4, 4, 4, 2, hidden="tanh", residual=True)
    p = problem(net, 5, 0)
    a = dict(zip(net.edges, (1 / 3, 1 / 4, 1 / 4, 1 / 4), strict=True)) | dict.fromkeys(net.free, 1.0)
    assert PredictiveCoding(depth_scaling=True).scales(net) == pytest.approx(a)  # L = 4: 1 / √(4 · 4)
    plain = Network.chain(9, 4, 4, 2)
    assert list(PredictiveCoding(depth_scaling=True).scales(plain).values())[:3] == [1 / 3, 0.5, 0.25]
    started = {key: a[key] * w for key, w in p.params.items()}
    for optimiser, power in ((GradientDescent(lr=0.1, momentum=0.0, decay=0.0), 2), (Adam(lr=0.01), 1)):
        found = changed(PredictiveCoding(optimiser, depth_scaling=True), p)
        credit = credit_of(PredictiveCoding(), p._replace(params=started))
        for key, w in started.items():
            step = -0.1 * credit[key] if power == 2 else -0.01 * np.sign(credit[key])
            np.testing.assert_allclose(found[key] - w, a[key] ** power * step, rtol=1e-3, atol=1e-9)


# What it costs


@pytest.mark.parametrize(("depth", "steps"), [(2, 7), (4, 20)])
def test_work_is_that_of_two_products_a_layer_and_step(depth: int, steps: int) -> None:
    """D layers, T steps: the activities are sent up T + 2 times, at the start and for the last errors, too; D
    outer products; and every step brings blame down, but not to the input, which is clamped. In products:
    2 D T + D, the usual count, and 2 D − T."""
    task = DeepChain(depth=depth - 1, width=6, bits=6)
    net = task.network()
    assert len(net.edges) == depth
    cost = sheet(Cell(*resolve(PredictiveCoding(steps=steps), task, Settings(replicas=1))))
    sizes = [math.prod(e.shape) for e in net.edges]
    products = (steps + 2) * sum(sizes) + steps * sum(sizes[1:]) + sum(sizes)
    assert cost.update.multiply_adds == cost.patterns * products
    assert cost.forward.multiply_adds == cost.patterns * sum(sizes)
    equal = (steps + 2) * depth + steps * (depth - 1) + depth
    assert equal == (2 * depth * steps + depth) + (2 * depth - steps)


# Parity, on which it was said to fail


def parity(replicas: int) -> Any:
    rule = PredictiveCoding(Adam(lr=0.003), steps=20)
    task = Parity(bits=3, hidden=16, activation="tanh")
    return run(rule, task, replicas=replicas, batch="full", epochs=2000, progress=False).trained


def test_three_bits_of_parity_are_solved() -> None:
    assert set(parity(10).outcome) == {"solved"}


@pytest.mark.slow
def test_three_bits_of_parity_are_solved_by_two_hundred() -> None:
    assert set(parity(200).outcome) == {"solved"}


# Bad input


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"energy_weight": 0.0}, "energy_weight must be finite and greater than 0, but 0.0 was given"),
        ({"energy_weight": -1}, "energy_weight must be finite and greater than 0, but -1 was given"),
        ({"steps": 0}, "steps must be a whole number, at least 1"),
        ({"inference_rate": 0.0}, "inference_rate must be finite and greater than 0"),
        ({"nudge": 0}, "nudge must be finite and greater than 0, but 0 was given"),
        ({"side": "negativ"}, "side"),
        ({"variant": "zil"}, "variant"),
    ],
)
def test_settings_out_of_range_are_told(bad: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        PredictiveCoding(**bad)


def test_a_nudge_within_a_margin_is_refused() -> None:
    with pytest.raises(NotApplicable, match=r"a nudged output is within the margin of 0\.2"):
        resolve(PredictiveCoding(nudge=0.1), FamilyTree(margin=0.2), Settings(replicas=1))
    resolve(PredictiveCoding(), FamilyTree(margin=0.2), Settings(replicas=1))
    resolve(PredictiveCoding(nudge=0.1), Xor(), Settings(replicas=1))

"""Perturbations of weights held to backprop: exactly, up to the error of a difference, or on average
(z-tests).

An average of n = 20,000 estimates, each of its own random stream, is compared with the exact gradient. All
z-tests of this file together raise a false alarm with probability 1e-4 (split evenly, two-sided); they are
seeded.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from algorithms.backprop import Backprop
from algorithms.finite_differences import FiniteDifferences
from algorithms.node_perturbation import NodePerturbation, Reinforce
from algorithms.weight_perturbation import (
    ForwardGradient,
    SequentialWeightPerturbation,
    Spsa,
    WeightPerturbation,
)
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.compiling.driver import refusal
from harness.core import differences, vectors
from harness.core.algorithm import Batch
from harness.core.data import Usual
from harness.core.errors import InputError
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import GradientDescent
from harness.core.rand import NOISE, Rand
from harness.core.tangent import tangent
from harness.experiment.run import run
from harness.tasks.family_tree import FamilyTree
from harness.tasks.xor import Xor
from helpers.averages import N, estimates, off
from helpers.costs import cost_of, task_of
from helpers.problems import Problem, credit_of, derivatives, error, flat, problem, problems

NET = Network.chain(3, 2, 2, shortcut=True)  # 20 weights
BITS = (
    FiniteDifferences(scheme="forward"),
    FiniteDifferences(scheme="complex"),
    SequentialWeightPerturbation(sigma=0.01),
)
BITS += (
    WeightPerturbation(draws=11),
    WeightPerturbation(antithetic=True, direction="sign"),
    ForwardGradient(draws=9),
)
BITS += (Spsa(draws=10), NodePerturbation(draws=9), NodePerturbation(antithetic=True), Reinforce(draws=2))
ON_AVERAGE = {
    "weight perturbation": WeightPerturbation(),
    "antithetic": WeightPerturbation(antithetic=True),
    "signs, averaged": WeightPerturbation(direction="sign", draws=3),
    "forward gradient": ForwardGradient(),
    "forward gradient along signs, averaged": ForwardGradient(direction="sign", draws=2),
    "spsa": Spsa(draws=2),
    "node perturbation": NodePerturbation(),
    "node perturbation, antithetic, averaged": NodePerturbation(antithetic=True, draws=2),
}
MOMENTS = [(ForwardGradient(), 22), (ForwardGradient(direction="sign"), 20), (ForwardGradient(draws=4), 6.25)]
TESTS = len(ON_AVERAGE) * (NET.size + 1) + len(MOMENTS)
BEYOND = NormalDist().inv_cdf(1 - 1e-4 / TESTS / 2)  # 4.9 standard errors
quick = settings(deadline=None, derandomize=True, max_examples=60)


def label(value: Any) -> str | None:
    return (
        None if isinstance(value, int | float | tuple | str) else f"{type(value).__name__} {vars(value)}"[:80]
    )


@pytest.mark.parametrize(("scheme", "tolerance"), [("forward", 1e-6), ("central", 1e-9), ("complex", 1e-14)])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
def test_every_scheme_is_the_gradient_to_its_own_error(
    scheme: str, tolerance: float, shortcut: bool, kind: str
) -> None:
    for seed, sizes in enumerate([(2, 2, 1), (4, 3, 2), (3, 4, 4, 2), (5, 2)]):
        p = problem(Network.chain(*sizes, hidden=kind, output="sigmoid", shortcut=shortcut), 5, seed)
        assert error(credit_of(FiniteDifferences(scheme=scheme), p), credit_of(Backprop(), p)) <= tolerance


@quick
@given(problems())
def test_the_complex_step_is_that_of_a_plain_loop_over_the_weights(p: Problem) -> None:
    """Any network of smooth units: several inputs, shortcuts, groups with and without biases."""
    assert error(credit_of(FiniteDifferences(scheme="complex"), p), derivatives(p, 1e-20j)) <= 1e-13


@pytest.mark.parametrize(("scheme", "tolerance"), [("forward", 1e-2), ("complex", 2e-6)])
def test_steps_are_those_of_the_precision(scheme: str, tolerance: float) -> None:
    """Float32: √ε = 3.5e-4 forward, thirty of them for curvature and E; the complex step to some ε =
    1.2e-7."""
    p = problem(Network.chain(4, 3, 2), 5, 0, dtype="float32")
    credit = credit_of(FiniteDifferences(scheme=scheme), p)
    assert all(c.dtype == np.float32 for c in credit.values())
    assert error(credit, credit_of(Backprop(), p)) <= tolerance
    for precision in ("float32", "float64"):
        eps = float(np.finfo(precision).eps)
        assert differences.best_step("forward", precision) == pytest.approx(eps**0.5)
        assert differences.best_step("central", precision) == pytest.approx(eps ** (1 / 3))
        assert differences.best_step("complex", precision) ** 2 < 1e-3 * eps
    assert differences.best_step("complex", "float64") == 1e-20


def test_the_complex_step_knows_no_overflow() -> None:
    """A unit driven far beyond where exp(−x) ends is flat, not NaN."""
    p = problem(Network.chain(2, 2, 1), 3, 0)
    p = p._replace(params={k: 1e4 * np.sign(w) for k, w in p.params.items()})
    assert all(np.isfinite(c).all() for c in credit_of(FiniteDifferences(scheme="complex"), p).values())


def test_the_complex_step_refuses_what_is_not_analytic() -> None:
    complex_step = FiniteDifferences(scheme="complex")
    assert complex_step.applies_to(Xor()) is None
    assert "relu" in str(complex_step.applies_to(Xor(activation="relu")))
    assert "heaviside" in str(complex_step.applies_to(Xor(activation="heaviside")))
    assert "margin=0.2" in str(complex_step.applies_to(FamilyTree(margin=0.2)))
    for scheme in ("forward", "central"):
        assert FiniteDifferences(scheme=scheme).applies_to(Xor(activation="heaviside", margin=0.2)) is None


@pytest.mark.parametrize("sigma", [1e-3, 0.1])
def test_sequential_perturbation_is_the_gradient_up_to_curvature(sigma: float) -> None:
    """On a quadratic loss, the one of a linear net, by σ/2 ∂²E/∂w_i² = σ/2 Σ_patterns x_i² exactly."""
    net = linear(3, 2)
    p = problem(net, 4, 0)
    (edge,) = net.edges
    found = credit_of(SequentialWeightPerturbation(sigma=sigma), p)[edge]
    curvature = (p.batch.x**2).sum(axis=0)[:, None]
    np.testing.assert_allclose(
        found, credit_of(Backprop(), p)[edge] + 0.5 * sigma * curvature, rtol=1e-9, atol=1e-10
    )


def linear(inputs: int, outputs: int) -> Network:
    groups = Group("input", inputs, "linear", bias=False), Group("output", outputs, "linear", bias=False)
    return Network(groups, (Edge(*groups),))


@pytest.mark.parametrize("name", ON_AVERAGE)
def test_on_average_it_is_the_gradient(name: str) -> None:
    """Each weight by itself, and all of them along the gradient, where a wrong factor of 6 % would be
    seen."""
    p = problem(NET, 4, 1)
    samples, truth = estimates(ON_AVERAGE[name], p), flat(credit_of(Backprop(), p), NET.shapes)
    assert off(samples, truth) < BEYOND
    along = samples @ truth / (truth @ truth)
    assert off(along, 1.0) < BEYOND
    assert BEYOND * along.std() / math.sqrt(N) < 0.06


@pytest.mark.parametrize(("algorithm", "times"), MOMENTS, ids=label)
def test_the_second_moment_of_forward_gradients(algorithm: ForwardGradient, times: float) -> None:
    """E‖g‖² = (d + 2) ‖∇E‖² for normal directions, d ‖∇E‖² for ±1, d = 20; of a mean of 4, (1 + (22 − 1) / 4)
    ‖∇E‖²."""
    p = problem(NET, 4, 1)
    truth = flat(credit_of(Backprop(), p), NET.shapes)
    samples = (estimates(algorithm, p, seed=1) ** 2).sum(axis=1) / (truth @ truth)
    assert off(samples, times) < BEYOND
    assert samples.std() / math.sqrt(N) < 0.015 * times, "a test that could not see 10 % would be none"


@quick
@given(problems())
def test_the_tangent_is_the_central_difference_along_a_direction(p: Problem) -> None:
    rng = np.random.default_rng(0)
    along = {k: rng.normal(size=w.shape) for k, w in p.params.items()}
    moved = tangent(p.net, p.params, along, p.net.forward(p.params, p.batch.x))
    h = 6e-6
    up, down = (
        p.net.forward({k: w + s * h * along[k] for k, w in p.params.items()}, p.batch.x) for s in (1, -1)
    )
    assert set(moved) == {*p.net.hidden, p.net.output}
    for group in moved:
        np.testing.assert_allclose(moved[group], (up[group] - down[group]) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 3.0])
@pytest.mark.parametrize("direction", ["normal", "sign"])
def test_antithetic_pairs_cancel_even_terms(sigma: float, direction: str) -> None:
    """On a quadratic loss they are the slope along the direction, however large σ; one side is off by σ/2
    ξᵀHξ."""
    p = problem(linear(3, 2), 4, 0)
    exact = estimates(ForwardGradient(direction=direction, draws=3), p, 50)
    paired = estimates(WeightPerturbation(sigma=sigma, direction=direction, antithetic=True, draws=3), p, 50)
    np.testing.assert_allclose(paired, exact, rtol=1e-9, atol=1e-10)
    one = estimates(WeightPerturbation(sigma=sigma, direction=direction), p, 50)
    alone = estimates(ForwardGradient(direction=direction), p, 50)
    rand = Rand(0, range(50), NOISE)
    xi = rand.normal(1, 6) if direction == "normal" else np.where(rand.uniform(1, 6) < 0.5, -1.0, 1.0)
    curved = np.einsum("rw,wv,rv->r", xi[:, 0], np.kron(p.batch.x.T @ p.batch.x, np.eye(2)), xi[:, 0])[
        :, None
    ]
    np.testing.assert_allclose(one - alone, 0.5 * sigma * curved * xi[:, 0], rtol=1e-7, atol=1e-8)


def test_the_gains_of_spsa_by_hand() -> None:
    spsa = Spsa(a=0.5, c=0.1, A=10)
    assert (spsa.alpha, spsa.gamma) == (0.602, 0.101)
    k = np.array([0.0, 1.0, 9.0, 989.0])
    a, c = spsa.gains(k)
    # 0.5 · 11^−.602, 12^−.602, 20^−.602, 1000^−.602; 0.1 · 1, 2^−.101, 10^−.101, 990^−.101
    np.testing.assert_allclose(a, [0.1180461, 0.1120219, 0.08236637, 0.007815738], rtol=1e-6)
    np.testing.assert_allclose(c, [0.1, 0.09323865, 0.07925013, 0.04982426], rtol=1e-6)


def test_spsa_steps_by_its_gains_and_counts() -> None:
    """w_{k+1} = w_k − a_k ĝ_k, ĝ_k from the two measurements at w ± c_k Δ, Δ = ±1 from its stream."""
    p, spsa = problem(NET, 4, 1, (3,)), Spsa(a=0.5, c=0.2, A=5, draws=1)
    rand, again = Rand(2, range(3), NOISE), Rand(2, range(3), NOISE)
    state = spsa.init(p.net, p.params, rand)
    assert not state["gains"]["k"].any()
    for k in range(3):
        signs = np.where(again.uniform(1, NET.size)[:, 0] < 0.5, -1.0, 1.0)
        size, rate = 0.2 / (k + 1) ** 0.101, 0.5 / (k + 6) ** 0.602
        measured = []
        for s in (1, -1):
            row = moved(p.net, state["params"], s * size * signs)
            measured.append(p.batch.cost(p.net.forward(row, p.batch.x)[p.net.output]))
        expected = moved(
            p.net, state["params"], -rate * ((measured[0] - measured[1]) / (2 * size))[:, None] / signs
        )
        state = spsa.update(p.net, state, p.batch, rand).state
        for key, w in expected.items():
            np.testing.assert_allclose(state["params"][key], w, rtol=1e-11, atol=1e-13)
    assert state["gains"]["k"].tolist() == [[[3.0]]] * 3


def moved(net: Network, params: Any, by: np.ndarray) -> dict[Any, np.ndarray]:
    """Weights plus rows (R, W) in the order of `net.shapes`."""
    found, at = {}, 0
    for k, shape in net.shapes.items():
        found[k] = params[k] + by[:, at : at + math.prod(shape)].reshape(len(by), *shape)
        at += math.prod(shape)
    return found


def test_gains_left_to_the_task_start_at_its_learning_rate() -> None:
    spsa = Spsa().resolved(Usual(lr=0.3, momentum=0.9, scale=0.5, epochs=2000))
    assert isinstance(spsa, Spsa)
    assert spsa.A == 200
    assert spsa.gains(np.zeros(()))[0] == pytest.approx(0.3)
    given = Spsa(a=1.0, A=0.0)
    assert given.resolved(Xor.usual) == given


SIZES = [(2, 2, 1), (4, 3, 2), (5, 6, 7, 2)]


def passes(s: Any, kind: str) -> float:
    return s.update.flops[kind] / s.forward.flops[kind]


@pytest.mark.parametrize("sizes", SIZES)
def test_what_one_weight_after_the_other_costs(sizes: tuple[int, ...]) -> None:
    net = Network.chain(*sizes)
    for algorithm, count in [
        (SequentialWeightPerturbation(), net.size + 1),
        (FiniteDifferences(scheme="forward"), net.size + 1),
        (FiniteDifferences(scheme="central"), 2 * net.size),
        (FiniteDifferences(scheme="complex"), net.size),
    ]:
        s = cost_of(algorithm, task_of(net, 5))
        assert passes(s, "contraction") == passes(s, "transcendental") == count
        assert s.update.draws.total() == 0


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("sizes", SIZES)
def test_what_all_weights_at_once_cost(sizes: tuple[int, ...], draws: int) -> None:
    """Forward passes, and 2 W per draw to weigh the directions; SPSA's two gains are two powers."""
    net, n = Network.chain(*sizes), 5
    for algorithm, count, powers in [
        (WeightPerturbation(draws=draws), draws + 1, 0),
        (WeightPerturbation(draws=draws, antithetic=True), 2 * draws, 0),
        (Spsa(draws=draws), 2 * draws, 2),
    ]:
        s = cost_of(algorithm, task_of(net, n))
        assert s.update.flops["contraction"] == count * s.forward.flops["contraction"] + 2 * draws * net.size
        assert s.update.flops["transcendental"] == count * s.forward.flops["transcendental"] + powers
        assert s.update.draws == {"uniform" if powers else "normal": draws * net.size}
    s = cost_of(ForwardGradient(draws=draws), task_of(net, n))
    weights = [a * b for a, b in pairwise(sizes)]
    tangent = 2 * n * (sum(weights) + sum(weights[1:]))  # y v into every group, y' w out of every hidden one
    scalar = 2 * n * sizes[-1]  # Σ ∂E/∂y · y'
    assert s.update.flops["contraction"] == s.forward.flops["contraction"] + draws * (
        tangent + scalar + 2 * net.size
    )
    assert s.update.flops["transcendental"] == s.forward.flops["transcendental"]
    assert s.update.draws == {"normal": draws * net.size}


@pytest.mark.parametrize("workspace", [1, 500])
@pytest.mark.parametrize("algorithm", [a for a in BITS if not isinstance(a, Reinforce)], ids=label)
def test_how_many_are_tried_at_once_changes_no_bits(
    algorithm: Any, workspace: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = problem(NET, 4, 0)
    whole = estimates(algorithm, p, 3)
    monkeypatch.setattr(vectors, "WORKSPACE", workspace)
    assert estimates(algorithm, p, 3).tobytes() == whole.tobytes()


@pytest.mark.parametrize(("batch", "dtype"), [("full", "float64"), (1, "float32")])
@pytest.mark.parametrize("algorithm", BITS, ids=label)
def test_a_replica_alone_is_itself_in_a_batch(algorithm: Any, batch: Any, dtype: str) -> None:
    one = {"epochs": 12, "batch": batch, "dtype": dtype}
    together = run(algorithm, Xor(hidden=3), replicas=6, **one).trained.weights
    for i in (0, 4):
        alone = run(algorithm, Xor(hidden=3), replicas=6, only=[i], **one).trained.weights
        for name, w in alone.items():
            assert w.dtype == np.dtype(dtype)
            assert w[0].tobytes() == together[name][i].tobytes()
    again = run(algorithm, Xor(hidden=3), replicas=6, **one).trained.weights
    assert all(again[name].tobytes() == w.tobytes() for name, w in together.items())


@pytest.mark.parametrize("algorithm", BITS, ids=label)
def test_every_setting_compiles(algorithm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "WORKSPACE", 300)  # several blocks and a rest
    assert refusal(Cell(*resolve(algorithm, Xor(hidden=3), Settings()))) == ""


@pytest.mark.parametrize("algorithm", [BITS[1], WeightPerturbation(draws=5)], ids=label)
def test_compiled_it_is_the_same(algorithm: Any) -> None:
    """The complex step at 1e-20 too: XLA's complex numbers keep it."""
    plain, compiled = (
        run(algorithm, Xor(), replicas=4, epochs=3, backend=b).trained for b in ("numpy", "jax")
    )
    assert compiled.ran["backend"] == "jax"
    for name, w in plain.weights.items():
        np.testing.assert_allclose(compiled.weights[name], w, rtol=1e-9, atol=1e-11)


def test_they_learn() -> None:
    """By their own gradients, sequential and averaged directions solve XOR about as often as backprop: most
    of the time."""
    step = GradientDescent(lr=0.5, momentum=0.9)
    for algorithm in (SequentialWeightPerturbation(step), ForwardGradient(step, direction="sign", draws=16)):
        assert run(algorithm, Xor(), replicas=30, epochs=1500).solved.mean() > 0.5


BAD = [
    (FiniteDifferences, {"scheme": "centre"}, "scheme"),
    (FiniteDifferences, {"step": 0.0}, "step"),
    (WeightPerturbation, {"sigma": 0.0}, "sigma"),
    (WeightPerturbation, {"sigma": math.nan}, "sigma"),
    (WeightPerturbation, {"direction": "normall"}, "direction"),
    (WeightPerturbation, {"draws": 0}, "draws"),
    (SequentialWeightPerturbation, {"sigma": -1.0}, "sigma"),
    (ForwardGradient, {"direction": "signs"}, "direction"),
    (ForwardGradient, {"draws": 1.5}, "draws"),
    (Spsa, {"a": 0.0}, "a must"),
    (Spsa, {"c": 0.0}, "c must"),
    (Spsa, {"A": -1.0}, "A must"),
    (Spsa, {"alpha": -0.1}, "alpha"),
    (Spsa, {"gamma": math.inf}, "gamma"),
    (Spsa, {"draws": True}, "draws"),
    (NodePerturbation, {"sigma": 0.0}, "sigma"),
    (NodePerturbation, {"draws": 0}, "draws"),
    (Reinforce, {"gamma": 1.1}, "gamma"),
    (Reinforce, {"gamma": math.nan}, "gamma"),
    (Reinforce, {"draws": 0}, "draws"),
]


@pytest.mark.parametrize(
    ("kind", "changes", "named"), BAD, ids=lambda v: v.__name__ if isinstance(v, type) else str(v)
)
def test_a_bad_setting_gets_one_sentence(kind: Any, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as caught:
        kind(**changes)
    message = str(caught.value)
    assert named in message
    assert str(next(iter(changes.values()))) in message
    assert "\n" not in message
    assert len(message) < 200


def test_credit_adds_over_patterns() -> None:
    """Losses are sums: with the same noise in the weights, credit(A) + credit(B) = credit(A ∪ B)."""
    p = problem(NET, 5, 0)
    parts = [p._replace(batch=Batch(*(a[rows] for a in p.batch[:3]), 0)) for rows in (slice(2), slice(2, 5))]
    for algorithm in (WeightPerturbation(antithetic=True), ForwardGradient()):
        both = sum(estimates(algorithm, part, 4) for part in parts)
        np.testing.assert_allclose(estimates(algorithm, p, 4), both, rtol=1e-7, atol=1e-9)

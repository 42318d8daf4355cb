"""Learnt feedback held to algebra: W − Bᵀ shrinks as (1 − λ)^t; noise through a layer transposes it in
expectation."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from algorithms.backprop import Backprop
from algorithms.weight_mirror import KolenPollack, WeightMirror, back
from harness.core.algorithm import Batch
from harness.core.initial import initial
from harness.core.network import Edge, Group, Network
from harness.core.optimisers import Adam, GradientDescent, SignStep
from harness.core.rand import NOISE, SPLIT, WEIGHTS, Rand
from harness.tasks.encoder import Encoder
from harness.tasks.family_tree import FamilyTree
from harness.tasks.linear_map import LinearMap
from harness.tasks.xor import Xor
from helpers.problems import problem

OPTIMISERS = {
    "momentum": GradientDescent(0.5, 0.9),
    "early": GradientDescent(0.5, 0.9, early_sweeps=20, early_lr=0.1, early_momentum=0.5),
    "adam": Adam(0.01),
    "sign_step": SignStep(0.01),
}


def trained(algorithm: Any, task: Any, replicas: int, updates: int, state: Any = None) -> tuple[Any, Any]:
    """Initial and final states of so many updates on all patterns."""
    net, numbers = task.network(), range(replicas)
    noise = Rand(0, numbers, NOISE)
    data = task.data(Rand(0, numbers, SPLIT), float)
    start = algorithm.init(net, initial(net, Rand(0, numbers, WEIGHTS), task.init, task.initial_scale), noise)
    state = start = state or start
    for epoch in range(updates):
        state, _ = algorithm.update(net, state, Batch(*data[:3], epoch, task.objective), noise)  # type: ignore[arg-type]
    return start, state


def apart(net: Network, state: Any) -> dict[str, Any]:
    """W − Bᵀ of every edge with a way back."""
    params = state["params"]
    return {e.name: params[e] - params[back(e)] for e in net.edges if back(e) in params}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize(
    "task", [Xor(hidden=3, shortcut=True), FamilyTree(held=0)], ids=["xor", "family_tree"]
)
def test_forward_and_feedback_weights_come_together_as_they_must(name: str, task: Any) -> None:
    """(1 − λ)^t to rounding, while the weights themselves go far: t updates round to about t ε |W| each."""
    decay, updates = 0.01, 120
    rule = KolenPollack(OPTIMISERS[name], decay=decay).resolved(task.usual)
    net = task.network()
    start, end = trained(rule, task, 5, updates)
    before, after = apart(net, start), apart(net, end)
    assert set(before) == {e.name for e in net.edges if e.source in net.hidden}
    for edge in net.edges:
        if edge.name in before:
            assert np.abs(before[edge.name]).max() > 0.1
            moved = np.abs(end["params"][edge] - start["params"][edge]).max()
            assert moved > 0.1
            np.testing.assert_allclose(
                after[edge.name], (1 - decay) ** updates * before[edge.name], rtol=0, atol=1e-13
            )


def test_from_transposed_weights_on_kolen_pollack_is_backprop_with_decay_bit_for_bit() -> None:
    """On a network without biases, whose decay would not be the same."""
    task = LinearMap(inputs=5, hidden=4, outputs=3, size=20, scale=0.5)
    plain = Backprop(GradientDescent(0.001, 0.5, decay=0.02))
    rule = KolenPollack(GradientDescent(0.001, 0.5, decay=0.0), decay=0.02)
    start, expected = trained(plain, task, 4, 50)
    hidden_output = task.network().edges[1]
    params = {**start["params"], back(hidden_output): start["params"][hidden_output]}
    _, found = trained(
        rule, task, 4, 50, {"params": params, "memory": {}, "optimiser": rule.optimiser.init(params)}
    )
    for key, w in expected["params"].items():
        assert found["params"][key].tobytes() == w.tobytes()


def test_biases_do_not_decay_and_the_tasks_usual_decay_is_not_added() -> None:
    """Zero patterns and targets at what the network says: no error, so that only decay is left."""
    usual = FamilyTree().usual
    assert usual.decay > 0
    assert KolenPollack().resolved(usual).optimiser.decay == 0  # type: ignore[attr-defined]
    p = problem(Network.chain(3, 4, 2), 2, 0, (1,))
    rule = KolenPollack(GradientDescent(0.1, 0.9, 0.0), decay=0.25)
    state = rule.init(p.net, p.params, Rand(0, [0], NOISE))
    output = p.net.forward(p.params, p.batch.x)[p.net.output]
    new = rule.update(p.net, state, p.batch._replace(target=output), Rand(0, [0], NOISE)).state["params"]
    for key, w in state["params"].items():
        np.testing.assert_allclose(new[key], w if isinstance(key, Group) else 0.75 * w, rtol=1e-15)


# Mirror mode


def noisy(rule: WeightMirror, net: Network, params: Any, replicas: int, phases: int) -> Any:
    """B at the start and after so many phases of mirror mode, for many draws of the noise over the same
    weights and start."""
    noise = Rand(0, range(replicas), NOISE)
    start = {k: b[:1] * np.ones((replicas, 1, 1)) for k, b in rule.remember(net, params, noise).items()}
    memory = start
    for _ in range(phases):
        memory = rule.mirror(net, params, memory, noise)
    return start, memory


def same_mean(samples: Any, expected: Any, false_alarms: float = 1e-5) -> None:
    """A z-test of every entry, false alarms of all of them together (Bonferroni)."""
    bound = NormalDist().inv_cdf(1 - false_alarms / (2 * expected.size))
    z = (samples.mean(axis=0) - expected) / (samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))
    assert np.abs(z).max() < bound
    assert (np.abs(expected) > 4 * samples.std(axis=0) / np.sqrt(len(samples))).mean() > 0.5, (
        "the test can tell it from 0"
    )


@pytest.mark.parametrize(("noise_patterns", "phases"), [(1, 1), (16, 1), (16, 12)])
def test_noise_through_a_linear_layer_transposes_it_in_expectation(noise_patterns: int, phases: int) -> None:
    """E[ΔB] = η_B σ² Wᵀ − λ B, so that E[B(t)] = (1 − λ)^t B(0) + (1 − (1 − λ)^t) (η_B σ² / λ) Wᵀ."""
    net = LinearMap(inputs=3, hidden=4, outputs=3).network()
    params = {e: np.random.default_rng(1).uniform(-1, 1, net.shapes[e]) for e in net.edges}
    rule = WeightMirror(mirror_lr=0.3, mirror_decay=0.1, sigma=0.8, noise_patterns=noise_patterns)
    start, end = noisy(rule, net, params, 2000, phases)
    (name,), (_, edge) = start, net.edges
    left = 0.9**phases
    same_mean(end[name], left * start[name][0] + (1 - left) * (0.3 * 0.64 / 0.1) * params[edge].T)


def test_the_noise_of_the_mirror_is_normal() -> None:
    """Through a linear unit of weight 1, ΔB is the square of its noise, of which a normal one of variance 1
    has the mean 1 and the variance 2; a uniform one has 4/5, random signs 0. Of 4,000 networks, 5 standard
    errors of a variance of χ² (√(60 − 4) / √n: its fourth moment is 60)."""
    ends = (
        Group("in", 1, "linear", bias=False),
        Group("one", 1, "linear", bias=False),
        Group("out", 1, "linear"),
    )
    net = Network(ends, (Edge(*ends[:2]), Edge(*ends[1:])))
    params = {
        key: np.ones(shape) if isinstance(key, Edge) else np.zeros(shape) for key, shape in net.shapes.items()
    }
    rule = WeightMirror(mirror_lr=1.0, mirror_decay=0.0, sigma=1.0, noise_patterns=1)
    start, end = noisy(rule, net, params, 4000, 1)
    change = (end["one-out"] - start["one-out"]).ravel()
    assert abs(change.mean() - 1) < 5 * np.sqrt(2 / 4000)
    assert abs(change.var() - 2) < 5 * np.sqrt(56 / 4000)


def test_noise_through_a_sigmoid_layer_transposes_it_unit_by_unit() -> None:
    """Stein's lemma, E[x f(w·x + b)] = σ² w E[f'(w·x + b)]; the mean slope over N(b, σ² |w|²) by
    Gauss-Hermite quadrature. A second edge into the same group is silent meanwhile, and the edge from the
    input has no way back."""
    source, one, two = Group("in", 2, "linear", bias=False), Group("one", 4), Group("two", 3)
    output = Group("out", 3)
    edges = (Edge(source, one), Edge(source, two), Edge(one, output), Edge(two, output), Edge(source, output))
    net = Network((source, one, two, output), edges)
    p = problem(net, 1, 5)
    params, sigma = {k: 2.0 * w for k, w in p.params.items()}, 1.3
    rule = WeightMirror(mirror_lr=0.5, mirror_decay=0.0, sigma=sigma, noise_patterns=8)
    start, end = noisy(rule, net, params, 2000, 1)
    assert set(end) == {"one-out", "two-out"}
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    for edge in edges[2:4]:
        w = params[edge]
        x = params[output][0] + sigma * np.linalg.norm(w, axis=0) * nodes[:, None]
        y = 1 / (1 + np.exp(-x))
        slope = (weights[:, None] * y * (1 - y)).sum(axis=0) / weights.sum()
        same_mean(end[edge.name] - start[edge.name], 0.5 * sigma**2 * (w * slope).T)


def test_the_mirror_turns_towards_the_transposed_weights() -> None:
    """From no relation (90° ± 3°: a mean of 50 networks whose cosines spread by 1/√200) to a small angle,
    phase by phase."""
    net = Network.chain(5, 20, 10)
    params = problem(net, 1, 0, (50,)).params
    rule, noise = WeightMirror(), Rand(0, range(50), NOISE)
    memory, angles = rule.remember(net, params, noise), []
    for phase in range(101):
        if phase in (0, 5, 20, 100):
            b, w = memory["hidden-output"], params[net.edges[1]].mT
            cosine = (b * w).sum(axis=(1, 2)) / np.sqrt((b * b).sum(axis=(1, 2)) * (w * w).sum(axis=(1, 2)))
            angles.append(np.degrees(np.arccos(cosine)).mean())
        memory = rule.mirror(net, params, memory, noise)
    assert abs(angles[0] - 90) < 3
    assert angles == sorted(angles, reverse=True)
    assert angles[-1] < 45


def test_an_update_mirrors_first_and_then_learns_over_what_it_found() -> None:
    """The same stream of noise twice: once in the update, once by itself."""
    task = Encoder()
    net = task.network()
    rule = WeightMirror(GradientDescent(0.1, 0.0, 0.0))
    data = task.data(Rand(0, [0], SPLIT), float)
    batch = Batch(*data[:3], 0, task.objective)  # type: ignore[arg-type]  # epoch 0
    state = rule.init(net, initial(net, Rand(0, range(3), WEIGHTS), "uniform", 0.5), Rand(0, range(3), NOISE))
    new = rule.update(net, state, batch, Rand(1, range(3), NOISE)).state
    found = rule.mirror(net, state["params"], state["memory"], Rand(1, range(3), NOISE))
    gradient = rule.credit(net, state["params"], found, batch, Rand(2, range(3), NOISE)).gradient
    assert new["memory"]["hidden-output"].tobytes() == found["hidden-output"].tobytes()
    for key, g in gradient.items():
        np.testing.assert_allclose(new["params"][key], state["params"][key] - 0.1 * g, rtol=1e-14, atol=1e-16)

"""EGGROLL held to perturbed networks one by one, to moments in closed form and to what it draws; statistical
tests state n and alarms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from algorithms.eggroll import Eggroll
from algorithms.evolution_strategies import EvolutionStrategies
from harness.core.algorithm import Batch
from harness.core.errors import InputError
from harness.core.network import Edge, Network
from harness.core.rand import NOISE, Rand

ALARM = 1e-6  # of a family of comparisons in one test, when all is as it should be


def rand(replicas: int, seed: int = 0) -> Rand:
    return Rand(seed, range(replicas), NOISE)


def problem(net: Network, patterns: int = 5) -> tuple[Any, Batch]:
    rng = np.random.default_rng(0)
    params = {k: rng.normal(size=(1, *shape)) for k, shape in net.shapes.items()}
    x, target = rng.normal(size=(patterns, net.input_size)), rng.random((patterns, net.output.size))
    return params, Batch(x, target, target > 0.5, 0)


def perturbations(rule: Eggroll, net: Network, replicas: int) -> dict[Any, Any]:
    """E (R, n, rows, columns) of every parameter, from the numbers the rule draws, in their order."""
    drawn = rand(replicas)
    each: dict[Any, Any] = {}
    for key, shape in net.shapes.items():
        if isinstance(key, Edge):
            a, b = (drawn.normal(rule.pairs, size, rule.rank) for size in shape)
            each[key] = np.einsum("pnir,pnjr->pnij", a, b) / rule.rank**0.5
        else:
            each[key] = drawn.normal(rule.pairs, *shape)
    return each


@pytest.mark.parametrize("rank", [1, 3])
def test_it_is_the_sum_over_networks_tried_one_by_one(rank: int) -> None:
    """Every E made in full, every network tried alone."""
    net = Network.chain(3, 4, 2, shortcut=True)
    rule = Eggroll(sigma=0.3, pairs=6, rank=rank)
    params, batch = problem(net)
    noise = perturbations(rule, net, 1)
    expected = {key: np.zeros(shape) for key, shape in net.shapes.items()}
    for i in range(rule.pairs):
        up, down = (
            batch.cost(net.respond({k: v + s * 0.3 * noise[k][:, i] for k, v in params.items()}, batch.x))[0]
            for s in (1, -1)
        )
        for key in expected:
            expected[key] += (up - down) / (2 * rule.pairs * 0.3) * noise[key][0, i]
    found = rule.credit(net, params, {}, batch, rand(1)).gradient
    for key, value in expected.items():
        np.testing.assert_allclose(found[key][0], value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2])
def test_on_a_quadratic_the_mean_estimate_is_the_gradient(rank: int) -> None:
    """(F(W + σE) − F(W − σE)) / 2σ = ⟨∇F, E⟩ there, and E_ij has covariance 1: Xᵀ(XΘ − D). z-tests of six
    means of n = 20,000, alarm 1e-6 for all."""
    net = Network.chain(2, 2, output="linear")
    params, batch = problem(net)
    many = {k: np.tile(v, (20_000, 1, 1)) for k, v in params.items()}
    found = Eggroll(sigma=2.0, pairs=2, rank=rank).credit(net, many, {}, batch, rand(20_000)).gradient
    edge = net.edges[0]
    error = batch.x @ params[edge][0] + params[net.output][0] - batch.target
    for key, expected in ((edge, batch.x.T @ error), (net.output, error.sum(axis=0, keepdims=True))):
        each = found[key]
        z = (each.mean(axis=0) - expected) / (each.std(axis=0, ddof=1) / len(each) ** 0.5)
        assert np.abs(z).max() < stats.norm.isf(ALARM / 2 / 6), z


@pytest.mark.parametrize("rank", [1, 2, 8])
def test_entries_have_covariance_one_and_a_fourth_moment_of_3_and_6_over_r(rank: int) -> None:
    """E_ij = Σ_k a_k b_k / √r: variance 1; fourth moment [9 r + 3 r (r − 1)] / r² = 3 + 6 / r, 3 of the
    Gaussian. z-tests of eleven means of n = 100,000, alarm 1e-6 for all."""
    net = Network.chain(2, 2, output="linear")
    each = perturbations(Eggroll(pairs=1, rank=rank), net, 100_000)[net.edges[0]].reshape(-1, 4)
    i, j = np.triu_indices(4)
    moments = [(each[:, i] * each[:, j], (i == j).astype(float)), (each[:, :1] ** 4, 3 + 6 / rank)]
    for samples, expected in moments:
        z = (samples.mean(axis=0) - expected) / (samples.std(axis=0, ddof=1) / len(samples) ** 0.5)
        assert np.abs(z).max() < stats.norm.isf(ALARM / 2 / 11), z


@pytest.mark.parametrize("rank", [2, 5])
def test_at_full_rank_the_mean_update_is_that_of_evolution_strategies(rank: int) -> None:
    """r ≥ min(rows, columns) = 2, on a quadratic, 50 members an update: two-sample z-tests of six means of
    n = 2,000 updates each, with random numbers of their own; alarm 1e-6 for all. Along the mean a factor of
    1.25 would be told from 1."""
    net = Network.chain(2, 2, output="linear")
    params, batch = problem(net)
    many = {k: np.tile(v, (2000, 1, 1)) for k, v in params.items()}
    low = Eggroll(sigma=2.0, pairs=25, rank=rank).credit(net, many, {}, batch, rand(2000)).gradient
    full = EvolutionStrategies(sigma=2.0, pairs=25).credit(net, many, {}, batch, rand(2000, 1)).gradient
    a, b = (
        np.concatenate([each[key].reshape(2000, -1) for key in net.shapes], axis=1) for each in (low, full)
    )
    bound = stats.norm.isf(ALARM / 2 / 6)
    error = np.sqrt(a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / len(a) ** 0.5
    assert np.abs((a.mean(axis=0) - b.mean(axis=0)) / error).max() < bound
    truth = b.mean(axis=0)
    along = (a - b) @ truth / (truth @ truth)
    assert bound * along.std(ddof=1) / len(along) ** 0.5 < 0.25


@pytest.mark.parametrize("rank", [1, 3])
def test_a_matrix_takes_r_times_m_plus_n_numbers_a_pair(rank: int) -> None:
    """5 × 7 and 7 × 2 weights, 7 and 2 biases."""
    net = Network.chain(5, 7, 2)
    params, batch = problem(net)
    drawn = rand(1)
    Eggroll(pairs=4, rank=rank).credit(net, params, {}, batch, drawn)
    assert drawn.taken == 4 * (rank * (5 + 7 + 7 + 2) + 7 + 2)


def test_blocks_of_pairs_are_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network.chain(3, 4, 2)
    params, batch = problem(net)
    at_once = Eggroll(pairs=6).credit(net, params, {}, batch, rand(1)).gradient
    monkeypatch.setattr("algorithms.eggroll.WORKSPACE", 1)
    one_by_one = Eggroll(pairs=6).credit(net, params, {}, batch, rand(1)).gradient
    for key, value in at_once.items():
        np.testing.assert_allclose(one_by_one[key], value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1.5])
def test_a_rank_is_a_whole_number(rank: Any) -> None:
    with pytest.raises(InputError, match="rank must be a whole number"):
        Eggroll(rank=rank)

"""Sharpness held to closed forms: the Hessian of a linear network, NumPy's eigenvalues, and signs in all 2ᵂ
ways."""

from __future__ import annotations

from itertools import product as ways

import numpy as np
import pytest
from scipy.stats import norm

from harness.core.batch import Batch
from harness.core.errors import InputError
from harness.core.identity import Problem
from harness.core.network import Network
from harness.credit import sharpness
from harness.inspection import shifted
from harness.tasks.traffic import SEED, STATIONS, WEEK, Traffic, loads

NETS = (Network.chain(3, 4, 2), Network.chain(3, 4, 3, 2, hidden="tanh"))


def linear(seed):
    """A linear layer, whose Hessian is XᵀX for each output, with a 1 for the bias in X."""
    problem = Problem.of(Network.chain(3, 1, output="linear"), seed=seed, patterns=7)
    x = np.hstack([problem.batch.x[0], np.ones((7, 1))])
    return problem, x.T @ x


@pytest.mark.parametrize("seed", range(5))
def test_of_a_quadratic_hessian_largest_eigenvalue_and_products_are_its_own(seed):
    p, expected = linear(seed)
    assert sharpness.hessian(p.net, p.params, p.batch)[0] == pytest.approx(expected, abs=1e-8)
    top = float(np.linalg.eigvalsh(expected)[-1])
    assert sharpness.largest(p.net, p.params, p.batch) == pytest.approx([top], rel=1e-3)
    v = np.random.default_rng(seed).normal(size=(1, 4))
    assert sharpness.product(p.net, p.params, p.batch, v)[0] == pytest.approx(expected @ v[0], abs=1e-7)


@pytest.mark.parametrize("net", NETS, ids=["one hidden layer", "two"])
def test_lanczos_finds_numpys_largest_eigenvalue_network_by_network(net):
    p = Problem.of(net, seed=3).many(4)
    rng = np.random.default_rng(0)
    params = {key: w * rng.uniform(0.5, 2, (4, 1, 1)) for key, w in p.params.items()}
    expected = np.linalg.eigvalsh(sharpness.hessian(net, params, p.batch))[:, -1]
    assert sharpness.largest(net, params, p.batch) == pytest.approx(expected, rel=1e-3)
    assert len(set(expected.round(6))) == 4


def test_signs_in_all_ways_have_the_trace_as_their_mean():
    p, expected = linear(0)
    every = [
        (z * sharpness.product(p.net, p.params, p.batch, z)).sum()
        for z in map(np.array, ways([[-1.0], [1.0]], repeat=4))
        for z in [z.T]
    ]
    assert np.mean(every) == pytest.approx(np.trace(expected), rel=1e-6)


def test_hutchinsons_mean_is_the_trace_and_its_interval_covers():
    """z of the mean of 2,000 draws, two-sided, at a false-alarm rate of 1e-4; and 100 intervals of 20
    draws, of
    which at 95 % coverage fewer than 82 hold the trace with a chance of 2e-7."""
    p = Problem.of(NETS[0], seed=1)
    exact = float(np.trace(sharpness.hessian(p.net, p.params, p.batch)[0]))
    drawn = sharpness.traces(p.net, p.params, p.batch, 2000, seed=5)[0]
    z = (drawn.mean() - exact) / (drawn.std(ddof=1) / np.sqrt(len(drawn)))
    assert abs(z) < norm.ppf(1 - 0.5e-4)
    found = [sharpness.trace(row) for row in drawn.reshape(100, 20)]
    assert sum(t.low <= exact <= t.high for t in found) >= 82


def test_diverged_networks_have_no_sharpness_and_no_draws_are_refused():
    p = Problem.of(NETS[0], seed=1)
    params = {key: np.full_like(w, np.nan) for key, w in p.params.items()}
    assert np.isnan(sharpness.largest(p.net, params, p.batch)).all()
    with pytest.raises(InputError, match="draws"):
        sharpness.traces(p.net, p.params, p.batch, 0, seed=0)


def test_each_network_has_the_hessian_of_its_own_patterns():
    p = Problem.of(NETS[0], seed=1).many(2)
    x = np.concatenate([p.batch.x, 2 * p.batch.x])
    both = Batch(x, *(np.concatenate([a, a]) for a in (p.batch.target, p.batch.wanted)), p.batch.epoch)
    alone = [
        sharpness.largest(p.net, {k: w[:1] for k, w in p.params.items()}, p.batch._replace(x=x[r : r + 1]))[0]
        for r in (0, 1)
    ]
    assert sharpness.largest(p.net, p.params, both) == pytest.approx(alone, rel=1e-3)
    assert alone[0] != pytest.approx(alone[1], rel=1e-2)


# Shifted traffic


def test_nothing_shifted_is_the_series_as_it_was():
    was = loads(12)
    assert (shifted.shifted_loads(shifted.Shift("season", 0)) == was).all()
    assert (shifted.shifted_loads(shifted.Shift("level", 1)) == was).all()
    assert shifted.held_out(Traffic())[0] is not None


def test_level_multiplies_all_loads_and_a_season_moves_two_stations_alone():
    was = loads(12)
    more = shifted.shifted_loads(shifted.Shift("level", 1.3))
    assert np.abs(more - 1.3 * was).max() <= 0.05 * 2.3 + 1e-9, "both are rounded to a tenth"
    later = shifted.shifted_loads(shifted.Shift("season", 3))
    assert (later[:, [0, 2]] == was[:, [0, 2]]).all()
    for c in shifted.MOVED:
        hour_of_peak = [series[:WEEK, c].reshape(7, 24)[:5].mean(axis=0).argmax() for series in (was, later)]
        assert 2 <= hour_of_peak[1] - hour_of_peak[0] <= 4


def test_stations_that_change_places_have_each_others_random_numbers_and_their_own_season():
    was, new = loads(12), shifted.shifted_loads(shifted.Shift("neighbours", 1))
    assert (new[:, [0, 3]] == was[:, [0, 3]]).all()
    level = [s.level for s in STATIONS]
    assert new.mean(axis=0) == pytest.approx(was.mean(axis=0), rel=0.02), level
    assert (new[:, 1] != was[:, 1]).mean() > 0.9
    assert SEED == 2024


def test_a_kind_of_shift_that_there_is_none_of_is_refused():
    with pytest.raises(InputError, match="kind"):
        shifted.shifted_loads(shifted.Shift("weather", 1))

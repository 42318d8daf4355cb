"""Saliency held to what deleting a weight of a quadratic costs, the recursion to differences of the exact
gradient, and pruning to what was deleted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from algorithms.backprop import Backprop
from harness import run
from harness.core.batch import Batch
from harness.core.errors import InputError
from harness.core.identity import Problem
from harness.core.losses import CrossEntropy
from harness.core.network import Network
from harness.core.optimisers import Adam, GradientDescent
from harness.credit.saliency import exact_diagonal, of_weights, recursion, saliency
from harness.inspection import pruning
from harness.tasks.xor import Xor

SEEDS = st.integers(0, 2**32 - 1)


def bare(*sizes, **kinds):
    return Network.chain(*sizes, **kinds)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_at_the_minimum_of_a_quadratic_deleting_a_weight_costs_exactly_its_saliency(seed):
    """Least squares, columns at right angles or not: one weight at a time, E is a parabola in it alone."""
    rng = np.random.default_rng(seed)
    net = bare(4, 2, output="linear")
    x, d = rng.normal(size=(9, 4)), rng.normal(size=(9, 2))
    w = np.linalg.lstsq(np.hstack([x, np.ones((9, 1))]), d, rcond=None)[0]
    edge = net.edges[0]
    params = {edge: w[None, :4], net.output: w[None, 4:]}
    batch = Batch(x[None], d[None], d[None] > 0, np.zeros(()))
    found = saliency(params, recursion(net, params, batch))
    whole = batch.cost(net.respond(params, batch.x))[0]
    for i in range(4):
        for j in range(2):
            cut = params[edge].copy()
            cut[0, i, j] = 0
            rise = batch.cost(net.respond({**params, edge: cut}, batch.x))[0] - whole
            assert rise == pytest.approx(found[edge][0, i, j], rel=1e-6, abs=1e-9)


def test_with_a_diagonal_hessian_saliencies_add_up():
    net = bare(4, 1, output="linear")
    x = np.vstack([np.eye(4), -np.eye(4)]) * np.array([1.0, 2.0, 3.0, 4.0])
    d = x @ np.array([[1.0], [-1.0], [0.5], [0.2]])
    edge = net.edges[0]
    params = {edge: np.array([[[1.0], [-1.0], [0.5], [0.2]]]), net.output: np.zeros((1, 1, 1))}
    batch = Batch(x[None], d[None], d[None] > 0, np.zeros(()))
    s = of_weights(net, saliency(params, recursion(net, params, batch)))[0]
    assert s == pytest.approx([1.0, 4.0, 9 * 0.25, 16 * 0.04]), "½ · 2 k² w²"
    cut = pruning.pruned(params, pruning.masks(net, s[None], [0.5]))
    assert batch.cost(net.respond(cut, batch.x)).item() == pytest.approx(1.0 + 0.64), "the least two"


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "linear"])
@pytest.mark.parametrize("output", ["sigmoid", "linear", "tanh"])
def test_with_one_hidden_layer_the_recursion_is_the_diagonal_by_differences(hidden, output):
    p = Problem.of(bare(3, 4, 2, hidden=hidden, output=output), seed=2)
    found, expected = recursion(p.net, p.params, p.batch), exact_diagonal(p.net, p.params, p.batch)
    for key in expected:
        assert found[key] == pytest.approx(expected[key], rel=1e-5, abs=1e-8)


def test_cross_entropy_at_sigmoid_outputs_has_the_diagonal_too():
    p = Problem.of(bare(3, 4, 2), seed=2, loss=CrossEntropy("sigmoid"))
    found, expected = recursion(p.net, p.params, p.batch), exact_diagonal(p.net, p.params, p.batch)
    for key in expected:
        assert found[key] == pytest.approx(expected[key], rel=1e-5, abs=1e-8)


def test_behind_two_hidden_layers_it_is_an_approximation_and_after_them_exact():
    p = Problem.of(bare(3, 4, 3, 2), seed=2)
    found, expected = recursion(p.net, p.params, p.batch), exact_diagonal(p.net, p.params, p.batch)
    first, *rest = p.net.edges
    for edge in rest:
        assert found[edge] == pytest.approx(expected[edge], rel=1e-5, abs=1e-8)
    assert found[first] != pytest.approx(expected[first], rel=1e-3, abs=1e-8)


def test_without_second_slopes_no_curvature_is_negative_and_of_linear_units_it_is_the_same():
    p = Problem.of(bare(3, 4, 2), seed=2)
    assert min(h.min() for h in exact_diagonal(p.net, p.params, p.batch).values()) < 0
    assert min(h.min() for h in recursion(p.net, p.params, p.batch, bent=False).values()) >= 0
    p = Problem.of(bare(3, 4, 2, hidden="linear", output="linear"), seed=2)
    for key, h in recursion(p.net, p.params, p.batch, bent=False).items():
        assert (h == recursion(p.net, p.params, p.batch)[key]).all()


def test_what_has_no_recursion_is_refused_in_a_sentence():
    p = Problem.of(bare(3, 4, 4, 2, residual=True), seed=0)
    with pytest.raises(InputError, match="dense edges alone"):
        recursion(p.net, p.params, p.batch)
    p = Problem.of(bare(3, 4, 2, hidden="hard_sigmoid"), seed=0)
    with pytest.raises(InputError, match="hard_sigmoid"):
        recursion(p.net, p.params, p.batch)
    p = Problem.of(bare(3, 4, 2, output="linear"), seed=0, loss=CrossEntropy("sigmoid"))
    with pytest.raises(InputError, match="CrossEntropy at linear outputs"):
        recursion(p.net, p.params, p.batch)


# Pruning


@given(SEEDS, st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_as_many_weights_stay_as_asked_and_none_that_goes_is_worth_more(seed, left):
    net = bare(3, 4, 2)
    worth = np.random.default_rng(seed).random((2, 20))
    kept = of_weights(net, pruning.masks(net, worth, left))
    assert kept.shape == (len(left), 2, 20)
    for f, share in enumerate(left):
        for r in (0, 1):
            stays = kept[f, r] == 1
            assert stays.sum() == round(share * 20)
            if 0 < stays.sum() < 20:
                assert worth[r][stays].min() >= worth[r][~stays].max()


@pytest.mark.parametrize("optimiser", [GradientDescent(lr=0.1, momentum=0.9, decay=0.0), Adam(lr=0.03)])
def test_deleted_weights_stay_deleted_others_learn_and_the_error_falls(optimiser):
    p = Problem.of(bare(3, 4, 2), seed=1).many(3)
    kept = pruning.masks(p.net, pruning.worth(p.net, p.params, p.batch, "magnitude"), [0.5, 1.0])
    cut = pruning.pruned(p.params, kept)
    after = pruning.retrained(p.net, cut, kept, p.batch, optimiser, 50)
    for key, mask in kept.items():
        assert (after[key][mask == 0] == 0).all()
        assert (after[key][1] != cut[key][1]).all(), "of a whole network"
    before, now = (p.batch.cost(p.net.respond(w, p.batch.x)) for w in (cut, after))
    assert (now < before).all()
    assert all((cut[key][1] == p.params[key]).all() for key in p.params)


def test_shares_and_ways_that_are_none_are_refused():
    p = Problem.of(bare(3, 4, 2), seed=1)
    with pytest.raises(InputError, match="from 0 to 1"):
        pruning.masks(p.net, np.ones((1, 20)), [1.5])
    with pytest.raises(InputError, match="way"):
        pruning.worth(p.net, p.params, p.batch, "size")


def test_on_trained_xor_magnitude_finds_the_better_weight_in_most_networks():
    """300 networks 2-2-1, those that solve it: of weights deleted first, that of least magnitude costs less
    than
    that of least saliency in more than half of those where they differ, at a false-alarm rate of 1e-4."""
    result = run(Backprop(), Xor(), replicas=300, seed=0)
    solved = result.solved
    net = Xor().network()
    params = {key: np.asarray(result.weights[key.name], float)[solved] for key in net.shapes}
    batch = Batch.of(patterns(), np.zeros(()), Xor().objective)
    rises = []
    whole = batch.cost(net.respond(params, batch.x))
    for way in ("magnitude", "saliency", "positive saliency"):
        kept = pruning.masks(net, pruning.worth(net, params, batch, way), [5 / 6])
        rises.append(batch.cost(net.respond(pruning.pruned(params, kept), batch.x))[0] - whole)
    for saliency_s in rises[1:]:
        differ = saliency_s != rises[0]
        better = int((rises[0] < saliency_s)[differ].sum())
        assert binomtest(better, int(differ.sum()), 0.5, alternative="greater").pvalue < 1e-4


def patterns():
    from harness.core.rand import SPLIT, Rand

    return Xor().data(Rand(0, [0], SPLIT), np.float64)

"""Whether tasks rank rules alike, held to scipy's τ, to hand-counted ranks, to closed forms of W, and to
every way to deal ranks."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import InputError
from harness.statistics import concordance, standing, tau_b, tau_interval

INF, NAN = np.inf, np.nan
quick = settings(deadline=None, derandomize=True, max_examples=60)
VALUES = st.integers(0, 5).map(float) | st.just(INF)  # few, so that many are tied, and ∞ among them
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=12)


@quick
@given(PAIRS)
def test_tau_is_scipys(pairs):
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    ranks = (stats.rankdata(a) for a in (x, y))  # scipy subtracts, and ∞ − ∞ is no number
    assert tau_b(x, y) == pytest.approx(stats.kendalltau(*ranks).statistic, nan_ok=True)


def test_a_rule_that_cannot_do_a_task_is_left_out():
    assert tau_b([1, 2, NAN, 4], [1, 2, 3, 4]) == 1
    assert np.isnan(tau_b([1, NAN], [1, 2]))


def test_the_interval_of_tau_without_noise_is_over_rules_alone():
    """Twelve rules ranked alike: whichever are drawn, τ is 1; with costs that replicas turn round not."""
    x = np.arange(12.0)
    still = np.tile(x, (200, 1))
    assert tau_interval(x, x, (still, still), seed=0) == (1, 1, 1)
    turned = np.tile(x, (200, 1)) * np.where(np.arange(200) % 2, -1, 1)[:, None]
    low = tau_interval(x, x, (still, turned), seed=0).low
    assert low == pytest.approx(-1)
    assert tau_interval(x[:3], x[:3], (still[:, :3], still[:, :3]), seed=0)[1:] == (-1, 1)


def test_w_of_hand_counted_ranks():
    """Three judges rank six applicants: sums 8, 14, 11, 11, 11, 8 about 10.5, S = 25.5, W = .16 (Siegel 1956,
    Nonparametric Statistics, ch. 9)."""
    ranks = np.array([[1, 1, 6], [6, 5, 3], [3, 6, 2], [2, 4, 5], [5, 2, 4], [4, 3, 1]])
    assert ranks.sum(1).tolist() == [8, 14, 11, 11, 11, 8]
    assert concordance(ranks).w == pytest.approx(12 * 25.5 / (9 * (216 - 6)))


@quick
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_w_is_that_of_the_mean_correlation(seed, tasks):
    """Without ties W = (1 + (m − 1) ρ̄) / m, ρ̄ the mean of Spearman's ρ over pairs (Kendall 1948)."""
    costs = np.random.default_rng(seed).normal(size=(7, tasks))
    r = [stats.spearmanr(costs[:, i], costs[:, j]).statistic for i in range(tasks) for j in range(i)]
    assert concordance(costs, most=10).w == pytest.approx((1 + (tasks - 1) * np.mean(r)) / tasks)


def test_w_is_1_where_tasks_agree_ties_and_all_and_0_where_they_cancel():
    alike = np.array([[1, 10], [2, 20], [INF, INF], [INF, INF]])
    assert concordance(alike).w == pytest.approx(1)
    assert concordance([[1, 3], [2, 2], [3, 1]]).w == pytest.approx(0)
    assert np.isnan(concordance([[INF, INF], [INF, INF]]).w)
    assert concordance([[1, 1], [2, 2], [NAN, 3]])[2:] == (2, 2)


def test_p_of_w_is_the_share_of_all_ways():
    """Three rules on three tasks: 6³ ways counted out."""
    costs = np.array([[1.0, 1, 2], [2, 3, 1], [3, 2, INF]])
    columns = [[np.array(way) for way in permutations(column)] for column in costs.T]
    all_ways = [concordance(np.column_stack(ways), most=1).w for ways in product(*columns)]
    found = concordance(costs)
    assert found.p == pytest.approx(np.mean(np.array(all_ways) >= found.w - 1e-9))


def test_where_a_rule_stands():
    costs = np.array([3.0, 1.0, INF, INF, NAN])
    drawn = np.array([[3.0, 1, INF, INF, NAN]] * 50 + [[0.5, 1, 2, INF, NAN]] * 50)
    assert standing(costs, drawn, 0) == (2, 1, 2)
    assert standing(costs, drawn, 2) == (3.5, 3, 3.5)
    assert np.isnan(standing(costs, drawn, 4).value)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: tau_b([1, 2], [1]), "lists of one length"),
        (lambda: concordance([[1], [2]]), "two tasks or more"),
        (lambda: concordance([[1, NAN], [2, 3]]), "1 rules have a cost on all 2 tasks"),
        (lambda: standing([1, 2], [[1]], 0), "resamples × 2 rules"),
    ],
)
def test_what_is_wrong_is_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()

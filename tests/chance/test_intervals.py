"""Intervals held to enumeration of all resamples, to scipy, to closed forms, and to the truth of simulated
populations.

The populations are exponential: a run with a chance of 1 % an epoch costs 100 epochs a success whatever its
budget, so the truth is known in closed form. The coverage that each simulation is held to is that of 20,000
cells, not the nominal one: no interval has that exactly at such n. Both are stated, and their distance is
bounded.
"""

from __future__ import annotations

from itertools import product
from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import InputError
from harness.statistics import bootstrap as resampling
from harness.statistics import (
    expected_running_time,
    failure_costs,
    interquartile_mean,
    running_time,
    solved_rate,
    survival,
    wilson,
)
from harness.statistics.running_time import binomial_ends, bootstrap_ends

quick = settings(deadline=None, derandomize=True, max_examples=60)
SPENT = st.integers(0, 50).map(float)
CELL = st.lists(st.tuples(SPENT, st.booleans()), min_size=1, max_size=12)
FORMS = [pytest.param(1000, id="small"), pytest.param(10_000, id="full", marks=pytest.mark.slow)]


def columns(cell):
    spent, solved = zip(*cell, strict=True)
    return np.array(spent), np.array(solved)


def ratio(spent, solved):
    return spent.sum() / solved.sum() if solved.any() else inf


def assert_covers(covered, expected):
    """`expected` is the share of 20,000 other cells; 5 standard errors of the difference either way, 6e-7."""
    assert abs(np.mean(covered) - expected) < 5 * sqrt(
        expected * (1 - expected) * (1 / len(covered) + 1 / 20_000)
    )


def watched(rng, n, budget, mean=100.0):
    event = rng.exponential(mean, n)
    return np.minimum(event, budget), event <= budget


# Drawing


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.25, 0.5, 0.975, 1.0])
def test_an_order_statistic_is_numpys(share):
    numbers = np.arange(1.0, 11.0)
    assert resampling.order_statistic(numbers, share) == np.quantile(numbers, share, method="inverted_cdf")


def test_draws_are_multinomial():
    """50,000 resamples of 7: means 1, variances 6/7, covariances −1/7; 28 z-tests at 5 sigma, 1.6e-5 in
    all."""
    counts = np.concatenate(list(resampling.draws(7, 50_000, seed=3)))
    assert (counts.sum(1) == 7).all()
    products = (counts - 1)[:, :, None] * (counts - 1)[:, None, :]
    truth = np.where(np.eye(7), 6 / 7, -1 / 7)
    assert (np.abs(products.mean(0) - truth) < 5 * products.std(0) / sqrt(50_000)).all()
    assert (np.abs(counts.mean(0) - 1) < 5 * sqrt(6 / 7 / 50_000)).all()


def test_draws_do_not_depend_on_the_chunk_nor_on_anything_global(monkeypatch):
    whole = np.concatenate(list(resampling.draws(7, 1000, seed=3)))
    np.random.seed(5)  # noqa: NPY002
    monkeypatch.setattr(resampling, "CHUNK", 70)
    np.testing.assert_array_equal(whole, np.concatenate(list(resampling.draws(7, 1000, seed=3))))
    assert (whole != np.concatenate(list(resampling.draws(7, 1000, seed=4)))).any()


# Expected running time


def enumerated(spent, solved):
    """The ERT of all R^R resamples, ascending, and z₀ of them."""
    n = len(spent)
    values = np.sort([ratio(spent[list(i)], solved[list(i)]) for i in product(range(n), repeat=n)])
    value = ratio(spent, solved)
    ties = np.isclose(values, value)
    return values, stats.norm.ppf(np.mean((values < value) & ~ties) + ties.mean() / 2)


@pytest.mark.parametrize(
    ("spent", "solved", "level", "biased"),
    [
        ([10, 20, 40, 100, 100], [1, 1, 1, 0, 0], 0.8, False),
        ([10, 20, 40, 80, 700], [1, 1, 1, 1, 1], 0.8, True),
        ([7, 50, 50, 50, 50], [1, 0, 0, 0, 0], 0.5, False),  # in a third of the resamples there is no success
        ([3, 5, 6, 9, 60], [1, 1, 1, 1, 0], 0.8, True),
    ],
)
def test_the_interval_is_that_of_all_resamples(spent, solved, level, biased):
    """All 3,125 of them. Ours draws 200,000: the standard error of a share is .0012 at most, and .0011 more
    comes from the bias; .01 is a 6-sigma event. Where the draws are biased, not correcting that moves an end
    further."""
    spent, solved = np.array(spent, float), np.array(solved, bool)
    values, z0 = enumerated(spent, solved)
    ours = bootstrap_ends(spent[:, None], solved, level, resamples=200_000, seed=1)
    plain = []
    for q, (end,) in zip(((1 - level) / 2, (1 + level) / 2), ours, strict=True):
        share = stats.norm.cdf(2 * z0 + stats.norm.ppf(q))
        first, last = (values[int((share + off) * len(values))] for off in (-0.01, 0.01))
        assert first * (1 - 1e-12) <= end <= last * (1 + 1e-12)
        plain.append(first <= values[int(q * len(values))] <= last)
    assert not (biased and all(plain))


@pytest.mark.parametrize("accelerated", [True, False])
def test_the_interval_is_scipys(accelerated):
    """BCa of 20 skewed replicas, of which 14 are solved. Standard errors of an end: .012 σ from the order
    statistic, .011 σ from the bias, of ours and of scipy's: .6 % of the width of 3.9 σ. 3 % is a 5-sigma
    event; without acceleration it is more."""
    rng = np.random.default_rng(2)
    spent, solved = rng.lognormal(3, 1.5, 20), np.arange(20) < 14
    theirs = stats.bootstrap(
        (spent, solved),
        lambda s, k, axis: s.sum(axis) / k.sum(axis),
        paired=True,
        n_resamples=50_000,
        rng=rng,
    ).confidence_interval
    ours = np.ravel(bootstrap_ends(spent[:, None], solved, 0.95, 50_000, seed=1, accelerated=accelerated))
    distance = np.abs(ours - theirs).max() / (theirs.high - theirs.low)
    assert (distance < 0.03) == accelerated


def test_currencies_share_their_resamples():
    """Updates that are 4 an epoch have 4 times the interval, column by column and alone."""
    rng = np.random.default_rng(0)
    spent, solved = watched(rng, 30, 120)
    table = np.column_stack([spent, 4 * spent, rng.exponential(size=30)])
    together = running_time(table, solved, seed=7)
    assert together.value.shape == together.low.shape == together.high.shape == (3,)
    for i in (0, 1):
        alone = running_time(table[:, i], solved, seed=7)
        np.testing.assert_allclose([ends[i] for ends in together], alone)
    np.testing.assert_allclose([ends[1] for ends in together], [4 * ends[0] for ends in together])


def test_nothing_solved_has_a_finite_lower_end_that_binomials_give():
    """p is at most where none of 10 solved is as rare as 2.5 % (scipy's exact interval): a success costs (1 −
    p) / p failures."""
    p = stats.binomtest(0, 10).proportion_ci(0.95, method="exact").high
    value, low, high = running_time(np.full(10, 50.0), np.zeros(10), seed=0)
    assert (value, high) == (inf, inf)
    np.testing.assert_allclose(low, 50 * (1 - p) / p)
    assert running_time(np.ones((10, 2)), np.zeros(10), seed=0).high.tolist() == [inf, inf]


def test_one_replica_tells_nothing_of_the_spread():
    assert running_time([30.0], [True], seed=0, budget=90) == (30, 0, inf)
    assert running_time([30.0], [False], seed=0).low > 0


def test_where_all_are_solved_a_failure_may_yet_come_and_cost_the_budget():
    """Of 10 that solve all after 3, up to 31 % fail (scipy's exact interval): 3 + p / (1 − p) budgets of 500
    and of 4,000. A budget that nobody gave is not known, and less than what was spent is none."""
    p = stats.binomtest(0, 10).proportion_ci(0.95, method="exact").high
    spent, solved = np.full((10, 2), [3.0, 24.0]), np.ones(10)
    low, high = running_time(spent, solved, seed=0, budget=[500, 4000])[1:]
    np.testing.assert_allclose(low, [3, 24])
    np.testing.assert_allclose(high, [3 + 500 * p / (1 - p), 24 + 4000 * p / (1 - p)])
    assert running_time(spent, solved, seed=0).high.tolist() == [inf, inf]
    assert failure_costs(spent, spent[:, 0], np.full(10, 500)).tolist() == [500, 4000]
    assert failure_costs([0.0, 0.0], [0, 0], [500, 500]) == inf


@pytest.mark.parametrize("n", [10, 20, 40])
@pytest.mark.parametrize("budget", [5.0, 50.0])
def test_running_time_covers_where_failures_are_dear(n, budget):
    """Successes cost 1 and failures the budget: exactly, over all counts, at rates from .05 to .995. With
    a point where all are solved it is .39 at n = 10, .64 at 20 and .87 at 40, for one failure in twenty."""
    ends = []
    for k in range(n + 1):
        solved = np.arange(n) < k
        spent = np.where(solved, 1.0, budget)
        ends.append(running_time(spent, solved, seed=k, budget=budget, resamples=2000)[1:])
    low, high = np.array(ends).T
    for rate in (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995):
        truth = 1 + (1 - rate) / rate * budget
        held = (low <= truth) & (truth <= high)
        assert stats.binom.pmf(np.arange(n + 1), n, rate)[held].sum() >= 0.95


def test_the_outer_of_two_intervals_by_hand():
    """Seven of ten solve after 2, three fail after 100. What is drawn is a binomial with p = .7, so the outer
    end is the exact interval's: the rate's ends by scipy, 2 + 100 (1 − p) / p."""
    spent, solved = np.array([2.0] * 7 + [100.0] * 3), np.arange(10) < 7
    least, most = stats.binomtest(7, 10).proportion_ci(0.95, method="exact")
    value, low, high = running_time(spent, solved, seed=0)
    assert value == 314 / 7
    np.testing.assert_allclose((low, high), [2 + 100 * (1 - p) / p for p in (most, least)])
    ends = binomial_ends(spent[:, None], solved, np.array([inf]), 0.95)
    np.testing.assert_allclose(np.ravel(ends), (low, high))


@pytest.mark.parametrize("cells", FORMS)
@pytest.mark.parametrize(("n", "budget", "covers"), [(40, 200, 0.9569), (40, 70, 0.9598)])
def test_running_time_covers_the_truth(cells, n, budget, covers):
    """n = 40, nominal 95 %; ERT = 100 at any budget, here one that 86 % or 50 % of replicas keep."""
    rng, covered = np.random.default_rng(n + budget), []
    for _ in range(cells):
        seed, cell = int(rng.integers(2**32)), watched(rng, n, budget)
        _, low, high = running_time(*cell, seed=seed, budget=budget, resamples=2000)
        covered.append(low <= 100 <= high)
    assert_covers(covered, covers)
    assert abs(covers - 0.95) < 0.015


@pytest.mark.parametrize("p", [0.02, 0.1, 0.3])
def test_the_lower_end_of_nothing_solved_is_seldom_above_the_truth(p):
    """A success costs (1 − p) / p failures of cost 1. At any n up to 300 the chance to see none solved and to
    claim more is at most 2.5 %: exactly, without simulation."""
    for n in range(1, 300):
        low = running_time(np.ones(n), np.zeros(n), seed=0).low
        assert low <= (1 - p) / p or (1 - p) ** n <= 0.025


@quick
@given(CELL, st.randoms(use_true_random=False))
def test_the_order_of_replicas_does_not_matter(cell, shuffler):
    spent, solved = columns(cell)
    order = list(range(len(cell)))
    shuffler.shuffle(order)
    first, second = (
        running_time(s, k, seed=3, resamples=200) for s, k in ((spent, solved), (spent[order], solved[order]))
    )
    np.testing.assert_allclose(first, second)


@quick
@given(CELL, st.floats(1e-9, 1e9))
def test_the_unit_does_not_matter(cell, unit):
    """Counted in thousandths, a running time and its interval are a thousand times as large, and nothing
    else."""
    spent, solved = columns(cell)
    one, other = (running_time(c * spent, solved, seed=3, resamples=200) for c in (1, unit))
    np.testing.assert_allclose(other, np.multiply(one, unit))


@quick
@given(CELL, st.data())
def test_failing_more_never_costs_less(cell, data):
    spent, solved = columns(cell)
    value = running_time(spent, solved, seed=0, resamples=1).value
    which = data.draw(st.integers(0, len(cell) - 1))
    lost = running_time(
        spent + (np.arange(len(cell)) == which), solved & (np.arange(len(cell)) != which), seed=0, resamples=1
    )
    assert lost.value >= value or np.isclose(lost.value, value)
    added = running_time([*spent, data.draw(SPENT)], [*solved, False], seed=0, resamples=1)
    assert added.value >= value or np.isclose(added.value, value)


@quick
@given(CELL, st.booleans(), st.integers(1, 300))
def test_infinity_makes_no_nan(cell, accelerated, resamples):
    """Where resamples solve nothing an end is infinite: it is never NaN, and the ends stand in order."""
    spent, solved = columns(cell)
    value, low, high = running_time(spent, solved, seed=3, resamples=resamples, accelerated=accelerated)
    assert not np.isnan([value, low, high]).any()
    assert low <= high
    assert value == expected_running_time(spent, solved) or np.isclose(
        value, expected_running_time(spent, solved)
    )


# Rate


def test_solved_rate_is_wilsons():
    low, high = wilson(3, 8, 0.9)
    assert solved_rate([1, 0, 0, 1, 1, 0, 0, 0], level=0.9) == (3 / 8, low, high)


# What is read from a survival curve


def test_quantile_interval_by_hand():
    """Ten replicas, one a time unit. scipy's exact ends for 10 … 0 of 10 unsolved: the lower is first ≤ .5 at
    2, the upper at 9."""
    curve = survival(np.arange(1.0, 11), np.ones(10))
    low, high = np.array([stats.binomtest(k, 10).proportion_ci(0.95) for k in range(10, -1, -1)]).T
    assert high[9] <= 0.5 < high[8]
    assert low[2] <= 0.5 < low[1]
    assert curve.quantile_interval(0.5) == (5, 2, 9)
    failing = survival([1, 2, 9, 9, 9], [1, 1, 0, 0, 0])
    assert failing.quantile_interval(0.5).high == failing.quantile(0.5) == inf


def test_curve_between_its_steps_by_hand():
    curve = survival([1, 2, 3, 4, 5], [True, False, True, False, True])
    np.testing.assert_allclose(curve.at([[0, 0.9], [1, 4]]), [[1, 1], [4 / 5, 4 / 5 * 2 / 3]])
    np.testing.assert_allclose(curve.restricted_mean(4), 1 + 2 * 4 / 5 + 4 / 5 * 2 / 3)
    np.testing.assert_allclose(curve.restricted_mean(0.5), 0.5)
    assert curve.restricted_mean(0) == 0
    with pytest.raises(InputError, match="watched, 5"):
        curve.restricted_mean(5.1)


@quick
@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=20), st.floats(0, 9))
def test_without_early_censoring_the_restricted_mean_is_a_plain_mean(event, until):
    event = np.array(event)
    solved = event < 9
    np.testing.assert_allclose(
        survival(event, solved).restricted_mean(until), np.minimum(event, until).mean(), atol=1e-9
    )


@pytest.mark.parametrize("cells", FORMS)
@pytest.mark.parametrize(("q", "covers"), [(0.25, 0.9685), (0.5, 0.9702)])
def test_quantile_interval_covers_the_truth_under_early_censoring(cells, q, covers):
    """n = 40, nominal 95 %: exponential times of mean 100, watched for uniform(0, 300)."""
    rng, covered, truth = np.random.default_rng(int(100 * q)), [], -100 * log(1 - q)
    for _ in range(cells):
        time, solved = watched(rng, 40, rng.uniform(0, 300, 40))
        _, low, high = survival(time, solved).quantile_interval(q)
        covered.append(low <= truth <= high)
    assert_covers(covered, covers)
    assert abs(covers - 0.95) < 0.025


# Interquartile mean


def test_interquartile_mean_by_hand():
    assert interquartile_mean([[1, 8], [3, 4], [2, 100], [5, 6]], seed=0).value == (3 + 4 + 5 + 6) / 4
    assert interquartile_mean([[1.0], [2], [3], [inf]], seed=0).value == 2.5
    assert interquartile_mean([[1.0], [2], [inf], [inf]], seed=0).value == inf
    with pytest.raises(InputError, match="worst score"):
        interquartile_mean([[np.nan]], seed=0)


def test_interquartile_means_interval_is_that_of_all_stratified_resamples():
    """All 3³ × 3³ of two tasks, each on its own. The shares of 100,000 draws have standard errors below
    .0016; 5, 6e-7."""
    table, level = np.array([[1.0, 30], [2, 60], [9, 50]]), 0.6
    values = [
        stats.trim_mean([*table[list(i), 0], *table[list(j), 1]], 0.25)
        for i in product(range(3), repeat=3)
        for j in product(range(3), repeat=3)
    ]
    ours = interquartile_mean(table, seed=0, level=level, resamples=100_000)
    for share, end in zip(((1 - level) / 2, (1 + level) / 2), ours[1:], strict=True):
        assert np.quantile(values, share - 0.008) - 1e-9 <= end <= np.quantile(values, share + 0.008) + 1e-9


@pytest.mark.parametrize(
    "cells", [pytest.param(500, id="small"), pytest.param(10_000, id="full", marks=pytest.mark.slow)]
)
def test_interquartile_mean_covers_the_truth(cells):
    """R = 20, P = 3, nominal 95 %: exponential scores, whose interquartile mean is 2 ∫ −ln v dv from 1/4 to
    3/4."""
    truth = 2 * ((0.75 - 0.75 * log(0.75)) - (0.25 - 0.25 * log(0.25)))
    rng, covered, covers = np.random.default_rng(8), [], 0.9414
    for _ in range(cells):
        scores = rng.exponential(size=(20, 3))
        _, low, high = interquartile_mean(scores, seed=int(rng.integers(2**32)), resamples=1000)
        covered.append(low <= truth <= high)
    assert_covers(covered, covers)
    assert abs(covers - 0.95) < 0.03


@quick
@given(
    st.lists(st.tuples(*[st.integers(0, 9) | st.just(inf)] * 2), min_size=1, max_size=8),
    st.sampled_from([1e-6, 0.5, 1e6]),
)
def test_interquartile_mean_keeps_order_unit_and_infinity(rows, unit):
    table = np.array(rows, float)
    ours = interquartile_mean(table, seed=0, resamples=50)
    assert not np.isnan(ours).any()
    np.testing.assert_allclose(interquartile_mean(table[::-1], seed=0, resamples=50), ours)
    np.testing.assert_allclose(
        interquartile_mean(unit * table, seed=0, resamples=50), np.multiply(ours, unit)
    )


# Bad input


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: running_time([1, np.nan], [1, 0], seed=0), "spent must be finite"),
        (lambda: running_time([1, inf], [1, 0], seed=0), "failed ones included"),
        (lambda: running_time([1, 2, 3], [1, 0], seed=0), "one row for each of 2 replicas"),
        (lambda: running_time([], [], seed=0), "at least one replica"),
        (
            lambda: running_time([1, 2], [1, 0], seed=0, budget=1.5),
            "at least what any replica spent, but 1.5",
        ),
        (lambda: running_time([[1, 2]], [1], seed=0, budget=[3, 3, 3]), "one number for each currency"),
        (
            lambda: running_time([1, 2], [1, 0], seed=0, level=95),
            "level must be greater than 0 and below 1, but 95 was given",
        ),
        (lambda: running_time([1, 2], [1, 0], seed=0, resamples=0), "resamples must be a whole number"),
        (lambda: solved_rate([]), "at least one replica"),
        (lambda: interquartile_mean([1, 2], seed=0), "replicas × tasks"),
    ],
)
def test_bad_input_gets_a_sentence(call, said):
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize(("replicas", "resamples"), [(7, 300), (5000, 1000)])  # kept, and too many to keep
def test_draws_are_the_same_however_often_they_are_asked_for(replicas, resamples):
    """Those drawn last are kept: no other number of replicas and no other seed may be answered with them."""
    first = np.concatenate(list(resampling.draws(replicas, resamples, 1)))
    list(resampling.draws(replicas + 1, 10, 1))
    np.testing.assert_array_equal(first, np.concatenate(list(resampling.draws(replicas, resamples, 1))))
    np.testing.assert_array_equal(first.sum(1), replicas)
    assert (first != np.concatenate(list(resampling.draws(replicas, resamples, 2)))).any()
    with pytest.raises(ValueError, match="read-only"):
        next(resampling.draws(7, 300, 1))[0] = 0

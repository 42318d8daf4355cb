"""The running time at the best cutoff held to closed forms, to direct minimisation of them, to its definition
counted out over few replicas, and to exact sums over all ways that tries can fail."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from harness.core.errors import InputError
from harness.statistics import (
    Replicas,
    best_cutoff,
    cost_at,
    restart_ecdf,
    restarted_time,
    running_time,
)
from helpers.few_replicas import BUDGET, CELL, replicas

quick = settings(deadline=None, derandomize=True, max_examples=80)


def by_hand(cell, cutoff):
    """Cost of a success from its definition, in exact fractions; None where there is none."""
    time, solved, _ = cell
    hits = sum(bool(s) and t <= cutoff for t, s in zip(time, solved, strict=True))
    spent = sum(Fraction(min(t, cutoff)) for t in time)
    return Fraction(spent, hits) if hits else None


def best_by_hand(cell, latest=inf):
    """The smallest of the times of success at which a success costs least; ∞ without any."""
    times = sorted(t for t, s in zip(*cell[:2], strict=True) if s and t <= latest)
    return min(times, key=lambda t: by_hand(cell, t), default=inf)


# Laws whose cost is known


def test_no_cutoff_helps_where_time_has_no_memory():
    """Exponential times of mean 100: a success costs 100 whatever the cutoff. 20,000 quantiles stand for the
    law: sums over them are integrals by the rule of midpoints, off by less than .1 % from T = 1 to 500."""
    times = stats.expon.ppf((np.arange(20_000) + 0.5) / 20_000, scale=100)
    found = cost_at(times, np.ones(20_000), [1, 10, 50, 100, 200, 500])
    np.testing.assert_allclose(found, 100, rtol=1e-3)


STUCK, MEDIAN, SPREAD, LONGEST = 0.07, 254.0, 0.55, 5000.0
LAW = stats.lognorm(SPREAD, scale=MEDIAN)


def closed_form(cutoff):
    """E[min(t, T)] / P(t ≤ T) where 7 in 100 are stuck and the others' times are lognormal."""
    below = stats.norm.cdf(log(cutoff / MEDIAN) / SPREAD - SPREAD) * LAW.mean()
    hit = (1 - STUCK) * LAW.cdf(cutoff)
    return ((1 - STUCK) * below + cutoff * (1 - hit)) / hit


def test_the_best_cutoff_is_that_of_the_closed_form():
    """A law like that of XOR networks: minimised by scipy, the cost is half of that at a budget of 5,000.
    9,300 quantiles and 700 stuck replicas; the minimum is flat, and grid and rounding move it by no more than
    the quantiles lie apart there, 2 %."""
    least = optimize.minimize_scalar(closed_form, bounds=(10, LONGEST), method="bounded")
    assert closed_form(LONGEST) > 1.8 * least.fun
    times = np.concatenate([LAW.ppf((np.arange(9300) + 0.5) / 9300), np.full(700, LONGEST)])
    solved = np.arange(10_000) < 9300
    grid = np.array([150.0, 200, 400, 800, 3000])
    np.testing.assert_allclose(cost_at(times, solved, grid), [closed_form(t) for t in grid], rtol=2e-3)
    found = best_cutoff(times, solved)
    assert found == pytest.approx(least.x, rel=0.02)
    assert cost_at(times, solved, found) == pytest.approx(least.fun, rel=1e-3)


# The definition, counted out


@quick
@given(CELL, st.integers(0, 12))
def test_the_cost_is_its_definition(cell, cutoff):
    some = replicas(cell)
    expected = by_hand(some, float(cutoff))
    assert cost_at(*some[:2], cutoff) == (inf if expected is None else pytest.approx(float(expected)))


@quick
@given(CELL)
def test_the_best_cutoff_is_the_least_of_all_and_the_smallest_of_several(cell):
    some = replicas(cell)
    found = best_cutoff(*some)
    assert found == best_by_hand(some)
    costs = cost_at(*some[:2], np.linspace(0, 12, 121))
    assert cost_at(*some[:2], found) <= costs.min() * (1 + 1e-9)


@quick
@given(CELL)
def test_no_cutoff_is_beyond_what_a_replica_was_watched_for(cell):
    """Budgets in seconds end replicas at different epochs: here where each of them stands."""
    time, fate = (np.array(column) for column in zip(*cell, strict=True))
    some = Replicas(time, fate == "solved", fate == "diverged")
    latest = min(time[fate == "unsolved"], default=inf)
    assert best_cutoff(*some) == best_by_hand(some, latest)


@quick
@given(CELL, st.sampled_from([2, 3]))
def test_every_fold_is_cut_where_the_others_say(cell, folds):
    """Value and cutoffs by hand: replica i in fold i mod `folds`, cut at the best cutoff of all others."""
    some = replicas(cell)
    fold = np.arange(len(cell)) % folds
    cutoffs = [best_by_hand([column[fold != k] for column in some]) for k in range(folds)]
    spent = sum(min(t, cutoffs[k]) for t, k in zip(some.time, fold, strict=True))
    hits = sum(s and t <= cutoffs[k] for t, s, k in zip(*some[:2], fold, strict=True))
    found = restarted_time(some, seed=0, budget=BUDGET, folds=folds, resamples=20)
    assert found.cutoffs.tolist() == cutoffs
    assert found.cutoff == best_by_hand(some)
    assert found.time.value == (pytest.approx(spent / hits) if hits else inf)
    assert 0 <= found.time.low <= found.time.value <= found.time.high or not hits


# What must hold of any replicas


@quick
@given(CELL)
def test_without_a_cutoff_it_is_the_expected_running_time(cell):
    some = replicas(cell)
    assert cost_at(*some[:2], inf) == running_time(*some[:2], seed=0, resamples=1).value


@quick
@given(CELL, st.sampled_from([0.5, 3.0, 1024.0]), st.integers(0, 12))
def test_another_unit_of_time_is_another_unit_of_cost(cell, unit, cutoff):
    some = replicas(cell)
    longer = some._replace(time=unit * some.time)
    np.testing.assert_allclose(
        cost_at(*longer[:2], unit * cutoff), unit * np.asarray(cost_at(*some[:2], cutoff))
    )
    assert best_cutoff(*longer) == unit * best_cutoff(*some)
    one, other = (
        restarted_time(side, seed=0, budget=scale * BUDGET, resamples=50)
        for side, scale in ((some, 1), (longer, unit))
    )
    np.testing.assert_allclose(other.time, unit * np.array(one.time))


@quick
@given(CELL, st.integers(0, 12), st.integers(0, 9))
def test_one_more_that_diverges_never_makes_it_cheaper(cell, cutoff, gone):
    some, more = replicas(cell), replicas([*cell, (float(gone), "diverged")])
    assert cost_at(*more[:2], cutoff) >= cost_at(*some[:2], cutoff)
    best, worse = (cost_at(*side[:2], best_cutoff(*side)) for side in (some, more))
    assert worse >= best * (1 - 1e-12)


@quick
@given(CELL)
def test_every_replica_has_its_own_price(cell):
    """Cut to a part of its epochs it costs that part; currencies share their resamples, and one that is four
    to the epoch costs four times as much."""
    some = replicas(cell)
    alone, both, third = (
        restarted_time(some, seed=0, spent=spent, budget=BUDGET, resamples=50)
        for spent in (None, np.column_stack([some.time, 4 * some.time]), prices(cell) * some.time)
    )
    np.testing.assert_allclose([end[0] for end in both.time], alone.time)
    np.testing.assert_allclose([end[1] for end in both.time], 4 * np.array(alone.time))
    limits = third.cutoffs[np.arange(len(cell)) % 2]
    hits = (some.solved & (some.time <= limits)).sum()
    expected = (prices(cell) * np.minimum(some.time, limits)).sum() / hits if hits else inf
    assert third.time.value == pytest.approx(expected)


def prices(cell):
    return np.arange(1.0, len(cell) + 1)


def test_where_all_are_solved_in_time_a_failure_would_cost_the_cutoff():
    """Ten that all solve after 4 epochs of three FLOPs each: for all that scipy's exact interval knows up to
    31 % fail, and each would cost 12 FLOPs; not 150, the budget."""
    alike = Replicas(np.full(10, 4.0), np.ones(10))
    found = restarted_time(alike, seed=0, spent=np.full(10, 12.0), budget=50, resamples=100)
    p = stats.binomtest(0, 10).proportion_ci(0.95, method="exact").high
    assert found.time == (12, 12, pytest.approx(12 + 12 * p / (1 - p)))


def test_where_others_solve_none_a_failure_costs_the_budget():
    """One of two: nothing is known of where to cut it, and it may run for 50."""
    found = restarted_time(Replicas([4.0, 50.0], [1, 0]), seed=0, budget=50, resamples=100)
    assert found.cutoffs.tolist() == [inf, 4]
    assert found.time.value == 4 + 4


# The share done within a total cost


def sums(tries, x):
    """P(a success within x), by following every way in which tries can fail: exact fractions."""

    @cache
    def done(left):
        hit = sum(t <= left for t, good in tries if good)
        again = sum((done(left - f) for f, good in tries if not good and 0 < f <= left), Fraction(0))
        free = sum(not good and f == 0 for f, good in tries)
        return (hit + again) / (len(tries) - free) if len(tries) > free else Fraction(0)

    return done(x)


@quick
@given(CELL, st.integers(0, 12))
def test_the_share_done_is_the_sum_over_all_ways_to_fail(cell, cutoff):
    some = replicas(cell)
    tries = [(int(min(t, cutoff)), bool(s) and t <= cutoff) for t, s in zip(*some[:2], strict=True)]
    x = np.arange(31)
    expected = [float(sums(tries, int(left))) if any(good for _, good in tries) else 0.0 for left in x]
    np.testing.assert_allclose(restart_ecdf(*some[:2], cutoff, x), expected, atol=1e-12)


@quick
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 5), st.integers(1, 9))
def test_where_every_failure_costs_the_cutoff_tries_are_geometric(times, stuck, cutoff):
    """1 − (1 − p)^k (1 − G(x − k T)), k = ⌊x / T⌋; and its mean is the cost of a success."""
    time, solved = np.array([*times, *[20] * stuck], float), np.arange(len(times) + stuck) < len(times)
    p = np.mean(solved & (time <= cutoff))
    x = np.arange(0, 4000)
    k, rest = np.divmod(x, cutoff)
    within = np.array([np.mean(solved & (time <= min(r, cutoff))) for r in range(cutoff)])[rest]
    found = restart_ecdf(time, solved, cutoff, x)
    if not p:
        assert not found.any()
        return
    np.testing.assert_allclose(found, 1 - (1 - p) ** k * (1 - within), atol=1e-12)
    assert (1 - found).sum() == pytest.approx(float(cost_at(time, solved, cutoff)), rel=1e-9)
    assert restart_ecdf(time, solved, cutoff, inf) == 1


def test_a_failure_that_costs_nothing_changes_nothing():
    """Solved at 0 and at 2, diverged at 0: half of what counts is done at once; cut at 0, all of it."""
    cell = [0.0, 2.0, 0.0], [1, 1, 0]
    np.testing.assert_allclose(restart_ecdf(*cell, 5, [0, 1, 2]), [0.5, 0.5, 1])
    np.testing.assert_allclose(restart_ecdf(*cell, 0, [0, 1]), [1, 1])


# Bad input


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cost_at([1.0], [1], -1), "cutoff must be at least 0"),
        (lambda: cost_at([1.0, inf], [1, 0], 3), "times must be finite"),
        (lambda: restart_ecdf([1.0], [1], float("nan"), 3), "cutoff must be at least 0"),
        (lambda: restarted_time(Replicas([1.0], [1]), seed=0, folds=1), "folds must be a whole number"),
        (lambda: restarted_time(Replicas([5.0], [1]), seed=0, budget=4), "budget must be the most epochs"),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()

"""Statistics held to hand-computed values, to scipy, and to the truth of simulated populations."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import clopper_pearson, expected_running_time, survival, wilson

quick = settings(deadline=None, derandomize=True, max_examples=150)
TIMES = st.integers(0, 12).map(float)  # few values, so that many coincide
FATES = st.sampled_from(["solved", "unsolved", "diverged"])
REPLICAS = st.lists(st.tuples(TIMES, FATES), min_size=1, max_size=40)


def arrays(replicas):
    time = np.array([t for t, _ in replicas])
    fate = np.array([f for _, f in replicas])
    return time, fate == "solved", fate == "diverged"


@cache
def exactly(k, n):
    """Clopper and Pearson's interval, by scipy."""
    return tuple(stats.binomtest(k, n).proportion_ci(0.95))


# Wilson's interval


@quick
@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_wilson_is_scipys(n, share, level):
    k = round(n * share)
    theirs = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(wilson(k, n, level), (theirs.low, theirs.high), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("k", "n", "level"), [(0, 8, 0.95), (3, 10, 0.9), (19, 20, 0.99), (40, 40, 0.95)])
def test_clopper_pearson_is_scipys(k, n, level):
    ends = stats.binomtest(k, n).proportion_ci(level, method="exact")
    assert clopper_pearson(k, n, level) == pytest.approx((ends.low, ends.high))


def test_wilson_by_hand():
    """At none, all and nothing tried the interval is the formula's: not of width zero where the plain one
    is."""
    z2 = 1.959963984540054**2
    np.testing.assert_allclose(
        wilson(10, 10), (10 / (10 + z2), 1.0)
    )  # not of zero width where all are solved
    np.testing.assert_allclose(wilson(0, 10), (0.0, z2 / (10 + z2)), atol=1e-15)
    np.testing.assert_allclose(wilson(0, 0), (0.0, 1.0))
    np.testing.assert_allclose(wilson([5, 50], [10, 100])[0], (0.23659, 0.40383), atol=5e-6)


@pytest.mark.parametrize(("n", "covers"), [(10, 0.9541), (50, 0.9518), (400, 0.9504)])
def test_wilson_covers_the_true_rate_in_95_of_100_cases(n, covers):
    """40,000 cells of n replicas at true rates drawn evenly from 0 to 1. `covers` is the binomial sum over
    all counts, integrated over the rates; the standard error here is .0011, so ±.0055 is a 5-sigma event,
    6e-7 each."""
    rng = np.random.default_rng(n)
    rate = rng.uniform(0, 1, 40_000)
    low, high = wilson(rng.binomial(n, rate), n)
    assert abs(np.mean((low <= rate) & (rate <= high)) - covers) < 0.0055
    assert abs(covers - 0.95) < 0.005


# Expected running time


def test_running_time_counts_what_failures_spent():
    spent, solved = [10, 20, 30, 100, 40], [True, True, True, False, False]
    assert expected_running_time(spent, solved) == 200 / 3
    assert expected_running_time(spent, [False] * 5) == np.inf
    assert expected_running_time([], []) == np.inf


def test_running_time_is_what_restarting_costs():
    """A run solves after 10 epochs with p = .25, else gives up after 100: 310 epochs a success. 40,000
    restarted searches; the mean's standard error is 100 √12 / 200 = 1.7, so ±9 is a 5-sigma event, 6e-7."""
    rng = np.random.default_rng(0)
    failures = rng.geometric(0.25, 40_000) - 1
    searched = np.mean(100 * failures + 10)
    spent = np.repeat([10, 100], [250, 750])
    assert expected_running_time(spent, spent == 10) == 310
    assert abs(searched - 310) < 9


# Survival


def test_survival_by_hand():
    curve = survival([1, 2, 3, 4, 5], [True, False, True, False, True])  # 2 and 4 ran out of seconds
    np.testing.assert_allclose(curve.time, [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(curve.unsolved, np.array([15, 12, 12, 8, 8, 0]) / 15, atol=1e-15)
    assert [curve.quantile(q) for q in (0.2, 0.25, 0.46, 0.47, 1.0)] == [1, 3, 3, 5, 5]
    assert curve.until == 5
    assert survival([1, 2], [True, False]).until == 2
    assert survival([1, 2], [True, False], [False, True]).until == np.inf  # nothing is left to happen


@quick
@given(REPLICAS)
def test_survival_is_scipys_with_the_diverged_censored_at_the_end(replicas):
    time, solved, diverged = arrays(replicas)
    time = np.where(diverged, 0, time)  # wherever they diverged
    curve = survival(time, solved, diverged)
    end = np.where(diverged, time.max(), time)
    theirs = stats.ecdf(stats.CensoredData(uncensored=end[solved], right=end[~solved])).sf
    np.testing.assert_allclose(curve.unsolved[1:], theirs.evaluate(curve.time[1:]), atol=1e-12)
    np.testing.assert_array_equal(curve.time[1:][curve.count[1:] > 0], np.unique(time[solved]))


@quick
@given(REPLICAS)
def test_without_early_censoring_quantiles_are_order_statistics_and_the_band_is_exact(replicas):
    time, solved, diverged = arrays(replicas)
    n = len(time)
    time = np.where(solved | diverged, time, 12.0)  # one budget for all: what a budget in epochs makes
    curve = survival(time, solved, diverged)
    ordered = np.sort(np.where(solved, time, np.inf))
    for q in (0.05, 0.25, 0.5, 0.75, 0.95, *(np.arange(1, n + 1) / n)):
        assert curve.quantile(q) == ordered[ceil(q * n - 1e-9) - 1]
    counts = [np.sum(~solved | (time > t)) for t in curve.time[1:]]
    exact = np.array([exactly(int(k), n) for k in counts]).reshape(-1, 2)
    np.testing.assert_allclose(np.array([curve.low, curve.high])[:, 1:], exact.T, atol=1e-9)
    if time.min() > 0:
        np.testing.assert_allclose((curve.low[0], curve.high[0]), exactly(n, n))


@quick
@given(REPLICAS)
def test_survival_falls_within_its_band(replicas):
    curve = survival(*arrays(replicas))
    assert (np.diff(curve.unsolved)[curve.count[1:] > 0] < 0).all()
    assert (np.diff(curve.unsolved)[curve.count[1:] == 0] == 0).all()
    assert ((curve.low <= curve.unsolved + 1e-12) & (curve.unsolved <= curve.high + 1e-12)).all()
    assert ((curve.low >= 0) & (curve.high <= 1)).all()


def test_the_band_under_censoring_is_that_of_products_of_betas():
    """Six replicas, solved at 1, 3 and 5, out of seconds at 2, 4 and 6. Quantiles of 400,000 products drawn:
    standard errors below .001; .01 leaves room for the Beta that stands for a product (Fay, Brittain &
    Proschan 2013 report differences of that size)."""
    curve = survival([1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0])
    rng = np.random.default_rng(0)
    steps = [rng.beta(a, 1, 400_000) for a in (6, 4, 2)]
    for time, product, left in (
        (1, steps[0], 5),
        (3, steps[0] * steps[1], 3),
        (5, np.prod(steps, axis=0), 1),
    ):
        at = np.flatnonzero(curve.time == time)[0]
        ends = np.quantile(product * rng.beta(left, 1, 400_000), 0.025), np.quantile(product, 0.975)
        np.testing.assert_allclose((curve.low[at], curve.high[at]), ends, atol=0.01)
    still = np.flatnonzero(curve.time == 4)[0]  # one left: 2 watched beyond 4
    end = np.quantile(steps[0] * steps[1] * rng.beta(2, 1, 400_000), 0.025)
    np.testing.assert_allclose(curve.low[still], end, atol=0.01)


@pytest.mark.parametrize("n", [4, 10, 20])
def test_band_and_median_cover_at_any_size(n):
    """Exactly, over all counts: the band at any S, worst at its own ends, and the median, whose interval
    holds it where the band at the median holds ½. Wilson's would be .875 for the median of 4."""
    low, high = (side[::-1] for side in survival(np.arange(1.0, n + 1), np.ones(n)).band)  # of 0 … n unsolved
    for share in (0.5, 0.95, *(end + off for end in (*low, *high) for off in (-1e-9, 1e-9) if 0 < end < 1)):
        held = (low <= share) & (share <= high)
        assert stats.binom.pmf(np.arange(n + 1), n, share)[held].sum() >= 0.95
    first, last = wilson(np.arange(n + 1), n)
    assert n > 4 or stats.binom.pmf(np.arange(5), 4, 0.5)[(first <= 0.5) & (last >= 0.5)].sum() == 0.875
    assert survival([1, 2, 3, 4], np.ones(4)).quantile_interval(0.5) == (2, 0, np.inf)


def test_survival_band_covers_the_true_curve_under_early_censoring():
    """2,000 cells of 40 replicas, exponential times of mean 100, watched for uniform(0, 300): at t = 70 the
    band covers e^-.7 in at least 95 % and, being a cautious one, in at most 99 % (20,000 other cells: 97.1
    %). The standard error is .37 %: 5 sigma either way, 6e-7."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(2000):
        event, watched = rng.exponential(100, 40), rng.uniform(0, 300, 40)
        curve = survival(np.minimum(event, watched), event <= watched)
        at = np.searchsorted(curve.time, 70, side="right") - 1
        covered += curve.low[at] <= np.exp(-0.7) <= curve.high[at]
    assert 0.95 < covered / 2000 < 0.99


# Survivor bias, planted


def test_a_hopeless_replica_that_diverges_is_no_better_than_one_that_stays_stuck():
    time, solved = np.array([10.0, 20, 30, 40, 100, 100]), np.array([True, True, True, True, False, False])
    stuck = survival(time, solved)
    gone = survival(np.where(solved, time, 5), solved, ~solved)  # the same two replicas blow up at epoch 5
    np.testing.assert_array_equal(stuck.unsolved, gone.unsolved)
    naive = survival(
        np.where(solved, time, 5), solved
    )  # censored where they diverged: as if they might yet have solved it
    assert naive.unsolved[-1] == 0 < gone.unsolved[-1]
    assert naive.quantile(1.0) == 40
    assert gone.quantile(1.0) == np.inf


def test_dropping_failures_would_turn_the_comparison_round():
    """`hasty` solves 2 of 10 at once and loses the rest; `steady` solves all 10. Over the solved only, hasty
    is faster."""
    hasty_time, hasty = np.array([50.0] * 2 + [1000] * 8), np.array([True] * 2 + [False] * 8)
    steady_time, steady = np.full(10, 300.0), np.full(10, True)
    assert np.median(hasty_time[hasty]) < np.median(steady_time[steady])
    assert survival(hasty_time, hasty).quantile(0.5) == np.inf
    assert survival(steady_time, steady).quantile(0.5) == 300
    assert expected_running_time(hasty_time, hasty) == 8100 / 2
    assert expected_running_time(steady_time, steady) == 300


def test_the_summary_needs_no_slow_imports():
    """`python -m harness` prints its summary before scipy.stats (0.8 s) or pandas (0.4 s) would have been
    imported."""
    slow = "('scipy', 'pandas', 'matplotlib', 'rich')"
    check = f"import sys, harness.experiment.summary; sys.exit([m for m in {slow} if m in sys.modules] or 0)"
    assert (
        subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False).stderr
        == ""
    )

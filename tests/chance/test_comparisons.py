"""Comparisons of algorithms held to hand-computed values, to scipy, to published figures, and to simulated
populations."""

from __future__ import annotations

from itertools import combinations, product
from math import exp, inf, isnan, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from harness.core.errors import InputError
from harness.statistics import (
    Replicas,
    expected_running_time,
    holm,
    logrank,
    mcnemar,
    paired_difference,
    performance_profile,
    restarted,
    running_time,
    runtime_profile,
    survival,
    tango,
)
from harness.statistics.paired import _restricted_means

quick = settings(deadline=None, derandomize=True, max_examples=60)
REPLICA = st.tuples(st.integers(0, 12).map(float), st.sampled_from(["solved", "unsolved", "diverged"]))
CELL = st.lists(REPLICA, min_size=1, max_size=15)
PAIRS = st.lists(st.tuples(REPLICA, REPLICA), min_size=1, max_size=12)


def replicas(cell):
    time, fate = (np.array(column) for column in zip(*cell, strict=True))
    return Replicas(time, fate == "solved", fate == "diverged")


def numbers(difference):
    return np.array([difference.rate, difference.restricted_mean, difference.log_ratio])


# Log-rank


def test_logrank_by_hand():
    """a solves at 1 and 3, b at 2 and 4. Expected of a: 1/2 + 1/3 + 1/2 + 0, variance 1/4 + 2/9 + 1/4."""
    z = (2 - 4 / 3) / sqrt(1 / 4 + 2 / 9 + 1 / 4)
    statistic, p = logrank(Replicas([1, 3], [1, 1]), Replicas([2, 4], [1, 1]))
    assert statistic == pytest.approx(z)
    assert p == pytest.approx(4 / 6)  # of the six pairs, 1 & 2, 1 & 3, 2 & 4, 3 & 4 are as far from 0
    assert logrank(Replicas([2, 4], [1, 1]), Replicas([1, 3], [1, 1])).statistic == pytest.approx(-z)


def test_a_diverged_replica_stays_at_risk_to_the_end_of_both():
    slow = Replicas([50.0, 60, 70, 100], [1, 1, 1, 0])
    gone = Replicas([20.0, 5, 5, 5], [1, 0, 0, 0], [0, 1, 1, 1])
    assert logrank(gone, slow) == logrank(Replicas([20.0, 100, 100, 100], [1, 0, 0, 0]), slow)
    assert (
        logrank(gone, slow).statistic < logrank(Replicas(*gone[:2]), slow).statistic
    )  # censored, they would flatter it


def test_logrank_is_exact_where_few_solve():
    """3 of 5 against none of 5: all three are one side's in 2 · C(5, 3) / C(10, 3) = 1/6 of the choices. 2 of
    20 against none of 1,000: C(20, 2) / C(1020, 2). The normal law of Z says .049 and 4e-24."""
    few = logrank(Replicas([1, 2, 3, 9, 9], [1, 1, 1, 0, 0]), Replicas([9] * 5, [0] * 5))
    assert few.p == pytest.approx(1 / 6)
    assert 2 * stats.norm.sf(few.statistic) == pytest.approx(0.0494, abs=1e-4)
    rare = logrank(Replicas([1, 2] + [9] * 18, [1, 1] + [0] * 18), Replicas([9] * 1000, [0] * 1000))
    assert rare.p == pytest.approx(20 * 19 / (1020 * 1019))
    assert 2 * stats.norm.sf(rare.statistic) < 1e-22


@quick
@given(
    st.lists(REPLICA, min_size=1, max_size=5),
    st.lists(REPLICA, min_size=1, max_size=4),
)
def test_logranks_p_is_that_of_all_choices_and_its_statistic_scipys(a, b):
    """Every way to deal the replicas to two sets of these sizes; U of each from its definition, by scipy."""
    one, other = replicas(a), replicas(b)
    found = logrank(one, other)
    end = min(survival(*side).until for side in (one, other))
    cell = [(inf if fate == "diverged" else time, fate) for time, fate in (*a, *b)]
    time = np.minimum([t for t, _ in cell], min(end, 99.0))
    solved = np.array([fate == "solved" and t <= end for t, fate in cell])

    def u(chosen):
        of_a = np.isin(np.arange(len(cell)), chosen)
        when = np.unique(time[solved])
        n, n_a = ((time[mask][:, None] >= when).sum(0) for mask in (slice(None), of_a))
        d, d_a = ((time[mask][:, None] == when).sum(0) for mask in (solved, solved & of_a))
        return float((d_a - d * n_a / n).sum())

    seen = abs(u(range(len(a))))
    every = [abs(u(some)) >= seen - 1e-9 for some in combinations(range(len(cell)), len(a))]
    if found != (0, 1):
        assert found.p == pytest.approx(np.mean(every))
        sides = [(time[part], solved[part]) for part in (slice(len(a)), slice(len(a), None))]
        theirs = stats.logrank(*(stats.CensoredData(t[k], right=t[~k]) for t, k in sides))
        assert found.statistic == pytest.approx(theirs.statistic)


def test_where_choices_are_too_many_they_are_drawn():
    """20 and 20, all solved one after the other: 20,000 draws of C(40, 20) choices, against scipy's own
    permutation test: 5 standard errors of the difference, 6e-7. p is never 0."""
    rng = np.random.default_rng(8)
    a, b = rng.exponential(1.0, 20), rng.exponential(1.4, 20)
    ours = logrank(Replicas(a, np.ones(20)), Replicas(b, np.ones(20)))
    ranked = np.argsort(np.argsort([*a, *b]))
    score = 1 - np.cumsum(1 / np.arange(40, 0, -1))[ranked]
    theirs = stats.permutation_test(
        (score[:20], score[20:]), lambda x, y, axis: x.sum(axis), vectorized=True, n_resamples=20_000, rng=rng
    )
    assert abs(ours.p - theirs.pvalue) < 5 * sqrt(2 * 0.25 / 20_000)
    apart = logrank(Replicas(np.arange(20.0), np.ones(20)), Replicas(np.arange(30.0, 50), np.ones(20)))
    assert apart.p == 1 / 20_001
    assert logrank(Replicas(a, np.ones(20)), Replicas(b, np.ones(20))) == ours


def test_beyond_the_shorter_watch_nothing_is_compared():
    """a was watched to 100, b to 50: what a solves later, b might have too: as if a had stopped there."""
    a, b = Replicas([10.0, 60, 70, 100], [1, 1, 1, 0]), Replicas([20.0, 50, 50, 50], [1, 0, 0, 0])
    assert logrank(a, b) == logrank(Replicas([10.0, 50, 50, 50], [1, 0, 0, 0]), b)


@quick
@given(CELL, CELL)
def test_logrank_is_symmetric_and_never_nan(a, b):
    one, other = logrank(replicas(a), replicas(b)), logrank(replicas(b), replicas(a))
    assert one.statistic == pytest.approx(-other.statistic, abs=1e-9)
    assert one.p == pytest.approx(other.p)
    assert 0 <= one.p <= 1
    shuffled = logrank(replicas(a[::-1]), replicas(b))
    assert shuffled == pytest.approx(one)


@pytest.mark.parametrize(
    "pairs", [pytest.param(1000, id="small"), pytest.param(20_000, id="full", marks=pytest.mark.slow)]
)
def test_logrank_raises_a_false_alarm_in_5_of_100_cases(pairs):
    """Two sets of 40 from one exponential population, watched for uniform(0, 300); nominal 5 %, which 199
    permutations can reach: 5 standard errors, 6e-7."""
    rng = np.random.default_rng(4)

    def drawn():
        event, budget = rng.exponential(100, 40), rng.uniform(0, 300, 40)
        return Replicas(np.minimum(event, budget), event <= budget)

    alarms = np.mean([logrank(drawn(), drawn(), seed=i, permutations=199).p <= 0.05 for i in range(pairs)])
    assert abs(alarms - 0.05) < 5 * sqrt(0.05 * 0.95 / pairs)


# McNemar


def test_mcnemar_by_hand():
    """One replica that a alone solves, 5 that b alone does: 2 (1 + 6) / 2⁶."""
    a, b = [1] + [0] * 5 + [1] * 4 + [0] * 3, [0] + [1] * 5 + [1] * 4 + [0] * 3
    assert mcnemar(a, b) == (-4, pytest.approx(14 / 64))
    assert mcnemar(b, a) == (4, pytest.approx(14 / 64))
    assert mcnemar([1, 0], [1, 0]) == (0, 1)
    with pytest.raises(InputError, match="2 and 3"):
        mcnemar([1, 0], [1, 0, 1])


def test_mcnemar_never_exceeds_its_level():
    """Exact sums over all tables of n = 20 pairs, of which 30 % differ: rejections at 5 % are at most 5 %,
    and some."""
    differ = np.arange(21)
    chance = stats.binom.pmf(differ, 20, 0.3)
    alarm = 0.0
    for m, weight in zip(differ, chance, strict=True):
        for k in range(m + 1):
            a, b = np.zeros(20, bool), np.zeros(20, bool)
            a[:k], b[k:m] = True, True
            alarm += weight * stats.binom.pmf(k, m, 0.5) * (mcnemar(a, b).p <= 0.05)
    assert 0.001 < alarm <= 0.05


# Paired differences


@quick
@given(CELL, st.data())
def test_a_resamples_restricted_mean_is_that_of_its_curve(cell, data):
    """Counts of replicas, against the survival curve of as many copies of each."""
    counts = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(cell), max_size=len(cell)).filter(any))
    )
    time, solved, diverged = replicas(cell)
    curve = survival(*(np.repeat(column, counts) for column in (time, solved, diverged)))
    until = data.draw(st.floats(0, min(curve.until, 12.0)))
    ours = _restricted_means(counts[None].astype(float), np.column_stack([time, solved, diverged]), until)
    np.testing.assert_allclose(ours, curve.restricted_mean(until), atol=1e-9)


@quick
@given(PAIRS)
def test_paired_values_are_the_differences_of_the_sides(pairs):
    a, b = (replicas(side) for side in zip(*pairs, strict=True))
    found = paired_difference(a, b, seed=0, resamples=20)
    assert found.rate.value == pytest.approx(np.mean(a.solved) - np.mean(b.solved))
    means = [survival(*side).restricted_mean(found.until) for side in (a, b)]
    assert found.restricted_mean.value == pytest.approx(means[0] - means[1], abs=1e-9)
    costs = [expected_running_time(*side[:2]) for side in (a, b)]
    if 0 < min(costs) < inf and max(costs) > 0:
        assert found.log_ratio.value == pytest.approx(np.log(costs[0]) - np.log(costs[1]), abs=1e-9)
    assert found.test == mcnemar(a.solved, b.solved)


@quick
@given(PAIRS, st.sampled_from([1e-6, 4.0, 1e6]))
def test_paired_differences_keep_order_unit_side_and_infinity(pairs, unit):
    a, b = (replicas(side) for side in zip(*pairs, strict=True))
    found = paired_difference(a, b, seed=3, resamples=100)
    ends = numbers(found)[:, 1:]
    assert not np.isnan(ends).any()
    assert (ends[:, 0] <= ends[:, 1]).all()
    backwards = [Replicas(*(column[::-1] for column in side)) for side in (a, b)]
    np.testing.assert_allclose(
        numbers(paired_difference(*backwards, seed=3, resamples=100)), numbers(found), atol=1e-9
    )
    longer = [side._replace(time=unit * np.asarray(side.time)) for side in (a, b)]
    scaled = numbers(paired_difference(*longer, seed=3, resamples=100))
    np.testing.assert_allclose(scaled, numbers(found) * [[1], [unit], [1]], atol=1e-9 * max(unit, 1))


@quick
@given(CELL)
def test_an_algorithm_does_not_differ_from_itself(cell):
    """And the interval is as wide to either side, never a point: that no pair differed does not say that none
    would."""
    one = replicas(cell)
    found = paired_difference(one, one, seed=0, budgets=(20, 20), resamples=100)
    assert found.rate.value == found.restricted_mean.value == 0
    ends = numbers(found)[:, 1:]
    np.testing.assert_allclose(ends[:, 0], -ends[:, 1])
    assert (ends[0, 1], found.test.p) == (
        pytest.approx(stats.norm.ppf(0.975) ** 2 / (len(cell) + 3.8415), 1e-3),
        1,
    )


def test_where_one_or_none_is_solved_the_ratio_is_open():
    time, none, all_of_them = np.array([10.0, 20, 30, 40]), np.zeros(4), np.ones(4)
    failing, solving = Replicas(time, none), Replicas(time, all_of_them)
    budgets = 90.0, 40.0
    value, low, high = paired_difference(failing, solving, seed=0, budgets=budgets).log_ratio
    assert (value, high) == (inf, inf)
    ends = [
        running_time(*side[:2], seed=0, budget=budget, level=0.975)
        for side, budget in zip((failing, solving), budgets, strict=True)
    ]
    assert low == pytest.approx(log(ends[0].low / ends[1].high))
    turned = paired_difference(solving, failing, seed=0, budgets=budgets[::-1]).log_ratio
    assert turned == (-inf, -inf, pytest.approx(-low))
    assert paired_difference(failing, solving, seed=0).log_ratio == (inf, -inf, inf)  # budget not known
    value, low, high = paired_difference(failing, failing, seed=0).log_ratio
    assert isnan(value)
    assert (low, high) == (-inf, inf)
    one = paired_difference(Replicas([5.0], [1]), Replicas([9.0], [0]), seed=0)
    assert (one.restricted_mean, one.log_ratio) == ((-4, -9, 9), (-inf, -inf, inf))
    assert one.rate.low < 0 < one.rate.high == pytest.approx(1)


def test_resamples_without_any_success_leave_the_ratio_open_at_both_ends():
    """Both solve the same one of 3: (2/3)³ = 30 % of the resamples say nothing, more than 2.5 % at either end
    can hide. Of 12 pairs that both solve but one, (1/12)¹² do: the interval is finite."""
    few = [Replicas([first, 50.0, 50], [1, 0, 0]) for first in (10.0, 20)]
    assert paired_difference(*few, seed=0).log_ratio == (pytest.approx(log(110 / 120)), -inf, inf)
    many = [Replicas([*np.linspace(first, 40, 11), 50.0], [1] * 11 + [0]) for first in (10.0, 20)]
    assert np.isfinite(paired_difference(*many, seed=0).log_ratio).all()


def constant(n, only_a, only_b, budget=50.0):
    """Pairs whose successes cost 1, failures the budget: so many solved by one alone, the others by both."""
    a, b = np.ones(n, bool), np.ones(n, bool)
    b[:only_a], a[only_a : only_a + only_b] = False, False
    return [Replicas(np.where(side, 1.0, budget), side) for side in (a, b)]


@pytest.mark.parametrize(("n", "rate"), [(20, 0.95), (40, 0.95), (40, 0.99), (20, 0.8)])
def test_paired_intervals_cover_where_no_pair_differs(n, rate):
    """a solves at this rate, b always; exactly, over all numbers of pairs that differ. With a point where
    none does it is .64 at n = 20 and .87 at 40, for one failure in twenty."""
    covered = np.zeros(3)
    truth = np.array([rate - 1, 49 * (1 - rate), log(1 + 50 * (1 - rate) / rate)])
    for failing, chance in enumerate(stats.binom.pmf(np.arange(n + 1), n, 1 - rate)):
        if chance > 1e-6:
            pairs = constant(n, 0, failing)
            found = paired_difference(*pairs, seed=0, budgets=(50, 50), resamples=500)
            # with no failure seen, time stands still at 1: the mean is then that up to there
            truth[1] = (found.until - 1) * (1 - rate)
            covered += chance * ((numbers(found)[:, 1] <= truth) & (truth <= numbers(found)[:, 2]))
    assert (covered > 0.92).all()


@quick
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20),
    st.sampled_from([0.5, 0.9, 0.95, 0.998]),
)
def test_tangos_interval_is_the_score_test_of_the_likelihood(fates, level):
    """At its ends the score test is at z, with the likelihood of four cells maximised by scipy."""
    n, a, b = len(fates), sum(x and not y for x, y in fates), sum(y and not x for x, y in fates)
    z = stats.norm.ppf((1 + level) / 2)
    for end, side in zip(tango(a, b, n, level), (1, -1), strict=True):
        if abs(end) > 1 - 1e-6:
            continue

        def unlikely(q, end=end):
            cells = np.array([q + end, q, 1 - 2 * q - end])
            return -special.xlogy([a, b, n - a - b], np.maximum(cells, 1e-300)).sum()

        bounds = max(0.0, -end), (1 - end) / 2
        q = optimize.minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        error = sqrt(n * (2 * q + end * (1 - end)))
        assert (a - b - n * end) / error == pytest.approx(side * z, abs=1e-3)


def test_one_rule_and_its_double_are_seldom_called_different():
    """12 pairs, of which each rule alone solves two in ten; exactly, over all numbers of such pairs, and all
    4,096 swaps: at a level of 99 % an interval of the ratio excludes 0 in at most 1 % of cases, and in some.
    That of the resamples alone does in 2 %."""
    n, level, shares = 12, 0.99, [0.2, 0.2, 0.6]
    alarms = 0.0
    for only_a in range(n + 1):
        for only_b in range(n + 1 - only_a):
            chance = stats.multinomial.pmf([only_a, only_b, n - only_a - only_b], n, shares)
            if chance > 1e-6:
                pairs = constant(n, only_a, only_b)
                found = paired_difference(*pairs, seed=0, budgets=(50, 50), level=level, resamples=4096)
                alarms += chance * (found.log_ratio.low > 0 or found.log_ratio.high < 0)
    assert 1e-4 < alarms <= 1 - level


@settings(quick, max_examples=25)
@given(PAIRS)
def test_no_interval_excludes_0_against_all_swaps(pairs):
    """p of the swaps from its definition: each pair dealt either way, and both sides judged anew."""
    sides = [replicas(side) for side in zip(*pairs[:4], strict=True)]
    sides = [side._replace(time=np.where(side.solved, side.time, 12.0)) for side in sides]  # one budget
    found = paired_difference(*sides, seed=0, level=0.8, resamples=100)
    table = np.array([np.column_stack(side) for side in sides])
    n = table.shape[1]

    def statistics(turned):
        dealt = np.where(np.array(turned)[None, :, None], table[::-1], table)
        a, b = (Replicas(*side.T) for side in dealt)
        means = [survival(*side).restricted_mean(found.until) for side in (a, b)]
        costs = [expected_running_time(*side[:2]) for side in (a, b)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return abs(means[0] - means[1]), abs(np.subtract(*np.log(costs)))

    seen = statistics([False] * n)
    every = np.array([statistics(turned) for turned in product([False, True], repeat=n)])
    p = (~(every < np.array(seen) * (1 - 1e-9))).mean(0)
    for (_, low, high), chance in zip((found.restricted_mean, found.log_ratio), p, strict=True):
        assert low <= 0 <= high or chance <= 0.2 + 1e-12


PAIRED = {"rate": 0.9425, "restricted_mean": 0.9360, "log_ratio": 0.9360}  # covered in 2,000 other cells


@pytest.mark.parametrize(
    "cells", [pytest.param(200, id="small"), pytest.param(10_000, id="full", marks=pytest.mark.slow)]
)
def test_paired_intervals_cover_the_truth(cells):
    """40 pairs, nominal 95 %: exponential times of means 100 and 150, watched for 120, half of the pairs
    sharing their luck. 5 standard errors of the difference for each of three: 2e-6."""
    rng = np.random.default_rng(6)
    truth = {
        "rate": exp(-120 / 150) - exp(-120 / 100),
        "restricted_mean": 100 * (1 - exp(-1.2)) - 150 * (1 - exp(-0.8)),
        "log_ratio": log(100 / 150),
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(cells):
        a, b = correlated(rng, 40)
        seed = int(rng.integers(2**32))
        found = paired_difference(a, b, seed=seed, budgets=(120, 120), resamples=1000)
        for name, value in truth.items():
            _, low, high = getattr(found, name)
            covered[name] += low <= value <= high
    for name, expected in PAIRED.items():
        error = sqrt(expected * (1 - expected) * (1 / cells + 1 / 2000))
        assert abs(covered[name] / cells - expected) < 5 * error
        assert abs(expected - 0.95) < 0.02


def correlated(rng, n):
    luck = rng.exponential(size=n)
    other = np.where(rng.random(n) < 0.5, luck, rng.exponential(size=n))
    times = 100 * luck, 150 * other
    return [Replicas(np.minimum(time, 120), time <= 120) for time in times]


def test_pairing_narrows_the_interval():
    """Of 400 pairs that share half their luck, and of the same replicas paired at random."""
    a, b = correlated(np.random.default_rng(1), 400)
    order = np.random.default_rng(2).permutation(400)
    paired = paired_difference(a, b, seed=0, resamples=2000)
    apart = paired_difference(a, Replicas(b.time[order], b.solved[order]), seed=0, resamples=2000)
    np.testing.assert_allclose(numbers(paired)[:, 0], numbers(apart)[:, 0])
    widths = [np.diff(numbers(found)[:, 1:], axis=1) for found in (paired, apart)]
    assert (widths[0] < 0.9 * widths[1]).all()


# Restarts and profiles


def test_restarts_are_geometric_in_failures():
    """A run of two succeeds at 10, the other fails after 100: 10 + 100 k with chance 2^−(k+1). χ² of 20,000
    draws over k = 0 … 5 and more; p < 1e-6 is the alarm."""
    drawn = restarted([[10.0], [inf]], [10.0, 100.0], seed=5, draws=20_000)[:, 0]
    k = np.rint((drawn - 10) / 100).astype(int)
    np.testing.assert_allclose(drawn, 10 + 100 * k)
    seen = np.bincount(np.minimum(k, 6), minlength=7)
    chance = np.array([*(0.5 ** np.arange(1, 7)), 0.5**6])
    assert stats.chisquare(seen, 20_000 * chance).pvalue > 1e-6


def test_the_mean_of_restarts_is_the_running_time_of_each_target():
    """Three targets of 30 replicas, the hardest reached by few. 40,000 draws; 5 standard errors each, 2e-6 in
    all."""
    rng = np.random.default_rng(0)
    first, budget = rng.exponential(50, 30), rng.uniform(60, 120, 30)
    reached = np.column_stack([first, 2 * first, 3 * first])
    reached = np.where(reached <= budget[:, None], reached, inf)
    spent = np.minimum(reached[:, 2], budget)
    drawn = restarted(reached, spent, seed=1, draws=40_000)
    for target, times in zip(reached.T, drawn.T, strict=True):
        truth = expected_running_time(np.where(np.isfinite(target), target, spent), np.isfinite(target))
        assert abs(times.mean() - truth) < 5 * times.std() / sqrt(len(times))
    assert np.isinf(restarted([[inf]], [5.0], seed=0)).all()


def test_the_runtime_profile_is_the_distribution_of_real_restarts():
    """An exponential run of mean 100 given up after 70 and started afresh takes an exponential time of mean
    100: no memory. 4,000 replicas and 20,000 draws; the bound is Dvoretzky, Kiefer & Wolfowitz's (Massart's
    constant) for both, each at 1e-6."""
    event = np.random.default_rng(2).exponential(100, 4000)
    reached, spent = np.where(event <= 70, event, inf), np.minimum(event, 70)
    profile = runtime_profile([reached[:, None]], [spent], seed=3, draws=20_000)
    at = np.linspace(1, 600, 200)
    bound = sum(sqrt(log(2e6) / (2 * n)) for n in (4000, 20_000))
    # × 1.5, for restarts redraw the same runs
    assert np.abs(profile.at(at) - (1 - np.exp(-at / 100))).max() < 1.5 * bound
    assert 1.5 * bound < 0.1
    assert profile.share[-1] == 1


def test_runtime_profile_by_hand():
    """Two tasks; every run reaches the easy target, the hard one of the second task is never reached: 3 of 4
    targets."""
    tables = [[[1.0, 4], [1, 4]], [[2.0, inf]]]
    profile = runtime_profile(tables, [[4, 4], [9.0]], seed=0, draws=10)
    np.testing.assert_allclose(profile.x, [1, 2, 4])
    np.testing.assert_allclose(profile.share, [1 / 4, 2 / 4, 3 / 4])
    np.testing.assert_allclose(profile.at([0, 1, 1.9, 4, 1e9]), [0, 1 / 4, 1 / 4, 3 / 4, 3 / 4])
    assert len(runtime_profile([[[inf]]], [[3.0]], seed=0).x) == 0
    assert runtime_profile([[[inf]]], [[3.0]], seed=0).at(1e9) == 0


@quick
@given(
    st.lists(st.tuples(st.integers(0, 5) | st.just(inf), st.integers(5, 9)), min_size=1, max_size=8),
    st.sampled_from([1e-6, 4.0]),
)
def test_restarts_keep_order_and_unit(runs, unit):
    """If this fails, the draws depend on the order of replicas or on what is counted (epochs, seconds)."""
    reached, spent = np.array(runs, float).T
    drawn = restarted(reached[:, None], spent, seed=0, draws=50)
    assert not np.isnan(drawn).any()
    np.testing.assert_array_equal(restarted(reached[::-1, None], spent[::-1], seed=0, draws=50), drawn)
    np.testing.assert_allclose(
        restarted(unit * reached[:, None], unit * spent, seed=0, draws=50), unit * drawn
    )


def test_performance_profile_by_hand():
    """Four tasks. Ratios of the first: 1, 3, ∞, and on the last both fail; of the second: 2, 1, 1."""
    one, two = performance_profile([[1.0, 9, inf, inf], [2, 3, 5, inf]])
    np.testing.assert_allclose((one.x, one.share), ([1, 3], [1 / 4, 2 / 4]))
    np.testing.assert_allclose((two.x, two.share), ([1, 2], [2 / 4, 3 / 4]))
    assert one.at(0.99) == 0


@quick
@given(st.lists(st.tuples(*[st.integers(1, 9).map(float) | st.just(inf)] * 3), min_size=1, max_size=6))
def test_performance_profile_is_its_definition(tasks):
    table = np.array(tasks).T
    for a, profile in enumerate(performance_profile(table)):
        for tau in (1, 1.5, 3, 100):
            within = [table[a, p] <= tau * min(table[:, p]) and table[a, p] < inf for p in range(len(tasks))]
            assert profile.at(tau) == pytest.approx(np.mean(within))
    for one, other in zip(performance_profile(table), performance_profile(8 * table[:, ::-1]), strict=True):
        np.testing.assert_array_equal(one, other)


# Many comparisons


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.9, 0.2, 0.5]), [1, 0.6, 1])
    assert holm([]).shape == (0,)


@quick
@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.2))
def test_holm_rejects_what_the_sequential_procedure_rejects(p, level):
    """Holm's own words: from the smallest on, as long as p ≤ α / (number of hypotheses left)."""
    rejected, left = set(), sorted(range(len(p)), key=p.__getitem__)
    while left and p[left[0]] * len(left) <= level:
        rejected.add(left.pop(0))
    assert set(np.flatnonzero(holm(p) <= level)) == rejected


@pytest.mark.parametrize(
    "families", [pytest.param(5000, id="small"), pytest.param(100_000, id="full", marks=pytest.mark.slow)]
)
def test_holm_keeps_the_chance_of_any_false_alarm(families):
    """Ten comparisons, six of them nulls that share half their variance: any false alarm in at most 5 %. 5
    standard errors, 3e-7. Without Holm it is in more than 12 %."""
    rng = np.random.default_rng(3)
    z = (
        sqrt(0.5) * rng.normal(size=(families, 1))
        + sqrt(0.5) * rng.normal(size=(families, 10))
        + np.where(np.arange(10) < 6, 0, 4)
    )
    p = 2 * stats.norm.sf(np.abs(z))
    error = 5 * sqrt(0.05 * 0.95 / families)
    assert np.mean([(holm(row)[:6] <= 0.05).any() for row in p]) < 0.05 + error
    assert (p[:, :6] <= 0.05).any(1).mean() > 0.12


# Bad input


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: holm([0.1, np.nan]), "p must be a list of numbers from 0 to 1"),
        (lambda: performance_profile([[1.0, 0]]), "positive or ∞"),
        (lambda: restarted([[3.0]], [2.0], seed=0), "must not be later"),
        (lambda: restarted([[np.nan]], [2.0], seed=0), "replicas × targets"),
        (lambda: runtime_profile([], [], seed=0), "at least one"),
        (lambda: logrank(Replicas([], []), Replicas([1], [1])), "at least one replica"),
        (lambda: paired_difference(Replicas([1], [1]), Replicas([1, 2], [1, 0]), seed=0), "1 and 2"),
        (
            lambda: paired_difference(Replicas([1], [1]), Replicas([2], [0]), seed=0, until=3),
            "watched, 2, but 3",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, said):
    with pytest.raises(InputError, match=said):
        call()

"""The running time at the best of several settings, and ratios of two, held to populations whose costs are
known in closed form at each setting and cutoff; with a leak planted, which the check must see."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from harness.statistics import best_ratio, best_setting, cost_at
from harness.statistics.cutoff import best_cutoff
from helpers.restarts import Law, cost_of

BUDGET = 3000.0
RATES = tuple(  # of a rule: too small, good, good, nearly always stuck
    Law(stuck, median, 0.7, BUDGET)
    for stuck, median in ((0.1, 2000.0), (0.15, 300.0), (0.2, 260.0), (0.3, 280.0), (0.6, 250.0))
)


def cells(n, count, seed):
    """A rule at its rates, on the same starts: half of a replica's luck and pace is its own."""
    rng = np.random.default_rng([seed, n])
    for cell in range(count):
        shared, luck, pace = rng.random((2, n)) < 0.5, rng.random(n), rng.random(n)
        made = []
        for law in RATES:
            other = rng.random((2, n))
            made.append(law.cell(np.where(shared[0], luck, other[0]), np.where(shared[1], pace, other[1])))
        yield cell, made


def truth(found, n):
    """What a success costs at the settings and cutoffs that were chosen."""
    return cost_of([RATES[k] for k in found.chosen], found.cutoffs, n)


@pytest.mark.parametrize("n", [20, 40])
@pytest.mark.parametrize(
    "count", [pytest.param(100, id="small"), pytest.param(2000, id="full", marks=pytest.mark.slow)]
)
def test_the_interval_covers_the_cost_at_what_was_chosen(n, count):
    """Nominal 95 %, held to 93 % with a false alarm of 1e-6 a case."""
    covered = 0
    for seed, some in cells(n, count, seed=1):
        found = best_setting(some, seed=seed, budget=BUDGET, resamples=300)
        covered += found.time.low <= truth(found, n) <= found.time.high
    assert covered >= stats.binom(count, 0.93).ppf(1e-6)


@pytest.mark.parametrize(
    "count", [pytest.param(400, id="small"), pytest.param(4000, id="full", marks=pytest.mark.slow)]
)
def test_a_setting_chosen_on_what_is_reported_flatters(count):
    """n = 20. An honest value is below the truth as often as that of a setting and cutoff fixed beforehand; 3
    standard errors of the difference, false alarm 1e-3. The least cost of all settings and cutoffs, read
    where it was found, fails this check."""
    fixed, below = 700.0, np.zeros(3)
    for _, some in cells(20, count, seed=2):
        found = best_setting(some, seed=0, budget=BUDGET, resamples=1)
        k = found.best
        cutoff = best_cutoff(*some[k])
        reported = [cost_at(*some[1][:2], fixed), found.time.value, cost_at(*some[k][:2], cutoff)]
        below += np.less(
            reported, [RATES[1].cost([fixed], 20), truth(found, 20), RATES[k].cost([cutoff], 20)]
        )
    most = below[0] + 3 * sqrt(2 * 0.25 * count)
    assert below[1] <= most
    assert below[2] > most


@pytest.mark.parametrize(
    "tables", [pytest.param(100, id="small"), pytest.param(2000, id="full", marks=pytest.mark.slow)]
)
def test_one_rule_and_its_double_are_called_different_no_more_often_than_the_level_says(tables):
    """n = 20, settings and cutoffs chosen apart, from other starts; 5 % of the tables, false alarm 1e-6."""
    called = 0
    for (seed, a), (_, b) in zip(cells(20, tables, seed=3), cells(20, tables, seed=4), strict=True):
        found = best_ratio(a, b, seed=seed, budgets=(BUDGET, BUDGET), resamples=199)
        called += found.low > 1 or found.high < 1
    assert called <= stats.binom(tables, 0.05).isf(1e-6)

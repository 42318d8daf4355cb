"""Correlations over rules, laws held out and decades of a rate held to populations whose truth is known.

A rule has normal x and y on each task, correlated by r, of which a share is the rule's own on all tasks: then
Spearman's ρ is 6/π asin(r/2) and Kendall's τ 2/π asin(r), and a law of ranks foretells ρ² (Pearson 1907).
"""

from __future__ import annotations

from math import asin, pi

import numpy as np
import pytest
from scipy.stats import binom

from harness.statistics import (
    Replicas,
    concordance,
    decades_within,
    held_out,
    permutation_p,
    rank_correlation,
    resampled_costs,
    restarted_cost,
    sensitivity,
    tau_interval,
)

FORMS = [30, pytest.param(300, marks=pytest.mark.slow)]
"""Populations drawn: the small form, and the full one."""


def cells(rng, rules, tasks, r, own):
    """x, y, unit, task of rules × tasks."""
    spread = [[1, r], [r, 1]]
    z = np.sqrt(own) * rng.multivariate_normal([0, 0], spread, rules)[:, None]
    z = z + np.sqrt(1 - own) * rng.multivariate_normal([0, 0], spread, (rules, tasks))
    return *z.reshape(-1, 2).T, np.repeat(np.arange(rules), tasks), np.tile(np.arange(tasks), rules)


def covers(held, n, least=0.92):
    """Whether so many of n intervals held the truth as if `least` of them do; then fewer come by chance once
    in 10,000."""
    return sum(held) >= binom.ppf(1e-4, n, least)


def seldom(alarms, n, most=0.05):
    """Whether so few of n were false alarms as if `most` of them are; then more come once in 10,000."""
    return sum(alarms) <= binom.isf(1e-4, n, most)


@pytest.mark.parametrize("n", FORMS)
@pytest.mark.parametrize(("r", "own"), [(0.0, 0.5), (0.6, 0.5), (-0.6, 0.95)])
def test_rho_is_covered_whatever_is_a_rules_own(n, r, own):
    """14 rules on 8 tasks: 93 to 97 of 100 in 300 populations each."""
    rng, truth, held = np.random.default_rng(1), 6 / pi * asin(r / 2), []
    for _ in range(n):
        x, y, unit, task = cells(rng, 14, 8, r, own)
        low, high = rank_correlation(x, y, unit=unit, task=task, seed=0, resamples=300)[1:]
        held.append(low <= truth <= high)
    assert covers(held, n)


@pytest.mark.parametrize("n", FORMS)
def test_by_units_p_is_seldom_small_by_chance_and_by_cells_it_is_often(n):
    """14 rules on 8 tasks, half of x and of y a rule's own and nothing in common: p ≤ .05 in 5 of 100 by
    units, and in about 20 where cells are dealt for themselves: that is why rules are."""
    rng, units, alone = np.random.default_rng(2), [], []
    for _ in range(2 * n):
        x, y, unit, task = cells(rng, 14, 8, 0.0, 0.5)
        units.append(permutation_p(x, y, task=task, unit=unit, most=200) <= 0.05)
        alone.append(permutation_p(x, y, task=task, most=200) <= 0.05)
    assert seldom(units, 2 * n)
    assert sum(alone) > binom.ppf(1e-4, 2 * n, 0.15)


@pytest.mark.parametrize("n", FORMS)
@pytest.mark.parametrize("own", [0.5, 0.95])
def test_of_noise_nothing_is_foretold(n, own):
    """R² is above 0 by its whole interval in at most 1 of 100, and 0 or less in the mean, also where rules
    are the same on all tasks: 4 standard errors are a chance of 3e-5."""
    rng, alarms, values = np.random.default_rng(3), [], []
    for _ in range(n):
        x, y, unit, task = cells(rng, 12, 5, 0.0, own)
        found = held_out(x, y, unit=unit, task=task, seed=0, resamples=150)
        alarms.append(found.low > 0)
        values.append(found.value)
    assert seldom(alarms, n, 0.025)
    assert np.mean(values) < 0 + 4 * np.std(values) / np.sqrt(n)


@pytest.mark.parametrize("n", FORMS)
def test_what_a_law_foretells_is_covered(n):
    rng, truth, held = np.random.default_rng(4), (6 / pi * asin(0.3)) ** 2, []
    for _ in range(n):
        x, y, unit, task = cells(rng, 14, 6, 0.6, 0.5)
        low, high = held_out(x, y, unit=unit, task=task, seed=0, resamples=200)[1:]
        held.append(low <= truth <= high)
    assert covers(held, n)


def test_a_planted_law_is_found():
    """Costs that rise with x on every task, each in units of its own, a quarter never reached: ρ, p and R²
    all say so."""
    rng = np.random.default_rng(5)
    x, _, unit, task = cells(rng, 12, 6, 0.0, 0.5)
    y = 10.0**task * np.exp(2 * x + 0.5 * rng.normal(size=len(x)))
    y[x > np.quantile(x, 0.75)] = np.inf
    assert rank_correlation(x, y, unit=unit, task=task, seed=0, resamples=500).low > 0.6
    assert permutation_p(x, y, unit=unit, task=task) < 0.001
    assert held_out(x, y, unit=unit, task=task, seed=0, resamples=500).low > 0.5


def cell(rng, middle, n, chance):
    """Lognormal times about e^middle, some of them failures of twenty times that."""
    time, solved = np.exp(middle + 0.6 * rng.normal(size=n)), rng.random(n) < chance
    budget = 20 * np.exp(middle)
    return Replicas(np.where(solved, np.minimum(time, budget), budget), solved)


@pytest.mark.parametrize("n", FORMS)
@pytest.mark.parametrize("r", [0.0, 0.6])
def test_tau_of_two_tasks_is_covered(n, r):
    """12 rules, 20 replicas of each, of which 80 % succeed; costs of rules spread by a factor e."""
    rng, truth, held = np.random.default_rng(6), 2 / pi * asin(r), []
    for _ in range(n):
        middles = 3 + rng.multivariate_normal([0, 0], [[1, r], [r, 1]], 12)
        sides = [[cell(rng, m, 20, 0.8) for m in column] for column in middles.T]
        x, y = ([restarted_cost(c)[0] for c in side] for side in sides)
        drawn = [
            np.column_stack([resampled_costs(c, seed=100 * k + i, resamples=200) for i, c in enumerate(side)])
            for k, side in enumerate(sides)
        ]
        low, high = tau_interval(x, y, (drawn[0], drawn[1]), seed=0)[1:]
        held.append(low <= truth <= high)
    assert covers(held, n)


def test_w_of_noise_is_seldom_significant():
    """300 tables of 8 rules and 4 tasks, ties among them: at most as many p ≤ .05 as come once in 10,000."""
    rng = np.random.default_rng(7)
    tables = [rng.integers(0, 6, (8, 4)).astype(float) for _ in range(300)]
    assert seldom([concordance(t, most=200).p <= 0.05 for t in tables], 300)


RATES = 10.0 ** np.arange(-2, 1.6, 0.5)


def valley(rng, n, steep, chance, width):
    """n replicas at each rate: times rise by e^(steep · decades²) to either side, and successes get rarer."""
    own, some = rng.normal(size=n), []
    for x in np.log10(RATES):
        time = 100 * np.exp(steep * x * x + 0.5 * (0.5 * own + 0.75**0.5 * rng.normal(size=n)))
        solved = (rng.random(n) < chance * np.exp(-((x / width) ** 4))) & (time <= 2000)
        some.append(Replicas(np.where(solved, time, 2000.0), solved))
    return some


@pytest.mark.parametrize("n", FORMS)
@pytest.mark.parametrize(("replicas", "steep", "chance", "width"), [(20, 1.5, 0.9, 5.0), (10, 1.5, 0.7, 1.0)])
def test_decades_are_covered(n, replicas, steep, chance, width):
    """The truth from 40,000 replicas at each rate, off by less than .01 decades. 93 to 97 of 100."""
    many = valley(np.random.default_rng(0), 40_000, steep, chance, width)
    truth = decades_within(RATES, [restarted_cost(some)[0] for some in many])
    rng, held = np.random.default_rng(8), []
    for _ in range(n):
        some = valley(rng, replicas, steep, chance, width)
        low, high = sensitivity(RATES, some, seed=0, resamples=200).decades[1:]
        held.append(low <= truth <= high)
    assert covers(held, n)

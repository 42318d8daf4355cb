"""The running time at the best setting held to enumeration: all settings and all cutoffs, in plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.errors import InputError
from harness.statistics import (
    Replicas,
    best_ratio,
    best_setting,
    resampled_best,
    restarted_time,
)
from harness.statistics.bootstrap import draws

INF = np.inf
BUDGET = 12.0


def some_settings(rng, settings, n):
    """Replicas of few different times, so that costs tie; some diverged, some settings never solve."""
    made = []
    for _ in range(settings):
        chance = rng.choice([0.0, 0.3, 0.8])
        solved = rng.random(n) < chance
        diverged = ~solved & (rng.random(n) < 0.3)
        time = np.where(solved | diverged, rng.integers(1, 11, n), BUDGET).astype(float)
        made.append(Replicas(time, solved, diverged))
    return made


def at_cutoff(side, who, cutoff):
    """What some replicas spend, and how many are solved, if each is given up at the cutoff."""
    spent = sum(min(side.time[i], cutoff) for i in who)
    return spent, sum(bool(side.solved[i]) and side.time[i] <= cutoff for i in who)


def cheapest(settings, who):
    """The setting and cutoff of the least cost, the first of several; without a success the first, uncut."""
    best = (INF, 0, INF)
    for k, side in enumerate(settings):
        watched = [side.time[i] for i in who if not side.solved[i] and not side.diverged[i]]
        horizon = min(watched, default=INF)
        for cutoff in sorted({side.time[i] for i in who if side.solved[i] and side.time[i] <= horizon}):
            spent, hits = at_cutoff(side, who, cutoff)
            if spent / hits < best[0] * (1 - 1e-9):
                best = (spent / hits, k, cutoff)
    return best


def test_setting_and_cutoff_are_the_cheapest_of_the_others_by_enumeration():
    rng = np.random.default_rng(1)
    never = 0
    for _ in range(150):
        n, folds = int(rng.integers(4, 11)), int(rng.integers(2, 4))
        settings = some_settings(rng, int(rng.integers(1, 5)), n)
        spent = hits = 0.0
        chosen, cutoffs = [], []
        for f in range(folds):
            others = [i for i in range(n) if i % folds != f]
            _, k, cutoff = cheapest(settings, others)
            each = at_cutoff(settings[k], [i for i in range(n) if i % folds == f], cutoff)
            spent, hits = spent + each[0], hits + each[1]
            chosen.append(k)
            cutoffs.append(cutoff)
        found = best_setting(settings, seed=0, budget=BUDGET, folds=folds, resamples=10)
        assert found.chosen.tolist() == chosen
        assert found.cutoffs.tolist() == cutoffs
        assert found.time.value == pytest.approx(spent / hits if hits else INF)
        assert found.time.low <= found.time.value <= found.time.high
        cost, k, _ = cheapest(settings, range(n))
        assert found.best == (k if cost < INF else -1)
        never += not hits
    assert 0 < never < 150


def test_a_lucky_setting_is_not_what_is_reported():
    """By hand. Either setting is quick for one half and slow for the other; what is quick for the one half is
    chosen for the other, for which it is slow: 5 and 5 epochs, given up, and no success. The least of the two
    mean costs is 15."""
    quick, slow = 5.0, 25.0
    even = np.arange(8) % 2 == 0
    settings = [Replicas(np.where(even, quick, slow), np.ones(8, bool))]
    settings.append(Replicas(np.where(even, slow, quick), np.ones(8, bool)))
    found = best_setting(settings, seed=0, budget=30, resamples=10)
    assert found.chosen.tolist() == [1, 0]
    assert found.cutoffs.tolist() == [5.0, 5.0]
    assert found.time.value == INF


def test_one_setting_is_the_best_cutoff_alone():
    (side,) = some_settings(np.random.default_rng(5), 1, 20)
    one = best_setting([side], seed=3, budget=BUDGET, resamples=200)
    known = restarted_time(side, seed=3, budget=BUDGET, resamples=200)
    assert tuple(one.time) == tuple(known.time)
    assert one.cutoffs.tolist() == known.cutoffs.tolist()


def test_a_setting_that_solves_nothing_changes_nothing_and_a_price_is_a_unit():
    settings = some_settings(np.random.default_rng(7), 3, 16)
    never = Replicas(np.full(16, BUDGET), np.zeros(16, bool))
    one, more = (best_setting(s, seed=0, budget=BUDGET, resamples=50) for s in (settings, [*settings, never]))
    assert tuple(one.time) == tuple(more.time)
    assert one.chosen.tolist() == more.chosen.tolist()
    dear = best_setting(settings, seed=0, budget=BUDGET, price=250.0, resamples=50)
    assert tuple(dear.time) == pytest.approx(tuple(250 * x for x in one.time))
    assert dear.cutoffs.tolist() == one.cutoffs.tolist()
    nothing = best_setting([never, never], seed=0, budget=BUDGET, resamples=50)
    assert (nothing.time.value, nothing.best, nothing.chosen.tolist()) == (INF, -1, [0, 0])


def test_resampled_costs_are_those_of_the_replicas_written_out():
    found = best_setting(some_settings(np.random.default_rng(11), 3, 10), seed=0, budget=BUDGET, resamples=5)
    side = found.side
    for counts, cost in zip(
        np.concatenate(list(draws(10, 30, 4))).astype(int),
        resampled_best(found, seed=4, resamples=30),
        strict=True,
    ):
        who = np.repeat(np.arange(10), counts)
        hits = side.solved[who].sum()
        assert cost == (pytest.approx(side.spent[who].sum() / hits) if hits else INF)


# Ratios


def test_a_ratio_is_that_of_the_two_costs_and_of_one_rule_with_itself_one():
    rng = np.random.default_rng(2)
    a, b = (
        [Replicas(pace * np.exp(rng.normal(size=30)), np.ones(30, bool)) for pace in paces]
        for paces in ((100, 10), (800, 400))
    )
    costs = [best_setting(s, seed=0, resamples=5).time.value for s in (a, b)]
    found = best_ratio(a, b, seed=0, prices=(1.0, 3.0), budgets=(10_000, 10_000), resamples=400)
    assert found.value == pytest.approx(costs[0] / costs[1] / 3)
    assert found.high < 1
    same = best_ratio(a, a, seed=0, budgets=(10_000, 10_000), resamples=400)
    assert same.value == 1
    assert same.low <= 1 <= same.high


def test_where_a_side_never_solves_the_ratio_is_open():
    side = [Replicas(np.full(12, 5.0), np.ones(12, bool))] * 2
    never = [Replicas(np.full(12, 5.0), np.zeros(12, bool))] * 2
    values = [best_ratio(*pair, seed=0, resamples=50).value for pair in ((never, side), (side, never))]
    assert values == [INF, 0.0]
    value, low, high = best_ratio(never, never, seed=0, resamples=50)
    assert np.isnan(value)
    assert (low, high) == (0.0, INF)


GOOD = Replicas(np.full(6, 5.0), np.ones(6, bool))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: best_setting([], seed=0), "at one setting at least, but none were given"),
        (lambda: best_setting([GOOD, Replicas([1.0], [True])], seed=0), "from 1 to 6 were given"),
        (lambda: best_setting([GOOD], seed=0, folds=1), "folds must be a whole number, at least 2"),
        (lambda: best_setting([GOOD], seed=0, price=0.0), "price of an epoch must be above 0, but 0.0"),
        (lambda: best_setting([GOOD], seed=0, budget=4), "no fewer than any ran"),
        (lambda: best_ratio([GOOD], [GOOD, GOOD], seed=0), "but 1 of 6 and 2 of 6 were given"),
    ],
)
def test_bad_arguments_are_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()

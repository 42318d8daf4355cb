"""The ratio of two running times at the best cutoffs held to both of them, to all ways in which a and b can
be swapped, and to the ratio of expected running times where nothing is cut."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import InputError
from harness.statistics import Replicas, paired_difference, paired_ratio, restarted_time
from helpers.few_replicas import BUDGET, REPLICA, replicas

quick = settings(deadline=None, derandomize=True, max_examples=80)
PAIRS = st.lists(st.tuples(REPLICA, REPLICA), min_size=1, max_size=5)


def sides_of(pairs):
    return [replicas(side) for side in zip(*pairs, strict=True)]


def value_by_hand(a, b):
    """ln of the ratio of two running times at cutoffs chosen on the other half."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.subtract(
            *(np.log(restarted_time(s, seed=0, budget=BUDGET, resamples=1).time.value) for s in (a, b))
        )


@quick
@given(PAIRS)
def test_the_ratio_is_that_of_the_two_running_times(pairs):
    a, b = sides_of(pairs)
    found = paired_ratio(a, b, seed=0, budgets=(BUDGET, BUDGET), resamples=20)
    np.testing.assert_allclose(found.ratio.value, np.exp(value_by_hand(a, b)))
    for side, cutoffs in zip((a, b), found.cutoffs, strict=True):
        np.testing.assert_array_equal(
            cutoffs, restarted_time(side, seed=0, budget=BUDGET, resamples=1).cutoffs
        )
    assert found.ratio.low <= found.ratio.high
    turned = paired_ratio(b, a, seed=0, budgets=(BUDGET, BUDGET), resamples=20)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(turned.ratio.value, 1 / np.float64(found.ratio.value))


@settings(quick, max_examples=25)
@given(PAIRS)
def test_no_interval_excludes_1_against_all_swaps_with_cutoffs_chosen_anew(pairs):
    """p from its definition: each pair dealt either way, and both sides cut and judged anew."""
    a, b = sides_of(pairs)
    found = paired_ratio(a, b, seed=0, budgets=(BUDGET, BUDGET), level=0.8, resamples=100)
    table, seen, every = np.array([np.column_stack(side) for side in (a, b)]), abs(value_by_hand(a, b)), []
    for turned in product([False, True], repeat=len(pairs)):
        dealt = np.where(np.array(turned)[None, :, None], table[::-1], table)
        sides = [Replicas(side[:, 0], side[:, 1] > 0, side[:, 2] > 0) for side in dealt]
        every.append(abs(value_by_hand(*sides)))
    p = np.mean([not gap < seen * (1 - 1e-9) for gap in every])
    assert found.ratio.low <= 1 <= found.ratio.high or p <= 0.2 + 1e-12


@pytest.mark.parametrize("mean", [100, 5])
def test_without_folds_it_is_the_ratio_of_expected_running_times(mean):
    """Also where one side shows no failure, and only the budget says what one would cost."""
    rng = np.random.default_rng(0)
    a, b = (Replicas(np.minimum(t, 120), t <= 120) for t in rng.exponential([[100], [mean]], (2, 30)))
    assert b.solved.all() == (mean == 5)
    found = paired_ratio(a, b, seed=3, budgets=(120, 120), folds=None, resamples=200)
    plain = paired_difference(a, b, seed=3, budgets=(120, 120), resamples=200).log_ratio
    np.testing.assert_allclose(found.ratio, np.exp(plain))
    assert all(np.isinf(cutoffs).all() for cutoffs in found.cutoffs)


def test_only_replicas_that_both_have_are_compared():
    """The first ten of forty, and not the thirty that the other side never ran."""
    rng = np.random.default_rng(1)
    a, b = (Replicas(rng.exponential(100, n), np.ones(n)) for n in (40, 10))
    found = paired_ratio(a, b, seed=0, budgets=(inf, inf), resamples=50)
    assert found.replicas == 10
    same = paired_ratio(Replicas(a.time[:10], np.ones(10)), b, seed=0, budgets=(inf, inf), resamples=50)
    assert found.ratio == same.ratio


def test_prices_make_the_ratio():
    """The same replicas at three times the price an epoch."""
    rng = np.random.default_rng(2)
    side = Replicas(rng.exponential(100, 40), np.ones(40))
    found = paired_ratio(side, side, seed=0, spent=(3 * side.time, None), budgets=(500, 500), resamples=100)
    assert found.ratio.value == pytest.approx(3)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"spent": ([[1.0, 2.0]], None)}, "one currency"),
        ({"folds": 1}, "folds must be a whole number, at least 2"),
        ({"budgets": (0.5, inf)}, "budget must be the most epochs"),
        ({"level": 1}, "level must be"),
    ],
)
def test_bad_input_is_one_sentence(more, words):
    with pytest.raises(InputError, match=words):
        paired_ratio(*[Replicas([1.0], [1])] * 2, seed=0, **more)

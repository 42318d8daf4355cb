"""The decades of a rate within twice the least held to lengths counted by hand and to a fine grid, and costs
of resamples to those of the replicas written out."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import InputError
from harness.statistics import Replicas, decades_within, resampled_costs, restarted_cost, sensitivity
from harness.statistics.bootstrap import draws

INF = np.inf
quick = settings(deadline=None, derandomize=True, max_examples=80)
COSTS = st.lists(st.sampled_from([1.0, 1.5, 2.0, 3.0, 8.0, 100.0, INF]), min_size=2, max_size=7)
TENS = 10.0 ** np.arange(7)


@pytest.mark.parametrize(
    ("costs", "decades"),
    [
        ([4, 1, 4], 1.0),  # 2 is half way up to 4 on either side
        ([1, 1, 1], 2.0),
        ([8, 1, 2], 1 + 1 / 3),  # a third of the way up to 8, and all of it to 2
        ([INF, 1, 4], 0.5),  # nothing between never and a success
        ([INF, 1, INF], 0.0),
        ([1, 16, 1], 0.5),  # a quarter of the way up, and of the way down: both valleys count
        ([1, 16, 2], 0.25),
        ([INF, INF, INF], np.nan),
    ],
)
def test_lengths_by_hand(costs, decades):
    assert decades_within(TENS[:3], costs) == pytest.approx(decades, nan_ok=True)


@quick
@given(COSTS, st.sampled_from([1.0, 2.0, 5.0]))
def test_it_is_the_share_of_a_fine_grid(costs, factor):
    """100,000 rates, the cost of each a straight line in logarithms: off by one of them at each crossing."""
    at = TENS[: len(costs)]
    fine = np.linspace(0, len(costs) - 1, 100_001)
    with np.errstate(invalid="ignore"):
        height = np.interp(fine, np.arange(len(costs)), np.log(costs))
    found = decades_within(at, costs, factor)
    if np.isinf(costs).all():
        assert np.isnan(found)
        return
    low = np.mean(height <= np.log(factor * min(costs)) + 1e-9) * (len(costs) - 1)
    assert found == pytest.approx(low, abs=1e-3)


def test_it_knows_no_unit_and_takes_a_table_at_once():
    costs = np.array([[9, 3, 1, 2.5], [1, 5, INF, 1]])
    rates = [0.1, 0.3, 2, 7]
    assert decades_within(rates, costs) == pytest.approx([decades_within(rates, row) for row in costs])
    assert decades_within([100 * r for r in rates], 7 * costs) == pytest.approx(decades_within(rates, costs))


def test_what_nothing_is_known_of_makes_the_most_there_may_be():
    """A rate without a success costs at least 4: from 1 the limit 2 may be half way there; or at least 1.5:
    all of the way, and then the grid ends within the limit, and no number of decades is too many."""
    assert decades_within(TENS[:3], [8, 1, INF], at_least=[0, 0, 4]) == pytest.approx(1 / 3 + 1 / 2)
    assert decades_within(TENS[:3], [8, 1, INF], at_least=[0, 0, 1.5]) == INF
    assert decades_within(TENS[:4], [8, 1, INF, 8], at_least=[0, 0, 1.5, 0]) == pytest.approx(
        1 / 3 + 1 + np.log(2 / 1.5) / np.log(8 / 1.5)
    )
    assert decades_within(TENS[:3], [1, 1, 9], at_least=[0, 0, 0]) == INF


# From replicas


def at(time, solved=True, n=12):
    """n replicas that all take the same time."""
    return Replicas(np.full(n, float(time)), np.full(n, solved))


def test_of_replicas_that_are_all_alike_only_the_limits_of_what_was_seen_are_left():
    found = sensitivity(TENS[:4], [at(400), at(100), at(400), at(9999)], seed=0, resamples=50)
    assert found.decades.value == pytest.approx(1.0)
    assert found.decades.low == found.decades.high == pytest.approx(1.0)
    assert (found.best, found.edge, found.at_least) == (10.0, "", False)
    np.testing.assert_array_equal(found.costs, [400, 100, 400, 9999])


def test_never_is_as_dear_as_none_of_so_many_still_allows():
    """None of 12: a success has at most 1 − .025^(1/12) = .2646 of a chance, and costs at least 1000 · .7354
    / .2646 = 2779, 27.79 times the best; the upper end lies ln 2 / ln 27.79 of a decade beyond it."""
    found = sensitivity(TENS[:3], [at(400), at(100), at(1000, solved=False)], seed=0, resamples=50)
    p = 1 - 0.025 ** (1 / 12)
    assert found.decades.value == found.decades.low == pytest.approx(0.5)
    assert found.decades.high == pytest.approx(0.5 + np.log(2) / np.log(10 * (1 - p) / p))


@pytest.mark.parametrize(("times", "edge"), [((100, 400, 900), "lowest"), ((900, 400, 100), "highest")])
def test_a_best_rate_at_the_end_of_the_grid_is_said_and_has_no_upper_end(times, edge):
    found = sensitivity(TENS[:3], [at(t) for t in times], seed=0, resamples=50)
    assert (found.edge, found.at_least) == (edge, True)
    assert found.decades.high == INF


def test_a_rule_that_no_rate_solves_has_no_best():
    found = sensitivity(TENS[:2], [at(50, solved=False)] * 2, seed=0, resamples=50)
    assert np.isnan(found.best)
    assert np.isnan(found.decades.value)
    assert found.decades[1:] == (0, INF)


def test_resampled_costs_are_those_of_the_replicas_written_out():
    """Each resample as replicas of its own, each as often as it was drawn and in its own fold."""
    rng = np.random.default_rng(4)
    time, solved = rng.integers(1, 30, 7).astype(float), rng.random(7) < 0.7
    time[~solved] = 30
    found = resampled_costs(Replicas(time, solved), seed=5, resamples=40)
    for counts, cost in zip(np.concatenate(list(draws(7, 40, 5))).astype(int), found, strict=True):
        even, odd = (np.repeat(np.arange(7), counts * (np.arange(7) % 2 == k)) for k in (0, 1))
        longest = max(len(even), len(odd))
        if len(even) != longest or len(odd) not in (longest, longest - 1):
            continue  # folds of other sizes cannot be dealt in turn
        order = [fold[i] for i in range(longest) for fold in (even, odd) if i < len(fold)]
        assert cost == pytest.approx(restarted_cost(Replicas(time[order], solved[order]))[0])


def test_the_same_seed_draws_the_same_replicas_at_every_rate():
    time = np.arange(1.0, 9)
    one, other = (resampled_costs(Replicas(k * time, np.ones(8, bool)), seed=3, resamples=30) for k in (1, 7))
    np.testing.assert_allclose(other, 7 * one)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: decades_within([1], [1]), "two or more numbers above 0, ascending"),
        (lambda: decades_within([1, 1], [1, 2]), "ascending"),
        (lambda: decades_within([1, 2], [0, 2]), "costs must be above 0"),
        (lambda: decades_within([1, 2], [1, 2, 3]), "one for each of 2 rates"),
        (lambda: decades_within([1, 2], [1, 2], 0.5), "factor must be at least 1"),
        (lambda: sensitivity([1, 2], [at(1)], seed=0), "for each of 2 rates, but for 1"),
    ],
)
def test_what_is_wrong_is_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()


def test_two_rates_a_decade_are_a_decade_apart_every_other():
    rates = [0.1, 0.3, 1.0]
    assert decades_within(rates, [1, 1, 1]) == pytest.approx(log10(10))

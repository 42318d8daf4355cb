"""Rank correlations over rules and tasks held to hand-counted ranks, to scipy, to the closed form of partial
ρ, and to every way to deal a few of them out."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.core.errors import InputError
from harness.statistics import held_out, permutation_p, rank_correlation

INF, NAN = np.inf, np.nan
quick = settings(deadline=None, derandomize=True, max_examples=60)
VALUES = st.integers(0, 5).map(float) | st.just(INF)  # few, so that many are tied, and ∞ among them
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=12)
CELLS = st.lists(st.tuples(VALUES, VALUES, st.integers(0, 2)), min_size=4, max_size=14)


def rho(x, y, task=None, given=None, unit=None):
    """The value alone, its units one for each cell."""
    unit = np.arange(len(y)) if unit is None else unit
    return rank_correlation(x, y, unit=unit, task=task, given=given, seed=0, resamples=2).value


def by_hand(x, y, task):
    """Σ u v / √(Σ u² Σ v²) with scipy's mid-ranks within each task, as shares."""
    u, v = np.zeros(len(x)), np.zeros(len(x))
    for t in set(task):
        at = np.flatnonzero(np.asarray(task) == t)
        for to, of in ((u, x), (v, y)):
            to[at] = (stats.rankdata(np.asarray(of)[at]) - 0.5) / len(at) - 0.5
    size = (u @ u) * (v @ v)
    return (u @ v) / np.sqrt(size) if size > 1e-12 else NAN


# The value


@quick
@given(PAIRS)
def test_on_one_task_it_is_spearmans(pairs):
    """∞ is a rank like any other to scipy, too."""
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(x)) > 1 and len(set(y)) > 1:
        ranks = (stats.rankdata(a) for a in (x, y))
        assert rho(x, y) == pytest.approx(stats.spearmanr(*ranks).statistic)
    else:
        assert np.isnan(rho(x, y))


def test_a_known_rho():
    """Ten pupils in two subjects: Σ d² = 24, and ρ = 1 − 6 · 24 / 990 (counted by hand)."""
    one = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    other = np.array([3, 2, 1, 6, 5, 4, 9, 8, 7, 10])
    assert ((one - other) ** 2).sum() == 24
    assert rho(one, other) == pytest.approx(1 - 144 / 990)
    assert rho(one, -other) == pytest.approx(144 / 990 - 1)


@quick
@given(CELLS)
def test_within_tasks_it_is_the_sum_over_them(cells):
    x, y, task = (np.array(column) for column in zip(*cells, strict=True))
    assert rho(x, y, task) == pytest.approx(by_hand(x, y, task), nan_ok=True)


def test_tasks_of_other_units_make_no_difference():
    """On each of two tasks y falls with x; that the second has larger x and larger y is no correlation."""
    x, y, task = [1, 2, 3, 11, 12, 13], [3, 2, 1, 300, 200, 100], [0, 0, 0, 1, 1, 1]
    assert rho(x, y) > 0.5
    assert rho(x, y, task) == pytest.approx(-1)


def test_a_cost_that_is_never_reached_is_the_last_rank_tied_with_its_kind():
    assert rho([1, 2, 3, 4], [5, 6, INF, INF]) == pytest.approx(rho([1, 2, 3, 4], [1, 2, 3.5, 3.5]))
    assert rho([1, 2, 3], [1, 2, INF]) == pytest.approx(1)


@quick
@given(st.integers(0, 10**6))
def test_given_one_number_it_is_the_formula_of_partial_correlation(seed):
    """(r_xy − r_xz r_yz) / √((1 − r_xz²) (1 − r_yz²)) of ranks: Kendall 1942."""
    x, y, z = np.random.default_rng(seed).normal(size=(3, 9))
    xy, xz, yz = (stats.spearmanr(*two).statistic for two in ((x, y), (x, z), (y, z)))
    assert rho(x, y, given=z) == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))
    assert rho(x, y, given=np.column_stack([z, 2 * z])) == pytest.approx(rho(x, y, given=z))


def test_what_the_given_explains_is_gone():
    """x and y are both z, but for steps in other places: nothing is left of one that z explains wholly."""
    z = np.arange(8.0)
    y = np.array([1, 0, 3, 2, 5, 4, 7, 6])
    assert rho(z, y) > 0.9
    assert np.isnan(rho(z, y, given=z))


# Its interval


def test_a_unit_counts_once_however_many_cells_it_has():
    """Five rules on one task, and the same numbers written down for eight: no narrower by more than rounding
    of the resamples."""
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5])
    one = rank_correlation(x, y, unit=range(5), seed=0)
    cells = [np.tile(a, 8) for a in (x, y, np.arange(5))]
    eight = rank_correlation(*cells[:2], unit=cells[2], task=np.repeat(np.arange(8), 5), seed=0)
    assert eight.value == pytest.approx(one.value)
    assert eight.high - eight.low > 0.9 * (one.high - one.low)
    loose = rank_correlation(*cells[:2], unit=np.arange(40), task=np.repeat(np.arange(8), 5), seed=0)
    assert loose.high - loose.low < 0.6 * (eight.high - eight.low)


def test_ranks_that_are_all_the_same_are_no_point():
    found = rank_correlation(np.arange(8), np.arange(8), unit=np.arange(8), seed=0)
    assert found.value == pytest.approx(1)
    assert 0.5 < found.low < 1
    assert found.high <= 1


def test_of_three_units_nothing_is_said():
    assert rank_correlation([1, 2, 3], [1, 2, 3], unit=[0, 1, 2], seed=0)[1:] == (-1, 1)


# Permutations


@pytest.mark.parametrize("sizes", [(4,), (3, 3), (2, 3, 2), (5, 2)])
def test_p_is_the_share_of_all_ways_to_deal_within_tasks(sizes):
    """Counted out: every permutation of y within each task, and |ρ| by hand."""
    rng = np.random.default_rng(sum(sizes))
    task = np.repeat(np.arange(len(sizes)), sizes)
    x, y = rng.integers(0, 4, (2, len(task))).astype(float)
    x[0], x[-1], y[1], y[0] = 9, -9, INF, -3
    seen, dealt = abs(by_hand(x, y, task)), []
    for ways in product(*(permutations(np.flatnonzero(task == t)) for t in range(len(sizes)))):
        dealt.append(abs(by_hand(x, y[np.concatenate(ways)], task)))
    assert permutation_p(x, y, task=task) == pytest.approx(np.mean(np.array(dealt) >= seen - 1e-9))


def test_p_by_units_deals_whole_ones_of_those_on_every_task():
    """Four rules on three tasks, and one on two, which is left out: counted out over 4! ways."""
    rng = np.random.default_rng(5)
    unit, task = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    x, y = rng.normal(size=(2, 12))
    seen, dealt = abs(by_hand(x, y, task)), []
    for way in permutations(range(4)):
        dealt.append(abs(by_hand(x, y.reshape(4, 3)[list(way)].ravel(), task)))
    shuffled = rng.permutation(14)
    more = [np.append(a, b)[shuffled] for a, b in ((x, [8, 9]), (y, [8, 9]), (unit, [7, 7]), (task, [0, 2]))]
    p = permutation_p(more[0], more[1], unit=more[2], task=more[3])
    assert p == pytest.approx(np.mean(np.array(dealt) >= seen - 1e-9))


def test_drawn_ways_are_near_all_of_them():
    """Nine cells have 9! ways, and are drawn: scipy draws as well. 20,000 each: the difference has a standard
    error of at most .005, and .025 comes by chance less than once in 10⁶."""
    x, y = np.arange(9.0), np.array([2.0, 1, 4, 3, 9, 5, 8, 6, 7])
    theirs = stats.permutation_test(
        (y,),
        lambda a: stats.spearmanr(x, a).statistic,
        permutation_type="pairings",
        n_resamples=20_000,
        rng=0,
    )
    assert permutation_p(x, y) == pytest.approx(theirs.pvalue, abs=0.025)


def test_p_is_1_where_nothing_varies():
    assert permutation_p([1, 1, 1], [1, 2, 3]) == 1
    assert permutation_p([1, 2, 3], [INF, INF, INF]) == 1


# Held out


def table(slopes, units=6, seed=0):
    """Rules with one x on all tasks, and y in its order on each, or against it."""
    rng = np.random.default_rng(seed)
    x = np.tile(rng.permutation(units).astype(float), len(slopes))
    task, unit = np.repeat(np.arange(len(slopes)), units), np.tile(np.arange(units), len(slopes))
    return x, x * np.repeat(slopes, units), unit, task


def test_a_law_that_holds_everywhere_foretells_everything():
    x, y, unit, task = table([1, 1, 1])
    assert held_out(x, y, unit=unit, task=task, seed=0, resamples=50).value == pytest.approx(1)


def test_a_law_that_is_turned_round_on_the_task_held_out_is_worse_than_none():
    """Fitted on one task and held to its opposite: every v is foretold as −v, so 1 − Σ 4 v² / Σ v²."""
    x, y, unit, task = table([1, -1])
    assert held_out(x, y, unit=unit, task=task, seed=0, resamples=50).value == pytest.approx(-3)


def test_r2_is_that_of_lines_fitted_one_by_one():
    """Least squares by NumPy for each cell, on the cells that share neither its task nor its rule; two
    predictors, ties, ∞, and a rule that is not on every task."""
    rng = np.random.default_rng(3)
    unit, task = np.array([(u, t) for u in range(5) for t in range(3) if (u, t) != (4, 1)]).T
    x, y = rng.normal(size=(len(unit), 2)).round(1), rng.normal(size=len(unit))
    y[y > 1] = INF
    u, v = np.zeros(x.shape), np.zeros(len(y))
    for t in range(3):
        at = task == t
        v[at] = (stats.rankdata(y[at]) - 0.5) / at.sum() - 0.5
        for k in range(2):
            u[at, k] = (stats.rankdata(x[at, k]) - 0.5) / at.sum() - 0.5
    wrong = 0.0
    for i in range(len(y)):
        others = (unit != unit[i]) & (task != task[i])
        wrong += (v[i] - u[i] @ np.linalg.lstsq(u[others], v[others])[0]) ** 2
    found = held_out(x, y, unit=unit, task=task, seed=0, resamples=50)
    assert found.value == pytest.approx(1 - wrong / (v @ v))


# What is no number


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: rho([1, NAN, 3], [1, 2, 3]), "has no rank"),
        (lambda: rho([1, 2], [1, 2, 3]), "of the same 3 cells"),
        (lambda: rho([1], [1]), "at least two cells"),
        (lambda: rho([1, 2, 3], [1, 2, 3], task=[0, 0, 1], given=[1, 2, 3]), "name one of task and given"),
        (lambda: held_out([1, 2], [1, 2], unit=[0, 1], task=[0, 0], seed=0), "two tasks and two units"),
        (lambda: permutation_p([1, 2], [1, 2], unit=[0, 1], task=[0, 1]), "no two units with a cell"),
        (lambda: permutation_p([1, 2, 3], [1, 2, 3], unit=[0, 0, 1]), "more than one cell on a task"),
    ],
)
def test_what_is_wrong_is_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()

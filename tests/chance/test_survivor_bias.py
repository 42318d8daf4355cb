"""Survivor bias, planted: every statistic is held to the truth of a population whose failures matter, and the
same check must reject the same statistic once it is shown the solved replicas only.

Made-up algorithms with a budget of 500 epochs. `hasty` is quick (exponential, mean 50) with 4 replicas in 10
and hopeless with the rest; `steady` always gets there (exponential, mean 120). Over the solved only, hasty
looks better on every count.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import exp, inf, log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest

from harness import statistics
from harness.experiment import summary
from harness.statistics import Replicas

BUDGET, LUCKY, N = 500.0, 0.4, 4000
HASTY, STEADY = 50.0, 120.0
P = LUCKY * (1 - exp(-BUDGET / HASTY))  # hasty's solved rate
MEAN = (
    LUCKY * HASTY * (1 - exp(-BUDGET / HASTY)) + (1 - LUCKY) * BUDGET
)  # what a hasty replica spends on average
STEADY_MEAN = STEADY * (1 - exp(-BUDGET / STEADY))
STEADY_P = 1 - exp(-BUDGET / STEADY)


def population(seed):
    rng = np.random.default_rng(seed)
    hasty = np.where(rng.random(N) < LUCKY, rng.exponential(HASTY, N), inf)
    steady = rng.exponential(STEADY, N)
    return [Replicas(np.minimum(event, BUDGET), event <= BUDGET) for event in (hasty, steady)]


HASTY_CELL, STEADY_CELL = population(11)
NAMES = (
    *("expected_running_time", "running_time", "survival", "solved_rate"),
    *("logrank", "mcnemar", "paired_difference", "restarted", "interquartile_mean"),
)
OURS = SimpleNamespace(**{name: getattr(statistics, name) for name in NAMES})


def solved_only(columns: Callable) -> Callable:
    """What a statistic becomes when failures are dropped first: `columns` says which replicas of its
    arguments stay."""

    def bias(function):
        @wraps(function)
        def biased(*arguments, **settings):
            return function(*columns(*arguments), **settings)

        return biased

    return bias


def kept(cell):
    return Replicas(np.asarray(cell.time)[cell.solved], np.asarray(cell.solved)[cell.solved])


def both_kept(a, b):
    both = a.solved & b.solved
    return [Replicas(side.time[both], side.solved[both]) for side in (a, b)]


DROPS = {
    "expected_running_time": lambda spent, solved: (spent[solved], solved[solved]),
    "running_time": lambda spent, solved: (spent[solved], solved[solved]),
    "survival": lambda time, solved: (time[solved], solved[solved]),
    "solved_rate": lambda solved: (solved[solved],),
    "logrank": lambda a, b: (kept(a), kept(b)),
    "mcnemar": lambda a, b: (a[a & b], b[a & b]),
    "paired_difference": both_kept,
    "restarted": lambda reached, spent: (
        reached[np.isfinite(reached[:, 0])],
        spent[np.isfinite(reached[:, 0])],
    ),
    "interquartile_mean": lambda scores: (scores[np.isfinite(scores[:, 0])],),
}
BIASED = SimpleNamespace(
    **{name: solved_only(drop)(getattr(statistics, name)) for name, drop in DROPS.items()}
)


# Every check is a statement about the population; n = 4,000, 5 standard errors (6e-7) unless it says
# otherwise.


def ert(by):
    """ERT = mean spent ÷ solved rate; its standard error by the delta method, from the population's own
    moments."""
    truth = MEAN / P
    deviation = HASTY_CELL.time - truth * HASTY_CELL.solved
    assert abs(by.expected_running_time(*HASTY_CELL[:2]) - truth) < 5 * deviation.std() / P / sqrt(N)
    assert by.expected_running_time(*HASTY_CELL[:2]) > by.expected_running_time(*STEADY_CELL[:2])


def ert_interval(by):
    """At a level of 1 − 6e-7 the interval holds the truth."""
    _, low, high = by.running_time(*HASTY_CELL[:2], seed=0, budget=BUDGET, level=1 - 6e-7, resamples=20_000)
    assert low <= MEAN / P <= high


def median(by):
    """Fewer than half ever solve it."""
    assert by.survival(*HASTY_CELL[:2]).quantile(0.5) == inf


def quartile(by):
    """A quarter is solved when 1 − e^(−t/50) = .25 / .4."""
    value, low, high = by.survival(*HASTY_CELL[:2], level=1 - 6e-7).quantile_interval(0.25)
    assert low <= -HASTY * log(1 - 0.25 / LUCKY) <= high
    assert low <= value <= high


def unsolved(by):
    assert abs(by.survival(*HASTY_CELL[:2]).unsolved[-1] - (1 - P)) < 5 * sqrt(P * (1 - P) / N)


def rate(by):
    _, low, high = by.solved_rate(HASTY_CELL.solved, level=1 - 6e-7)
    assert low <= P <= high


def sooner(by):
    """Steady solves more, and in the end sooner: log-rank tells which."""
    assert by.logrank(STEADY_CELL, HASTY_CELL, permutations=9).statistic > 5


def rates_differ(by):
    assert by.mcnemar(STEADY_CELL.solved, HASTY_CELL.solved).statistic > 0


def difference(by):
    found = by.paired_difference(HASTY_CELL, STEADY_CELL, seed=0, level=1 - 6e-7, resamples=5000)
    assert found.rate.low <= P - STEADY_P <= found.rate.high
    assert found.restricted_mean.low <= MEAN - STEADY_MEAN <= found.restricted_mean.high
    assert found.log_ratio.low <= log(MEAN / P / (STEADY_MEAN / STEADY_P)) <= found.log_ratio.high


def restarts(by):
    """The mean of simulated restarts is ERT; 4,000 draws and 4,000 replicas, standard errors added up."""
    reached = np.where(HASTY_CELL.solved, HASTY_CELL.time, inf)[:, None]
    drawn = by.restarted(reached, HASTY_CELL.time, seed=0, draws=4000)
    deviation = (HASTY_CELL.time - MEAN / P * HASTY_CELL.solved).std() / P
    assert abs(drawn.mean() - MEAN / P) < 5 * (drawn.std() + deviation) / sqrt(N)


def middle(by):
    """More than a quarter fail: the mean of the middle half is infinite."""
    scores = np.where(HASTY_CELL.solved, HASTY_CELL.time, inf)[:, None]
    assert by.interquartile_mean(scores, seed=0, resamples=100).value == inf


CHECKS = [
    ert,
    ert_interval,
    median,
    quartile,
    unsolved,
    rate,
    sooner,
    rates_differ,
    difference,
    restarts,
    middle,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_truth_of_the_population_is_found(check):
    check(OURS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_same_check_rejects_the_statistic_of_the_solved_only(check):
    with pytest.raises(AssertionError):
        check(BIASED)


def test_over_the_solved_only_the_wrong_algorithm_wins():
    """The bug that is planted is one that matters: mean, median and ERT of the survivors all prefer hasty."""
    for value in (np.mean, np.median):
        assert value(kept(HASTY_CELL).time) < value(kept(STEADY_CELL).time)
    assert BIASED.expected_running_time(*HASTY_CELL[:2]) < BIASED.expected_running_time(*STEADY_CELL[:2])
    assert OURS.expected_running_time(*HASTY_CELL[:2]) > OURS.expected_running_time(*STEADY_CELL[:2])


def summarised(cell):
    outcome = np.where(cell.solved, "solved", "unsolved")
    columns = {"outcome": outcome, "epochs": cell.time, "updates": cell.time, "seconds": cell.time}
    return summary.summarise(columns | {"loss": cell.time, "right": cell.time, "held_right": cell.time})


@pytest.mark.parametrize("name", ["expected_running_time", "survival"])
def test_a_summary_that_drops_failures_is_noticed(name, monkeypatch):
    """What every run prints: median ∞ and ERT 800. With the biased function in the place of ours it says
    otherwise."""

    def holds():
        found = summarised(HASTY_CELL)
        return found.epochs_median == inf and abs(found.ert_epochs - MEAN / P) < 100

    assert holds()
    drop = solved_only(lambda time, solved, *_: (np.asarray(time)[solved], np.asarray(solved)[solved]))
    monkeypatch.setattr(summary, name, drop(getattr(statistics, name)))
    assert not holds()

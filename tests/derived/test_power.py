"""How many replicas, and would so many tell: held to closed forms, to enumeration with scipy's own tests, and
to the intervals and verdicts that are planned with them."""

from __future__ import annotations

from contextlib import nullcontext
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.cli import power as command
from harness.core.errors import InputError
from harness.replication.figure import Measured, Rate
from harness.replication.verdict import ALARM, NOT_REPRODUCED, judge
from harness.statistics import (
    claim_power,
    fisher_power,
    replicas_for_running_time,
    replicas_for_two_rates,
    replicas_for_width,
    running_time,
    running_time_power,
    wilson,
)
from harness.statistics import power as planning

quick = settings(deadline=None, derandomize=True, max_examples=60)
SHARE = st.floats(0.02, 0.98)


# The width of a share's interval


@pytest.mark.parametrize(("width", "level"), [(0.1, 0.95), (0.2, 0.95), (0.05, 0.99), (0.6, 0.9)])
def test_at_one_half_n_is_the_textbooks_less_z_squared(width, level):
    """The plain interval is (z / width)² replicas at p = ½, Wilson's z² fewer: 381 instead of 385 for ±5
    points."""
    z = stats.norm.ppf((1 + level) / 2)
    assert replicas_for_width(0.5, width, level) == np.ceil((z / width) ** 2 - z**2)
    assert replicas_for_width(0.5, 0.1) == 381


@quick
@given(st.floats(0, 1), st.floats(0.02, 0.9), st.sampled_from([0.8, 0.95, 0.99]))
def test_n_is_the_first_from_which_on_wilsons_interval_is_so_narrow(rate, width, level):
    n = replicas_for_width(rate, width, level)

    def wide(of):
        low, high = wilson(rate * np.asarray(of, float), of, level)
        return high - low

    assert (wide(np.arange(n, 4 * n + 10)) <= width * (1 + 1e-6)).all()
    assert n == 1 or wide(n - 1) > width * (1 - 1e-6)


# Two shares


def enumerated(a, b, n, alarm):
    """Power of Fisher's test: every pair of counts, by scipy."""
    k = np.arange(n + 1)
    told = [[stats.fisher_exact([[x, n - x], [y, n - y]])[1] <= alarm * (1 + 1e-9) for y in k] for x in k]
    return stats.binom.pmf(k, n, a) @ np.array(told, float) @ stats.binom.pmf(k, n, b)


@settings(quick, max_examples=12)
@given(SHARE, SHARE, st.integers(1, 14), st.sampled_from([0.05, 0.01, 0.2]))
def test_fishers_power_is_that_of_all_tables(a, b, n, alarm):
    assert fisher_power(a, b, n, alarm) == pytest.approx(enumerated(a, b, n, alarm), abs=1e-9)
    assert fisher_power(b, a, n, alarm) == pytest.approx(fisher_power(a, b, n, alarm), abs=1e-12)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.93])
@pytest.mark.parametrize("n", [5, 40, 400])
def test_equal_shares_are_called_different_no_more_often_than_the_alarm(share, n):
    assert fisher_power(share, share, n, 0.05) <= 0.05


@pytest.mark.parametrize(
    ("a", "b", "power", "alarm"),
    [
        (0.2, 0.8, 0.8, 0.05),
        (0.05, 0.35, 0.9, 0.05),
        (0.8, 0.95, 0.8, 0.05),
        (0.0, 0.5, 0.9, 0.01),
        (0, 1, 0.99, 0.05),
        (0.0, 0.3, 0.7, 0.01),  # 26 have it, 27 not: the next ten do from 30 on
    ],
)
def test_n_is_the_first_of_ten_in_a_row_that_have_the_power(a, b, power, alarm):
    """All n from 1 on are tried."""
    n = replicas_for_two_rates(a, b, power, alarm)
    does = [fisher_power(a, b, of, alarm) >= power for of in range(1, n + 10)]
    assert all(does[n - 1 :])
    assert not any(all(does[i : i + 10]) for i in range(n - 1))


def test_beyond_enumeration_the_corrected_normal_law_goes_on(monkeypatch):
    """At 90 % and 95 %, 474 a side by enumeration: the corrected formula (Casagrande, Pike & Smith 1978) is
    within 2 % of it, and one written out here agrees with ours."""
    exact = replicas_for_two_rates(0.9, 0.95)
    monkeypatch.setattr(planning, "ENUMERATED", 0)
    formula = replicas_for_two_rates(0.9, 0.95)
    z, mean = stats.norm.ppf([0.975, 0.8]), 0.925
    plain = (z[0] * sqrt(2 * mean * (1 - mean)) + z[1] * sqrt(0.09 + 0.0475)) ** 2 / 0.05**2
    assert formula == np.ceil(plain / 4 * (1 + sqrt(1 + 4 / (plain * 0.05))) ** 2)
    assert formula == pytest.approx(exact, rel=0.02)


# Running times


def test_where_failures_vary_alone_n_is_clopper_and_pearsons():
    """Solved after 1, else 20: the interval is S + F (1 − p) / p at scipy's exact ends of p."""
    n = replicas_for_running_time(1.8, 0.5, 0.0, 20.0)

    def spread(of):
        low, high = stats.binomtest(of // 2, of).proportion_ci(0.95, method="exact")
        cost = [1 + 20 * (1 - p) / p for p in (high, low)]
        return cost[1] / cost[0]

    even = n + n % 2
    assert spread(even) <= 1.8 < spread(even - 4)


def test_where_all_are_solved_and_failures_cost_nothing_it_is_the_normal_law_of_a_mean():
    """(2 z c / ln factor)²."""
    z = stats.norm.ppf(0.975)
    assert replicas_for_running_time(1.5, 1.0, 0.7, 0.0) == np.ceil((2 * z * 0.7 / log(1.5)) ** 2)


@pytest.mark.parametrize(("factor", "rate", "failure"), [(2.0, 0.93, 17.0), (1.6, 0.5, 3.0)])
def test_intervals_are_then_about_so_wide(factor, rate, failure):
    """The median of 60 simulated intervals, upper ÷ lower end: at most 15 % narrower or wider, in logarithms.
    Its standard error is 3 %."""
    n, rng = replicas_for_running_time(factor, rate, 0.6, failure), np.random.default_rng(3)
    spread, widths = sqrt(log(1.36)), []
    for seed in range(60):
        solved = rng.random(n) < rate
        spent = np.where(solved, rng.lognormal(-(spread**2) / 2, spread, n), failure)
        _, low, high = running_time(spent, solved, seed=seed, budget=max(failure, spent.max()), resamples=400)
        widths.append(log(high / low))
    assert np.median(widths) == pytest.approx(log(factor), rel=0.15)


def test_a_ratio_that_is_none_is_told_no_more_often_than_the_level_says():
    """400 comparisons at 95 %: 20 alarms expected, 43 are a 5-sigma event, 6e-7."""
    told = running_time_power(1.0, 20, 0.9, 0.6, 10.0)
    assert told.value * 400 <= 43
    assert running_time_power(1.0, 20, 0.9, 0.6, 10.0) == told


def test_without_failures_the_power_is_that_of_two_means():
    """All solved: ln of the ratio of two means of 100 has the variance 2 c² / n, so a z-test sees a ratio of
    1.3 in Φ(ln 1.3 / √(2 c² / n) − 1.96) of cases, .87; our interval also allows for failures, and sees it
    less often. 400 comparisons: 5 standard errors are .09."""
    told = running_time_power(1.3, 100, 1.0, 0.6, 0.0)
    most = stats.norm.cdf(log(1.3) / sqrt(2 * 0.36 / 100) - 1.96)
    assert most - 0.25 < told.value < most + 0.09
    assert told.low <= told.value <= told.high


# Verdicts


@pytest.mark.parametrize(
    ("hits", "runs", "n"), [(16, 20, 60), (2, 20, 40), (0, 50, 30), (20, 20, 12), (10, 100, 80)]
)
def test_a_verdicts_power_is_how_often_it_contradicts(hits, runs, n):
    """Every count that ours may come to is judged; its chance is binomial at half the share, and at twice."""
    printed = Rate(hits or runs, runs)
    contradicted = [judge(printed, counted(k, n)).verdict == NOT_REPRODUCED for k in range(n + 1)]
    share = (hits or runs) / runs
    powers = [
        stats.binom.pmf(np.arange(n + 1), n, of) @ contradicted for of in (share / 2, 2 * share) if of <= 1
    ]
    assert claim_power(hits, runs, n) == pytest.approx(min(powers), abs=1e-9)
    assert planning.VERDICT == ALARM


def counted(hits, n):
    ours = np.arange(n) < hits
    return Measured(hits / n, 0, 0, n, "", hits, ours.astype(float), ours.astype(float))


def test_a_rare_thing_seen_twice_can_hardly_be_contradicted():
    """2 of 200: half or twice of it would nearly always pass with 400 of ours, but hardly with 1,000 and a
    printed 100 of 1,000."""
    assert claim_power(2, 200, 400) < 0.05
    assert claim_power(100, 1000, 1000) > 0.95


# The command


def test_the_command_answers_every_question():
    said = [command.answer(line.split()) for line in (
        "rate=.5 width=.1", "rates=.2,.8 power=.9 alarm=.01", "factor=2 rate=.9 variation=.5 failure=10",
        "ratio=3 n=20 rate=.9 variation=.5 failure=5 seed=2", "hits=16 runs=20 n=60",
    )]  # fmt: skip
    assert said[0] == "n = 381: Wilson's 95 % interval of 50.0 % is then [45.0–55.0]"
    assert said[1].startswith(f"n = {replicas_for_two_rates(0.2, 0.8, 0.9, 0.01)} a side")
    assert said[2].startswith(f"n = {replicas_for_running_time(2, 0.9, 0.5, 10)}:")
    assert said[3].startswith(f"power {running_time_power(3, 20, 0.9, 0.5, 5, seed=2).value:.3f} [")
    assert said[4].startswith(f"power {claim_power(16, 20, 60):.3f}:")


def test_its_help_says_everything_and_its_examples_run():
    text = command.help_text()
    assert all(f"  {name} " in text for name in command.SAID)
    assert {name for q in command.QUESTIONS for name in (*q.needs, *q.usual)} == set(command.SAID)
    examples = [
        line.partition("harness.power ")[2] for line in text.splitlines() if line.startswith("  python")
    ]
    assert len(examples) == 2
    assert all(command.answer(example.split()) for example in examples)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ["power asks one of these", "nothing was given", "--help"]),
        ("rate=.8", ["power asks one of these", "rate was given"]),
        ("rate=.8 width=.1 n=3", ["power asks one of these", "rate width n was given"]),
        ("rte=.8", ["unknown setting of power 'rte'", "did you mean 'rate'?"]),
        ("rate", ["name=value", "'rate' was given"]),
        ("rate=.8 rate=.7", ["each name once", "'rate=.7' was given"]),
        ("rate=80 width=.1", ["rate must be from 0 to 1", "80.0 was given"]),
        ("rate=nan width=.1", ["rate must be from 0 to 1", "nan was given"]),
        ("rate=many width=.1", ["rate must be a number", "'many' was given"]),
        ("rate=.8 width=0", ["width must be above 0 and below 1", "0.0 was given"]),
        ("rate=.8 width=.1 level=95", ["level must be", "95.0 was given"]),
        ("rates=.8", ["rates must be two numbers with a comma", "'.8' was given"]),
        ("rates=.8,.8", ["rates must be two that differ", "0.8 and 0.8"]),
        ("rates=0,1e-300", ["rates must be two that differ", "1e-300"]),
        ("rates=.8,.9 alarm=1e-12", ["alarm must be", "by a billionth", "1e-12 was given"]),
        ("rates=.8,.9 power=1", ["power must be above 0 and below 1", "1.0 was given"]),
        ("factor=1 rate=.8 variation=1 failure=5", ["factor must be above 1", "1.0 was given"]),
        ("factor=2 rate=0 variation=1 failure=5", ["rate must be a share above 0", "0.0 was given"]),
        ("factor=2 rate=.5 variation=inf failure=5", ["variation must be at least 0", "inf was given"]),
        ("factor=2 rate=.5 variation=1 failure=1e300", ["failure must be", "at most a million", "1e+300"]),
        ("factor=1.0000000001 rate=.5 variation=1 failure=5", ["more than a trillion replicas"]),
        ("ratio=0 n=9 rate=.5 variation=1 failure=5", ["ratio must be above 0", "0.0 was given"]),
        ("ratio=2 n=0 rate=.5 variation=1 failure=5", ["n must be a whole number", "0 was given"]),
        ("ratio=2 n=9.5 rate=.5 variation=1 failure=5", ["n must be a whole number", "'9.5' was given"]),
        ("ratio=2 n=9 rate=.5 variation=1 failure=5 seed=-1", ["seed must be a whole number", "-1 was"]),
        ("ratio=2 n=9 rate=.5 variation=1 failure=5 level=.9999", ["level must be at most 0.999"]),
        ("ratio=2 n=10000000 rate=.5 variation=1 failure=5", ["n must be at most 100,000", "10,000,000"]),
        ("hits=0 runs=0 n=20", ["runs must be a whole number, at least 1", "0 was given"]),
        ("hits=9 runs=5 n=20", ["hits must be no more than runs", "9 of 5"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(line, words):
    with pytest.raises(InputError) as caught:
        command.answer(line.split())
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("line", "code"), [("rate=2 width=.1", 2), ("--help", 0), ("rate=.8 width=.1", 0)])
def test_what_is_wrong_ends_with_exit_code_2_and_one_line(line, code, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["power", *line.split()])
    with pytest.raises(SystemExit) if code else nullcontext() as end:
        command.main()
    out, err = capsys.readouterr()
    assert (end.value.code if code else 0) == code
    assert (err.count("\n"), bool(out)) == ((1, False) if code else (0, True))

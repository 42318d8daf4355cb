"""The encoders of Ackley, Hinton & Sejnowski 1985 held to their counts, and mean field to sampling.

Printed is when a run has found *different codes*. Here that is the first cycle at which hidden states
differ in as many patterns as printed (4, 7 or 8, or all of them in two bits): of every pattern, the most
probable hidden state with the pattern clamped on both groups. The harness's own criterion, which the
presets use, is that every input completes to the right output with the highest exact probability.

Two samples are compared, allowing for the chance in both: rates by Fisher's exact test; how many of ours lie
below the printed median, and beyond the printed longest, by the beta-binomial. False alarm of the file 1e-3,
split over its checks; seeded.

                           printed                     ours, seed 1985                     p-values
    4-2-4, four codes      250 of 250, 110, 1,810      246 of 250 in 2,000, 45 [19-211]    .12, .007, .03
    4-3-4, two bits apart  200 of 200, 270, 1,090      188 of 200 in 2,000, 265 [135-485]  .0004, 1, 3e-6
    8-3-8, seven codes     20 of 20, 210               59 of 60 in 4,000, 130 [35-228]     1, .1
    8-3-8, eight codes     16 of 20 in 4,000, 1,570    28 of 60 in 4,000                   .01

Rate, median and longest are printed, rate, median and quartiles ours; p-values are of rate, median and
longest. Rates and medians of the small encoders are theirs, up to chance (4-3-4's rate just so); the longest
of 4-3-4 is not. The eight codes of 8-3-8 come more seldom than printed: in 79 of 180 networks (44 % [37-51])
of the seeds 1985, 1 and 2, p = .004. On another random stream, PCG64 until November 2026, these seeds had 9,
21 and 23 of 60: the 9, on which we had called the figure not reproduced, were an outlier. What comes after a
thousand cycles comes late, for by then our machines have passed their best. On 4-2-4, by enumeration (40
networks): the divergence of the model
from the noisy patterns falls from 2.24 at zero weights to .78 at cycle 60 and rises to 1.95 at 1,000 and 2.72
at 2,000, while weights grow by about .1 a cycle and the sampled p' comes to miss the exact one by .03, .22
and .30. Steps by the sign of counts from a few chains have a bias, large weights keep chains from mixing at T
= 10 in ten time units, and what does not mix is not unlearnt. Tried, and not the reason: ties that move a
weight up, down or at random; noise drawn anew every time unit; probes of random units or in random order (26
of 64 found eight codes).
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from algorithms.boltzmann import Boltzmann
from algorithms.mean_field import MeanField
from harness.cells.cell import Cell
from harness.cells.settings import Settings, resolve
from harness.cost.sheet import sheet
from harness.experiment.run import run
from harness.replication.codes import first_cycle, found, hidden_states
from harness.replication.verdict import order_p
from harness.tasks.encoder import Encoder
from harness.tasks.xor import Xor
from helpers.enumeration import bits

Array = Any
CHECKS = 11
ALARM = 1e-3 / CHECKS


class Row(NamedTuple):
    """A published count."""

    size: int
    hidden: int
    noise_on: float
    codes: int
    """So many patterns with a hidden state of their own."""
    apart: int
    """Bits that any two differ in."""
    solved: int
    of: int
    median: float
    """Cycles, over the solved."""
    longest: float
    ours: int
    cycles: int


ROWS = {
    "4-2-4": Row(4, 2, 0.05, 4, 1, 250, 250, 110, 1810, 250, 2000),
    "4-3-4": Row(4, 3, 0.05, 4, 2, 200, 200, 270, 1090, 200, 2000),
    "8-3-8, seven": Row(8, 3, 0.02, 7, 1, 20, 20, 210, np.nan, 60, 4000),
    "8-3-8": Row(8, 3, 0.02, 8, 1, 16, 20, 1570, np.nan, 60, 4000),
}


@cache
def states(size: int, hidden: int, noise_on: float, replicas: int, cycles: int) -> Array:
    """Kept: several figures are of the same networks."""
    return hidden_states(size, hidden, noise_on, replicas, cycles)


def cycles_to(row: Row, replicas: int, cycles: int) -> Array:
    """The first cycle at which each replica has found its codes, infinite if it has not."""
    return first_cycle(states(row.size, row.hidden, row.noise_on, replicas, cycles), row.codes, row.apart)


def has_found(name: str, code: Array) -> bool:
    """Whether one network's states (N, hidden) are what a row asks for."""
    return bool(found(code[None], ROWS[name].codes, ROWS[name].apart)[0])


def p_value(row: Row, times: Array, what: str) -> float:
    """That the two samples have one distribution, looked at in one way; two-sided, of the longest
    one-sided."""
    if what == "rate":
        solved = np.isfinite(times).sum()
        return float(
            stats.fisher_exact([[solved, len(times) - solved], [row.solved, row.of - row.solved]])[1]
        )
    if what == "longest":  # beyond the largest of n, one more of ours as likely as not each time
        beyond = np.count_nonzero(times > row.longest)
        return float(stats.betabinom(len(times), 1, row.of).sf(beyond - 1))
    return min(1.0, order_p(row.median, row.solved // 2, row.of, times, times)[0])


def late(name: str, what: str) -> Any:
    """A figure that our machines do not reproduce."""
    return pytest.param(
        name,
        what,
        marks=pytest.mark.xfail(strict=True, reason="after a thousand cycles chains no longer mix"),
    )


FIGURES = [
    *(("4-2-4", what) for what in ("rate", "median", "longest")),
    *(("4-3-4", "rate"), ("4-3-4", "median"), late("4-3-4", "longest")),
    *(("8-3-8, seven", "rate"), ("8-3-8, seven", "median"), ("8-3-8", "rate")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "what"), FIGURES)
def test_encoders_find_their_codes_as_published(name: str, what: str) -> None:
    row = ROWS[name]
    times = cycles_to(row, row.ours, row.cycles)
    p = p_value(row, times, what)
    quartiles = np.quantile(times, [0.25, 0.5, 0.75], method="lower")
    print(f"{name}: {np.isfinite(times).sum()} of {len(times)}, {quartiles}, {what} p = {p:.2g}")
    assert p > ALARM


@pytest.mark.slow
@pytest.mark.parametrize(("size", "hidden", "replicas"), [(4, 2, 250), (4, 3, 200)])
def test_every_run_completes_every_pattern_within_the_published_longest(
    size: int, hidden: int, replicas: int
) -> None:
    """By the harness's criterion: none fails, as printed (250 of 250 in 1,810 cycles, 200 of 200 in
    1,090)."""
    task = Encoder(size=size, hidden=hidden, criterion="largest")
    result = run(Boltzmann("encoder"), task, replicas=replicas, epochs={2: 1810, 3: 1090}[hidden], seed=1985)
    print(result)
    assert result.solved.all()


def test_a_4_2_4_encoder_finds_its_codes() -> None:
    """The small form: 40 networks, 110 cycles, by when half of 250 were through; all complete their patterns
    in 600."""
    row = ROWS["4-2-4"]
    times = cycles_to(row, 40, 110)
    half = stats.fisher_exact([[np.isfinite(times).sum(), np.isinf(times).sum()], [125, 125]])[1]
    assert half > ALARM
    result = run(
        Boltzmann("encoder"),
        Encoder(size=4, hidden=2, criterion="largest"),
        replicas=40,
        epochs=600,
        seed=1985,
    )
    assert stats.fisher_exact([[result.solved.sum(), (~result.solved).sum()], [250, 0]])[1] > ALARM


def test_codes_are_counted_right() -> None:
    """By hand: two patterns with one code; all different; all different and two bits apart (the even ones of
    three bits)."""
    even = bits(3)[bits(3).sum(axis=1) % 2 == 0].astype(bool)
    clash = bits(2)[[0, 1, 1, 3]].astype(bool)
    assert not has_found("4-2-4", clash)
    assert has_found("4-2-4", bits(2).astype(bool))
    assert has_found("4-3-4", even)
    assert not has_found("4-3-4", bits(3)[:4].astype(bool))
    assert has_found("8-3-8, seven", bits(3)[[0, 1, 2, 3, 4, 5, 6, 6]].astype(bool))
    assert not has_found("8-3-8", bits(3)[[0, 1, 2, 3, 4, 5, 6, 6]].astype(bool))


def work_to_solve(algorithm: Any, task: Any, **how: Any) -> float:
    """FLOPs of updates that all replicas spent ÷ number solved."""
    result = run(algorithm, task, **how)
    one = sheet(Cell(*resolve(algorithm, task, Settings(replicas=1)))).update.work
    return float(result.trained.updates.sum() * one / np.count_nonzero(result.solved))


def test_mean_field_solves_xor_for_less_than_a_tenth_of_what_sampling_costs() -> None:
    """Published: 10 to 30 times faster. 2-4-1, criterion on exact probabilities and on means;
    study=mean_field has 123 times."""
    task = Xor(hidden=4)
    sampling = work_to_solve(Boltzmann(noise_off=0.0, noise_on=0.0), task, replicas=24, epochs=400)
    assert sampling > 10 * work_to_solve(MeanField(), task, replicas=24, epochs=400)

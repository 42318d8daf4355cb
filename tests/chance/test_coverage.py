"""Every interval of `harness.statistics` held to the truth of a population whose failures are dear: the small
form of `python -m bench.coverage`, which makes the table of docs/statistics.md."""

from __future__ import annotations

from math import sqrt

import pytest

from bench import coverage

CELLS, LEAST = 60, 0.92


@pytest.mark.parametrize(("n", "rate"), [(10, 0.95), (20, 0.5)])
def test_every_interval_covers(n, rate):
    """60 cells, held to 92 % less 5 standard errors, .75: at most 4e-5 a figure and 1e-3 in all, if all cover
    no more than that. Where no failure is seen, points held the truth in 45 to 64 of 100 at .95."""
    found = coverage.covered(n, rate, CELLS, seed=1)
    assert len(found) == 11
    assert min(found.values()) > LEAST - 5 * sqrt(LEAST * (1 - LEAST) / CELLS), found

"""Shares of replicas and means over them, with their intervals, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from harness.experiment.digits import number, percent
from harness.statistics import Interval, tango, wilson
from harness.statistics.bootstrap import draws, percentile

Array = Any
RESAMPLES = 4000


def share(some: int, n: int) -> str:
    """`some` of n with Wilson's interval: 95.1 % [93.6–96.3] of 1,000; – of 0."""
    if not n:
        return "– of 0"
    low, high = (100 * float(end) for end in wilson(some, n))
    return f"{percent(some / n)} [{low:.1f}–{high:.1f}] of {number(n)}"


def beside(some: int, n: int, chance: float) -> str:
    """Which side of `chance` a share is on by its whole Wilson interval: `more`, `fewer`, or `undecided`."""
    low, high = (float(end) for end in wilson(some, n))
    return "more" if low > chance else "fewer" if high < chance else "undecided"


def mean(values: Iterable[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Mean of shares between 0 and 1, one a replica (R,),
    with its 95 % percentile interval over resampled replicas.

    Where all are the same, or there is one alone, resampling says nothing: then Wilson's, of R trials. NaN, 0
    and 1 of none.
    """
    numbers = np.sort(np.asarray(list(values), float))
    if not len(numbers):
        return Interval(float("nan"), 0.0, 1.0)
    value = float(numbers.mean())
    if numbers[0] == numbers[-1]:
        return Interval(value, *(float(end) for end in wilson(len(numbers) * value, len(numbers))))
    return Interval(value, *_ends(numbers, seed, resamples))


def difference(a: Array, b: Array, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Mean of a − b, pair by pair (R,),
    with its 95 % percentile interval over resampled pairs; −1 and 1 of fewer than two.

    Where all pairs differ by the same, resampling says nothing: then as far to either side as Tango's
    interval reaches where no pair differs.
    """
    numbers = np.sort(np.asarray(a, float) - np.asarray(b, float))
    if len(numbers) < 2:
        return Interval(float(numbers.mean()) if len(numbers) else float("nan"), -1.0, 1.0)
    if numbers[0] == numbers[-1]:
        value, (low, high) = float(numbers[0]), tango(0, 0, len(numbers))
        return Interval(value, max(value + low, -1.0), min(value + high, 1.0))
    return Interval(float(numbers.mean()), *_ends(numbers, seed, resamples))


def percents(interval: Interval) -> str:
    """A share's interval in per cent: 35.2 % [31.0–39.5]."""
    value, low, high = (float(end) for end in interval)
    return f"{percent(value) if np.isfinite(value) else '–'} [{100 * low:.1f}–{100 * high:.1f}]"


def points(interval: Interval) -> str:
    """A difference of shares in points of per cent: −6.5 % [−8.0 to −5.1]."""
    value, low, high = (100 * float(end) for end in interval)
    return f"{value:+.1f} % [{low:+.1f} to {high:+.1f}]".replace("-", "−")


def half(some: int, n: int) -> str:
    """Whether a share is more than half, by its whole interval."""
    words = {
        "more": "more than half",
        "fewer": "fewer than half",
        "undecided": "whether more than half is not decided",
    }
    return words[beside(some, n, 0.5)]


def _ends(numbers: Array, seed: int, resamples: int) -> tuple[float, float]:
    drawn = np.concatenate([counts @ numbers for counts in draws(len(numbers), resamples, seed)]) / len(
        numbers
    )
    return percentile(drawn, 0.95)

"""Measures: from records (`Record`) or arrays to what a criterion takes.

Pure; chance in an interval is seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harness.core.outcomes import fates
from harness.experiment.digits import number, significant
from harness.replication.figure import Measured
from harness.statistics import wilson

Array = Any
DRAWS = 2000  # of a bootstrap
NONE = Measured(np.nan, np.nan, np.nan, 0, "–")


def bounds(record: Any) -> tuple[Array, Array]:
    """What is known of each replica's epochs to the criterion, (R,) and (R,): no less than, no more than.

    Unsolved ones are censored where their budget ended; diverged ones never come to it.
    """
    columns = record.replicas
    spent, became = np.asarray(columns["epochs"], float), fates(columns)
    return np.where(became.diverged, np.inf, spent), np.where(became.solved, spent, np.inf)


def times(record: Any, unit: str = "sweeps") -> Measured:
    """Epochs to the criterion: the median, failures at ∞, with its 95 % interval (order statistics)."""
    return of_times(*bounds(record), unit)


def of_times(least: Array, most: Array, unit: str) -> Measured:
    """The same from bounds."""
    from scipy.stats import binom

    n, ordered = len(most), np.sort(most)
    median, first, third = (float(np.quantile(most, q, method="inverted_cdf")) for q in (0.5, 0.25, 0.75))
    rank = int(binom.ppf(0.025, n, 0.5))  # so many of n lie below the lower end
    low, high = ordered[max(0, rank - 1)], ordered[min(n - 1, n - rank)]
    hits = int(np.isfinite(most).sum())
    text = (
        f"median {number(median)} [{number(low)}–{number(high)}] {unit}, "
        f"quartiles {number(first)} and {number(third)}"
    )
    return Measured(median, float(low), float(high), n, f"{text}, {hits} of {n} solved", hits, least, most)


def rate(record: Any, within: float = 0.0) -> Measured:
    """The share solved; who was given up before `within` epochs may have solved it by then."""
    least, most = bounds(record)
    measured = share(np.isfinite(most), "solved")
    return replace(measured, most=np.where(least < within, 1.0, measured.most))


def failures(record: Any, within: float = 0.0) -> Measured:
    """The share not solved, `within` as many epochs."""
    least, most = bounds(record)
    measured = share(~np.isfinite(most), "not solved")
    return replace(measured, least=np.where(least < within, 0.0, measured.least))


def share(hits: ArrayLike, what: str, level: float = 0.95) -> Measured:
    """The share of replicas of which something is true, (R,), with Wilson's interval."""
    true = np.asarray(hits, bool)
    if not len(true):
        return Measured(np.nan, 0.0, 1.0, 0, f"none to look at, {what}", 0)
    low, high = (float(end) for end in wilson(true.sum(), len(true), level))
    text = (
        f"{true.sum():,} of {len(true):,} {what}, "
        f"{100 * true.mean():.1f} % [{100 * low:.1f}–{100 * high:.1f}]"
    )
    return Measured(
        float(true.mean()),
        low,
        high,
        len(true),
        text,
        int(true.sum()),
        true.astype(float),
        true.astype(float),
    )


def mean(values: ArrayLike, what: str, level: float = 0.95) -> Measured:
    """The mean over replicas, (R,), with its t interval."""
    from scipy.stats import t

    v = np.asarray(values, float)
    half = (
        float(t.ppf((1 + level) / 2, len(v) - 1) * v.std(ddof=1) / np.sqrt(len(v))) if len(v) > 1 else np.inf
    )
    low, high = float(v.mean()) - half, float(v.mean()) + half
    text = f"mean {_few(v.mean())} [{_few(low)}–{_few(high)}] {what}, n = {len(v)}"
    return Measured(float(v.mean()), low, high, len(v), text, None, v, v)


def exactly(value: float, text: str, *digits: float) -> Measured:
    """A number without chance in it."""
    return Measured(value, value, value, 1, text, digits=digits)


def ratio(slow: Any, fast: Any, what: str, level: float = 0.99) -> Measured:
    """Ratio of the median epochs of two records, failures at ∞, with a percentile bootstrap interval."""

    def median(rows: Sequence[Array]) -> Array:
        a, b = (np.quantile(row, 0.5, axis=-1, method="inverted_cdf") for row in rows)
        return np.where(np.isfinite(b), a / np.where(np.isfinite(b), b, 1.0), np.nan)

    return bootstrapped(median, [bounds(slow)[1], bounds(fast)[1]], what, level)


def bootstrapped(
    of: Callable[[Sequence[Array]], Array], samples: Sequence[Array], what: str, level: float = 0.99
) -> Measured:
    """A statistic `of` several samples, of each of which replicas are drawn anew;
    it takes (…, R) each and gives (…).

    Percentile interval; where the statistic cannot be said of a draw (NaN), its ends are unknown.
    """
    rng = np.random.default_rng(0)
    drawn = [sample[rng.integers(len(sample), size=(DRAWS, len(sample)))] for sample in samples]
    value, many = float(of(samples)), of(drawn)
    n = min(map(len, samples))
    ends = (1 - level) / 2, (1 + level) / 2
    low, high = (
        np.quantile(many, ends, method="inverted_cdf") if not np.isnan(many).any() else (np.nan, np.nan)
    )
    return Measured(
        value, float(low), float(high), n, f"{_few(value)} [{_few(low)}–{_few(high)}] {what}, n = {n} each"
    )


def gap(a: Measured, b: Measured, what: str, level: float = 0.99) -> Measured:
    """Difference of two rates with Newcombe's interval (1998, Stat. Med. 17:873-890, method 10)."""
    ends = [wilson(m.value * m.n, m.n, level) for m in (a, b)]
    difference = a.value - b.value
    low = difference - np.hypot(a.value - ends[0][0], ends[1][1] - b.value)
    high = difference + np.hypot(ends[0][1] - a.value, b.value - ends[1][0])
    each = f"{a.hits} of {a.n} and {b.hits} of {b.n}"
    text = f"{each} {what}: {100 * difference:.1f} points [{100 * low:.1f}–{100 * high:.1f}]"
    return Measured(difference, float(low), float(high), min(a.n, b.n), text)


def work(record: Any) -> Array:
    """FLOPs that every replica spent on updates and whether it solved: (2, R)."""
    spent = np.asarray(record.replicas["updates"], float) * record.cost["update.work"]
    return np.stack([spent, fates(record.replicas).solved])


def work_ratio(dear: Any, cheap: Any, what: str) -> Measured:
    """Ratio of expected FLOPs to a solution, Σ spent ÷ number solved, with a bootstrap interval."""

    def cost(rows: Array) -> Array:
        spent, solved = rows[..., 0].sum(axis=-1), rows[..., 1].sum(axis=-1)
        return np.where(solved > 0, spent / np.maximum(solved, 1), np.inf)

    def statistic(rows: Sequence[Array]) -> Array:
        a, b = (cost(row) for row in rows)
        return np.where(np.isfinite(b), a / np.where(np.isfinite(b), b, 1.0), np.nan)

    samples = [work(record).T for record in (dear, cheap)]
    rng = np.random.default_rng(0)
    drawn = [rows[rng.integers(len(rows), size=(DRAWS, len(rows)))] for rows in samples]
    value, many, n = float(statistic(samples)), statistic(drawn), min(map(len, samples))
    low, high = (
        np.quantile(many, (0.005, 0.995), method="inverted_cdf")
        if not np.isnan(many).any()
        else (np.nan, np.nan)
    )
    return Measured(
        value, float(low), float(high), n, f"{_few(value)} [{_few(low)}–{_few(high)}] {what}, n = {n} each"
    )


def side_by_side(**measured: Measured) -> Measured:
    """Several, one after another in words; the numbers are the first one's."""
    first = next(iter(measured.values()))
    text = "; ".join(f"{name.replace('_', ' ')}: {m.text}" for name, m in measured.items())
    return Measured(first.value, first.low, first.high, first.n, text, first.hits, first.least, first.most)


def _few(x: float) -> str:
    return (
        "?"
        if np.isnan(x)
        else number(x)
        if abs(x) >= 100 or np.isinf(x)
        else significant(x)
        if abs(x) < 1
        else f"{x:.3g}"
    )

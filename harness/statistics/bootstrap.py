"""Resampling replicas: draws of them as counts, and the interval that many draws of a statistic make.

Failures are drawn like all others, so a statistic may be infinite in some draws. Intervals are therefore
order statistics of the draws, which never subtract one infinity from another.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, inf
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole

Array = Any
RESAMPLES = 50_000
KEPT = 2**22  # of so many counts, 32 MB, those drawn last are kept: cells of a study are mostly of one size
CHUNK = 2**16  # replicas drawn at once: half a megabyte of counts stays in the cache, whatever the resamples
ROUNDING = 1e-12  # of the largest draw: two orders of adding up the same replicas are a tie


class Interval(NamedTuple):
    """An estimate and the interval of it: floats, or arrays of one shape."""

    value: Any
    low: Any
    high: Any


def check_level(level: float) -> None:
    """Raise `InputError` unless 0 < `level` < 1."""
    if not 0 < level < 1:
        raise InputError(f"level must be greater than 0 and below 1, but {level!r} was given")


def fates(solved: ArrayLike) -> NDArray[np.bool_]:
    """`solved` (R,) as an array. Raises `InputError` if it is not one-dimensional or empty."""
    is_solved = np.asarray(solved, bool)
    if is_solved.ndim != 1 or not len(is_solved):
        raise InputError(
            f"solved must say of each of at least one replica whether it was, but has shape {is_solved.shape}"
        )
    return is_solved


def amounts(name: str, values: ArrayLike, replicas: int) -> NDArray[np.float64]:
    """What each replica spent (R, …) as an array.

    Raises `InputError` unless it is finite, at least 0, and R long.
    """
    numbers = np.asarray(values, float)
    if numbers.ndim == 0 or len(numbers) != replicas:
        raise InputError(
            f"{name} must have one row for each of {replicas} replicas, but has shape {numbers.shape}"
        )
    if not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise InputError(
            f"{name} must be finite and at least 0 for every replica, failed ones included: what it spent"
        )
    return numbers


def draws(replicas: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each of R replicas is in each resample of R,
    drawn with replacement: counts (b, R), chunk after chunk.

    A sum over a resample is then a matrix product, `counts @ table`, exact and the same for any size of
    chunk.
    """
    whole("resamples", resamples, 1)
    small = replicas * resamples <= KEPT
    return iter(_kept(replicas, resamples, seed)) if small else _drawn(replicas, resamples, seed)


@lru_cache(maxsize=1)
def _kept(replicas: int, resamples: int, seed: int) -> list[NDArray[np.float64]]:
    chunks = list(_drawn(replicas, resamples, seed))
    for counts in chunks:
        counts.flags.writeable = False
    return chunks


def _drawn(replicas: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // replicas)
    for start in range(0, resamples, rows):
        b = min(rows, resamples - start)
        drawn = rng.integers(replicas, size=(b, replicas)) + replicas * np.arange(b)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * replicas).reshape(b, replicas).astype(float)


def in_order(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows (R, K) of a table in ascending order:
    an interval must not depend on how the replicas are numbered.
    """
    return table[np.lexsort(table.T[::-1])]


def bias_corrected(
    value: float, drawn: NDArray[np.float64], level: float, acceleration: float = 0.0
) -> tuple[float, float]:
    """The bias-corrected percentile interval (low, high)
    of an estimate `value` from B draws of it (B,), ±∞ among them.

        the α'-quantiles of the draws,    α' = Φ(z₀ + (z₀ + z_α) / (1 − a (z₀ + z_α))),    α = (1 ± level) / 2
        z₀ = Φ⁻¹(share of the draws below the value, ties counted half),    a the `acceleration`

    A draw that says nothing is NaN: for z₀ it does not count, and it is −∞ for the lower end and ∞ for the
    upper one. Efron 1987, J. Am. Stat. Assoc. 82:171-185: BC where a = 0, else BCa.
    """
    check_level(level)
    normal, known = NormalDist(), np.sort(drawn[~np.isnan(drawn)])
    if not len(known) or np.isnan(value):
        return -inf, inf
    nothing = np.full(len(drawn) - len(known), inf)
    slack = ROUNDING * float(np.abs(known[np.isfinite(known)]).max(initial=0.0))
    ties = np.searchsorted(known, value - slack, "left"), np.searchsorted(known, value + slack, "right")
    below = sum(map(int, ties)) / (2 * len(known))
    z0 = normal.inv_cdf(min(max(below, 0.5 / len(known)), 1 - 0.5 / len(known)))

    def share(uncorrected: float) -> float:
        z = z0 + normal.inv_cdf(uncorrected)
        # beyond the pole: all the way out
        return normal.cdf(z0 + (z / (1 - acceleration * z) if acceleration * z < 1 else inf))

    low = order_statistic(np.concatenate([-nothing, known]), share((1 - level) / 2))
    return low, order_statistic(np.concatenate([known, nothing]), share((1 + level) / 2))


def percentile(drawn: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The percentile interval (low, high) from B draws (B,):
    their (1 ± level) / 2 quantiles, as order statistics.
    """
    check_level(level)
    ordered = np.sort(drawn)
    return order_statistic(ordered, (1 - level) / 2), order_statistic(ordered, (1 + level) / 2)


def order_statistic(ordered: NDArray[np.float64], share: float) -> float:
    """The smallest of ascending numbers (B,) that at least `share` of them do not exceed."""
    return float(ordered[min(max(ceil(share * len(ordered)), 1), len(ordered)) - 1])

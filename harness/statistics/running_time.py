"""Expected running time: the cost of a success, failures paid for, in epochs, updates, FLOPs or seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError
from harness.statistics.bootstrap import (
    RESAMPLES,
    Interval,
    amounts,
    bias_corrected,
    check_level,
    draws,
    fates,
    in_order,
)
from harness.statistics.proportion import clopper_pearson

Array = Any
ROUNDING = 1e-9  # of a budget: updates × price add up to it in two orders


def expected_running_time(spent: ArrayLike, solved: ArrayLike) -> float:
    """ERT = Σ `spent` over all replicas ÷ number `solved`, in the unit of `spent`; ∞ if none is solved.

    What a success costs if one starts afresh until there is one.
    Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, COCO, Optim. Methods Softw. 36:114-144.
    """
    count = int(np.count_nonzero(solved))
    return float(np.sum(spent)) / count if count else np.inf


def failure_costs(spent: ArrayLike, epochs: ArrayLike, budget_epochs: ArrayLike) -> NDArray[np.float64]:
    """What a replica that fails spends, in each currency of `spent` (R,) or (R, K): `running_time`'s budget.

    The budget in epochs (R,) at the price that an epoch had, in the mean over the `epochs` (R,) of all; ∞ if
    none spent any. A budget in seconds ends a replica sooner: then this is an upper bound.
    """
    numbers, run = np.asarray(spent, float), float(np.sum(epochs))
    if not run:
        return np.full(numbers.shape[1:], np.inf)
    return np.maximum(numbers.max(0), float(np.max(budget_epochs)) * numbers.sum(0) / run)


def running_time(
    spent: ArrayLike,
    solved: ArrayLike,
    *,
    seed: int,
    budget: ArrayLike = np.inf,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    accelerated: bool = False,
) -> Interval:
    """ERT of R replicas with its interval: floats for `spent` (R,), arrays (K,) for (R, K).

    The K columns are currencies (epochs, updates, FLOPs, seconds). Two intervals are laid over each other,
    and the ends are the outer ones:

        bootstrap   bias-corrected percentiles of resampled replicas, with their fates, in all currencies the
                    same; a resample without a success costs ∞. `accelerated` adds Efron's acceleration from
                    the jackknife. Efron 1987, J. Am. Stat. Assoc. 82:171-185
        binomial    S + F (1 − p) / p at the ends of Clopper and Pearson's interval of the solved rate p, S
                    what a solved replica spent and F what a failed one did, in the mean (`binomial_ends`)

    The second speaks where resampling has nothing to draw: the failure, or the success, that these few
    replicas did not happen to show. Where all are solved F is `budget`, what a replica that fails would have
    spent, a number or one of each currency (K,): of 10 that solve all, up to 31 % may fail for all we know,
    and a success then costs .45 budgets more. Without it the upper end is ∞. Where none is solved value and
    upper end are ∞, and S counts as 0.

    One replica does not tell how much replicas differ: if it is solved, 0 to ∞. docs/statistics.md says in
    how many cases the interval covers the truth. Raises `InputError` for a budget below what was spent.
    """
    is_solved = fates(solved)
    numbers = amounts("spent", spent, len(is_solved))
    check_level(level)
    columns = numbers.reshape(len(numbers), -1)
    budgets = _budgets(budget, columns)
    value = _ratio(columns.sum(0), is_solved.sum())
    low, high = _ends(columns, is_solved, budgets, level, resamples, seed, accelerated)
    return Interval(*(ends.reshape(numbers.shape[1:])[()] for ends in (value, low, high)))


def _budgets(budget: ArrayLike, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    budgets = np.asarray(budget, float).ravel()
    if budgets.size not in (1, columns.shape[1]) or not (budgets * (1 + ROUNDING) >= columns.max(0)).all():
        raise InputError(
            "budget must be what a failing replica spends, one number for each currency and at least what "
            f"any replica spent, but {budget!r} was given"
        )
    return np.broadcast_to(budgets, columns.shape[1])


def _ends(
    columns: NDArray[np.float64],
    solved: NDArray[np.bool_],
    budget: NDArray[np.float64],
    level: float,
    resamples: int,
    seed: int,
    accelerated: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    outer = binomial_ends(columns, solved, budget, level)
    if not solved.any():
        return outer
    if len(columns) == 1:
        return np.zeros(columns.shape[1]), np.full(columns.shape[1], np.inf)
    inner = bootstrap_ends(columns, solved, level, resamples, seed, accelerated)
    return np.minimum(inner[0], outer[0]), np.maximum(inner[1], outer[1])


def binomial_ends(
    columns: NDArray[np.float64], solved: NDArray[np.bool_], budget: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """S + F (1 − p) / p of each column of (R, K), at the ends of Clopper and Pearson's interval of p.

    S and F are the mean of the solved (0 of none) and of the failed (the budget (K,) of none). Clopper &
    Pearson 1934, Biometrika 26:404-413.
    """
    success = columns[solved].mean(0) if solved.any() else np.zeros(columns.shape[1])
    failure = budget if solved.all() else columns[~solved].mean(0)
    least, most = (float(p) for p in clopper_pearson(solved.sum(), len(solved), level))
    low = success + (failure * (1 - most) / most if most < 1 else 0.0)
    return low, success + failure * (1 - least) / least if least > 0 else np.full(columns.shape[1], np.inf)


def bootstrap_ends(
    columns: NDArray[np.float64],
    solved: NDArray[np.bool_],
    level: float,
    resamples: int,
    seed: int,
    accelerated: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bias-corrected percentile ends of the ERT of each column of (R, K), all of the same resamples."""
    table = in_order(np.column_stack([columns, solved]))
    sums = np.concatenate([counts @ table for counts in draws(len(columns), resamples, seed)])
    drawn = _ratio(sums[:, :-1], sums[:, -1:])
    value = _ratio(columns.sum(0), solved.sum())
    skew = _acceleration(table) if accelerated else np.zeros(len(value))
    ends = [
        bias_corrected(one, column, level, a) for one, column, a in zip(value, drawn.T, skew, strict=True)
    ]
    low, high = np.array(ends).T
    return low, high


def _ratio(total: Array, count: Array) -> Array:
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _acceleration(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """a = Σ d³ / (6 (Σ d²)^1.5), d the ERTs' mean − each without one replica (Efron 1987);
    0 where one of them is ∞.
    """
    without = table.sum(0) - table
    left = _ratio(without[:, :-1], without[:, -1:])
    if not np.isfinite(left).all():
        return np.zeros(left.shape[1])
    d = left.mean(0) - left
    spread = (d**2).sum(0) ** 1.5
    return np.where(spread > 0, (d**3).sum(0) / (6 * np.where(spread > 0, spread, 1)), 0.0)

"""Does one number of a rule go with another, over rules and tasks? Rank correlations whose unit is a rule.

A study has a number x (how far a rule's credit points from the gradient) and a number y (what a success
costs it) for each of n cells, rule × task. Costs of two tasks cannot be compared, so ranks are taken within a
task, as shares of it, ties in the middle:

    u_i = (#{x_j < x_i} + ½ #{x_j = x_i}) / n_task − ½    over the cells j on the task of i;  v from y
    ρ = Σ u v / √(Σ u² Σ v²)

which is Spearman's ρ for one task, and his partial one given the task for several. A cost that was never
reached is the last of ranks, tied with all others of its kind; nothing is dropped.

A rule is the same rule on ten tasks: ten cells of it are not ten pieces of evidence. So what is drawn anew
for an interval, and dealt anew for a p value, are whole **units**, rules mostly, with all their cells.
Replicas are no unit here: a thousand more networks make a cell exact and say nothing of another rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from math import atanh, lgamma, log, sqrt, tanh
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError, whole
from harness.statistics.bootstrap import Interval, check_level, draws

Array = Any
RESAMPLES = 4000
PERMUTATIONS = 20_000
COUNTED = 40_320  # ways to deal units that are gone through one by one: 8!
CHUNK = 512  # resamples at once
FEWEST = 4  # units, of which an interval says anything
ROUNDING = 1e-9  # of a correlation: two orders of adding up the same cells are a tie


class Cells(NamedTuple):
    """Cells, checked; labels as numbers from 0."""

    x: NDArray[np.float64]
    """(n, P)"""
    y: NDArray[np.float64]
    """(n,)"""
    unit: NDArray[np.intp]
    task: NDArray[np.intp]
    given: NDArray[np.float64]
    """(n, K)"""

    @property
    def units(self) -> int:
        """How many there are."""
        return int(self.unit.max()) + 1


def rank_correlation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    unit: ArrayLike,
    seed: int,
    task: ArrayLike | None = None,
    given: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Spearman's ρ of x and y over n cells, given the task or some numbers, with its interval over units.

    With `given`, ranks of x, y and each of these numbers are taken; what is correlated is what a
    least-squares line through the ranks of the given leaves of the other two (Kendall 1942, Biometrika
    32:277-283).

    The interval is on Fisher's scale, atanh ρ ± t s, s the standard deviation of atanh ρ over resamples of
    whole units and t Student's quantile at units − 2; s is at least 1.03 / √(n − tasks − 2), what as many
    cells that have nothing to do with each other would have (Fieller, Hartley & Pearson 1957, Biometrika
    44:470-481). From −1 to 1 where there are fewer than four units. docs/statistics.md says how often it
    covers.

    Args:
        x, y: (n,); ±∞ has its rank, and what is not defined does not belong here: count it, and say so.
        unit: what is drawn anew as a whole, of each cell (n,).
        seed: of the resamples.
        task: within what ranks are taken (n,); None: all cells are of one.
        given: numbers (n,) or (n, K); not together with `task`, which leaves nothing of what tasks differ in.
        level: of the interval.
        resamples: of the bootstrap.

    Returns:
        ρ with its ends; NaN, from −1 to 1, where x or y does not vary.

    Raises:
        InputError: for arguments that are none of these.
    """
    from scipy.stats import t as student

    cells = checked(x, y, unit, task, given)
    check_level(level)
    n, tasks = len(cells.y), int(cells.task.max()) + 1
    value = float(_correlations(np.ones((1, n)), cells)[0])
    if cells.units < FEWEST or np.isnan(value):
        return Interval(value, -1.0, 1.0)
    drawn = np.concatenate([_correlations(w, cells) for w in resampled_units(cells, resamples, seed)])
    most = 1 - 6 / (cells.units * (cells.units**2 - 1))  # half a step from ranks that are all the same
    z = np.arctanh(np.clip(drawn[~np.isnan(drawn)], -most, most))
    alone = 1.03 / sqrt(max(n - tasks - 2, 1))
    spread = max(float(z.std()) if len(z) else np.inf, alone)
    reach = float(student.ppf((1 + level) / 2, cells.units - 2)) * spread
    centre = atanh(min(max(value, -most), most))
    return Interval(value, min(value, tanh(centre - reach)), max(value, tanh(centre + reach)))


def permutation_p(
    x: ArrayLike,
    y: ArrayLike,
    *,
    task: ArrayLike | None = None,
    unit: ArrayLike | None = None,
    seed: int = 0,
    most: int = PERMUTATIONS,
) -> float:
    """In what share of ways to deal y anew within each task is |ρ| as large as here?

    Without a `unit` every cell of a task is dealt for itself. That tells chance from more than chance where
    cells have nothing else in common; a rule that is quick on one task because it is quick on all has, and is
    then found too often. With one, y is dealt by whole units, on all tasks alike: what is asked is whether
    another rule's costs would go as well with this rule's credit. Only units with a cell on every task can
    be dealt so; the others are left out.

    Exact, where there are no more than 8! ways; else of `most` drawn ones and what was seen. Fisher 1935, The
    Design of Experiments, section 21.

    Args:
        x, y: (n,), as in `rank_correlation`.
        task: (n,); None: all cells are of one.
        unit: (n,), or None.
        seed: of the ways that are drawn.
        most: how many are drawn.

    Returns:
        p; 1 where x or y does not vary.

    Raises:
        InputError: for arguments that are none of these, or where no two units have a cell on every task.
    """
    whole("most", most, 1)
    cells = checked(x, y, np.zeros(np.shape(y)) if unit is None else unit, task)
    cells = cells if unit is None else _complete(cells)
    u, v = (shares_of_rank(column, cells.task)[0] for column in (cells.x[:, 0], cells.y))
    if not (u @ u) * (v @ v) > 0:
        return 1.0
    tasks = [np.flatnonzero(cells.task == t) for t in range(int(cells.task.max()) + 1)]
    gains = [np.outer(u[at], v[at]) for at in tasks]  # Σ u v is that of a way through each of these
    if unit is not None:
        ordered = [at[np.argsort(cells.unit[at])] for at in tasks]
        gains = [np.sum([np.outer(u[at], v[at]) for at in ordered], axis=0)]
    counted = sum(lgamma(len(gain) + 1) for gain in gains) <= log(COUNTED) + ROUNDING
    rng, total = np.random.default_rng(seed), np.zeros(1)
    for gain in gains:
        m = len(gain)
        ways = (
            np.array(list(permutations(range(m))))
            if counted
            else rng.permuted(np.tile(np.arange(m), (most, 1)), axis=1)
        )
        sums = gain[np.arange(m), ways].sum(1)
        total = (total[:, None] + sums).ravel() if counted else total + sums
    extreme = np.abs(total) >= abs(u @ v) * (1 - ROUNDING)
    return float(extreme.mean() if counted else (extreme.sum() + 1) / (most + 1))


def shares_of_rank(values: Array, task: Array, weights: Array | None = None) -> NDArray[np.float64]:
    """u of n values (b, n), within their task, each value as often as its weight (b, n) says; 0 of a task
    without any.
    """
    w = np.ones((1, len(values))) if weights is None else weights
    alike = task[:, None] == task
    half = 0.5 * (alike & (values == values[:, None])) + (alike & (values < values[:, None]))
    total = w @ alike
    return np.divide(w @ half.T, total, out=np.full(total.shape, 0.5), where=total > 0) - 0.5


def checked(
    x: ArrayLike, y: ArrayLike, unit: ArrayLike, task: ArrayLike | None, given: ArrayLike | None = None
) -> Cells:
    """Cells as arrays; raises `InputError` for what is none."""
    numbers = np.asarray(y, float)
    n = len(numbers) if numbers.ndim == 1 else 0
    if n < 2:
        raise InputError(
            f"y must have a number for each of at least two cells, but has shape {numbers.shape}"
        )
    table, more = (np.asarray(np.empty((n, 0)) if a is None else a, float) for a in (x, given))
    table, more = (a[:, None] if a.ndim == 1 else a for a in (table, more))
    labels = [np.zeros(n) if a is None else np.asarray(a) for a in (unit, task)]
    if any(len(a) != n for a in (table, more, *labels)):
        raise InputError(f"x, unit, task and what is given must be of the same {n} cells as y")
    if np.isnan(table).any() or np.isnan(numbers).any() or np.isnan(more).any():
        raise InputError("a cell without a number, NaN, has no rank: leave it out, count it, and say so")
    if given is not None and task is not None:
        raise InputError("given the task, all that tasks differ in is given: name one of task and given")
    units, tasks = (np.unique(a, return_inverse=True)[1] for a in labels)
    return Cells(table, numbers, units, tasks, more)


def _correlations(w: Array, cells: Cells) -> NDArray[np.float64]:
    """ρ (b,) of samples in which the cells come so often (b, n); NaN where x or y does not vary."""
    u, v = (shares_of_rank(a, cells.task, w) for a in (cells.x[:, 0], cells.y))
    if cells.given.shape[1]:
        z = np.stack([shares_of_rank(a, cells.task, w) for a in cells.given.T], -1)
        u, v = (_beyond(a, z, w) for a in (u, v))
    uu, vv, uv = ((w * a * b).sum(1) for a, b in ((u, u), (v, v), (u, v)))
    least = ROUNDING * w.sum(1)  # a line leaves rounding of ranks that it explains
    varies = (uu > least) & (vv > least)
    return np.divide(uv, np.sqrt(uu * vv), out=np.full(len(w), np.nan), where=varies)


def _beyond(u: Array, z: Array, w: Array) -> Array:
    """What the best weighted line through z (b, n, K) leaves of u (b, n); all have the mean 0."""
    wz = w[..., None] * z
    slopes = np.linalg.pinv(z.mT @ wz, rcond=ROUNDING) @ (wz.mT @ u[..., None])
    return u - (z @ slopes)[..., 0]


def resampled_units(cells: Cells, resamples: int, seed: int) -> Iterator[Array]:
    """How often each cell comes in resamples of whole units (b, n), chunk after chunk."""
    for counts in draws(cells.units, resamples, seed):
        for start in range(0, len(counts), CHUNK):
            yield counts[start : start + CHUNK, cells.unit]


def _complete(cells: Cells) -> Cells:
    """The units with one cell on every task, and no other."""
    tasks = int(cells.task.max()) + 1
    table = np.zeros((cells.units, tasks), int)
    np.add.at(table, (cells.unit, cells.task), 1)
    if (table > 1).any():
        raise InputError("a unit has more than one cell on a task: units that are dealt have one on each")
    whole_ones = np.asarray((table > 0).all(1))
    if whole_ones.sum() < 2:
        raise InputError("there are no two units with a cell on every task, to deal anew")
    keep = whole_ones[cells.unit]
    return Cells(cells.x[keep], cells.y[keep], cells.unit[keep], cells.task[keep], cells.given[keep])

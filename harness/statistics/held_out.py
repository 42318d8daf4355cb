"""Does a law that was found on some tasks hold on one that nobody had seen? R² of ranks, held out.

A correlation over ten tasks may be ten different laws. So one is fitted on nine of them and held to the
tenth: does the rank of a rule's credit, in the same proportion as elsewhere, say where its cost will stand?
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.errors import InputError
from harness.statistics.association import (
    FEWEST,
    RESAMPLES,
    ROUNDING,
    Cells,
    checked,
    resampled_units,
    shares_of_rank,
)
from harness.statistics.bootstrap import Interval, bias_corrected

Array = Any


def held_out(
    x: ArrayLike,
    y: ArrayLike,
    *,
    unit: ArrayLike,
    task: ArrayLike,
    seed: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """R² with which ranks of x foretell ranks of y on a task, and of a unit, that the line has not seen.

        R² = 1 − Σ (v − b · u)² / Σ v²,    b by least squares over the cells of all other units on all others

    for each cell by a line of its own, with u and v as in `harness.statistics.association`, so that 0 is what
    *all are alike* achieves, and less is worse than that. The other units only, since a rule that is quick on
    all tasks would else be known again by its credit, be that related to its costs or not. Ranks of x on the
    task that is held out are known; those of y serve as the answer alone.

    The interval is the bias-corrected percentile interval of resampled units, with all lines anew (Efron
    1987). docs/statistics.md says in how many cases it covers.

    Args:
        x: (n,), or (n, P) of P predictors.
        y, unit, task: as in `rank_correlation`, of at least two tasks and two units.
        seed: of the resamples.
        level: of the interval.
        resamples: of the bootstrap.

    Raises:
        InputError: for arguments that are none of these.
    """
    cells = checked(x, y, unit, task)
    if cells.units < 2 or not cells.task.any():
        raise InputError("to hold one out, there must be at least two tasks and two units")
    value = float(_held_out(np.ones((1, len(cells.y))), cells)[0])
    if cells.units < FEWEST:
        return Interval(value, -np.inf, 1.0)
    drawn = np.concatenate([_held_out(w, cells) for w in resampled_units(cells, resamples, seed)])
    low, high = bias_corrected(value, drawn, level)
    return Interval(value, low, min(high, 1.0))


def _held_out(w: Array, cells: Cells) -> NDArray[np.float64]:
    """R² (b,) of samples in which the cells come so often (b, n); NaN where y does not vary."""
    u = np.stack([shares_of_rank(a, cells.task, w) for a in cells.x.T], -1)
    v = shares_of_rank(cells.y, cells.task, w)
    of_unit = (cells.unit[:, None] == np.arange(cells.units)).astype(float)
    wu, wrong = w[..., None] * u, np.zeros(len(w))
    for task in range(int(cells.task.max()) + 1):
        at, others = cells.task == task, (cells.task != task)[:, None] * of_unit
        square = np.einsum("bni,bnj,nm->bmij", wu, u, others)  # of each unit
        product = np.einsum("bni,bn,nm->bmi", wu, v, others)
        square, product = (a.sum(1, keepdims=True) - a for a in (square, product))  # of all but it
        lines = (np.linalg.pinv(square, rcond=ROUNDING) @ product[..., None])[..., 0]
        foretold = (lines[:, cells.unit[at]] * u[:, at]).sum(-1)
        wrong += (w[:, at] * (v[:, at] - foretold) ** 2).sum(1)
    size = (w * v * v).sum(1)
    return np.subtract(1, wrong / np.where(size > 0, size, 1), out=np.full(len(w), np.nan), where=size > 0)

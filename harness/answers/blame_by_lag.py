"""What is left of blame k steps back before training, by the kind of the units that remember.

From `harness.credit.lags`, which reads it off the exact gradient of the last step's loss, at the initial
weights of delayed exclusive or. It is a factor a step as far as ln left_k is a straight line in k: each
network's slope by least squares, their median and its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.answers.middle import median, of_values
from harness.answers.words import brief, listed
from harness.cells.cell import Cell
from harness.cells.start import start
from harness.core.recurrent import KINDS
from harness.credit.lags import left_by_lag
from harness.experiment.digits import number
from harness.statistics import Interval

if TYPE_CHECKING:
    import pandas as pd

STEPS, NETWORKS = 32, 200
SEQUENCES = 16
"""What an initial network's blame is read off; more of them say the same of its Jacobians."""
LITTLE = 0.01
"""Of the last step's blame: what is called gone."""


class Left(NamedTuple):
    """What is left of blame in the networks of one kind of unit."""

    units: str
    shares: NDArray[np.float64]
    """Of the last step's, at each lag (R, T); NaN where that has none."""

    @property
    def quartiles(self) -> NDArray[np.float64]:
        """25, 50 and 75 % of the networks at each lag (3, T); NaN where none has blame."""
        there = self.shares[~np.isnan(self.shares).any(axis=1)]
        if not len(there):
            return np.full((3, self.shares.shape[1]), np.nan)
        return np.asarray(np.quantile(there, (0.25, 0.5, 0.75), axis=0), float)

    @property
    def gone(self) -> int | None:
        """The first lag at which the median is below `LITTLE`; None where that is none of them."""
        below = np.flatnonzero(self.quartiles[1] < LITTLE)
        return int(below[0]) if len(below) else None


def before_training(kinds: Sequence[str] = KINDS, networks: int = NETWORKS, steps: int = STEPS) -> list[Left]:
    """What is left at each lag by each kind of unit. Takes seconds.

    Args:
        kinds: some of `harness.core.recurrent.KINDS`.
        networks: R.
        steps: of a sequence, T.
    """
    task = {"name": "delayed_xor", "lag": 1, "asked": 1, "length": steps, "sequences": SEQUENCES}
    made = []
    for units in kinds:
        cell = Cell.of({"name": "backprop"}, {**task, "units": units}, {"replicas": networks})
        at = start(cell.algorithm, cell.task, cell.settings, range(networks))
        with np.errstate(over="ignore"):  # units without an upper bound run off in some networks
            made.append(Left(units, left_by_lag(at.net, at.state["params"], at.batch)))
    return made


def factor(left: Left, level: float = 0.95) -> Interval:
    """By what a step back multiplies blame: the median over networks, with its interval; networks without
    blame at some lag are left out.
    """
    there = left.shares[(left.shares > 0).all(axis=1)]
    if not len(there) or left.shares.shape[1] < 2:
        return Interval(np.nan, -np.inf, np.inf)
    slopes = np.polyfit(np.arange(there.shape[1]), np.log(there).T, 1)[0]
    value, low, high = (float(end) for end in of_values(slopes, level))
    return Interval(float(np.exp(value)), float(np.exp(low)), float(np.exp(high)))


def factors(some: Sequence[Left]) -> list[Interval]:
    """Of all of them, at a level at which one misses in 5 % of studies."""
    return [factor(left, 1 - 0.05 / len(some)) for left in some]


def said(some: Sequence[Left]) -> list[str]:
    """By what a step multiplies blame, the least first, and from which lag on it is gone."""
    if not some:
        return ["No blame was looked at."]
    found = sorted(zip(some, factors(some), strict=True), key=lambda each: float(each[1].value))
    n, steps = some[0].shares.shape
    parts = [f"{left.units}: ×{median(f)} a step, {_gone(left)}" for left, f in found]
    head = (
        f"**What does a step back leave of blame?** Before training, the median over {number(n)} networks "
        f"[95 % of all], over {number(steps)} steps"
    )
    return [listed(head, parts)]


def _gone(left: Left) -> str:
    last = f"{brief(float(left.quartiles[1][-1]))} of it {left.shares.shape[1] - 1} steps back"
    return last if left.gone is None else f"less than {LITTLE:g} of it from {left.gone} steps back on, {last}"


def points(some: Sequence[Left]) -> pd.DataFrame:
    """What `blame_figure` draws: a row for each kind of unit and lag, medians with quartiles."""
    import pandas as pd

    made = []
    for left, f in zip(some, factors(some), strict=True):
        low, middle, high = left.quartiles
        rows = pd.DataFrame({"x": np.arange(len(middle)), "low": low, "value": middle, "high": high})
        power = {"factor": f.value, "low_factor": f.low, "high_factor": f.high}
        made.append(rows.assign(series=left.units, n=len(left.shares), **power))
    return pd.concat(made, ignore_index=True)

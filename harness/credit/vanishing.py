"""What is left of the credit of a deep network's first hidden layer, beside its last's.

    ratio = RMS(credit of the weights into the first hidden layer) ÷ RMS(credit of those into the last)

of every replica at its initial weights, on all training patterns. Of a credit that draws random numbers the
mean over `run.probe_draws` draws is taken; the noise it still has (1 / √draws of one draw's) stands in both
layers, a floor where the credit itself is below it. A rule without credit for hidden weights has no ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.cells.cell import Cell
from harness.cells.start import start
from harness.core.algorithm import CreditAlgorithm
from harness.core.errors import InputError
from harness.core.rand import PROBE, Rand

STEEPEST = 0.25  # of the logistic function, at 0


class Left(NamedTuple):
    """What is left of the credit at one depth."""

    depth: int
    """Hidden layers."""
    ratio: NDArray[np.float64]
    """First ÷ last hidden layer, of every replica; NaN where the last gets none."""
    draws: int
    """Draws that the credit is a mean over: 1 if there is no chance in it."""

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """25, 50 and 75 % of the replicas; NaN if none has a ratio."""
        there = self.ratio[~np.isnan(self.ratio)]
        low, middle, high = np.quantile(there, (0.25, 0.5, 0.75)) if len(there) else [np.nan] * 3
        return float(low), float(middle), float(high)


def left(cell: Cell) -> Left:
    """First- ÷ last-layer credit of a cell's replicas.

    Raises `InputError` for what has no credit or no hidden group.
    """
    algorithm, task, run = cell.algorithm, cell.task, cell.settings
    replicas = range(run.replicas)
    cell.check()
    if not isinstance(algorithm, CreditAlgorithm):
        raise InputError(f"{algorithm.name} gives no credit to single weights: choose one that does")
    if not task.network().hidden:
        raise InputError(f"{task.name} has no hidden layer that credit could reach")
    at, rand = (
        start(algorithm, task, run, replicas),
        Rand(run.seed, replicas, PROBE, run.dtype),
    )
    net, state = at.net, at.state
    ends = [
        next((e for e in net.into(g) if not e.delay), net.into(g)[0]).weights
        for g in (net.hidden[0], net.hidden[-1])
    ]
    if ends[0] == ends[1] and len(net.hidden) > 1:
        raise InputError(
            f"the first and the last hidden layer of {task.name} share their weights: there is no ratio"
        )

    def drawn() -> list[Any]:
        credit = algorithm.credit(net, state["params"], state["memory"], at.batch, rand).gradient
        return [credit.get(e, np.zeros((run.replicas, 1, 1))) for e in ends]

    total, draws = drawn(), 1
    if rand.taken:
        for _ in range(run.probe_draws - 1):
            total, draws = [a + b for a, b in zip(total, drawn(), strict=True)], draws + 1
    first, last = (np.sqrt((a.astype(float) ** 2).mean(axis=(-1, -2))) for a in total)
    return Left(len(net.hidden), np.where(last > 0, first / np.where(last > 0, last, 1.0), np.nan), draws)


def factor(some: Sequence[Left]) -> float:
    """By what each further layer multiplies the median ratio:
    its logarithm against depth, by least squares.
    """
    points = [(s.depth, s.quartiles[1]) for s in some if s.quartiles[1] > 0]
    if len({depth for depth, _ in points}) < 2:
        return float("nan")
    x, y = zip(*points, strict=True)
    return float(np.exp(np.polyfit(x, np.log(y), 1)[0]))


def ratio_table(ratios: Mapping[str, Sequence[Left]]) -> str:
    """A table: a row for each algorithm, median [quartiles] at every depth, and the factor per layer."""
    depths = sorted({s.depth for some in ratios.values() for s in some})
    lines = [f"{'hidden layers':30}" + "".join(f"{d:>26}" for d in depths) + f"{'factor a layer':>18}"]
    for name, some in ratios.items():
        cells = {s.depth: s.quartiles for s in some}
        quartiles = [cells.get(d, (np.nan,) * 3) for d in depths]
        texts = ["–" if np.isnan(m) else f"{m:.2g} [{low:.2g}–{high:.2g}]" for low, m, high in quartiles]
        rate = factor(some)
        draws = max(s.draws for s in some)
        title = name + (f", mean of {draws} draws" if draws > 1 else "")
        lines.append(
            f"{title:30}"
            + "".join(f"{t:>26}" for t in texts)
            + f"{'–' if np.isnan(rate) else f'{rate:.3g}':>18}"
        )
    return "\n".join(lines)

"""In what share of targets is a rule there, by then? Runtime profiles with restarts, in operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import InputError
from harness.drawing.cell import Drawn
from harness.drawing.crowd import behind
from harness.drawing.facets import facets
from harness.drawing.frames import Draw, drawn, needs
from harness.drawing.style import logarithmic
from harness.experiment.digits import percent
from harness.plots.families import BESIDE, arranged, key_of
from harness.plots.titles import Best, costs_of, over_tasks
from harness.statistics import Steps, runtime_profile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEED = 0
CAPTION = (
    "Runtime profile: the share of (target, draw) pairs that are reached, against the operations spent. "
    "Targets of a task: {targets}, the loss being that before training in the median over all cells; who "
    "meets the criterion has reached all. A try that fails is paid for at its budget and begun afresh; a "
    "rule ends below 1 where no replica reaches a target. Beside each name: the share at the right. n = {n} "
    "replicas."
)


def runtime_figure(targets: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """Runtime profiles with restarts over several targets: tasks and families of rules, as survival is.

    Hansen, Auger, Ros, Mersmann, Tušar & Brockhoff 2021, COCO, Optim. Methods Softw. 36:114-144.

    Args:
        targets: the frame of `results.targets`.
        cells: the frame of `results.cells`, which says what an epoch costs.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no cell is finished, or none was counted in FLOPs.

    >>> from harness import results
    >>> figure = runtime_figure(results.targets("first_light"), results.cells("first_light"))
    """
    needs(cells, "id", "epoch_flops")
    price = dict(zip(cells["id"].astype(str), cells["epoch_flops"].to_numpy(float), strict=True))
    some = [d for d in drawn(targets, "target", "reached", "spent") if np.isfinite(price.get(d.id, np.nan))]
    if not some:
        raise InputError("no cell was counted in FLOPs, so there is nothing to draw operations of")
    known = {d.id: _profile(d, price[d.id]) for d in some}

    def draw_of(own: Sequence[Drawn]) -> Draw:
        return partial(_draw, known=known, within=_limits([known[d.id] for d in own]))

    blocks, grey = arranged(some, draw_of, {name: _cost(steps) for name, steps in known.items()})
    names = list(dict.fromkeys(map(str, some[0].rows["target"])))
    counts = sorted({len(d.column("spent")) // len(names) for d in some})
    n = f"{counts[0]:,}" + (f" to {counts[-1]:,}" if len(counts) > 1 else "")
    caption = CAPTION.format(targets=", ".join(names), n=n)
    return facets(_title(some, known), caption + grey, blocks, key_of(some))


def _profile(d: Drawn, price: float) -> Steps:
    """In operations, over all targets of the task."""
    count = len(dict.fromkeys(map(str, d.rows["target"])))
    reached = d.column("reached").reshape(count, -1).T
    spent = d.column("spent").reshape(count, -1)[0]
    return runtime_profile([price * reached], [price * spent], seed=SEED)


def _cost(steps: Steps) -> float:
    """When half of it is done."""
    return float(next((x for x in steps.x if steps.at(x) >= 0.5), np.inf))


def _limits(some: Sequence[Steps]) -> tuple[float, float]:
    """Of the axis: from the power of ten before anybody is anywhere."""
    ends = np.concatenate([steps.x for steps in some])
    ends = ends[np.isfinite(ends) & (ends > 0)]
    if not len(ends):
        return 1.0, 10.0
    return float(10 ** np.floor(np.log10(ends.min()))), float(max(2 * ends.max(), 10 * ends.min()))


def _draw(
    ax: Axes,
    *,
    shown: list[Drawn],
    others: list[Drawn],
    known: Mapping[str, Steps],
    within: tuple[float, float],
) -> None:
    left, right = within
    logarithmic(ax, "x", left, right)
    ax.set(ylim=(-0.02, 1.02), ylabel="share of targets", xlabel="FLOPs")
    x = np.geomspace(left, right, 300)
    behind(ax, [(x, known[d.id].at(x)) for d in others], steps=True)
    for d in shown:
        y = known[d.id].at(x)
        ax.plot(
            x, y, label=f"{d.algorithm}   {100 * float(y[-1]):.0f}\u00a0%", **(d.look | {"markevery": 60})
        )


def _title(cells: Sequence[Drawn], known: Mapping[str, Steps]) -> str:
    """Who is done with the most targets in the end, on each task."""
    last = {d.id: -float(known[d.id].at(np.inf)) for d in cells}
    best: dict[str, Best | None] = {}
    for task, own in costs_of(cells, last).items():
        least = min(own.values())
        names = [name for name, x in own.items() if x == least]
        best[task] = Best(names, percent(-least)) if least < 0 else None
    also = BESIDE if any(d.algorithm == BESIDE for d in cells) else ""
    return over_tasks("Most targets are reached in the end", "by", best, "no rule reaches any on", also)

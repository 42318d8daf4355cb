"""Weights of symmetry networks in pairs about the middle:
their sizes as multiples of the smallest, over all units.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.page import Panel, page
from harness.drawing.style import BLUE, DIM, VERMILION, logarithmic
from harness.experiment.digits import number, several
from harness.plots.titles import NAMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
PRINTED = (2.0, 4.0)
NAMES = ("second pair", "largest pair")
NEAR = 0.1  # of what was printed
LOW, HIGH, BINS = 0.9, 10.0, 50


def ratio_figure(ratios: Mapping[str, Array]) -> Figure:
    """For each algorithm the distribution of the second and third of ratios (U, 3),
    ascending and ÷ the smallest, of all units.

    Ratios beyond the axis are counted in its last bin. Raises `InputError` if there is no unit with a ratio.
    """
    known = {name: np.asarray(r, float)[np.isfinite(r).all(axis=-1)] for name, r in ratios.items()}
    known = {name: r for name, r in known.items() if len(r)}
    if not known:
        raise InputError("no unit has a ratio to draw")
    drawn = [
        Panel(f"{name}, n = {number(len(r))} units", partial(_histograms, ratios=r))
        for name, r in known.items()
    ]
    caption = (
        "All hidden units of all solved replicas. The three pairs of weights of a unit, about the middle "
        f"of the six bits, in order of size and ÷ the smallest. Dashed: 2 and 4, as in 1986. Above {HIGH:g} "
        f"or below {LOW:g}: in the outermost bins. A distribution of what was found, without an interval."
    )
    return page(_title(known), caption, drawn)


def _title(known: Mapping[str, Array]) -> str:
    """The median ratios of a few algorithms; of many, how many are within a tenth of what was printed."""
    median = {name: np.median(r[:, 1:3], axis=0) for name, r in known.items()}
    if len(median) <= NAMED:
        said = several([f"1 : {two:.2f} : {three:.2f} by {name}" for name, (two, three) in median.items()])
        return f"In the median unit the weights are as {said}"
    near = sum((np.abs(m / PRINTED - 1) <= NEAR).all() for m in median.values())
    return (
        f"In the median unit the weights are as 1 : 2 : 4, within {100 * NEAR:.0f} %, with "
        f"{near or 'none'} of {len(median)} algorithms"
    )


def _histograms(ax: Axes, *, ratios: Array) -> None:
    edges = np.geomspace(LOW, HIGH, BINS + 1).tolist()
    for column, (name, colour) in enumerate(zip(NAMES, (BLUE, VERMILION), strict=True), 1):
        values = np.clip(ratios[:, column], LOW * 1.0001, HIGH * 0.9999)
        share = np.full(len(values), 100 / len(values))
        median = np.median(ratios[:, column])
        style: dict[str, Any] = {
            "histtype": "stepfilled",
            "alpha": 0.55,
            "color": colour,
            "linewidth": 1.2,
            "edgecolor": colour,
        }
        ax.hist(values, edges, weights=share, label=f"{name} ÷ smallest   median {median:.2f}", **style)
    for x in PRINTED:
        ax.axvline(x, color=DIM, linestyle=(0, (3, 2)), linewidth=1.2)
    logarithmic(ax, "x", LOW, HIGH)
    ax.set(xlabel="ratio to the smallest pair", ylabel="per cent of units")

"""Where stuck networks end: the four outputs of each kind of end on XOR, and how many come to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.page import Panel, page
from harness.drawing.style import BLUE, DIM, VERMILION
from harness.experiment.digits import number, percent
from harness.inspection.ends import Kind, canonical
from harness.statistics import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
PATTERNS = ("00", "01", "10", "11")
WANTED = (0, 1, 1, 0)
WIDTH, HEIGHT = 1.75, 1.6
MOST = 4


def ends_figure(
    outputs: Array, kinds: Sequence[Kind], replicas: int, about: str, printed: Array | None = None
) -> Figure:
    """A panel for each of the most frequent `kinds` among outputs (S, 4),
    for 00, 01, 10, 11, of the stuck of so many replicas.

    Mirror images count as one and are drawn as the first of them; `printed` outputs (4,) in the panel of the
    nearest kind. Raises `InputError` if nothing is stuck.
    """
    if not len(outputs) or not kinds:
        raise InputError("no network is stuck: there are no ends to draw")
    rows = canonical(np.asarray(outputs, float))
    drawn = [
        Panel(_of_kind(kind, len(rows)), partial(_bars, rows=rows[kind.members]), HEIGHT)
        for kind in kinds[:MOST]
    ]
    if printed is not None:
        image = canonical(np.asarray(printed, float)[None])[0]
        nearest = int(np.argmin([np.abs(kind.outputs - image).max() for kind in kinds[:MOST]]))
        first = drawn[nearest]
        drawn[nearest] = first._replace(draw=partial(_bars, rows=rows[kinds[nearest].members], printed=image))
    rest = sum(len(kind.members) for kind in kinds[MOST:])
    caption = (
        f"n = {number(len(rows))} stuck of {number(replicas)} replicas; "
        "in brackets the 95 % Wilson interval of a kind's share of the stuck. Bars: median output, "
        "with a line from the 5th to the 95th percentile; short lines: what is wanted. Ends that a symmetry "
        "of XOR takes into one another are one kind, drawn as the first of its mirror images."
        + (" Circles: the outputs printed in PDP, Fig. 5." if printed is not None else "")
        + (f" Not drawn: {number(rest)} of {len(kinds) - MOST} rarer kinds." if rest else "")
    )
    return page(_title(kinds[0], len(rows), about), caption, drawn, columns=MOST, width=WIDTH, left=0.65)


def _title(first: Kind, stuck: int, about: str) -> str:
    share = percent(len(first.members) / stuck)
    return f"{about}: {share} of {number(stuck)} stuck networks come to the same end, E = {first.error:.3f}"


def _of_kind(kind: Kind, stuck: int) -> str:
    n = len(kind.members)
    low, high = (100 * float(end) for end in wilson(n, stuck))
    parts = (f"n = {number(n)}, E = {kind.error:.3f}", f"[{low:.1f}–{high:.1f} %]")
    # lines break between, not within
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def _bars(ax: Axes, *, rows: Array, printed: Array | None = None) -> None:
    x = np.arange(len(PATTERNS))
    low, middle, high = np.quantile(rows, (0.05, 0.5, 0.95), axis=0)
    ax.bar(x, middle, 0.6, color=BLUE, alpha=0.75)
    ax.vlines(x, low, high, color="black", linewidth=1.2)
    ax.hlines(WANTED, x - 0.42, x + 0.42, color=VERMILION, linewidth=2)
    if printed is not None:
        ax.plot(x, printed, "o", markerfacecolor="none", color=DIM, markersize=7)
    ax.set_xticks(x, PATTERNS)
    ax.set(ylim=(-0.04, 1.04), xlabel="pattern", ylabel="output")
    ax.grid(visible=False, axis="x")

"""Who is still unsolved after how many epochs? Tasks and families of rules, with backprop in every panel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.drawing.cell import Drawn
from harness.drawing.crowd import expected
from harness.drawing.facets import facets
from harness.drawing.frames import Draw, drawn
from harness.drawing.style import DIM
from harness.drawing.survival import CAPTION, COLUMNS, FADED, FEW, draw, limits, lines
from harness.plots.families import arranged, key_of
from harness.plots.titles import solved_by

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def survival_figure(replicas: pd.DataFrame) -> Figure:
    """The share of replicas still unsolved against epochs: Kaplan-Meier curves with 95 % intervals.

    A column a task, a row a family of rules, backprop in black in all panels; a task with few rules, or so
    many cells that nobody reads their names, has panels of its own. Kaplan & Meier 1958, J. Am. Stat. Assoc.
    53:457-481.

    Args:
        replicas: the frame of `results.replicas`.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no cell is finished.

    >>> from harness import results
    >>> figure = survival_figure(results.replicas("first_light"))
    """
    cells = drawn(replicas, *COLUMNS)
    known = lines(cells)

    def draw_of(some: Sequence[Drawn]) -> Draw:
        return partial(draw, known=known, within=limits(known[d.id] for d in some))

    blocks, grey = arranged(cells, draw_of, expected(cells))
    return facets(solved_by(cells), CAPTION + grey, blocks, [*key_of(cells), *_key()])


def _key() -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], color=DIM, label=f"fewer than {FEW} replicas left", **FADED),
        Patch(facecolor=DIM, alpha=0.15, label="95 % interval"),
    ]

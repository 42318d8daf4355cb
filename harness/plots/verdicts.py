"""Verdicts on published figures: how many of each source come out again, and how many do not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import LETTER, Panel, page
from harness.drawing.style import BLUE, ORANGE, PALE, SKY, VERMILION
from harness.plots.titles import many
from harness.replication.verdict import (
    NO_SUCH_FIGURE,
    NOT_CONTRADICTED,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: dict[str, dict[str, Any]] = {
    REPRODUCED: {"color": BLUE},
    NOT_CONTRADICTED: {"color": SKY, "hatch": "\\\\"},
    NOT_REPRODUCED: {"color": VERMILION, "hatch": "////"},
    NO_SUCH_FIGURE: {"color": ORANGE, "hatch": "...."},
    NOT_TESTABLE: {"color": PALE},
}
ROW = 0.3  # inches a source


def verdict_figure(rows: pd.DataFrame) -> Figure:
    """A bar for each source of published figures: how many came out again, and how many did not.

    Args:
        rows: the frame of `harness.replication.rows.rows`.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if there is no claim.

    >>> import pandas as pd
    >>> figure = verdict_figure(pd.DataFrame({"source": ["PDP"], "verdict": [REPRODUCED]}))
    """
    needs(rows, "source", "verdict")
    if not len(rows):
        raise InputError("there is no claim to draw")
    sources = list(dict.fromkeys(rows["source"]))
    caption = (
        f"n = {len(rows)} claims of {len(sources)} sources; beside a verdict the number of claims with it. "
        "It has no interval: it is the decision of a test, "
        "not reproduced at a false-alarm rate of 1 % (5 % for that of a single run)."
    )
    left = 0.3 + LETTER * max(map(len, sources))
    panel = Panel("", partial(_draw, rows=rows, sources=sources), 0.3 + ROW * len(sources))
    return page(_title(rows), caption, [panel], left=left)


def _title(rows: pd.DataFrame) -> str:
    counts = {verdict: int((rows["verdict"] == verdict).sum()) for verdict in LOOKS}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"Of {many(len(rows), 'published claim')}: {said}"


def _draw(ax: Axes, *, rows: pd.DataFrame, sources: list[str]) -> None:
    start = np.zeros(len(sources))
    for verdict, look in LOOKS.items():
        count = np.array(
            [((rows["source"] == name) & (rows["verdict"] == verdict)).sum() for name in sources], float
        )
        if not count.any():
            continue
        ax.barh(
            range(len(sources)),
            count,
            left=start,
            label=f"{verdict}   {count.sum():.0f}",
            edgecolor="white",
            height=0.7,
            **look,
        )
        start += count
    ax.set_yticks(range(len(sources)), sources, fontsize=8)
    ax.set(ylim=(len(sources) - 0.4, -0.6), xlim=(0, 1.05 * start.max()), xlabel="claims")
    ax.grid(visible=False, axis="y")

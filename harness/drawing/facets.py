"""A page of small panels in rows and columns: those of a column share what is on their x axis, those of a row
what they are of, and every line has its name at its end.

Laid out in inches for a page that is read at a width of 880 pixels, so that names take no room from the data
and none lies on another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.drawing.letters import apart, folded
from harness.drawing.page import HEAD, HIGH, filled, headline, sized
from harness.drawing.style import DIM, GOES_ON, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Numbers = NDArray[np.float64]
ACROSS = 3  # columns side by side
WIDE = (6.0, 7.4, 9.2)  # inches: a page of so many
TALL, ALONE = (1.6, 1.4, 1.2), 1.5  # inches: axes on it, at least, and times that in a row of its own
NUMBERS = 0.36  # inches: of a y axis that is not that of the next column
LEFT, NAMES, GAP = 0.62, 1.33, 0.06  # inches: left of a row; right of axes for names, and between two columns
TOP, ROW, TICKS, LABEL = 0.3, 0.24, 0.2, 0.2  # a block's titles, a row's name, numbers on an axis, its name
FONT, LINE = 7.0, 0.12  # points of a name, and inches of one of its lines
AWAY = 0.09  # inches from the axes to a name
SMALL: dict[Any, Any] = {"lines.linewidth": 1.3, "lines.markersize": 3.0}  # of small panels
KEY = 0.24  # inches of the legend
BOLD = (10.0, "bold")  # a title
HEADING: dict[str, Any] = {"fontsize": BOLD[0], "fontweight": BOLD[1], "va": "bottom"}
FAMILY: dict[str, Any] = {"fontsize": 8.5, "color": DIM, "va": "bottom"}
DARKER = 0.8  # of a name than of its line, to be read

Fill = Callable[["Axes"], None]


class Row(NamedTuple):
    """Panels side by side."""

    name: str
    """Above them; empty for none."""
    panels: Sequence[Fill | None]
    """One a column; None where there is nothing to draw."""


class Block(NamedTuple):
    """Rows below one another, whose panels share columns."""

    columns: Sequence[str]
    """Their titles."""
    rows: Sequence[Row]


class _Name(NamedTuple):
    """Of a line."""

    text: str
    colour: Any
    end: tuple[float, float]
    """Where the line ends, in shares of the axes."""
    mean: float
    """How high it is throughout: by it names of lines that end in one place are in order."""

    @property
    def tall(self) -> float:
        """Inches."""
        return LINE * (self.text.count("\n") + 1)


def facets(
    title: str, caption: str, blocks: Sequence[Block], key: Sequence[Any] = (), *, own: bool = False
) -> Figure:
    """Blocks of panels below one another, `key` (lines and patches with labels) the one legend above them.

    Panels say what their axes are; it is written once a row and a column, with `own` numbers on the y axes of
    every column.
    """
    import matplotlib as mpl

    from harness.drawing.picture import Picture

    most = max(len(block.columns) for block in blocks)
    wide = WIDE[most - 1] + own * NUMBERS
    step = (wide - LEFT + own * NUMBERS) / most
    size = (step - NAMES - GAP - own * NUMBERS, TALL[most - 1])
    words = headline(title, wide)
    down = HEAD + HIGH * words.count("\n") + (KEY if key else 0.0)
    head = down
    with styled(), mpl.rc_context(SMALL):
        figure = Picture()
        placed: list[_Placed] = []
        said: list[tuple[float, float, str, dict[str, Any]]] = []
        for block in blocks:
            titles = [folded(name, size[0] + NAMES, *BOLD) for name in block.columns]
            down += TOP + 0.17 * max(text.count("\n") for text in titles)
            said += [(LEFT + i * step, down, text, HEADING) for i, text in enumerate(titles)]
            for number, row in enumerate(block.rows):
                down += ROW * bool(row.name)
                said.append((0.1, down, row.name, FAMILY))
                high = size[1] * (ALONE if len(block.rows) == 1 else 1)
                panels = {i: _filled(figure, fill, size) for i, fill in enumerate(row.panels) if fill}
                high = max(high, *(sum(name.tall for name in names) for _, names in panels.values()))
                down += high
                for i, (ax, names) in panels.items():
                    last = all(later.panels[i] is None for later in block.rows[number + 1 :])
                    _tidy(ax, size[0], first=i == min(panels), last=last, own=own)
                    ax.set_label(", ".join(filter(None, (block.columns[i], row.name))))
                    placed.append(_Placed(ax, names, LEFT + i * step, down, high))
                down += TICKS
            down += LABEL + GAP
        foot = filled(caption, wide)
        tall = down + 0.2 + 0.15 * (foot.count("\n") + 1)
        figure.set_size_inches(wide, tall)
        figure.text(0.1 / wide, 1 - 0.1 / tall, words, va="top", fontsize=12, fontweight="bold")
        for one in placed:
            box = (one.x / wide, 1 - one.down / tall, size[0] / wide, one.high / tall)
            one.ax.set_position(box)
            _write(figure, one.ax, one.names, size[0], one.high)
        for x, depth, text, style in said:
            figure.text(x / wide, 1 - (depth - 0.06) / tall, text, **style)
        figure.text(0.1 / wide, 0.1 / tall, foot, va="bottom", fontsize=8, color=DIM)
        if key:
            figure.legend(
                handles=list(key), loc="lower left", bbox_to_anchor=(0.1 / wide, 1 - (head - 0.02) / tall),
                ncols=len(key), fontsize=8, handlelength=2.2, columnspacing=1.6, borderaxespad=0, borderpad=0,
            )  # fmt: skip
    return figure


class _Placed(NamedTuple):
    """A panel, in inches."""

    ax: Axes
    names: list[_Name]
    x: float
    down: float
    """From the top of the page to its lower edge."""
    high: float


def _filled(figure: Figure, fill: Fill, size: tuple[float, float]) -> tuple[Axes, list[_Name]]:
    ax = figure.add_axes(sized(figure, *size))
    fill(ax)
    return ax, [_name(ax, line) for line in ax.lines if not str(line.get_label()).startswith("_")]


def _name(ax: Axes, line: Line2D) -> _Name:
    from matplotlib.colors import to_rgb

    every = list(ax.lines)
    after = every[every.index(line) + 1 :][:1]
    parts = [line, *(each for each in after if each.get_label() == GOES_ON)]
    points = np.concatenate([np.asarray(part.get_xydata(), float) for part in parts])
    there = (ax.transScale + ax.transLimits).transform(points)
    there = np.clip(there[np.isfinite(there).all(axis=1)], 0, 1)
    if not len(there):  # drawn nowhere
        there = np.array([[1.0, 0.5]])
    before, _, numbers = str(line.get_label()).rpartition("   ")
    numbers = re.sub(" ([/=]) ", r"\1", numbers)
    return _Name(
        folded(f"{before} {numbers}".strip(), NAMES - AWAY - 0.02, FONT),
        tuple(DARKER * part for part in to_rgb(line.get_color())),
        (float(there[-1, 0]), float(there[-1, 1])),
        float(there[:, 1].mean()),
    )


def _write(figure: Figure, ax: Axes, names: Sequence[_Name], wide: float, high: float) -> None:
    """Names right of the axes, each as near to the end of its line as the others let it be, and a thin line
    to it from there where it is not beside it.
    """
    from matplotlib.lines import Line2D

    order = sorted(names, key=lambda name: (name.end[1], name.mean))
    middles = spread([high * name.end[1] for name in order], [name.tall for name in order], (0.0, high))
    for name, middle in zip(order, middles, strict=True):
        (x, y), there = name.end, middle / high
        ax.text(
            1 + AWAY / wide, there, name.text, transform=ax.transAxes, fontsize=FONT, color=name.colour,
            va="center", ha="left", linespacing=1.05,
        )  # fmt: skip
        if x < 0.97 or abs(middle - high * y) > LINE / 2:
            lead = [x, 1 + 0.8 * AWAY / wide], [y, there]
            figure.add_artist(Line2D(*lead, transform=ax.transAxes, linewidth=0.5, color=name.colour))


def spread(wanted: Sequence[float], tall: Sequence[float], within: tuple[float, float]) -> Numbers:
    """Middles (n,) of boxes so `tall` (n,), one above another in the order given, as near to those `wanted`
    (n,) as they can be without overlapping: least squares, between two ends if there is room.

    Less what lies below it, no middle may be lower than the one before: isotonic regression, by pooling
    adjacent violators (Barlow, Bartholomew, Bremner & Brunk 1972). SciPy has it, too, and is slow to import.
    """
    heights = np.asarray(tall, float)
    below = np.cumsum(heights) - heights / 2
    pools: list[tuple[float, int]] = []  # mean, and of how many
    for mean in np.asarray(wanted, float) - below:
        count = 1
        while pools and pools[-1][0] >= mean:
            other, size = pools.pop()
            mean, count = (count * mean + size * other) / (count + size), count + size
        pools.append((float(mean), count))
    free = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    low, high = within
    return np.asarray(np.clip(free, low, max(low, high - heights.sum())) + below)


def _tidy(ax: Axes, wide: float, *, first: bool, last: bool, own: bool) -> None:
    """What the x axis is below the last panel of a column, what the y axis is left of the first of a row."""
    ax.tick_params(labelsize=7, labelbottom=last, labelleft=first or own, pad=2)
    ax.set_xlabel(ax.get_xlabel() if last else "", fontsize=7.5, labelpad=1)
    ax.set_ylabel(ax.get_ylabel() if first else "", fontsize=7.5, labelpad=2)
    low, high = ax.get_xlim()
    if ax.get_xscale() == "log":
        ax.set_xticks(apart(low, high, wide, FONT))

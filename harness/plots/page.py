"""A page: panels with their legends below them, the title above, the caption with n and interval beneath.

Laid out in inches, so that neither a long name nor a long legend takes room from the data.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.plots.style import DIM, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.0, 3.1  # inches of axes
NARROW = 3.2  # of one among many
LINE, LETTER = 0.19, 0.066  # a line of a legend, and one of its letters
HANDLE = 0.65  # what stands before a name in a legend
NAMES, BELOW, GAP = 0.8, 0.5, 0.25  # room for what is left of the axes and below them, and between two panels
HEAD, LETTERS = 0.4, 16.5  # of the title; of the caption in an inch


class Panel(NamedTuple):
    """One of the panels of a page."""

    title: str
    draw: Callable[[Axes], None]
    """Fills the axes; lines with a label are named below."""
    height: float = HEIGHT
    """Of the axes, in inches."""


def page(
    title: str,
    caption: str,
    panels: Sequence[Panel],
    *,
    columns: int | None = None,
    width: float | None = None,
    left: float = NAMES,
    right: float = 0.1,
) -> Figure:
    """Panels row by row; `columns` of them (as many as look well) side by side,
    each `width` inches wide between its margins.
    """
    from matplotlib.figure import Figure

    many = min(len(panels), columns or (2 if len(panels) == 4 else 3))
    inner = width or (WIDTH if many <= 3 else NARROW)
    across = max(many * (left + inner + right) + (many - 1) * GAP + 0.2, 6.0)
    with styled():
        figure = Figure()
        axes = [figure.add_axes((0, 0, 1, 1)) for _ in panels]
        for ax, panel in zip(axes, panels, strict=True):
            panel.draw(ax)
            ax.set_title(textwrap.fill(panel.title, int(inner / 0.082)))
        rows = [range(start, min(start + many, len(panels))) for start in range(0, len(panels), many)]
        written = [_wrapped(ax, inner + right + GAP) for ax in axes]
        above = [0.18 * max(axes[i].get_title("left").count("\n") for i in row) for row in rows]
        tall = [
            max(panels[i].height + LINE * sum(name.count("\n") + 1 for name in written[i]) for i in row)
            for row in rows
        ]
        foot = 0.2 + 0.15 * (filled(caption, across).count("\n") + 1)
        down = HEAD + sum(above) + sum(tall) + len(rows) * (0.3 + BELOW + 0.15) + foot
        figure.set_size_inches(across, down)
        top = down - HEAD
        for row, lines, high in zip(rows, above, tall, strict=True):
            top -= lines + 0.3
            for column, i in enumerate(row):
                x = 0.1 + column * (left + inner + right + GAP) + left
                box = (x / across, (top - panels[i].height) / down, inner / across, panels[i].height / down)
                axes[i].set_position(box)
                _legend_below(axes[i], written[i])
            top -= high + BELOW + 0.15
        figure.text(0.1 / across, 1 - 0.1 / down, title, va="top", fontsize=12, fontweight="bold")
        figure.text(0.1 / across, 0.1 / down, filled(caption, across), va="bottom", fontsize=8, color=DIM)
    return figure


def headed(figure: Figure, title: str, caption: str) -> None:
    """Put title and caption on a figure of another layout, as wide as it is."""
    width = figure.get_size_inches()[0]
    figure.suptitle(textwrap.fill(title, int(width * 10)), x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(filled(caption, width), x=0.01, ha="left", fontsize=8, color=DIM)


def filled(caption: str, width: float) -> str:
    """A caption in lines of so many inches; a number stays with its %."""
    return textwrap.fill(caption.replace(" %", "\N{NO-BREAK SPACE}%"), int(width * LETTERS))


def _wrapped(ax: Axes, width: float) -> list[str]:
    found = []
    for name in ax.get_legend_handles_labels()[1]:
        before, apart, numbers = str(name).rpartition("   ")  # numbers stay together
        found.append(
            textwrap.fill(
                before + apart + numbers.replace(" ", "\N{NO-BREAK SPACE}"), int((width - HANDLE) / LETTER)
            )
        )
    return found


def _legend_below(ax: Axes, names: list[str]) -> None:
    """The names of all lines that have a label, clear of the axis and its name."""
    from matplotlib.transforms import ScaledTranslation

    if names:
        figure = ax.get_figure()
        assert figure is not None
        below = ax.transAxes + ScaledTranslation(0, -BELOW, figure.dpi_scale_trans)
        handles = ax.get_legend_handles_labels()[0]
        ax.legend(
            handles, names, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, borderaxespad=0
        )

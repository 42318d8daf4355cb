"""A page: panels with their legends below them, the title above, the caption with n and interval beneath.

Laid out in inches, so that neither a long name nor a long legend takes room from the data.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.drawing.style import DIM, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.0, 3.1  # inches of axes
NARROW = 3.2  # of one among many
LINE, LETTER = 0.19, 0.066  # a line of a legend, and one of its letters
HANDLE = 0.65  # what stands before a name in a legend
NAMES, BELOW, GAP = 0.8, 0.5, 0.25  # room for what is left of the axes and below them, and between two panels
TITLE = 0.3  # of a panel, its first line
HEAD, HIGH, WIDE = 0.4, 0.21, 9.2  # of the title, of each further line of it, and its letters in an inch
LETTERS = 16.5  # of the caption in an inch


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
    from harness.drawing.picture import Picture

    many = min(len(panels), columns or (2 if len(panels) == 4 else 3))
    inner = width or (WIDTH if many <= 3 else NARROW)
    step = left + inner + right + GAP  # from one panel to the next
    across = max(many * step - GAP + 0.2, 6.0)
    with styled():
        figure = Picture()
        axes = [figure.add_axes(sized(figure, inner, panel.height)) for panel in panels]
        for ax, panel in zip(axes, panels, strict=True):
            panel.draw(ax)
            ax.set_title(textwrap.fill(panel.title, int(inner / 0.082)))
        names = [_wrapped(ax, inner + right + GAP) for ax in axes]
        rows = [
            _Row.of(range(start, min(start + many, len(panels))), panels, axes, names)
            for start in range(0, len(panels), many)
        ]
        foot = 0.2 + 0.15 * (filled(caption, across).count("\n") + 1)
        words = headline(title, across)
        head = HEAD + HIGH * words.count("\n")
        down = head + sum(row.above + row.tall + TITLE + BELOW + 0.15 for row in rows) + foot
        figure.set_size_inches(across, down)
        top = down - head
        for row in rows:
            top -= row.above + TITLE
            for column, i in enumerate(row.places):
                x, high = 0.1 + column * step + left, panels[i].height
                axes[i].set_position((x / across, (top - high) / down, inner / across, high / down))
                _legend_below(axes[i], names[i])
            top -= row.tall + BELOW + 0.15
        figure.text(0.1 / across, 1 - 0.1 / down, words, va="top", fontsize=12, fontweight="bold")
        figure.text(0.1 / across, 0.1 / down, filled(caption, across), va="bottom", fontsize=8, color=DIM)
    return figure


def sized(figure: Figure, wide: float, tall: float) -> tuple[float, float, float, float]:
    """Where axes of so many inches are before the figure's own size is known."""
    width, height = figure.get_size_inches()
    return 0.0, 0.0, wide / width, tall / height


class _Row(NamedTuple):
    """A row of panels, in inches."""

    places: range
    """Which of the panels."""
    above: float
    """Further lines of their titles."""
    tall: float
    """Axes and the legend below them."""

    @classmethod
    def of(cls, places: range, panels: Sequence[Panel], axes: Sequence[Axes], names: list[list[str]]) -> _Row:
        """As tall as the tallest of its panels."""
        lines = [sum(name.count("\n") + 1 for name in names[i]) for i in places]
        return cls(
            places,
            0.18 * max(axes[i].get_title("left").count("\n") for i in places),
            max(panels[i].height + LINE * n for i, n in zip(places, lines, strict=True)),
        )


def headed(figure: Figure, title: str, caption: str, *, beside: float = 0.0) -> None:
    """Put title and caption on a figure of another layout, as wide as it is; the title leaves some inches to
    what stands `beside` it.
    """
    width = figure.get_size_inches()[0]
    figure.suptitle(headline(title, width - beside), x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(filled(caption, width), x=0.01, ha="left", fontsize=8, color=DIM)


def headline(title: str, width: float) -> str:
    """A title in lines of so many inches, as few as can be and about as long: no number alone in the last."""
    most = int(width * WIDE)
    few = textwrap.wrap(title, most)
    least = max([len(title) // max(len(few), 1), 1, *map(len, title.split())])
    for room in range(least, most):
        if len(lines := textwrap.wrap(title, room)) == len(few):
            return "\n".join(lines)
    return "\n".join(few)


def filled(caption: str, width: float) -> str:
    """A caption in lines of so many inches; a number stays with its %."""
    return textwrap.fill(caption.replace(" %", "\N{NO-BREAK SPACE}%"), int(width * LETTERS))


def _wrapped(ax: Axes, width: float) -> list[str]:
    names = []
    for name in ax.get_legend_handles_labels()[1]:
        before, apart, numbers = str(name).rpartition("   ")  # numbers stay together
        names.append(
            textwrap.fill(
                before + apart + numbers.replace(" ", "\N{NO-BREAK SPACE}"), int((width - HANDLE) / LETTER)
            )
        )
    return names


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

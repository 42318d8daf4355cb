"""Two costs at once, such as error and memory: which algorithms are beaten by none in both?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import InputError
from harness.drawing.frames import needs
from harness.drawing.page import headed
from harness.drawing.style import DIM, MARKERS, PALE, logarithmic, look, styled
from harness.experiment.digits import several
from harness.statistics.pareto import pareto_front

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

MOST = 25  # algorithms
LEGEND = 3.0  # inches
# a dot and a bar in the markers when they come again: 9 × 3 differ in black and white
WITHIN = ("", ".", "_")
ROOM = 1.25  # beyond the points, at least; of the step line to the right
# points: of the words at the front, their way from a point, and between two lines
LETTERS, AWAY, LINE = 7, 7, 9
ROWS = 5  # how far words may be pushed off their point
Numbers = NDArray[np.float64]


def pareto_figure(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    low: str,
    high: str,
    interval: str,
    n: str = "replicas",
    label: str = "algorithm",
    detail: str = "",
    among: Sequence[str] = (),
    x_label: str = "",
    y_label: str = "",
    title: str = "",
) -> Figure:
    """A point for each row at two costs on logarithmic axes, and as a step line those beaten by none in both.

    Smaller is better in both. An error of 0 or less lies on the lower edge. Rows without two finite numbers,
    or with a cost `x` of 0 or less, are named in the caption.

    Args:
        frame: a row for each point; the arguments up to `detail` are names of its columns.
        x, y: the two costs.
        low, high: the ends of the interval in y.
        interval: what `low` to `high` is, in words.
        n: how many replicas it is over.
        label: the name of a row; all rows of a label look alike.
        detail: what is written at the points of the front; "" for nothing.
        among: the names of several figures in which they shall look alike.
        x_label, y_label, title: words on the figure; the title goes on with who is on the front.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if no row has two such numbers, or if there are more than 25 names.

    >>> import pandas as pd
    >>> row = {"algorithm": "backprop", "bytes": 800.0, "error": 0.1, "a": 0.08, "b": 0.12, "replicas": 5}
    >>> figure = pareto_figure(pd.DataFrame([row]), "bytes", "error", low="a", high="b", interval="95 %")
    """
    from harness.drawing.picture import Picture

    needs(frame, x, y, low, high, n, label, *([detail] if detail else []))
    names = [str(name) for name in frame[label]]
    looks = list(dict.fromkeys([*among, *names]))
    if len(looks) > MOST:
        raise InputError(
            f"the figure has {len(looks)} names in {label!r}: no more than {MOST} can be told apart"
        )
    details = [str(word) for word in frame[detail]] if detail else [""] * len(names)
    cost, error, *ends = (frame[column].to_numpy(float) for column in (x, y, low, high))
    there = np.isfinite(cost) & np.isfinite(error) & (cost > 0)
    if not there.any():
        raise InputError(f"no row has both {x} above 0 and {y} to draw")
    front = pareto_front(np.where(there, cost, np.nan), error)
    places = [looks.index(name) for name in names]
    rows = zip(
        names, details, cost, error, ends[0], ends[1], frame[n].astype(int), front, places, strict=True
    )
    points = [_Point(*row) for row, drawn in zip(rows, there, strict=True) if drawn]
    points.sort(key=lambda point: (point.cost, point.error))
    left_out = ", ".join(f"{names[i]} {details[i]}".strip() for i in np.flatnonzero(~there))
    with styled():
        figure = Picture(figsize=(10.0, 6.2), layout="constrained")
        ax = figure.add_subplot()
        beyond = _draw(ax, points)
        ax.set(xlabel=x_label or x, ylabel=y_label or y)
        _legend(figure, points)
        caption = _caption(
            points, detail, f"{interval}; {_range([p.n for p in points])} {n}", beyond, left_out
        )
        headed(
            figure, _title(title or f"{y_label or y} against {x_label or x}", points), caption, beside=LEGEND
        )
        _write(figure, ax, points)
    return figure


def _title(subject: str, points: list[_Point]) -> str:
    front = list(dict.fromkeys(p.name for p in points if p.front))
    first = several(front) if len(front) <= 4 else str(len(front))
    among, verb = len({p.name for p in points}), "is" if len(front) == 1 else "are"
    return f"{subject}: {first} of {among} {verb} beaten by none in both"


class _Point(NamedTuple):
    """A row that is drawn."""

    name: str
    detail: str
    cost: float
    error: float
    low: float
    high: float
    n: int
    front: bool
    place: int
    """Of its name, by which it looks."""


def _caption(points: list[_Point], detail: str, bars: str, beyond: bool, left_out: str) -> str:
    return (
        "Filled, and bold in the legend: the Pareto front, "
        "beaten by none in both; the line is what it reaches."
        + (f" At its points: the {detail}." if detail else "")
        + f" Bars: {bars}."
        + (" A bar that meets an edge of the axes goes on beyond it." if beyond else "")
        + (" What is 0 or less lies on the lower edge." if any(p.error <= 0 for p in points) else "")
        + (f" Without both numbers, and so not drawn: {left_out}." if left_out else "")
    )


def _range(counts: Sequence[int]) -> str:
    return f"n = {min(counts):,}" + (f" to {max(counts):,}" if max(counts) > min(counts) else "")


def _draw(ax: Axes, points: list[_Point]) -> bool:
    """Points, intervals and front; whether an interval leaves the axes."""
    cost, error, low, high = (
        np.array([getattr(p, of) for p in points]) for of in ("cost", "error", "low", "high")
    )
    left, right = _limits(cost)
    bottom, top = _limits(error[error > 0])
    logarithmic(ax, "x", left, right)
    logarithmic(ax, "y", bottom, top)
    if top < 10 * bottom:
        _every_digit(ax)
    low, high = (np.where(np.isnan(end), error, end) for end in (low, high))
    colours = [look(p.place)["color"] for p in points]
    inside = np.clip([low, high], bottom, top)
    ax.vlines(cost, inside[0], inside[1], colors=colours, linewidth=0.9, alpha=0.6, zorder=1.8)
    front = [p for p in points if p.front]
    steps_x, steps_y = [p.cost for p in front], [max(p.error, bottom) for p in front]
    ax.plot(
        [steps_x[0], *steps_x, right],
        [top, *steps_y, steps_y[-1]],
        drawstyle="steps-post",
        color=PALE,
        linewidth=2.5,
        zorder=1.7,
        label="_front",
    )
    for p in points:
        for line in _markers(p):
            line.set_data([p.cost], [max(p.error, bottom)])
            ax.add_line(line)
    return bool(((low < bottom) | (high > top)).any())


def _limits(values: Numbers) -> tuple[float, float]:
    """Of a logarithmic axis: those of the values above 0, and a tenth of the way between them as room."""
    if not len(values):
        return 0.1, 1.0
    low, high = float(values.min()), float(values.max())
    room = max(ROOM, (high / low) ** 0.1)
    return low / room, high * room


def _every_digit(ax: Axes) -> None:
    """Ticks of an axis of errors within a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    ax.yaxis.set_major_locator(LogLocator(subs=range(1, 10)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _markers(point: _Point) -> list[Line2D]:
    """A point's marker, filled if it is on the front, and within it what tells it from others of its form."""
    from matplotlib.lines import Line2D

    own = look(point.place)
    colour, above = own["color"], 3.0 if point.front else 2.5
    common: dict[str, Any] = {"linestyle": "", "clip_on": False, "color": colour}
    face = colour if point.front else "white"
    size = 9.0 if point.front else 6.5
    markers = [
        Line2D([], [], marker=own["marker"], markersize=size, markerfacecolor=face, zorder=above, **common)
    ]
    if inner := WITHIN[point.place // len(MARKERS)]:
        common["color"] = "white" if point.front else colour
        markers.append(
            Line2D([], [], marker=inner, markersize=3.5, markeredgewidth=1.2, zorder=above + 0.01, **common)
        )
    return markers


def _legend(figure: Figure, points: list[_Point]) -> None:
    """An entry a name with its n: first those on the front, from cheap to dear, in bold."""
    from matplotlib.legend_handler import HandlerTuple

    shown: dict[str, list[_Point]] = {}
    for p in sorted(points, key=lambda p: (not p.front, 0.0 if p.front else p.place)):
        shown.setdefault(p.name, []).append(p)
    handles = [tuple(_markers(some[0])) for some in shown.values()]
    texts = [f"{name}   {_range([p.n for p in some])}" for name, some in shown.items()]
    legend = figure.legend(
        handles=handles,
        labels=texts,
        loc="outside right upper",
        handler_map={tuple: HandlerTuple(ndivide=1)},
        handlelength=1.5,
        labelspacing=0.6,
    )
    for text, some in zip(legend.get_texts(), shown.values(), strict=True):
        text.set_fontweight("bold" if some[0].front else "normal")


def _write(figure: Figure, ax: Axes, points: list[_Point]) -> None:
    """The details of the front, first below it, off each other, the line, the bars and the points."""
    figure.draw_without_rendering()  # for where the axes stand
    taken = _in_the_way(ax, points)
    for p in points:
        if p.front and p.detail:
            at = (p.cost, max(p.error, ax.get_ylim()[0]))
            text = ax.annotate(p.detail, at, (0, 0), textcoords="offset points", fontsize=LETTERS, zorder=4)
            text.set_in_layout(False)
            taken = np.vstack([taken, _settle(ax, text, taken)])


def _in_the_way(ax: Axes, points: list[_Point]) -> Numbers:
    """Boxes (m, 4) in pixels (left, bottom, right, top) of points, bars and the line along the front."""
    bottom, top = ax.get_ylim()
    at = ax.transData.transform([(p.cost, max(p.error, bottom)) for p in points])
    ends = np.array([[(p.cost, np.fmax(p.low, bottom)), (p.cost, np.fmin(p.high, top))] for p in points])
    front = at[[p.front for p in points]]
    corners = np.column_stack([front[1:, 0], front[:-1, 1]])
    size = 4 * ax.figure.dpi / 72
    return np.vstack(
        [
            np.hstack([at - size, at + size]),
            ax.transData.transform(ends.reshape(-1, 2)).reshape(-1, 4),
            np.hstack([front[:-1], corners]),
            np.hstack([front[1:], corners]),
        ]
    )


def _settle(ax: Axes, text: Annotation, taken: Numbers) -> Numbers:
    """Move words to the nearest place beside their point that is free
    and within the axes, if there is one; their box (4,).
    """
    from matplotlib.text import Text

    dot, inside, size = ax.figure.dpi / 72, ax.bbox, np.array(Text.get_window_extent(text).size)
    at = ax.transData.transform(text.xy)
    for row, (up, right) in (
        (row, way) for row in range(ROWS) for way in ((-1, -1), (-1, 1), (1, -1), (1, 1))
    ):
        offset = np.array([right * AWAY, up * (AWAY + LINE * row)])
        start = at + dot * offset - size * [right < 0, up < 0]
        box = np.hstack([start, start + size])
        clear = (box[2:] + 2 * dot < taken[:, :2]) | (box[:2] - 2 * dot > taken[:, 2:])
        if clear.any(axis=1).all() and (box[:2] >= inside.min).all() and (box[2:] <= inside.max).all():
            break
    text.set(position=offset, ha="left" if right > 0 else "right", va="bottom" if up > 0 else "top")
    if row:
        thin = {"arrowstyle": "-", "linewidth": 0.5, "color": DIM, "shrinkA": 0, "shrinkB": 4}
        ax.annotate(
            "", text.xy, (offset[0], offset[1]), textcoords="offset points", arrowprops=thin
        ).set_in_layout(False)
    return box

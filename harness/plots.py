"""Figures of a study: who is still unsolved after how many epochs, and what the loss did meanwhile.

Matplotlib figures made without pyplot: nothing global, no display needed (in a notebook say `%matplotlib inline`).
Colours are Okabe & Ito's, told apart by the colour-blind; line styles and markers do the same on a black and
white print. Every figure says its n and its interval, and no replica is left out of one.
"""

from __future__ import annotations

import re
import textwrap
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from harness.errors import InputError
from harness.record import UNFINISHED, Record, Store
from harness.statistics import survival
from harness.table import labels
from harness.training import DIVERGED, SOLVED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)  # without the yellow, too pale for a line
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")  # 4 × 9: 36 lines that differ in black and white
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 3.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "savefig.dpi": 150,
}
WIDTH, HEIGHT, LINE = 4.8, 3.3, 0.19  # inches: a panel, and a line of its legend


class Drawn(NamedTuple):
    """A cell in a figure."""

    record: Record
    task: str
    algorithm: str
    look: dict[str, Any]
    """Colour, line style and markers: the same for one algorithm in all panels."""


def survival_figure(records: Sequence[Record]) -> Figure:
    """Per task, the share of replicas still unsolved against epochs: Kaplan-Meier curves with 95 % intervals.

    Cells that are not applicable are not in it. Raises `InputError` if no cell is finished.
    """
    title = "Replicas still unsolved"
    caption = (
        "Kaplan-Meier estimate; band: 95 % Wilson interval. Beside each name: replicas solved / n. "
        "Failures stay in the count: unsolved replicas are right-censored at the end of their budget, diverged ones never solve."
    )
    return _panels(records, title, caption, _draw_survival)


def loss_figure(records: Sequence[Record]) -> Figure:
    """Per task, the median of the loss over all replicas against epochs, and the band from quartile to quartile.

    Cells that are not applicable are not in it. Raises `InputError` if no cell is finished.
    """
    title = "Loss during training"
    caption = (
        "Line: median over all n replicas; band: quartiles (25–75 %). A replica that solved the task keeps its last loss, "
        "one that diverged is at infinity: where half of them are, the line leaves through the top. "
        "A loss of 0 lies on the lower edge."
    )
    return _panels(records, title, caption, _draw_loss)


def write_figures(store: Store, study: str) -> list[Path]:
    """Write survival.png, loss.png and hinton_<task>.png of a study into its folder; returns what there was to draw.

    A task's Hinton diagram shows backpropagation, or else the first algorithm, that solved it with hidden units.
    """
    from harness.hinton import has_hidden_weights, hinton_figure

    records = [record for record in store.records(study) if record.finished]
    if not records:
        return []
    figures = {"survival": survival_figure(records), "loss": loss_figure(records)}
    drawn = _drawn(records)
    for task in dict.fromkeys(d.task for d in drawn):
        able = [d.record for d in drawn if d.task == task and SOLVED in d.record.replicas["outcome"]]
        able.sort(key=lambda record: record.meta["algorithm"]["name"] != "backprop")
        chosen = next(filter(has_hidden_weights, able), None)
        if chosen:
            figures[f"hinton_{re.sub(r'[^A-Za-z0-9.=-]+', '_', task).strip('_')}"] = hinton_figure(chosen)
    return [save(figure, store.path / "studies" / study / f"{name}.png") for name, figure in figures.items()]


@contextmanager
def styled() -> Iterator[None]:
    """The house's style for figures made within; the caller's own comes back."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def _drawn(records: Sequence[Record]) -> list[Drawn]:
    finished = [record for record in records if record.finished]
    if not finished:
        raise InputError("there is no finished cell to draw")
    names = labels([record.meta for record in finished])
    order = list(dict.fromkeys(label.algorithm for label in names))
    return [Drawn(record, *label, look(order.index(label.algorithm))) for record, label in zip(finished, names, strict=True)]


def look(i: int) -> dict[str, Any]:
    """Colour, line style and markers of the i-th of some lines."""
    colour, dash, marker = (options[i % len(options)] for options in (COLOURS, DASHES, MARKERS))
    start = 0.02 + 0.045 * (i % 5)  # so that markers of curves that coincide do not
    return {"color": colour, "linestyle": dash, "marker": marker, "markevery": (start, 0.23)}


def _panels(records: Sequence[Record], title: str, caption: str, draw: Callable[[Axes, list[Drawn]], None]) -> Figure:
    """One panel a task, its legend below it; title above, caption beneath."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.transforms import ScaledTranslation

    drawn = _drawn(records)
    tasks = list(dict.fromkeys(d.task for d in drawn))
    columns = min(2 if len(tasks) == 4 else 3, len(tasks))
    rows = -(-len(tasks) // columns)
    width = max(WIDTH * columns, 6.0)
    with styled():
        figure = Figure(layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08))
        grid = figure.subplots(rows, columns, squeeze=False)
        for ax, task in zip(grid.flat, tasks, strict=False):
            draw(ax, [d for d in drawn if d.task == task])
            ax.set_title(textwrap.fill(task, 46))
            ax.set_xlabel("epochs (sweeps over the patterns)")
            below = ax.transAxes + ScaledTranslation(0, -0.5, figure.dpi_scale_trans)  # clear of the axis, in inches
            ax.legend(loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=below, borderaxespad=0)
        for ax in list(grid.flat)[len(tasks) :]:
            ax.set_axis_off()
        names = [[line.get_label() for line in ax.lines] for ax in grid.flat]
        longest = max(sum(str(name).count("\n") + 1 for name in some) for some in names)
        figure.set_size_inches(width, rows * (HEIGHT + LINE * longest + 0.3) + 0.9)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
        figure.supxlabel(textwrap.fill(caption, int(width * 16.5)), x=0.01, ha="left", fontsize=8, color="#444444")
    return figure


def _draw_survival(ax: Axes, cells: list[Drawn]) -> None:
    curves = []
    for d in cells:
        c = d.record.replicas
        solved = c["outcome"] == SOLVED
        curves.append((survival(c["epochs"], solved, c["outcome"] == DIVERGED), solved))
    budget = max(d.record.meta["run"]["epochs"] for d in cells)
    first = [curve.time[1] for curve, _ in curves if len(curve.time) > 1]
    shortest = min(d.record.meta["run"]["epochs"] for d in cells) / 2  # so that each line can be seen
    left = 10 ** np.floor(np.log10(max(1.0, min([*first, shortest]) - 1)))
    for d, (curve, solved) in zip(cells, curves, strict=True):
        end = min(curve.until, d.record.meta["run"]["epochs"])
        x = np.maximum([*curve.time, end], left)
        unsolved, low, high = (np.append(y, y[-1]) for y in (curve.unsolved, curve.low, curve.high))
        ax.fill_between(x, low, high, step="post", color=d.look["color"], alpha=min(0.15, 1 / len(cells)), linewidth=0)
        text = f"{d.algorithm}   {solved.sum():,} / {len(solved):,}"
        ax.plot(x, unsolved, drawstyle="steps-post", label=textwrap.fill(text, 52), **d.look)
    logarithmic(ax, "x", left, max(budget, 2 * left))
    ax.set_ylim(-0.02, 1.02)
    ax.set_ylabel("share still unsolved")


def _draw_loss(ax: Axes, cells: list[Drawn]) -> None:
    shown = {}
    for i, d in enumerate(cells):
        columns = d.record.curves
        later = columns["epoch"] >= 1  # a logarithmic axis has no 0
        shown[i] = columns["epoch"][later], *(columns[f"loss_q{q}"][later] for q in (25, 50, 75))
    values = np.concatenate([np.concatenate(quartiles) for _, *quartiles in shown.values()])
    values = values[np.isfinite(values) & (values > 0)]
    if len(values):
        top = 1.3 * values.max()
        bottom = max(values.min() / 1.3, 1e-6 * top)
    else:
        top, bottom = 10.0, 0.1
        ax.text(0.5, 0.5, "no finite loss above 0", transform=ax.transAxes, ha="center", color="#444444")
    for i, d in enumerate(cells):
        x, *quartiles = shown[i]
        # ∞ goes beyond the top, 0 to the bottom edge, NaN stays undrawn
        low, median, high = (np.clip(y, bottom, 10 * top) for y in quartiles)
        ax.fill_between(x, low, high, color=d.look["color"], alpha=min(0.15, 1 / len(cells)), linewidth=0)
        outcome = d.record.replicas["outcome"]
        diverged = np.count_nonzero(outcome == DIVERGED)
        text = f"{d.algorithm}   n = {len(outcome):,}" + (f", {diverged:,} diverged" if diverged else "")
        markers = {} if np.isfinite(median).any() else {"markevery": None}  # matplotlib cannot space them on nothing
        ax.plot(x, median, label=textwrap.fill(text, 52), **(d.look | markers))
    logarithmic(ax, "x", 1, max(2, *(d.record.meta["run"]["epochs"] for d in cells)))
    logarithmic(ax, "y", bottom, top)
    ax.set_ylabel("loss E")


def logarithmic(ax: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """A logarithmic axis from `low` to `high`, labelled with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    few = high < 300 * low  # decades: label 2s and 5s too
    axis = {"x": ax.xaxis, "y": ax.yaxis}[which]
    ax.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if x >= 1 else f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in one step: readers see the old one or the new one."""
    new = path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}.png")
    figure.savefig(new)
    new.replace(path)
    return path

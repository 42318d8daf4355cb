"""What a success costs: expected running time with its interval, in a chosen currency."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from harness.core.errors import InputError, one_of
from harness.core.outcomes import fates
from harness.drawing import crowd
from harness.drawing.cell import Drawn
from harness.drawing.frames import by_task, drawn, needs
from harness.drawing.letters import apart
from harness.drawing.page import LETTER, NAMES, Panel, page
from harness.drawing.style import BLUE, DIM, VERMILION, logarithmic, look
from harness.plots.titles import cheapest, costs_of
from harness.results.running_times import RESAMPLES, SEED
from harness.statistics import Interval, failure_costs, running_time

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Currency = Literal["epochs", "updates", "flops", "span_operations", "seconds"]
CURRENCIES = {
    "epochs": "epochs (sweeps over the patterns)",
    "updates": "updates of the weights",
    "flops": "FLOPs of updates, counted from the code",
    "span_operations": "dependent array operations of updates, counted from the code",
    "seconds": "seconds of updates",
}
UNITS = {"flops": "FLOPs", "span_operations": "dependent operations"}
"""What a title calls a currency whose name is no word."""
COUNTED = ("flops", "span_operations")  # in the sheet of one update, not in the replicas
CROWDED = " There the band has the intervals of all, and those named have value [interval] and solved / n."
ROW, PANEL, WIDEST = 0.2, 2.0, 12.0  # inches: a cell, axes, and the whole


class Bar(NamedTuple):
    """One cell."""

    algorithm: str
    cost: Interval
    solved: int
    n: int


def ert_bars(replicas: pd.DataFrame, cells: pd.DataFrame, currency: Currency = "epochs") -> Figure:
    """Per task, the expected running time of every algorithm with its interval, the least on top.

    Where no replica solved the task *never* stands at the right edge, with the lower end of the interval.

    Args:
        replicas: the frame of `results.replicas`.
        cells: the frame of `results.cells`; of it what one update costs is read, in a counted currency.
        currency: what it is paid in: epochs, updates, flops, span_operations, seconds, … (`CURRENCIES`).

    Returns:
        A matplotlib figure, one panel a task.

    Raises:
        InputError: if no cell is finished, or none on a task was counted.

    >>> from harness import results
    >>> figure = ert_bars(results.replicas("first_light"), results.cells("first_light"))
    """
    one_of("currency", currency, CURRENCIES)
    price = _prices(cells, currency)
    some = drawn(replicas, "outcome", "epochs", "updates", "seconds", "budget_epochs")
    counted = [d for d in some if currency not in COUNTED or price.get(d.id, 0.0) > 0]
    every = {d.id: bar_of(d, currency, price) for d in counted}
    calm, crowds = crowd.apart(counted)
    bars = {
        task: sorted((every[d.id] for d in own), key=lambda bar: (bar.cost.value, bar.cost.low))
        for task, own in by_task(calm).items()
    }
    left_out = len(some) - len(counted)
    if not counted:
        raise InputError(f"no cell was counted in {currency}: choose one of epochs, updates or seconds")
    caption = (
        "Expected running time: what all n replicas spent, failures included, ÷ number solved. Line: its 95 "
        "% interval, the outer one of "
        f"{RESAMPLES:,} bootstrap resamples and of the solved rate's; where all solve the task, a failure "
        "unseen would have cost the budget (an arrow: no upper end). Numbers: "
        "replicas solved / n. "
        "An open triangle is never: no replica solved the task, and the line starts at the least that a "
        "success may cost."
        + (f" {left_out} cells were not counted." if left_out else "")
        + (crowd.RULE + CROWDED if crowds else "")
    )
    rows = [
        Panel(task, partial(_draw, bars=some, currency=currency), 0.3 + ROW * len(some))
        for task, some in bars.items()
    ]
    for task, of_task in crowds.items():
        known = {d.id: every[d.id] for d in of_task}
        cost = {i: bar.cost.value for i, bar in known.items()}
        chosen = {d.id: d.algorithm for d in crowd.named(of_task, cost)}
        draw = partial(_draw_crowd, bars=known, chosen=chosen, currency=currency)
        rows.append(Panel(crowd.title(task, of_task, cost), draw))
    left = max([NAMES, *(0.3 + LETTER * len(bar.algorithm) for some in bars.values() for bar in some)])
    columns = max(1, min(3, int(WIDEST / (left + PANEL + 1.2))))
    title = cheapest(
        costs_of(counted, {i: float(bar.cost.value) for i, bar in every.items()}),
        UNITS.get(currency, currency),
    )
    return page(title, caption, rows, columns=columns, width=PANEL, left=left, right=1.1)


def _prices(cells: pd.DataFrame, currency: Currency) -> dict[str, float]:
    """What an update costs, of every cell that was counted; NaN for the others.

    Empty for what the replicas tell.
    """
    if currency not in COUNTED:
        return {}
    name = f"update_{currency}"
    needs(cells, "id", name)
    return dict(zip(cells["id"].astype(str), cells[name].to_numpy(float), strict=True))


def bar_of(d: Drawn, currency: Currency, price: Mapping[str, float]) -> Bar:
    """What a success cost a cell; in a counted currency `price` is that of an update, by the cell's id."""
    solved = fates(d.rows).solved
    spent = d.column("updates") * price[d.id] if currency in COUNTED else d.column(currency)
    budget = failure_costs(spent, d.column("epochs"), d.column("budget_epochs"))
    cost = running_time(spent, solved, seed=SEED, budget=budget, resamples=RESAMPLES)
    return Bar(d.algorithm, cost, int(solved.sum()), len(solved))


def _draw(ax: Axes, *, bars: list[Bar], currency: Currency) -> None:
    left, right = _limits(bars)
    # x in shares of the panel
    edge: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "clip_on": False}
    for y, bar in enumerate(bars):
        value, low, high = (float(v) for v in bar.cost)
        start, end = max(low, left), min(high, right)
        style: dict[str, Any] = (
            {"color": VERMILION, "linestyle": (0, (3, 1.5))} if np.isinf(value) else {"color": BLUE}
        )
        ax.plot([start, end], [y, y], linewidth=1.4, **style)
        if np.isinf(value):
            ax.plot([1], [y], marker=">", markersize=7, markerfacecolor="white", color=VERMILION, **edge)
        else:
            ax.plot([max(value, left)], [y], marker="o", markersize=5.5, color=BLUE, clip_on=False)
            if np.isinf(high):
                ax.plot([1], [y], marker=">", markersize=4, color=BLUE, **edge)
        text = ("never  " if np.isinf(value) else "") + f"{bar.solved:,} / {bar.n:,}"
        ax.text(1.06, y, text, va="center", fontsize=8, color=DIM, **edge)
    logarithmic(ax, "x", left, right)
    ax.set_xticks(apart(left, right, PANEL, 9.0))
    ax.set_yticks(range(len(bars)), [bar.algorithm for bar in bars], fontsize=8)
    ax.set(ylim=(len(bars) - 0.4, -0.6), xlabel=CURRENCIES[currency])
    ax.grid(visible=False, axis="y")


def _draw_crowd(ax: Axes, *, bars: dict[str, Bar], chosen: dict[str, str], currency: Currency) -> None:
    """All intervals beneath one another in thin grey, and those of the chosen with their names."""
    left, right = _limits(list(bars.values()))
    ranks = {i: y for y, i in enumerate(sorted(bars, key=lambda i: bars[i].cost.value), 1)}
    value, low, high = np.array([bars[i].cost for i in ranks]).T
    y = np.arange(1, len(ranks) + 1)
    ends = np.maximum(low, left), np.minimum(high, right)
    ax.fill_betweenx(y, *ends, step="mid", color=DIM, alpha=0.25, linewidth=0)
    ax.plot(np.maximum(value, left), y, ".", markersize=2.5, color=DIM)  # what is ∞ stays undrawn
    edge: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "clip_on": False}
    if np.isinf(value).any():
        first = int(np.argmax(np.isinf(value))) + 1
        ax.plot([1.02, 1.02], [first, len(ranks)], color=DIM, linewidth=1.0, **edge)
        ax.text(1.04, (first + len(ranks)) / 2, "never", va="center", fontsize=8, color=DIM, **edge)
    for place, (i, name) in enumerate(chosen.items()):
        value, low, high = bars[i].cost
        style = {key: look(place)[key] for key in ("color", "marker")}
        ax.plot([max(low, left), min(high, right)], [ranks[i]] * 2, color=style["color"], linewidth=2)
        text = f"{name}   {in_words(bars[i].cost)}, {bars[i].solved:,} / {bars[i].n:,}"
        at: dict[str, Any] = edge | {"markerfacecolor": "white"} if np.isinf(value) else {}
        x = 1 if np.isinf(value) else max(value, left)
        ax.plot([x], [ranks[i]], label=text, markersize=6.5, **style, **at)
    logarithmic(ax, "x", left, right)
    ax.set_xticks(apart(left, right, PANEL, 9.0))
    ax.set(ylim=(len(ranks) + 1, 0), xlabel=CURRENCIES[currency], ylabel="cells, the cheapest on top")
    ax.grid(visible=False, axis="y")


def in_words(cost: Interval) -> str:
    """729 [690–771]."""
    value, low, high = (f"{x:,.3g}" if x < 1000 else f"{x:,.0f}" for x in cost)
    return f"{value} [{low}–{high}]".replace("inf", "∞")


def _limits(bars: list[Bar]) -> tuple[float, float]:
    """The ends of the axis: all that is finite and above 0, with room."""
    values = np.array([bar.cost for bar in bars]).ravel()
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 1.0, 10.0
    low, high = values.min() / 1.5, values.max() * 1.5
    return low, max(high, 4 * low)

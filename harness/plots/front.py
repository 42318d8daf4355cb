"""One picture of a comparison: what a success costs, a row for each rule, a column for each task.

Rules stand in the order of their cost beside the best rule of each task, coloured by family. It is drawn to
be read at the width of a page.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.cells.units import Units, beside
from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.drawing.cell import Drawn
from harness.drawing.frames import by_task, drawn, needs
from harness.drawing.page import HIGH, LETTER, filled, headline
from harness.drawing.style import DIM, PALE, logarithmic, styled
from harness.plots.families import family_of
from harness.plots.titles import cheapest
from harness.statistics import Interval, Replicas, restarted_time

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESAMPLES, SEED, MOST = 2000, 0, 4
WIDE, ROW, HEAD, FOOT = 8.8, 0.185, 0.62, 0.58  # inches
TITLE, UNDER = 0.092, 0.15  # inches of a letter, and of a further line, of what a panel is called
BESIDE = 5  # families in a row of the legend


class Mark(NamedTuple):
    """A cell: what a success costs with restarts, in FLOPs."""

    cost: Interval
    solved: int
    n: int


def front_figure(replicas: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """What a success costs with restarts at the best cutoff, by rule and task.

    Of several cells of a rule on a task the first counts, of many tasks the first four. A triangle at the
    right edge is never: none of the n replicas solved the task. No mark: the rule cannot do the task, or was
    not run. A rule with other hidden units than those of the task's network says how many.

    Args:
        replicas: the frame of `results.replicas`.
        cells: the frame of `results.cells`, which has what an epoch costs.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if nothing was counted in FLOPs.

    >>> from harness import results
    >>> figure = front_figure(results.replicas("tuned"), results.cells("tuned"))
    """
    needs(cells, "id", "epoch_flops")
    price = dict(zip(cells["id"].astype(str), cells["epoch_flops"].to_numpy(float), strict=True))
    every = drawn(replicas, "outcome", "epochs", "budget_epochs")
    some = [d for d in every if np.isfinite(price.get(d.id, np.nan))]
    if not some:
        raise InputError("no cell was counted in FLOPs, so there is nothing to compare")
    marks = {task: _marks(of, price, _units(cells)) for task, of in list(by_task(some).items())[:MOST]}
    title = cheapest(
        {task: {rule: float(m.cost.value) for rule, m in own.items()} for task, own in marks.items()},
        "FLOPs",
        _beside(cells),
    )
    return _figure(title, marks, in_order(marks), len(every) - sum(map(len, marks.values())))


def _beside(cells: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Work ÷ backprop's over the replicas that both have, where the frame has it: as others tell it."""
    if "work_over_backprop" not in cells:
        return {}
    known: dict[str, dict[str, float]] = {}
    for task, rule, ratio in zip(
        cells["task"], cells["algorithm_name"], cells["work_over_backprop"], strict=True
    ):
        known.setdefault(str(task), {}).setdefault(str(rule), float(ratio))
    return known


def in_order(marks: Mapping[str, Mapping[str, Mark]]) -> list[str]:
    """The rules by their cost ÷ the least on each task, the geometric mean over the tasks that they solve;
    those that solve fewer tasks after those that solve more.
    """
    value = {
        task: {rule: max(float(m.cost.value), 1.0) for rule, m in own.items()} for task, own in marks.items()
    }
    best = {task: min(own.values()) for task, own in value.items()}
    place = {}
    for rule in dict.fromkeys(rule for some in marks.values() for rule in some):
        logs = [np.log(own[rule] / best[task]) for task, own in value.items() if rule in own]
        solved = [x for x in logs if np.isfinite(x)]
        place[rule] = (-len(solved), float(np.mean(solved)) if solved else np.inf, rule)
    return sorted(place, key=lambda rule: place[rule])


def _units(cells: pd.DataFrame) -> dict[str, str]:
    """What cells say of their hidden units, by id; nothing where these are the network's, or not known."""
    if not {"hidden_units", "network_units"} <= {*cells.columns}:
        return {}
    known = cells.dropna(subset=["hidden_units", "network_units"])
    counts = zip(known["hidden_units"].astype(int), known["network_units"].astype(int), strict=True)
    return {
        str(i): f" ({said})" for i, n in zip(known["id"], counts, strict=True) if (said := beside(Units(*n)))
    }


def _marks(some: Sequence[Drawn], price: Mapping[str, float], units: Mapping[str, str]) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    for d in some:
        name = (d.algorithm_name or d.algorithm) + units.get(d.id, "")
        if name in marks:
            continue
        solved, _, diverged = fates(d.rows)
        epochs = d.column("epochs")
        found = restarted_time(
            Replicas(epochs, solved, diverged),
            seed=SEED,
            spent=epochs * price[d.id],
            budget=d.column("budget_epochs"),
            resamples=RESAMPLES,
        )
        marks[name] = Mark(found.time, int(solved.sum()), len(solved))
    return marks


def _figure(
    title: str, marks: Mapping[str, Mapping[str, Mark]], rules: Sequence[str], left_out: int
) -> Figure:
    from matplotlib.lines import Line2D

    from harness.drawing.picture import Picture

    caption = (
        "FLOPs that a success costs where every try is given up at the best cutoff and begun afresh; the "
        "cutoff is chosen on other replicas than it is applied to. Lines: 95 % intervals, to the edge where "
        "they have no upper end. An open triangle: never, of all replicas. Rules in the order of their cost "
        "÷ the least on each task."
        + (
            f" {left_out} cells are not shown: of a rule on a task the first is, of tasks four."
            if left_out
            else ""
        )
    )
    lines, words = filled(caption, WIDE - 0.3), headline(title, WIDE - 0.1)
    said = dict.fromkeys(family_of(rule) for rule in rules)
    rows = -(-len(said) // BESIDE)
    foot = FOOT + 0.17 * (lines.count("\n") + rows) + 0.2
    names = 0.25 + LETTER * max(map(len, rules))
    width = (WIDE - names - 0.15) / len(marks)
    heads = {task: textwrap.fill(task, max(int((width - 0.2) / TITLE), 12)) for task in marks}
    deep = max(text.count("\n") for text in heads.values())
    tall = HEAD + HIGH * words.count("\n") + UNDER * deep + ROW * len(rules) + foot
    with styled():
        figure = Picture(figsize=(WIDE, tall))
        for i, (task, some) in enumerate(marks.items()):
            place = (
                (names + i * width + 0.08) / WIDE,
                foot / tall,
                (width - 0.2) / WIDE,
                ROW * len(rules) / tall,
            )
            ax = figure.add_axes(place)
            _draw(ax, some, rules, named=i == 0)
            ax.set_title(heads[task], fontsize=9, pad=4)
        handles = [
            Line2D([], [], marker="o", linewidth=1.5, color=colour, label=name) for name, colour in said
        ]
        figure.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0.1 / WIDE, (foot - 0.53 - 0.17 * rows) / tall),
            ncols=-(-len(handles) // rows),
            fontsize=8,
            handlelength=1.4,
            columnspacing=1.2,
        )
        figure.text(0.15 / WIDE, 1 - 0.1 / tall, words, fontsize=12, fontweight="bold", va="top")
        figure.text(0.15 / WIDE, 0.08 / tall, lines, fontsize=8, color=DIM, va="bottom", linespacing=1.3)
    return figure


def _draw(ax: Axes, some: Mapping[str, Mark], rules: Sequence[str], *, named: bool) -> None:
    finite = np.array([x for m in some.values() for x in m.cost if np.isfinite(x) and x > 0])
    left, right = (finite.min() / 1.6, finite.max() * 1.6) if len(finite) else (1.0, 10.0)
    for y, rule in enumerate(rules):
        ax.axhline(y, color=PALE, linewidth=0.4, zorder=0.5)
        if rule not in some:
            continue
        value, low, high = (float(x) for x in some[rule].cost)
        colour = family_of(rule)[1]
        start, end = max(low, left), min(high, right)
        dash = "-" if np.isfinite(value) else (0, (2, 2))
        ax.plot([start, end], [y, y], color=colour, linewidth=1.6, linestyle=dash, solid_capstyle="butt")
        if np.isfinite(value):
            ax.plot([max(value, left)], [y], "o", color=colour, markersize=4.5)
        else:
            edge = ax.get_yaxis_transform()
            ax.plot(
                [1],
                [y],
                ">",
                color=colour,
                markersize=6,
                markerfacecolor="white",
                transform=edge,
                clip_on=False,
            )
    logarithmic(ax, "x", left, right)
    ax.grid(visible=False, axis="y")
    ax.set(ylim=(len(rules) - 0.5, -0.6), xlabel="FLOPs")
    ax.set_yticks(range(len(rules)), rules if named else [""] * len(rules), fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)
    for label, rule in zip(ax.get_yticklabels(), rules, strict=True):
        label.set_color(family_of(rule)[1])

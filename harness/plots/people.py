"""What the units that see a person are on for:
their activity by person, as in Rumelhart, Hinton & Williams 1986, fig. 4.

Each unit has two rows, the English above the Italians who play the same part, in the order of generation and,
within one, of branch. That shows what a unit has found: rows that differ are nationality; columns that go
together generation, or branch.
"""

from __future__ import annotations

import textwrap
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.style import DIM, styled
from harness.inspection.hidden_units import features
from harness.plots.hinton import GREY, row_of, words
from harness.results import trained_networks as networks
from harness.tasks.family_tree import ENGLISH, ITALIAN, PEOPLE, RELATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.store.record import Record

Array = Any
CELL = 0.3  # inches: a square's place
CODE = "person1_code"
TREE = ("nationality", "generation", "branch")


def family_tree_figure(record: Record, replica: int | None = None) -> Figure:
    """The person code of one replica of a family-tree cell: `replica`, or the first that solved the task.

    Raises `InputError` if there is no such replica, none is solved, or its hidden units are not the task's.
    """
    if record.meta["task"]["name"] != "family_tree":
        raise InputError(f"{record.id} has no people in it: give a cell of the task family_tree")
    row = row_of(record, replica)
    # a person's code knows no relation
    alone = np.hstack([np.eye(len(PEOPLE)), np.zeros((len(PEOPLE), len(RELATIONS)))])
    activity = networks.of(record).chosen(np.array([row])).activities(alone)[CODE][0]
    title, subtitle = words(record, row)
    return people_figure(activity, title.replace("Weights", "Codes of people"), subtitle)


def people_figure(activity: Array, title: str, subtitle: str) -> Figure:
    """Activities (24, units) from 0 to 1 of people in the order of the task's `PEOPLE`;
    `subtitle` says of which of n replicas.

    Raises `InputError` for another shape.
    """
    from harness.drawing.picture import Picture

    values = np.asarray(activity, float)
    if values.ndim != 2 or len(values) != len(PEOPLE) or not values.shape[1]:
        raise InputError(
            f"activity must have a row for each of {len(PEOPLE)} people, "
            f"and units, but has shape {values.shape}"
        )
    units, people = values.shape[1], len(ENGLISH)
    caption = textwrap.fill(
        "A row of squares is a nationality: English above, Italian below. White: more active than ½, black: "
        "less; area ∝ distance from ½, so that a full square is 0 or 1. "
        "The units of one network: there is no interval.",
        int(16.5 * (CELL * people + 1.4)),
    )
    title = textwrap.fill(title, 62)
    tall, top, bottom = units * (2 * CELL + 0.2) - 0.2, 1.8 + 0.17 * title.count("\n"), 1.45
    width, height = CELL * people + 2.2, tall + top + bottom
    with styled():
        figure = Picture(figsize=(width, height))
        figure.text(0.15 / width, 1 - 0.15 / height, title, fontsize=10, fontweight="bold", va="top")
        figure.text(
            0.15 / width, 1 - (0.38 + 0.17 * title.count("\n")) / height, subtitle, fontsize=8, va="top"
        )
        figure.text(0.15 / width, 0.1 / height, caption, fontsize=8, color=DIM, va="bottom")
        for unit in range(units):
            y = height - top - 2 * CELL - unit * (2 * CELL + 0.2)
            ax = figure.add_axes((0.8 / width, y / height, CELL * people / width, 2 * CELL / height))
            _draw_unit(ax, values[list(in_order()), unit].reshape(2, people), f"unit {unit + 1}")
            _names(ax, ENGLISH if unit == 0 else (), ITALIAN if unit == units - 1 else ())
    return figure


@cache
def in_order() -> tuple[int, ...]:
    """The places of `PEOPLE` by nationality, generation and branch;
    who is of both branches stands between them.
    """
    told = features()

    def key(i: int) -> tuple[float, ...]:
        return tuple(0.5 if (value := told[name][i]) is None else value for name in TREE)

    return tuple(sorted(range(len(PEOPLE)), key=key))


def _draw_unit(ax: Axes, rows: Array, name: str) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    ax.set(xlim=(0, rows.shape[1]), ylim=(2, 0))
    ax.set_axis_off()
    ax.add_patch(Rectangle((0, 0), rows.shape[1], 2, facecolor=GREY, linewidth=0))
    squares: dict[str, list[Rectangle]] = {"white": [], "black": []}
    for (i, j), value in np.ndenumerate(rows):
        away = 2 * abs(value - 0.5) if np.isfinite(value) else 0.0
        side = 0.9 * np.sqrt(min(away, 1.0))
        squares["white" if value > 0.5 else "black"].append(
            Rectangle((j + (1 - side) / 2, i + (1 - side) / 2), side, side)
        )
    for colour, patches in squares.items():
        ax.add_collection(PatchCollection(patches, facecolor=colour, linewidth=0))
    for between in _borders("generation")[1:-1]:
        ax.plot([between, between], [0, 2], color="white", linewidth=2.0, solid_capstyle="butt")
    ax.text(-0.2, 1, name, ha="right", va="center", fontsize=8, fontweight="bold")


def _names(ax: Axes, above: tuple[str, ...], below: tuple[str, ...]) -> None:
    for j, i in enumerate(in_order()[: len(ENGLISH)]):
        if above:
            ax.text(j + 0.5, -0.15, above[i], rotation=90, ha="center", va="bottom", fontsize=7.5)
        if below:
            ax.text(j + 0.5, 2.15, below[i], rotation=90, ha="center", va="top", fontsize=7.5)
    for name, height in (("generation", -3.4), ("branch", -2.85)) if above else ():
        for start, end in pairwise(_borders(name)):
            value = features()[name][in_order()[start]]
            text = "both" if value is None else f"{name} {value + 1}"
            ax.text((start + end) / 2, height, text, ha="center", va="bottom", fontsize=7, color=DIM)


@cache
def _borders(feature: str) -> tuple[int, ...]:
    """Between which of the 12 columns a feature, or the generation, changes; both ends among them."""
    told = features()
    values = [(told["generation"][i], told[feature][i]) for i in in_order()[: len(ENGLISH)]]
    return tuple(np.cumsum([0, *(len(list(some)) for _, some in groupby(values))]).tolist())

"""What shared kernels became: for each way of training and each kind,
one that is most like all others of it, and how many.

Squares as in a Hinton diagram: white for positive, black for negative, area ∝ size, the largest of each
kernel full.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.page import HIGH, headline
from harness.drawing.style import DIM, styled
from harness.experiment.digits import number, percent
from harness.inspection.kernels import KINDS, LEAST, alike, kinds
from harness.plots.hinton import GREY
from harness.statistics import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
CELL, APART, NAMES = 1.05, 0.45, 1.9  # inches: a kernel, between two of them, and the names before a row
MOST = 200  # kernels that are compared with each other to find the middle one


def kernel_figure(kernels: Mapping[str, Array]) -> Figure:
    """Kernels (n, 3, 3) by how they were trained: a row for each, a column for each kind.

    Raises `InputError` for none.
    """
    from harness.drawing.picture import Picture

    rows = {name: np.asarray(w, float) for name, w in kernels.items() if len(w)}
    if not rows:
        raise InputError("there is no kernel to draw")
    width = NAMES + len(KINDS) * (CELL + APART)
    caption = textwrap.fill(
        "In each place the kernel that is most like the others of its kind "
        "(the largest mean |cosine| over turns and mirror images), of one replica; below it the share "
        "of the solved replicas' kernels that are of the kind, with its 95 % Wilson interval. A kernel is "
        f"of a kind from a |cosine| of {LEAST:g} with its template. White: positive, black: negative.",
        int(width * 16),
    )
    kind_of = {name: kinds(w).kind for name, w in rows.items()}
    title = headline(_title(kind_of), width)
    height = 1.0 + HIGH * title.count("\n") + len(rows) * (CELL + APART) + 0.17 * (caption.count("\n") + 2)
    with styled():
        figure = Picture(figsize=(width, height))
        figure.text(
            0.1 / width,
            1 - 0.1 / height,
            title,
            fontsize=12,
            fontweight="bold",
            va="top",
        )
        figure.text(0.1 / width, 0.1 / height, caption, fontsize=8, color=DIM, va="bottom")
        for i, (name, w) in enumerate(rows.items()):
            bottom = height - 0.85 - HIGH * title.count("\n") - (i + 1) * CELL - i * APART
            words = textwrap.fill(f"{name}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{number(len(w))}", 26)
            figure.text(0.1 / width, (bottom + CELL / 2) / height, words, fontsize=8, va="center")
            kind = kind_of[name]
            for j, column in enumerate(KINDS):
                left = NAMES + j * (CELL + APART)
                box = (left / width, bottom / height, CELL / width, CELL / height)
                ax = figure.add_axes(box)
                _draw(ax, w[kind == column])
                if i == 0:
                    ax.set_title(column, fontsize=9, loc="center")
                some = int((kind == column).sum())
                low, high = (100 * float(end) for end in wilson(some, len(w)))
                share = f"{100 * some / len(w):.1f} % [{low:.1f}–{high:.1f}]"
                ax.text(1.5, 3.15, share, ha="center", va="top", fontsize=8)
    return figure


def _title(kind_of: Mapping[str, Array]) -> str:
    """The kind that most kernels are of: its share of one way of training, or in how many it is the most."""
    first = {name: max(KINDS, key=lambda k: int((kind == k).sum())) for name, kind in kind_of.items()}
    if len(first) == 1:
        ((name, most),) = first.items()
        share = percent(float((kind_of[name] == most).mean()))
        return f"{share} of {number(len(kind_of[name]))} kernels are {most}"
    most, count = Counter(first.values()).most_common(1)[0]
    return f"Of all kinds most kernels are {most} with {count} of {len(first)} ways of training"


def middle(w: Array) -> Array:
    """Of kernels (n, 3, 3), the one with the largest mean |cosine|
    to the others, each turned to be most like it.
    """
    unit = w[:MOST] / np.linalg.norm(w[:MOST], axis=(1, 2), keepdims=True)
    likeness = [(alike(unit, one) * one).sum(axis=(1, 2)).mean() for one in unit]
    return w[int(np.argmax(likeness))]


def _draw(ax: Axes, w: Array) -> None:
    from matplotlib.patches import Rectangle

    ax.set(xlim=(0, 3), ylim=(3, 0), aspect="equal")
    ax.set_axis_off()
    if not len(w):
        ax.text(1.5, 1.5, "none", ha="center", va="center", fontsize=8, color=DIM)
        return
    ax.add_patch(Rectangle((0, 0), 3, 3, facecolor=GREY, linewidth=0))
    one = middle(w)
    for (i, j), value in np.ndenumerate(one / np.abs(one).max()):
        side = 0.9 * np.sqrt(abs(value))
        corner = (j + (1 - side) / 2, i + (1 - side) / 2)
        ax.add_patch(Rectangle(corner, side, side, facecolor="white" if value > 0 else "black", linewidth=0))

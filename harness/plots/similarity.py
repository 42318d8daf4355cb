"""Which algorithms arrive at like representations?

Linear CKA of their hidden activities, and the tree it makes of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.page import headed
from harness.drawing.style import DIM, styled
from harness.inspection.similarity import Similarity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
SPACE = 0.42  # inches a row
NUMBERED = 12  # algorithms up to which the spread has room beside the mean
SHADES = "cividis"


def similarity_figure(found: Similarity, title: str, about: str) -> Figure:
    """The matrix of mean CKA with its spread, and beside it a dendrogram (average linkage of 1 − CKA).

    Kornblith, Norouzi, Lee & Hinton 2019, arXiv:1905.00414. Algorithms that have no CKA with some other are
    named in the caption.

    Args:
        found: what `harness.inspection.similarity.compare` gives.
        title: of the figure.
        about: of which units, patterns and n replicas.

    Returns:
        A matplotlib figure.

    Raises:
        InputError: if fewer than two algorithms are left.

    >>> import numpy as np
    >>> from harness.inspection.similarity import compare
    >>> activities = {name: np.random.default_rng(0).random((2, 8, 3)) for name in ("backprop", "shallow")}
    >>> figure = similarity_figure(compare(activities), "Hidden units", "8 patterns, n = 2.")
    """
    from harness.drawing.picture import Picture

    kept = _complete(found.mean)
    if len(kept) < 2:
        raise InputError(
            "fewer than two algorithms have hidden activities "
            "that vary over the patterns: there is nothing to compare"
        )
    mean, deviation = (a[np.ix_(kept, kept)] for a in (found.mean, found.deviation))
    tree = _tree(mean)
    order = np.array(tree["leaves"])
    names = [found.names[kept[i]] for i in order]
    pairs = found.pairs[np.ix_(kept, kept)]
    pairs = np.unique(pairs[~np.isnan(mean)])
    left_out = [name for i, name in enumerate(found.names) if i not in kept]
    caption = (
        f"{about} Number: mean linear CKA over "
        f"n = {pairs[0]:,}{f' to {pairs[-1]:,}' if len(pairs) > 1 else ''} pairs of replicas"
        + (
            " ± its standard deviation over them"
            if len(kept) <= NUMBERED
            else f"; standard deviation over them up to {np.nanmax(deviation):.2f}"
        )
        + ". Diagonal: replicas of one algorithm with each other. Tree: average linkage of 1 − CKA."
        + (f" Without activities that vary: {', '.join(left_out)}." if left_out else "")
    )
    size = SPACE * max(len(kept), 4)
    with styled():
        figure = Picture(figsize=(size + 5.2, size + 2.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.5, size))
        _draw_tree(left, tree, len(kept))
        _draw_matrix(right, mean[np.ix_(order, order)], deviation[np.ix_(order, order)], names)
        headed(figure, _title(title, mean, [found.names[i] for i in kept]), caption)
    return figure


def _title(subject: str, mean: Array, names: list[str]) -> str:
    """Which two are the most alike, and which the least."""
    pairs = np.column_stack(np.triu_indices(len(names), 1))
    cka = np.array([mean[i, j] for i, j in pairs])
    most, least = (pairs[int(best)] for best in (cka.argmax(), cka.argmin()))
    start = f"{subject}: m" if subject else "M"
    said = f"{start}ost alike are {names[most[0]]} and {names[most[1]]}, CKA {cka.max():.2f}"
    return said + (
        f", least {names[least[0]]} and {names[least[1]]}, {cka.min():.2f}" if len(pairs) > 1 else ""
    )


def _complete(mean: Array) -> list[int]:
    """Algorithms that have a CKA with all others: those with the most gaps go first."""
    kept = list(range(len(mean)))
    while kept:
        missing = np.isnan(mean[np.ix_(kept, kept)])
        np.fill_diagonal(missing, val=False)
        if not missing.any():
            break
        kept.pop(int(missing.sum(axis=1).argmax()))
    return kept


def _tree(mean: Array) -> dict[str, Any]:
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    distance = np.maximum(1 - mean, 0.0)
    np.fill_diagonal(distance, 0.0)
    return dict(dendrogram(linkage(squareform(distance, checks=False), "average"), no_plot=True))


def _draw_tree(ax: Axes, tree: dict[str, Any], rows: int) -> None:
    """Leaves to the right, beside their rows; scipy puts the i-th leaf at 10 i + 5."""
    for heights, places in zip(tree["dcoord"], tree["icoord"], strict=True):
        ax.plot(heights, (np.array(places) - 5) / 10, color="black", linewidth=1.2)
    furthest = max(max(heights) for heights in tree["dcoord"])
    ax.set(xlim=(1.05 * max(furthest, 1e-3), 0), ylim=(rows - 0.5, -0.5), xlabel="1 − CKA", yticks=[])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)


def _draw_matrix(ax: Axes, mean: Array, deviation: Array, names: list[str]) -> None:
    image = ax.imshow(mean, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(mean):
        if np.isnan(value):
            ax.text(j, i, "–", ha="center", va="center", color=DIM, in_layout=False)
            continue
        light = float(np.dot(image.cmap(image.norm(value))[:3], (0.299, 0.587, 0.114))) > 0.5
        text = f"{value:.2f}" + (f"\n± {deviation[i, j]:.2f}" if len(names) <= NUMBERED else "")
        colour = "black" if light else "white"
        # within, and many
        ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color=colour, in_layout=False)
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.yaxis.tick_right()
    ax.grid(visible=False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)

"""What depth leaves of credit: the first hidden layer's beside the last's, against the number of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.credit.vanishing import STEEPEST, Left, factor
from harness.drawing.page import headed
from harness.drawing.style import logarithmic, look, styled
from harness.experiment.digits import significant
from harness.plots.families import BESIDE
from harness.plots.titles import many

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def vanishing_figure(task: str, ratios: Mapping[str, Sequence[Left]], bounded: bool) -> Figure:
    """One line an algorithm, median and quartiles of the ratio against depth,
    and where credit is `bounded` by it ¼ a layer.
    """
    from matplotlib.ticker import FixedLocator

    from harness.drawing.picture import Picture

    depths = sorted({s.depth for some in ratios.values() for s in some})
    replicas = max(len(s.ratio) for some in ratios.values() for s in some)
    with styled():
        figure = Picture(figsize=(7.2, 5.6), layout="constrained")
        ax = figure.subplots()
        seen = [1.0]
        for i, (name, some) in enumerate(ratios.items()):
            low, median, high = (np.array(q) for q in zip(*(s.quartiles for s in some), strict=True))
            if np.isnan(median).all():
                continue
            x = [s.depth for s in some]
            style = {**look(i), "markevery": None}
            draws = max(s.draws for s in some)
            chance = f", mean of {draws} draws" if draws > 1 else ""
            rate = factor(some)
            fitted = "" if np.isnan(rate) else f"   × {rate:.2g} a layer"
            ax.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
            ax.plot(x, median, label=f"{name}{chance}{fitted}", **style)
            seen += [v for v in (*low, *high) if v > 0]
        if bounded:
            steps = [STEEPEST ** (d - 1) for d in depths]
            ax.plot(
                depths,
                steps,
                color="#777777",
                linewidth=1.0,
                label="bound of logistic units for ‖W‖ = 1   × ¼ a layer",
            )
            seen += steps
        logarithmic(ax, "y", min(seen) / 3, max(seen) * 3)
        ax.xaxis.set_major_locator(FixedLocator(depths))
        ax.set(title=task, xlabel="hidden layers", ylabel="credit of the first ÷ of the last hidden layer")
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.14), borderaxespad=0)
        caption = (
            "RMS over weights, before training. Line: "
            f"median of n = {replicas} replicas; band: quartiles (25–75 %)."
        )
        headed(figure, _title(ratios), caption)
    return figure


def _title(ratios: Mapping[str, Sequence[Left]]) -> str:
    """What a layer leaves of backprop's credit, of whose it leaves the most, and the least."""
    left = {name: rate for name, some in ratios.items() if not np.isnan(rate := factor(some))}
    if not left:
        name = BESIDE if BESIDE in ratios else next(iter(ratios))
        last = ratios[name][-1]
        share = f"×{significant(last.quartiles[1])} of the last's"
        return f"With {many(last.depth, 'hidden layer')} the first one's credit is {share} by {name}"
    order = sorted(left, key=lambda name: -left[name])
    words = {order[0]: ", the most", order[-1]: ", the least"} if len(left) > 1 else {}
    told = dict.fromkeys([BESIDE, *words] if BESIDE in left else [*words] or order)
    said = [f"×{significant(left[name])} of {name}'s{words.get(name, '')}" for name in told]
    return f"Credit that a further layer leaves: {'; '.join(said)}"

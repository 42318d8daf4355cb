"""Two nets beside each other, rule by rule:
the share of test images each gets wrong, every replica and the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import InputError
from harness.drawing.page import Panel, page
from harness.drawing.style import COLOURS, MARKERS
from harness.experiment.digits import percent
from harness.plots.titles import many
from harness.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = Any
Shares = Mapping[str, Mapping[str, tuple[Array, Interval]]]
"""By net and rule: shares of images wrong (R,), and the interval of their mean."""


def layout_figure(wrong: Shares) -> Figure:
    """A row for each rule, a mark for each net. Raises `InputError` if there is none."""
    if not any(wrong.values()):
        raise InputError("there is no net to draw")
    rules = list(dict.fromkeys(rule for by_rule in wrong.values() for rule in by_rule))
    caption = (
        "Small dots: replicas, each a network of its own. Large marks: "
        "their mean with its 95 % percentile bootstrap interval. The images are the same for all, "
        "so that intervals say what other initial weights would do, not other images. "
        "Rates were chosen on validation images, of replicas of another seed."
    )
    panel = Panel("300 test images", partial(_draw, wrong=wrong, rules=rules), 0.55 * len(rules) + 0.4)
    return page(_title(wrong), caption, [panel], width=5.2, left=2.1)


def _title(wrong: Shares) -> str:
    """With how many rules the intervals of two nets lie apart; of other than two, which is wrong least."""
    if len(wrong) != 2:
        mean = {
            f"{net} with {rule}": float(i.value)
            for net, some in wrong.items()
            for rule, (_, i) in some.items()
        }
        least = min(mean, key=lambda name: mean[name])
        return f"The fewest test images are wrong by {least}, {percent(mean[least])}"
    (one, its), (other, others) = wrong.items()
    both = [rule for rule in its if rule in others]
    fewer = sum(float(its[rule][1].high) < float(others[rule][1].low) for rule in both)
    more = sum(float(its[rule][1].low) > float(others[rule][1].high) for rule in both)
    less = f"{fewer or 'none'} of {many(len(both), 'rule')}"
    return f"{one} is wrong on fewer test images than {other} with {less}, on more with {more or 'none'}"


def _draw(ax: Axes, *, wrong: Shares, rules: list[str]) -> None:
    rng = np.random.default_rng(0)  # of where dots lie across
    for i, (net, by_rule) in enumerate(wrong.items()):
        colour, marker = COLOURS[i], MARKERS[i]
        for rule, (values, interval) in by_rule.items():
            y = rules.index(rule) + 0.24 * (i - (len(wrong) - 1) / 2)
            x = 100 * np.asarray(values, float)
            ax.scatter(x, y + rng.uniform(-0.06, 0.06, len(x)), s=5, color=colour, alpha=0.35, linewidth=0)
            value, low, high = (100 * float(end) for end in interval)
            first = rule == next(iter(by_rule))
            ax.errorbar(
                value, y, xerr=[[value - low], [high - value]], color=colour, marker=marker, markersize=5,
                linewidth=1.4, linestyle="none", label=f"{net}   n = {len(x)}" if first else "_more",
            )  # fmt: skip
    ax.set(
        yticks=range(len(rules)), yticklabels=rules, ylim=(len(rules) - 0.5, -0.5), xlabel="per cent wrong"
    )
    ax.set_xlim(left=0)

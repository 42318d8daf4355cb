"""The studies `shared_weights`, `t_c` and `losses` in three sentences: sharing, kernels, and the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.answers.conclusions import fitting
from harness.answers.losses import pairs
from harness.answers.pairs import beside
from harness.answers.shared_weights import Reported, gap
from harness.answers.shares import points, share
from harness.answers.t_c import Kernels
from harness.answers.words import decided, few, n_of
from harness.inspection.kernels import LEAST, OTHER, kinds

if TYPE_CHECKING:
    import pandas as pd


def conclusions(
    nets: Sequence[Reported], trained: Sequence[Kernels], cells: pd.DataFrame, replicas: pd.DataFrame
) -> list[str]:
    """Whether sharing pays at equal weights, what shared kernels become, and what cross-entropy does.

    Args:
        nets: of `harness.answers.shared_weights.reported`.
        trained: of `harness.answers.t_c.kernels`.
        cells, replicas: the frames of the study `losses`.
    """
    said = [*_digits(nets), *_kernels(trained), *_losses(cells, replicas)]
    return said or ["Nothing is concluded: no rule was run on two nets, no kernel learnt, no loss compared."]


def _digits(nets: Sequence[Reported]) -> list[str]:
    """Test images wrong by shared kernels less those by full connections."""
    gaps = {rule: gap(nets, rule) for rule in dict.fromkeys(r.rule for r in nets)}
    known = {rule: interval for rule, interval in gaps.items() if interval is not None}
    if not known:
        return []
    more, fewer = (sum(side) for side in zip(*((i.low > 0, i.high < 0) for i in known.values()), strict=True))
    names = [f"{rule} {points(interval)}" for rule, interval in known.items()]
    head = (
        "On digits, shared kernels beside full connections of as many weights get more test images wrong "
        f"by {more} of {len(known)} rules, fewer by {fewer}, by whole 95 % intervals: "
    )
    n = n_of(len(r.wrong) for r in nets if r.rule in known)
    return [fitting(lambda most: f"{head}{few(names, most)} ({n} pairs).")]


def _kernels(trained: Sequence[Kernels]) -> list[str]:
    shares = []
    for cell in trained:
        of_one = int((kinds(cell.learnt).kind != OTHER).sum())
        shares.append((of_one / len(cell.learnt), f"{share(of_one, len(cell.learnt))} by {cell.name}"))
    if not shares:
        return []
    least, most = min(shares), max(shares)
    ends = f"from {least[1]} to {most[1]}" if len(shares) > 1 else most[1]
    return [
        f"Of the shared kernels that learnt T-C, those within a cosine of {LEAST:g} of one of the four "
        f"printed ones are {ends}, over {len(shares)} ways of training."
    ]


def _losses(cells: pd.DataFrame, replicas: pd.DataFrame) -> list[str]:
    if not len(cells):
        return []
    found = [beside(replicas, cross, squared) for _, _, cross, squared in pairs(cells)]
    if not found:
        return []
    more, fewer = sum(p.rate.low > 0 for p in found), sum(p.rate.high < 0 for p in found)
    cost = [decided(p.log_ratio) for p in found]
    return [
        f"Cross-entropy for squared error at the same rate, {len(found)} pairs of cells: it solves more "
        f"replicas in {more}, fewer in {fewer}, and a success takes fewer epochs in {cost.count('less')}, "
        f"more in {cost.count('more')}, by whole 95 % intervals ({n_of(p.replicas for p in found)} pairs)."
    ]

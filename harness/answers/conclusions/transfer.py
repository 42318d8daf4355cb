"""The study `transfer` in three sentences: do tasks agree, which most and least, and the cheapest rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.transfer import FIRST, Costs, Pair, champion
from harness.answers.words import correlation, p_value
from harness.statistics import concordance

ALARM = 0.05


def conclusions(of: Costs, found: Sequence[Pair]) -> list[str]:
    """Whether tasks rank rules alike, which two most and least, and how the cheapest of one do on others.

    Args:
        of: of `harness.answers.transfer.costs`.
        found: of `harness.answers.transfer.pairs`.
    """
    known = sorted((p for p in found if not np.isnan(p.tau.value)), key=lambda p: -float(p.tau.value))
    said = [*_altogether(of, known), *_ends(known), *_champions(of)]
    return said or ["Nothing is concluded: there are no two tasks on which two rules have a cost."]


def _altogether(of: Costs, pairs: Sequence[Pair]) -> list[str]:
    if not pairs:
        return []
    whole = "too few rules are on all tasks to compare these"
    if int((~np.isnan(of.work).any(axis=1)).sum()) > 1:
        w = concordance(of.work)
        word = "rank rules alike" if w.p < ALARM else "are not seen to rank rules alike"
        p = p_value(w.p) if w.p < 0.001 else f"= {p_value(w.p)}"
        whole = (
            f"all tasks together {word}, Kendall's W = {w.w:.2f}, p {p}, {w.rules} rules × {w.tasks} tasks"
        )
    alike, opposed = sum(p.tau.low > 0 for p in pairs), sum(p.tau.high < 0 for p in pairs)
    return [
        f"{whole[:1].upper()}{whole[1:]}; of {len(pairs)} pairs of tasks τ is above 0 in {alike}, below in "
        f"{opposed}, and not decided in {len(pairs) - alike - opposed}, by whole intervals of which one "
        "misses, 5 % at most."
    ]


def _ends(pairs: Sequence[Pair]) -> list[str]:
    if len(pairs) < 2:
        return []
    most, least = (
        f"{p.one} and {p.other}, τ = {correlation(p.tau)}, {p.rules} rules" for p in (pairs[0], pairs[-1])
    )
    return [f"Most alike are {most}; least {least}."]


def _champions(of: Costs) -> list[str]:
    some = champion(of)
    away, within, never = (
        sum(len(getattr(one, name)) for one in some) for name in ("away", "within", "never")
    )
    if not away:
        return []
    return [
        f"The cheapest rule of a task is among the first {FIRST} of another, by the whole 95 % interval of "
        f"its rank, in {within} of the {away} cases where it has one there, and never solves it in {never}."
    ]

"""The study `optimisers` in three sentences: whom momentum and Adam help, the order of rules, the price."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.conclusions import fitting
from harness.answers.middle import LESS, MORE, OPEN, beside, median, of_values
from harness.answers.optimisers import Beside, Order, Tried
from harness.answers.words import amount, correlation, counted, few, n_of


def conclusions(some: Sequence[Tried], pairs: Sequence[Beside], ranks: Sequence[Order]) -> list[str]:
    """For how many rules another optimiser than plain steps is cheaper and for how many dearer, whether the
    rules stand in another order, and what the dearest optimiser of a rule costs beside the cheapest.
    """
    found = [*_helps(some, pairs), *_order(ranks), *_worth(some)]
    return found or ["Nothing is concluded: no rule was run with two optimisers at two rates each."]


def _helps(some: Sequence[Tried], pairs: Sequence[Beside]) -> list[str]:
    known = [pair for pair in pairs if not np.isnan(pair.ratio.value)]
    if not known:
        return []
    sides: dict[str, list[str]] = {LESS: [], MORE: [], OPEN: []}
    for pair in sorted(known, key=lambda pair: abs(np.log(max(pair.ratio.value, 1e-9))), reverse=True):
        text = f"{pair.optimiser} for {pair.rule} on {pair.task} ×{amount(pair.ratio)}"
        sides[beside(pair.ratio, 1.0)].append(text)
    less, more = sides[LESS], sides[MORE]
    head = f"Of {len(known)} pairs of an optimiser with plain steps, each at its own best rate, a success "
    tail = (
        f", and {len(sides[OPEN])} are not decided ({n_of(t.n for t in some)} networks at each rate; of the "
        "intervals of a task one misses, 5 % at most)."
    )
    return [
        fitting(lambda k: f"{head}takes less work in {counted(less, k)}, more in {counted(more, k)}{tail}")
    ]


def _order(ranks: Sequence[Order]) -> list[str]:
    known = [rank for rank in ranks if not np.isnan(rank.tau.value)]
    if not known:
        return []
    alike = sum(rank.tau.low > 0 for rank in known)
    least = min(known, key=lambda rank: rank.tau.value)
    return [
        f"Two optimisers rank the rules alike, by the whole interval, in {alike} of {len(known)} pairs of "
        f"optimisers on a task; least alike are {least.one} and {least.other} on {least.task}, Kendall's "
        f"{correlation(least.tau)} (n = {least.rules} rules)."
    ]


def _worth(some: Sequence[Tried]) -> list[str]:
    parts = []
    for task in dict.fromkeys(t.task for t in some):
        costs: dict[str, list[float]] = {}
        for t in some:
            if t.task == task:
                costs.setdefault(t.rule, []).append(float(t.cost.value))
        solving = [own for own in costs.values() if len(own) > 1 and np.isfinite(own).any()]
        finite = [max(own) / min(own) for own in solving if np.isfinite(own).all()]
        if finite:
            never = f", and {len(solving) - len(finite)} never solve it with one of them"
            more = never if len(solving) > len(finite) else ""
            parts.append(f"{median(of_values(finite))} on {task} (n = {len(finite)} rules{more})")
    if not parts:
        return []
    head = "The dearest optimiser of a rule costs, as a multiple of its cheapest, in the median over rules "
    return [fitting(lambda most: f"{head}[95 %]: {few(parts, most)}.")]

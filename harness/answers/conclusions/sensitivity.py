"""The study `sensitivity` in three sentences: how wide valleys are, beside backprop's, one rate for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.conclusions import fitting
from harness.answers.middle import LESS, MORE, beside, median, of_values
from harness.answers.sensitivity import Course
from harness.answers.shares import mean, percents
from harness.answers.words import counted, few, n_of
from harness.experiment.digits import number


def conclusions(some: Sequence[Course]) -> list[str]:
    """How many decades of its rate a rule may be off, whose differ from backprop's, and whether a rate that
    is best on one task does for another.
    """
    found = [*_width(some), *_beside_backprop(some), *_elsewhere([c for c in some if c.solves])]
    return found or ["Nothing is concluded: no rule solves a task at any rate."]


def _width(some: Sequence[Course]) -> list[str]:
    parts = []
    for task in dict.fromkeys(c.task for c in some):
        decades = [c.found.decades.value for c in some if c.task == task and c.solves]
        parts += [f"{median(of_values(decades))} on {task} ({len(decades)} rules)"] if decades else []
    if not parts:
        return []
    head = "A success costs a rule at most twice the least over so many decades of its rate, in the median "
    tail = f" ({n_of(c.n for c in some)} networks at each rate)."
    return [fitting(lambda most: f"{head}over the rules that solve a task [95 %]: {few(parts, most)}{tail}")]


def _beside_backprop(some: Sequence[Course]) -> list[str]:
    sides: dict[str, list[str]] = {LESS: [], MORE: []}
    pairs = 0
    for base in (c for c in some if c.rule == "backprop" and c.solves):
        for c in (c for c in some if c.task == base.task and c.rule != base.rule and c.solves):
            pairs += 1
            sides.setdefault(beside(c.found.decades, base.found.decades), []).append(f"{c.rule} on {c.task}")
    if not pairs:
        return []
    head = f"Of {pairs} pairs of rule and task the rate needs to be set less exactly than backprop's in "
    tail = (
        f", and {pairs - len(sides[MORE]) - len(sides[LESS])} are not told apart, by intervals that do not "
        "overlap, of which on a task one misses, 5 % at most."
    )
    wider, narrower = sides[MORE], sides[LESS]
    return [fitting(lambda k: f"{head}{counted(wider, k)}, more exactly in {counted(narrower, k)}{tail}")]


def _elsewhere(some: Sequence[Course]) -> list[str]:
    """What a success costs at the rate that is best on another task ÷ the least, rule by rule."""
    prices: dict[str, list[float]] = {}
    for c in some:
        for home in some:
            rate = home.found.best
            if home.rule == c.rule and home.task != c.task and rate in c.rates:
                price = float(c.found.costs[c.rates.index(rate)] / c.found.costs.min())
                prices.setdefault(c.rule, []).append(price)
    if not prices:
        return []
    never = mean(float(np.isinf(own).mean()) for own in prices.values())
    finite = [
        float(np.median(solved)) for own in prices.values() if (solved := [p for p in own if p < np.inf])
    ]
    return [
        "With the rate that is best on another task a rule never solves a task that it can in "
        f"{percents(never)} of the cases, and else pays, in the median over rules, "
        f"{median(of_values(finite))} times the least (n = {len(prices)} rules, "
        f"{number(sum(map(len, prices.values())))} cases)."
    ]

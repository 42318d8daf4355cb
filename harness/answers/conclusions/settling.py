"""The study `settling` in three sentences: the powers of the error, the cost beside backprop, the steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers import credit_errors, settling_steps
from harness.answers.conclusions import fitting
from harness.answers.middle import LESS, MORE, OPEN, beside
from harness.answers.settling import CONTROLS, Cost
from harness.answers.shares import mean, percents
from harness.answers.words import amount, correlation, counted, few, n_of, several


def conclusions(
    errors: Sequence[credit_errors.Course], costs: Sequence[Cost], sizes: Sequence[settling_steps.Course]
) -> list[str]:
    """Whether the error of a credit falls as theory states, whose success takes less work than backprop's and
    whose more, and how steps grow with depth and width.
    """
    found = [*_powers(errors), *_costs(costs), *_steps(sizes)]
    return found or ["Nothing is concluded: no credit was looked at, and no network was trained."]


def _powers(errors: Sequence[credit_errors.Course]) -> list[str]:
    known = [
        (c, p)
        for c, p in zip(errors, credit_errors.powers(errors) if errors else [], strict=True)
        if not np.isnan(c.stated) and not np.isnan(p.value)
    ]
    if not known:
        return []
    alike = sum(credit_errors.agrees(c, p) for c, p in known)
    known.sort(key=lambda each: credit_errors.agrees(*each))  # those that are not the stated one first
    names = [f"{c.symbol}^{correlation(p)} for {c.name}, stated {c.stated:g}" for c, p in known]
    head = (
        "The error |g − ∇| ÷ |∇| of credit read at rest falls as the power that theory states, to within "
        f"{credit_errors.NEAR:g} by the whole interval, in {alike} of {len(known)} ways: "
    )
    tail = f" ({n_of(len(c.errors) for c, _ in known)} networks; one interval of all misses, 5 % at most)."
    return [fitting(lambda most: f"{head}{few(names, most)}{tail}")]


def _costs(costs: Sequence[Cost]) -> list[str]:
    """Whose success takes less work than backprop's, the least first; how many take more."""
    pairs = [c for c in costs if c.rule not in CONTROLS and not np.isnan(c.ratio.value)]
    pairs.sort(key=lambda c: float(c.ratio.value))
    if not pairs:
        return []
    sides = [beside(c.ratio, 1.0) for c in pairs]
    less, more = ([c for c, s in zip(pairs, sides, strict=True) if s == side] for side in (LESS, MORE))
    names, dear = ([f"{c.rule} on {c.task} ×{amount(c.ratio)}" for c in side] for side in (less, more))
    head = "Tuned alike, a success by settling or aiming takes less work than backprop's in "
    what = f" of {len(pairs)} pairs of rule and task"
    never = f"{sum(not c.solved for c in more)} of these never solve it"
    tail = (
        f", and {sides.count(OPEN)} are not decided ({n_of(c.n for c in pairs)} networks; of the intervals "
        "one misses, 5 % at most)."
    )

    def said(most: int) -> str:
        cheapest = f"; least {dear[0]}" if dear and most > 1 else ""
        return f"{head}{counted(names, most, what)}, more in {len(more)} ({never}{cheapest}){tail}"

    return [fitting(said)]


def _steps(sizes: Sequence[settling_steps.Course]) -> list[str]:
    """Whose steps grow most with depth and with width, and whose least."""
    if not sizes:
        return []
    found = list(zip(sizes, settling_steps.exponents(sizes), strict=True))
    ends: dict[str, list[str]] = {"most": [], "least": []}
    for size, symbol in settling_steps.SYMBOLS.items():
        own = sorted(((c, p) for c, p in found if c.size == size), key=lambda each: -float(each[1].value))
        for end, these in (("most", own[:1]), ("least", own[1:][-1:])):
            ends[end] += [f"{symbol}^{correlation(p)} ({c.name})" for c, p in these]
    worst = max(
        (c.unsettled[:, i] for c in sizes for i in range(len(c.values))), key=lambda u: float(u.mean())
    )
    head = "The steps of a phase grow with hidden layers L or units H in each at most as "
    tail = (
        f"; at most {percents(mean(worst))} of the phases do not come to rest "
        f"({n_of(len(c.steps) for c in sizes)} networks)."
    )
    least = f", at least as {several(ends['least'])}" if ends["least"] else ""
    return [fitting(lambda most: f"{head}{several(ends['most'])}{least if most > 1 else ''}{tail}")]

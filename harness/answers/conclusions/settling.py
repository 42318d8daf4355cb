"""The study `settling` in three sentences: the powers of the error, the cost beside backprop, the steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers import credit_errors, settling_steps
from harness.answers.conclusions import fitting
from harness.answers.middle import LESS, MORE, OPEN, beside
from harness.answers.settling import Cost
from harness.answers.shares import mean, percents
from harness.answers.words import amount, correlation, counted, few, n_of


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
    pairs = [c for c in costs if c.solved and not np.isnan(c.ratio.value)]
    never = [f"{c.rule} on {c.task}" for c in costs if not c.solved]
    if not pairs:
        return []
    sides: dict[str, list[str]] = {LESS: [], MORE: [], OPEN: []}
    for c in sorted(pairs, key=lambda c: float(c.ratio.value)):
        sides[beside(c.ratio, 1.0)].append(f"{c.rule} on {c.task} ×{amount(c.ratio)}")
    head = "With settings tuned alike a success takes less work than backprop's in "
    what = f" of {len(pairs)} pairs of rule and task"
    less, more = sides[LESS], sides[MORE]
    rest = f", {len(sides[OPEN])} are not decided, and {len(never)} more never solve their task"
    n = f" ({n_of(c.n for c in costs)} networks; of the intervals one misses, 5 % at most)."
    return [
        fitting(lambda most: f"{head}{counted(less, most, what)}, more in {counted(more, most)}{rest}{n}")
    ]


def _steps(sizes: Sequence[settling_steps.Course]) -> list[str]:
    if not sizes:
        return []
    found = list(zip(sizes, settling_steps.exponents(sizes), strict=True))
    parts = []
    for size, word in settling_steps.SIZES.items():
        own = sorted(((c, p) for c, p in found if c.size == size), key=lambda each: -float(each[1].value))
        if own:
            (course, power), (last, least) = own[0], own[-1]
            text = f"{word} to the power {correlation(power)} by {course.name}, the most"
            parts.append(text + (f", and {correlation(least)} by {last.name}, the least" if own[1:] else ""))
    worst = max(
        (c.unsettled[:, i] for c in sizes for i in range(len(c.values))), key=lambda u: float(u.mean())
    )
    tail = (
        f"; at most {percents(mean(worst))} of the phases do not come to rest "
        f"({n_of(len(c.steps) for c in sizes)} networks)."
    )
    return [fitting(lambda most: f"The steps of a phase grow with {few(parts, most)}{tail}")]

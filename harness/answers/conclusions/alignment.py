"""The study `alignment` in three sentences: what goes with cost, what foretells it, who breaks that law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.answers.alignment import (
    LAWS,
    OUTCOMES,
    POINTING,
    Exceptions,
    Found,
    law_held_out,
    usable,
)
from harness.answers.conclusions import fitting
from harness.answers.credit_measures import MEASURES
from harness.answers.words import correlation, counted, few, several

if TYPE_CHECKING:
    import pandas as pd


def conclusions(found: pd.DataFrame, pairs: Sequence[Found], broken: Exceptions) -> list[str]:
    """What of a credit goes with cost, whether it foretells the order on a task not seen, and who breaks it.

    Args:
        found: of `harness.answers.credit_measures.points`.
        pairs: of `harness.answers.alignment.associations`.
        broken: of `harness.answers.alignment.exceptions`.
    """
    said = [*_together(pairs), *_foretold(found), *_broken(broken)]
    return said or ["Nothing is concluded: there are no two rules to compare."]


def _together(pairs: Sequence[Found]) -> list[str]:
    if not pairs:
        return []
    decided = sorted((f for f in pairs if f.rho.low > 0 or f.rho.high < 0), key=lambda f: -abs(f.rho.value))
    names = [f"{MEASURES[f.measure]} and {OUTCOMES[f.outcome]} {correlation(f.rho)}" for f in decided]
    before = [f.rho for f in pairs if (f.measure, f.outcome) == ("before", "epochs")]
    known = f"; the angle before training and epochs have {correlation(before[0])}" if before else ""
    head = f"Of {len(pairs)} rank correlations within tasks of a measure of credit with a cost, "
    what = " are decided by their whole interval, of which one misses, 5 % at most"
    n = f"n = {max(f.rules for f in pairs)} rules × {max(f.tasks for f in pairs)} tasks"
    return [fitting(lambda most: f"{head}{counted(names, most, what)}{known} ({n}).")]


def _foretold(found: pd.DataFrame) -> list[str]:
    parts, n = [], ""
    for name, law in LAWS.items():
        some = usable(found, law)
        if some["rule"].nunique() > 1 and some["task"].nunique() > 1:
            parts.append(f"{correlation(law_held_out(some, law, 'flops'))} by {name}")
            n = n or f"{some['rule'].nunique()} rules × {some['task'].nunique()} tasks"
    if not parts:
        return []
    return [
        "Of the order of the work on a task not seen, foretold from other rules on other tasks, R² [95 %] "
        f"is {several(parts)} (n = {n})."
    ]


def _broken(of: Exceptions) -> list[str]:
    if not of.tasks:
        return []
    aligned, across = (
        [f"{rule} {n}" for rule, n in cells["rule"].value_counts().items()]
        for cells in (of.aligned, of.across)
    )
    head = (
        "The credit nearest to the gradient along the run is the cheapest in work, or not told apart from "
        f"it [95 %], on {of.tasks - len(of.beaten)} of {of.tasks} tasks; {len(of.aligned)} cells point "
        f"within {POINTING:.0f}° of the gradient and never solve their task "
    )
    middle = f", and {len(of.across)} point elsewhere and do "
    return [fitting(lambda most: f"{head}({few(aligned, most)}){middle}({few(across, most)}).")]

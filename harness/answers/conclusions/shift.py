"""The study `shift` in three sentences: within rules, across rules, and what a change costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.conclusions import fitting
from harness.answers.middle import median, of_values
from harness.answers.shift import ACROSS, MEASURES, WITHIN, Found, Kept, decided, n_networks
from harness.answers.words import correlation, few, several


def conclusions(kept: Sequence[Kept], found: Sequence[Found]) -> list[str]:
    """Whether flat minima keep better, within rules and across them, and what each change costs.

    Args:
        kept: of `harness.answers.shift.of`.
        found: of `harness.answers.shift.associations`.
    """
    if not kept or not found:
        return ["Nothing is concluded: there are no trained networks to compare."]
    return [_keeping(found, over, n_networks(kept)) for over in (WITHIN, ACROSS)] + [_costs(kept)]


def _keeping(found: Sequence[Found], over: str, n: str) -> str:
    better, worse, undecided = decided(found, over)
    count = len(better) + len(worse) + len(undecided)
    verdict = (
        "it is not shown"
        if not better and not worse
        else "yes"
        if len(better) == count
        else "no"
        if not better
        else "sometimes"
        if not worse
        else "it depends"
    )
    largest = sorted([*better, *worse] or undecided, key=lambda f: -abs(f.rho.value))
    names = [f"{MEASURES[f.measure]}, {f.shift} ρ = {correlation(f.rho)}" for f in largest]
    head = (
        f"Do flat minima keep better when traffic changes? {over[0].upper()}{over[1:]}, {verdict}: in "
        f"{len(better)} of {count} pairs of sharpness and change they do, in {len(worse)} sharp ones do "
    )
    tail = f"; one interval of all misses, 5 % at most ({n} networks × {found[0].rules} rules)."
    return fitting(lambda most: f"{head}({few(names, max(most - 1, 1))}){tail}")


def _costs(kept: Sequence[Kept]) -> str:
    before = median(of_values(np.concatenate([k.before for k in kept])))
    parts = [
        f"{median(of_values(np.concatenate([k.lost[name] for k in kept])))} ({name})" for name in kept[0].lost
    ]
    return f"The NRMSE on the held-out weeks, {before} in the median, rises by {several(parts)}."

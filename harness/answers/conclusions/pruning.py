"""The study `pruning` in three sentences: who chooses better, what retraining mends, and the first weight."""

from __future__ import annotations

from collections.abc import Sequence

from harness.answers.conclusions import fitting
from harness.answers.pruning import AFTER, BEFORE, KEPT, Cuts, better, fewest, gains
from harness.answers.shares import points
from harness.answers.words import few, n_of
from harness.experiment.digits import percent


def conclusions(some: Sequence[Cuts]) -> list[str]:
    """Whether saliency chooses better than magnitude, how few weights are enough with and without retraining,
    and which of the two finds the better first weight.
    """
    there = [cut for cut in some if cut.n]
    if not there:
        return ["Nothing is concluded: no trained network was cut."]
    return [_choosing(there), _mending(there), _first(there)]


def _choosing(some: Sequence[Cuts]) -> str:
    found = [
        (cut, left, gain)
        for cut in some
        for left, gain in zip(cut.left, gains(cut, BEFORE), strict=True)
        if left < 1
    ]
    less, more = [f for f in found if f[2].high < 0], [f for f in found if f[2].low > 0]
    most = max(less, key=lambda f: -float(f[2].value), default=None)
    best = f" (most {points(most[2])} on {most[0].name} at {percent(most[1])} left)" if most else ""
    return (
        f"Of {len(found)} cuts without retraining saliency leaves fewer patterns wrong than magnitude in "
        f"{len(less)}{best} and more in {len(more)}, by whole 95 % intervals, paired "
        f"({n_of(cut.n for cut in some)} networks)."
    )


def _mending(some: Sequence[Cuts]) -> str:
    names = []
    for cut in some:
        alone, mended = (fewest(cut, "saliency", when) for when in (BEFORE, AFTER))
        names.append(f"{percent(alone)} and {percent(mended)} on {cut.name}")
    head = (
        "Chosen by saliency, weights left may be as few as these for at most "
        f"{percent(KEPT)} more wrong, cut alone "
    )
    return fitting(lambda most: f"{head}and retrained: {few(names, most)}.")


def _first(some: Sequence[Cuts]) -> str:
    names = [f"{better(cut)} on {cut.name}" for cut in some]
    head = (
        "Of networks in which the two name different weights to delete first, that of least magnitude costs "
        "less in "
    )
    return fitting(lambda most: f"{head}{few(names, most)}.")

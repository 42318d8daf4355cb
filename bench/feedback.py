"""What a way back of one's own costs in time:
epochs of the feedback alignment family beside backprop's, taken in turn.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from algorithms.backprop import Backprop
from algorithms.feedback_alignment import (
    DirectFeedbackAlignment,
    DirectRandomTargetProjection,
    FeedbackAlignment,
)
from algorithms.sign_symmetry import SignSymmetry
from algorithms.weight_mirror import KolenPollack, WeightMirror
from harness.core.algorithm import CreditAlgorithm
from harness.core.optimisers import GradientDescent
from harness.core.registry import tasks
from harness.experiment.run import run

SLOW, MOMENTUM = 1e-4, 0.9  # a rate at which no network finishes: every epoch costs all R
CASES = [("xor", 1000, 1000), ("encoder", 1000, 300)]  # task, replicas, epochs
RULES: list[tuple[type[CreditAlgorithm], str]] = [
    (FeedbackAlignment, "≤ 1.1"),
    (DirectFeedbackAlignment, "≤ 1.1"),
    (DirectRandomTargetProjection, "≤ 1.1"),
    (SignSymmetry, "reported"),
    (KolenPollack, "reported"),
    (WeightMirror, "reported"),
]


def lines(rounds: int = 5, share: float = 1.0) -> Iterator[str]:
    """The section on the feedback alignment family, interpreted; `share` of the epochs, for a quick look."""
    yield (
        "The feedback alignment family, interpreted: "
        "time of an epoch's updates ÷ backprop's, medians of rounds in turn:"
    )
    yield ""
    yield (
        f"| algorithm | {' | '.join(f'{name}, R = {replicas:,}' for name, replicas, _ in CASES)} | promised |"
    )
    yield f"|{'---|' * (len(CASES) + 2)}"
    for rule, promised in RULES:
        ratios = [
            beside_backprop(rule, name, replicas, max(20, int(share * epochs)), rounds)
            for name, replicas, epochs in CASES
        ]
        yield f"| {rule.name} | {' | '.join(ratios)} | {promised} |"


def beside_backprop(rule: type[CreditAlgorithm], name: str, replicas: int, epochs: int, rounds: int) -> str:
    """Median ratio of times, with its range."""
    ratios = []
    for _ in range(rounds):
        theirs, ours = (seconds(each, name, replicas, epochs) for each in (Backprop, rule))
        ratios.append(ours / theirs)
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})"


def seconds(rule: type[CreditAlgorithm], name: str, replicas: int, epochs: int) -> float:
    """Time of updates in a run that nobody finishes early;
    drawing feedback weights, once a run, is not in it.
    """
    algorithm, task = rule(GradientDescent(lr=SLOW, momentum=MOMENTUM, decay=0.0)), tasks()[name]()
    return float(run(algorithm, task, replicas=replicas, epochs=epochs, progress=False).trained.seconds.sum())

"""The study `representations` in words, second part: which algorithms arrive at like representations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.learners import Learners
from harness.answers.words import several
from harness.inspection import similarity
from harness.results.trained_networks import Networks

COMPARED = 32
"""Replicas of an algorithm whose hidden activities are compared with those of others."""


def of(found: Sequence[Learners], group: str = "hidden") -> similarity.Similarity:
    """Linear CKA of a group's activity for all patterns,
    of the first replicas that solved the task, and of the control's.
    """
    some = [t for t in found if t.control or t.solved.any()]
    return similarity.compare({t.name: _some(t.looked_at).activities()[group] for t in some})


def _some(all_of_them: Networks) -> Networks:
    return all_of_them.chosen(np.arange(min(COMPARED, len(all_of_them))))


def verdict(found: similarity.Similarity) -> list[str]:
    """Which two algorithms are most alike,
    and whether an algorithm's own replicas are more alike than they are to others.
    """
    mean_cka, size = found.mean, len(found.names)
    pairs = [
        (float(mean_cka[i, j]), i, j) for i in range(size) for j in range(i) if not np.isnan(mean_cka[i, j])
    ]
    if not pairs:
        return ["There are no two algorithms to compare."]
    best, worst = max(pairs), min(pairs)
    ends = [
        f"{found.names[j]} and {found.names[i]}, {value:.2f} ± {found.deviation[i, j]:.2f}"
        for value, i, j in (best, worst)
    ]
    own = [
        f"{name} {mean_cka[i, i]:.2f}" for i, name in enumerate(found.names) if not np.isnan(mean_cka[i, i])
    ]
    return [
        "Most alike (mean linear CKA ± standard deviation over pairs of replicas): "
        f"{ends[0]}; least: {ends[1]}.",
        f"Replicas of one algorithm with each other: {several(own)}.",
    ]

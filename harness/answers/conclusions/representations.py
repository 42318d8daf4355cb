"""The study `representations` in three sentences: symmetry, the encoder, the family tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.answers.conclusions import fitting
from harness.answers.learners import Learners, learnt
from harness.answers.representations import PRINTED, WITHIN, Separating, as_printed
from harness.answers.shares import half, mean, percents, share
from harness.answers.words import brief, few, several
from harness.experiment.digits import number
from harness.inspection import hidden_units as rep


def conclusions(
    symmetry: Sequence[Learners],
    encoder: Sequence[Learners],
    tree: Sequence[Learners],
    features: Sequence[Separating],
) -> list[str]:
    """How often hidden units are what was printed in 1986, over the replicas that solved their task.

    Args:
        symmetry, encoder, tree: of `harness.answers.learners.learners` on each of the tasks.
        features: of `harness.answers.representations.separating`.
    """
    said = [*_symmetry(symmetry), *_encoder(encoder), *_tree(tree, features)]
    return said or ["Nothing is concluded: no replica solved its task."]


def _symmetry(cells: Sequence[Learners]) -> list[str]:
    parts = [f"{share(as_printed(t), int(t.solved.sum()))} ({t.name})" for t in _first(cells)]
    printed = f"{' : '.join(brief(p) for p in PRINTED)}, within {100 * WITHIN:g} %"
    head = f"Of the networks that solved symmetry both hidden units are {printed}, in "
    return [fitting(lambda most: f"{head}{few(parts, most)}.")] if parts else []


def _encoder(cells: Sequence[Learners]) -> list[str]:
    parts = []
    for t in _first(cells):
        hidden = t.looked_at.activities()["hidden"]
        needed = int((rep.distinct(hidden) < hidden.shape[1]).sum())
        parts.append(f"{share(needed, len(hidden))} ({t.name}, {half(needed, len(hidden))})")
    head = (
        "Of the networks that solved the encoder, those whose codes read as bits are not all different, "
        "so that they need values in between, are "
    )
    return [fitting(lambda most: f"{head}{few(parts, most)}.")] if parts else []


def _tree(cells: Sequence[Learners], features: Sequence[Separating]) -> list[str]:
    """Of the first cell that learnt the family tree."""
    some = _first(cells)
    if not some:
        return []
    t = some[0]
    own = [f"{s.feature} in {share(s.some, s.replicas)}" for s in features if s.t.name == t.name]
    right = np.asarray(t.networks.replicas["held_right"], float)[t.solved]
    return [
        f"In the family tree by {t.name} a unit of the person code separates {several(own)} replicas (p ≤ "
        f".01, of random codes 1 %), and of the held-out pairs {percents(mean(right))} are right (n = "
        f"{number(len(right))} splits)."
    ]


def _first(cells: Sequence[Learners]) -> list[Learners]:
    """Those that learnt, backprop and its forms first."""
    return sorted(learnt(cells), key=lambda t: not t.name.startswith("backprop"))

"""A small task for any rule of ours: XOR, recall where it can do without hidden units only, or symmetry where
somebody made features or rules for it."""

from __future__ import annotations

from harness.core.algorithm import Algorithm
from harness.core.task import Task
from harness.tasks.recall import Recall
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor


def suited(algorithm: Algorithm, hidden: int = 3) -> Task:
    """XOR with so many hidden units; where an algorithm cannot do that, four patterns of eight bits,
    or the symmetry of four."""
    xor = Xor(hidden=hidden)
    some = (xor, Recall(units=8, stored=4, flipped=0.25), Symmetry(bits=4, hidden=hidden))
    return next(task for task in some if algorithm.refusal(task) is None)

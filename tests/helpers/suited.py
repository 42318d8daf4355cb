"""A small task for any rule of ours: XOR, or recall where it can do without hidden units only."""

from __future__ import annotations

from harness.core.algorithm import Algorithm
from harness.core.task import Task
from harness.tasks.recall import Recall
from harness.tasks.xor import Xor


def suited(algorithm: Algorithm, hidden: int = 3) -> Task:
    """XOR with so many hidden units; four patterns of eight bits where an algorithm cannot do that."""
    xor = Xor(hidden=hidden)
    return xor if algorithm.refusal(xor) is None else Recall(units=8, stored=4, flipped=0.25)

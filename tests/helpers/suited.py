"""A small task for any rule of ours: XOR, recall where it can do without hidden units only, symmetry where
somebody made features or rules for it, or sequences, of units that leak in the end, where it needs time."""

from __future__ import annotations

from harness.core.algorithm import Algorithm
from harness.core.task import Task
from harness.tasks.parity_over_time import ParityOverTime
from harness.tasks.recall import Recall
from harness.tasks.symmetry import Symmetry
from harness.tasks.xor import Xor


def suited(algorithm: Algorithm, hidden: int = 3) -> Task:
    """XOR with so many hidden units; where an algorithm cannot do that, four patterns of eight bits,
    the symmetry of four, or the parity of three bits one after the other."""
    xor = Xor(hidden=hidden)
    timeless = (xor, Recall(units=8, stored=4, flipped=0.25), Symmetry(bits=4, hidden=hidden))
    timed = (ParityOverTime(length=3, hidden=hidden, units=units) for units in ("tanh", "leaky"))
    some = (*timeless, *timed)
    return next(task for task in some if algorithm.refusal(task) is None)

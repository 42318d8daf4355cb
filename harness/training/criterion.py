"""Whether the criterion is met by predictions that are made for it alone: no more of them than it takes.

After a sweep of mini-batches, and on validation patterns, outputs have to be made only to ask whether they
are good enough. Of many patterns a first part often answers that: where too many are wrong already, the
others need not be looked at. The answer is that of all patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.data import Data
from harness.core.task import Task

Array = Any
FIRST, PART = 64, 512  # patterns that are predicted at once: at first, where few may do, and at most


def met(
    task: Task, predict: Callable[[Array], Array], data: Data, among: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which replicas meet the criterion of a task.

    Args:
        task: whose criterion.
        predict: the outputs for patterns, at the weights that are asked about.
        data: the patterns that decide, (R or 1, [T,] N, units).
        among: the replicas (R,) that are asked about; the others are False.

    Returns:
        Bools (R,).
    """
    n = data.x.shape[-2]
    if n <= PART:
        return task.met(predict(data.x), data, among)
    if task.criterion == "error" or type(task).met is not Task.met:  # of all patterns together
        return task.met(np.concatenate([predict(part.x) for part in in_parts(data)], axis=-2), data, among)
    wrong: Array = 0
    for part in in_parts(data, FIRST):
        wrong = wrong + np.count_nonzero(~task.right(predict(part.x), part), axis=-1)
        among = among & ((n - wrong) / n >= task.share)
        if not among.any():
            break
    return among


def in_parts(data: Data, size: int = PART) -> Iterator[Data]:
    """Data in parts of so many patterns, each twice as many as the one before, at most PART; without what is
    held out.
    """
    start = 0
    while start < data.x.shape[-2]:
        yield Data(*(a[..., start : start + size, :] for a in data[:3]))
        start, size = start + size, min(2 * size, PART)

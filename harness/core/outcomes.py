"""What can become of a replica, and of a cell: one vocabulary for training, records, tables and figures.

An outcome is data. A replica that does not solve its task, or runs off to infinity, is counted like any
other.

    fates(record.replicas).solved      # (R,)
    fates(results.replicas("study"))   # of a frame, all the same
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SOLVED, UNSOLVED, DIVERGED = "solved", "unsolved", "diverged"
"""Of a replica: it met the criterion; its budget ended first; its weights or outputs left all bounds."""
FINISHED, NOT_APPLICABLE, FAILED, MISSING = "finished", "not applicable", "failed", "not run"
"""Of a cell: it was run; its algorithm cannot do its task; its code raised; it is not in the store yet."""


class Fates(NamedTuple):
    """What became of R replicas; each of them (R,)."""

    solved: NDArray[np.bool_]
    unsolved: NDArray[np.bool_]
    diverged: NDArray[np.bool_]


def fates(columns: Mapping[str, Any] | Any) -> Fates:
    """Which replicas solved their task, which did not in time, which diverged.

    Args:
        columns: whatever has a column `outcome` (R,): `Record.replicas`, `Result.columns()`, or a frame
            of replicas.
    """
    outcome = np.asarray(columns["outcome"]).astype(str)
    return Fates(*(outcome == name for name in (SOLVED, UNSOLVED, DIVERGED)))

"""Cells of a few replicas, of all fates, for statistics that are held to their definitions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from harness.statistics import Replicas

BUDGET = 9.0
REPLICA = st.tuples(
    st.integers(0, 9).map(float), st.sampled_from(["solved", "solved", "unsolved", "diverged"])
)
CELL = st.lists(REPLICA, min_size=1, max_size=9)


def replicas(cell: list[tuple[float, str]]) -> Replicas:
    """Of one budget for all, which is what an unsolved one has run."""
    time, fate = (np.array(column) for column in zip(*cell, strict=True))
    return Replicas(np.where(fate == "unsolved", BUDGET, time), fate == "solved", fate == "diverged")

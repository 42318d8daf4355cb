"""Names beside points held to lying on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from harness.drawing.labels import DOT, places


@pytest.mark.parametrize("seed", range(5))
def test_names_lie_on_no_other_name_and_on_no_point(seed):
    rng = np.random.default_rng(seed)
    at, sizes = rng.uniform(0, 5, (15, 2)), np.column_stack([rng.uniform(0.3, 1.2, 15), np.full(15, 0.13)])
    low = places(at, sizes, (6.0, 5.2))
    high = low + sizes
    for i in range(15):
        others = np.arange(15) != i
        assert not ((low[i] < high) & (low < high[i])).all(1)[others].any()
        assert not ((low[i] < at + DOT) & (at - DOT < high[i])).all(1).any()

"""Lines with fewer points held to the distance to the whole line, point by point."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.drawing.thin import FINE, line, staircase

INCHES = st.floats(0, 4, allow_subnormal=False, width=32)
ROUNDING = 1e-9


def away(point, start, end):
    """From a point to the segment between two others."""
    along = end - start
    share = np.clip(np.dot(point - start, along) / max(np.dot(along, along), 1e-300), 0, 1)
    return np.hypot(*(point - start - share * along))


@settings(max_examples=200, deadline=None)
@example((np.repeat([0.0, 1.0], [4, 2]), np.array([3.59765625] * 3 + [2.0, 3.60351562, 3.59765625])))
@given(st.integers(1, 40).flatmap(lambda n: st.tuples(*[arrays(float, n, elements=INCHES)] * 2)))
def test_a_line_leaves_out_no_point_by_more_than_can_be_seen(both):
    points = np.column_stack([np.sort(both[0]), both[1]])
    kept = line(*points.T)
    assert (kept[0], kept[-1]) == (0, len(points) - 1)
    for start, end in pairwise(kept):
        for point in points[start:end]:
            assert away(point, points[start], points[end]) <= FINE + ROUNDING


@pytest.mark.parametrize("replicas", [1000, 10_000])
def test_a_curve_of_many_replicas_is_drawn_with_few_points(replicas):
    x, y = np.linspace(0, 2, replicas), np.linspace(1.5, 0, replicas)
    assert len(line(*staircase(x, y))) < 10


def test_steps_that_are_seen_and_lines_that_break_stay_whole():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    corners = staircase(x, np.array([1.0, 0.75, 0.5, 0.5]))
    assert np.column_stack(corners).tolist() == [
        [0, 1],
        [1, 1],
        [1, 0.75],
        [2, 0.75],
        [2, 0.5],
        [3, 0.5],
        [3, 0.5],
    ]
    assert line(*corners) == [0, 1, 2, 3, 4, 6]
    assert line(x, np.array([1.0, np.nan, 0.9, 0.8])) == [0, 1, 2, 3]

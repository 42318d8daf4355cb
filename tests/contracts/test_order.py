"""The order of a study's cells, held to what it promises: some are kept early, and workers end together."""

from __future__ import annotations

import heapq
import math
from random import Random

import pytest

from harness.experiment.bar import time_left
from harness.studies.order import in_turn


def ends(works: list[float], order: list[int], workers: int) -> list[float]:
    """When each cell is over, begun in this order by the first worker that is free."""
    free = [0.0] * workers
    over = []
    for i in order:
        end = heapq.heappop(free) + works[i]
        heapq.heappush(free, end)
        over.append(end)
    return over


def sweep(random: Random) -> list[float]:
    """What cells cost: over four powers of ten, as the rules of a sweep do."""
    return [10 ** random.uniform(0, 4) for _ in range(random.randrange(8, 80))]


@pytest.mark.parametrize("seed", range(50))
def test_the_end_is_at_most_a_twentieth_of_the_work_later_than_longest_first(seed: int) -> None:
    works = sweep(Random(seed))
    for workers in (1, 2, 8):
        ours = max(ends(works, in_turn(works), workers))
        longest = max(ends(works, sorted(range(len(works)), key=lambda i: -works[i]), workers))
        assert ours <= longest + sum(works) / 20 + 1e-9


@pytest.mark.parametrize("seed", range(50))
def test_a_quarter_of_the_cells_is_kept_within_a_tenth_of_the_time(seed: int) -> None:
    works = sweep(Random(seed))
    over = ends(works, in_turn(works), 2)
    assert sum(end <= max(over) / 10 for end in over) >= len(works) // 4


def test_every_cell_has_its_turn_once() -> None:
    for works in ([], [1.0], [1.0, 1.0], [0.0, 0.0, 0.0], [3.0, 1e30, 2.0], sweep(Random(1))):
        assert sorted(in_turn(works)) == list(range(len(works)))


def test_time_left_is_that_of_the_work_left() -> None:
    assert time_left(60, 10, 20) == "about 2 min left"
    assert time_left(3600, 1, 2.5) == "about 2 h 30 min left"
    assert time_left(60, 0, 5) == "", "nothing is known before the first is over"
    assert time_left(60, 5, 0) == ""
    assert time_left(59, 1, 1) == "under 1 min left"
    assert "nan" not in time_left(60, math.inf, 1)

"""The order of a study's cells, held to what it promises: some are kept early, and workers end together."""

from __future__ import annotations

import heapq
import math
from random import Random

import pytest

from harness.cells.cell import Cell
from harness.experiment.bar import time_left
from harness.studies.attempt import expected_work
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


SECONDS = """
accumulated_backprop 0.65 12, backprop 0.43 9.6, boltzmann 4.4 375, checkpointed_backprop 1 2.9,
contrastive_hebbian 3.3 64, decision_tree 0.01 0.02, delta_rule 0.38 41, direct_feedback_alignment 0.96 4.2,
direct_random_target_projection 0.5 14, eggroll 2.6 410, equilibrium_propagation 16 222,
evolution_strategies 3.8 65, feedback_alignment 0.95 7.2, finite_differences 0.94 22, forward_forward 1.3 35,
forward_gradient 0.9 7.8, generec 15 177, genetic 2.6 808, kolen_pollack 1 3.2, local_losses 1.1 36,
mean_field 0.59 16, mono_forward 0.91 2.5, node_perturbation 1.8 14, noprop 15 158, pepita 0.56 6.5,
perceptron 0.43 37, predictive_coding 5.9 47, random_feature_perceptron 0.01 0.28, reinforce 1.6 8.3,
restricted_boltzmann 2.1 22, sequential_weight_perturbation 1.6 13, shallow 0.3 2.6, sign_symmetry 0.98 5.6,
signal_propagation 0.6 12, spsa 2.2 6.7, target_propagation 0.88 12, weight_mirror 1 4.9,
weight_perturbation 0.87 6.3
"""
"""What cells of 100 replicas took on xor and on symmetry, by rule, on two busy cores."""


@pytest.mark.parametrize("known", [True, False], ids=["seconds-known", "work-alone-known"])
def test_of_all_rules_on_two_tasks_something_is_over_within_ten_seconds(known: bool) -> None:
    """Also where nothing was ever measured, and the order is that of the work; a tenth within a minute."""
    cells, took = [], []
    for row in SECONDS.replace("\n", " ").split(","):
        rule, *both = row.split()
        cells += [Cell.of({"name": rule}, {"name": task}, {}) for task in ("xor", "symmetry")]
        took += map(float, both)
    order = in_turn(took if known else [expected_work(cell) for cell in cells])
    for workers in (1, 2, 8):
        over = sorted(ends(took, order, workers))
        assert over[0] <= 10
        assert over[len(over) // 10] <= 60


def test_of_a_few_cells_the_cheapest_comes_first() -> None:
    """Each is more than a tenth of the work: longest first, nothing would be over for 40 s."""
    assert in_turn([9.0, 40.0, 41.0])[0] == 0
    assert min(ends([9.0, 40.0, 41.0], in_turn([9.0, 40.0, 41.0]), 1)) == 9


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

"""What settling costs held to closed forms on a chain: products of a step, the count at the cap, and the
work of the steps that were taken; and the count of one step for all held to that of all steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.backprop import Backprop
from algorithms.contrastive_hebbian import ContrastiveHebbian, Generec
from algorithms.equilibrium_propagation import EquilibriumPropagation
from harness.cells.cell import Cell
from harness.cells.settings import Settings
from harness.core import registry
from harness.core.algorithm import Batch, Credit
from harness.core.loops import settle
from harness.core.network import Network
from harness.core.rand import Rand
from harness.core.settling import furthest
from harness.cost import settled
from harness.cost.settled import as_run
from harness.cost.sheet import sheet, work
from harness.tasks.xor import Xor
from helpers.costs import cost_of, task_of
from helpers.suited import suited

ALGORITHMS = registry.algorithms()

SIZES = st.lists(st.integers(1, 6), min_size=2, max_size=5)
N = 3


def products(sizes: list[int], last: int) -> int:
    """Multiply-adds of a step that moves the layers 1 … `last`: weights between two of them, both ways."""
    return N * sum(2 * a * b for a, b in pairwise(sizes[1 : last + 1]))


@settings(deadline=None, derandomize=True, max_examples=12)
@given(SIZES, st.integers(9, 14), st.integers(8, 12), st.sampled_from([1, 2, 4]))
def test_equilibrium_propagation_is_counted_at_its_cap(
    sizes: list[int], steps: int, taught: int, points: int
) -> None:
    """T free steps, and T′ for each nudge that is nobody's conjugate; what inputs send is summed once."""
    rule = EquilibriumPropagation(steps=steps, steps_taught=taught, points=points)
    s = cost_of(rule, task_of(Network.chain(*sizes), N))
    nudges = {1: 1, 2: 2, 4: 3}[points]
    assert s.settling["phases"] == 1 + nudges
    assert s.settling["steps"] == steps + nudges * taught
    assert s.settling["multiply_adds"] == s.settling["steps"] * products(sizes, len(sizes) - 1)


@settings(deadline=None, derandomize=True, max_examples=12)
@given(SIZES, st.sampled_from([ContrastiveHebbian(), Generec(), Generec(midpoint=True, symmetric=True)]))
def test_with_outputs_held_only_hidden_layers_settle(sizes: list[int], rule: Any) -> None:
    rule = replace(rule, steps=9, steps_taught=8)
    s = cost_of(rule, task_of(Network.chain(*sizes), N))
    hidden = len(sizes) > 2
    assert s.settling["phases"] == 1 + hidden
    assert s.settling["steps"] == 9 + 8 * hidden
    last = len(sizes) - 1
    assert s.settling["multiply_adds"] == 9 * products(sizes, last) + 8 * products(sizes, last - 1)


def test_a_prediction_is_a_free_phase_and_a_rule_that_does_not_settle_has_none() -> None:
    sizes = [4, 5, 3, 2]
    rule = EquilibriumPropagation(steps=11, steps_taught=8)
    s = cost_of(rule, task_of(Network.chain(*sizes), N))
    once = N * sizes[0] * sizes[1]  # what the first layer hears of the inputs, in all steps the same
    assert s.predict.multiply_adds == s.forward.multiply_adds + once + 11 * products(sizes, 3)
    plain = cost_of(Backprop(), task_of(Network.chain(*sizes), N))
    assert not plain.settling
    assert not [name for name in plain.numbers() if name.startswith("settling")]


def test_the_count_does_not_ask_when_a_network_came_to_rest() -> None:
    """With a tolerance that all meet at once the cap is counted all the same, looks at what moved too."""
    at_once, never = (
        cost_of(EquilibriumPropagation(tolerance=t), task_of(Network.chain(4, 5, 2), N)) for t in (1e3, 1e-6)
    )
    assert at_once.settling == never.settling
    assert at_once.update == never.update


def test_with_a_tolerance_of_0_all_steps_are_taken_and_none_is_told_apart() -> None:
    rule = EquilibriumPropagation(steps=9, steps_taught=8)
    apart, whole = (
        cost_of(replace(rule, tolerance=t), task_of(Network.chain(4, 5, 2), N)) for t in (1e-3, 0.0)
    )
    assert not whole.settling
    assert whole.update.multiply_adds == apart.update.multiply_adds


@pytest.mark.parametrize("taken", [(8, 8), (9, 12), (20, 10)])
def test_the_work_of_the_steps_taken_is_that_of_a_cap_at_just_these(taken: tuple[int, int]) -> None:
    """Two replicas of unequal length of life: the mean is over their updates."""
    task = task_of(Network.chain(4, 5, 3, 2), N)
    tolerant = EquilibriumPropagation(steps=20, steps_taught=10)
    whole = cost_of(tolerant, task).numbers()
    free, nudged = taken
    short = cost_of(replace(tolerant, steps=free, steps_taught=nudged), task).numbers()
    mean = (free + 2 * nudged) / 3
    columns = {"updates": np.array([30, 10]), "settling_steps": np.array([mean + 1, mean - 3])}
    found = as_run(whole, columns)
    # a step of the free phase costs what one of a nudged phase does, but for the nudge itself
    nudge = 3 * N * 2 * 30
    assert found["update.multiply_adds"] == pytest.approx(short["update.multiply_adds"], rel=1e-12)
    assert found["update.work"] == pytest.approx(short["update.work"], abs=nudge)
    assert found["settling.at_most"] == whole["update.work"]
    assert found["forward.work"] == whole["forward.work"]
    assert found["predict.work"] == whole["predict.work"]


def test_without_steps_told_or_settling_the_cost_is_what_it_was() -> None:
    task = task_of(Network.chain(4, 5, 2), N)
    plain, settles = (cost_of(rule, task).numbers() for rule in (Backprop(), EquilibriumPropagation()))
    columns = {"updates": np.array([3, 4]), "settling_steps": np.array([5.0, 6.0])}
    assert as_run(plain, columns) == plain
    assert as_run(settles, {"updates": columns["updates"]}) == settles
    every = columns | {"updates": np.array([0, 0])}
    assert as_run(settles, every)["update.work"] < settles["update.work"]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_work_of_a_budget_is_that_of_the_sheet(name: str) -> None:
    rule = ALGORITHMS[name]()
    cell = Cell.made(rule, suited(rule), Settings())
    found, all_of_it = work(cell), sheet(cell)
    assert found == (all_of_it.update.work, all_of_it.forward.work, all_of_it.patterns)
    assert found.forward_passes == all_of_it.forward_passes


@dataclass(frozen=True)
class Settles(Backprop):
    """Backprop, once some arrays have settled: each follows the one before it, the first is not counted."""

    most: int = 9
    branches: bool = False

    def credit(self, net: Network, params: Any, memory: Any, batch: Batch, rand: Rand) -> Credit:
        chain = {"a": batch.x, **{name: np.zeros((1, 4, 2)) for name in "bcd"}}

        def step(s: dict[str, Any], around: Any) -> dict[str, Any]:
            twice = 2.0 if self.branches and bool((s["c"] > 0.3).any()) else 1.0
            c = s["b"] * 0.5 if twice == 1.0 else s["b"] * 0.5 + s["c"] * 0.25
            return {"a": s["a"] * 0.9, "b": s["a"] + 0.0, "c": c, "d": s["d"] * 0.5}

        settle(self.most, step, chain, (), 1e-9)
        return super().credit(net, params, memory, batch, rand)


@pytest.mark.parametrize("branches", [False, True])
@pytest.mark.parametrize("most", range(6))
def test_one_step_counts_for_all_where_all_are_alike(most: int, branches: bool) -> None:
    """What begins as constants becomes counted step by step; a branch on values takes another way later."""
    cell = Cell.made(Settles(most=most, branches=branches), Xor(), Settings())
    assert work(cell).update == sheet(cell).update.work


def test_a_budget_takes_few_of_many_steps() -> None:
    taken = []

    class Noted(Settles):
        def credit(self, *given: Any) -> Credit:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(settled, "furthest", lambda new, old: taken.append(1) or furthest(new, old))
                return super().credit(*given)

    work(Cell.made(Noted(most=1000), Xor(), Settings()))
    assert len(taken) <= 5

"""Settings for an algorithm on a task: the same budget for every rule, on replicas that nothing else sees.

A search has three rounds, each on replicas of its own. Settings that fill the space, the usual ones among
them, are tried by a few networks with a tenth of the budget; the better half of them, and others proposed
near the best, by more with a third; and one of the best few is chosen by many with all of it. What a report
runs comes from yet another stream (`REPORTED`).

How good a setting is: what a success costs at the best cutoff (`harness.statistics.cutoff`), so that no
budget decides; among settings that never solve, the median loss at the end. All networks have the same budget
in forward passes over the patterns, whatever an epoch of the rule takes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.outcomes import fates
from harness.cost.passes import within
from harness.statistics.cutoff import best_cutoff, cost_at
from harness.tuning.budget import Tuning
from harness.tuning.rounds import Space, proposed, spread_out
from harness.tuning.space import space_of, with_values

Array = Any
Columns = Mapping[str, Array]

REPORTED = 2**40
"""Seeds of what is reported are below this; those of the rounds are above, each in a place of its own."""
FIRST, SECOND, CHOOSING = REPORTED, 2 * REPORTED, 3 * REPORTED
PASSES = (
    30  # forward passes for each epoch of the task's usual budget: ten to fifteen times what backprop takes
)
EARLY, LATER = 0.1, 1 / 3  # of it, in the first two rounds
SPREAD = 0.6  # of the trials fill the space, the others are proposed


class Tried(NamedTuple):
    """Settings, and what became of their networks."""

    values: dict[str, float]
    columns: Columns
    is_usual: bool = False

    @property
    def cutoff(self) -> float:
        """After how many epochs a try is best given up; ∞ where none was a success."""
        solved, _, diverged = fates(self.columns)
        return best_cutoff(self.columns["epochs"], solved, diverged)

    @property
    def standing(self) -> tuple[float, float]:
        """What a success costs in epochs then, and the median loss: the smaller the better."""
        loss = np.where(np.isfinite(self.columns["loss"]), self.columns["loss"], np.inf)
        solved = fates(self.columns)[0]
        return float(cost_at(self.columns["epochs"], solved, self.cutoff)), float(np.median(loss))


class Found(NamedTuple):
    """What a search came to."""

    cell: Cell
    """What was asked for, with the budget in epochs that its rule had."""
    values: dict[str, float]
    """The settings chosen, by dotted name; empty where no network was ever solved."""
    rounds: tuple[list[Tried], list[Tried], list[Tried]]
    """What was tried in each round, best first; the last one is of the finalists."""
    price: float
    """FLOPs of an epoch of one network."""
    space: Space
    """Where its settings were looked for."""

    @property
    def best(self) -> Tried:
        """The first of the finalists."""
        return self.rounds[-1][0]

    @property
    def usual(self) -> Tried:
        """The usual settings, in the last round that they were in."""
        return next(one for tried in reversed(self.rounds) for one in tried if one.is_usual)

    @property
    def settings(self) -> int:
        """How many were tried."""
        return len({tuple(one.values.items()) for tried in self.rounds for one in tried})

    @property
    def networks(self) -> int:
        """How many were trained."""
        return sum(len(one.columns["epochs"]) for tried in self.rounds for one in tried)

    @property
    def flops(self) -> float:
        """What they took."""
        return self.price * float(sum(one.columns["epochs"].sum() for tried in self.rounds for one in tried))


def search(cell: Cell, how: Tuning, fixed: Sequence[str] = ()) -> Generator[list[Cell], list[Columns], Found]:
    """The rounds of a search: it asks for cells, is sent the columns of their replicas, and returns `Found`.

    Args:
        cell: the algorithm and the task; its seed is that of the search.
        how: the budget.
        fixed: settings that somebody chose, which are left as they are.

    Raises:
        InputError: for a search space that cannot be (`space_of`), a seed that no report has, and a budget
            that ends before the first epoch.
    """
    cell, price = _with_budget(cell, how)
    space = space_of(cell.algorithm, fixed)
    now = {name: operator.attrgetter(name)(cell.algorithm) for name in space}
    usual = {name: value for name, value in now.items() if value is not None}

    def cells(trials: Sequence[Mapping[str, float]], seed: int, replicas: int, share: float) -> list[Cell]:
        epochs = max(1, int(share * (cell.settings.epochs or 1)))
        made = replace(cell.settings, seed=cell.settings.seed + seed, replicas=replicas, epochs=epochs)
        return [Cell.made(with_values(cell.algorithm, values), cell.task, made) for values in trials]

    count = max(2, round(SPREAD * how.trials)) if space else 1
    filling = spread_out(space, count - 1, cell.settings.seed) if space else []
    trials = [usual, *filling]
    rows = yield cells(trials, FIRST, how.replicas // 2, EARLY)
    first = _in_order([Tried(*pair, not i) for i, pair in enumerate(zip(trials, rows, strict=True))])
    known = [one.values for one in first if one.values.keys() == space.keys()]
    more = proposed(space, known, how.trials - count, cell.settings.seed) if space else []
    better = first[: (count + 1) // 2]
    again = [*better, *(Tried(values, {}) for values in more)]
    rows = yield cells([one.values for one in again], SECOND, how.replicas, LATER)
    second = _in_order([one._replace(columns=row) for one, row in zip(again, rows, strict=True)])
    best = second[: how.finalists]
    rows = yield cells([one.values for one in best], CHOOSING, how.choosing, 1)
    final = _in_order([one._replace(columns=row) for one, row in zip(best, rows, strict=True)])
    values = final[0].values if np.isfinite(final[0].standing[0]) else {}
    return Found(cell, values, (first, second, final), price, space)


def tune(
    searches: Sequence[Generator[list[Cell], list[Columns], Found]],
    run: Callable[[list[Cell]], list[Columns]],
) -> list[Found]:
    """All searches side by side, a round at a time: what their cells have in common can share a batch."""
    asked = {i: next(each) for i, each in enumerate(searches)}
    found: dict[int, Found] = {}
    while asked:
        rows = iter(run([cell for cells in asked.values() for cell in cells]))
        for i, cells in list(asked.items()):
            try:
                asked[i] = searches[i].send([next(rows) for _ in cells])
            except StopIteration as end:
                found[i] = end.value
                del asked[i]
    return [found[i] for i in range(len(searches))]


def _with_budget(cell: Cell, how: Tuning) -> tuple[Cell, float]:
    """The cell with as many epochs as the budget pays for, and the FLOPs of one."""
    cell.check()
    if cell.settings.seed >= REPORTED:
        raise InputError(f"run.seed must be below 2^40 to tune by, but {cell.settings.seed} was given")
    passes = how.passes or PASSES * float(cell.task.usual.epochs)
    cell, counted = within(cell, passes, "tuning.passes")
    updates = -(-cell.task.spec().patterns // counted.patterns)
    return cell, float(counted.update * updates)


def _in_order(tried: Sequence[Tried]) -> list[Tried]:
    return sorted(tried, key=lambda one: one.standing)

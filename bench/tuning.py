"""A search for settings, its cells in shared batches, beside the same cells one by one: processor time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import process_time

from harness.cells.cell import Cell
from harness.experiment.result import Result
from harness.experiment.run import run_cell
from harness.experiment.together import groups, run_together
from harness.tuning.budget import Tuning
from harness.tuning.tuner import Columns, search, tune

RULES = ("backprop", "feedback_alignment", "weight_perturbation", "spsa", "perceptron")
PASSES = 15_000  # forward passes a network: a tenth of what is usual, the trials and networks all of it
PROMISED = 6


def lines(rounds: int) -> Iterator[str]:
    """A table, a row a rule; the sum of all is what is promised of 25."""
    passes = PASSES if rounds > 1 else PASSES / 10
    yield (
        f"`harness.tune` on XOR, 40 settings, 1,000 networks, {passes:,.0f} forward passes each; CPU s, its "
        f"cells in shared batches and one by one, the same records (promised: {PROMISED} times less):"
    )
    yield ""
    yield "| rule | one by one | shared | ratio |"
    yield "|---|---|---|---|"
    totals = [0.0, 0.0]
    for rule in RULES:
        cell = Cell.of({"name": rule}, {"name": "xor"}, {})
        spent = []
        for run in (one_by_one, shared):
            before = process_time()
            tune([search(cell, Tuning(passes=passes))], columns(run))
            spent.append(process_time() - before)
        totals = [total + each for total, each in zip(totals, spent, strict=True)]
        yield row(rule, *spent)
    yield row("all of them", *totals)


def row(name: str, alone: float, together: float) -> str:
    """A row of the table: seconds in either way."""
    return f"| {name} | {alone:.2f} | {together:.2f} | **{alone / together:.1f}** |"


def columns(run: Callable[[list[Cell]], list[Result]]) -> Callable[[list[Cell]], list[Columns]]:
    """What a search is sent, from results."""
    return lambda cells: [result.columns() for result in run(cells)]


def one_by_one(cells: list[Cell]) -> list[Result]:
    """Each cell a run of its own."""
    return [run_cell(cell.algorithm, cell.task, cell.settings, progress=False) for cell in cells]


def shared(cells: list[Cell]) -> list[Result]:
    """As many cells in a batch as can be."""
    found: dict[int, Result] = {}
    for group in groups(cells):
        some = [cells[i] for i in group.places]
        found |= zip(group.places, run_together(some) if len(some) > 1 else one_by_one(some), strict=True)
    return [found[i] for i in range(len(cells))]


if __name__ == "__main__":
    for line in lines(2):
        print(line, flush=True)

"""Running a cell that may be there already, and keeping what becomes of it, whatever that is."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from harness.cells.cell import Cell
from harness.core.errors import ANYTHING, InputError
from harness.cost.settled import as_run
from harness.cost.sheet import cost_of
from harness.experiment.run import complete, run_cell
from harness.experiment.together import run_together
from harness.store import kin
from harness.store.record import Record
from harness.store.running import noted
from harness.store.store import Store


def attempt(cell: Cell, store: Store, *, progress: bool = False) -> Record | None:
    """The record of a cell, run if it is not there yet; None if its code raised, which is noted in the store.

    With `progress` whoever is watching sees a bar. Raises `InputError` if the store cannot take it.
    """
    if store.has(cell.id):
        return store.read(cell.id)
    if cell.not_applicable:
        return store.write(cell, None)
    if cell.broken:
        store.write_failure(cell, cell.broken, "")
        return None
    try:
        if isinstance(cell.data, BaseException):
            raise cell.data
        with noted(store, [cell.id]):
            done = kin.done(store.path, cell)
            if done:
                result = complete(cell, done, progress=progress)
            else:
                result = run_cell(cell.algorithm, cell.task, cell.settings, progress=progress)
    except InputError as error:  # no fault of the code: the sentence is the whole answer
        store.write_failure(cell, str(error), "")
        return None
    except ANYTHING as error:
        store.write_failure(cell, f"{type(error).__name__}: {error}", traceback.format_exc())
        return None
    return store.write(cell, result, as_run(cost_of(cell), result.columns()))


def attempt_together(cells: Sequence[Cell], store: Store) -> None:
    """`attempt` for cells of one job (`harness.experiment.together`): as one batch those that have nothing
    yet, and alone those that something is known of, or that could not be run with the others.
    """
    fresh = [cell for cell in cells if not store.has(cell.id) and kin.done(store.path, cell) is None]
    if len(fresh) > 1:
        try:
            with noted(store, [cell.id for cell in fresh]):
                results = run_together(fresh)
            cost = cost_of(fresh[0])  # the same lines are run for all of them
        except ANYTHING:  # run alone, each says itself what is wrong
            results, cost = [], {}
        for cell, result in zip(fresh, results, strict=False):
            store.write(cell, result, as_run(cost, result.columns()))
    for cell in cells:
        attempt(cell, store)


def attempt_text(store: str, text: str) -> None:
    """`attempt_together`, for another process: the store's path, and cells as `Cell.text` has them, a line
    each.
    """
    attempt_together([Cell.parse(line) for line in text.splitlines()], Store.at(store))


def expected_work(cell: Cell) -> float:
    """Roughly what a cell costs if every replica spends its budget: weights × patterns × forward passes."""
    if cell.broken:
        return 0.0
    size = cell.task.network().size
    passes = cell.algorithm.traits.phases or 2 * size
    return (
        float(cell.settings.replicas)
        * float(cell.settings.epochs or 0)
        * cell.task.spec().patterns
        * size
        * passes
    )

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
from harness.store.parts import Parts
from harness.store.record import Record
from harness.store.running import noted
from harness.store.store import Store
from harness.studies.shards import Shard, parse


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
            parts, done = Parts.of(store.path, cell.id), kin.done(store.path, cell)
            if done:
                result = complete(cell, done, progress=progress, keeper=parts)
            else:
                result = run_cell(cell.algorithm, cell.task, cell.settings, progress=progress, keeper=parts)
    except InputError as error:  # no fault of the code: the sentence is the whole answer
        store.write_failure(cell, str(error), "")
        return None
    except MemoryError as error:
        store.write_failure(
            cell, f"there was not enough memory ({error}): choose fewer replicas, patterns or units", ""
        )
        return None
    except ANYTHING as error:
        store.write_failure(cell, f"{type(error).__name__}: {error}", traceback.format_exc())
        return None
    record = store.write(cell, result, as_run(cost_of(cell), result.columns()))
    parts.forget()
    return record


def attempt_together(cells: Sequence[Cell], store: Store) -> None:
    """`attempt` for cells of one job (`harness.experiment.together`): as one batch those that have nothing
    yet, and alone those that something is known of, or that could not be run with the others.
    """
    fresh = [cell for cell in cells if not store.has(cell.id) and kin.done(store.path, cell) is None]
    if len(fresh) > 1:
        parts = Parts.of(store.path, *(cell.id for cell in fresh))
        try:
            with noted(store, [cell.id for cell in fresh]):
                results = run_together(fresh, parts)
            cost = cost_of(fresh[0])  # the same lines are run for all of them
        except ANYTHING:  # run alone, each says itself what is wrong
            results, cost = [], {}
        for cell, result in zip(fresh, results, strict=False):
            store.write(cell, result, as_run(cost, result.columns()))
        parts.forget()
    for cell in cells:
        attempt(cell, store)


def attempt_shard(shard: Shard, store: Store) -> None:
    """Some replicas of a cell, kept among its parts; the record, if that was all that was missing."""
    cell = shard.cell
    if store.has(cell.id):
        return
    parts = Parts.of(store.path, cell.id)
    try:
        cell.check()
        run_cell(cell.algorithm, cell.task, cell.settings, only=range(shard.first, shard.stop), keeper=parts)
    except ANYTHING:  # as a whole it says itself what is wrong
        attempt(cell, store)
        return
    parts.flush()
    joined(cell, store)


def joined(cell: Cell, store: Store) -> bool:
    """Whether all replicas of a cell are done, be it in shards: these are joined to its record then."""
    if store.has(cell.id):
        return True
    done = Parts.of(store.path, cell.id).before().done
    if done is None or len(done.replica) < cell.settings.replicas:
        return False
    return attempt(cell, store) is not None


def attempt_text(store: str, text: str) -> None:
    """A job, for another process: the store's path, and cells and shards, a line each.

    Raises `InputError` for a line that is neither.
    """
    at = Store.at(store)
    lines = [parse(line) for line in text.splitlines()]
    attempt_together([line.cell for line in lines if line.whole], at)
    for line in lines:
        if not line.whole:
            attempt_shard(line, at)


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

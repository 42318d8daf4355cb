"""Jobs in which many cells are run one after another, on whatever machine, and what becomes of one that dies.

A job that is killed (its memory ran out, its machine was taken away, its time was over) has kept what it had
finished. What it left is run again, as a job of its own. One that dies without having finished anything, or
made a checkpoint, has met a cell that kills it, or a machine that kills everything: the batch it began with
is taken apart, or its one cell is lost, and the rest is tried again, until three in a row have come to
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.core.errors import InputError
from harness.store.parts import stamps
from harness.store.store import Store
from harness.studies.attempt import joined
from harness.studies.packing import Pack, text_of
from harness.studies.shards import Shard

STRIKES = 3


class End(NamedTuple):
    """How a job ended."""

    why: str = ""
    """What ended it before it was done; '' where nothing did."""
    again: bool = True
    """Whether what it left is to be run again; not where a person wanted it gone."""


class _Job(NamedTuple):
    batches: Pack
    strikes: int = 0  # how many before it have died without finishing anything


def run_apart(
    packs: Sequence[Pack], store: Store, launch: Callable[[list[str]], Sequence[End]]
) -> dict[str, str]:
    """Run jobs of cells.

    Args:
        packs: the cells of each.
        store: where their records come to be.
        launch: runs jobs, given as text (`harness.studies.packing.run_text`), and says how each ended. Of
            what it refuses before anything was run, the `InputError` is raised.

    Returns:
        By id, why a cell has no record; those whose code failed are noted in the store.
    """
    lost: dict[str, str] = {}
    jobs = [_Job(batches) for batches in packs]
    first = True
    while jobs:
        ids = [cell.id for job in jobs for batch in job.batches for cell in batch]
        before, kept = store.failures(ids), stamps(store.path, ids)
        try:
            ends = launch([text_of(job.batches) for job in jobs])
        except InputError as error:
            if first:
                raise
            ends = [End(str(error), again=False)] * len(jobs)
        first = False
        waiting: list[_Job] = []
        for job, end in zip(jobs, ends, strict=True):
            if not end.why:
                continue
            left = _left(job.batches, store, before)
            went_on = any(kept.get(i) != at for i, at in stamps(store.path, _ids(left)).items())
            rest, gone = _sorted(job, left, went_on) if end.again else (None, left)
            lost |= {cell.id: end.why for batch in gone for cell in batch}
            waiting += [rest] if rest and rest.batches else []
        jobs = waiting
    shared = {s.id: s.cell for job in packs for each in job for s in each if isinstance(s, Shard)}
    for i, cell in shared.items():
        if joined(cell, store):  # two that were done at once may each have missed the other
            lost.pop(i, None)
    return lost


def _left(batches: Pack, store: Store, before: dict[str, dict[str, object]]) -> Pack:
    """What a job has left: cells without a record, that did not fail in it either."""
    ids = _ids(batches)
    now = store.failures(ids)
    done = {i for i in ids if store.has(i) or now.get(i) != before.get(i)}
    left = ([cell for cell in batch if cell.id not in done] for batch in batches)
    return [batch for batch in left if batch]


def _ids(batches: Pack) -> list[str]:
    return [cell.id for batch in batches for cell in batch]


def _sorted(job: _Job, left: Pack, went_on: bool) -> tuple[_Job, Pack]:
    """Of what a job has left, which made a checkpoint or not: what is run again, and what is lost."""
    if not left or went_on or sum(map(len, left)) < sum(map(len, job.batches)):
        return _Job(left), []
    if len(left[0]) > 1:  # it may have been any of them
        return _Job([*([cell] for cell in left[0]), *left[1:]], job.strikes), []
    if job.strikes + 1 >= STRIKES:
        return _Job([]), left
    return _Job(left[1:], job.strikes + 1), left[:1]

"""Cells packed into jobs of a stated length, for launchers that hand work to other processes or machines.

A scheduler takes seconds to start a job, and a cluster's users share a queue: a study of a thousand cells of
a second is no thousand jobs. So cells go into jobs in their order, each of about as many minutes as were
asked for (`jobs.minutes`) by what cells are expected to take (`harness.studies.rates`). Cells that share a
batch stay together, and one that takes longer than a job is shared out (`harness.studies.shards`). A job is
text, a line a cell or shard, with an empty line between batches: in a file of the store for launchers that
hand on Hydra's overrides (`cells=`), and as it is for those of our own.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.files import write_atomically
from harness.store.store import Store
from harness.studies.attempt import attempt_text
from harness.studies.jobs import in_jobs
from harness.studies.rates import expected_seconds, measured
from harness.studies.shards import Shard, shards
from harness.studies.signals import aside

Item = TypeVar("Item")
Pack = list[list[Cell | Shard]]
"""The cells of a job, and shards of cells, batch by batch."""
WORTH = 10.0  # seconds that a shard takes at least: it starts from the same data, and is joined with others
SHARES = 4  # jobs for each process of one machine, where there is work for them: they end together
HEAD = "cells of a job of harness, format 1"


def pack(items: Sequence[Item], seconds: Sequence[float], most: float) -> list[list[Item]]:
    """Items in runs, in their order, each as long as it can be.

    Args:
        items: what is packed.
        seconds: what each is expected to take.
        most: seconds of a run. An item that takes more is a run of its own.

    >>> pack("abcde", [20, 10, 90, 30, 30], 60)
    [['a', 'b'], ['c'], ['d', 'e']]
    """
    runs: list[list[Item]] = []
    room = -1.0
    for item, takes in zip(items, seconds, strict=True):
        if takes > room or not runs:
            runs.append([])
            room = most
        runs[-1].append(item)
        room -= takes
    return runs


def packs(cells: Sequence[Cell], store: Store, minutes: float, processes: int | None = None) -> list[Pack]:
    """Cells in jobs.

    Args:
        cells: what is to be run, in this order.
        store: whose records say how long cells take.
        minutes: of a job, at most, but for what takes longer and cannot be shared out.
        processes: that share the jobs, where it is known: there are a few jobs for each of them.
    """
    rates = measured(store, [cell.id for cell in cells])
    seconds = {cell.id: expected_seconds(cell, rates) for cell in cells}
    total, most = sum(seconds.values()), 60 * minutes
    if processes:
        most = min(most, total / (SHARES * processes))
    jobs = min(len(cells), math.ceil(total / most) if most else 1)
    batches: Pack = []
    takes: list[float] = []
    for batch in in_jobs(cells, store, max(1, jobs)):
        whole = sum(seconds[cell.id] for cell in batch)
        pieces: Pack = [list(batch)]
        if len(batch) == 1 and most and (count := int(min(math.ceil(whole / most), whole // WORTH))) > 1:
            pieces = [[shard] for shard in shards(batch[0], count)]
        batches += pieces
        takes += [whole / len(pieces)] * len(pieces)
    return pack(batches, takes, most)


def text_of(job: Pack) -> str:
    """The cells of a job as text, a line each, an empty line between batches."""
    return "\n\n".join("\n".join(cell.text() for cell in batch) for batch in job)


def run_text(store: str, text: str) -> None:
    """Run the cells of a job, batch by batch, in a process of whoever's.

    Args:
        store: its path; nothing is sent to MLflow.
        text: as `text_of` makes it.
    """
    at = Store.at(store).prepare()
    with aside():  # a scheduler's signal ends the job, and is no failure of the cell it was at
        for batch in text.split("\n\n"):
            attempt_text(str(at.path), batch)


@contextmanager
def job_files(store: Store, study: str, texts: Sequence[str]) -> Iterator[list[Path]]:
    """The texts of jobs as files of the store, which are there for as long as the block lasts.

    What a killed study leaves behind in `<store>/jobs` is of no use to anybody, and does no harm.
    """
    key = sha256("\n\n".join(texts).encode()).hexdigest()[:12]
    folder = store.path / "jobs" / f"{study}-{key}"
    paths = [folder / f"{n}.txt" for n in range(len(texts))]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, text in zip(paths, texts, strict=True):
                write_atomically(path, f"{HEAD} {_digest(text)}\n{text}\n")
        except OSError as error:
            raise InputError(f"the jobs could not be written to {folder} ({error.strerror})") from error
        yield paths
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_file(path: str | Path) -> str:
    """The text in a job's file. Raises `InputError` for what is none, or not as it was written."""
    try:
        head, _, text = Path(path).read_text(encoding="utf-8").partition("\n")
    except OSError as error:
        raise InputError(f"cells={path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"cells={path} is no file of cells that a sweep has written: it is no text"
        ) from error
    if not head.startswith(f"{HEAD} "):
        raise InputError(
            f"cells={path} is no file of cells that a sweep has written: it begins with {head[:40]!r}"
        )
    text = text.removesuffix("\n")
    if head != f"{HEAD} {_digest(text)}":
        raise InputError(f"cells={path} is no longer as it was written: run the sweep again")
    return text


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

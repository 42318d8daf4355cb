"""How far a study is, whoever runs its cells:
read from the store, so that any launcher that shares its disk will do.

Time left is that of the cells which are not over, each by what cells like it took (`harness.studies.rates`),
at the pace of this study so far: so many seconds' worth of cells a second. At the beginning the pace is taken
for that of all cores.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from harness.cells.cell import Cell
from harness.core.errors import InputError
from harness.core.files import ages
from harness.store.running import Note, running
from harness.store.store import Store
from harness.studies.attempt import expected_work
from harness.studies.pool import cores
from harness.studies.rates import Spent, measured, rate_of

EVERY = 0.5  # seconds between two looks for a bar
LOAD = 20  # a look is as long ago as so many take, at least
FRESH = 15.0  # seconds for which measured rates stand
PRIOR = 10.0  # seconds for which a study's own pace is not yet trusted
OVERDUE = 1.25  # what has run for longer than expected will have taken so many times as long


class Standing(NamedTuple):
    """How far a study is."""

    cells: int
    over: int
    replicas: int
    replicas_over: int
    running: tuple[str, ...]
    """What runs now, by name, each once; what was begun first comes first."""
    waiting: str
    """The first cell that is not over, by name; '' if all are."""
    share: float
    """Of the expected time, that is over."""
    left: float | None
    """Seconds that the rest is expected to take; None while nothing is known of any cell's time."""


class Progress:
    """How far some cells are, looked at again and again.

    Args:
        store: where they are kept.
        cells: those of the study that are run, in the order in which they are begun.
        known: what records say of their time, where some were asked already.
    """

    def __init__(
        self, store: Store, cells: Sequence[Cell], known: dict[str, Spent | None] | None = None
    ) -> None:
        self.store, self.cells = store, {cell.id: cell for cell in cells}
        self._known = {} if known is None else known
        self._failed = ages(store.path / "failed")  # of an earlier run: these cells are tried again
        self._began = time.monotonic()
        self._rated = -FRESH
        self._seconds = dict[str, float]()
        self._measured = False
        self._work = dict[str, float]()
        self._earlier: set[str] | None = None

    def over(self) -> set[str]:
        """Those of the cells that are finished, or have failed since this began."""
        found: set[str] = set()
        with suppress(FileNotFoundError):
            found = self.cells.keys() & os.listdir(self.store.path / "cells")
        for name, age in ages(self.store.path / "failed").items():
            if age != self._failed.get(name) and name.removesuffix(".json") in self.cells:
                found.add(name.removesuffix(".json"))
        return found

    def look(self) -> Standing:
        """How far they are now."""
        over = self.over()
        self._earlier = over if self._earlier is None else self._earlier
        self._measure()
        jobs = dict[Note, list[str]]()
        for i, note in running(self.store).items():
            if i in self.cells and i not in over:
                jobs.setdefault(note, []).append(i)
        begun = sorted(jobs, key=lambda note: note.began)
        names = dict.fromkeys(_name(self.cells[i]) for note in begun for i in jobs[note])
        share, left = self._time(over, jobs)
        return Standing(
            cells=len(self.cells),
            over=len(over),
            replicas=sum(cell.settings.replicas for cell in self.cells.values()),
            replicas_over=sum(self.cells[i].settings.replicas for i in over),
            running=tuple(names),
            waiting=next((_name(cell) for i, cell in self.cells.items() if i not in over), ""),
            share=share,
            left=left if self._measured else None,
        )

    def _measure(self) -> None:
        """Ask the store again how long cells take, if that was a while ago."""
        if time.monotonic() - self._rated < FRESH:
            return
        self._work = self._work or {i: expected_work(cell) for i, cell in self.cells.items()}
        rates = measured(self.store, self.cells, self._known)
        for i, cell in self.cells.items():
            self._seconds[i] = rate_of(cell.algorithm.name, cell.task.name, rates).of(self._work[i])
        self._measured, self._rated = bool(rates), time.monotonic()

    def _time(self, over: set[str], jobs: dict[Note, list[str]]) -> tuple[float, float]:
        """Which share of the time is over, and how many seconds are left."""
        open_cells = self.cells.keys() - over
        waiting = open_cells - {i for ids in jobs.values() for i in ids}
        spent = [note.seconds for note in jobs]
        expected = [sum(self._seconds[i] for i in ids) for ids in jobs.values()]
        rest = [
            max(whole - so_far, (OVERDUE - 1) * so_far) for whole, so_far in zip(expected, spent, strict=True)
        ]
        left = sum(rest) + sum(self._seconds[i] for i in waiting)
        done = sum(spent) + sum(self._seconds[i] for i in over - (self._earlier or set()))
        pace = (done + PRIOR * min(cores(), len(open_cells))) / (time.monotonic() - self._began + PRIOR)
        longest = max([*rest, *(self._seconds[i] for i in waiting)], default=0.0)
        whole = done + left
        return (done / whole if whole else 1.0), max(left / pace if left else 0.0, longest)


def _name(cell: Cell) -> str:
    return f"{cell.task.name} by {cell.algorithm.name}"


@contextmanager
def watching(progress: Progress, tell: Callable[[Standing], None], every: float = EVERY) -> Iterator[None]:
    """Inside the block, `tell` hears every so many seconds, from another thread, how far the cells are."""
    done = threading.Event()

    def watch() -> None:
        took = 0.0
        while not done.wait(max(every, LOAD * took)):
            began = time.monotonic()
            with suppress(OSError, InputError):  # nothing depends on it
                tell(progress.look())
            took = time.monotonic() - began

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()

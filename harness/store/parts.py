"""What is done of a cell that has no record yet: finished replicas, and checkpoints of those in training.

    <store>/parts/<cell id>/done-<token>.npz        replicas that are finished
    <store>/parts/<cell id>/at-<first>-<count>.npz  a batch in training, as it stood when it was last kept

A cell that is killed goes on from there, and so does one that is shared out: each process trains some
replicas and leaves them here, and whoever finds all of them done joins them. Replica i has the same bits
either way. At most a minute of work is lost: half of it in training, half of it finished and not yet written;
nothing is written of a cell that takes less (`HARNESS_CHECKPOINT`: seconds in the place of thirty).

A part says whose it is and what it was made with. One that cannot be read, or was made by another kernel or
with other vector instructions, is not used: its replicas are trained again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from harness.cells.environment import environment, made_elsewhere
from harness.core.errors import InputError
from harness.core.files import ages, whole
from harness.experiment.chunks import join
from harness.experiment.kept import Kept
from harness.store.files import read_arrays
from harness.training.snapshot import Arrays, flat, said, unflat
from harness.training.trained import Trained

EVERY, SETTING = 30.0, "HARNESS_CHECKPOINT"  # seconds of work between two checkpoints
TOGETHER = "together-"
UNREADABLE = (Exception,)  # cut, mangled, gone: nobody vouches for the bytes, and their work is done again
ABOUT = "about"
"""The entry that says whose a part is, as JSON."""
RESULT = "result/"


def every() -> float:
    """Seconds between checkpoints, as the environment says; raises `InputError` for what are none."""
    given = os.environ.get(SETTING, str(EVERY))
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < np.inf:
        raise InputError(f"{SETTING} must be seconds, 0 or more, but {given!r} was given")
    return seconds


@dataclass
class Parts:
    """The parts of one cell, or of cells that are trained as one batch."""

    folder: Path
    every: float = field(default_factory=every)
    kept_at: float = field(default_factory=time.monotonic)
    """When something was last written, or the work begun."""
    waiting: list[Trained] = field(default_factory=list)
    """Finished, and not written yet."""
    cells: tuple[str, ...] = ()
    """Those that are trained as one batch, by id."""

    @classmethod
    def of(cls, store: Path, *cells: str) -> Parts:
        """Those of a cell in a store, by its id; of several, what is kept of the batch that they share."""
        name = cells[0] if len(cells) == 1 else TOGETHER + sha256(" ".join(cells).encode()).hexdigest()[:12]
        return cls(store / "parts" / name, cells=cells)

    def before(self) -> Kept:
        """What earlier processes, and others, have left: read once."""
        done, begun, backends = [], [], []
        for name, arrays in self._read():
            trained = unflat({k.removeprefix(RESULT): a for k, a in arrays.items() if k.startswith(RESULT)})
            if name.startswith("done-"):
                done.append(trained)
                backends.append(str(trained.ran["backend"]))
            else:
                begun.append(trained.replica.tolist())
                backends.append(str(said(arrays).get("backend", "numpy")))
        return Kept(_once(done), begun, backends[0] if backends else "")

    def _read(self) -> Iterator[tuple[str, Arrays]]:
        for name in sorted(ages(self.folder)):
            if name.endswith(".npz") and not name.startswith("."):
                arrays = _read(self.folder / name)
                if arrays is not None:
                    yield name, arrays

    def batch(self, replicas: Sequence[int]) -> Batch:
        """Where a batch of these replicas is kept while it is trained."""
        return Batch(self.folder, self.cells, replicas[0], len(replicas), self.every, self.kept_at)

    def finish(self, trained: Trained) -> None:
        """Keep what became of a batch, now or with those that follow."""
        self.waiting.append(trained)
        if time.monotonic() - self.kept_at >= self.every:
            self.flush()

    def flush(self) -> None:
        """Write what waits. A disk that does not take it is no loss yet: the record is what counts."""
        if not self.waiting:
            return
        arrays = {RESULT + name: a for name, a in flat(join(self.waiting)).items()}
        with suppress(OSError):
            _write(self.folder / f"done-{uuid.uuid4().hex}.npz", arrays, self.cells)
            for part in self.waiting:
                self.batch(part.replica.tolist()).path.unlink(missing_ok=True)
        self.waiting, self.kept_at = [], time.monotonic()

    def forget(self) -> None:
        """Remove the parts: there is a record."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Batch:
    """A `harness.training.snapshot.Checkpoint` in a file; it can be handed to another process."""

    folder: Path
    cells: tuple[str, ...]
    first: int
    count: int
    every: float
    kept_at: float

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"at-{self.first}-{self.count}.npz"

    def last(self) -> Arrays | None:
        """The last snapshot."""
        return _read(self.path)

    def due(self) -> bool:
        """Whether `every` seconds have passed."""
        return time.monotonic() - self.kept_at >= self.every

    def make(self, arrays: Arrays) -> None:
        """Write a snapshot; as with what is finished, a disk that does not take it is no loss yet."""
        with suppress(OSError):
            _write(self.path, arrays, self.cells)
        self.kept_at = time.monotonic()


def _once(done: list[Trained]) -> Trained | None:
    """All that is finished, in the order of replicas; of those that two have done, which have the same bits,
    one.
    """
    if not done:
        return None
    joined = join(done)
    return joined.rows(np.unique(joined.replica, return_index=True)[1])


def together(store: Path) -> list[list[str]]:
    """The cells of each shared batch of which there is a checkpoint: they are to be one job again."""
    found = []
    for name in sorted(ages(store / "parts")):
        for path in sorted((store / "parts" / name).glob("at-*.npz")) if name.startswith(TOGETHER) else ():
            with suppress(*UNREADABLE), np.load(path, allow_pickle=False) as arrays:
                found.append([str(i) for i in json.loads(str(arrays[ABOUT]))["cells"]])
    return found


def stamps(store: Path, cells: Iterable[str]) -> dict[str, dict[str, int]]:
    """What is kept of each of some cells, and since when, in ns; of those that have parts."""
    return {i: found for i in cells if (found := ages(store / "parts" / i))}


def _write(path: Path, arrays: Arrays, cells: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"of": path.parent.name, "cells": cells, "versions": environment()})
    with whole(path) as new:
        np.savez(new, allow_pickle=False, **arrays, **{ABOUT: np.array(about)})


def _read(path: Path) -> Arrays | None:
    """What a part holds; None if it cannot be used. Raises `InputError` if it is of another cell."""
    try:
        arrays = read_arrays(path)
        about = json.loads(str(arrays.pop(ABOUT)))
        of, versions = str(about["of"]), dict(about["versions"])
    except UNREADABLE:
        return None
    if of != path.parent.name:
        raise InputError(
            f"{path} is a part of {of}, and cannot be joined with those of {path.parent.name}: move it away"
        )
    return None if made_elsewhere(versions) else arrays

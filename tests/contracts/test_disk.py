"""What a store promises on a disk that fails: one sentence, nothing lost, and the same command does the rest.

Faults are real where Python asks the system: an audit hook refuses the k-th writing call below the store, as
a full or a read-only disk does. Arrow's own calls are refused where the harness makes them.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.store import files
from harness.store.store import Store
from helpers.same_records import same_records

Harness = Callable[..., tuple[int, str, str]]
SWEEP = ("-m", "hydra/launcher=basic", "run.seed=1,2,3", "run.replicas=3", "run.epochs=20", "figures=false")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CALLS = 80  # that write, of the sweep
CHANGING = {"os.rename", "os.mkdir"}
REMOVING = {"os.remove", "os.rmdir", "shutil.rmtree"}


@dataclass
class Disk:
    """What the disk below a folder does with calls that write."""

    below: str = ""
    refuses: int = 0
    """The error's number; 0 for none."""
    first: int = 0
    """From which call on, counted from 0."""
    calls: int = 10**9
    """How many it refuses then: a disk that is full for a moment, or for good."""
    seconds: float = 0.0
    """That each call takes."""
    seen: int = 0

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.below or not self._writes(event, arguments):
            return
        time.sleep(self.seconds)
        self.seen += 1
        if self.refuses and self.first < self.seen <= self.first + self.calls:
            raise OSError(self.refuses, os.strerror(self.refuses), str(arguments[0]))

    def _writes(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & WRITING) if isinstance(flags, int) else "r" not in str(mode)
            return writes and isinstance(path, str | os.PathLike) and str(path).startswith(self.below)
        wanted = CHANGING | (REMOVING if self.refuses == errno.EROFS else set())
        return event in wanted and str(arguments[0]).startswith(self.below)


DISK = Disk()
sys.addaudithook(DISK.hear)  # for good, as such hooks are: it asks `DISK` what to do


@contextmanager
def disk(store: Store, **how: Any) -> Iterator[Disk]:
    """A disk that fails inside the block."""
    DISK.__init__(below=str(store.path), **how)  # type: ignore[misc]
    try:
        yield DISK
    finally:
        DISK.below = ""


@pytest.fixture(autouse=True)
def arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow opens its files without asking Python: its calls are counted, too."""
    original = files.write_columns

    def counted(path: Path, columns: Any) -> None:
        DISK.hear("open", (str(path), "w", os.O_WRONLY))
        original(path, columns)

    monkeypatch.setattr(files, "write_columns", counted)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that nothing happened to."""
    from harness.cells.cell import Cell
    from harness.studies.attempt import attempt

    store = Store.at(tmp_path_factory.mktemp("calm")).prepare()
    for seed in (1, 2, 3):
        run = {"seed": seed, "replicas": 3, "epochs": 20}
        attempt(Cell.of({"name": "backprop"}, {"name": "xor"}, run), store)
    return store


def one_sentence(err: str) -> None:
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line]
    assert lines
    assert all(line.startswith("harness: ") for line in lines), err


def faults(count: int) -> list[Any]:
    """Drawn from seed 0: what the disk says, at which share of the calls, and for how many."""
    rng = np.random.default_rng(0)
    kinds = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT)
    drawn = [(kinds[i % 4], float(rng.uniform()), (10**9, 1)[i // 4 % 2]) for i in range(count)]
    names = [f"{errno.errorcode[e]}-{share:.2f}-{'once' if n == 1 else 'on'}" for e, share, n in drawn]
    few = 6
    return [
        pytest.param(*one, id=name, marks=() if i < few else pytest.mark.slow)
        for i, (one, name) in enumerate(zip(drawn, names, strict=True))
    ]


@pytest.mark.parametrize(("error", "share", "calls"), faults(44))
def test_whatever_write_fails_it_is_said_and_the_same_command_does_the_rest(
    harness: Harness, store: Store, calm: Store, error: int, share: float, calls: int
) -> None:
    with disk(store, refuses=error, first=int(share * CALLS), calls=calls) as failing:
        code, _, err = harness(*SWEEP)
        failed = failing.seen > failing.first
    if code:
        assert failed
        assert code in (1, 2)
        one_sentence(err)
        assert os.strerror(error) in err, "why, in the disk's own words"
    assert all(not store.read(i).damage() for i in store.cells())
    code, _, err = harness(*SWEEP)
    assert (code, err) == (0, "")
    same_records(store, calm, 3)


def test_a_disk_that_is_slow_loses_nothing(harness: Harness, store: Store, calm: Store) -> None:
    with disk(store, seconds=0.005):
        assert harness(*SWEEP)[0] == 0
    same_records(store, calm, 3)


def test_a_clock_that_is_set_back_loses_nothing(
    harness: Harness, store: Store, calm: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By two hours, between two cells: what is unfinished is not taken for old, nor what is old for new."""
    assert harness(*SWEEP[:2], "run.seed=1", *SWEEP[3:])[0] == 0
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 7200)
    for _ in range(2):
        assert harness(*SWEEP)[0] == 0
    monkeypatch.undo()
    same_records(store, calm, 3)


def test_a_store_that_was_moved_while_closed_is_the_same_store(
    harness: Harness, store: Store, tmp_path: Path
) -> None:
    assert harness(*SWEEP)[0] == 0
    before = {i: (store.cell_folder(i) / "cell.json").stat().st_mtime_ns for i in store.cells()}
    moved = store.path.rename(tmp_path / "elsewhere")
    code, out, err = harness(*SWEEP, f"store={moved}")
    assert (code, err) == (0, "")
    after = {i: (Store.at(moved).cell_folder(i) / "cell.json").stat().st_mtime_ns for i in before}
    assert after == before, "nothing is run again"
    assert str(store.path) not in out

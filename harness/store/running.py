"""What runs now, in whatever process, on whatever machine that shares the store's disk.

    <store>/running/<host>-<pid>-<token>.json      the cells of one job, where it runs, since when

Whoever begins a job wraps it in `noted`. A thread writes the note once the job has lasted half a second, so
that ten thousand tiny cells leave none and wait for none, and writes it anew every ten seconds for as long as
the process lives. A note that nobody has renewed for a minute is that of a process that was killed, and says
nothing any more; of this machine's processes we ask whether they live. Notes are no more than a help: a disk
that does not take one is no loss, and nothing is decided by them.
"""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from calendar import timegm
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from harness.core.files import HOUR, UNFINISHED, ages, remove_leftovers, write_atomically
from harness.store.files import TIME_FORMAT, json_text, read_json
from harness.store.names import cell_id
from harness.store.store import Store

PATIENCE = 0.5  # seconds that a job lasts before it is noted
EVERY = 10.0  # seconds between two renewals
LIVE = 60.0  # seconds without a renewal after which nobody is at work any more
NAME = re.compile(r"[\w.-]{1,100}-\d{1,10}-[0-9a-f]{32}\.json", re.ASCII)
LARGEST = 2**22  # bytes of a note: ten thousand cells in one job need a quarter of it


class Note(NamedTuple):
    """Where a cell runs, and since when."""

    host: str
    pid: int
    began: str
    """In UTC, as in records: 2026-01-31T12:00:00Z."""

    @property
    def seconds(self) -> float:
        """How long ago that is, by this machine's clock."""
        return max(0.0, time.time() - timegm(time.strptime(self.began, TIME_FORMAT)))


@contextmanager
def noted(store: Store, cell_ids: Sequence[str]) -> Iterator[None]:
    """Note that these cells run, for as long as the block does.

    Args:
        store: where they will be kept.
        cell_ids: the cells of one job; none is no job.
    """
    if not cell_ids:
        yield
        return
    note = Note(_host(), os.getpid(), time.strftime(TIME_FORMAT, time.gmtime()))
    path = store.path / "running" / f"{note.host}-{note.pid}-{uuid.uuid4().hex}.json"
    text = json_text({"cells": list(cell_ids), **note._asdict()})
    over = Event()
    keeper = Thread(target=_keep, args=(path, text, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def running(store: Store) -> dict[str, Note]:
    """The cells that run now, by id, with where; of one that runs twice, where it was begun first.

    A cell that is finished a moment ago may still be among them: ask `Store.has`, too.
    """
    return seen(store)[0]


class Seen(NamedTuple):
    """What the notes say, by cell id."""

    running: dict[str, Note]
    lost: dict[str, Note]
    """Of processes that were killed at it within the last hour or so."""


def seen(store: Store) -> Seen:
    """The cells that run now, and those whose process died at them; some may have a record all the same."""
    folder = store.path / "running"
    touched = {name: age for name, age in ages(folder).items() if NAME.fullmatch(name)}
    now = _clock(folder) if touched else 0
    found, dead = dict[str, Note](), dict[str, Note]()
    for name, age in touched.items():
        # gone meanwhile, or not what we wrote: it says no more than none
        with suppress(OSError, ValueError, KeyError, TypeError):
            cells, note = _read(folder / name)
            into = found if now - age <= LIVE * 1e9 and _lives(note) else dead
            for i in cells:
                into[i] = min(into.get(i, note), note, key=lambda one: one.began)
    return Seen(found, {i: note for i, note in dead.items() if i not in found})


def _keep(path: Path, text: str, over: Event) -> None:
    """Write the note and renew it until the job is over, if that is not soon."""
    wait = PATIENCE
    while not over.wait(wait):
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)  # not its parents: a store that was moved is not begun anew
            _remove_dead(path.parent)
            write_atomically(path, text)
        wait = EVERY
    if wait != PATIENCE:
        with suppress(OSError):
            path.unlink()


def _read(path: Path) -> tuple[list[str], Note]:
    """A note, and the cells that it is of. Raises `ValueError` or another if it is none."""
    if path.stat().st_size > LARGEST:
        raise ValueError("it is longer than any note")
    held: dict[str, Any] = read_json(path)
    note = Note(str(held["host"]), int(held["pid"]), str(held["began"]))
    time.strptime(note.began, TIME_FORMAT)
    if not path.name.startswith(f"{note.host}-{note.pid}-"):
        raise ValueError("it is called by another process")
    return [cell_id(i) for i in held["cells"]], note


def _lives(note: Note) -> bool:
    """Whether its process may live; of another machine's nothing is known but that it renews its note."""
    if note.host != _host() or os.name != "posix":  # there, 0 would be a signal like others
        return True
    try:
        os.kill(note.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _clock(folder: Path) -> int:
    """What the disk takes for now, in ns since 1970: machines that share one may differ in their own clocks.

    Where nothing can be written, this machine's.
    """
    probe = folder / f"{UNFINISHED}{uuid.uuid4().hex}"
    try:
        probe.touch()
        try:
            return probe.stat().st_mtime_ns
        finally:
            probe.unlink(missing_ok=True)
    except OSError:
        return time.time_ns()


def _remove_dead(folder: Path) -> None:
    """Remove the notes of processes that were killed an hour ago or earlier."""
    remove_leftovers(folder)
    for name, age in ages(folder).items():
        if NAME.fullmatch(name) and time.time_ns() - age > HOUR * 1e9:
            with suppress(OSError):
                (folder / name).unlink()


def _host() -> str:
    """What this machine is called, in letters that a file's name may have."""
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())[:100] or "_"

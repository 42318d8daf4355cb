"""How a study stands: what became of each of its cells, what runs now, and how long the rest may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from harness.cells.labels import titles
from harness.core.files import ages
from harness.core.outcomes import FAILED, FINISHED, MISSING, NOT_APPLICABLE
from harness.store.definitions import FILE
from harness.store.files import Damaged
from harness.store.record import Record
from harness.store.running import Note, Seen
from harness.store.store import Store
from harness.studies.rates import measured, usual_seconds

RUNNING, LOST, DAMAGED = "running", "lost", "damaged"
"""Of a cell without a record that can be read: a process is at it; its process died; its record is no longer
what was written."""
DONE = (FINISHED, NOT_APPLICABLE)
OPEN = (RUNNING, LOST, MISSING, DAMAGED)
"""What is run when the study is run again, or runs now; what failed is, too, if it is asked for."""


class CellState(NamedTuple):
    """How a cell stands."""

    id: str
    state: str
    title: str
    """What tells it apart in its study: `xor · backprop · lr=0.3`."""
    replicas: int = 0
    """With a record, those in it."""
    reason: str = ""
    """Why there are no numbers; of one that runs, where."""


class State(NamedTuple):
    """How a study stands."""

    name: str
    question: str
    small: bool
    cells: tuple[CellState, ...]
    worked_on: float
    """When something of it was last written, in seconds since 1970."""

    @property
    def counts(self) -> Counter[str]:
        """How many cells stand how."""
        return Counter(cell.state for cell in self.cells)

    @property
    def replicas(self) -> int:
        """Those of all records."""
        return sum(cell.replicas for cell in self.cells)


def state_of(store: Store, name: str, seen: Seen) -> State:
    """How a study stands.

    Args:
        store: where it is kept.
        name: of the study.
        seen: what `harness.store.running.seen` says of the store.

    Raises:
        InputError: if there is none, or its definition cannot be read.
    """
    study = store.study(name)
    ids: list[str] = study["cells"]
    failures = store.failures(ids)
    states, metas = {}, {}
    for i in ids:
        states[i], metas[i] = _of_cell(store, i, failures.get(i), seen)
    named = dict(zip(ids, titles([metas[i] for i in ids]), strict=True))
    written = ages(store.study_folder(name)).get(FILE, 0), *(ages_of(store, i) for i in ids)
    cells = tuple(states[i]._replace(title=named[i]) for i in ids)
    return State(name, study["question"], bool(study.get("small")), cells, max(written) / 1e9)


def ages_of(store: Store, i: str) -> int:
    """When the record of a cell was written, in ns since 1970; 0 without one."""
    try:
        return store.cell_folder(i).stat().st_mtime_ns
    except OSError:
        return 0


def _of_cell(
    store: Store, i: str, failure: Mapping[str, object] | None, seen: Seen
) -> tuple[CellState, Mapping[str, object]]:
    """How a cell stands, and what its name is made of."""
    task, algorithm, _ = i.split("-")
    named: dict[str, object] = {"id": i, "task": {"name": task}, "algorithm": {"name": algorithm}, "run": {}}
    if store.has(i):
        try:
            meta = Record(store.cell_folder(i)).meta
        except Damaged as error:
            return CellState(i, DAMAGED, "", 0, f"{error.what}: its cell is run again"), named
        ran = meta["status"] == FINISHED
        return CellState(i, meta["status"], "", meta["run"]["replicas"] if ran else 0, meta["reason"]), meta
    if i in seen.running:
        return CellState(i, RUNNING, "", 0, _where(seen.running[i])), failure or named
    if failure:
        return CellState(i, FAILED, "", 0, str(failure["reason"])), failure
    if i in seen.lost:
        return CellState(i, LOST, "", 0, f"its process is gone: {_where(seen.lost[i])}"), named
    return CellState(i, MISSING, ""), named


def _where(note: Note) -> str:
    return f"process {note.pid} on {note.host}, since {note.began}"


def seconds_left(store: Store, state: State, seen: Seen, workers: int) -> float:
    """Seconds that the cells which are open are expected to take, by what cells like them took.

    Args:
        store: whose records are asked.
        state: of the study.
        seen: what runs now, and since when: that much is over.
        workers: cells at a time.
    """
    ids = [cell.id for cell in state.cells if cell.state in OPEN]
    rates = measured(store, ids)
    left = [usual_seconds(i, rates) - (seen.running[i].seconds if i in seen.running else 0.0) for i in ids]
    left = [max(seconds, 0.0) for seconds in left]
    return max(sum(left) / workers, max(left, default=0.0))

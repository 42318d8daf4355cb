"""Cells that differ in their number of replicas alone: what one of them has done, another need not do again.

    <store>/kin/<the id with one replica>/<cell id>     an empty file for each record

Replica i has the same bits however many are run with it. So a cell of 2,000 replicas goes on from a record of
1,000, and one of 500 is a part of it; either is a record of its own, the same as if it had been run at once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.cells.cell import Cell
from harness.cells.environment import made_elsewhere
from harness.core.files import ages
from harness.store.names import is_cell_id
from harness.store.record import Record
from harness.training.trained import Trained


def folder(store: Path, cell: Cell) -> Path:
    """Where the records are noted whose first replicas are this cell's."""
    return store / "kin" / cell.kin


def note(store: Path, cell: Cell) -> None:
    """Note that a cell has a record; no more than a help, so that a disk that does not take it is no loss."""
    with suppress(OSError):
        (where := folder(store, cell)).mkdir(parents=True, exist_ok=True)
        (where / cell.id).touch()


def done(store: Path, cell: Cell) -> Trained | None:
    """What the first replicas of a cell did, as far as a record of its kin has it; None if none does.

    What is compiled has other bits in other batches, a budget of seconds ends elsewhere each time, another
    BLAS kernel sums in another order, and an unchecked rule promises nothing: nothing is taken from there.
    """
    how = cell.settings
    if how.seconds is not None or how.backend not in ("numpy", "auto") or how.unchecked:
        return None
    records = [Record(store / "cells" / i) for i in ages(folder(store, cell)) if is_cell_id(i)]
    usable = [(r.meta["run"]["replicas"], r.id, r) for r in records if not r.damage() and _same_bits(r)]
    if not usable:
        return None
    count, _, record = max(usable)
    return _first(record, min(count, cell.settings.replicas))


def _same_bits(record: Record) -> bool:
    ran, versions = record.meta["ran"], record.meta["versions"]
    return ran.get("backend") == "numpy" and not made_elsewhere(versions)


def _first(record: Record, count: int) -> Trained:
    """The first so many replicas of a record, as they left training."""
    columns: dict[str, Any] = {name: values[:count] for name, values in record.replicas.items()}
    kept = {f.name for f in fields(Trained)}
    ran = dict(record.meta["ran"]) | {"earlier": {"cell": record.id, "replicas": count}}
    if "probe_seconds" in ran:
        ran["probe_seconds"] *= count / len(record.replicas["replica"])
    return Trained(
        **{name: columns[name] for name in columns if name in kept},
        loss_curve=record.histories["loss"][:count],
        right_curve=record.histories["right"][:count],
        credit={name: values[:count] for name, values in record.probes.items()},
        weights={name: values[:count] for name, values in record.weights.items()},
        told={name: values for name, values in columns.items() if name not in kept},
        ran=ran,
    )

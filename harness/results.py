"""What is in a store as tidy pandas frames: one of cells, one of replicas, one of curves.

    frame = results.replicas(Store.at("results"), "first_light")
    frame.groupby(["task", "algorithm"]).outcome.value_counts()

Every frame has the columns id, task and algorithm to join by; the latter two are labels that tell the cells of
the frame apart, so `task` may read *xor (hidden=1)*. Numbers are raw; a time that was never reached is inf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.record import FINISHED, Columns, Record, Store
from harness.summary import flat
from harness.table import Row, build, rows_of

if TYPE_CHECKING:
    import pandas as pd


def cells(store: Store, study: str | None = None) -> pd.DataFrame:
    """One row per cell of a study (or of the store): status, reason, the numbers of `Summary`, and all settings.

    Settings have dotted names as in commands (algorithm.optimiser.lr, run.seed). Cells that are not applicable,
    failed or have not been run are rows without numbers. Raises `InputError` if there is no such study.
    """
    import pandas as pd

    return pd.DataFrame([_cell(store, row) for row in _rows(store, study)])


def replicas(store: Store, study: str | None = None) -> pd.DataFrame:
    """One row per replica of every finished cell: outcome, epochs and updates spent, seconds, reason, loss, shares right."""
    return _stacked(store, study, lambda record: record.replicas)


def curves(store: Store, study: str | None = None) -> pd.DataFrame:
    """One row per curve epoch of every finished cell: quantiles over its replicas, loss_q50 and the like."""
    return _stacked(store, study, lambda record: record.curves)


def _rows(store: Store, study: str | None) -> list[Row]:
    if study is not None:
        return build(store, study)
    return rows_of(store, sorted(path.name for path in (store.path / "cells").glob("[!.]*")))  # not those being written


def _cell(store: Store, row: Row) -> dict[str, Any]:
    values = {"id": row.id, "task": row.task, "algorithm": row.algorithm, "status": row.status, "reason": row.reason}
    values |= asdict(row.summary) if row.summary else {}
    meta = store.read(row.id).meta if store.has(row.id) else {}
    for part in ("task", "algorithm", "run"):
        if part in meta:
            values |= {f"{part}.{name}": value for name, value in flat(meta[part]).items()}
    return values


def _stacked(store: Store, study: str | None, read: Callable[[Record], Columns]) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for row in _rows(store, study):
        if row.status == FINISHED:
            columns = read(store.read(row.id))
            count = len(next(iter(columns.values())))
            parts.append({name: np.full(count, getattr(row, name), object) for name in ("id", "task", "algorithm")} | columns)
    if not parts:
        return pd.DataFrame(columns=["id", "task", "algorithm"])
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})

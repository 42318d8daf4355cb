"""What came of a study as tidy pandas frames: of cells, replicas, curves, credit and cost.

    from harness import results
    results.cells("first_light")

Every function takes a study (None: everything) and a source: the folder of a store (None: HARNESS_STORE, or
else ./results), a `Store`, or an MLflow tracking URI such as http://127.0.0.1:5000. Stores and trackers give
the same frames, but a tracker knows no cells that failed or were not run. All other arguments keep the rows
in which a column has a value, or one of several:

    results.replicas("first_light", algorithm=["backprop", "shallow"], task="xor", outcome="solved")
    results.cells("tuning", where={"algorithm.optimiser.lr": 0.5})

Every frame has the columns `KEYS`: task and algorithm are labels that tell the cells of the study apart, so
`task` may read *xor (hidden=1)*; task_name and algorithm_name are plain. A filter by task or algorithm takes
either. Numbers are raw, and units are in the columns' names; a time that was never reached is inf.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.cells.words import flat
from harness.core.errors import InputError, one_of, unknown
from harness.core.outcomes import FINISHED
from harness.experiment.summary import Summary
from harness.results.table import Row, rows_from
from harness.store.record import TIME_FORMAT, Record, Store

if TYPE_CHECKING:
    import pandas as pd

Array = Any
Source = Store | str | Path | None
Where = Mapping[str, Any] | None
KEYS = ("id", "task", "algorithm", "task_name", "algorithm_name")
NUMBERS = (*Summary.__dataclass_fields__, "work_over_backprop")
COUNTS = {  # of cost.json, and their names with units
    "work": "flops",
    "contraction": "contraction_flops",
    "element-wise": "elementwise_flops",
    "transcendental": "transcendental_flops",
    "comparison": "comparison_flops",
    "reduction": "reduction_flops",
    "multiply_adds": "multiply_adds",
    "span": "span_operations",
    "log_span": "log_span_operations",
    "random": "random_numbers",
    "uniform": "uniform_numbers",
    "normal": "normal_numbers",
    "bytes_read": "read_bytes",
    "bytes_written": "written_bytes",
}


class Found(NamedTuple):
    """A cell of the source."""

    row: Row
    record: Record | None
    settings: dict[str, Any]
    """By dotted name, with when it was made and the versions it was made with."""

    @property
    def keys(self) -> dict[str, Any]:
        """The columns `KEYS`."""
        row = self.row
        return dict(zip(KEYS, (row.id, row.task, row.algorithm, *row.id.split("-")[:2]), strict=True))


def cells(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per cell: status, reason, the numbers of `Summary`,
    all settings, when it was made and by which versions.

    Settings have dotted names as in commands (algorithm.optimiser.lr, run.seed). Cells that are not
    applicable, failed or have not been run are rows without numbers. Raises `InputError` for what is not
    there, by its name.
    """
    import pandas as pd

    rows = []
    for found in _found(study, source):
        status = {"status": found.row.status, "reason": found.row.reason}
        numbers = vars(found.row.summary) if found.row.summary else dict.fromkeys(NUMBERS, np.nan)
        rows.append(
            found.keys
            | status
            | numbers
            | {"work_over_backprop": found.row.work_over_backprop}
            | found.settings
        )
    frame = pd.DataFrame(rows, columns=None if rows else [*KEYS, "status", "reason", *NUMBERS, "made"])
    frame["made"] = pd.to_datetime(frame["made"], format=TIME_FORMAT, utc=True)
    return _kept(frame, {**(where or {}), **equal}, frame.columns).reset_index(drop=True)


def replicas(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per replica of every finished cell:
    outcome, epochs and updates spent, seconds, reason, loss, shares right.

    `budget_epochs` is how many epochs it had. Filters name these columns, or settings.
    """
    return _stacked(
        study, source, {**(where or {}), **equal}, lambda record: _budget(record, record.replicas)
    )


def curves(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per curve epoch of every finished cell: quantiles over its replicas, loss_q50 and the like."""
    return _stacked(study, source, {**(where or {}), **equal}, lambda record: _budget(record, record.curves))


def credit(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per quantity, edge and epoch of every probed cell: quantiles over the `defined` replicas that
    had something to compare, in degrees for angles (`unit`; 1 for ratios and shares). docs/credit.md says
    what the quantities are.
    """
    return _stacked(study, source, {**(where or {}), **equal}, _credit)


def cost(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> pd.DataFrame:
    """One row per finished cell: what an update,
    a prediction and a forward pass of one network cost, counted from the code.

    update_flops, update_contraction_flops, predict_span_operations, forward_read_bytes, …; state_bytes,
    peak_bytes. Without numbers where the code could not be counted: `not_counted` says why.
    """
    return _stacked(study, source, {**(where or {}), **equal}, _cost)


def records(
    study: str | None = None, source: Source = None, *, where: Where = None, **equal: Any
) -> list[Record]:
    """The records of the finished cells, in the order of the frames,
    for what is in no frame: `Record.weights`.
    """
    some, rest, names = _chosen(study, source, {**(where or {}), **equal})
    if rest:
        raise unknown("column", next(iter(rest)), names)
    return [record for _, record in some]


def store_of(source: Source = None) -> Store:
    """The store that a source is, or is the folder of; raises `InputError` if there is none."""
    if isinstance(source, Store):
        return source
    path = Path(source or os.environ.get("HARNESS_STORE") or "results").absolute()
    if not (path / "cells").is_dir():
        beside = [str(p.parent) for p in path.parent.glob("*/cells")]
        error = unknown("store", str(path), beside) if beside else InputError(f"there is no store at {path}")
        raise InputError(
            f"{error} (a source is a store's folder or an MLflow "
            "tracking URI; the usual one is HARNESS_STORE)"
        )
    return Store.at(path)


def _found(study: str | None, source: Source, *, numbers: bool = True) -> list[Found]:
    """The cells of a study in its order (of everything: by id), tasks kept together."""
    target = (
        source if isinstance(source, Store) else str(source or os.environ.get("HARNESS_STORE") or "results")
    )
    failures: Mapping[str, Mapping[str, Any]] = {}
    if isinstance(target, str) and ("://" in target or target.startswith("sqlite:")):
        from harness.store.mlflow_fetch import records_of

        records = records_of(target, study)
        ids = list(records)
    else:
        store = store_of(target)
        everything = (path.name for path in (store.path / "cells").glob("[!.]*"))  # but those being written
        ids = sorted(everything) if study is None else store.study(study)["cells"]
        records = {i: store.read(i) for i in ids if store.has(i)}
        failures = store.failures(ids)
    rows = rows_from(ids, records, failures, numbers=numbers)
    metas = {i: records[i].meta if i in records else failures.get(i, {}) for i in ids}
    return [Found(row, records.get(row.id), _settings(metas[row.id])) for row in rows]


def _settings(meta: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("task", "algorithm", "run", "versions", "ran")
    named = {f"{part}.{name}": value for part in parts for name, value in flat(meta.get(part, {})).items()}
    return named | {"made": meta.get("made")}


def _chosen(
    study: str | None, source: Source, wanted: Mapping[str, Any]
) -> tuple[list[tuple[Found, Record]], dict[str, Any], list[str]]:
    """The finished cells that pass the filters by keys and settings,
    the other filters, and the names of keys and settings.
    """
    import pandas as pd

    found = _found(study, source, numbers=False)
    about = pd.DataFrame([f.keys | f.settings for f in found], columns=None if found else list(KEYS))
    rest = {name: value for name, value in wanted.items() if name not in about.columns}
    kept = _kept(about, {name: value for name, value in wanted.items() if name not in rest}, about.columns)
    some = [(f, f.record) for f in (found[i] for i in kept.index) if f.record and f.row.status == FINISHED]
    return some, rest, list(about.columns)


def _stacked(
    study: str | None,
    source: Source,
    wanted: Mapping[str, Any],
    read: Callable[[Record], Mapping[str, Array]],
) -> pd.DataFrame:
    """The columns of each finished cell beneath one another, with its keys;
    what only some of them have is NaN in the others.
    """
    import pandas as pd

    some, rest, names = _chosen(study, source, wanted)
    parts: list[dict[str, Array]] = []
    for found, record in some:
        if columns := read(record):
            count = len(next(iter(columns.values())))
            parts.append(
                {**{name: np.full(count, value, object) for name, value in found.keys.items()}, **columns}
            )
    if not parts:
        return pd.DataFrame(columns=list(KEYS))
    order = dict.fromkeys(name for part in parts for name in part)
    frame = pd.DataFrame({name: np.concatenate([_column(part, name) for part in parts]) for name in order})
    return _kept(frame, rest, [*names, *frame.columns]).reset_index(drop=True)


def _column(part: Mapping[str, Array], name: str) -> Array:
    return part[name] if name in part else np.full(len(part["id"]), np.nan)


def _kept(frame: pd.DataFrame, wanted: Mapping[str, Any], names: Iterable[str]) -> pd.DataFrame:
    """The rows that pass all filters;
    raises `InputError` for a column that is not among `names`, or a task nobody has.
    """
    within = np.ones(len(frame), bool)
    for column, value in wanted.items():
        if column not in frame.columns:
            raise unknown("column", column, names)
        values = [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
        among = frame[column].isin(values) | (frame[column].isna() & (None in values))
        if column in ("task", "algorithm"):
            among |= frame[f"{column}_name"].isin(values)
            known = {*frame[column], *frame[f"{column}_name"]}
            for one in values:
                one_of(column, one, known)
        within &= among.to_numpy(bool)
    return frame[within]


def _budget(record: Record, columns: Mapping[str, Array]) -> dict[str, Array]:
    count = len(next(iter(columns.values())))
    return {"budget_epochs": np.full(count, record.meta["run"]["epochs"]), **columns}


def _credit(record: Record) -> Mapping[str, Array]:
    if not record.credit:
        return {}
    quantity = record.credit["quantity"]
    degrees = [name == "newton" or name.endswith("angle") for name in quantity]
    return {"quantity": quantity, "unit": np.where(degrees, "degrees", "1").astype(object), **record.credit}


def _cost(record: Record) -> dict[str, Array]:
    counts = record.cost
    why = "" if "update.work" in counts else counts.get("reason", "nothing was counted")
    numbers = {
        name: counts.get(name, np.nan)
        for name in ("patterns", "weights", "depth", "state_bytes", "peak_bytes")
    }
    none = np.nan if why else 0.0  # a kind of operation that did not occur is not in the sheet
    for phase in ("update", "predict", "forward"):
        numbers |= {f"{phase}_{name}": counts.get(f"{phase}.{kind}", none) for kind, name in COUNTS.items()}
    return {"not_counted": np.array([why], object)} | {
        name: np.array([value], float) for name, value in numbers.items()
    }

"""The cells of a study, wherever it is kept, and their columns beneath one another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.cells.words import flat
from harness.core.errors import InputError, one_of, unknown
from harness.core.outcomes import FINISHED
from harness.results.row import Row
from harness.results.table import rows_from
from harness.store.opened import Opened, opened
from harness.store.record import Record
from harness.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

Array = Any
KEYS = ("id", "task", "algorithm", "task_name", "algorithm_name")


class Found(NamedTuple):
    """A cell of the source."""

    row: Row
    record: Record | None
    settings: dict[str, Any]
    """By dotted name, with when it was made and the versions it was made with."""
    meta: Mapping[str, Any]
    """As `Record.meta`; of a cell that failed what is noted of it, nothing of one that is not there."""

    @property
    def keys(self) -> dict[str, Any]:
        """The columns `KEYS`."""
        row = self.row
        return dict(zip(KEYS, (row.id, row.task, row.algorithm, *row.id.split("-")[:2]), strict=True))


@dataclass(frozen=True)
class Gathered:
    """The cells of a study, looked up and told apart once: a source of several frames."""

    cells: list[Found]


Place = Store | str | Path | None
Source = Place | Gathered


def store_of(source: Place = None) -> Store:
    """The store that a source is, or is the folder of, or that a study's file holds; raises `InputError` if
    there is none.
    """
    if isinstance(source, Store):
        return source
    usual = Path(os.environ.get("HARNESS_STORE") or "results").absolute()
    path = Path(source).absolute() if source else usual
    if path.is_file():
        return opened(path)
    if not (path / "cells").is_dir():
        if isinstance(source, str) and (usual / "cells").is_dir() and source in Store.at(usual).studies():
            raise InputError(
                f"{source!r} was given as the source, where a study is kept, but it is a study of {usual}: "
                "ask for one study at a time"
            )
        beside = [str(p.parent) for p in path.parent.glob("*/cells")]
        error = unknown("store", str(path), beside) if beside else InputError(f"there is no store at {path}")
        raise InputError(
            f"{error} (a source is a store's folder, a study's file or an MLflow "
            "tracking URI; the usual one is HARNESS_STORE)"
        )
    return Store.at(path)


def found_in(study: str | None, source: Source, *, numbers: bool = True) -> list[Found]:
    """The cells of a study in its order (of everything in a store: by id), tasks kept together."""
    if isinstance(source, Gathered):
        return source.cells
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
        study = store.study_held if study is None and isinstance(store, Opened) else study
        ids = store.cells() if study is None else store.study(study)["cells"]
        records = {i: store.read(i) for i in ids if store.has(i)}
        failures = store.failures(ids)
    rows = rows_from(ids, records, failures, numbers=numbers)
    metas = {i: records[i].meta if i in records else failures.get(i, {}) for i in ids}
    return [Found(row, records.get(row.id), _settings(metas[row.id]), metas[row.id]) for row in rows]


def _settings(meta: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("task", "algorithm", "run", "versions", "ran")
    named = {f"{part}.{name}": value for part in parts for name, value in flat(meta.get(part, {})).items()}
    return named | {"made": meta.get("made")}


def chosen(
    study: str | None, source: Source, wanted: Mapping[str, Any]
) -> tuple[list[tuple[Found, Record]], dict[str, Any], list[str]]:
    """The finished cells that pass the filters by keys and settings,
    the other filters, and the names of keys and settings.
    """
    passed = found_in(study, source, numbers=False)
    names = list(dict.fromkeys([*KEYS, *chain.from_iterable(f.settings for f in passed)]))
    rest = {name: value for name, value in wanted.items() if name not in names}
    own = {name: value for name, value in wanted.items() if name not in rest}
    if own:  # else all pass, and a frame of all settings need not be made
        import pandas as pd

        about = pd.DataFrame([f.keys | f.settings for f in passed], columns=names)
        passed = [passed[i] for i in kept(about, own, names).index]
    some = [(f, f.record) for f in passed if f.record and f.row.status == FINISHED]
    return some, rest, names


def stacked(
    study: str | None,
    source: Source,
    wanted: Mapping[str, Any],
    read: Callable[[Record], Mapping[str, Array]],
) -> pd.DataFrame:
    """The columns of each finished cell beneath one another, with its keys;
    what only some of them have is NaN in the others.
    """
    import pandas as pd

    some, rest, names = chosen(study, source, wanted)
    parts: list[dict[str, Array]] = []
    for cell, record in some:
        if columns := read(record):
            count = len(next(iter(columns.values())))
            parts.append(
                {**{name: np.full(count, value, object) for name, value in cell.keys.items()}, **columns}
            )
    if not parts:
        return pd.DataFrame(columns=list(KEYS))
    order = dict.fromkeys(name for part in parts for name in part)
    frame = pd.DataFrame({name: np.concatenate([_column(part, name) for part in parts]) for name in order})
    return kept(frame, rest, [*names, *frame.columns]).reset_index(drop=True)


def _column(part: Mapping[str, Array], name: str) -> Array:
    return part[name] if name in part else np.full(len(part["id"]), np.nan)


def kept(frame: pd.DataFrame, wanted: Mapping[str, Any], names: Iterable[str]) -> pd.DataFrame:
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

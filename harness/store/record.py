"""The local store: one folder per finished cell, written once and whole.

    <store>/format                    the version of this layout
    <store>/cells/<cell id>/          cell.json, replicas.parquet, curves.parquet, weights.npz, cost.json
    <store>/failed/<cell id>.json     a cell whose code raised, with its traceback; it is tried again
    <store>/studies/<name>/           study.json: its cells; joined/: those added one by one; table, figures

A cell's folder is filled under another name and then renamed: it is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cells.cell import Cell
from harness.cells.environment import environment
from harness.core.errors import InputError, unknown
from harness.core.files import UNFINISHED, write_atomically
from harness.core.outcomes import FAILED, FINISHED, NOT_APPLICABLE
from harness.experiment.result import Result
from harness.experiment.summary import Facts, Summary, describe, summarise

FORMAT = 1
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Record:
    """A cell as the store holds it. Columns are read when asked for."""

    path: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        """`id`, `status`, `reason`, `algorithm`, `task`,
        `run` (name and settings of each), `versions`, `ran`, `made`.
        """
        return dict(json.loads((self.path / "cell.json").read_text(encoding="utf-8")))

    @property
    def id(self) -> str:
        """The cell's id."""
        return str(self.meta["id"])

    @property
    def finished(self) -> bool:
        """Whether the cell was run (and not recorded as not applicable)."""
        return bool(self.meta["status"] == FINISHED)

    @cached_property
    def replicas(self) -> Columns:
        """One entry per replica: the columns of `Result.columns`."""
        return _read_columns(self.path / "replicas.parquet")

    @cached_property
    def curves(self) -> Columns:
        """One entry per curve epoch: the columns of `Result.curve_columns`."""
        return _read_columns(self.path / "curves.parquet")

    @cached_property
    def cost(self) -> dict[str, Any]:
        """Counts of one update, prediction and forward pass
        of one network (`CostSheet.numbers`), or the `reason` for none.
        """
        path = self.path / "cost.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    @cached_property
    def credit(self) -> Columns:
        """What the credit probe found: the columns of `Result.credit_columns`; none where it was off."""
        path = self.path / "credit.parquet"
        return _read_columns(path) if path.is_file() else {}

    def facts(self) -> Facts:
        """What words are made of, for a finished cell."""
        algorithm, task, run = (self.meta[part] for part in ("algorithm", "task", "run"))
        ran, versions = self.meta.get("ran", {}), self.meta.get("versions", {})
        return Facts(algorithm, task, run, self.replicas, self.cost, self.credit, ran, versions)

    def summary(self) -> Summary:
        """The numbers of a finished cell."""
        return summarise(self.replicas, self.cost, self.credit)

    def __str__(self) -> str:
        """A finished cell in a few lines; of another, why it was not run."""
        if self.finished:
            return describe(self.facts())
        return (
            f"{self.meta['algorithm']['name']} on {self.meta['task']['name']}: "
            f"{self.meta['status']}\n  {self.meta['reason']}"
        )

    @cached_property
    def weights(self) -> Columns:
        """Final weights by parameter name, (R, rows, columns)."""
        with np.load(self.path / "weights.npz", allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


@dataclass(frozen=True)
class Store:
    """Where finished cells are kept."""

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> Store:
        """The store at `path`, which need not exist yet.

        Raises `InputError` if its format is newer than ours.
        """
        store = cls(Path(path).absolute())
        version = store.path / "format"
        if version.is_file():
            text = version.read_text(encoding="utf-8").strip()
            if not text.isdigit() or int(text) > FORMAT:
                raise InputError(
                    f"the store {store.path} has format {text[:20]!r}, "
                    f"but this version reads formats up to {FORMAT}: update the harness or give another store"
                )
        return store

    def prepare(self) -> Store:
        """Make the store's folders; raises `InputError` if it cannot be written."""
        try:
            for folder in ("cells", "failed", "studies"):
                (self.path / folder).mkdir(parents=True, exist_ok=True)
            probe = self.path / f"{UNFINISHED}{uuid.uuid4().hex}"
            probe.write_text("", encoding="utf-8")
            probe.unlink()
            if not (self.path / "format").exists():
                write_atomically(self.path / "format", f"{FORMAT}\n")
        except OSError as error:
            raise InputError(
                f"the store {self.path} cannot be written ({error.strerror}): "
                "give a writable folder by store=… or HARNESS_STORE"
            ) from error
        for leftover in (self.path / "cells").glob(f"{UNFINISHED}*"):
            if time.time() - leftover.stat().st_mtime > 3600:  # of a run that was killed while writing
                shutil.rmtree(leftover, ignore_errors=True)
        return self

    def has(self, cell_id: str) -> bool:
        """Whether this cell is finished."""
        return (self.path / "cells" / cell_id).is_dir()

    def read(self, cell_id: str) -> Record:
        """The record of a finished cell; raises `InputError` if there is none."""
        if not self.has(cell_id):
            raise InputError(f"the store {self.path} has no cell {cell_id!r}")
        return Record(self.path / "cells" / cell_id)

    def write(self, cell: Cell, result: Result | None, cost: Mapping[str, Any] | None = None) -> Record:
        """Keep a finished cell (no result: not applicable),
        whole or not at all; the first of two writers wins.
        """
        meta = {
            "id": cell.id,
            "status": FINISHED if result else NOT_APPLICABLE,
            "reason": cell.not_applicable,
            **cell.settings_by_name(),
            "versions": cell.versions() | environment(),
            "ran": result.trained.ran if result else {},
            "made": time.strftime(TIME_FORMAT, time.gmtime()),
        }
        final = self.path / "cells" / cell.id
        folder = final.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
        try:
            folder.mkdir()
            (folder / "cell.json").write_text(_json(meta), encoding="utf-8")
            if result:
                _write_columns(folder / "replicas.parquet", result.columns())
                _write_columns(folder / "curves.parquet", result.curve_columns())
                if result.trained.credit:
                    _write_columns(folder / "credit.parquet", result.credit_columns())
                (folder / "cost.json").write_text(_json(cost or {}), encoding="utf-8")
                np.savez(folder / "weights.npz", allow_pickle=False, **result.trained.weights)
            _to_disk(folder)
            folder.rename(final)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not final.is_dir():
                raise InputError(
                    f"cell {cell.id} could not be kept in {self.path} ({error.strerror})"
                ) from error
        (self.path / "failed" / f"{cell.id}.json").unlink(missing_ok=True)
        return Record(final)

    def write_failure(self, cell: Cell, error: str, trace: str) -> None:
        """Note that a cell's code raised; the next run tries again."""
        meta = {
            "id": cell.id,
            "status": FAILED,
            "reason": error,
            **cell.settings_by_name(),
            "traceback": trace,
        }
        write_atomically(self.path / "failed" / f"{cell.id}.json", _json(meta))

    def failures(self, cell_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What is known of those of the cells that failed."""
        paths = {i: self.path / "failed" / f"{i}.json" for i in cell_ids}
        return {i: json.loads(p.read_text(encoding="utf-8")) for i, p in paths.items() if p.is_file()}

    def studies(self) -> list[str]:
        """Names of the studies in the store, the newest last."""
        files = sorted((self.path / "studies").glob("*/study.json"), key=lambda p: p.stat().st_mtime)
        return [p.parent.name for p in files]

    def study(self, name: str) -> dict[str, Any]:
        """`name`, `question` and `cells` (ids in order) of a study; raises `InputError` if there is none."""
        folder = self.path / "studies" / name
        if not (folder / "study.json").is_file():
            raise unknown("study", name, self.studies())
        study = dict(json.loads((folder / "study.json").read_text(encoding="utf-8")))
        joined = sorted((folder / "joined").glob("*"), key=lambda p: p.stat().st_mtime_ns)
        return study | {"cells": list(dict.fromkeys([*study["cells"], *(p.name for p in joined)]))}

    def write_study(self, name: str, question: str, cells: Iterable[str], *, small: bool = False) -> Path:
        """Define a study by its cells, of its `small` form or the full one; returns its folder."""
        folder = self.path / "studies" / name
        shutil.rmtree(folder / "joined", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        ids = list(dict.fromkeys(cells))
        about = {"name": name, "question": question, "cells": ids} | ({"small": True} if small else {})
        write_atomically(folder / "study.json", _json(about))
        return folder

    def join_study(self, name: str, question: str, cell_id: str) -> None:
        """Add a cell to a study, made if need be; a file a cell,
        so that runs side by side do not undo each other.
        """
        folder = self.path / "studies" / name
        (folder / "joined").mkdir(parents=True, exist_ok=True)
        (folder / "joined" / cell_id).touch()
        if (folder / "study.json").is_file():
            os.utime(folder / "study.json")  # the study somebody worked on last is the newest
        else:
            write_atomically(folder / "study.json", _json({"name": name, "question": question, "cells": []}))

    def records(self, study: str) -> list[Record]:
        """The finished cells of a study, in its order."""
        return [Record(self.path / "cells" / i) for i in self.study(study)["cells"] if self.has(i)]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _to_disk(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_columns(path: Path, columns: Columns) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)


def _read_columns(path: Path) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # small files: without threads, and out of memory, five times faster than `read_table`
    table = pq.ParquetFile(pa.BufferReader(path.read_bytes()), pre_buffer=False).read(use_threads=False)
    return {name: table.column(name).to_numpy() for name in table.column_names}

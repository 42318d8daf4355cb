"""The local store: one folder per finished cell, written once and whole.

    <store>/format                    the version of this layout
    <store>/cells/<cell id>/          cell.json, replicas.parquet, curves.parquet, histories.parquet,
                                      weights.npz, cost.json; probed: credit.parquet, probes.parquet
    <store>/kin/…/                    which cells differ in their number of replicas alone
    <store>/failed/<cell id>.json     a cell whose code raised, with its traceback; it is tried again
    <store>/damaged/<cell id>-…/      what was no longer as it was written; its cell is run again
    <store>/studies/<name>/           study.json: its cells; joined/: those added one by one; said.json: what
                                      came of it; table, figures, pages
    <store>/running/                  what runs now (`harness.store.running`)
    <store>/sending/                  of what MLflow is to be told

A cell's folder is filled under another name and then renamed: it is there whole or not at all.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cells.cell import Cell
from harness.cells.environment import environment
from harness.core.errors import InputError, unknown
from harness.core.files import UNFINISHED, ages, remove_leftovers, write_atomically
from harness.core.outcomes import FAILED, FINISHED, NOT_APPLICABLE
from harness.experiment.result import Result
from harness.store import definitions, kin
from harness.store.files import TIME_FORMAT, about_cell, json_text, read_json, write_record
from harness.store.names import cell_id, is_cell_id, study_name
from harness.store.record import Record

FORMAT = 1


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
        if (version := store.path / "format").is_file():
            text = version.read_text(encoding="utf-8", errors="replace").strip()
            if not text.isdigit() or int(text) > FORMAT:
                raise InputError(
                    f"the store {store.path} has format {text[:20]!r}, "
                    f"but this version reads formats up to {FORMAT}: update the harness or give another store"
                )
        return store

    def study_folder(self, name: str) -> Path:
        """Where a study is kept, there or not; raises `InputError` for what no study can be called."""
        return self.path / "studies" / study_name(name)

    def cell_folder(self, i: str) -> Path:
        """Where a cell's record is kept, there or not; raises `InputError` for what is no cell's id."""
        return self.path / "cells" / cell_id(i)

    def prepare(self) -> Store:
        """Make the store's folders; raises `InputError` if it cannot be written."""
        folders = [self.path / name for name in ("cells", "failed", "studies")]
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
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
        for folder in (self.path, *folders, *(folders[2] / name for name in ages(folders[2]))):
            remove_leftovers(folder)
        return self

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Say in a sentence that the disk did not take something."""
        try:
            yield
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{what} could not be kept in {self.path} ({why})") from error

    def has(self, i: str) -> bool:
        """Whether this cell is finished."""
        return self.cell_folder(i).is_dir()

    def cells(self) -> list[str]:
        """Ids of all finished cells, sorted."""
        return sorted(filter(is_cell_id, ages(self.path / "cells")))

    def read(self, i: str) -> Record:
        """The record of a finished cell; raises `InputError` if there is none."""
        if self.has(i):
            return Record(self.cell_folder(i))
        raise InputError(f"the store {self.path} has no cell {i!r}")

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
        final = self.cell_folder(cell.id)
        folder = final.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
        with self._writing(f"cell {cell.id}"):
            try:
                write_record(folder, meta, result, cost)
                folder.rename(final)
            except BaseException as error:
                shutil.rmtree(folder, ignore_errors=True)
                if not (isinstance(error, OSError) and final.is_dir()):
                    raise
            if result:
                kin.note(self.path, cell)
            (self.path / "failed" / f"{cell.id}.json").unlink(missing_ok=True)
        return Record(final)

    def write_failure(self, cell: Cell, error: str, trace: str) -> None:
        """Note that a cell's code raised; the next run tries again."""
        reason = " ".join(error.split())  # one line, wherever it is told
        about = {"id": cell.id, "status": FAILED, "reason": reason, **cell.settings_by_name()}
        if cell.broken:  # it was not begun, and perhaps not with the settings that it was to have
            about["begun"] = False
        with self._writing(f"that cell {cell.id} failed ({error})"):
            write_atomically(
                self.path / "failed" / f"{cell_id(cell.id)}.json", json_text(about | {"traceback": trace})
            )

    def failures(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What is known of those of the cells that failed."""
        known = {}
        for i, path in [(i, self.path / "failed" / f"{cell_id(i)}.json") for i in ids]:
            # gone when the cell is finished; and a note that cannot be read says no more than none
            with suppress(FileNotFoundError, ValueError):
                note = about_cell(read_json(path))
                if note["id"] == i:
                    known[i] = note
        return known

    def studies(self) -> list[str]:
        """Names of the studies in the store, the newest last."""
        return definitions.studies(self.path / "studies")

    def study(self, name: str) -> dict[str, Any]:
        """`name`, `question` and `cells` (ids in order) of a study.

        Raises `InputError` if there is none, and `Damaged` if its definition cannot be read.
        """
        folder = self.study_folder(name)
        if not (folder / definitions.FILE).is_file():
            raise unknown("study", name, self.studies())
        return definitions.defined(folder)

    def write_study(
        self, name: str, question: str, cells: Iterable[str], *, small: bool = False
    ) -> definitions.Replaced | None:
        """Define a study by its cells, of its `small` form or the full one; returns what was replaced,
        if cells of an earlier definition are in the study no longer.
        """
        about = {"name": name, "question": question} | ({"small": True} if small else {})
        with self._writing(f"study {name!r}"):
            return definitions.define(self.study_folder(name), about, list(cells))

    def join_study(self, name: str, question: str, cell: str) -> None:
        """Add a cell to a study, made if need be."""
        with self._writing(f"study {name!r}"):
            definitions.join(self.study_folder(name), {"name": name, "question": question}, cell_id(cell))

    def records(self, study: str) -> list[Record]:
        """The finished cells of a study, in its order."""
        return [Record(self.cell_folder(i)) for i in self.study(study)["cells"] if self.has(i)]
